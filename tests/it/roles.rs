//! Roles: from the file to the journal, beside users of the same names.

use crate::support::Binary;
use crate::support::fixture::{
    DELETE_ROLE, DETAILS, Fixture, PUT, PUT_ROLE, apply_options, denied, lines, role, user,
};
use crate::support::plans::{arn, name, principal};
use crate::support::run::{at_once, carry_out};
use iam_boundaries::apply::Verification;
use iam_boundaries::aws::StopSwitch;
use iam_boundaries::iam::{Principal, PrincipalKind};
use iam_boundaries::inventory::{CallOutcome, Reading};
use iam_boundaries::journal::RunRecord;
use iam_boundaries::ops::ApplyInput;
use iam_boundaries::ops::Selection;
use iam_boundaries::plan::{Overrides, Preflight, ProblemKind, Supervision, Verdict, Violation};
use iam_boundaries::sandbox::Fault;

const GET_ROLE: &str = "GetRole";
const SERVICE_PATH: &str = "/aws-service-role/support.amazonaws.com/";
const SSO_PATH: &str = "/aws-reserved/sso.amazonaws.com/";
/// More calls than a test makes.
const ALWAYS: u32 = 10_000;

fn file(users: usize, roles: usize) -> String {
    let value = format!("\"{}\"", arn("Developer"));
    format!("[users]\n{}[roles]\n{}", lines(users, &value), lines(roles, &value))
}

/// Whether a role has this policy as its boundary.
fn has(fixture: &Fixture, n: usize, policy: Option<&str>) -> bool {
    let boundary = policy.map(|policy| arn(policy).to_string());
    fixture.sandbox.boundary(&role(n)) == Some(boundary)
}

fn ending_line(ran: &crate::support::Ran) -> &str {
    ran.out.lines().rev().nth(1).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn users_and_roles_of_the_same_names_are_planned_applied_and_rolled_back() {
    let text = format!(
        "[users]\nuser-0000 = \"{0}\"\nuser-0001 = false\n[roles]\nuser-0000 = \"{1}\"\nuser-0001 = \"{0}\"\n\
         user-0002 = false\n",
        arn("Developer"),
        arn("Other")
    );
    let fixture = Fixture::users(3).roles(3).file(&text).start().await;
    fixture.set(1, "Other");
    fixture.sandbox.put_role(&user(2), "/deep/", Some(&arn("Developer")));
    let formats = ["text", "markdown", "github", "json"];
    let mut shown = String::new();
    for format in formats {
        let plan = fixture.run(&["plan", "--format", format]).await;
        assert_eq!(plan.code, 0, "{plan}");
        shown += &format!("---- {format}\n{}", plan.out);
    }
    insta::assert_snapshot!("plan_of_users_and_roles", shown);

    let applied = fixture.run(&["apply", "-y", "--format", "json", "--journal", "run.jsonl"]).await;
    assert_eq!(applied.code, 0, "{applied}");
    let mut items: Vec<_> = applied.json_lines();
    items.retain(|line| line["type"] == "item");
    let mut named: Vec<_> = items
        .iter()
        .map(|item| {
            assert_eq!(
                (&item["outcome"], &item["read_back"]),
                (&"applied".into(), &"as_written".into())
            );
            format!("{} {} {}", item["kind"], item["name"], item["action"]).replace('"', "")
        })
        .collect();
    named.sort();
    let expected = [
        "role user-0000 add",
        "role user-0001 add",
        "role user-0002 remove",
        "user user-0000 add",
        "user user-0001 remove",
    ];
    assert_eq!(named, expected);
    assert!(fixture.has(0, "Developer") && fixture.has_none(1) && fixture.has_none(2));
    assert!(has(&fixture, 0, Some("Other")) && has(&fixture, 1, Some("Developer")));
    assert!(has(&fixture, 2, None));
    assert_eq!(
        (fixture.calls(PUT), fixture.calls(PUT_ROLE), fixture.calls(DELETE_ROLE)),
        (1, 2, 1)
    );

    let record = RunRecord::read(&fixture.folder().join("run.jsonl")).unwrap();
    assert_eq!(record.entries.len(), 5);
    let of_role =
        record.entries.iter().filter(|it| it.intent.principal.kind == PrincipalKind::Role);
    assert!(
        of_role.clone().all(|it| it
            .intent
            .unique_id
            .as_ref()
            .unwrap()
            .as_str()
            .starts_with("AROA"))
    );
    assert_eq!(of_role.count(), 3);

    let in_sync = fixture.run(&["plan", "--detailed-exitcode"]).await;
    assert_eq!(in_sync.code, 0, "{in_sync}");
    let all = "In sync: all 2 listed users and all 3 listed roles match boundaries.toml";
    assert!(in_sync.out.starts_with(all), "{in_sync}");

    let back = fixture.run(&["rollback", "run.jsonl", "--out", "back.json"]).await;
    assert_eq!(back.code, 0, "{back}");
    let applied = fixture.run(&["apply", "back.json", "-y"]).await;
    assert_eq!(applied.code, 0, "{applied}");
    assert!(fixture.has_none(0) && fixture.has(1, "Other"));
    assert!(
        has(&fixture, 0, None) && has(&fixture, 1, None) && has(&fixture, 2, Some("Developer"))
    );
    let back = fixture.run(&["rollback", "run.jsonl"]).await;
    let restored =
        "Nothing to roll back: 2 users and 3 roles have the boundaries from before the run";
    assert!(back.out.starts_with(restored), "{back}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_does_not_exist_or_differs_in_case_cannot_be_planned() {
    let text = format!("[roles]\nnobody = false\nUSER-0000 = \"{}\"\n", arn("Developer"));
    let fixture = Fixture::users(1).roles(1).file(&text).start().await;
    fixture.sandbox.put_user(&name("nobody"), None);
    let plan = fixture.run(&["plan"]).await;
    assert_eq!(plan.code, 3, "{plan}");
    for said in [
        "boundaries.toml:2:1: role/nobody: IAM has no such role\n",
        "help: create the role, correct the name, or remove the entry",
        "boundaries.toml:3:1: role/USER-0000: IAM has no such role, but it has user-0000\n",
        "help: write the name as user-0000",
        "Incomplete: 0 of 2 listed roles in sync; 2 cannot be planned.",
    ] {
        assert!(plan.out.contains(said), "{said}: {plan}");
    }
    let applied = fixture.run(&["apply", "-y", "--format", "json"]).await;
    let codes: Vec<_> = applied.json_lines().iter().map(|line| line["code"].clone()).collect();
    assert_eq!(codes[..2], ["NoSuchRole", "NoSuchRole"]);
    assert_eq!((applied.code, fixture.writes()), (3, 0), "{applied}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_aws_manages_is_a_problem_with_its_reason_and_is_never_written() {
    let value = format!("\"{}\"", arn("Developer"));
    for others in [0, 60] {
        // Few roles are read by GetRole, and many by account pages.
        let text = format!("[roles]\nsupport = {value}\nsso = {value}\n{}", lines(others, &value));
        let fixture = Fixture::users(0).roles(others).file(&text).start().await;
        fixture.sandbox.put_role(&name("support"), SERVICE_PATH, None);
        fixture.sandbox.put_role(&name("sso"), SSO_PATH, Some(&arn("Other")));
        let plan = fixture.run(&["plan"]).await;
        assert_eq!(plan.code, 3, "{plan}");
        let text = plan.out.replace("\n      ", " ");
        for said in [
            "boundaries.toml:2:1: role/support: it is a service-linked role, which only its AWS service can change",
            "boundaries.toml:3:1: role/sso: it is a role of IAM Identity Center, which manages it by a permission",
            "help: remove the entry, and set the permissions boundary in the permission set",
        ] {
            assert!(text.contains(said), "{said}: {plan}");
        }
        let saved = fixture.run(&["plan", "--format", "json"]).await;
        let saved: serde_json::Value = serde_json::from_str(&saved.out).unwrap();
        let roles: Vec<_> = saved["problems"].as_array().unwrap().iter().collect();
        assert_eq!(roles[0]["problem"]["role"], "identity_center");
        assert_eq!(roles[1]["problem"]["role"], "service_linked");
        let arguments = ["apply", "-y", "--max-changes", "100%", "--format", "json"];
        let applied = fixture.run(&arguments).await;
        assert_eq!(applied.code, 3, "{applied}");
        assert_eq!(applied.json_lines()[0]["code"], "UnmodifiableEntity");
        assert_eq!(fixture.writes(), others as u64);
        assert!(others == 0 || has(&fixture, 59, Some("Developer")));
        let sso = fixture.sandbox.boundary(&Principal::role(name("sso")));
        assert_eq!(sso, Some(Some(arn("Other").to_string())));
    }
}

#[tokio::test]
async fn a_role_that_iam_refuses_to_change_has_failed_and_the_others_are_changed() {
    let fixture = Fixture::users(1).roles(2).file(&file(1, 2)).start().await;
    let refusal = Fault::error(400, "UnmodifiableEntity", "this role is only modifiable by AWS");
    fixture.sandbox.faults().add(PUT_ROLE, Some("user-0000"), 1, refusal);
    let account = fixture.account().await;
    let plan = fixture.plan(&account).await;
    let (items, summary) = carry_out(&account, &plan, at_once(4), &StopSwitch::new(), |_| {}).await;
    assert_eq!((summary.applied, summary.failed), (2, 1));
    let CallOutcome::Failed { attempts, error, may_be_done: false } = &items[&role(0)].call else {
        panic!("{items:?}")
    };
    assert_eq!((*attempts, &*error.action), (1, "iam:PutRolePermissionsBoundary"));
    let advice = iam_boundaries::report::advice(error).unwrap();
    assert_eq!(advice, "AWS manages this role, and nobody else can change it; remove its entry");
    assert!(fixture.has(0, "Developer") && has(&fixture, 1, Some("Developer")));
}

#[tokio::test]
async fn a_role_that_is_created_again_or_by_aws_before_the_run_is_a_conflict() {
    let fixture = Fixture::users(0)
        .roles(3)
        .file(&file(1, 3).replace("[users]\n", "[users]\nx = false\n"))
        .start()
        .await;
    let account = fixture.account().await;
    let plan = fixture.plan(&account).await;
    assert_eq!((plan.changes.len(), plan.problems.len()), (3, 2));
    for n in 0..2 {
        fixture.sandbox.remove(&role(n));
    }
    fixture.sandbox.put_role(&user(0), "/", None);
    fixture.sandbox.put_role(&user(1), SERVICE_PATH, None);
    let listed: Vec<Principal> = plan.changes.iter().map(|it| it.principal.clone()).collect();
    let preflight = Preflight::of(plan, &account.inventory(&listed).await.unwrap());
    let verdicts: Vec<&Verdict> = preflight.changes().map(|(_, verdict)| verdict).collect();
    assert!(matches!(verdicts[0], Verdict::Conflict(Reading::Found { .. })), "{verdicts:?}");
    assert!(matches!(verdicts[1], Verdict::Conflict(Reading::Unmodifiable { .. })), "{verdicts:?}");
    assert_eq!(verdicts[2], &Verdict::Ready);
    let refused = iam_boundaries::plan::Refused::Conflicts;
    let text = |format| {
        use iam_boundaries::report::{Style, render_refused};
        render_refused(&preflight, &refused, format, Style { width: 400, ..Style::PLAIN })
    };
    let shown = text(iam_boundaries::report::Format::Text);
    assert!(shown.contains("role/user-0000: the role was deleted and created again"), "{shown}");
    assert!(
        shown.contains("role/user-0001: the plan expected no boundary, but it is a service-linked"),
        "{shown}"
    );
    let json = text(iam_boundaries::report::Format::Json);
    assert!(
        json.contains(r#""found":{"kind":"unmodifiable","arn":null,"unique_id":"AROA"#),
        "{json}"
    );
}

#[tokio::test]
async fn the_role_of_the_caller_is_guarded_like_the_user_of_the_caller() {
    for (caller, is_own) in [("user-0001", true), ("USER-0001", true), ("user-0002", false)] {
        let text = format!("[users]\n{0}[roles]\n{0}", "user-0001 = false\n");
        let fixture = Fixture::users(2).roles(2).file(&text).start().await;
        fixture.sandbox.put_user(&user(1), Some(&arn("Developer")));
        fixture.sandbox.put_role(&user(1), "/a/path/", Some(&arn("Developer")));
        fixture.sandbox.assume_role(&name(caller));
        let account = fixture.account().await;
        let plan = fixture.plan(&account).await;
        assert_eq!(plan.changes.len(), 2);
        let caller = account.identity().principal();
        let violations = |overrides: &Overrides| {
            plan.violations(caller.as_ref(), Supervision::Attended, overrides)
        };
        match &violations(&Overrides::default())[..] {
            [] => assert!(!is_own),
            // The user of the same name is not the caller.
            [Violation::OwnBoundary { principal, .. }] => assert!(is_own && *principal == role(1)),
            other => panic!("{other:?}"),
        }
        let allowed = Overrides { allow_own_boundary: true, ..Overrides::default() };
        assert!(violations(&allowed).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn apply_refuses_to_change_the_role_of_the_caller_without_an_override() {
    let fixture = Fixture::users(0)
        .roles(1)
        .file(&format!("[roles]\n{}", lines(1, &format!("\"{}\"", arn("Developer")))))
        .start()
        .await;
    fixture.sandbox.assume_role(&user(0));
    let refused = fixture.run(&["apply", "-y"]).await;
    assert_eq!((refused.code, fixture.writes()), (4, 0), "{refused}");
    let said = "role/user-0000 (boundaries.toml:2) is the role of the caller, and the plan changes its own boundary";
    assert!(refused.err.contains(said), "{refused}");
    let applied = fixture.run(&["apply", "-y", "--allow-own-boundary"]).await;
    assert_eq!((applied.code, fixture.writes()), (0, 1), "{applied}");
}

#[tokio::test(flavor = "multi_thread")]
async fn protected_roles_and_protected_users_are_two_lists() {
    let guard =
        "[guard]\nprotected = [\"*-0000\"]\nprotected_roles = [\"USER-0001\", \"admin-*\"]\n";
    let fixture = Fixture::users(2).roles(2).file(&format!("{guard}{}", file(2, 2))).start().await;
    let refused = fixture.run(&["apply", "-y"]).await;
    assert_eq!((refused.code, fixture.writes()), (4, 0), "{refused}");
    let text = &refused.err;
    assert!(text.contains("user-0000 (boundaries.toml:5) is protected by \"*-0000\""), "{refused}");
    assert!(
        text.contains("role/user-0001 (boundaries.toml:9) is protected by \"USER-0001\""),
        "{refused}"
    );
    assert!(text.contains("--allow-protected user-0000"), "{refused}");
    assert!(text.contains("--allow-protected-role user-0001"), "{refused}");
    assert_eq!(text.matches("is protected by").count(), 2, "{refused}");
    // An override for a user does not allow the role of this name, and the other way around.
    let swapped = ["--allow-protected", "user-0001", "--allow-protected-role", "user-0000"];
    let refused = fixture.run(&[&["apply", "-y"], &swapped[..]].concat()).await;
    assert_eq!((refused.code, fixture.writes()), (4, 0), "{refused}");
    let overrides = ["--allow-protected", "user-0000", "--allow-protected-role", "user-0001"];
    let saved = fixture.run(&["plan", "--out", "plan.json"]).await;
    assert_eq!(saved.code, 0, "{saved}");
    let applied = fixture.run(&[&["apply", "plan.json", "-y"], &overrides[..]].concat()).await;
    assert_eq!((applied.code, fixture.writes()), (0, 4), "{applied}");
    assert_eq!(
        ending_line(&applied).split(';').next(),
        Some("Apply complete: 4 applied, 0 failed, 0 not attempted")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_percentage_limits_users_and_roles_separately() {
    let guard = "[guard]\nmax_changes = \"20%\"\n";
    let fixture =
        Fixture::users(100).roles(10).file(&format!("{guard}{}", file(20, 3))).start().await;
    let refused = fixture.run(&["apply", "-y"]).await;
    assert_eq!((refused.code, fixture.writes()), (4, 0), "{refused}");
    let text = &refused.err;
    // 20 of 100 users are not too many.
    let said =
        "3 changes of roles exceed max_changes = \"20%\", which is 2 of the account's 10 roles";
    assert!(text.contains(said) && !text.contains("100 users"), "{refused}");
    assert!(text.contains("add --max-changes 23;"), "{refused}");
    let applied = fixture.run(&["apply", "-y", "--max-changes", "23"]).await;
    assert_eq!((applied.code, fixture.writes()), (0, 23), "{applied}");

    // The defaults of an unattended run, too: 10 of each kind, whatever the ratio.
    let fixture = Fixture::users(100).roles(30).file(&file(11, 11)).start().await;
    let refused = fixture.run(&["apply", "-y"]).await;
    let text = &refused.err;
    let said = "11 changes of roles exceed 10, the default max_changes of an unattended run: the greater of 10 and \
                25% of the account's 30 roles";
    assert!(text.contains(said) && !text.contains("100 users"), "{refused}");
    assert_eq!(fixture.calls("GetAccountSummary"), 1);
}

#[tokio::test]
async fn where_account_pages_leave_boundaries_out_get_role_decides() {
    let fixture = Fixture::users(60).roles(60).file(&file(60, 60)).start().await;
    fixture.sandbox.faults().add(DETAILS, None, ALWAYS, Fault::WithoutBoundaries);
    let options = apply_options(
        &fixture.sandbox,
        fixture.folder(),
        ApplyInput::Files(Selection::of_files(vec![fixture.folder().join("boundaries.toml")])),
    );
    let applied = crate::support::fixture::apply(&options).await;
    assert_eq!(
        (applied.summary.applied, fixture.calls("GetUser"), fixture.calls(GET_ROLE)),
        (120, 60, 60)
    );
    for principal in [Principal::user(user(3)), role(3)] {
        let Verification::AsWrittenBySingleRead(pages) = &applied.items[&principal].verification
        else {
            panic!("{:?}", applied.items[&principal])
        };
        assert_eq!(pages.boundary(), Some(None));
    }

    // Without permission for GetUser, the pages decide on users, and GetRole on roles.
    fixture.write_file(&file(60, 60).replace("Developer", "Other"));
    fixture.sandbox.faults().add("GetUser", None, ALWAYS, denied());
    let applied = crate::support::fixture::apply(&options).await;
    let is_decided = |principal: &Principal| {
        matches!(applied.items[principal].verification, Verification::AsWrittenBySingleRead(_))
    };
    assert!((0..60).all(|n| is_decided(&role(n)) && !is_decided(&Principal::user(user(n)))));
    assert_eq!((applied.summary.applied, applied.summary.not_as_written), (60, 60));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_json_report_names_the_single_read_of_the_kind() {
    let fixture = Fixture::users(60).roles(60).file(&file(60, 60)).start().await;
    fixture.sandbox.faults().add(DETAILS, None, ALWAYS, Fault::WithoutBoundaries);
    let arguments = ["apply", "-y", "--max-changes", "100%", "--read-back", "0s"];
    let applied = fixture.run(&[&arguments[..], &["--format", "json"]].concat()).await;
    assert_eq!(applied.code, 0, "{applied}");
    for line in applied.json_lines().iter().filter(|line| line["type"] == "item") {
        let expected = format!("as_written_by_get_{}", line["kind"].as_str().unwrap());
        assert_eq!(line["read_back"], expected.as_str(), "{line}");
    }
}

#[tokio::test]
async fn faults_of_the_actions_on_roles_do_not_affect_users() {
    let fixture = Fixture::users(5).roles(5).file(&file(5, 5)).start().await;
    let failure = Fault::error(500, "ServiceFailure", "sorry");
    fixture.sandbox.faults().add(PUT_ROLE, Some("user-0001"), 3, failure);
    fixture.sandbox.faults().add(PUT_ROLE, Some("user-0004"), ALWAYS, denied());
    let (items, summary) = fixture.apply(4).await;
    assert_eq!((summary.applied, summary.failed), (9, 1));
    assert_eq!((fixture.calls(PUT), fixture.calls(PUT_ROLE)), (5, 8));
    assert!(
        items[&user(4)].outcome().word() == "applied"
            && items[&role(4)].outcome().word() == "failed"
    );
}

#[test]
fn names_of_roles_that_aws_manages_are_errors_of_the_file() {
    let text = "[users]\nAWSServiceRoleForX = false\n[roles]\nAWSServiceRoleForSupport = false\n\
                AWSReservedSSO_Admin_0123456789abcdef = false\nmy-AWSServiceRoleForX = false\n";
    let checked = Binary::with_file(text).run(&["check"]);
    assert_eq!(checked.code, 1, "{checked}");
    insta::assert_snapshot!("names_of_roles_that_aws_manages", checked.err);
}

#[tokio::test]
async fn a_plan_of_a_role_problem_is_read_back() {
    let fixture = Fixture::users(1)
        .file("[roles]\nsupport = false\n[users]\nuser-0000 = false\n")
        .start()
        .await;
    fixture.sandbox.put_role(&name("support"), SERVICE_PATH, None);
    let plan = fixture.plan(&fixture.account().await).await;
    assert!(matches!(plan.problems[0].kind, ProblemKind::Unmodifiable { .. }));
    assert_eq!((plan.in_sync.users, plan.in_sync.roles), (1, 0));
    let again = iam_boundaries::plan::Plan::from_json(plan.to_json().as_bytes());
    assert_eq!(again.as_ref(), Ok(&plan));
    assert_ne!(plan.problems[0].principal, principal("support"));
}
