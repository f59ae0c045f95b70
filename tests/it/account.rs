//! The account of a run: what names it, what restricts it, and what people see of it.

use crate::support::fixture::{Fixture, denied, lines};
use crate::support::plans::arn;

const READ_ONLY: &str = "\"arn:aws:iam::aws:policy/ReadOnlyAccess\"";
const ALIASES: &str = "ListAccountAliases";
const APPLY: [&str; 2] = ["apply", "--auto-approve"];
const OTHER: [&str; 2] = ["--account", "999999999999"];
const OWN: [&str; 2] = ["--account", "123456789012"];

/// A file that can be used in every account.
async fn for_any_account() -> Fixture {
    let fixture =
        Fixture::users(3).file(&format!("[users]\n{}", lines(3, READ_ONLY))).start().await;
    fixture.sandbox.set_alias("payments-prod");
    fixture
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_a_file_without_account_shows_the_account_with_its_alias() {
    let fixture = for_any_account().await;
    let account = "account 123456789012 (payments-prod)";
    let plan = fixture.run(&["plan", "--out", "plan.json"]).await;
    assert!(plan.out.starts_with(&format!("Changes to {account} to match")), "{plan}");
    assert_eq!(fixture.run(&["show", "plan.json"]).await.out, plan.out);
    for format in ["markdown", "github"] {
        let shown = fixture.run(&["show", "plan.json", "--format", format]).await;
        assert!(
            shown.out.contains("123456789012") && shown.out.contains("payments-prod"),
            "{shown}"
        );
    }
    assert_eq!(fixture.calls(ALIASES), 1, "only plan reads the alias");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_that_cannot_be_read_is_not_shown_and_one_that_is_not_needed_is_not_read() {
    let fixture = for_any_account().await;
    fixture.sandbox.faults().add(ALIASES, None, 1, denied());
    let plan = fixture.run(&["plan"]).await;
    assert_eq!(plan.code, 0, "{plan}");
    assert!(plan.out.starts_with("Changes to account 123456789012 to match"), "{plan}");

    let named = Fixture::users(3).listed_with("Developer").start().await;
    named.sandbox.set_alias("payments-prod");
    assert!(!named.run(&["plan"]).await.out.contains("payments-prod"));
    assert_eq!(named.calls(ALIASES), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unattended_apply_needs_more_than_the_credentials_to_name_the_account() {
    let fixture = for_any_account().await;
    let refused = fixture.run(&APPLY).await;
    assert_eq!((refused.code, fixture.writes()), (1, 0), "{refused}");
    insta::assert_snapshot!(refused.err);

    let saved = fixture.run(&["plan", "--out", "plan.json"]).await;
    assert_eq!(saved.code, 0, "{saved}");
    let applied = fixture.run(&["apply", "plan.json", "--auto-approve"]).await;
    assert_eq!((applied.code, fixture.writes()), (0, 3), "{applied}");

    let fixture = for_any_account().await;
    let applied = fixture.run(&[&APPLY[..], &OWN].concat()).await;
    assert_eq!((applied.code, fixture.writes()), (0, 3), "{applied}");

    let fixture = for_any_account().await;
    let file = format!("[account]\nid = \"123456789012\"\n[users]\n{}", lines(3, READ_ONLY));
    std::fs::write(fixture.folder().join("boundaries.toml"), file).unwrap();
    let applied = fixture.run(&APPLY).await;
    assert_eq!((applied.code, fixture.writes()), (0, 3), "{applied}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_reads_or_writes_another_account_than_the_specified_one() {
    let fixture = Fixture::users(3).listed_with("Developer").start().await;
    assert_eq!(fixture.run(&["plan", "--out", "plan.json"]).await.code, 0);
    let applied = fixture.run(&[&APPLY[..], &["--journal", "run.jsonl"]].concat()).await;
    assert_eq!(applied.code, 0, "{applied}");
    fixture.set(0, "Other");
    let before = fixture.sandbox.calls();
    for command in [
        &["plan"][..],
        &APPLY,
        &["apply", "plan.json", "--auto-approve"],
        &["rollback", "run.jsonl"],
        &["import"],
    ] {
        let ran = fixture.run(&[command, &OTHER].concat()).await;
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran}");
        let expected = "wrong account: --account is 999999999999, and the credentials (";
        assert!(ran.err.contains(expected), "{ran}");
        assert!(ran.err.contains(") belong to account 123456789012"), "{ran}");
    }
    let identified = "GetCallerIdentity";
    let mut after = fixture.sandbox.calls();
    assert_eq!(after.remove(identified), before.get(identified).map(|calls| calls + 5));
    let rest = before.into_iter().filter(|(action, _)| *action != identified);
    assert!(after.into_iter().eq(rest), "another call than the question for the identity");
    assert_eq!(fixture.boundary(0), Some(arn("Other").to_string()));

    let plan = fixture.run(&[&["plan"][..], &OWN].concat()).await;
    assert_eq!(plan.code, 0, "{plan}");
    let typo = fixture.run(&["plan", "--account", "1234-5678-9012"]).await;
    assert!(typo.code == 1 && typo.err.contains("an account ID contains only digits"), "{typo}");
}
