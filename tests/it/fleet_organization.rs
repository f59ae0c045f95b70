//! The accounts of a fleet: those of AWS Organizations, parts of the fleet, and an earlier version of the fleet file.

use std::collections::BTreeSet;

use iam_boundaries::iam::Shard;
use iam_boundaries::sandbox::{
    AccountState, Fault, FaultScope, MemberAccount, Options, Organization, OrganizationalUnit,
    account_ids,
};
use serde_json::{Value, json};

use crate::support::fleet::{FleetFixture, account_name, account_of, baseline, lines_of, summary};

const HEAD: &str = "assume_role = \"role/iam-boundaries\"\nfiles = [\"baseline.toml\"]\n";

/// Two accounts below the root; three in a unit; two in a unit below it, one of them suspended; one in a third unit.
async fn organization() -> FleetFixture {
    let ids = account_ids(9);
    let named = |n: usize, name: &str, state: AccountState| MemberAccount {
        name: name.to_owned(),
        state,
        ..MemberAccount::active(&ids[n])
    };
    let mut inner = OrganizationalUnit::new("inner00001", "Inner").with_accounts([&*ids[5]]);
    inner.accounts.push(named(6, "Closing", AccountState::Suspended));
    let outer = OrganizationalUnit::new("outer00001", "Outer")
        .with_accounts([&*ids[2], &*ids[3]])
        .with_units([inner]);
    let mut other = OrganizationalUnit::new("other00001", "Other");
    other.accounts.push(named(7, "Other `x` | <b>", AccountState::Active));
    other.accounts.push(named(8, "Z\u{fc}rich", AccountState::Active));
    let mut organization = Organization { units: vec![outer, other], ..Organization::default() };
    organization.accounts = vec![named(1, "Root child", AccountState::Active)];
    let set = |options: &mut Options| options.organization = Some(organization);
    let fleet = FleetFixture::accounts(9).options(set).start().await;
    with(&fleet, &["ou-sbox-outer00001"], &[], "");
    fleet
}

/// Writes a fleet file with these units and exceptions, and this text in `[accounts]`.
fn with(fleet: &FleetFixture, units: &[&str], except: &[&str], accounts: &str) {
    let file = format!(
        "{HEAD}[accounts]\n{accounts}\n[organization]\nunits = {units:?}\nexcept = {except:?}\n"
    );
    let file = if accounts.is_empty() { file.replace("[accounts]\n\n", "") } else { file };
    fleet.write("fleet.toml", &file);
}

fn ids(fleet: &FleetFixture, plan: &Value, list: &str) -> Vec<usize> {
    let accounts = plan[list].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut numbers: Vec<usize> =
        accounts.iter().map(|it| fleet.number(it["account"].as_str().unwrap())).collect();
    numbers.sort_unstable();
    numbers
}

#[tokio::test(flavor = "multi_thread")]
async fn the_units_with_those_below_belong_to_the_fleet_and_what_nothing_covers_is_reported() {
    let fleet = organization().await;
    for (units, except, accounts, covered, uncovered) in [
        (&["ou-sbox-outer00001"][..], &[][..], "", &[2, 3, 5][..], &[0, 1, 7, 8][..]),
        (&["ou-sbox-inner00001"], &[], "", &[5], &[0, 1, 2, 3, 7, 8]),
        (&["ou-sbox-inner00001", "ou-sbox-outer00001"], &[], "", &[2, 3, 5], &[0, 1, 7, 8]),
        (&["ou-sbox-outer00001"], &[3, 7], "", &[2, 5], &[0, 1, 8]),
        (
            &["ou-sbox-outer00001"],
            &[],
            "hub = { id = \"123456789012\", assume_role = false }",
            &[0, 2, 3, 5],
            &[1, 7, 8],
        ),
        (&["ou-sbox-outer00001"], &[], "own = \"200000000002\"", &[2, 3, 5], &[0, 1, 7, 8]),
        (&["r-sbox"], &[0], "", &[1, 2, 3, 5, 7, 8], &[]),
    ] {
        let case = format!("{units:?} {except:?} {accounts}");
        let except: Vec<&str> = except.iter().map(|n: &usize| fleet.id(*n)).collect();
        with(&fleet, units, &except, accounts);
        let (code, plan) = fleet.plan_json(&[]).await;
        assert_eq!(code, 0, "{case}: {plan}");
        assert_eq!(ids(&fleet, &plan, "accounts"), covered, "{case}");
        assert_eq!(ids(&fleet, &plan, "uncovered"), uncovered, "{case}");
        for account in plan["accounts"].as_array().unwrap() {
            assert_eq!(account["plan"]["changes"].as_array().unwrap().len(), 2, "{case}");
        }
    }
    // An account that the fleet names keeps its name; the others have those of the organization.
    with(&fleet, &["r-sbox"], &[], "own = \"200000000002\"");
    let (_, plan) = fleet.plan_json(&[]).await;
    let names = plan["accounts"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap());
    let names: BTreeSet<&str> = names.collect();
    for name in ["own", "Root child", "Other `x` | <b>", "account-200000000008", "management"] {
        assert!(names.contains(name), "{name}: {names:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exception_that_is_not_an_account_of_the_organization_is_a_warning() {
    let fleet = organization().await;
    let warning =
        "except in fleet.toml lists 200000000033, which is not an account of the organization";
    with(&fleet, &["ou-sbox-outer00001"], &["200000000033", fleet.id(6)], "");
    let ran = fleet.plan(&[]).await;
    assert!(ran.code == 0 && ran.err.contains(warning), "{ran}");
    assert!(!ran.err.contains(fleet.id(6)), "a suspended account is one: {ran}");
    with(&fleet, &["ou-sbox-outer00001"], &[fleet.id(3)], "");
    let ran = fleet.plan(&[]).await;
    assert!(ran.code == 0 && !ran.err.contains("except"), "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_accounts_of_an_organization_are_applied_and_no_other() {
    let fleet = organization().await;
    let ran = fleet.apply(&["--format", "json"]).await;
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(fleet.written(), [2, 3, 5]);
    let end = summary(&ran);
    assert_eq!((&end["accounts"], &end["accounts_not_covered"]), (&3.into(), &4.into()), "{end}");
    let changed = [2, 3, 5];
    fleet
        .check(
            |n| if changed.contains(&n) { fleet.all_with(n, "Developer") } else { fleet.seeded(n) },
        )
        .await;
    let text = fleet.plan(&[]).await;
    assert!(
        text.out.contains("4 accounts of the organization are not covered by the fleet"),
        "{text}"
    );
    assert!(text.out.contains("management (123456789012)"), "{text}");
    assert!(!text.out.contains("Closing"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_that_cannot_be_listed_ends_the_run_before_anything_is_read() {
    for (action, fault, message) in [
        ("ListAccounts", Fault::access_denied(), "AccessDenied"),
        ("ListAccountsForParent", Fault::access_denied(), "AccessDenied"),
        ("ListOrganizationalUnitsForParent", Fault::access_denied(), "AccessDenied"),
    ] {
        let fleet = organization().await;
        let scope = FaultScope { action: Some(action.to_owned()), ..FaultScope::default() };
        fleet.faults().inject(scope, fault);
        for command in ["plan", "apply"] {
            let ran = match command {
                "plan" => fleet.plan(&[]).await,
                _ => fleet.apply(&[]).await,
            };
            assert_eq!(ran.code, 1, "{action}: {ran}");
            assert!(ran.err.contains(message) && ran.err.contains("help: "), "{action}: {ran}");
            assert!(ran.err.contains(&format!("organizations:{action}")), "{action}: {ran}");
            assert!((1..9).all(|n| fleet.calls(n) == 0), "{action}");
        }
    }
    let fleet = organization().await;
    with(&fleet, &["ou-sbox-none000001"], &[], "");
    let ran = fleet.plan(&[]).await;
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.err.contains("ou-sbox-none000001"), "{ran}");
    assert!(ran.err.starts_with("error: cannot read units of fleet.toml:4:9: "), "{ran}");
    assert!(ran.err.contains("\nhelp: correct units: "), "{ran}");
    fleet.sandbox.set_organization(None);
    let ran = fleet.plan(&[]).await;
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.err.contains("AWSOrganizationsNotInUse"), "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_the_fleet_file_lists_needs_no_organization() {
    let fleet = organization().await;
    with(&fleet, &["ou-sbox-outer00001"], &[], "own = \"200000000001\"");
    fleet.faults().inject(
        FaultScope { action: Some("ListRoots".into()), ..FaultScope::default() },
        Fault::access_denied(),
    );
    let of_organizations = |fleet: &FleetFixture| {
        let calls = fleet.sandbox.calls();
        let is_of = |action: &&String| {
            ["Organiz", "ForParent", "ListRoots", "ListAccounts", "ListParents"]
                .iter()
                .any(|part| action.contains(part))
        };
        calls.keys().filter(is_of).cloned().collect::<Vec<_>>()
    };
    let (code, plan) = fleet.plan_json(&["--account", "own"]).await;
    assert_eq!((code, ids(&fleet, &plan, "accounts")), (0, vec![1]), "{plan}");
    assert_eq!(of_organizations(&fleet), Vec::<String>::new());
    // The account of the organization does.
    fleet.faults().clear();
    let (code, plan) = fleet.plan_json(&["--account", fleet.id(5)]).await;
    assert_eq!((code, ids(&fleet, &plan, "accounts")), (0, vec![5]), "{plan}");
    assert_eq!(ids(&fleet, &plan, "uncovered"), Vec::<usize>::new());
    assert_ne!(of_organizations(&fleet), Vec::<String>::new());
    // A suspended one does not belong to the fleet.
    let ran = fleet.plan(&["--account", fleet.id(6)]).await;
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.err.contains("fleet.toml has no account 200000000006"), "{ran}");
}

#[test]
fn the_union_of_the_shards_is_the_fleet_and_no_account_is_in_two() {
    let ids: Vec<_> = account_ids(300)
        .iter()
        .map(|id| id.parse::<iam_boundaries::iam::AccountId>().unwrap())
        .collect();
    for count in 1..=50 {
        let mut seen = BTreeSet::new();
        for index in 1..=count {
            let shard: Shard = format!("{index}/{count}").parse().unwrap();
            for id in ids.iter().filter(|id| shard.contains(**id)) {
                assert!(seen.insert(*id), "{id} is in two of {count}");
            }
        }
        assert_eq!(seen.len(), ids.len(), "{count}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_machines_apply_a_fleet_in_three_shards_without_coordination() {
    let fleet = FleetFixture::accounts(30).start().await;
    let mut of_shards = Vec::new();
    for shard in ["1/3", "2/3", "3/3"] {
        let (code, plan) = fleet.plan_json(&["--shard", shard]).await;
        assert_eq!((code, &plan["shard"]), (0, &shard.into()));
        let planned = ids(&fleet, &plan, "accounts");
        assert!(!planned.is_empty());
        let ran = fleet.apply(&["--shard", shard, "--format", "json"]).await;
        assert_eq!(ran.code, 0, "{ran}");
        let mut applied: Vec<usize> = lines_of(&ran, "summary")
            .iter()
            .map(|it| fleet.number(it["account"].as_str().unwrap()))
            .collect();
        applied.sort_unstable();
        assert_eq!(applied, planned, "{shard}");
        of_shards.extend(planned);
        assert_eq!(fleet.all_writes(), 2 * of_shards.len() as u64, "{shard}");
    }
    of_shards.sort_unstable();
    assert_eq!(of_shards, (0..30).collect::<Vec<_>>());
    fleet.check(|n| fleet.all_with(n, "Developer")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_uncovered_accounts_of_an_organization_are_reported_by_one_shard_each() {
    let fleet = organization().await;
    let mut uncovered = Vec::new();
    for shard in ["1/2", "2/2"] {
        let (_, plan) = fleet.plan_json(&["--shard", shard]).await;
        uncovered.extend(ids(&fleet, &plan, "uncovered"));
    }
    uncovered.sort_unstable();
    assert_eq!(uncovered, [0, 1, 7, 8]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_version_of_the_fleet_tells_drift_from_changes_of_the_files() {
    let fleet = FleetFixture::accounts(3).start().await;
    // The earlier version has two accounts, and another boundary for user 0.
    let earlier = baseline(5, "\"policy/Developer\"")
        .replace("\"user-00000\" = \"policy/Developer\"", "\"user-00000\" = false");
    std::fs::create_dir(fleet.folder().join("main")).unwrap();
    fleet.write("main/baseline.toml", &earlier);
    let file = fleet.read("fleet.toml");
    let last = format!("{} = \"{}\"\n", account_name(2), fleet.id(2));
    fleet.write("main/fleet.toml", &file.replace(&last, ""));
    let (code, plan) = fleet.plan_json(&["--base", "main/fleet.toml"]).await;
    assert_eq!(code, 0, "{plan}");
    let origin = |n: usize, user: &str| {
        let changes = account_of(&plan, &account_name(n))["plan"]["changes"].as_array().unwrap();
        let change = changes.iter().find(|it| it["name"] == user).unwrap();
        change["origin"].as_str().unwrap().to_owned()
    };
    for n in 0..3 {
        assert_eq!(origin(n, "user-00000"), "this_change", "{n}");
    }
    for (n, expected) in [(0, "drift"), (1, "drift"), (2, "this_change")] {
        assert_eq!(origin(n, "first.last1"), expected, "{n}");
    }
    let twice = fleet.plan(&["--base", "main/fleet.toml", "--base", "fleet.toml"]).await;
    assert_eq!(twice.code, 1, "{twice}");
    let missing = fleet.plan(&["--base", "none.toml"]).await;
    assert!(missing.code == 1 && missing.err.contains("none.toml"), "{missing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_the_organization_reports_as_not_active_has_advice_about_its_state() {
    let fleet = organization().await;
    let closing = format!("closing = \"{}\"", fleet.id(6));
    let reported = "AWS Organizations reports that the account is suspended: sts:AssumeRole failed: AccessDenied";
    with(&fleet, &["ou-sbox-outer00001"], &[], &closing);
    for options in [&[][..], &["--as-planned"]] {
        let ran = fleet.apply(&[&["--format", "json"], options].concat()).await;
        assert_eq!(ran.code, 3, "{ran}");
        let problems = lines_of(&ran, "account_problem");
        assert_eq!(problems.len(), 1, "{ran}");
        let problem = &problems[0];
        assert_eq!(
            (&problem["code"], &problem["account_name"]),
            (&json!("AccountNotActive"), &json!("closing"))
        );
        assert!(problem["message"].as_str().unwrap().starts_with(reported), "{problem}");
        let advice = problem["advice"].as_str().unwrap();
        assert!(advice.contains("remove it from the fleet file"), "{advice}");
        assert!(!advice.contains("trust policy"), "{advice}");
    }
    // The saved plan keeps it.
    let ran = fleet.plan(&["--out", "plan.json"]).await;
    assert_eq!(ran.code, 3, "{ran}");
    let shown = fleet.run(&["show", "plan.json"]).await;
    let text = shown.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(reported) && text.contains("remove it from the fleet file"), "{shown}");

    // Each of two problems has its own advice in every format.
    fleet.inject(2, "AssumeRole", Fault::access_denied());
    for format in ["text", "markdown", "github", "html"] {
        let ran = fleet.plan(&["--format", format]).await;
        let text = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
        for advice in ["remove it from the fleet file", "the trust policy of the role"] {
            assert_eq!(text.matches(advice).count(), 1, "{format} {advice}: {ran}");
        }
    }
    fleet.faults().clear();

    // If the organization is not read, the state is one of several possible reasons.
    fleet.write("fleet.toml", &format!("{HEAD}[accounts]\n{closing}\n"));
    let ran = fleet.apply(&["--format", "json"]).await;
    let problem = &lines_of(&ran, "account_problem")[0];
    assert_eq!(problem["code"], "AccessDenied", "{ran}");
    let advice = problem["advice"].as_str().unwrap();
    assert!(advice.starts_with("check that the account is active and has the role"), "{advice}");
    assert!(advice.contains("trust policy") && !advice.contains("MFA"), "{advice}");
}
