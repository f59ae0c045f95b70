//! Saving, reviewing and applying a plan, tested with the binary.

use crate::support::fixture::{Fixture, user};
use crate::support::plans::arn;
use crate::support::{Binary, Ran};
use iam_boundaries::sandbox::Fault;

#[tokio::test(flavor = "multi_thread")]
async fn show_and_apply_use_the_reviewed_plan_with_the_same_digest() {
    let fixture = Fixture::users(6).listed_with("Developer").start().await;
    let formats = ["text", "json", "markdown", "github"];
    for format in formats {
        let plan = fixture.run(&["plan", "--out", "plan.json", "--format", format]).await;
        assert_eq!(plan.code, 0, "{plan}");
        assert!(plan.err.starts_with("plan saved in plan.json, digest sha256:"), "{plan}");
        let shown = fixture.run(&["show", "plan.json", "--format", format]).await;
        assert_eq!((shown.code, &shown.out), (0, &plan.out), "{shown}");
        let digest = plan.err.trim_end().rsplit(' ').next().unwrap();
        assert!(plan.out.contains(&digest["sha256:".len()..][..12]), "{plan}");
    }
    let saved = std::fs::read_to_string(fixture.folder().join("plan.json")).unwrap();
    let plan = fixture.run(&["plan", "--format", "json"]).await;
    assert_eq!(plan.out, saved);
    let document: serde_json::Value = serde_json::from_str(&saved).unwrap();

    // Applying a saved plan does not need the file.
    std::fs::remove_file(fixture.folder().join("boundaries.toml")).unwrap();
    let arguments = ["apply", "plan.json", "--auto-approve", "--format", "json"];
    let applied = fixture.run(&arguments).await;
    assert_eq!(applied.code, 0, "{applied}");
    let summary = applied.json_lines().pop().unwrap();
    assert_eq!(summary["digest"], document["digest"]);
    assert_eq!(summary["applied"], 6);
    assert!((0..6).all(|n| fixture.has(n, "Developer")));

    let again = fixture.run(&["apply", "plan.json", "--auto-approve"]).await;
    assert_eq!(again.code, 0, "{again}");
    assert!(again.out.contains("0 not attempted, 6 already done; 0 calls"), "{again}");
}

/// A saved plan of six users. Afterwards, user 1 gets another boundary, user 2 gets the planned one, and user
/// 3 is deleted.
async fn with_a_stale_plan() -> Fixture {
    let fixture = Fixture::users(6).listed_with("Developer").start().await;
    let plan = fixture.run(&["plan", "--out", "plan.json"]).await;
    assert_eq!(plan.code, 0, "{plan}");
    fixture.set(1, "Other");
    fixture.set(2, "Developer");
    fixture.sandbox.remove_user(&user(3));
    fixture
}

#[tokio::test(flavor = "multi_thread")]
async fn users_in_conflict_are_not_changed_and_the_others_are() {
    let fixture = with_a_stale_plan().await;
    let before = fixture.sandbox.calls();
    let applied = fixture.run(&["apply", "plan.json", "--auto-approve"]).await;
    assert_eq!(applied.code, 3, "{applied}");
    assert!(fixture.has(1, "Other") && fixture.has(2, "Developer"));
    assert!([0, 4, 5].iter().all(|&n| fixture.has(n, "Developer")));
    let calls = fixture.sandbox.calls();
    let made = |action: &str| calls.get(action).unwrap_or(&0) - before.get(action).unwrap_or(&0);
    assert_eq!(made("PutUserPermissionsBoundary"), 3);
    // Once before writing, and once for verification.
    assert_eq!(made("GetAccountAuthorizationDetails"), 2);
    // Users on no page are read individually.
    assert_eq!(made("GetUser"), 1);
    let closing = applied.out.split_once("In conflict").expect("conflicts are shown").1;
    assert!(closing.contains("user-0001: the plan expected no boundary, but the user has"));
    assert!(closing.contains("user-0003: the plan expected no boundary, but IAM has no such user"));
    assert!(closing.contains("Already done: 1 user\n  user-0002"), "{applied}");
    let counts = "3 applied, 0 failed, 0 not attempted, 2 in conflict, 1 already done";
    assert!(closing.contains(counts), "{applied}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_of_a_stale_plan_is_reported_once_in_json() {
    let fixture = with_a_stale_plan().await;
    let arguments = ["apply", "plan.json", "--auto-approve", "--format", "json"];
    let applied = fixture.run(&arguments).await;
    assert_eq!(applied.code, 3, "{applied}");
    let lines = applied.json_lines();
    let mut outcomes: Vec<_> = lines
        .iter()
        .filter(|line| line["type"] == "item")
        .map(|line| (line["name"].as_str().unwrap(), line["outcome"].as_str().unwrap()))
        .collect();
    outcomes.sort_unstable();
    let expected = ["applied", "conflict", "already_done", "conflict", "applied", "applied"];
    let users = ["user-0000", "user-0001", "user-0002", "user-0003", "user-0004", "user-0005"];
    assert_eq!(outcomes, users.into_iter().zip(expected).collect::<Vec<_>>());
    let found = |user: &str| &lines.iter().find(|line| line["name"] == user).unwrap()["found"];
    assert_eq!(found("user-0001")["arn"], arn("Other").as_str());
    assert_eq!(found("user-0003")["kind"], "no_such_user");
    assert_eq!(lines.last().unwrap()["conflicts"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strict_apply_of_a_stale_plan_changes_nothing_at_all() {
    let fixture = with_a_stale_plan().await;
    for format in ["text", "json", "markdown", "github"] {
        let arguments = ["apply", "plan.json", "--strict", "--auto-approve", "--format", format];
        let applied = fixture.run(&arguments).await;
        assert_eq!(applied.code, 4, "{applied}");
        assert!(
            applied.err.contains("nothing was changed: 2 changes are in conflict"),
            "{applied}"
        );
        assert!(
            applied.out.contains("user-0001") && applied.out.contains("user-0003"),
            "{applied}"
        );
    }
    assert!([0, 4, 5].iter().all(|&n| fixture.has_none(n)));
    assert!(!fixture.sandbox.calls().contains_key("PutUserPermissionsBoundary"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strict_apply_of_a_plan_without_conflicts_makes_its_changes() {
    let fixture = Fixture::users(6).listed_with("Developer").start().await;
    fixture.run(&["plan", "--out", "plan.json"]).await;
    let applied = fixture.run(&["apply", "plan.json", "--strict", "--auto-approve"]).await;
    assert_eq!(applied.code, 0, "{applied}");
    assert!((0..6).all(|n| fixture.has(n, "Developer")));
    assert_eq!(fixture.run(&["apply", "--strict", "--auto-approve"]).await.code, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_that_cannot_be_read_again_is_not_written() {
    let fixture = Fixture::users(6).listed_with("Developer").start().await;
    fixture.run(&["plan", "--out", "plan.json"]).await;
    let denied = Fault::error(403, "AccessDenied", "not authorized");
    fixture.sandbox.faults().add("GetAccountAuthorizationDetails", None, 1, denied.clone());
    fixture.sandbox.faults().add("GetUser", Some("user-0002"), 1, denied);
    let applied = fixture.run(&["apply", "plan.json", "--auto-approve"]).await;
    assert_eq!(applied.code, 3, "{applied}");
    assert!(fixture.has_none(2) && fixture.has(1, "Developer"), "{applied}");
    assert!(
        applied
            .out
            .contains("user-0002: the plan expected no boundary, but its boundary cannot be")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_for_another_account_is_refused_before_anything_is_read() {
    let fixture = Fixture::users(6).listed_with("Developer").start().await;
    fixture.run(&["plan", "--out", "plan.json"]).await;
    let path = fixture.folder().join("plan.json");
    let plan = std::fs::read_to_string(&path).unwrap();
    let elsewhere = Binary::with_file("[users]\na = false\n")
        .env("AWS_ACCESS_KEY_ID", "999999999999")
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .env("AWS_ENDPOINT_URL", &fixture.sandbox.endpoint_url());
    std::fs::write(elsewhere.folder().join("plan.json"), plan).unwrap();
    let mut command = elsewhere.command(&["apply", "plan.json", "--auto-approve"]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let applied = Ran::of(output);
    assert_eq!((applied.code, applied.out.as_str()), (1, ""), "{applied}");
    assert!(applied.err.contains("wrong account: the plan was made for account"), "{applied}");
    assert!((0..6).all(|n| fixture.has_none(n)));
}

#[test]
fn a_plan_that_cannot_be_used_is_one_clear_message_and_nothing_is_done() {
    let binary = Binary::with_own_file();
    assert_eq!(binary.run(&["--sandbox", "plan", "--out", "plan.json"]).code, 0);
    let whole = std::fs::read_to_string(binary.folder().join("plan.json")).unwrap();
    let mut said = String::new();
    for (file, text) in [
        ("cut.json", &whole[..whole.len() / 2]),
        ("edited.json", &whole.replacen("legacy-backup", "legacy-admin", 1)),
        ("newer.json", &whole.replacen("\"format_version\": 3", "\"format_version\": 9", 1)),
        ("boundaries.toml", include_str!("../../boundaries.toml")),
    ] {
        std::fs::write(binary.folder().join(file), text).unwrap();
        for command in ["apply", "show"] {
            let ran = binary.run(&["--sandbox", command, file]);
            assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran}");
            if command == "apply" {
                said.push_str(&ran.err);
            }
        }
    }
    for arguments in [
        &["show", "none.json"][..],
        &["show", "."],
        &["--sandbox", "apply", "plan.json", "-f", "boundaries.toml"],
        &["--sandbox", "plan", "--out", "boundaries.toml"],
        &["--sandbox", "plan", "--out", "none/plan.json"],
        &["--sandbox", "plan", "--base", "none.toml"],
    ] {
        let ran = binary.run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran}");
        said.push_str(&ran.err);
    }
    insta::assert_snapshot!(said);
}

#[test]
fn a_base_distinguishes_the_changes_of_the_pull_request_from_drift() {
    let binary = Binary::with_own_file();
    let base = include_str!("../../boundaries.toml")
        .replace("emeka = \"developer\"", "emeka = \"contractor\"")
        .replace("legacy-backup = false\n", "gone = false\n");
    std::fs::write(binary.folder().join("base.toml"), base).unwrap();
    let plan = binary.run(&["--sandbox", "plan", "--base", "base.toml"]);
    assert_eq!(plan.code, 0, "{plan}");
    insta::assert_snapshot!("plan_with_a_base", plan.out);

    // An empty base, as for the first version of a file.
    std::fs::write(binary.folder().join("base.toml"), "").unwrap();
    let plan = binary.run(&["--sandbox", "plan", "--base", "base.toml", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&plan.out).unwrap();
    assert_eq!(document["source"]["base"]["this_change"], 9);
    assert_eq!(document["source"]["base"]["drift"], 0);

    std::fs::write(binary.folder().join("base.toml"), "[users]\nalice = 1\n").unwrap();
    let plan = binary.run(&["--sandbox", "plan", "--base", "base.toml"]);
    assert_eq!((plan.code, plan.out.as_str()), (1, ""), "{plan}");
    assert!(plan.err.contains("base.toml:2:9"), "{plan}");
}

#[test]
fn a_plan_can_be_read_from_standard_input() {
    use std::process::Stdio;
    let binary = Binary::with_own_file();
    binary.run(&["--sandbox", "plan", "--out", "plan.json"]);
    let plan = || Stdio::from(std::fs::File::open(binary.folder().join("plan.json")).unwrap());
    let shown = binary.command(&["show", "-"]).stdin(plan()).output().unwrap();
    assert_eq!(Ran::of(shown).out, binary.run(&["show", "plan.json"]).out);
    let arguments = ["--sandbox", "apply", "-", "--auto-approve"];
    let applied = Ran::of(binary.command(&arguments).stdin(plan()).output().unwrap());
    assert!(applied.out.contains("9 applied, 0 failed"), "{applied}");
}

#[test]
fn check_plan_and_apply_annotate_the_lines_of_a_file_with_errors() {
    let binary = Binary::with_file("[users]\nalice = 1\nbob = \"dev\"\n");
    for command in [&["check"][..], &["--sandbox", "plan"], &["--sandbox", "apply"]] {
        let github = binary.run(&[command, &["--format", "github"]].concat());
        assert_eq!(github.code, 1, "{github}");
        assert_eq!(github.out.lines().count(), 2, "{github}");
        assert!(github.out.starts_with("::error file=boundaries.toml,line=2,col=9,title="));
        assert!(github.err.contains("2 errors in boundaries.toml"), "{github}");
        let markdown = binary.run(&[command, &["--format", "markdown"]].concat());
        assert!(markdown.out.contains("2 errors in `boundaries.toml`"), "{markdown}");
    }
    let json = binary.run(&["check", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(document["mistakes"][1]["line"], 3);
    assert_eq!(binary.run(&["--sandbox", "plan", "--format", "json"]).out, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_that_was_deleted_and_created_again_is_in_conflict_and_not_written() {
    let fixture = Fixture::users(3).listed_with("Developer").start().await;
    fixture.run(&["plan", "--out", "plan.json"]).await;
    // The name and the boundary match the plan. Only the unique ID differs.
    let before = fixture.sandbox.unique_id_of(&user(1));
    fixture.sandbox.remove_user(&user(1));
    fixture.sandbox.put_user(&user(1), None);
    assert_ne!(fixture.sandbox.unique_id_of(&user(1)), before);
    let arguments = ["apply", "plan.json", "--auto-approve", "--format", "json"];
    let applied = fixture.run(&arguments).await;
    assert_eq!(applied.code, 3, "{applied}");
    assert!(fixture.has_none(1), "{applied}");
    assert!([0, 2].iter().all(|&n| fixture.has(n, "Developer")), "{applied}");
    let lines = applied.json_lines();
    let item = lines.iter().find(|line| line["name"] == "user-0001").unwrap();
    assert_eq!(item["outcome"], "conflict", "{applied}");
    assert_eq!(lines.last().unwrap()["conflicts"], 1, "{applied}");
    let text = fixture.run(&["apply", "plan.json", "--auto-approve"]).await;
    assert!(text.out.contains("user-0001") && text.out.contains("In conflict"), "{text}");
}
