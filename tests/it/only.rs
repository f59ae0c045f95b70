//! `--only`, and what is read of the account for rules and for unlisted principals.

use iam_boundaries::iam::Principal;
use iam_boundaries::sandbox::Fault;

use crate::support::fixture::{DETAILS, Fixture, denied, role, user};
use crate::support::plans::arn;

/// A file with a rule by path, a rule by tag, and an entry.
const FILE: &str = "[account]\nid = \"123456789012\"\n[boundaries]\ndev = \"policy/Developer\"\nother = \"policy/Other\"\n\
                    [users]\nuser-0000 = \"other\"\n\
                    [[rules]]\npath = \"/contractors/*\"\nboundary = \"other\"\n\
                    [[rules]]\ntag = { team = \"web\" }\nboundary = \"dev\"\n\
                    [[rules]]\nfor = \"roles\"\nname = \"user-*\"\nboundary = \"dev\"\n\
                    [unlisted]\nusers = \"warn\"\n";

async fn fixture() -> Fixture {
    let fixture = Fixture::users(5).roles(2).file(FILE).start().await;
    fixture.sandbox.put_path(&Principal::user(user(1)), "/contractors/acme/");
    fixture.sandbox.tag(&Principal::user(user(2)), "Team", "web");
    fixture
}

#[tokio::test]
async fn one_new_user_is_read_by_get_user_only_and_gets_the_boundary_of_a_rule() {
    let fixture = fixture().await;
    let ran = fixture.run(&["apply", "--yes", "--only", "user/user-0002"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(fixture.has(2, "Developer"));
    for n in [0, 1, 3, 4] {
        assert!(fixture.has_none(n), "{n}");
    }
    assert_eq!(fixture.calls(DETAILS), 0);
    assert_eq!(fixture.calls("ListUsers") + fixture.calls("GetAccountSummary"), 0);
    assert_eq!(fixture.writes(), 1);
}

#[tokio::test]
async fn a_rule_by_group_needs_the_account_pages() {
    let fixture = fixture().await;
    let file = format!("{FILE}[[rules]]\ngroup = \"Web\"\nboundary = \"dev\"\n");
    fixture.write_file(&file);
    fixture.sandbox.add_to_group(&user(3), "web");
    let ran = fixture.run(&["apply", "--yes", "--only", "user/user-0003"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(fixture.has(3, "Developer") && fixture.writes() == 1);
    assert!(fixture.calls(DETAILS) > 0);
    fixture.sandbox.faults().add(DETAILS, None, u32::MAX, denied());
    let denied = fixture.run(&["plan", "--only", "user/user-0004"]).await;
    assert_eq!(denied.code, 3, "whether user-0004 is in the group is not known: {}", denied.out);
    assert!(denied.out.contains("groups"), "{}", denied.out);
}

#[tokio::test]
async fn a_pattern_limits_the_plan_and_its_writes() {
    let fixture = fixture().await;
    let ran = fixture
        .run(&[
            "apply",
            "--yes",
            "--max-changes",
            "9",
            "--only",
            "role/user-*",
            "--only",
            "user/user-0000",
        ])
        .await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(fixture.has(0, "Other") && fixture.has_none(1) && fixture.has_none(2));
    for n in 0..2 {
        assert_eq!(fixture.sandbox.boundary(&role(n)), Some(Some(arn("Developer").to_string())));
    }
    let nobody = fixture
        .run(&["plan", "--only", "user/zed", "--only", "role/x-*", "--only", "user/user-0001"])
        .await;
    assert_eq!(nobody.code, 1);
    assert!(nobody.err.contains("user/zed or role/x-*"), "{}", nobody.err);
}

#[tokio::test]
async fn a_pattern_without_a_kind_and_only_with_a_saved_plan_are_clear_errors() {
    let fixture = fixture().await;
    let ran = fixture.run(&["plan", "--only", "alice"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("write user/alice or role/alice"), "{}", ran.err);
    let saved = fixture.run(&["plan", "--out", "plan.json"]).await;
    assert_eq!(saved.code, 0, "{}", saved.err);
    let ran = fixture.run(&["apply", "plan.json", "--yes", "--only", "user/user-0001"]).await;
    assert_eq!((ran.code, fixture.writes()), (1, 0));
    assert!(ran.err.contains("--only"), "{}", ran.err);
}

#[tokio::test]
async fn no_unlisted_principal_is_written_and_the_plan_counts_them() {
    let fixture = fixture().await;
    let ran = fixture.run(&["apply", "--yes", "--max-changes", "9"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(fixture.has(0, "Other") && fixture.has(1, "Other") && fixture.has(2, "Developer"));
    assert!(fixture.has_none(3) && fixture.has_none(4));
    fixture.write_file(&FILE.replace("\"warn\"", "\"error\""));
    let plan = fixture.run(&["plan", "--detailed-exitcode"]).await;
    assert_eq!(plan.code, 3, "{}", plan.out);
    fixture.sandbox.put_user(&user(1), None);
    fixture.sandbox.put_path(&Principal::user(user(1)), "/contractors/");
    let plan = fixture.run(&["plan", "--detailed-exitcode"]).await;
    assert_eq!(plan.code, 5, "changes and an unlisted error: {}", plan.out);
}

#[tokio::test]
async fn an_account_that_cannot_be_read_completely_gives_no_plan() {
    let fixture = fixture().await;
    fixture.sandbox.faults().add(
        DETAILS,
        None,
        u32::MAX,
        Fault::error(500, "ServiceFailure", "no"),
    );
    let ran = fixture.run(&["plan", "--timeout", "2s"]).await;
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.is_empty());
}

#[tokio::test]
async fn ten_thousand_principals_are_read_in_ten_pages() {
    let fixture = Fixture::users(5_000).roles(5_000);
    let mut rules = String::new();
    for n in 0..200 {
        rules += &format!(
            "[[rules]]\nfor = \"{}\"\nname = \"user-{n:03}*\"\nboundary = \"policy/Developer\"\n",
            if n % 2 == 0 { "users" } else { "roles" }
        );
    }
    let fixture = fixture.file(&rules).start().await;
    let ran = fixture.run(&["plan", "--account", "123456789012"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(fixture.calls(DETAILS) <= 10, "{} pages", fixture.calls(DETAILS));
    let all: u64 = fixture.sandbox.calls().values().sum();
    // The caller identity, the pages, the policy, the alias and at most one more.
    assert!(all <= 10 + 1 + 3, "{:?}", fixture.sandbox.calls());
}

#[tokio::test]
async fn a_named_user_that_no_rule_matches_is_reported_as_unlisted() {
    let fixture = fixture().await;
    fixture.write_file(&FILE.replace("\"warn\"", "\"error\""));
    for pattern in ["user/user-0004", "user/user-0004*"] {
        let ran = fixture.run(&["apply", "--yes", "--only", pattern]).await;
        assert_eq!((ran.code, fixture.writes()), (3, 0), "{pattern}: {}{}", ran.out, ran.err);
        assert!(ran.out.contains("user-0004"), "{}", ran.out);
    }
    let covered = fixture.run(&["plan", "--only", "user/user-0001"]).await;
    assert_eq!(covered.code, 0, "{}", covered.out);
}
