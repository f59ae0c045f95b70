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
    for Source { arguments: source, variables } in sources(fixture.folder()) {
        for verbosity in ["--color=never", "-v", "-vv", "-vvvv"] {
            for (n, command) in [
                &["plan", "--out", "plan.json"][..],
                &["plan", "--format", "json"],
                &["apply", "--auto-approve", "--format", "json"],
                &["apply", "--auto-approve"],
                &["import"],
            ]
            .into_iter()
            .enumerate()
            {
                for action in ["GetCallerIdentity", "GetAccountAuthorizationDetails", PUT] {
                    let code = ["SignatureDoesNotMatch", "AccessDenied", "Odd"][n % 3];
                    faults.add(action, None, 1, error_with_secrets(code));
                }
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
    assert!(fixture.sandbox.calls()["GetCallerIdentity"] > 50);
}
