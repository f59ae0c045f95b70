//! Roles that need the code of an MFA device.
#![cfg(unix)]

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use iam_boundaries::sandbox::{Fault, Options};
use nix::sys::termios::{LocalFlags, tcgetattr};

use crate::support::Ran;
use crate::support::fixture::{DETAILS, Fixture};
use crate::support::fleet::FleetFixture;
use crate::support::http::{Reply, Server, sts_error, sts_success};

const SERIAL: &str = "arn:aws:iam::123456789012:mfa/alice";
const CODE: &str = "246813";

const CONFIG: &str = "
[profile mfa]
role_arn = arn:aws:iam::123456789012:role/R
source_profile = keys
mfa_serial = arn:aws:iam::123456789012:mfa/alice
duration_seconds = 1800
external_id = external
[profile long]
role_arn = arn:aws:iam::123456789012:role/R
source_profile = keys
duration_seconds = 7200
role_session_name = me
[profile wrong]
role_arn = arn:aws:iam::123456789012:role/R
source_profile = keys
duration_seconds = 1h
[profile keys]
aws_access_key_id = AKIASOURCE
aws_secret_access_key = any
";

async fn fixture(sts: &Server) -> Fixture {
    let fixture = Fixture::users(2).listed_with("Developer").start().await;
    std::fs::write(fixture.folder().join("config"), CONFIG).unwrap();
    fixture.env("AWS_CONFIG_FILE", "config").env("AWS_ENDPOINT_URL_STS", &sts.url())
}

/// Runs a command at a terminal, and types the code when it is asked for and input is hidden.
async fn run_at_terminal(fixture: &Fixture, arguments: &[&str]) -> Ran {
    let pty = nix::pty::openpty(None, None).unwrap();
    let mut command = fixture.command(arguments);
    command.stdin(pty.slave).stdout(Stdio::piped()).stderr(Stdio::piped());
    let run = move || {
        let mut child = command.spawn().unwrap();
        let (mut asked, mut byte) = (Vec::new(), [0]);
        let mut stderr = child.stderr.take().unwrap();
        while !String::from_utf8_lossy(&asked).contains(&format!("MFA code for {SERIAL}: ")) {
            stderr.read_exact(&mut byte).unwrap();
            asked.push(byte[0]);
        }
        let started = Instant::now();
        while tcgetattr(&pty.master).unwrap().local_flags.contains(LocalFlags::ECHO) {
            assert!(started.elapsed() < Duration::from_secs(20), "the code would be shown");
            std::thread::sleep(Duration::from_millis(5));
        }
        let mut terminal = std::fs::File::from(pty.master);
        terminal.write_all(format!("{CODE}\n").as_bytes()).unwrap();
        child.stderr = Some(stderr);
        Ran::of(child.wait_with_output().unwrap())
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_terminal_the_code_is_asked_for_once_and_sent_with_the_serial_number() {
    let sts = Server::start(|request| sts_success(request, 3_600));
    let fixture = fixture(&sts).await;
    let ran = run_at_terminal(&fixture, &["--profile", "mfa", "apply", "--auto-approve"]).await;
    assert_eq!((ran.code, fixture.writes()), (0, 2), "{ran}");
    assert!(!ran.err.contains(CODE) && !ran.out.contains(CODE), "{ran}");
    let requests = sts.requests();
    let assumed: Vec<_> = requests.iter().filter(|it| it.action() == "AssumeRole").collect();
    assert_eq!(assumed.len(), 1);
    for (parameter, value) in [
        ("SerialNumber", SERIAL),
        ("TokenCode", CODE),
        ("DurationSeconds", "1800"),
        ("ExternalId", "external"),
        ("RoleArn", "arn:aws:iam::123456789012:role/R"),
    ] {
        assert_eq!(assumed[0].get(parameter), Some(value), "{parameter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_without_a_response_is_sent_again_and_not_asked_for_again() {
    let sts = Server::start(|request| match (request.action(), request.earlier) {
        ("AssumeRole", 0) => Reply::Close,
        ("AssumeRole", 1) => sts_error(503, "ServiceUnavailable", "try again"),
        _ => sts_success(request, 3_600),
    });
    let fixture = fixture(&sts).await;
    let ran = run_at_terminal(&fixture, &["--profile", "mfa", "plan"]).await;
    assert_eq!(ran.code, 0, "{ran}");
    assert!(!ran.err.contains("MFA code for"), "it is asked again: {ran}");
    let requests = sts.requests();
    let codes: Vec<_> = requests.iter().filter_map(|request| request.get("TokenCode")).collect();
    assert_eq!(codes, [CODE; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_code_is_one_clear_message() {
    let message = "MultiFactorAuthentication failed with invalid MFA one time pass code.";
    let sts = Server::start(move |_| sts_error(403, "AccessDenied", message));
    let fixture = fixture(&sts).await;
    let ran = run_at_terminal(&fixture, &["--profile", "mfa", "plan"]).await;
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.err.contains(&format!("sts:AssumeRole failed: AccessDenied: {message}")), "{ran}");
    assert!(ran.err.contains("the MFA code"), "{ran}");
    assert!(!ran.err.contains("Error {"), "{ran}");
    assert_eq!(sts.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_nothing_is_sent_and_the_message_has_the_remedy() {
    let sts = Server::start(|request| sts_success(request, 3_600));
    let fixture = fixture(&sts).await;
    let ran = fixture.run(&["--profile", "mfa", "plan"]).await;
    assert_eq!((ran.code, &*ran.out), (1, ""), "{ran}");
    for text in [
        "profile \"mfa\" needs the code of an MFA device (mfa_serial), and there is no terminal",
        "`aws configure export-credentials --profile mfa --format env`",
        "without --profile",
    ] {
        assert!(ran.err.contains(text), "{text} {ran}");
    }
    assert!(sts.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_duration_and_the_session_name_of_a_role_are_sent() {
    let sts = Server::start(|request| sts_success(request, 3_600));
    let fixture = fixture(&sts).await;
    let ran = fixture.run(&["--profile", "long", "plan"]).await;
    assert_eq!(ran.code, 0, "{ran}");
    let assumed = &sts.requests()[0];
    assert_eq!(assumed.get("DurationSeconds"), Some("7200"));
    assert_eq!(assumed.get("RoleSessionName"), Some("me"));
    assert_eq!(assumed.get("SerialNumber"), None);
    let ran = fixture.run(&["--profile", "wrong", "plan"]).await;
    assert_eq!(ran.code, 1, "{ran}");
    assert!(
        ran.err.contains("duration_seconds in profile \"wrong\" is not a whole number"),
        "{ran}"
    );
}

/// A fleet of two accounts, each with a profile that needs an MFA code, and one with a role.
/// Sessions last for this number of seconds.
async fn fleet_with_mfa(session: u64) -> FleetFixture {
    let set = |options: &mut Options| options.session_time = Some(Duration::from_secs(session));
    let fleet = FleetFixture::accounts(3).options(set).start().await;
    let mut config =
        "[profile keys]\naws_access_key_id = any\naws_secret_access_key = any\n".to_owned();
    let mut file = "files = [\"baseline.toml\"]\n[accounts]\n".to_owned();
    for n in [0, 1] {
        let id = fleet.id(n);
        file += &format!("acct-{n} = {{ id = \"{id}\", profile = \"mfa-{n}\" }}\n");
        config += &format!(
            "[profile mfa-{n}]\nrole_arn = arn:aws:iam::{id}:role/R\nsource_profile = keys\n\
             mfa_serial = arn:aws:iam::123456789012:mfa/device-{n}\n"
        );
    }
    let id = fleet.id(2);
    file += &format!("acct-2 = {{ id = \"{id}\", assume_role = \"role/iam-boundaries\" }}\n");
    fleet.write("fleet.toml", &file);
    fleet.write("config", &config);
    fleet
}

/// Runs a command whose standard error is the terminal, and types a code at each question. Checks that each question stays
/// on the terminal until it is answered. Returns what the terminal showed, and the number of questions.
pub(crate) fn answer_questions(mut command: Command) -> (Ran, String, usize) {
    let size = nix::pty::Winsize { ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 };
    let pty = nix::pty::openpty(Some(&size), None).unwrap();
    let slave = pty.slave.try_clone().unwrap();
    command.stdin(slave).stdout(Stdio::piped()).stderr(pty.slave).env("TERM", "xterm");
    let mut child = command.spawn().unwrap();
    drop(command);
    let shown = Arc::new(Mutex::new(Vec::new()));
    let mut terminal = std::fs::File::from(pty.master);
    let (mut read, written) = (terminal.try_clone().unwrap(), shown.clone());
    let reader = std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        // The terminal is closed by the end of the process.
        while let Ok(count @ 1..) = read.read(&mut bytes) {
            written.lock().unwrap().extend(&bytes[..count]);
        }
    });
    let text = || String::from_utf8_lossy(&shown.lock().unwrap()).into_owned();
    let (started, mut questions, mut seen) = (Instant::now(), 0, 0);
    while child.try_wait().unwrap().is_none() {
        assert!(started.elapsed() < Duration::from_secs(60), "{:?}", text());
        std::thread::sleep(Duration::from_millis(20));
        if !text()[seen..].contains("MFA code for ") {
            continue;
        }
        questions += 1;
        // Several times as long as the interval at which progress is shown.
        std::thread::sleep(Duration::from_millis(1_500));
        let text = text();
        let (_, question) = text[seen..].split_once("MFA code for ").unwrap();
        let device = question.strip_prefix("arn:aws:iam::123456789012:mfa/device-").unwrap();
        assert!(device.len() == "0: ".len() && device.ends_with(": "), "{:?}", &text[seen..]);
        seen = text.len();
        terminal.write_all(format!("{CODE}\n").as_bytes()).unwrap();
    }
    let ran = Ran::of(child.wait_with_output().unwrap());
    reader.join().unwrap();
    (ran, text(), questions)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_progress_of_a_fleet_does_not_hide_the_question_for_a_code() {
    let fleet = fleet_with_mfa(3_600).await;
    for command in [&["plan"][..], &["apply", "--auto-approve"]] {
        let (ran, shown, asked) = answered(&fleet, command).await;
        // The session of the plan is that of the run, too.
        assert_eq!((ran.code, asked), (0, 2), "{ran} {shown:?}");
        assert!(shown.contains("0/3"), "no progress: {shown:?}");
        assert!(!shown.contains(CODE) && !ran.out.contains(CODE), "{ran} {shown:?}");
    }
}

/// Runs a command on the fleet at a terminal, and answers its questions.
async fn answered(fleet: &FleetFixture, command: &[&str]) -> (Ran, String, usize) {
    let mut command = fleet.command(&[&["--fleet", "fleet.toml"], command].concat());
    command.env("AWS_CONFIG_FILE", "config");
    tokio::task::spawn_blocking(move || answer_questions(command)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_code_is_enough_for_all_accounts_whose_roles_are_assumed_with_the_same_session() {
    let fleet = fleet_with_mfa(3_600).await;
    let id = |n: usize| fleet.id(n);
    let mut config = format!(
        "[profile keys]\naws_access_key_id = any\naws_secret_access_key = any\n\
         [profile hub]\nrole_arn = arn:aws:iam::{}:role/Hub\nsource_profile = keys\n\
         mfa_serial = arn:aws:iam::123456789012:mfa/device-0\n",
        id(0)
    );
    for n in [0, 1] {
        config += &format!(
            "[profile mfa-{n}]\nrole_arn = arn:aws:iam::{}:role/R\nsource_profile = hub\n",
            id(n)
        );
    }
    fleet.write("config", &config);
    let (ran, shown, asked) = answered(&fleet, &["apply", "--auto-approve"]).await;
    assert_eq!((ran.code, asked), (0, 1), "{ran} {shown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_soon_is_not_used_for_a_run_that_begins() {
    // A session is not used in its last 10 seconds, and the plans take longer than the first 10 seconds.
    let fleet = fleet_with_mfa(20).await;
    fleet.inject(2, DETAILS, Fault::Slow(Duration::from_secs(16)));
    let (ran, shown, asked) = answered(&fleet, &["apply", "--auto-approve"]).await;
    assert_eq!((ran.code, asked), (0, 4), "{ran} {shown:?}");
}
