//! The CI examples: lints, least privilege, and their scripts run against the sandbox with stubs of the
//! GitHub and GitLab clients.

use serde_json::{Value, json};

use crate::forge::{Forge, GITHUB, GITLAB, Job, yaml};
use crate::support::tools::{self, lint, program};

#[test]
fn actionlint_finds_nothing() {
    tools::actionlint(GITHUB);
}

#[test]
fn zizmor_finds_nothing() {
    tools::zizmor(GITHUB);
}

#[test]
fn check_jsonschema_finds_nothing() {
    tools::check_pipeline(GITLAB);
}

#[test]
fn taplo_finds_nothing() {
    let options = ["check", "boundaries.toml", "examples/smallest.toml"];
    lint(program("taplo", "npm install @taplo/cli"), &options);
}

#[test]
fn shellcheck_finds_nothing_in_any_script() {
    let github = steps().into_iter().map(|step| step["run"].clone());
    let gitlab = yaml(GITLAB);
    let jobs =
        [".aws", "plan", "comment", "apply", "drift", "drift-issue"].map(|job| gitlab[job].clone());
    let lines = jobs.iter().flat_map(|job| [&job["before_script"], &job["script"]]);
    let gitlab = lines.flat_map(|lines| lines.as_array().into_iter().flatten().cloned());
    let scripts: Vec<Value> = github.chain(gitlab).filter(Value::is_string).collect();
    assert_eq!(scripts.len(), 16);
    let folder = tempfile::tempdir().unwrap();
    let mut files: Vec<String> = [
        ".ci/run",
        "examples/event-driven/bootstrap",
        "examples/event-driven/on-create.sh",
        "examples/schedules/systemd/send-failure",
        "fuzz/run",
        "release/archive",
        "release/check",
        "tests/ci/curl",
        "tests/ci/gh",
        "tests/ci/linters",
        "tests/localstack/start",
    ]
    .map(str::to_owned)
    .into();
    for (n, script) in scripts.iter().enumerate() {
        let file = folder.path().join(format!("{n}.bash"));
        let script = script.as_str().expect("a script is text");
        std::fs::write(&file, format!("#!/usr/bin/env bash\nset -eo pipefail\n{script}\n"))
            .unwrap();
        files.push(file.display().to_string());
    }
    tools::shellcheck(&files);
}

#[test]
fn each_github_job_has_the_permissions_that_it_needs_and_no_other() {
    let workflow = yaml(GITHUB);
    let mut granted = json!({ "": workflow["permissions"] });
    for (name, job) in workflow["jobs"].as_object().expect("there are jobs") {
        granted[name] = job["permissions"].clone();
    }
    let expected = json!({
        "": {},
        "plan": { "contents": "read", "id-token": "write" },
        "comment": { "pull-requests": "write" },
        "apply": {
            "actions": "read",
            "contents": "read",
            "id-token": "write",
            "pull-requests": "read",
        },
        "drift": { "contents": "read", "id-token": "write" },
        "drift-issue": { "issues": "write" },
    });
    assert_eq!(granted, expected);
    // This trigger exposes the secrets of the repository to code from a fork.
    assert!(workflow["on"]["pull_request_target"].is_null());
    for (job, role) in [("plan", "PLAN"), ("apply", "APPLY"), ("drift", "PLAN")] {
        let job = workflow["jobs"][job].to_string();
        assert!(job.contains(&format!("${{{{ vars.{role}_ROLE_ARN }}}}")), "{job}");
    }
    assert_eq!(workflow["jobs"]["apply"]["environment"], "aws");
}

/// Every step of every GitHub job.
fn steps() -> Vec<Value> {
    let workflow = yaml(GITHUB);
    let jobs = workflow["jobs"].as_object().expect("there are jobs").values();
    jobs.flat_map(|job| job["steps"].as_array().expect("there are steps").clone()).collect()
}

#[test]
fn no_github_script_has_an_expression_in_it() {
    let scripts: Vec<Value> =
        steps().into_iter().map(|step| step["run"].clone()).filter(Value::is_string).collect();
    assert_eq!(scripts.len(), 10);
    let with = scripts.iter().find(|script| script.to_string().contains("${{"));
    assert_eq!(with, None);
}

#[test]
fn every_github_action_is_pinned_and_no_checkout_persists_a_token() {
    let uses: Vec<String> =
        steps().iter().filter_map(|step| step["uses"].as_str().map(str::to_owned)).collect();
    assert_eq!(uses.len(), 14, "{uses:?}");
    let is_pinned = |uses: &String| {
        uses.split_once('@').is_some_and(|(_, commit)| {
            commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit())
        })
    };
    assert!(uses.iter().all(is_pinned), "{uses:?}");
    for step in steps().iter().filter(|step| step.to_string().contains("/checkout@")) {
        assert_eq!(step["with"]["persist-credentials"], json!(false), "{step}");
    }
}

#[test]
fn only_the_gitlab_job_apply_has_both_aws_and_a_token_to_write_notes() {
    let pipeline = yaml(GITLAB);
    for job in ["plan", "comment", "apply", "drift", "drift-issue"] {
        let text = pipeline[job].to_string();
        let (has_aws, writes) = (pipeline[job]["extends"] == ".aws", ["comment", "drift-issue"]);
        assert_eq!(has_aws, !writes.contains(&job), "{text}");
        let has_token = job == "apply" || writes.contains(&job);
        assert_eq!(text.contains("NOTES_TOKEN"), has_token, "{text}");
        assert_eq!(text.contains("APPLY_ROLE_ARN"), job == "apply", "{text}");
    }
}

/// A file whose users all exist in the sandbox.
const SOUND_FILE: &str = include_str!("../../boundaries.toml");

/// A file with a user that the sandbox does not have.
const MISSING_USER: &str = include_str!("../../examples/missing-user.toml");

/// Generates a test for each function on each forge.
macro_rules! on_each_forge {
    ($($test:ident)*) => {
        on_each_forge!(github: $($test)*);
        on_each_forge!(gitlab: $($test)*);
    };
    ($forge:ident: $($test:ident)*) => {
        mod $forge {
            $(
                #[test]
                fn $test() {
                    if let Some(forge) = crate::forge::Forge::start(stringify!($forge)) {
                        super::$test(&forge);
                    }
                }
            )*
        }
    };
}

on_each_forge! {
    a_reviewed_plan_is_applied_on_merge
    a_new_plan_updates_the_comment_in_place
    a_plan_with_problems_is_shown_and_fails
    nothing_is_applied_without_the_reviewed_plan
    a_user_changed_since_the_review_is_not_written_and_fails_the_job
    drift_fails_the_scheduled_job
    one_issue_is_opened_updated_and_closed_by_the_scheduled_jobs
}

fn a_reviewed_plan_is_applied_on_merge(forge: &Forge) {
    forge.propose(SOUND_FILE);
    forge.run(Job::Plan).ends(0);
    // A comment by another user cannot specify the reviewed plan.
    forge.comment_of_someone_else(&format!("Look:\nDigest: `sha256:{}`", "0".repeat(64)));
    forge.run(Job::Comment).ends(0);
    let comments = forge.comments();
    assert_eq!(comments.len(), 2, "{comments:?}");
    assert!(comments[1].contains("emeka") && comments[1].contains(&forge.digest()), "{comments:?}");

    forge.merge();
    let applied = forge.run(Job::Apply).ends(0);
    assert!(applied.out.contains("9 applied, 0 failed"), "{applied}");
    forge.run(Job::Drift).ends(0);
}

fn a_new_plan_updates_the_comment_in_place(forge: &Forge) {
    forge.propose(SOUND_FILE);
    forge.run(Job::Plan).ends(0);
    // A comment by another user is not updated, even if it contains the marker.
    let marker = forge.marker();
    forge.comment_of_someone_else(&marker);
    forge.run(Job::Comment).ends(0);
    let first = forge.digest();
    forge.propose(&SOUND_FILE.replace("emeka = \"developer\"", "emeka = \"contractor\""));
    forge.run(Job::Plan).ends(0);
    forge.run(Job::Comment).ends(0);
    let comments = forge.comments();
    assert!(comments.len() == 2 && comments[0] == marker, "{comments:?}");
    assert_ne!(first, forge.digest());
    let comment = &comments[1];
    assert!(comment.contains(&forge.digest()), "{comment}");
    assert!(!comment.contains(&first) && !comment.contains("emeka"), "{comment}");
}

fn a_plan_with_problems_is_shown_and_fails(forge: &Forge) {
    forge.propose(MISSING_USER);
    forge.run(Job::Plan).ends(3);
    forge.run(Job::Comment).ends(0);
    let comments = forge.comments();
    assert!(comments.len() == 1 && comments[0].contains("oliver.brandt"), "{comments:?}");
}

fn nothing_is_applied_without_the_reviewed_plan(forge: &Forge) {
    forge.propose(SOUND_FILE);
    forge.run(Job::Plan).ends(0);
    forge.run(Job::Comment).ends(0);
    let before = forge.live_plan()["changes"].clone();
    let assert_refused = |reason: &str| {
        let ran = forge.run(Job::Apply).ends(1);
        assert!(ran.out.contains(reason) && ran.out.contains("othing was applied"), "{ran}");
        assert_eq!(forge.live_plan()["changes"], before);
    };
    assert_refused("does not belong to");

    forge.merge();
    forge.write("boundaries.toml", &SOUND_FILE.replace("[users]", "[users] # and someone's line"));
    assert_refused("is not the file that");

    forge.write("boundaries.toml", SOUND_FILE);
    let artifact = forge.remove_artifact();
    assert_refused("expired");
    let forged = artifact.replace("emeka", "fatima");
    assert_ne!(forged, artifact);
    forge.put_artifact(&forged);
    // The digest in the plan is still the reviewed digest. The tool detects the change.
    let ran = forge.run(Job::Apply).ends(1);
    assert!(ran.err.contains("digest"), "{ran}");
    assert_eq!(forge.live_plan()["changes"], before);
    let mut other: Value = serde_json::from_str(&artifact).unwrap();
    other["digest"] = json!(format!("sha256:{}", "0".repeat(64)));
    forge.put_artifact(&other.to_string());
    assert_refused("is not the one that");
}

fn a_user_changed_since_the_review_is_not_written_and_fails_the_job(forge: &Forge) {
    forge.propose(SOUND_FILE);
    forge.run(Job::Plan).ends(0);
    forge.run(Job::Comment).ends(0);
    forge.merge();
    forge.change_boundary("dana", "arn:aws:iam::aws:policy/ReadOnlyAccess");
    let ran = forge.run(Job::Apply).ends(3);
    assert!(ran.to_string().contains("dana"), "{ran}");
    let left = forge.live_plan();
    assert!(left["summary"]["change"] == 1 && left["summary"]["add"] == 0, "{left}");
}

fn drift_fails_the_scheduled_job(forge: &Forge) {
    forge.propose(SOUND_FILE);
    forge.run(Job::Drift).ends(2);
    // There are changes, and a user is missing.
    forge.propose(MISSING_USER);
    forge.run(Job::Drift).ends(5);
}

fn one_issue_is_opened_updated_and_closed_by_the_scheduled_jobs(forge: &Forge) {
    let compare = |file: &str, code: i32| {
        forge.propose(file);
        forge.run(Job::Drift).ends(code);
        forge.run(Job::DriftIssue).ends(0);
        forge.issues()
    };
    let listed = |policy: &str| {
        let arn = format!("arn:aws:iam::123456789012:policy/{policy}");
        format!("[account]\nid = \"123456789012\"\n[users]\nalice = \"{arn}\"\n")
    };
    // Alice has this boundary.
    assert_eq!(compare(&listed("Developer"), 0), []);
    let opened = compare(SOUND_FILE, 2);
    let [issue] = &opened[..] else { panic!("{opened:?}") };
    assert!(
        issue.is_open && issue.title == "iam-boundaries plan: 9 changes in account 123456789012",
        "{issue:?}"
    );
    assert!(
        issue.body.starts_with("<!-- iam-boundaries plan -->\n")
            && issue.body.contains("`john.doe`")
    );
    assert!(issue.body.trim_end().ends_with("/99"), "the body ends with the run: {issue:?}");

    let updated = compare(&listed("Contractor"), 2);
    let [issue] = &updated[..] else { panic!("{updated:?}") };
    assert_eq!(issue.title, "iam-boundaries plan: 1 change in account 123456789012");
    assert!(issue.is_open && !issue.body.contains("`john.doe`"), "{issue:?}");

    // The account cannot be compared.
    let other = listed("Developer").replace("id = \"123456789012\"", "id = \"210987654321\"");
    let failed = compare(&other.replace("iam::123456789012", "iam::210987654321"), 1);
    let [issue] = &failed[..] else { panic!("{failed:?}") };
    assert!(issue.title.starts_with("iam-boundaries plan failed: "), "{issue:?}");
    assert!(issue.body.contains("\n    error: ") && issue.is_open, "{issue:?}");

    let closed = compare(&listed("Developer"), 0);
    let [issue] = &closed[..] else { panic!("{closed:?}") };
    assert!(!issue.is_open, "{issue:?}");
    assert!(
        issue.comments.len() == 1
            && issue.comments[0].starts_with("The account is in sync again: ")
    );
    // A closed issue is not opened again.
    assert_eq!(
        compare(SOUND_FILE, 2).iter().map(|it| it.is_open).collect::<Vec<_>>(),
        [false, true]
    );
}
