//! Nothing from outside the tool controls a terminal, hides in its output, or commands a runner: in no format, from no
//! command, and on neither stream.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;

use crate::support::fixture::{Fixture, run};
use crate::support::http::{Reply, Request, Server};
use crate::support::{Binary, Ran};

/// Characters that a terminal interprets or that are invisible.
const UNSAFE: [char; 18] = [
    '\u{1b}',
    '\u{7}',
    '\u{8}',
    '\u{7f}',
    '\u{85}',
    '\u{9b}',
    '\u{9d}',
    '\u{ad}',
    '\u{61c}',
    '\u{180e}',
    '\u{200b}',
    '\u{2028}',
    '\u{202e}',
    '\u{2066}',
    '\u{3164}',
    '\u{fe0f}',
    '\u{feff}',
    '\u{e0041}',
];

/// Texts that a runner of GitHub Actions interprets.
const COMMANDS: [&str; 4] = ["::add-mask::x", "##[error]x", "\n::error::x", "x ##[group]y"];

/// Checks one stream. `is_commands` says that its lines are the tool's own workflow commands.
fn assert_inert(text: &str, is_github: bool, is_commands: bool, context: &str) {
    let found: Vec<char> =
        text.chars().filter(|c| (c.is_control() && *c != '\n') || UNSAFE.contains(c)).collect();
    assert!(found.is_empty(), "{found:?} in {context}\n{text}");
    if !is_github {
        return;
    }
    assert!(!text.contains("##["), "##[ in {context}\n{text}");
    for line in text.lines().filter(|line| line.trim_start().starts_with("::")) {
        let own = ["::error ", "::warning ", "::notice "].iter().any(|own| line.starts_with(own));
        assert!(is_commands && own, "{line:?} in {context}");
    }
}

fn assert_both_inert(ran: &Ran, is_github: bool, arguments: &[&str]) {
    let context = format!("{arguments:?}, exit code {}", ran.code);
    assert_inert(&ran.out, is_github, arguments.contains(&"github"), &context);
    assert_inert(&ran.err, is_github, false, &context);
}

/// The text in XML, with unsafe characters as references.
fn xml(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '<' | '>' | '&' => format!("&#{};", u32::from(c)),
            c if c.is_ascii() && !c.is_control() => c.to_string(),
            c => format!("&#x{:x};", u32::from(c)),
        })
        .collect()
}

fn success(request: &Request, result: &str) -> Reply {
    let action = request.action();
    let body =
        format!("<{action}Response><{action}Result>{result}</{action}Result></{action}Response>");
    let is_ascii = |text: &str| text.chars().all(|c| (' '..='~').contains(&c));
    Reply::Response(200, "x-amzn-requestid: ::add-mask::##[error]\r\n".to_owned(), body)
        .checked(is_ascii)
}

impl Reply {
    fn checked(self, is_safe: impl Fn(&str) -> bool) -> Reply {
        if let Reply::Response(_, headers, _) = &self {
            assert!(headers.lines().all(is_safe));
        }
        self
    }
}

const POLICY: &str = "arn:aws:iam::123456789012:policy/##[error]/Developer";

/// An IAM and STS that put `hostile` wherever a response has a text.
fn endpoint(hostile: &str, account: &'static str) -> Server {
    let hostile = xml(hostile);
    let code = format!("AccessDenied{hostile}");
    let is_set = AtomicBool::new(false);
    Server::start(move |request| match request.action() {
        "GetCallerIdentity" => success(
            request,
            &format!(
                "<Account>{account}</Account><UserId>{hostile}</UserId>\
                 <Arn>arn:aws:sts::{account}:assumed-role/{hostile}/{hostile}</Arn>"
            ),
        ),
        "GetUser" if request.get("UserName") == Some("alice") => {
            // The reading after a write verifies it.
            let boundary = match is_set.swap(false, Ordering::Relaxed) {
                true => format!(
                    "<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType>\
                     <PermissionsBoundaryArn>{POLICY}</PermissionsBoundaryArn></PermissionsBoundary>"
                ),
                false => String::new(),
            };
            success(
                request,
                &format!(
                    "<User><UserName>alice</UserName><UserId>AIDA0000000000000001</UserId><Path>/</Path>\
                     <Arn>arn:aws:iam::123456789012:user/alice</Arn>\
                     <CreateDate>2026-01-01T00:00:00Z</CreateDate>{boundary}</User>"
                ),
            )
        }
        "GetPolicy" => success(
            request,
            &format!(
                "<Policy><PolicyName>Developer</PolicyName><DefaultVersionId>v1</DefaultVersionId>\
                 <Arn>{POLICY}</Arn><Path>/##[error]/</Path><IsAttachable>true</IsAttachable></Policy>"
            ),
        ),
        "PutUserPermissionsBoundary" if request.get("UserName") == Some("alice") => {
            is_set.store(true, Ordering::Relaxed);
            let action = request.action();
            let body = format!("<{action}Response></{action}Response>");
            Reply::Response(200, "x-amzn-requestid: ::add-mask::##[error]\r\n".to_owned(), body)
        }
        "ListUsers" => success(
            request,
            &format!(
                "<IsTruncated>false</IsTruncated><Users><member><UserName>{hostile}</UserName>\
                 <UserId>AIDA0000000000000002</UserId><Path>/</Path><Arn>{hostile}</Arn>\
                 <CreateDate>2026-01-01T00:00:00Z</CreateDate></member></Users>"
            ),
        ),
        action => {
            // Only a denied reading of the pages leads to ListUsers.
            let is_page = ["GetAccountAuthorizationDetails", "GetAccountSummary"].contains(&action);
            let code = if is_page { "AccessDenied" } else { &*code };
            let body = format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>\
                 <Message>{hostile}</Message></Error><RequestId>{hostile}</RequestId></ErrorResponse>"
            );
            Reply::Response(403, String::new(), body)
        }
    })
}

/// A file name: no separator, and at most 255 bytes.
fn file_name(hostile: &str) -> String {
    hostile.replace(['/', '\0'], "_").chars().take(40).collect()
}

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        proptest::sample::select(&UNSAFE[..]).prop_map(String::from),
        proptest::sample::select(&COMMANDS[..]).prop_map(str::to_owned),
        "[a-z ]{1,5}",
    ];
    proptest::collection::vec(piece, 3..9).prop_map(|pieces| pieces.concat())
}

/// Runs every command whose output can repeat `hostile`.
fn check_every_command(hostile: &str, format: &str, is_github: bool) {
    let name = file_name(hostile);
    let (toml, plan) = (format!("{name}.toml"), format!("{name}.json"));
    let quoted = serde_json::to_string(hostile).unwrap();
    let valid = "[boundaries]\ndev = \"arn:aws:iam::123456789012:policy/##[error]/Developer\"\n\
                 [users]\nalice = \"dev\"\nbob = \"dev\"\n";
    let server = endpoint(hostile, "123456789012");
    let other = endpoint(hostile, "999999999999");
    let binary = Binary::with_file(valid)
        .env("AWS_ACCESS_KEY_ID", "any")
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .env("GITHUB_ACTIONS", if is_github { "true" } else { "" });
    let write = |name: &str, text: &str| std::fs::write(binary.folder().join(name), text).unwrap();
    write(&toml, valid);
    write("bad.toml", &format!("[users]\nalice = {quoted}\n{quoted} = false\n# {hostile}\n"));
    write(
        "plan-with-hostile.json",
        &format!(
            "{{\"format\": \"iam-boundaries/plan\", \"format_version\": 3, {quoted}: {quoted}}}"
        ),
    );
    let state = binary.folder().join(".local/state/iam-boundaries/123456789012");
    private_directory(&state);
    let marker = format!("{{\"began\": \"2026-01-01T00:00:00Z\", \"journal\": \"/{name}\"}}");
    let marker = marker.replace(&name, &quoted_part(&name));
    std::fs::write(state.join("unfinished.json"), marker).unwrap();
    let (here, elsewhere) = (server.url(), other.url());
    let verbose_apply = [
        "-vv",
        "--endpoint-url",
        &here,
        "apply",
        "--auto-approve",
        "--format",
        format,
        "--journal",
        &name,
    ];
    let commands: [&[&str]; 15] = [
        &["check", "--format", format, "-f", &toml],
        &["check", "--format", format, "-f", "bad.toml"],
        &["check", "--format", format, "-f", &name],
        &["--endpoint-url", &here, "plan", "--format", format, "-f", &toml, "--out", &plan],
        &["show", "--format", format, &plan],
        &["show", "--format", format, "plan-with-hostile.json"],
        &["show", "--format", format, &name],
        &["--endpoint-url", &elsewhere, "plan", "--format", format],
        &verbose_apply,
        &verbose_apply[1..],
        &["--endpoint-url", &here, "rollback", &name, "--format", format],
        &["--endpoint-url", &here, "import"],
        &["--profile", hostile, "plan", "--format", format],
        &[hostile],
        &["plan", "--format", hostile],
    ];
    for arguments in commands {
        // An argument of a process cannot contain a NUL.
        let ran = Ran::of(binary.command(arguments).output().unwrap());
        assert_both_inert(&ran, is_github, arguments);
        assert!(!ran.err.contains("panicked"), "{arguments:?} {ran}");
    }
    for action in ["PutUserPermissionsBoundary", "ListUsers"] {
        assert!(server.count(action) > 0, "{action} was not called");
    }
    for entry in std::fs::read_dir(binary.folder()).unwrap().map(Result::unwrap) {
        let is_own = [&*plan, &*name].contains(&&*entry.file_name().to_string_lossy());
        if is_own && let Ok(text) = std::fs::read_to_string(entry.path()) {
            assert_inert(&text, false, false, "a file that the tool wrote");
        }
    }
}

/// The text in a JSON string, without the quotes.
fn quoted_part(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap();
    quoted[1..quoted.len() - 1].to_owned()
}

fn private_directory(path: &Path) {
    std::fs::create_dir_all(path).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mut at = path;
        while at.file_name().is_some_and(|name| name != ".local") {
            std::fs::set_permissions(at, std::fs::Permissions::from_mode(0o700)).unwrap();
            at = at.parent().unwrap();
        }
    }
}

#[cfg(unix)]
proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 20, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_output_of_any_command_has_a_control_character_or_a_command_from_outside(
        hostile in hostile(),
        format in proptest::sample::select(&["text", "json", "markdown", "github"][..]),
        is_github in any::<bool>(),
    ) {
        check_every_command(&hostile, format, is_github);
    }
}

#[cfg(unix)]
#[test]
fn each_unsafe_character_and_command_is_escaped_in_each_format() {
    let hostile: String =
        UNSAFE.into_iter().map(String::from).chain(COMMANDS.map(str::to_owned)).collect();
    let hostile = format!("{}{hostile}", COMMANDS[0]);
    for format in ["text", "json", "markdown", "github"] {
        check_every_command(&hostile, format, true);
    }
    check_every_command("\u{1b}[31m\u{9b}2J", "text", false);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_arn_of_a_wrong_account_is_escaped_and_still_names_the_caller() {
    let fixture = Fixture::users(2).listed_with("Developer").start().await;
    let sts = endpoint("::add-mask::\u{1b}[2J\u{202e}", "999999999999");
    let fixture = fixture.env("AWS_ENDPOINT_URL_STS", &sts.url());
    let ran = fixture.run(&["plan"]).await;
    assert_eq!((ran.code, &*ran.out), (1, ""), "{ran}");
    assert!(ran.err.contains("assumed-role/::add-mask::\\u{1b}[2J\\u{202e}/"), "{ran}");
    assert_inert(&ran.err, false, false, "plan");
}

#[tokio::test(flavor = "multi_thread")]
async fn json_has_escapes_that_read_as_the_same_text_and_a_file_can_be_read_again() {
    let fixture = Fixture::users(1).listed_with("Developer").start().await;
    let file = "[users]\n\"a\u{9b}b\u{202e}c##[d\" = false\n";
    std::fs::write(fixture.folder().join("bad.toml"), file).unwrap();
    let ran = fixture
        .env("GITHUB_ACTIONS", "true")
        .run(&["check", "-f", "bad.toml", "--format", "json"])
        .await;
    assert_inert(&ran.out, true, false, "check");
    let document: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let message = document["mistakes"][0]["message"].as_str().unwrap();
    assert!(message.contains("##[d"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_file_in_a_workflow_has_no_command_and_lists_the_same_boundaries() {
    let fixture = Fixture::users(2).start().await;
    for (n, path) in ["##[error]/Developer", "\"##[error]'\\/Developer"].into_iter().enumerate() {
        let arn = format!("arn:aws:iam::123456789012:policy/{path}");
        fixture.sandbox.put_policy(path);
        fixture.sandbox.put_user(&crate::support::fixture::user(n), Some(&arn.parse().unwrap()));
    }
    let fixture = fixture.env("GITHUB_ACTIONS", "true");
    let ran = fixture.run(&["import"]).await;
    assert_eq!(ran.code, 0, "{ran}");
    assert_inert(&ran.out, true, false, "import");
    fixture.write_file(&ran.out);
    let ran = fixture.run(&["plan", "--detailed-exitcode"]).await;
    assert_eq!(ran.code, 0, "{ran}");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn core_dumps_are_off_while_the_tool_has_credentials() {
    let sts = Server::start(|_| Reply::Hang);
    let fixture = Fixture::users(1).listed_with("Developer").start().await;
    let fixture = fixture.env("AWS_ENDPOINT_URL_STS", &sts.url());
    let mut child = fixture.command(&["plan"]).spawn().unwrap();
    while sts.requests().is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "it ended");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let _ = child.kill();
    let _ = child.wait();
    let core: Vec<&str> = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap()
        .split_whitespace()
        .collect();
    assert_eq!(core[4..6], ["0", "0"], "{limits}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn input_typed_before_the_question_is_discarded() {
    use crate::support::terminal::answer;
    for (typed, code, writes) in [("no\n", 1, 0), ("yes\n", 0, 1)] {
        let fixture = Fixture::users(1).listed_with("Developer").start().await;
        let ran = answer(fixture.command(&["apply"]), "yes\nyes\n", "to continue: ", typed).await;
        assert_eq!((ran.code, fixture.writes()), (code, writes), "{typed} {ran}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_without_encryption_is_refused_before_any_call_wherever_it_is_set() {
    let profile = "[profile plain]\nendpoint_url = http://iam.example\n\
                   [profile services]\nservices = s\n[services s]\nsts =\n  endpoint_url = http://sts.example:1\n";
    let url = "http://iam.example:8080/path";
    for (variables, arguments, origin) in [
        (&[][..], &["--endpoint-url", url][..], "http://iam.example:8080 of --endpoint-url"),
        (&[("AWS_ENDPOINT_URL", url)], &[], "http://iam.example:8080 of AWS_ENDPOINT_URL"),
        (&[("AWS_ENDPOINT_URL_IAM", url)], &[], "http://iam.example:8080 of AWS_ENDPOINT_URL_IAM"),
        (
            &[("AWS_ENDPOINT_URL_ORGANIZATIONS", url)],
            &[],
            "http://iam.example:8080 of AWS_ENDPOINT_URL_ORGANIZATIONS",
        ),
        (
            &[("AWS_ENDPOINT_URL_STS", "HTTP://sts.example")],
            &[],
            "http://sts.example of AWS_ENDPOINT_URL_STS",
        ),
        (&[], &["--profile", "plain"], "http://iam.example of profile \"plain\""),
        (&[], &["--profile", "services"], "http://sts.example:1 of profile \"services\""),
    ] {
        let mut binary = Binary::with_own_file()
            .env("AWS_ACCESS_KEY_ID", "any")
            .env("AWS_SECRET_ACCESS_KEY", "any")
            .env("AWS_CONFIG_FILE", "config");
        for (name, value) in variables {
            binary = binary.env(name, value);
        }
        std::fs::write(binary.folder().join("config"), profile).unwrap();
        let ran = binary.run(&[arguments, &["plan"]].concat());
        assert_eq!((ran.code, &*ran.out), (1, ""), "{ran}");
        let message = format!("the endpoint {origin} is not encrypted, and is not on this machine");
        assert!(ran.err.contains(&message), "{message}\n{ran}");
        assert!(ran.err.contains("--allow-http"), "{ran}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_without_encryption_is_used_with_allow_http() {
    // A proxy stands for the network to a host that is not this machine.
    let proxy = crate::support::http::Proxy::start(true);
    let fixture = Fixture::users(1).listed_with("Developer").start().await;
    let mut fixture = fixture.env("HTTP_PROXY", &format!("http://127.0.0.1:{}", proxy.port));
    for variable in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"] {
        fixture = fixture.env(variable, "http://sts.example");
    }
    let ran = fixture.run(&["plan"]).await;
    assert_eq!(ran.code, 1, "{ran}");
    assert!(proxy.requests().is_empty(), "{ran}");
    let ran = fixture.run(&["plan", "--allow-http"]).await;
    assert_eq!(ran.code, 1, "{ran}");
    assert!(!ran.err.contains("not encrypted"), "{ran}");
    assert!(!proxy.requests().is_empty(), "{ran}");
    // On this machine, no option is needed.
    let sandbox = Fixture::users(1).listed_with("Developer").start().await;
    let url = sandbox.sandbox.endpoint_url().replace("127.0.0.1", "localhost");
    let mut command = sandbox.command(&["plan"]);
    command.env("AWS_ENDPOINT_URL", url);
    assert_eq!(run(command).await.code, 0);
}
