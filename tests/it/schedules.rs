//! The examples of schedules: lints, least privilege, and their commands run against the sandbox.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use iam_boundaries::iam::Principal;
use serde_json::{Value, json};

use crate::support::fixture::{Fixture, run, user};
use crate::support::tools::{self, program};
use crate::support::{Binary, Ran, plans};

const KUBERNETES: &str = "examples/schedules/kubernetes.yaml";
const SERVICE: &str = include_str!("../../examples/schedules/systemd/iam-boundaries.service");
const CRONTAB: &str = include_str!("../../examples/schedules/crontab");
const FILE: &str = include_str!("../../examples/schedules/boundaries.toml");

#[test]
fn kubernetes_validate_finds_nothing() {
    tools::kubernetes_validate(KUBERNETES);
}

#[test]
fn systemd_analyze_finds_nothing() {
    let Some(mut analyze) = program("systemd-analyze", "apt-get install systemd") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut units = Vec::new();
    for unit in
        ["iam-boundaries.service", "iam-boundaries.timer", "iam-boundaries-failure@.service"]
    {
        let text = fs::read_to_string(Path::new("examples/schedules/systemd").join(unit)).unwrap();
        // The programs are not installed here.
        let text = text.replace("/usr/local/bin/iam-boundaries", "/bin/true");
        let text = text.replace("/usr/local/lib/iam-boundaries/send-failure", "/bin/true");
        let path = folder.path().join(unit);
        fs::write(&path, text).unwrap();
        units.push(path);
    }
    let ran = Ran::of(analyze.args(["--man=no", "verify"]).args(&units).output().unwrap());
    // The units of this machine can have warnings, too.
    let of_ours = |line: &&str| line.contains("iam-boundaries");
    let findings: Vec<&str> = ran.err.lines().filter(of_ours).collect();
    assert_eq!((ran.code, findings), (0, Vec::new()), "{ran}");
    let mut security = Command::new("systemd-analyze");
    security.args(["security", "--offline=true", "--threshold=20", "--no-pager"]).arg(&units[0]);
    let ran = Ran::of(security.output().unwrap());
    assert_eq!(ran.code, 0, "the exposure is above 2.0: {ran}");
}

#[test]
fn the_policies_are_those_that_the_tool_prints_for_the_file() {
    let binary = Binary::with_file(FILE);
    for (command, file) in [("plan", "plan-permissions"), ("apply", "apply-permissions")] {
        let printed = binary.run(&["permissions", command]);
        let path = format!("examples/schedules/policies/{file}.json");
        assert_eq!((printed.code, printed.out), (0, fs::read_to_string(path).unwrap()));
    }
}

#[test]
fn the_policies_of_the_ci_examples_are_those_that_the_tool_prints() {
    let own_file = Binary::with_own_file();
    let no_file = Binary::with_file("");
    fs::remove_file(no_file.folder().join("boundaries.toml")).unwrap();
    let account = ["--account", "123456789012"];
    let of_github = ["permissions", "trust-github", "--repository", "ORG/REPO"];
    let of_gitlab = ["permissions", "trust-gitlab", "--project", "GROUP/PROJECT"];
    let pull_requests = ["--pull-request", "--branch", "main"];
    for (file, printed) in [
        ("plan-permissions", own_file.run(&["permissions", "plan"])),
        ("apply-permissions", own_file.run(&["permissions", "apply"])),
        ("trust-github-plan", no_file.run(&[&of_github[..], &pull_requests, &account].concat())),
        (
            "trust-github-apply",
            no_file.run(&[&of_github[..], &["--environment", "aws"], &account].concat()),
        ),
        (
            "trust-gitlab-apply",
            no_file.run(&[&of_gitlab[..], &["--branch", "main"], &account].concat()),
        ),
    ] {
        let path = format!("examples/ci/policies/{file}.json");
        assert_eq!((printed.code, printed.out), (0, fs::read_to_string(path).unwrap()), "{file}");
    }
    // A role that only reads trusts each branch: merge requests have their own.
    let [plan, apply] = ["plan", "apply"].map(|role| {
        let path = format!("examples/ci/policies/trust-gitlab-{role}.json");
        serde_json::from_str::<Value>(&fs::read_to_string(path).unwrap()).unwrap()
    });
    let condition = |policy: &Value| policy["Statement"][0]["Condition"].clone();
    let subject = condition(&plan)["StringLike"]["gitlab.com:sub"].as_str().unwrap().to_owned();
    let of_main = condition(&apply)["StringEquals"]["gitlab.com:sub"].clone();
    assert_eq!(of_main, subject.replace('*', "main"));
}

#[test]
fn each_trust_policy_lets_one_service_or_one_identity_assume_the_role() {
    for (file, principal) in [
        ("schedules/policies/trust-ec2", json!({ "Service": "ec2.amazonaws.com" })),
        (
            "schedules/policies/trust-eks-pod-identity",
            json!({ "Service": "pods.eks.amazonaws.com" }),
        ),
        ("event-driven/trust", json!({ "Service": "lambda.amazonaws.com" })),
    ] {
        let text = fs::read_to_string(format!("examples/{file}.json")).unwrap();
        let policy: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(policy["Statement"].as_array().unwrap().len(), 1, "{file}");
        assert_eq!(policy["Statement"][0]["Principal"], principal, "{file}");
    }
    // The subject is the service account of the CronJob.
    let text = include_str!("../../examples/schedules/policies/trust-eks.json");
    let policy: Value = serde_json::from_str(text).unwrap();
    let condition = policy["Statement"][0]["Condition"]["StringEquals"].as_object().unwrap();
    let subject = condition.iter().find(|(key, _)| key.ends_with(":sub")).unwrap().1;
    assert_eq!(subject, "system:serviceaccount:default:iam-boundaries");
    let manifests = fs::read_to_string(KUBERNETES).unwrap();
    assert!(manifests.contains("kind: ServiceAccount\nmetadata:\n  name: iam-boundaries\n"));
}

/// The arguments of the tool in each example.
fn commands() -> Vec<(&'static str, Vec<String>)> {
    let after = |text: &str, program: &str| -> Vec<String> {
        let line =
            text.lines().find(|line| line.contains(program) && !line.starts_with('#')).unwrap();
        let arguments = line.split_once(program).unwrap().1;
        arguments.split_whitespace().map(str::to_owned).collect()
    };
    let manifests = fs::read_to_string(KUBERNETES).unwrap();
    let job = manifests.split("---\n").last().unwrap();
    let job: Value = serde_saphyr::from_str(job).unwrap();
    let pod = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    let kubernetes = pod["containers"][0]["args"].as_array().unwrap();
    let kubernetes = kubernetes.iter().map(|it| it.as_str().unwrap().to_owned()).collect();
    vec![
        ("cron", after(CRONTAB, "/usr/local/bin/iam-boundaries")),
        ("systemd", after(SERVICE, "ExecStart=/usr/local/bin/iam-boundaries")),
        ("kubernetes", kubernetes),
    ]
}

#[tokio::test]
async fn each_command_corrects_drift_and_says_nothing_until_something_is_wrong() {
    for (name, arguments) in commands() {
        let fixture = Fixture::users(2).file(FILE).start().await;
        for user in ["alice", "bob"] {
            fixture.sandbox.put_user(&plans::name(user), None);
        }
        fixture.sandbox.put_path(&Principal::user(user(0)), "/contractors/");
        fixture.sandbox.put_policy("Contractor");
        let folder = fixture.folder().display().to_string();
        // The directories that the service manager, or the container, has.
        let arguments: Vec<String> = arguments
            .iter()
            .map(|it| it.replace("/etc/iam-boundaries/boundaries.toml", "boundaries.toml"))
            .map(|it| it.replace("/config/boundaries.toml", "boundaries.toml"))
            .map(|it| it.replace("/var/lib/iam-boundaries", &format!("{folder}/state")))
            .map(|it| it.replace("%S/iam-boundaries", &format!("{folder}/state")))
            .map(|it| it.replace("/state/iam-boundaries", &format!("{folder}/state")))
            .map(|it| it.replace("%C/iam-boundaries", &folder))
            .collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let command = || {
            let mut command = fixture.command(&arguments);
            command.env_remove("HOME");
            command
        };
        let corrected = run(command()).await;
        assert_eq!(
            (corrected.code, &*corrected.out, &*corrected.err),
            (0, "", ""),
            "{name}: {corrected}"
        );
        assert_eq!(fixture.writes(), 3, "{name}");
        let quiet = run(command()).await;
        assert_eq!((quiet.code, &*quiet.out, &*quiet.err), (0, "", ""), "{name}: {quiet}");
        // Someone deletes a user that the file lists.
        fixture.write_file(&FILE.replace("bob", "carol"));
        let loud = run(command()).await;
        let first = loud.out.lines().next().unwrap();
        assert_eq!(loud.code, 3, "{name}: {loud}");
        assert!(first.starts_with("iam-boundaries apply") && first.contains("1 problem"), "{loud}");
    }
}

/// A directory with these programs, which are shell scripts, first on `PATH`.
fn with_programs(folder: &Path, programs: &[(&str, &str)]) -> std::ffi::OsString {
    for (name, script) in programs {
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        assert!(Command::new("chmod").arg("+x").arg(&path).status().unwrap().success());
    }
    let path = std::env::var_os("PATH").unwrap();
    std::env::join_paths([folder.to_owned()].into_iter().chain(std::env::split_paths(&path)))
        .unwrap()
}

#[test]
fn the_message_about_a_failed_service_has_the_first_line_as_its_subject() {
    let folder = tempfile::tempdir().unwrap();
    let mail = "printf '%s\\n' \"$@\" > \"$SENT\"; cat >> \"$SENT\"";
    for (journal, subject, body) in [
        (
            "printf 'iam-boundaries apply: 2 problems\\nthe report\\n'",
            "iam-boundaries apply: 2 problems",
            "the report\n",
        ),
        ("exit 1", "iam-boundaries.service failed without output: timeout", ""),
    ] {
        let path = with_programs(folder.path(), &[("journalctl", journal), ("mail", mail)]);
        let sent = folder.path().join("sent");
        let mut command = Command::new("examples/schedules/systemd/send-failure");
        command.arg("iam-boundaries.service").env("PATH", path).env("SENT", &sent);
        command.env("MONITOR_INVOCATION_ID", "7").env("MONITOR_SERVICE_RESULT", "timeout");
        let ran = Ran::of(command.env("RECIPIENT", "root").output().unwrap());
        assert_eq!(ran.code, 0, "{ran}");
        let text = fs::read_to_string(sent).unwrap();
        assert_eq!(text, format!("-s\n{subject}\nroot\n{subject}\n{body}"));
    }
}

/// Answers one request of a runtime of AWS Lambda, and returns its path and its body.
fn answer(listener: &TcpListener, headers: &str, body: &str) -> (String, String) {
    let (mut stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut sent = vec![0; length];
    reader.read_exact(&mut sent).unwrap();
    let response = format!(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    );
    stream.write_all(response.as_bytes()).unwrap();
    (first.split(' ').nth(1).unwrap().to_owned(), String::from_utf8(sent).unwrap())
}

#[test]
fn the_lambda_runtime_passes_each_event_to_the_script_and_reports_its_result() {
    if program("bash", "apt-get install bash").is_none()
        || program("curl", "apt-get install curl").is_none()
    {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = "grep -q good";
    with_programs(folder.path(), &[("on-create.sh", script)]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = Command::new("examples/event-driven/bootstrap");
    command.env("AWS_LAMBDA_RUNTIME_API", listener.local_addr().unwrap().to_string());
    let mut runtime = command.env("LAMBDA_TASK_ROOT", folder.path()).spawn().unwrap();
    let api = "/2018-06-01/runtime/invocation";
    for (id, event, end) in
        [("1-a", "good", "response"), ("2-b", "bad", "error"), ("3-c", "good", "response")]
    {
        let header = format!("Lambda-Runtime-Aws-Request-Id: {id}\r\n");
        let (path, _) = answer(&listener, &header, event);
        assert_eq!(path, format!("{api}/next"));
        let (path, body) = answer(&listener, "", "");
        assert_eq!(path, format!("{api}/{id}/{end}"));
        let body: Value = serde_json::from_str(&body).unwrap();
        let message = body.get("errorMessage").and_then(Value::as_str);
        assert_eq!(message, (end == "error").then_some("exit code 1: see the log"));
    }
    runtime.kill().unwrap();
    runtime.wait().unwrap();
}
