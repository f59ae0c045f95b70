//! Applying the plans of a fleet: guard rails of an account and of the fleet, the order of the accounts.

use serde_json::Value;

use crate::support::Ran;
use crate::support::fixture::PUT;
use crate::support::fleet::{Boundaries, FleetFixture, account_name, baseline, lines_of, summary};
use iam_boundaries::iam::Shard;
use iam_boundaries::sandbox::Fault;

const JSON: [&str; 2] = ["--format", "json"];

/// A fleet of four accounts with two changes each. The second one has a file of its own, with this guard rail.
async fn with_guard(guard: &str) -> FleetFixture {
    let fleet = FleetFixture::accounts(4).start().await;
    let strict =
        baseline(5, "\"policy/Developer\"").replace("[guard]\n", &format!("[guard]\n{guard}\n"));
    let strict = match guard.split_once(" = ") {
        Some((key, _)) => strict.replace(&format!("{key} = \"100%\"\n"), ""),
        None => strict,
    };
    fleet.write("strict.toml", &strict);
    let id = fleet.id(1);
    let entry = format!("{} = {{ id = \"{id}\", files = [\"strict.toml\"] }}", account_name(1));
    let file = fleet.read("fleet.toml").replace(&format!("{} = \"{id}\"", account_name(1)), &entry);
    fleet.write("fleet.toml", &file);
    fleet
}

fn developers(fleet: &FleetFixture) -> impl Fn(usize) -> Boundaries {
    |n| fleet.all_with(n, "Developer")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_rail_of_an_account_refuses_this_account_only() {
    for guard in ["max_changes = 1", "protected = [\"user-*\"]"] {
        let fleet = with_guard(guard).await;
        let ran = fleet.apply(&JSON).await;
        assert_eq!(ran.code, 3, "{guard}: {ran}");
        let refused = lines_of(&ran, "refused");
        assert_eq!(refused.len(), 1, "{guard}: {ran}");
        assert_eq!(refused[0]["account"], fleet.id(1), "{guard}: {ran}");
        let end = summary(&ran);
        assert_eq!((&end["accounts_refused"], &end["accounts_complete"]), (&1.into(), &3.into()));
        assert_eq!((&end["applied"], &end["not_attempted"]), (&6.into(), &2.into()), "{end}");
        assert_eq!(fleet.written(), [0, 2, 3], "{guard}");
        fleet
            .check(|n| if n == 1 { fleet.seeded(n) } else { fleet.all_with(n, "Developer") })
            .await;

        // Nothing else is left to change, so nothing was changed.
        let again = fleet.apply(&JSON).await;
        assert_eq!(again.code, 4, "{guard}: {again}");
        let text = fleet.apply(&[]).await;
        assert_eq!(text.code, 4, "{guard}: {text}");
        assert!(text.out.contains(&format!("{}: the plan violates", fleet.label(1))), "{text}");
        assert_eq!(fleet.all_writes(), 6);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_of_a_guard_rail_applies_to_each_account() {
    let fleet = with_guard("max_changes = 1").await;
    let ran = fleet.apply(&["--max-changes", "2"]).await;
    assert_eq!(ran.code, 0, "{ran}");
    fleet.check(developers(&fleet)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_rail_of_the_fleet_refuses_every_account_and_nothing_is_written() {
    // 4 accounts with 5 users and 2 changes each.
    for (guard, is_refused, options) in [
        ("max_changes = 7", true, ["--max-fleet-changes", "8"]),
        ("max_changes = \"39%\"", true, ["--max-fleet-changes", "40%"]),
        ("max_changes = 8", false, ["--max-fleet-changes", "8"]),
        ("max_changes = \"40%\"", false, ["--max-fleet-changes", "8"]),
        ("max_accounts_changed = 3", true, ["--max-accounts-changed", "4"]),
        ("max_accounts_changed = \"99%\"", true, ["--max-accounts-changed", "100%"]),
        ("max_accounts_changed = 4", false, ["--max-accounts-changed", "4"]),
    ] {
        let fleet = FleetFixture::accounts(4).tail(&format!("[guard]\n{guard}\n")).start().await;
        if is_refused {
            let planned = fleet.plan(&[]).await;
            assert_eq!(planned.code, 0, "{guard}: {planned}");
            assert!(planned.out.contains("apply refuses the plans of all accounts"), "{planned}");
            for format in ["text", "json", "markdown"] {
                let ran = fleet.apply(&["--format", format]).await;
                assert_eq!(ran.code, 4, "{guard}: {ran}");
                assert!(
                    ran.err.contains("guard rails of the fleet are violated"),
                    "{guard}: {ran}"
                );
                assert!(!ran.err.contains("journals:"), "{guard}: {ran}");
                if format == "json" {
                    let refused = lines_of(&ran, "fleet_refused");
                    assert_eq!(refused.len(), 1, "{guard}: {ran}");
                    assert_eq!(summary(&ran)["applied"], 0, "{guard}: {ran}");
                }
            }
            assert_eq!(fleet.all_writes(), 0, "{guard}");
            fleet.check(|n| fleet.seeded(n)).await;
            assert_eq!(fleet.run_directories().len(), 0, "{guard}");
        }
        let ran = fleet.apply(if is_refused { &options } else { &[] }).await;
        assert_eq!(ran.code, 0, "{guard}: {ran}");
        fleet.check(developers(&fleet)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_max_accounts_failed_no_further_account_begins() {
    let fleet = FleetFixture::accounts(12).tail("[guard]\nmax_accounts_failed = 2\n").start().await;
    for n in 0..fleet.len() {
        fleet.inject(n, PUT, Fault::access_denied());
    }
    let ran = fleet.apply(&["--format", "json", "--accounts-at-once", "1"]).await;
    assert_eq!(ran.code, 3, "{ran}");
    let end = summary(&ran);
    assert_eq!((&end["accounts_failed"], &end["accounts_not_begun"]), (&2.into(), &10.into()));
    assert_eq!(end["not_attempted"].as_u64().unwrap() + end["failed"].as_u64().unwrap(), 24);
    let not_begun = lines_of(&ran, "account_not_begun");
    assert_eq!(not_begun.len(), 10);
    assert!(not_begun.iter().all(|line| line["reason"] == "max_accounts_failed"), "{ran}");
    assert_eq!(fleet.written(), [0, 1]);

    // Accounts that cannot be planned count, too, wherever they are in the order.
    fleet.faults().clear();
    let writes = fleet.all_writes();
    for n in [3, 7] {
        fleet.inject(n, "AssumeRole", Fault::access_denied());
    }
    let ran = fleet.apply(&["--format", "json", "--accounts-at-once", "1"]).await;
    assert_eq!(ran.code, 3, "{ran}");
    assert_eq!(lines_of(&ran, "account_not_begun").len(), 10, "{ran}");
    assert_eq!(fleet.all_writes(), writes, "{ran}");
    fleet.faults().clear();
    fleet.inject(3, "AssumeRole", Fault::access_denied());
    let ran = fleet.apply(&JSON).await;
    assert_eq!((ran.code, fleet.written().len()), (3, 11), "{ran}");
}

/// The reasons of the accounts that were not begun, by number.
fn not_begun(fleet: &FleetFixture, ran: &Ran) -> Vec<(usize, String)> {
    let line = |line: &Value| {
        let n = fleet.number(line["account"].as_str().unwrap());
        (n, line["reason"].as_str().unwrap().to_owned())
    };
    let mut accounts: Vec<_> = lines_of(ran, "account_not_begun").iter().map(line).collect();
    accounts.sort();
    accounts
}

#[tokio::test(flavor = "multi_thread")]
async fn if_a_canary_fails_the_others_are_not_begun_and_receive_nothing() {
    let fleet = FleetFixture::accounts(6).start().await;
    let canary = account_name(4);
    fleet.inject(4, PUT, Fault::access_denied());
    fleet.plan(&["--out", "plan.json"]).await;
    let calls = |fleet: &FleetFixture| -> Vec<u64> { (0..6).map(|n| fleet.calls(n)).collect() };
    let before = calls(&fleet);
    let apply = ["apply", "plan.json", "-y", "--format", "json", "--first", &canary];
    let ran = fleet.run(&apply).await;
    assert_eq!(ran.code, 3, "{ran}");
    let others = [0, 1, 2, 3, 5];
    assert_eq!(not_begun(&fleet, &ran), others.map(|n| (n, "first".to_owned())));
    let after = calls(&fleet);
    // The base identity is that of account 0.
    let base = 1;
    assert_eq!(after[0], before[0] + base, "{ran}");
    assert!(others[1..].iter().all(|n| after[*n] == before[*n]), "{before:?} {after:?}");
    assert_eq!(fleet.all_writes(), fleet.writes(4));

    // A canary that cannot be used, by its ID.
    fleet.faults().clear();
    fleet.inject(4, "AssumeRole", Fault::access_denied());
    let ran = fleet.apply(&["--format", "json", "--first", fleet.id(4)]).await;
    assert_eq!(ran.code, 3, "{ran}");
    assert_eq!(not_begun(&fleet, &ran).len(), 5, "{ran}");
    assert_eq!(fleet.all_writes(), fleet.writes(4));

    fleet.faults().clear();
    let unknown = fleet.apply(&["--first", "acct-999"]).await;
    assert_eq!(unknown.code, 1, "{unknown}");
    assert!(unknown.err.contains("fleet.toml has no account acct-999"), "{unknown}");
    let ran = fleet.apply(&["--first", &canary, "--first", &account_name(2)]).await;
    assert_eq!(ran.code, 0, "{ran}");
    fleet.check(developers(&fleet)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_canaries_are_verified_before_another_account_is_written() {
    let fleet = FleetFixture::accounts(5).start().await;
    let verify = std::time::Duration::from_millis(700);
    fleet.inject(3, PUT, Fault::Slow(verify));
    let arguments = ["--fleet", "fleet.toml", "apply", "-y", "--first", "acct-003"];
    let child = fleet.spawn(&arguments);
    crate::support::fleet::until("the canary is written", || fleet.writes(3) == 2).await;
    let others = || [0, 1, 2, 4].map(|n| fleet.writes(n)).iter().sum::<u64>();
    assert_eq!(others(), 0);
    let ran = crate::support::fleet::ended(child).await;
    assert_eq!((ran.code, others()), (0, 8), "{ran}");
    // The details of the canary are in the report before those of the others.
    let heading = |n: usize| ran.out.rfind(&format!("\n{}:\n", fleet.label(n))).unwrap();
    assert!([0, 1, 2, 4].iter().all(|n| heading(3) < heading(*n)), "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn as_planned_applies_each_account_within_what_the_guard_rails_of_the_fleet_leave() {
    let one = ["--as-planned", "--accounts-at-once", "1", "--format", "json"];
    for (guard, applied, reason) in [
        ("max_changes = 8", 8, None),
        ("max_changes = 5", 4, Some("guard_rail")),
        ("max_accounts_changed = 3", 6, Some("guard_rail")),
        ("max_accounts_changed = \"50%\"", 4, Some("guard_rail")),
    ] {
        let fleet = FleetFixture::accounts(4).tail(&format!("[guard]\n{guard}\n")).start().await;
        let ran = fleet.apply(&one).await;
        assert_eq!(ran.code, if reason.is_some() { 3 } else { 0 }, "{guard}: {ran}");
        let end = summary(&ran);
        assert_eq!(end["applied"], applied, "{guard}: {end}");
        assert_eq!(fleet.all_writes(), applied, "{guard}");
        let left: Vec<usize> = (applied as usize / 2..4).collect();
        let expected: Vec<_> =
            left.iter().map(|n| (*n, reason.unwrap_or_default().to_owned())).collect();
        assert_eq!(not_begun(&fleet, &ran), expected, "{guard}");
        fleet
            .check(
                |n| {
                    if left.contains(&n) { fleet.seeded(n) } else { fleet.all_with(n, "Developer") }
                },
            )
            .await;
    }
    let fleet = FleetFixture::accounts(4).tail("[guard]\nmax_changes = \"50%\"\n").start().await;
    let ran = fleet.apply(&one).await;
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.err.contains("50% of all principals is not known with --as-planned"), "{ran}");
    assert_eq!(fleet.all_writes(), 0);
    let ran = fleet.apply(&[&one[..], &["--max-fleet-changes", "8"]].concat()).await;
    assert_eq!(ran.code, 0, "{ran}");
    fleet.check(developers(&fleet)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn as_planned_an_account_that_violates_its_guard_rails_takes_nothing_of_the_others() {
    let fleet = with_guard("max_changes = 1").await;
    fleet.write("fleet.toml", &(fleet.read("fleet.toml") + "[guard]\nmax_changes = 6\n"));
    let ran = fleet.apply(&["--as-planned", "--accounts-at-once", "1", "--format", "json"]).await;
    assert_eq!(ran.code, 3, "{ran}");
    assert_eq!(lines_of(&ran, "refused").len(), 1, "{ran}");
    assert_eq!((summary(&ran)["applied"].as_u64(), fleet.written()), (Some(6), vec![0, 2, 3]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_not_selected_is_not_called_unknown() {
    let fleet = FleetFixture::accounts(2).start().await;
    fleet.plan(&["--out", "plan.json"]).await;
    let expected = "nothing was changed: --account does not select acct-001, which --first names\n\
                    help: add --account acct-001, or omit --first acct-001\n";
    for apply in [&["--fleet", "fleet.toml", "apply"][..], &["apply", "plan.json"]] {
        for as_planned in [&[][..], &["--as-planned"]] {
            if !as_planned.is_empty() && apply.len() == 2 {
                continue;
            }
            let options = ["-y", "--account", "acct-000", "--first", "acct-001"];
            let ran = fleet.run(&[apply, &options, as_planned].concat()).await;
            assert_eq!((ran.code, fleet.all_writes()), (1, 0), "{ran}");
            assert!(ran.err.contains(expected), "{ran}");
        }
    }
    let of = |shard: &str| shard.parse::<Shard>().unwrap().contains(fleet.id(0).parse().unwrap());
    let other = if of("1/2") { "2/2" } else { "1/2" };
    let ran = fleet.plan(&["--account", "acct-000", "--shard", other]).await;
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.out.contains("Nothing to plan: no selected account belongs to this part"), "{ran}");
    let unknown = fleet.plan(&["--account", "a", "--account", "b", "--account", "c"]).await;
    assert!(unknown.err.contains("fleet.toml has no account a, b or c"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn options_that_do_not_fit_a_fleet_are_refused_before_a_call() {
    const FILE_WITH_FLEET: &str = "error: -f baseline.toml cannot be used with --fleet\n\
        help: omit -f: the fleet file names the boundaries files\n";
    const EXPLAIN_WITH_FLEET: &str = "error: --explain cannot be used with --fleet\n\
        help: to explain it in one account, use -f with the boundaries files and the credentials of the account\n";
    const ROLLBACK_WITH_FLEET: &str = "error: --fleet cannot be used with rollback\n\
        help: omit --fleet: `rollback DIRECTORY` works on all accounts of the run\n";
    let fleet = FleetFixture::accounts(2).start().await;
    fleet.write("boundaries.toml", "[users]\n");
    for (arguments, message) in [
        (&["--fleet", "fleet.toml", "apply", "--as-planned"][..], "--auto-approve"),
        (&["--fleet", "fleet.toml", "-f", "baseline.toml", "plan"], "--fleet"),
        (&["--fleet", "fleet.toml", "plan", "-f", "baseline.toml"], FILE_WITH_FLEET),
        (&["--fleet", "fleet.toml", "apply", "-y", "-f", "baseline.toml"], FILE_WITH_FLEET),
        (&["--fleet", "fleet.toml", "check", "-f", "baseline.toml"], FILE_WITH_FLEET),
        (&["--fleet", "fleet.toml", "plan", "--explain", "user/alice"], EXPLAIN_WITH_FLEET),
        (&["plan", "--explain", "user/alice", "--fleet", "fleet.toml"], EXPLAIN_WITH_FLEET),
        (&["--fleet", "fleet.toml", "rollback", "run"], ROLLBACK_WITH_FLEET),
        (&["apply", "-y", "--first", "acct-000"], "--first"),
        (&["apply", "-y", "--as-planned"], "--as-planned"),
        (&["plan", "--shard", "1/2"], "--shard"),
        (&["--fleet", "fleet.toml", "plan", "--shard", "3/2"], "a shard is I/N"),
        (&["--fleet", "fleet.toml", "--account", "none", "plan"], "fleet.toml has no account none"),
    ] {
        let ran = fleet.run(arguments).await;
        assert_eq!(ran.code, 1, "{arguments:?}: {ran}");
        assert!(ran.err.contains(message), "{arguments:?}: {ran}");
        assert_eq!(fleet.all_writes(), 0, "{arguments:?}");
    }
}

const DEVELOPER: &str = "\"policy/Developer\"";

/// The numbers of accounts by their results. Their sum must be the number of accounts.
fn results(end: &Value) -> [u64; 6] {
    let count = |result: &str| end[format!("accounts_{result}")].as_u64().unwrap();
    let results =
        ["complete", "incomplete", "failed", "refused", "not_begun", "not_ended"].map(count);
    assert_eq!(results.iter().sum::<u64>(), end["accounts"].as_u64().unwrap(), "{end}");
    results
}

#[tokio::test(flavor = "multi_thread")]
async fn each_account_is_counted_with_one_result_and_the_changes_are_the_sums_of_the_lines() {
    let fleet = FleetFixture::accounts(6).tail("[guard]\nmax_accounts_failed = 3\n").start().await;
    let file = |n: usize, content: &str| {
        fleet.write(&format!("{n}.toml"), content);
        let id = fleet.id(n);
        let entry = format!("{{ id = \"{id}\", files = [\"{n}.toml\"] }}");
        let fleet_file = fleet.read("fleet.toml").replace(&format!("\"{id}\""), &entry);
        fleet.write("fleet.toml", &fleet_file);
    };
    let baseline = baseline(5, DEVELOPER);
    file(1, &baseline.replace("max_changes = \"100%\"", "max_changes = 1"));
    fleet.inject(2, "AssumeRole", Fault::access_denied());
    file(3, &format!("{}[unlisted]\nusers = \"error\"\n", self::baseline(4, DEVELOPER)));
    fleet.inject(4, PUT, Fault::access_denied());
    let ran = fleet.apply(&["--format", "json", "--accounts-at-once", "1"]).await;
    assert_eq!(ran.code, 3, "{ran}");
    let end = summary(&ran);
    assert_eq!(results(&end), [1, 1, 2, 1, 1, 0], "{ran}");
    check_sums(&ran);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_refused_because_of_a_conflict_is_counted_like_its_own_summary() {
    let fleet = FleetFixture::accounts(2).start().await;
    fleet.plan(&["--out", "plan.json"]).await;
    fleet.put(1, 0, "Contractor").await;
    let apply = ["apply", "plan.json", "-y", "--strict"];
    let ran = fleet.run(&[&apply[..], &JSON].concat()).await;
    assert_eq!(ran.code, 3, "{ran}");
    let end = summary(&ran);
    assert_eq!(results(&end), [1, 0, 0, 1, 0, 0], "{ran}");
    assert_eq!((&end["conflicts"], &end["not_attempted"]), (&1.into(), &1.into()), "{ran}");
    check_sums(&ran);
}

/// Checks that the numbers of changes in the last line are the sums of the other lines.
fn check_sums(ran: &Ran) {
    let (lines, end) = (ran.json_lines(), summary(ran));
    let of_accounts =
        |line: &&Value| line["type"] == "summary" || line["type"] == "account_not_begun";
    let sum = |field: &str| -> u64 {
        lines.iter().filter(of_accounts).filter_map(|line| line[field].as_u64()).sum()
    };
    for field in ["applied", "not_attempted", "conflicts", "calls"] {
        assert_eq!(end[field], sum(field), "{field}: {ran}");
    }
    assert_eq!(end["failed"], sum("failed") + sum("not_as_written"), "{ran}");
}
