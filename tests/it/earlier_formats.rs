//! Saved plans and journals of earlier releases can be shown, applied and rolled back. Errors about
//! unsupported versions say whether the version is older or newer.

use crate::support::{Binary, Ran};
use iam_boundaries::journal::{Entry, RunRecord};
use serde_json::Value;

/// A plan of the project's `boundaries.toml` in the sandbox, made by the release with plan format 2.
const PLAN_VERSION_2: &str = include_str!("files/plan-version-2.json");

/// The journal that the same release wrote when applying that plan.
const JOURNAL_VERSION_1: &str = include_str!("files/journal-version-1.jsonl");

fn with_files() -> Binary {
    let binary = Binary::with_own_file();
    let folder = binary.folder();
    std::fs::write(folder.join("plan.json"), PLAN_VERSION_2).unwrap();
    std::fs::write(folder.join("run.jsonl"), JOURNAL_VERSION_1).unwrap();
    binary
}

/// The path of the journal that a run printed.
fn journal(ran: &Ran) -> String {
    let line = ran.err.lines().find_map(|line| line.strip_prefix("journal: "));
    line.unwrap_or_else(|| panic!("{ran}")).to_owned()
}

fn digest() -> String {
    let plan: Value = serde_json::from_str(PLAN_VERSION_2).unwrap();
    assert_eq!(plan["format_version"], 2);
    plan["digest"].as_str().unwrap().to_owned()
}

#[test]
fn a_plan_of_format_2_is_shown_and_applied_under_the_digest_that_was_reviewed() {
    let binary = with_files();
    for format in ["text", "markdown"] {
        let shown = binary.run(&["show", "plan.json", "--format", format]);
        assert_eq!(shown.code, 0, "{shown}");
        assert!(shown.out.contains(&digest()["sha256:".len()..][..12]), "{shown}");
        assert!(shown.out.contains("oliver.brandt") && shown.out.contains("36"), "{shown}");
    }
    let arguments = ["--sandbox", "apply", "plan.json", "--auto-approve", "--format", "json"];
    let applied = binary.run(&arguments);
    assert_eq!(applied.code, 3, "the plan has a problem: {applied}");
    let lines = applied.json_lines();
    let summary = lines.last().unwrap();
    assert_eq!((&summary["applied"], &summary["digest"]), (&9.into(), &digest().into()));
    let record = RunRecord::read(journal(&applied).as_ref()).unwrap();
    assert_eq!(record.header.plan.to_string(), digest());
    // The plan has no unique IDs: the run has those that it read.
    let has_unique_id = |entry: &Entry| entry.intent.unique_id.is_some();
    assert!(record.entries.len() == 9 && record.entries.iter().all(has_unique_id));
    assert_eq!(binary.run(&["--sandbox", "plan", "--detailed-exitcode"]).code, 0);
}

#[test]
fn a_journal_of_format_1_is_rolled_back() {
    let binary = with_files();
    let fresh = binary.run(&["--sandbox", "plan", "--format", "json"]).out;
    assert_eq!(binary.run(&["--sandbox", "apply", "plan.json", "--auto-approve"]).code, 3);
    let rollback = binary.run(&["--sandbox", "rollback", "run.jsonl", "--out", "back.json"]);
    assert_eq!(rollback.code, 0, "{rollback}");
    assert!(rollback.out.contains("- dana"), "{rollback}");
    assert!(rollback.out.contains("+ legacy-backup"), "{rollback}");
    let arguments = ["--sandbox", "apply", "back.json", "--auto-approve", "--max-removals", "4"];
    let back = binary.run(&arguments);
    assert_eq!(back.code, 0, "{back}");
    assert_eq!(binary.run(&["--sandbox", "plan", "--format", "json"]).out, fresh);
}

#[test]
fn a_file_of_a_format_that_is_not_read_is_older_or_newer_and_never_damaged() {
    let binary = with_files();
    let plan = |version| {
        let field = format!("\"format_version\": {version},\n  \"new\": {{}}");
        PLAN_VERSION_2.replacen("\"format_version\": 2", &field, 1)
    };
    let journal = |version| {
        let field = format!("\"format_version\":{version},\"new\":{{}}");
        JOURNAL_VERSION_1.replacen("\"format_version\":1", &field, 1)
    };
    for (command, text, expected) in [
        ("show", plan(1), "it was made by an older iam-boundaries: its format has version 1"),
        ("apply", plan(1), "it was made by an older iam-boundaries: its format has version 1"),
        ("show", plan(4), "it was made by a newer iam-boundaries: its format has version 4"),
        ("apply", plan(4), "it was made by a newer iam-boundaries: its format has version 4"),
        (
            "rollback",
            journal(0),
            "its format has version 0, and this iam-boundaries reads versions",
        ),
        (
            "rollback",
            journal(3),
            "it was written by a newer iam-boundaries: its format has version 3",
        ),
    ] {
        std::fs::write(binary.folder().join("file"), text).unwrap();
        let ran = binary.run(&["--sandbox", command, "file"]);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran}");
        assert!(ran.err.contains(expected), "{ran}");
        assert!(!ran.err.contains("damaged") && !ran.err.contains("changed after"), "{ran}");
    }
}
