//! A plan that one person reviews and a machine carries out later, through the binary.

use crate::support::workplace::{Workplace, user};
use crate::support::{Binary, Ran};
use iam_boundaries::sandbox::Fault;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_reviewed_is_what_is_shown_and_applied_with_the_same_digest() {
    let workplace = Workplace::of(6).await;
    let formats = ["text", "json", "markdown", "github"];
    for format in formats {
        let plan = workplace.run(&["plan", "--out", "plan.json", "--format", format]).await;
        assert_eq!(plan.code, 0, "{plan}");
        assert!(plan.err.starts_with("saved in plan.json, digest sha256:"), "{plan}");
        let shown = workplace.run(&["show", "plan.json", "--format", format]).await;
        assert_eq!((shown.code, &shown.out), (0, &plan.out), "{shown}");
        let digest = plan.err.trim_end().rsplit(' ').next().unwrap();
        assert!(plan.out.contains(&digest["sha256:".len()..][..12]), "{plan}");
    }
    let saved = std::fs::read_to_string(workplace.binary.folder().join("plan.json")).unwrap();
    let plan = workplace.run(&["plan", "--format", "json"]).await;
    assert_eq!(plan.out, saved);
    let document: serde_json::Value = serde_json::from_str(&saved).unwrap();

    // Without the file: the plan is enough.
    std::fs::remove_file(workplace.binary.folder().join("boundaries.toml")).unwrap();
    let arguments = ["apply", "plan.json", "--auto-approve", "--format", "json"];
    let applied = workplace.run(&arguments).await;
    assert_eq!(applied.code, 0, "{applied}");
    let summary = applied.json_lines().pop().unwrap();
    assert_eq!(summary["digest"], document["digest"]);
    assert_eq!(summary["applied"], 6);
    assert!((0..6).all(|n| workplace.has(n, &workplace.policy)));

    let again = workplace.run(&["apply", "plan.json", "--auto-approve"]).await;
    assert_eq!(again.code, 0, "{again}");
    assert!(again.out.contains("0 not attempted, 6 already done; 0 calls"), "{again}");
}

/// Changes the account behind the plan's back: 1 has another boundary, 2 the one that is wanted, 3 is
/// gone.
async fn changed_behind_its_back() -> Workplace {
    let workplace = Workplace::of(6).await;
    let plan = workplace.run(&["plan", "--out", "plan.json"]).await;
    assert_eq!(plan.code, 0, "{plan}");
    workplace.sandbox.put_user(&user(1), Some(&workplace.other));
    workplace.sandbox.put_user(&user(2), Some(&workplace.policy));
    workplace.sandbox.remove_user(&user(3));
    workplace
}

#[tokio::test(flavor = "multi_thread")]
async fn users_in_conflict_are_left_alone_and_the_others_are_done() {
    let workplace = changed_behind_its_back().await;
    let before = workplace.sandbox.calls();
    let applied = workplace.run(&["apply", "plan.json", "--auto-approve"]).await;
    assert_eq!(applied.code, 3, "{applied}");
    assert!(workplace.has(1, &workplace.other) && workplace.has(2, &workplace.policy));
    assert!([0, 4, 5].iter().all(|&n| workplace.has(n, &workplace.policy)));
    let calls = workplace.sandbox.calls();
    let made = |action: &str| calls.get(action).unwrap_or(&0) - before.get(action).unwrap_or(&0);
    assert_eq!(made("PutUserPermissionsBoundary"), 3);
    // Before writing, and to read back.
    assert_eq!(made("GetAccountAuthorizationDetails"), 2);
    // Whom no page named is asked for.
    assert_eq!(made("GetUser"), 1);
    let closing = applied.out.split_once("In conflict").expect("conflicts are shown").1;
    assert!(closing.contains("user-1: the plan expected no boundary, but the user has"));
    assert!(closing.contains("user-3: the plan expected no boundary, but IAM has no such user"));
    assert!(closing.contains("Already done: 1 user\n  user-2"), "{applied}");
    let counts = "3 applied, 0 failed, 0 not attempted, 2 in conflict, 1 already done";
    assert!(closing.contains(counts), "{applied}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_item_of_a_stale_plan_is_accounted_for_once_in_json() {
    let workplace = changed_behind_its_back().await;
    let arguments = ["apply", "plan.json", "--auto-approve", "--format", "json"];
    let applied = workplace.run(&arguments).await;
    assert_eq!(applied.code, 3, "{applied}");
    let lines = applied.json_lines();
    let mut outcomes: Vec<_> = lines
        .iter()
        .filter(|line| line["type"] == "item")
        .map(|line| (line["name"].as_str().unwrap(), line["outcome"].as_str().unwrap()))
        .collect();
    outcomes.sort_unstable();
    let expected = ["applied", "conflict", "already_done", "conflict", "applied", "applied"];
    let users = ["user-0", "user-1", "user-2", "user-3", "user-4", "user-5"];
    assert_eq!(outcomes, users.into_iter().zip(expected).collect::<Vec<_>>());
    let found = |user: &str| &lines.iter().find(|line| line["name"] == user).unwrap()["found"];
    assert_eq!(found("user-1")["arn"], workplace.other.as_str());
    assert_eq!(found("user-3")["kind"], "no_such_user");
    assert_eq!(lines.last().unwrap()["conflicts"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strict_apply_of_a_stale_plan_changes_nothing_at_all() {
    let workplace = changed_behind_its_back().await;
    for format in ["text", "json", "markdown", "github"] {
        let arguments = ["apply", "plan.json", "--strict", "--auto-approve", "--format", format];
        let applied = workplace.run(&arguments).await;
        assert_eq!(applied.code, 4, "{applied}");
        assert!(
            applied.err.contains("nothing was changed: 2 changes are in conflict"),
            "{applied}"
        );
        assert!(applied.out.contains("user-1") && applied.out.contains("user-3"), "{applied}");
    }
    assert!([0, 4, 5].iter().all(|&n| workplace.has_none(n)));
    assert!(!workplace.sandbox.calls().contains_key("PutUserPermissionsBoundary"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strict_apply_of_a_fresh_plan_is_like_any_other() {
    let workplace = Workplace::of(6).await;
    workplace.run(&["plan", "--out", "plan.json"]).await;
    let applied = workplace.run(&["apply", "plan.json", "--strict", "--auto-approve"]).await;
    assert_eq!(applied.code, 0, "{applied}");
    assert!((0..6).all(|n| workplace.has(n, &workplace.policy)));
    assert_eq!(workplace.run(&["apply", "--strict", "--auto-approve"]).await.code, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_cannot_be_read_again_is_not_written() {
    let workplace = Workplace::of(6).await;
    workplace.run(&["plan", "--out", "plan.json"]).await;
    let denied = Fault::error(403, "AccessDenied", "not authorized");
    workplace.sandbox.faults().add("GetAccountAuthorizationDetails", None, 1, denied.clone());
    workplace.sandbox.faults().add("GetUser", Some("user-2"), 1, denied);
    let applied = workplace.run(&["apply", "plan.json", "--auto-approve"]).await;
    assert_eq!(applied.code, 3, "{applied}");
    assert!(workplace.has_none(2) && workplace.has(1, &workplace.policy), "{applied}");
    assert!(
        applied.out.contains("user-2: the plan expected no boundary, but its boundary cannot be")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_for_another_account_is_refused_before_anything_is_read() {
    let workplace = Workplace::of(6).await;
    workplace.run(&["plan", "--out", "plan.json"]).await;
    let path = workplace.binary.folder().join("plan.json");
    let plan = std::fs::read_to_string(&path).unwrap();
    let elsewhere = Binary::with_file("[users]\na = false\n")
        .env("AWS_ACCESS_KEY_ID", "999999999999")
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .env("AWS_ENDPOINT_URL", &workplace.sandbox.endpoint_url());
    std::fs::write(elsewhere.folder().join("plan.json"), plan).unwrap();
    let mut command = elsewhere.command(&["apply", "plan.json", "--auto-approve"]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let applied = Ran::of(output);
    assert_eq!((applied.code, applied.out.as_str()), (1, ""), "{applied}");
    assert!(applied.err.contains("wrong account: the plan was made for account"), "{applied}");
    assert!((0..6).all(|n| workplace.has_none(n)));
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
fn a_base_tells_the_pull_requests_changes_from_drift() {
    let binary = Binary::with_own_file();
    let base = include_str!("../../boundaries.toml")
        .replace("emeka = \"developer\"", "emeka = \"contractor\"")
        .replace("legacy-backup = false\n", "gone = false\n");
    std::fs::write(binary.folder().join("base.toml"), base).unwrap();
    let plan = binary.run(&["--sandbox", "plan", "--base", "base.toml"]);
    assert_eq!(plan.code, 0, "{plan}");
    insta::assert_snapshot!("plan_with_a_base", plan.out);

    // The first version of a file: everything comes from it.
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
fn a_bad_file_is_on_its_lines_in_the_review_for_check_and_for_plan() {
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
async fn a_user_that_was_deleted_and_created_anew_is_a_conflict_and_not_written() {
    let workplace = Workplace::of(3).await;
    workplace.run(&["plan", "--out", "plan.json"]).await;
    // Name and boundary are as the plan saw them. Only the unique ID differs.
    let before = workplace.sandbox.unique_id_of(&user(1));
    workplace.sandbox.remove_user(&user(1));
    workplace.sandbox.put_user(&user(1), None);
    assert_ne!(workplace.sandbox.unique_id_of(&user(1)), before);
    let arguments = ["apply", "plan.json", "--auto-approve", "--format", "json"];
    let applied = workplace.run(&arguments).await;
    assert_eq!(applied.code, 3, "{applied}");
    assert!(workplace.has_none(1), "{applied}");
    assert!([0, 2].iter().all(|&n| workplace.has(n, &workplace.policy)), "{applied}");
    let lines = applied.json_lines();
    let item = lines.iter().find(|line| line["name"] == "user-1").unwrap();
    assert_eq!(item["outcome"], "conflict", "{applied}");
    assert_eq!(lines.last().unwrap()["conflicts"], 1, "{applied}");
    let text = workplace.run(&["apply", "plan.json", "--auto-approve"]).await;
    assert!(text.out.contains("user-1") && text.out.contains("In conflict"), "{text}");
}
