//! No secret is printed or written, at any verbosity, with any source of credentials and any response.

use std::path::Path;
use std::process::Stdio;

use crate::support::Ran;
use crate::support::fixture::Fixture;
use iam_boundaries::sandbox::Fault;

/// Values that are unmistakable in any output.
const KEY_ID: &str = "AKIAMARKEDKEYID00000";
const SECRET: &str = "MARKEDsecret/Access+Key/0123456789abcdef0";
const TOKEN: &str = "MarkedSessionToken//////////0123456789+abcdefghijklmnopqrstuvwxyz==";

const PUT: &str = "PutUserPermissionsBoundary";

/// AWS's error for a wrong signature: its message contains the string to sign, including the session token.
fn error_with_secrets(code: &str) -> Fault {
    let message = format!(
        "The request signature we calculated does not match the signature you provided.\n\n\
         The Canonical String for this request should have been\n'POST\n/\n\nhost:iam.amazonaws.com\n\
         x-amz-security-token:{TOKEN}\n\nkey {KEY_ID}, {SECRET}'"
    );
    Fault::error(403, code, &message)
}

fn assert_no_secret(what: &str, text: &str) {
    for secret in [SECRET, TOKEN] {
        assert!(!text.contains(secret), "{what} contains {secret}:\n{text}");
        // A long part of a secret is also secret.
        assert!(!text.contains(&secret[..20]), "{what} contains a part of {secret}:\n{text}");
    }
}

/// Checks all output, and every file in the directory except those with credentials.
fn assert_nothing_leaked(ran: &Ran, folder: &Path) {
    assert_no_secret("standard output", &ran.out);
    assert_no_secret("standard error", &ran.err);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("credentials") && !path.ends_with("keys.json") {
                let bytes = std::fs::read(&path).unwrap();
                assert_no_secret(&path.display().to_string(), &String::from_utf8_lossy(&bytes));
            }
        }
    }
}

/// A source of credentials.
struct Source {
    arguments: Vec<&'static str>,
    variables: Vec<(&'static str, String)>,
}

fn sources(folder: &Path) -> Vec<Source> {
    let keys_file = format!(
        "{{\"Version\": 1, \"AccessKeyId\": \"{KEY_ID}\", \"SecretAccessKey\": \"{SECRET}\", \
         \"SessionToken\": \"{TOKEN}\"}}"
    );
    std::fs::write(folder.join("keys.json"), keys_file).unwrap();
    std::fs::write(
        folder.join("credentials"),
        format!(
            "[marked]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n\
             aws_session_token = {TOKEN}\n\
             [process]\ncredential_process = cat keys.json\n\
             [broken]\ncredential_process = sh -c \"cat keys.json | tr -d ,; cat keys.json >&2; exit 7\"\n\
             [torn]\ncredential_process = head -c 120 keys.json\n"
        ),
    )
    .unwrap();
    let keys = [
        ("AWS_ACCESS_KEY_ID", KEY_ID),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_SESSION_TOKEN", TOKEN),
    ];
    let variables = keys.map(|(name, value)| (name, value.to_owned())).to_vec();
    let environment = Source { arguments: Vec::new(), variables };
    let profiles = ["marked", "process", "broken", "torn"].map(|profile| Source {
        arguments: vec!["--profile", profile],
        variables: vec![("AWS_SHARED_CREDENTIALS_FILE", "credentials".to_owned())],
    });
    std::iter::once(environment).chain(profiles).collect()
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_any_output_or_file_whatever_fails() {
    let fixture = Fixture::users(3).listed_with("Developer").start().await;
    let faults = fixture.sandbox.faults();
    // Each command fails at each action, with each code.
    let actions = ["GetCallerIdentity", "GetUser", "GetAccountAuthorizationDetails", PUT];
    let codes = ["SignatureDoesNotMatch", "AccessDenied", "Odd"];
    let mut failures = (0..).map(|n| (actions[n % 4], codes[n / 4 % 3]));
    for Source { arguments: source, variables } in sources(fixture.folder()) {
        for verbosity in ["--color=never", "-v", "-vv", "-vvvv"] {
            for command in [
                &["plan", "--out", "plan.json"][..],
                &["plan", "--format", "json"],
                &["apply", "--auto-approve", "--format", "json"],
                &["apply", "--auto-approve"],
                &["import"],
            ] {
                let (action, code) = failures.next().unwrap();
                faults.clear();
                faults.add(action, None, 1, error_with_secrets(code));
                (0..3).for_each(|n| fixture.set(n, "Other"));
                let arguments = [&source[..], &[verbosity], command].concat();
                let mut command = fixture.command(&arguments);
                command
                    .env_remove("AWS_ACCESS_KEY_ID")
                    .env_remove("AWS_SECRET_ACCESS_KEY")
                    .env("PATH", "/usr/bin:/bin")
                    // The environment must not enable the log of the SDK.
                    .env("RUST_LOG", "trace")
                    .envs(variables.iter().map(|(name, value)| (*name, value)))
                    .stdin(Stdio::null());
                let output = tokio::task::spawn_blocking(move || command.output().unwrap());
                let ran = Ran::of(output.await.unwrap());
                assert_nothing_leaked(&ran, fixture.folder());
            }
        }
    }
    let calls = fixture.sandbox.calls();
    for (action, least) in actions.iter().zip([50, 10, 30, 30]) {
        assert!(calls[*action] > least, "{action}: {calls:?}");
    }
    assert!(fixture.folder().join("plan.json").exists());
}

/// The spellings of a secret in the logs of servers and proxies.
fn spellings(secret: &str) -> Vec<String> {
    let url = secret.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D");
    let (first, second) = secret.split_at(18);
    vec![
        url.replace('%', "%25"),
        url,
        secret.replace('/', "\\/"),
        secret.chars().map(|c| format!("\\u{:04X}", u32::from(c))).collect(),
        format!("{first}\r\n    {second}"),
        base64(secret.as_bytes()),
        base64(format!(":{secret}").as_bytes()),
        secret.to_owned(),
    ]
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = |chunk: &[u8]| chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
    bytes
        .chunks(3)
        .flat_map(|chunk| {
            let bits = bits(chunk) << (8 * (3 - chunk.len()));
            (0..=chunk.len())
                .map(move |n| char::from(ALPHABET[(bits >> (18 - 6 * n) & 63) as usize]))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_spelling_of_a_secret_is_redacted_in_every_field_and_in_the_journal() {
    let fixture = Fixture::users(1).listed_with("Developer").start().await;
    let fixture = fixture
        .env("AWS_ACCESS_KEY_ID", KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_SESSION_TOKEN", TOKEN);
    for (n, spelling) in [SECRET, TOKEN].into_iter().flat_map(spellings).enumerate() {
        let (code, message) = (format!("Odd {spelling}"), format!("before {spelling} after"));
        fixture.sandbox.faults().add(PUT, None, 1, Fault::error(400, &code, &message));
        let journal = format!("{n}.jsonl");
        let arguments =
            ["-vv", "apply", "--auto-approve", "--format", "json", "--journal", &journal];
        let ran = fixture.run(&arguments).await;
        assert_eq!(ran.code, 3, "{ran}");
        let text = std::fs::read_to_string(fixture.folder().join(&journal)).unwrap();
        for text in [&ran.out, &ran.err, &text] {
            assert!(text.matches("[redacted]").count() >= 2, "{spelling}\n{text}");
            assert!(text.contains("[redacted] after"), "{spelling}\n{text}");
            // Also not split by the escapes of the output.
            let rest: String = text.split_whitespace().collect();
            for part in [&spelling[..12], &spelling[spelling.len() - 12..]] {
                let part: String = part.split_whitespace().collect();
                assert!(!rest.contains(&part), "{part} of {spelling}\n{text}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_successful_response_that_repeats_a_secret_is_not_used() {
    let fixture = Fixture::users(1).listed_with("Developer").start().await;
    let fixture = fixture
        .env("AWS_ACCESS_KEY_ID", KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_SESSION_TOKEN", TOKEN);
    let body = format!(
        "<GetUserResponse><GetUserResult><User><UserName>user-0000</UserName><UserId>AIDA1</UserId>\
         <Path>/{TOKEN}/</Path><Arn>arn:aws:iam::123456789012:user/user-0000</Arn>\
         <CreateDate>2026-01-01T00:00:00Z</CreateDate></User></GetUserResult></GetUserResponse>"
    );
    fixture.sandbox.faults().add("GetUser", None, 100, Fault::Response(body));
    let ran = fixture.run(&["-vv", "plan", "--timeout", "3s"]).await;
    assert_eq!(ran.code, 1, "{ran}");
    let why = "its last attempt failed: UnreadableResponse: the response repeats a secret";
    assert!(ran.err.contains(why), "{ran}");
    assert_nothing_leaked(&ran, fixture.folder());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_failing_credential_process_writes_is_shown() {
    let fixture = Fixture::users(1).listed_with("Developer").start().await;
    let config = "[profile broken]\ncredential_process = sh -c \"echo words on stdout; echo words on stderr >&2; exit 7\"\n";
    std::fs::write(fixture.folder().join("config"), config).unwrap();
    let fixture = fixture.env("AWS_CONFIG_FILE", "config").env("PATH", "/usr/bin:/bin");
    for verbosity in ["--color=never", "-vvvv"] {
        let ran = fixture.run(&["--profile", "broken", verbosity, "plan"]).await;
        assert_eq!(ran.code, 1, "{ran}");
        assert!(ran.err.contains("its messages are not shown"), "{ran}");
        assert!(!ran.err.contains("words on"), "{ran}");
    }
}
