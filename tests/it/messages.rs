//! The messages of failed commands: each says what is wrong, where, and what to do, and all of it is true.

use std::fs;

use crate::support::fixture::{DETAILS, Fixture, PUT, denied, user};
use crate::support::{Binary, Ran};
use iam_boundaries::sandbox::Fault;

const FILE: &str = "[users]\ndana = \"arn:aws:iam::123456789012:policy/Developer\"\n";

/// What a failed command writes, with what differs on each run replaced.
fn shown(binary_folder: &std::path::Path, arguments: &[&str], ran: &Ran) -> String {
    let folder = binary_folder.canonicalize().unwrap();
    let mut text = ran.err.replace(&*folder.to_string_lossy(), "[folder]");
    text = text.replace(&*binary_folder.to_string_lossy(), "[folder]");
    for wrong in ["panicked", "Some(", "Error {", "Os {", "kind:"] {
        assert!(!text.contains(wrong), "{wrong}\n{text}");
    }
    // Paths are long: "No such file" without the file is no message.
    for line in text.lines().filter(|line| line.contains("No such file or directory")) {
        assert!(line.contains('/') || line.contains("."), "{line}");
    }
    assert_ne!(ran.code, 0, "{arguments:?}");
    format!("$ {}\n{text}[{}]\n", arguments.join(" "), ran.code)
}

#[cfg(unix)]
#[test]
fn each_command_that_cannot_begin_says_why() {
    use std::os::unix::fs::symlink;
    let binary = Binary::with_file(FILE);
    let at = |name: &str| binary.folder().join(name);
    let saved = binary.run(&["--sandbox", "plan", "--out", "plan.json"]);
    assert_eq!(saved.code, 0, "{saved}");
    assert!(saved.err.starts_with("plan saved in plan.json, digest sha256:"), "{saved}");
    assert_eq!(
        binary.run(&["--sandbox", "apply", "plan.json", "-y", "--journal", "run.jsonl"]).code,
        0
    );
    let plan = fs::read(at("plan.json")).unwrap();
    let utf_16: Vec<u8> = plan.iter().flat_map(|&byte| [byte, 0]).collect();
    fs::write(at("utf16.json"), [&[0xff, 0xfe][..], &utf_16].concat()).unwrap();
    fs::write(at("bom.json"), [&[0xef, 0xbb, 0xbf][..], &plan].concat()).unwrap();
    fs::write(at("short.json"), &plan[..plan.len() / 2]).unwrap();
    let journal = fs::read(at("run.jsonl")).unwrap();
    fs::write(at("bom.jsonl"), [&[0xef, 0xbb, 0xbf][..], &journal].concat()).unwrap();
    fs::write(at("empty.jsonl"), "").unwrap();
    fs::write(at("other.toml"), "[users]\ndana = false\n").unwrap();
    fs::write(at("notes.txt"), "notes\n").unwrap();
    fs::create_dir(at("directory")).unwrap();
    symlink(at("nowhere"), at("link.jsonl")).unwrap();
    let commands: &[&[&str]] = &[
        &["plan", "-f", "no/such.toml"],
        &["check", "-f", "directory"],
        &["--sandbox", "plan", "--base", "no-such.toml"],
        &["--sandbox", "plan", "--out", "no/such/plan.json"],
        &["--sandbox", "plan", "--out", "directory"],
        &["--sandbox", "plan", "--out", "notes.txt"],
        &["--sandbox", "plan", "--timeout", "10"],
        &["--sandbox", "plan", "--max-changes", "many"],
        &["--sandbox", "plan", "--allow-own-boundary"],
        &["--sandbox", "plan", "--account", "12345"],
        &["--sandbox", "plan", "--account", "999999999999"],
        &["--sandbox", "plan", "--region", "Frankfurt"],
        &["show", "no-such.json"],
        &["show", "directory"],
        &["show", "notes.txt"],
        &["show", "utf16.json"],
        &["show", "bom.json"],
        &["show", "short.json"],
        &["show", "run.jsonl"],
        &["show", "-f", "boundaries.toml", "plan.json"],
        &["--sandbox", "apply", "-f", "other.toml"],
        &["--sandbox", "apply", "--yess"],
        &["--sandbox", "apply", "--strict"],
        &["--sandbox", "apply", "--timeout", "0s", "-y"],
        &["--sandbox", "apply", "-y", "boundaries.toml"],
        &["--sandbox", "apply", "-y", "--journal", "run.jsonl"],
        &["--sandbox", "apply", "-y", "-f", "boundaries.toml", "plan.json"],
        &["--sandbox", "rollback", "no-such.jsonl"],
        &["--sandbox", "rollback", "plan.json"],
        &["--sandbox", "rollback", "notes.txt"],
        &["--sandbox", "rollback", "bom.jsonl"],
        &["--sandbox", "rollback", "empty.jsonl"],
        &["--sandbox", "rollback", "link.jsonl"],
        &["--sandbox", "rollback", "run.jsonl", "--max-removals", "5"],
        &["--sandbox", "rollback", "run.jsonl", "--yes"],
        &["--sandbox", "rollback", "run.jsonl", "-f", "boundaries.toml"],
        &["--sandbox", "import", "--out", "notes.txt"],
        &["--sandbox", "import", "--out", "no/such.toml"],
        &["--sandbox", "import", "--out", "directory", "--force"],
        &["--sandbox", "import", "--force"],
        &["--sandbox", "--profile", "prod", "plan"],
        &["plan"],
        &["--profile", "prod", "plan"],
        &["--endpoint-url", "localhost", "plan"],
    ];
    let said =
        commands.iter().map(|arguments| shown(binary.folder(), arguments, &binary.run(arguments)));
    insta::assert_snapshot!(said.collect::<Vec<_>>().join("\n"));
}

#[cfg(unix)]
#[test]
fn each_state_and_sandbox_file_that_cannot_be_used_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let binary = Binary::with_file(FILE);
    let state = binary.folder().join(".iam-boundaries");
    let apply = ["--sandbox", "apply", "-y"];
    let mut said = Vec::new();
    let mut run = |arguments: &[&str]| {
        said.push(shown(binary.folder(), arguments, &binary.run(arguments)));
    };
    fs::write(&state, "").unwrap();
    run(&apply);
    fs::remove_file(&state).unwrap();
    fs::create_dir(&state).unwrap();
    fs::write(state.join("sandbox.json"), "{}").unwrap();
    run(&["--sandbox", "plan"]);
    fs::remove_file(state.join("sandbox.json")).unwrap();
    fs::create_dir(state.join("sandbox.json")).unwrap();
    run(&["--sandbox", "plan"]);
    fs::remove_dir(state.join("sandbox.json")).unwrap();
    let journal = ["--sandbox", "apply", "-y", "--journal", "no/such/run.jsonl"];
    run(&journal);
    fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();
    run(&journal);
    fs::remove_file(state.join("123456789012/lock")).unwrap();
    fs::create_dir(state.join("123456789012/lock")).unwrap();
    run(&apply);
    insta::assert_snapshot!(said.join("\n"));
}

/// The requests to fail, and the error.
async fn fails(arguments: &[&str], action: &str, fault: Fault) -> String {
    let fixture = Fixture::users(3).listed_with("Developer").start().await;
    fixture.sandbox.faults().add(action, None, 1_000, fault.clone());
    let ran = fixture.run(arguments).await;
    let Fault::Error { status, code, .. } = fault else { unreachable!() };
    let at = format!("{action}: {status} {code}\n");
    at + &without_request_ids(&shown(fixture.folder(), arguments, &ran))
}

/// The text without request IDs, which are random.
fn without_request_ids(text: &str) -> String {
    let mut parts = text.split("(request ID ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once(')').map_or(part, |(_, rest)| rest))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_error_of_aws_has_advice_that_is_true_for_its_operation() {
    let mut said = Vec::new();
    let error = |status, code| Fault::error(status, code, "the message of AWS");
    for (action, status, code) in [
        ("GetCallerIdentity", 403, "AccessDenied"),
        ("GetCallerIdentity", 403, "InvalidClientTokenId"),
        ("GetCallerIdentity", 403, "SignatureDoesNotMatch"),
        ("GetCallerIdentity", 403, "ExpiredToken"),
        ("GetCallerIdentity", 400, "RequestExpired"),
        ("GetCallerIdentity", 403, "MissingAuthenticationToken"),
        ("GetCallerIdentity", 403, "OptInRequired"),
        ("GetAccountSummary", 403, "ExpiredToken"),
        (DETAILS, 400, "ValidationError"),
    ] {
        said.push(fails(&["plan"], action, error(status, code)).await);
    }
    said.push(fails(&["import"], DETAILS, error(403, "InvalidClientTokenId")).await);
    insta::assert_snapshot!(said.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_read_has_no_advice_about_writes() {
    let fixture = Fixture::users(3).listed_with("Developer").start().await;
    for action in [DETAILS, "GetUser", "ListUsers"] {
        fixture.sandbox.faults().add(action, None, 1_000, denied());
    }
    for arguments in [&["plan"][..], &["import"], &["apply", "-y"]] {
        let ran = fixture.run(arguments).await;
        assert_eq!((ran.code, fixture.writes()), (1, 0), "{ran}");
        assert!(ran.err.contains("help: allow iam:"), "{ran}");
        for wrong in ["condition key", "may have", "PermissionsBoundary", "not repeated"] {
            assert!(!ran.err.contains(wrong), "{wrong}: {ran}");
        }
    }
}

#[test]
fn a_file_is_read_from_standard_input() {
    use std::io::Write;
    use std::process::Stdio;
    let binary = Binary::with_file("");
    let run = |arguments: &[&str], text: &str| {
        let mut command = binary.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        Ran::of(child.wait_with_output().unwrap())
    };
    let checked = run(&["check", "-f", "-"], FILE);
    assert!(checked.out.starts_with("No errors: standard input lists 1 user"), "{checked}");
    let wrong = run(&["check", "-f", "-"], "[users]\na = 1\n");
    assert_eq!(wrong.code, 1);
    assert!(wrong.err.contains(" --> standard input:2:5"), "{wrong}");
    let planned = run(&["--sandbox", "plan", "-f", "-"], FILE);
    assert!(planned.out.contains("to match standard input:"), "{planned}");
    // There is nothing left to read a confirmation from.
    let asked = run(&["--sandbox", "apply", "-f", "-"], FILE);
    assert_eq!(asked.code, 1, "{asked}");
    assert!(asked.err.contains("cannot ask for confirmation"), "{asked}");
    let applied = run(&["--sandbox", "apply", "-f", "-", "--yes"], FILE);
    assert_eq!(applied.code, 0, "{applied}");
    assert!(applied.out.contains("1 applied"), "{applied}");
}

#[test]
fn an_annotation_names_each_user_that_cannot_be_planned() {
    let binary = Binary::with_file(include_str!("../../examples/missing-user.toml"));
    let ran = binary.run(&["--sandbox", "apply", "-y", "--format", "github"]);
    assert_eq!(ran.code, 3);
    let annotation =
        "::error file=boundaries.toml,line=16,col=1,title=oliver.brandt%3A cannot be planned::";
    assert!(ran.out.contains(annotation), "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_proposes_the_options_of_apply_and_not_its_own() {
    let fixture = Fixture::users(7).listed_with("Developer").start().await;
    let journal = ["apply", "-y", "--journal", "run.jsonl"];
    assert_eq!(fixture.run(&journal).await.code, 0);
    let rollback = fixture.run(&["rollback", "run.jsonl"]).await;
    let proposal = "help: to override, specify for apply: --max-removals 7\n";
    assert!(rollback.out.contains("apply --auto-approve refuses this plan"), "{rollback}");
    assert!(rollback.out.contains(proposal), "{rollback}");
    fixture.write_file(&format!("[guard]\nprotected = [\"*\"]\n[users]\n{} = false\n", user(0)));
    let plan = fixture.run(&["plan"]).await;
    assert!(plan.out.contains("Guard rail violated; apply refuses this plan"), "{plan}");
    assert!(plan.out.contains("specify for apply: --allow-protected user-0000;"), "{plan}");
}

#[test]
fn help_lists_the_boundaries_file_only_for_commands_that_use_it() {
    let binary = Binary::with_file(FILE);
    for (command, uses_it) in [
        ("check", true),
        ("plan", true),
        ("apply", true),
        ("show", false),
        ("rollback", false),
        ("import", true),
    ] {
        let help = binary.run(&[command, "--help"]).out;
        assert_eq!(help.contains("--file <FILE>"), uses_it, "{command}: {help}");
    }
    // It is accepted before the command, and rejected with the same message.
    let before = binary.run(&["-f", "x", "rollback", "run.jsonl"]).err;
    assert!(before.contains("-f x cannot be used with rollback"), "{before}");
}

#[cfg(unix)]
mod at_a_terminal {
    use std::io::Read;
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    use super::*;
    use crate::support::fixture::lines;
    use crate::support::terminal::answer;

    #[tokio::test(flavor = "multi_thread")]
    async fn apply_does_not_say_that_it_refuses_a_plan_that_it_asks_about() {
        let file = format!("[users]\n{}", lines(7, "false"));
        let fixture = Fixture::users(7).file(&file).start().await;
        (0..7).for_each(|n| fixture.set(n, "Developer"));
        let plan = fixture.run(&["plan"]).await;
        assert!(plan.out.contains("apply --auto-approve refuses this plan"), "{plan}");
        let ran = answer(fixture.command(&["apply"]), "", "to continue: ", "7\n").await;
        assert_eq!((ran.code, fixture.writes()), (0, 7), "{ran}");
        assert!(ran.err.contains("This plan makes 7 changes"), "{ran}");
        assert!(!ran.out.contains("refuse") && !ran.err.contains("refuse"), "{ran}");
    }

    fn interrupt(id: u32) {
        assert!(Command::new("kill").args(["-INT", &id.to_string()]).status().unwrap().success());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_second_interrupt_quits_with_the_path_of_the_journal() {
        let fixture = Fixture::users(3).listed_with("Developer").start().await;
        fixture.sandbox.faults().add(PUT, None, 3, Fault::Slow(Duration::from_secs(600)));
        let journal = fixture.folder().join("run.jsonl");
        let mut command = fixture.command(&[
            "apply",
            "-y",
            "--account",
            "123456789012",
            "--journal",
            "run.jsonl",
        ]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let path = journal.clone();
        let run = move || {
            let started = Instant::now();
            let mut child = command.spawn().unwrap();
            // The header, and one record for each change.
            while fs::read_to_string(&path).unwrap_or_default().lines().count() < 4 {
                assert!(started.elapsed() < Duration::from_secs(60), "no request was sent");
                std::thread::sleep(Duration::from_millis(10));
            }
            interrupt(child.id());
            let mut stderr = child.stderr.take().unwrap();
            let (mut said, mut byte) = (Vec::new(), [0]);
            while !String::from_utf8_lossy(&said)
                .contains("Press Ctrl-C again to quit immediately.\n")
            {
                assert_eq!(stderr.read(&mut byte).unwrap(), 1);
                said.push(byte[0]);
            }
            interrupt(child.id());
            let mut rest = String::new();
            stderr.read_to_string(&mut rest).unwrap();
            (child.wait().unwrap().code(), rest)
        };
        let (code, rest) = tokio::task::spawn_blocking(run).await.unwrap();
        assert_eq!(code, Some(130), "{rest}");
        let path = journal.canonicalize().unwrap();
        assert!(rest.contains("the outcome of requests in flight is unknown"), "{rest}");
        assert!(rest.contains(&format!("journal: {}\n", path.display())), "{rest}");
    }
}
