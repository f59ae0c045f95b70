//! The command line, tested with the binary and the sandbox.

use crate::support::Binary;

/// A file that lists `oliver.brandt`, a user that does not exist in the sandbox.
const MISSING_USER: &str = include_str!("../../examples/missing-user.toml");

#[test]
fn plan_apply_plan_on_the_own_file_ends_in_sync() {
    let binary = Binary::with_own_file();
    let plan = binary.run(&["--sandbox", "plan"]);
    assert_eq!(plan.code, 0, "{plan}");
    insta::assert_snapshot!("plan_of_the_own_file", plan.out);

    let applied = binary.run(&["--sandbox", "apply", "--auto-approve"]);
    assert_eq!(applied.code, 0, "{applied}");
    assert!(applied.out.contains("9 applied, 0 failed, 0 not attempted"), "{applied}");

    let again = binary.run(&["--sandbox", "plan", "--detailed-exitcode"]);
    assert_eq!(again.code, 0, "{again}");
    insta::assert_snapshot!("plan_after_apply", again.out);

    let reset = binary.run(&["sandbox", "reset"]);
    assert_eq!(reset.code, 0, "{reset}");
    assert_eq!(binary.run(&["--sandbox", "plan"]).out, plan.out);
}

#[test]
fn a_missing_user_has_exit_code_3_and_the_other_users_are_changed() {
    let binary = Binary::with_file(MISSING_USER);
    let plan = binary.run(&["--sandbox", "plan"]);
    assert_eq!(plan.code, 3, "{plan}");
    insta::assert_snapshot!("plan_with_a_missing_user", plan.out);

    let applied = binary.run(&["--sandbox", "apply", "--auto-approve"]);
    assert_eq!(applied.code, 3, "{applied}");
    let counts = "1 applied, 0 failed, 0 not attempted, 1 cannot be planned";
    assert!(applied.out.contains(counts), "{applied}");

    let again = binary.run(&["--sandbox", "plan", "--detailed-exitcode"]);
    assert_eq!(again.code, 3, "{again}");
    insta::assert_snapshot!("plan_with_a_missing_user_after_apply", again.out);
}

#[test]
fn a_plan_without_problems_has_exit_code_2_only_when_it_is_asked_for() {
    let binary = Binary::with_file(
        "[users]\ndana = \"arn:aws:iam::123456789012:policy/Developer\"\nlegacy-backup = false\n",
    );
    assert_eq!(binary.run(&["--sandbox", "plan"]).code, 0);
    assert_eq!(binary.run(&["--sandbox", "plan", "--detailed-exitcode"]).code, 2);
    assert_eq!(binary.run(&["--sandbox", "apply", "--auto-approve"]).code, 0);
    let plan = binary.run(&["--sandbox", "plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, 0, "{plan}");
    let in_sync =
        "In sync: all 2 listed users match boundaries.toml (account 123456789012).\nDigest: ";
    assert!(plan.out.starts_with(in_sync), "{plan}");
}

#[test]
fn without_a_terminal_and_without_approval_nothing_is_changed() {
    let binary = Binary::with_own_file();
    let before = binary.run(&["--sandbox", "plan"]).out;
    let applied = binary.run(&["--sandbox", "apply"]);
    assert_eq!(applied.code, 1, "{applied}");
    assert!(applied.err.contains("--auto-approve"), "{applied}");
    assert_eq!(binary.run(&["--sandbox", "plan"]).out, before);
}

#[test]
fn apply_writes_one_json_object_for_each_item_and_a_closing_summary() {
    let lines_of = |binary: Binary| {
        binary.run(&["--sandbox", "apply", "--auto-approve", "--format", "json"]).json_lines()
    };
    let count = |lines: &[serde_json::Value], kind: &str| {
        lines.iter().filter(|line| line["type"] == kind).count()
    };
    let lines = lines_of(Binary::with_file(MISSING_USER));
    let counts = ["item", "problem", "summary"].map(|kind| count(&lines, kind));
    assert_eq!(counts, [1, 1, 1], "{lines:?}");

    let lines = lines_of(Binary::with_own_file());
    let counts = ["item", "problem", "summary"].map(|kind| count(&lines, kind));
    assert_eq!(counts, [9, 0, 1], "{lines:?}");
    let summary = lines.last().unwrap();
    assert_eq!(summary["type"], "summary");
    assert_eq!(summary["applied"], 9);
    assert_eq!(summary["calls"], 9);
    assert_eq!(summary["throttled_calls"], 0);
    assert!(summary["seconds"].is_f64(), "{summary}");
}

#[test]
fn plan_writes_one_json_document_always_the_same() {
    let binary = Binary::with_own_file();
    let plan = binary.run(&["--sandbox", "plan", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&plan.out).unwrap();
    assert_eq!(document["summary"]["add"], 4);
    assert_eq!(document["changes"].as_array().unwrap().len(), 9);
    assert_eq!(document["problems"], serde_json::json!([]));
    assert_eq!(binary.run(&["--sandbox", "plan", "--format", "json"]).out, plan.out);
}

#[test]
fn check_shows_every_mistake_and_needs_no_account() {
    let checked = Binary::with_file("[users]\nalice = 1\nbob = \"dev\"\n").run(&["check"]);
    assert_eq!(checked.code, 1);
    assert!(checked.err.contains("boundaries.toml:2:9"), "{checked}");
    assert!(checked.err.contains("boundaries.toml:3:7"), "{checked}");
    assert!(checked.err.ends_with("2 errors in boundaries.toml\n"), "{checked}");
    assert_eq!(Binary::with_own_file().run(&["check"]).code, 0);
}

#[test]
fn bad_usage_has_exit_code_1() {
    let binary = Binary::with_own_file();
    for arguments in [
        &["plam"][..],
        &["plan", "--nonsense"],
        &["apply", "--concurrency", "0"],
        &["apply", "--max-rate", "0"],
        &["--sandbox", "--profile", "x", "plan"],
        &["--endpoint-url", "localhost", "plan"],
        &[],
    ] {
        assert_eq!(binary.run(arguments).code, 1, "{arguments:?}");
    }
    assert_eq!(binary.run(&["--help"]).code, 0);
    assert_eq!(binary.run(&["--version"]).code, 0);
}

#[test]
fn each_bad_option_of_the_sandbox_is_one_clear_message() {
    let binary = Binary::with_own_file();
    for (arguments, message) in [
        (&["--rate", "0"][..], "'0' for '--rate <[ACTION=]R>': a rate is a number of calls"),
        (&["--rate", "GetUser=fast"], "a rate is a number of calls per second from 0.001 to"),
        (
            &["--rate", "PutUser=5"],
            "unknown action `PutUser`; the most similar actions of the sandbox are PutUserPolicy, PutUserPermissionsBoundary, ",
        ),
        (&["--rate", "5", "--burst", "0.5"], "a burst is a number of calls from 1 to 1000000"),
        (&["--rate", "5", "--burst", "inf"], "a burst is a number of calls from 1 to 1000000"),
        (&["--rate", "5", "--rate-change", "30"], "a rate change is R@SECONDS, such as 5@30"),
        (&["--rate", "5", "--rate-change", "0@30"], "a rate is a number of calls per second"),
        (&["--rate", "5", "--competitor", "9@4-8"], "a competitor is R, R@FROM or R@FROM..UNTIL"),
        (&["--rate", "5", "--competitor", "9@8..4"], "a competitor must end after it begins"),
        (&["--burst", "5"], "--rate <[ACTION=]R>"),
        (&["--rate", "5", "--rate", "6"], "error: --rate is specified twice for all actions"),
        (
            &["--rate", "5", "--burst", "GetUser=6", "--burst", "GetUser=7"],
            "error: --burst is specified twice for GetUser",
        ),
        (
            &["--rate", "5", "--rate-change", "5@30", "--rate-change", "6@30"],
            "error: --rate-change is specified twice for all actions at 30 seconds",
        ),
        (
            &["--rate", "GetUser=5", "--burst", "ListUsers=6"],
            "error: an option names ListUsers, but no --rate applies to it\nhelp: specify its rate, as in",
        ),
        (
            &["--rate", "5", "--limit-model", "bucket"],
            "a limit model is per-second[@PHASE], continuous, fixed-window[:SECONDS][@PHASE] or",
        ),
        (&["--rate", "5", "--limit-model", "continuous:5"], "a limit model is per-second[@PHASE]"),
        (
            &["--rate", "5", "--limit-model", "fixed-window:0"],
            "a window has from 0.1 to 60 seconds, as in fixed-window:5",
        ),
        (&["--rate", "5", "--limit-model", "per-second@2"], "a phase is at most one period"),
        (&["--limit-model", "continuous"], "--rate <[ACTION=]R>"),
        (
            &["--rate", "5", "--limit-model", "fixed-window", "--burst", "9"],
            "error: --burst is specified for all actions, but the limit model is a window\nhelp: remove --burst",
        ),
        (
            &["--rate", "5", "--limit-model", "fixed-window", "--burst", "writes=9"],
            "error: --burst is specified for writes, but the limit model is a window",
        ),
        (
            &["--rate", "0.4", "--limit-model", "sliding-window:2"],
            "error: a 2-second window accepts no call at the rate 0.4 for all actions\nhelp: specify",
        ),
        (
            &["--rate", "5", "--limit-model", "fixed-window", "--rate-change", "0.5@9"],
            "error: a 1-second window accepts no call at the rate 0.5 for all actions",
        ),
        (&["--rate", "Writes=5"], "GetUser, ListRoles; `writes` stands for all writes together"),
        (
            &["--competitor", "writes=5", "--rate", "GetUser=5"],
            "specify its rate, as in --rate writes=20",
        ),
        (&["--rate", "5", "--throttle-all", "30"], "a time span is FROM..UNTIL, such as 30..40"),
        (&["--rate", "5", "--throttle-all", "9..8"], "a time span must end after it begins"),
        (&["--throttle-all", "1..2"], "--rate <[ACTION=]R>"),
        (&["--latency", "5", "--latency-spread", "9"], "a latency spread is a number from 0 to 2"),
        (&["--latency-spread", "0.6"], "--latency <MS>"),
        (&["--chaos-kinds", "slow"], "--chaos <SEED>"),
        (&["--chaos", "1", "--chaos-kinds", "slow,cut"], "'cut' for '--chaos-kinds <KIND>'"),
        (&["--chaos", "1", "--chaos-share", "10"], "a share is a percentage from 0% to 100%"),
    ] {
        let serve = binary.run(&[&["sandbox", "serve", "--port", "0"], arguments].concat());
        assert_eq!((serve.code, serve.out.as_str()), (1, ""), "{arguments:?}: {serve}");
        assert!(serve.err.contains(message), "{arguments:?}: {serve}");
    }
}

#[cfg(unix)]
#[test]
fn a_sandbox_that_is_interrupted_says_which_calls_came_and_which_it_throttled() {
    use std::io::{Read, Write};

    let served = crate::support::serve(&["--port", "0", "--rate", "0.001", "--burst", "GetUser=2"]);
    let address = served.url.strip_prefix("http://").unwrap();
    for action in ["GetUser", "GetUser", "GetUser", "GetUser", "GetUser", "GetAccountSummary"] {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let form = format!("Action={action}");
        write!(
            stream,
            "POST / HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\nAuthorization: Credential=any/\r\n\
             Content-Length: {}\r\n\r\n{form}",
            form.len()
        )
        .unwrap();
        stream.read_to_string(&mut String::new()).unwrap();
    }
    let said = served.interrupt();
    insta::assert_snapshot!("calls_of_a_served_sandbox", said.split_once('\n').unwrap().1);
}

#[test]
fn a_served_sandbox_goes_wrong_as_it_is_told() {
    let served = crate::support::serve(&[
        "--port",
        "0",
        "--chaos",
        "1",
        "--chaos-kinds",
        "user-deleted",
        "--chaos-share",
        "100%",
    ]);
    let binary = Binary::with_own_file()
        .env("AWS_ACCESS_KEY_ID", "any")
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .env("AWS_ENDPOINT_URL", &served.url);
    let applied = binary.run(&["apply", "--auto-approve", "--format", "json"]);
    assert_eq!(applied.code, 3, "{applied}");
    let lines = applied.json_lines();
    let items: Vec<_> = lines.iter().filter(|line| line["type"] == "item").collect();
    assert!(!items.is_empty(), "{applied}");
    assert!(items.iter().all(|item| item["error"]["code"] == "NoSuchEntity"), "{applied}");
}

#[test]
fn another_account_than_the_files_stops_the_run_before_anything_else() {
    let served = crate::support::serve(&["--port", "0"]);
    let binary = Binary::with_own_file()
        .env("AWS_ACCESS_KEY_ID", "999999999999")
        .env("AWS_SECRET_ACCESS_KEY", "marked-secret-key")
        .env("AWS_ENDPOINT_URL_IAM", &served.url)
        .env("AWS_ENDPOINT_URL_STS", &served.url);
    for verbosity in ["-v", "-vv"] {
        let plan = binary.run(&[verbosity, "plan"]);
        assert_eq!(plan.code, 1, "{plan}");
        assert!(plan.err.contains("wrong account: boundaries.toml:5:6"), "{plan}");
        assert!(!plan.to_string().contains("marked-secret-key"), "{plan}");
    }
}

#[test]
fn no_credentials_at_all_is_one_clear_message() {
    let plan = Binary::with_own_file().run(&["plan"]);
    assert_eq!((plan.code, plan.out.as_str()), (1, ""));
    assert!(plan.err.starts_with("error: no AWS credentials found"), "{plan}");
    assert!(plan.err.contains("--sandbox"), "{plan}");
}

#[test]
fn a_profile_that_is_not_there_is_named() {
    let plan = Binary::with_own_file().run(&["--profile", "nope", "plan"]);
    assert_eq!(plan.code, 1);
    assert!(plan.err.contains("nope"), "{plan}");
}

/// A file that changes 50 of the 400 users in a sandbox.
fn fifty_changes() -> Binary {
    let users: String = (0..400)
        .step_by(8)
        .map(|n| format!("user-{n:05} = \"arn:aws:iam::aws:policy/ReadOnlyAccess\"\n"))
        .collect();
    Binary::with_file(&format!("[account]\nid = \"123456789012\"\n[users]\n{users}"))
        .env("AWS_ACCESS_KEY_ID", "any")
        .env("AWS_SECRET_ACCESS_KEY", "any")
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_finishes_what_is_under_way_and_accounts_for_the_rest() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::Stdio;

    let served = crate::support::serve(&["--port", "0", "--users", "400", "--latency", "20"]);
    let binary = fifty_changes();
    let arguments = ["--endpoint-url", &served.url, "apply", "--auto-approve"];
    let mut run = binary
        .command(&arguments)
        .args(["--max-rate", "5"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(run.stdout.take().unwrap());
    let mut written = String::new();
    while !written.contains("\napplied ") {
        assert!(out.read_line(&mut written).unwrap() > 0, "{written}");
    }
    let killed =
        std::process::Command::new("kill").args(["-TERM", &run.id().to_string()]).status().unwrap();
    assert!(killed.success());
    out.read_to_string(&mut written).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(130), "{written}");

    let applied = written.matches("\napplied ").count();
    let rest = 50 - applied;
    assert!(rest >= 1, "{written}");
    let (_, not_attempted) = written.split_once("\nNot attempted: ").unwrap();
    assert!(not_attempted.starts_with(&format!("{rest} users\n")));
    assert!(not_attempted.contains("\n  the run was interrupted\n"), "{written}");
    assert_eq!(not_attempted.matches("user-").count(), rest, "{written}");
    // An interrupted run does not wait for verification.
    let counts = format!(
        "Incomplete: {applied} applied, 0 failed, {rest} not attempted, {applied} not verified; \
         {applied} call"
    );
    assert!(written.contains(&counts), "{written}");
}

#[test]
fn the_example_files_really_run() {
    for text in [
        include_str!("../../examples/smallest.toml"),
        include_str!("../../examples/offboarding.toml"),
    ] {
        let binary = Binary::with_file(text);
        let applied = binary.run(&["--sandbox", "apply", "--auto-approve"]);
        assert_eq!(applied.code, 0, "{applied}");
        assert_eq!(binary.run(&["--sandbox", "plan", "--detailed-exitcode"]).code, 0);
    }
}

#[test]
fn the_example_files_with_rules_and_layers_really_run() {
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let path = |name: &str| examples.join(name).to_str().unwrap().to_owned();
    for (files, changes) in [
        (vec!["rules.toml"], 7),
        (vec!["exceptions.toml"], 2),
        (vec!["layers/baseline.toml", "layers/payments.toml"], 5),
    ] {
        let binary = Binary::with_own_file();
        let files: Vec<String> = files.into_iter().map(path).collect();
        let layers: Vec<&str> = files.iter().flat_map(|file| ["-f", file.as_str()]).collect();
        let run =
            |arguments: &[&str]| binary.run(&[&["--sandbox"], &layers[..], arguments].concat());
        let applied = run(&["apply", "--auto-approve"]);
        assert_eq!(applied.code, 0, "{applied}");
        assert!(applied.out.contains(&format!("{changes} applied, 0 failed")), "{applied}");
        assert_eq!(run(&["plan", "--detailed-exitcode"]).code, 0);
    }
}

#[test]
fn when_the_time_is_over_the_rest_is_not_attempted_and_the_run_is_no_success() {
    let served = crate::support::serve(&["--port", "0", "--users", "400", "--latency", "20"]);
    let binary = fifty_changes();
    let at = ["--endpoint-url", &served.url];
    let apply =
        ["apply", "--auto-approve", "--format", "json", "--max-rate", "5", "--timeout", "2s"];
    let applied = binary.run(&[&at[..], &apply].concat());
    assert_eq!(applied.code, 3, "{applied}");
    let summary = applied.json_lines().pop().unwrap();
    assert_eq!(summary["stopped_by"], "deadline", "{applied}");
    assert_eq!(summary["failed"], 0, "{applied}");
    let (done, left) = (&summary["applied"], &summary["not_attempted"]);
    assert_eq!(done.as_u64().unwrap() + left.as_u64().unwrap(), 50, "{applied}");
    assert!(left.as_u64().unwrap() > 0, "{applied}");
    for (bad, message) in [
        ("0s", "the duration must be longer than zero"),
        ("5", "a duration is a number with a unit, such as 90s, 10m or 1h30m"),
        ("-1s", "a duration is a number with a unit, such as 90s, 10m or 1h30m"),
        ("soon", "a duration is a number with a unit, such as 90s, 10m or 1h30m"),
        ("10M", "a duration is at most 7 days"),
    ] {
        let refused = binary.run(&["plan", &format!("--timeout={bad}")]);
        assert_eq!(refused.code, 1, "{refused}");
        let message = format!("invalid value '{bad}' for '--timeout <TIME>': {message}");
        assert!(refused.err.contains(&message), "{refused}");
    }
    assert_eq!(binary.run(&["--sandbox", "plan", "--timeout", "1h30m"]).code, 3);
}

/// The standard error of `check` for a file with an error. Standard error is a pipe or a terminal.
#[cfg(unix)]
fn checked(color: Option<&str>, variables: &[(&str, &str)], on_terminal: bool) -> String {
    use std::io::Read;

    let mut binary = Binary::with_file("[users]\nalice = 1\n");
    for (name, value) in variables {
        binary = binary.env(name, value);
    }
    let color = color.map(|when| format!("--color={when}"));
    let arguments: Vec<_> = color.as_deref().into_iter().chain(["check"]).collect();
    if !on_terminal {
        return binary.run(&arguments).err;
    }
    let pty = nix::pty::openpty(None, None).unwrap();
    let mut command = binary.command(&arguments);
    let mut child = command.stderr(pty.slave).spawn().unwrap();
    // `command` keeps the terminal open.
    drop(command);
    let mut shown = Vec::new();
    // On Linux, reading fails after the last writer closes the terminal.
    let _ = std::fs::File::from(pty.master).read_to_end(&mut shown);
    child.wait().unwrap();
    String::from_utf8(shown).unwrap()
}

#[cfg(unix)]
#[test]
fn the_color_option_wins_over_the_environment_and_the_environment_over_the_terminal() {
    let xterm = ("TERM", "xterm-256color");
    let force = ("CLICOLOR_FORCE", "1");
    for (color, variables, in_pipe, on_terminal) in [
        (None, &[xterm][..], false, true),
        (None, &[], false, false),
        (None, &[("TERM", "dumb")], false, false),
        (None, &[xterm, ("NO_COLOR", "1")], false, false),
        (None, &[xterm, ("NO_COLOR", "")], false, true),
        (None, &[xterm, ("CLICOLOR", "0")], false, false),
        (None, &[xterm, ("CLICOLOR", "1")], false, true),
        (None, &[("TERM", "dumb"), ("CLICOLOR", "1")], false, true),
        (None, &[force], true, true),
        (None, &[("CLICOLOR_FORCE", "")], false, false),
        (None, &[("TERM", "dumb"), force], true, true),
        (None, &[force, ("CLICOLOR", "0")], true, true),
        (None, &[force, ("NO_COLOR", "1")], false, false),
        (Some("auto"), &[xterm], false, true),
        (Some("auto"), &[force], true, true),
        (Some("always"), &[("TERM", "dumb"), ("NO_COLOR", "1"), ("CLICOLOR", "0")], true, true),
        (Some("never"), &[xterm, force], false, false),
    ] {
        for (is_terminal, expected) in [(false, in_pipe), (true, on_terminal)] {
            let shown = checked(color, variables, is_terminal);
            assert!(shown.contains("boundaries.toml"), "{color:?} {variables:?}: {shown}");
            let is_colored = shown.contains('\u{1b}');
            assert_eq!(is_colored, expected, "{color:?} {variables:?} {is_terminal}: {shown}");
        }
    }
}

#[test]
fn an_account_that_is_not_read_in_time_is_one_clear_message() {
    let served = crate::support::serve(&["--port", "0", "--users", "10", "--latency", "30000"]);
    let binary = Binary::with_file("[users]\nx = false\n")
        .env("AWS_ACCESS_KEY_ID", "any")
        .env("AWS_SECRET_ACCESS_KEY", "any");
    let plan = binary.run(&["--endpoint-url", &served.url, "plan", "--timeout", "1s"]);
    assert_eq!((plan.code, plan.out.as_str()), (1, ""), "{plan}");
    assert!(plan.err.contains("the account was not read within the time limit"), "{plan}");
}
