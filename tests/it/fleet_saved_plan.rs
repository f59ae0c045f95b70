//! The saved plan of a fleet: its digest, its parts, and applying it to accounts that have changed.

use std::collections::BTreeSet;

use iam_boundaries::iam::Digest;
use iam_boundaries::plan::FleetPlan;
use iam_boundaries::plan::saved::SavedPlanError;
use iam_boundaries::sandbox::{Fault, awkward_name};
use serde_json::{Value, json};

use crate::support::fixture::DETAILS;
use crate::support::fleet::{FleetFixture, account_name, account_of, lines_of, summary};
use crate::support::tampered::tampered;

const FORMATS: [&str; 5] = ["text", "json", "markdown", "github", "html"];

/// A fleet of four accounts. The role of account 1 cannot be assumed, and account 2 cannot be read.
async fn with_problems() -> FleetFixture {
    let fleet = FleetFixture::accounts(4)
        .tail("[guard]\nmax_changes = 100\nmax_accounts_failed = 4\n")
        .start()
        .await;
    fleet.inject(1, "AssumeRole", Fault::access_denied());
    fleet.inject(2, DETAILS, Fault::access_denied());
    fleet.inject(2, "GetUser", Fault::access_denied());
    fleet
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn read(document: &Value) -> Result<FleetPlan, SavedPlanError> {
    FleetPlan::from_json(document.to_string().as_bytes())
}

/// The digest of a document as docs/plan-format.md describes it.
fn digest_of(document: &Value) -> Value {
    let mut content = document.clone();
    content.as_object_mut().unwrap().remove("digest");
    content.sort_all_objects();
    json!(Digest::of(content.to_string()))
}

/// The document of an account's plan, as the plan of the account alone has it.
fn plan_alone(plan: &Value) -> Value {
    let mut plan = plan.clone();
    for items in ["changes", "problems"] {
        for item in plan[items].as_array_mut().unwrap() {
            item.as_object_mut().unwrap().remove("account");
        }
    }
    plan
}

/// Computes the digests anew, as somebody who edits a plan can.
fn with_new_digests(mut document: Value) -> Value {
    let mut whole = document.clone();
    for (n, account) in document["accounts"].as_array_mut().unwrap().iter_mut().enumerate() {
        if let Some(plan) = account.get_mut("plan") {
            plan["digest"] = digest_of(&plan_alone(plan));
            whole["accounts"][n]["plan"] = plan["digest"].clone();
        }
    }
    document["digest"] = digest_of(&whole);
    document
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_files_and_accounts_give_the_same_bytes_and_each_format_shows_the_saved_plan() {
    let fleet = FleetFixture::accounts(4).start().await;
    let mut digests = BTreeSet::new();
    for format in FORMATS {
        let at_once = if format == "json" { "1" } else { "16" };
        let options = ["--out", "plan.json", "--format", format, "--accounts-at-once", at_once];
        let plan = fleet.plan(&options).await;
        assert_eq!(plan.code, 0, "{plan}");
        assert!(plan.err.contains("plan saved in plan.json, digest sha256:"), "{plan}");
        let digest = plan.err.trim_end().rsplit(' ').next().unwrap().to_owned();
        assert!(plan.out.contains(&digest["sha256:".len()..][..12]), "{plan}");
        digests.insert(digest);
        let shown = fleet.run(&["show", "plan.json", "--format", format]).await;
        assert_eq!((shown.code, &shown.out), (0, &plan.out), "{shown}");
    }
    assert_eq!(digests.len(), 1, "{digests:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_fleet_plan_with_problems_has_digests_that_anyone_can_compute() {
    let fleet = with_problems().await;
    let plan = fleet.plan(&["--out", "plan.json"]).await;
    assert_eq!(plan.code, 3, "{plan}");
    let saved = fleet.read("plan.json");
    let again = fleet.plan(&["--format", "json", "--accounts-at-once", "1"]).await;
    assert_eq!(again.out, saved);
    let document = parsed(&saved);
    assert_eq!(with_new_digests(document.clone()), document);
    assert_eq!(FleetPlan::from_json(saved.as_bytes()).unwrap().to_json(), saved);
    let schema = parsed(include_str!("../../schema/fleet-plan.schema.json"));
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&document));

    // The layout of the JSON does not matter, and neither does the order of its keys.
    let mut other = document.clone();
    other.sort_all_objects();
    fleet.write("other.json", &other.to_string());
    let shown = fleet.run(&["show", "other.json", "--format", "json"]).await;
    assert_eq!((shown.code, &shown.out), (0, &saved), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_digest_covers_every_value_of_a_fleet_plan() {
    let fleet = with_problems().await;
    fleet.plan(&["--out", "plan.json"]).await;
    let document = parsed(&fleet.read("plan.json"));
    assert!(document["accounts"][0]["plan"].is_object());
    assert!(document["accounts"][1]["problem"].is_object());
    let tampered = tampered(&document);
    assert!(tampered.len() > 1_000, "{}", tampered.len());
    for (at, document) in tampered {
        assert!(read(&document).is_err(), "at {at}: {document}");
    }
    let truncated = fleet.read("plan.json");
    for length in (200..truncated.len() - 2).step_by(61) {
        let read = FleetPlan::from_json(&truncated.as_bytes()[..length]);
        assert_eq!(read, Err(SavedPlanError::Truncated), "{length}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_fleet_plan_is_refused_before_a_call() {
    let fleet = with_problems().await;
    fleet.plan(&["--out", "plan.json"]).await;
    let calls: u64 = fleet.sandbox.calls().values().sum();
    let document = parsed(&fleet.read("plan.json"));
    let edits: [(&str, &str, Value); 6] = [
        ("/accounts/0/credentials", "digest", json!("base")),
        ("/accounts/0/credentials/assume_role/role", "digest", json!("role/Administrator")),
        ("/accounts/3/plan/changes/0/to", "digest", json!(fleet.policy(3, "AdministratorAccess"))),
        ("/accounts/1/problem/error/code", "digest", json!("Throttling")),
        ("/guard/max_changes", "digest", json!(1_000_000)),
        ("/accounts/0/account", "is for another account", json!(fleet.id(2))),
    ];
    for (at, message, value) in edits {
        let mut edited = document.clone();
        *edited.pointer_mut(at).unwrap() = value;
        fleet.write("edited.json", &edited.to_string());
        for command in [&["show", "edited.json"][..], &["apply", "edited.json", "-y"]] {
            let ran = fleet.run(command).await;
            assert_eq!(ran.code, 1, "{at}: {ran}");
            assert!(ran.err.contains(message), "{at}: {ran}");
            assert_eq!(ran.out, "", "{at}");
        }
    }
    assert_eq!(fleet.sandbox.calls().values().sum::<u64>(), calls);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_one_account_cannot_be_applied_to_another_one_by_editing() {
    let fleet = FleetFixture::accounts(3).start().await;
    let (one, two) = (fleet.id(1).to_owned(), fleet.id(2).to_owned());
    fleet.plan(&["--out", "plan.json", "--account", &account_name(1)]).await;
    let document = parsed(&fleet.read("plan.json"));

    // The ID of the account only, with new digests.
    let mut edited = document.clone();
    edited["accounts"][0]["account"] = json!(two);
    let error = read(&with_new_digests(edited.clone())).unwrap_err();
    assert!(error.to_string().contains("acct-001 is for another account"), "{error}");
    edited["accounts"][0]["plan"]["account"] = json!(two);
    let error = read(&with_new_digests(edited.clone())).unwrap_err();
    assert!(error.to_string().contains("acct-001 is for another account"), "{error}");
    for items in ["changes", "problems"] {
        for item in edited["accounts"][0]["plan"][items].as_array_mut().unwrap() {
            item["account"] = json!(two);
        }
    }
    // The policies are still those of the first account.
    let error = read(&with_new_digests(edited)).unwrap_err();
    assert!(matches!(error, SavedPlanError::Inconsistent(_)), "{error}");

    // Everything, with new digests: the users are not those for which the plan was made.
    let edited = parsed(&document.to_string().replace(&one, &two));
    let edited = with_new_digests(edited);
    assert!(read(&edited).is_ok());
    fleet.write("edited.json", &edited.to_string());
    let ran = fleet.run(&["apply", "edited.json", "-y", "--format", "json"]).await;
    assert_eq!(ran.code, 3, "{ran}");
    assert_eq!(fleet.all_writes(), 0, "{ran}");
    let outcomes: BTreeSet<String> =
        lines_of(&ran, "item").iter().map(|it| it["outcome"].to_string()).collect();
    assert_eq!(outcomes, ["\"conflict\"".to_owned()].into(), "{ran}");
    fleet.check(|n| fleet.seeded(n)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_saved_plan_is_shown_and_applied_with_the_digest_of_the_whole() {
    let fleet = FleetFixture::accounts(4).start().await;
    fleet.plan(&["--out", "plan.json"]).await;
    let whole = parsed(&fleet.read("plan.json"));
    let digest = whole["digest"].as_str().unwrap();
    let short = &digest["sha256:".len()..][..12];
    let part = ["--account", "acct-001", "--account", fleet.id(3)];
    for format in FORMATS {
        let shown =
            fleet.run(&[&["show", "plan.json", "--format", format], &part[..]].concat()).await;
        assert_eq!(shown.code, 0, "{shown}");
        assert!(shown.out.contains(short), "{format}: {shown}");
        for n in 0..4 {
            let is_part = [1, 3].contains(&n);
            assert_eq!(shown.out.contains(&account_name(n)), is_part, "{format} {n}: {shown}");
        }
    }
    let shown = fleet.run(&[&["show", "plan.json", "--format", "json"], &part[..]].concat()).await;
    let document = parsed(&shown.out);
    assert_eq!(document["part_of"], digest);
    assert_eq!(account_of(&document, "acct-003"), account_of(&whole, "acct-003"));
    assert!(read(&document).is_ok());
    let none = fleet.run(&["show", "plan.json", "--account", "acct-009"]).await;
    assert_eq!(none.code, 1, "{none}");
    assert!(none.err.contains("plan.json has no account acct-009"), "{none}");

    let apply = ["apply", "plan.json", "-y", "--format", "json"];
    let ran = fleet.run(&[&apply[..], &part].concat()).await;
    assert_eq!((ran.code, fleet.written()), (0, vec![1, 3]), "{ran}");
    assert_eq!(summary(&ran)["digest"], digest);
    // The rest.
    let ran = fleet.run(&apply).await;
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(fleet.all_writes(), 8, "{ran}");
    fleet.check(|n| fleet.all_with(n, "Developer")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_since_the_plan_is_a_conflict_of_its_account() {
    for is_strict in [false, true] {
        let fleet = FleetFixture::accounts(4).start().await;
        fleet.plan(&["--out", "plan.json"]).await;
        // User 0 of account 1 gets another boundary, and user 1 of account 2 already has the planned one.
        fleet.put(1, 0, "Contractor").await;
        fleet.put(2, 1, "Developer").await;
        let strict = if is_strict { &["--strict"][..] } else { &[] };
        let apply = ["apply", "plan.json", "-y", "--format", "json"];
        let ran = fleet.run(&[&apply[..], strict].concat()).await;
        assert_eq!(ran.code, 3, "{ran}");
        let items = lines_of(&ran, "item");
        let outcome = |n: usize, user: usize| {
            let is = |it: &&Value| it["account"] == fleet.id(n) && it["name"] == awkward_name(user);
            items.iter().find(is).map(|it| it["outcome"].clone())
        };
        assert_eq!(outcome(1, 0), Some(json!("conflict")), "{ran}");
        assert_eq!(outcome(2, 1), Some(json!("already_done")), "{ran}");
        assert_eq!(outcome(2, 0), Some(json!("applied")), "{ran}");
        let (of_first, end) = (outcome(1, 1), summary(&ran));
        match is_strict {
            false => assert_eq!((of_first, &end["applied"]), (Some(json!("applied")), &json!(6))),
            true => {
                assert_eq!(of_first, Some(json!("not_attempted")), "{ran}");
                assert_eq!(end["accounts_refused"], 1, "{ran}");
                assert_eq!(end["applied"], 5, "{ran}");
            }
        }
        fleet
            .check(|n| {
                let mut expected = match (n, is_strict) {
                    (1, true) => fleet.seeded(n),
                    _ => fleet.all_with(n, "Developer"),
                };
                if n == 1 {
                    expected.insert(awkward_name(0), Some(fleet.policy(1, "Contractor")));
                }
                expected
            })
            .await;
    }
}
