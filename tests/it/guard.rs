//! Guard rails: changes that need an override, tested with the library and the binary.

use crate::support::plans::context;
use std::collections::BTreeMap;

use crate::support::fixture::{Fixture, lines, user};
use crate::support::plans::{arn, found, name, principal};
use iam_boundaries::config::Config;
use iam_boundaries::iam::{Principal, PrincipalKind};
use iam_boundaries::inventory::Inventory;
use iam_boundaries::plan::{Overrides, Plan, Supervision, Violation};
use iam_boundaries::sandbox::Fault;

/// A plan that removes the boundaries of `removals` users and adds boundaries to `additions` users, in an
/// account with `users` users. The file starts with `guard`.
fn plan(removals: usize, additions: usize, users: usize, guard: &str) -> Plan {
    let dev = arn("Developer");
    let mut file = format!("[guard]\n{guard}\n[users]\n");
    let mut live = BTreeMap::new();
    for n in 0..removals + additions {
        let is_removal = n < removals;
        file += &format!(
            "user-{n:04} = {}\n",
            if is_removal { "false".into() } else { format!("\"{dev}\"") }
        );
        live.insert(Principal::user(user(n)), found(is_removal.then(|| dev.clone())));
    }
    let config = Config::parse("boundaries.toml", &file).unwrap();
    let plan = Plan::between(&context(), &config, &Inventory::of(live));
    Plan { account_users: Some(users), ..plan }
}

fn violations(plan: &Plan, attendance: Supervision) -> Vec<&'static str> {
    let violations = plan.violations(None, attendance, &Overrides::default());
    violations
        .iter()
        .map(|refusal| match refusal {
            Violation::TooManyChanges(_) => "changes",
            Violation::TooManyRemovals(_) => "removals",
            Violation::Protected { .. } => "protected",
            Violation::OwnBoundary { .. } => "own",
            Violation::Widening { .. } => "widening",
            Violation::TakingUsed { .. } => "used",
        })
        .collect()
}

#[test]
fn unattended_runs_have_limits_where_the_file_sets_none() {
    use Supervision::{Attended, Unattended};
    for (removals, additions, users, refused) in [
        (0, 10, 10, &[][..]),
        (0, 11, 20, &["changes"]),
        (0, 100, 400, &[]),
        (0, 101, 400, &["changes"]),
        (5, 0, 20, &[]),
        (6, 0, 20, &["removals"]),
        (20, 0, 400, &[]),
        (21, 0, 400, &["removals"]),
        (6, 5, 20, &["changes", "removals"]),
    ] {
        let plan = plan(removals, additions, users, "");
        assert_eq!(violations(&plan, Unattended), refused, "{removals} {additions} {users}");
        assert!(violations(&plan, Attended).is_empty());
        assert_eq!(plan.is_large(), !refused.is_empty());
    }
}

#[test]
fn the_limits_of_the_file_apply_to_every_run_and_an_override_replaces_them_for_one_run() {
    use Supervision::{Attended, Unattended};
    for (guard, refused) in [
        ("max_changes = 30", &[][..]),
        ("max_changes = 29\nmax_removals = 10", &["changes"]),
        ("max_changes = \"30%\"\nmax_removals = \"9.99%\"", &["removals"]),
        ("max_changes = 0\nmax_removals = 0", &["changes", "removals"]),
    ] {
        let plan = plan(10, 20, 100, guard);
        let attended = violations(&plan, Attended);
        assert_eq!(attended, refused, "{guard}");
        assert!(attended.iter().all(|refusal| violations(&plan, Unattended).contains(refusal)));
        let overrides = Overrides {
            max_changes: Some("30".parse().unwrap()),
            max_removals: Some("10%".parse().unwrap()),
            ..Overrides::default()
        };
        assert!(plan.violations(None, Unattended, &overrides).is_empty(), "{guard}");
    }
}

#[test]
fn a_percentage_refers_to_the_listed_users_if_the_number_of_users_is_unknown() {
    let mut plan = plan(0, 11, 400, "max_changes = \"10%\"");
    assert!(plan.violations(None, Supervision::Unattended, &Overrides::default()).is_empty());
    plan.account_users = None;
    assert_eq!(violations(&plan, Supervision::Attended), ["changes"]);
    assert!(plan.is_account_size_needed(PrincipalKind::User, &Overrides::default()));
    // An absolute limit does not need the number of users.
    let overrides = Overrides { max_changes: Some("10".parse().unwrap()), ..Overrides::default() };
    assert!(!plan.is_account_size_needed(PrincipalKind::User, &overrides));
}

#[test]
fn a_change_of_a_protected_user_is_a_violation_in_any_case_unless_an_override_names_the_user() {
    let plan = plan(0, 3, 100, "protected = [\"USER-0001\", \"*-0002\"]");
    assert_eq!(violations(&plan, Supervision::Attended), ["protected", "protected"]);
    let overrides =
        Overrides { allow_protected: vec![Principal::user(user(1))], ..Overrides::default() };
    let left = plan.violations(None, Supervision::Attended, &overrides);
    let [Violation::Protected { principal, provenance, by }] = &left[..] else {
        panic!("{left:?}")
    };
    assert_eq!(
        (&principal.name, provenance.line, by.to_string().as_str()),
        (&user(2), 6, "*-0002")
    );
}

#[test]
fn a_change_of_the_callers_own_boundary_is_a_violation_without_an_override() {
    let (own, other) = (principal("User-0001"), principal("user-0009"));
    let refused = |guard: &str, caller, overrides: &Overrides| {
        !plan(0, 3, 100, guard)
            .violations(Some(caller), Supervision::Attended, overrides)
            .is_empty()
    };
    let allowed = Overrides { allow_own_boundary: true, ..Overrides::default() };
    assert!(refused("", &own, &Overrides::default()));
    assert!(!refused("", &other, &Overrides::default()));
    assert!(!refused("", &own, &allowed));
    assert!(!refused("allow_own_boundary = true", &own, &Overrides::default()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_rail_refuses_with_exit_code_4_and_nothing_is_written() {
    let users = lines(12, &format!("\"{}\"", arn("Developer")));
    let guard = "[guard]\nprotected = [\"break-*\", \"user-0003\"]\n";
    let file = format!("{guard}[users]\n{users}sandbox-operator = false\n");
    let fixture = Fixture::users(30).file(&file).start().await;
    fixture.sandbox.put_user(&name("sandbox-operator"), Some(&arn("Developer")));
    let mut said = String::new();
    for format in ["text", "markdown", "github", "json"] {
        let ran = fixture.run(&["apply", "--auto-approve", "--format", format]).await;
        assert_eq!(ran.code, 4, "{ran}");
        said = ran.err.clone();
        if format != "text" {
            // Markdown escapes possible markup.
            let plain = ran.out.replace(['\\', '`'], "");
            assert!(plain.contains("user-0003 (boundaries.toml:7) is protected by"), "{ran}");
            assert!(plain.contains("--allow-protected user-0003"), "{ran}");
        }
        if format == "json" {
            let lines = ran.json_lines();
            assert_eq!(lines.iter().filter(|line| line["outcome"] == "not_attempted").count(), 13);
            assert_eq!(lines.last().unwrap()["stopped_by"], "refused");
        }
    }
    insta::assert_snapshot!(said);
    let plan = fixture.run(&["plan", "--out", "plan.json"]).await;
    assert!(plan.out.contains("apply refuses this plan"), "{plan}");
    assert_eq!(fixture.run(&["apply", "plan.json", "--auto-approve"]).await.code, 4);
    assert_eq!(fixture.writes(), 0);
    // The overrides that the message suggests.
    let overrides =
        ["--max-changes", "13", "--allow-protected", "user-0003", "--allow-own-boundary"];
    let ran =
        fixture.run(&[&["apply", "plan.json", "--auto-approve"][..], &overrides].concat()).await;
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(fixture.writes(), 13);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_specified_to_plan_is_saved_with_the_plan_and_applies_to_apply() {
    let fixture = Fixture::users(20).listed_with("Developer").start().await;
    let plan = fixture.run(&["plan", "--out", "plan.json"]).await;
    assert!(plan.out.contains("apply --auto-approve refuses this plan"), "{plan}");
    assert_eq!(fixture.run(&["apply", "plan.json", "--auto-approve"]).await.code, 4);
    let plan = fixture.run(&["plan", "--out", "plan.json", "--max-changes", "100%"]).await;
    assert!(!plan.out.contains("refuses"), "{plan}");
    assert_eq!(fixture.run(&["apply", "plan.json", "--auto-approve"]).await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_cannot_be_a_boundary_blocks_only_its_own_changes() {
    let (developer, gone) = (arn("Developer"), arn("Gone"));
    let role = "arn:aws:iam::aws:policy/aws-service-role/AWSSupportServiceRolePolicy";
    let file = format!(
        "[boundaries]\ndev = \"{developer}\"\ngone = \"{gone}\"\n[users]\nuser-0000 = \"dev\"\n\
         user-0001 = \"gone\"\nuser-0002 = \"{role}\"\nuser-0003 = \"gone\"\nuser-0004 = \"dev\"\n"
    );
    let fixture = Fixture::users(6).file(&file).start().await;
    let plan = fixture.run(&["plan", "--out", "plan.json"]).await;
    assert_eq!(plan.code, 3, "{plan}");
    insta::assert_snapshot!(plan.out);
    // One call for each policy, and one for the document of the only one that is set.
    assert_eq!(fixture.sandbox.calls()["GetPolicy"], 4);
    let ran = fixture.run(&["apply", "--auto-approve"]).await;
    assert_eq!(ran.code, 3, "{ran}");
    assert_eq!(fixture.writes(), 2);
    assert!(fixture.has(0, "Developer") && fixture.has(4, "Developer"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_was_deleted_after_the_plan_was_saved_blocks_its_changes() {
    let fixture = Fixture::users(3).listed_with("Developer").start().await;
    assert_eq!(fixture.run(&["plan", "--out", "plan.json"]).await.code, 0);
    fixture.sandbox.remove_policy("Developer");
    let ran = fixture.run(&["apply", "plan.json", "--auto-approve"]).await;
    assert_eq!(ran.code, 3, "{ran}");
    assert!(ran.out.contains("Blocked, not changed: 3 users\n"), "{ran}");
    assert_eq!(ran.out.matches("IAM has no policy").count(), 1, "{ran}");
    assert!(ran.out.contains("3 blocked"), "{ran}");
    assert_eq!(fixture.writes(), 0);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn at_a_terminal_a_large_plan_is_confirmed_by_typing_its_number_of_changes() {
    use crate::support::terminal::answer;

    let fixture = Fixture::users(20).listed_with("Developer").start().await;
    for (typed, code) in [("yes\n", 1), ("19\n", 1), ("20\n", 0)] {
        let ran = answer(fixture.command(&["apply"]), "", "to continue: ", typed).await;
        assert_eq!(ran.code, code, "{ran}");
        assert!(ran.err.contains("Type the number of changes to continue:"), "{ran}");
        assert_eq!(fixture.writes(), if code == 0 { 20 } else { 0 });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_check_of_a_policy_or_of_the_number_of_users_is_a_warning() {
    let fixture = Fixture::users(12).listed_with("Developer").start().await;
    let denied = || Fault::error(403, "AccessDenied", "not authorized");
    fixture.sandbox.faults().add("GetPolicy", None, 1, denied());
    fixture.sandbox.faults().add("GetAccountSummary", None, 2, denied());
    let ran = fixture.run(&["apply", "--auto-approve"]).await;
    // 25 % of 12 known users is 3. The other limit, 10, is larger.
    assert_eq!(ran.code, 4, "{ran}");
    assert!(ran.err.contains("iam:GetPolicy failed: AccessDenied"), "{ran}");
    let ran = fixture.run(&["apply", "--auto-approve", "--max-changes", "12"]).await;
    assert_eq!((ran.code, fixture.writes()), (0, 12), "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_cannot_be_read_blocks_its_changes() {
    let fixture = Fixture::users(3).listed_with("Developer").start().await;
    fixture.sandbox.faults().add("GetPolicy", None, 1, Fault::error(400, "Odd", "what?"));
    let ran = fixture.run(&["apply", "--auto-approve"]).await;
    assert_eq!((ran.code, fixture.writes()), (3, 0), "{ran}");
    assert!(ran.out.contains("cannot check whether the policy"), "{ran}");
}
