//! Reading users and roles with the real SDK over a real socket: which requests are sent, and what is made of the
//! responses.

use std::collections::BTreeSet;

use crate::support::fixture::{DETAILS, Fixture, account, denied, lines, role, user};
use crate::support::plans::{arn, name};
use crate::support::query::call;
use iam_boundaries::aws::Account;
use iam_boundaries::iam::{Principal, PrincipalKind, UnmodifiableRole};
use iam_boundaries::inventory::{EveryPrincipal, EveryPrincipalError, Inventory, Reading};
use iam_boundaries::sandbox::{Fault, Options, Sandbox, Seed};

const GET_USER: &str = "GetUser";
const GET_ROLE: &str = "GetRole";
const SUMMARY: &str = "GetAccountSummary";
const SERVICE_PATH: &str = "/aws-service-role/support.amazonaws.com/";
/// More calls than a test makes.
const ALWAYS: u32 = 10_000;

/// Users and roles of the same names, on pages of this size.
async fn fixture(users: usize, roles: usize, page_size: usize) -> Fixture {
    Fixture::users(users).roles(roles).page_size(page_size).start().await
}

/// The first `users` users and the first `roles` roles.
fn listed(users: usize, roles: usize) -> Vec<Principal> {
    (0..users).map(|n| Principal::user(user(n))).chain((0..roles).map(role)).collect()
}

async fn read(account: &Account, listed: &[Principal]) -> Inventory {
    account.inventory(listed).await.unwrap()
}

fn is_found(inventory: &Inventory, principal: &Principal) -> bool {
    matches!(inventory.reading(principal), Reading::Found { .. })
}

fn calls(fixture: &Fixture) -> [u64; 4] {
    [DETAILS, GET_USER, GET_ROLE, SUMMARY].map(|action| fixture.calls(action))
}

#[tokio::test]
async fn one_listing_of_pages_has_both_kinds_and_only_the_kinds_that_are_listed() {
    for (users, roles, pages) in [(100, 200, 3), (100, 0, 1), (0, 200, 2)] {
        let fixture = fixture(100, 200, 100).await;
        let listed = listed(users, roles);
        let inventory = read(&fixture.account().await, &listed).await;
        assert!(listed.iter().all(|principal| is_found(&inventory, principal)));
        let unique_id = |principal| inventory.reading(principal).unique_id().unwrap().to_string();
        for principal in &listed {
            assert_eq!(Some(unique_id(principal)), fixture.sandbox.unique_id(principal));
        }
        assert_eq!(calls(&fixture), [pages, 0, 0, 0], "{users} users, {roles} roles");
    }
}

#[tokio::test]
async fn few_principals_are_read_one_by_one_each_by_the_action_of_its_kind() {
    for (users, roles) in [(1, 1), (0, 2), (2, 0)] {
        let fixture = fixture(5, 5, 1_000).await;
        read(&fixture.account().await, &listed(users, roles)).await;
        assert_eq!(calls(&fixture), [0, users as u64, roles as u64, 0]);
    }
}

#[tokio::test]
async fn the_cheapest_way_depends_on_the_number_of_users_and_roles_in_the_account() {
    // A page has up to 1,000 users and roles.
    for (users, roles, expected) in [
        (3, 0, [1, 0, 0, 1]),
        // 3,300 users and roles are on four pages.
        (2, 2, [0, 2, 2, 1]),
        (2, 3, [4, 0, 0, 1]),
        // 3,000 roles are on three pages.
        (0, 3, [0, 0, 3, 1]),
        (0, 4, [3, 0, 0, 1]),
    ] {
        let fixture = fixture(300, 3_000, 1_000).await;
        let mut listed = listed(users, roles);
        if expected[0] > 1 {
            // Pages are read only up to the last one that is needed.
            listed.pop();
            listed.push(role(2_999));
        }
        read(&fixture.account().await, &listed).await;
        assert_eq!(calls(&fixture), expected, "{users} users, {roles} roles");
    }
}

#[tokio::test]
async fn a_role_that_pages_omit_is_never_reported_as_missing() {
    let fixture = fixture(60, 60, 10).await;
    // The second page omits two of the users and roles.
    fixture.sandbox.faults().add(DETAILS, None, 2, Fault::Shifted(2));
    let mut principals = listed(60, 60);
    principals.push(Principal::role(name("nobody")));
    let inventory = read(&fixture.account().await, &principals).await;
    let (nobody, others) = principals.split_last().unwrap();
    assert!(others.iter().all(|principal| is_found(&inventory, principal)));
    assert!(inventory.reading(nobody).is_not_found());
    // One user and one role have the same name, so they are next to each other.
    assert_eq!((fixture.calls(GET_USER), fixture.calls(GET_ROLE)), (1, 2));
}

#[tokio::test]
async fn without_account_pages_users_and_roles_are_read_one_by_one() {
    let fixture = fixture(60, 60, 1_000).await;
    fixture.sandbox.faults().add(DETAILS, None, ALWAYS, denied());
    let listed = listed(60, 60);
    let inventory = read(&fixture.account().await, &listed).await;
    assert!(listed.iter().all(|principal| is_found(&inventory, principal)));
    assert_eq!(calls(&fixture), [1, 60, 60, 0]);

    // Roles are denied, and users are read.
    fixture.sandbox.faults().add(GET_ROLE, None, ALWAYS, denied());
    let inventory = read(&fixture.account().await, &listed).await;
    for principal in &listed {
        let is_denied = inventory.reading(principal).denied().is_some();
        assert_eq!(is_denied, principal.kind == PrincipalKind::Role, "{principal}");
    }
    fixture.sandbox.faults().add(GET_USER, None, ALWAYS, denied());
    let error = fixture.account().await.inventory(&listed).await.unwrap_err();
    assert!(["iam:GetUser", "iam:GetRole"].contains(&&*error.action), "{error}");
}

#[tokio::test]
async fn without_get_role_a_few_roles_are_read_by_pages() {
    let fixture = fixture(150, 1, 100).await;
    fixture.sandbox.faults().add(GET_ROLE, None, ALWAYS, denied());
    let listed = listed(1, 1);
    let inventory = read(&fixture.account().await, &listed).await;
    assert!(listed.iter().all(|principal| is_found(&inventory, principal)));
    // The page has only roles.
    assert_eq!(calls(&fixture), [1, 1, 1, 0]);
}

#[tokio::test]
async fn the_path_tells_whether_aws_manages_a_role_however_it_is_read() {
    for others in [0, 60] {
        let fixture = fixture(0, others, 1_000).await;
        let support = Principal::role(name("support"));
        fixture.sandbox.put_role(&support.name, SERVICE_PATH, Some(&arn("Developer")));
        let mut principals = listed(0, others);
        principals.push(support.clone());
        let inventory = read(&fixture.account().await, &principals).await;
        let expected = Reading::Unmodifiable {
            unique_id: fixture.sandbox.unique_id(&support).unwrap().parse().unwrap(),
            boundary: Some(arn("Developer")),
            role: UnmodifiableRole::ServiceLinked,
        };
        assert_eq!(inventory.reading(&support), &expected);
    }
}

/// The response to `GetRole` with these fields of the role.
fn role_response(fields: &str) -> Fault {
    Fault::Response(format!(
        "<GetRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetRoleResult><Role>{fields}</Role>\
         </GetRoleResult></GetRoleResponse>"
    ))
}

#[tokio::test]
async fn a_response_that_does_not_say_everything_about_a_role_is_an_error() {
    let fields = "<Path>/</Path><RoleName>user-0000</RoleName><RoleId>AROA0000000000000000</RoleId>\
                  <Arn>a</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>";
    for (fields, why) in [
        (fields.to_owned(), None),
        (fields.replace("user-0000", "user-0001"), Some("another role than requested")),
        (fields.replace("AROA0000000000000000", "x"), Some("the role's unique ID")),
        (
            format!("{fields}<PermissionsBoundary/>"),
            Some("the boundary in the response has no ARN"),
        ),
        (
            fields.replace("<Arn>a</Arn>", "<Arn>a</Arn><Path>/aws-reserved/x/</Path>"),
            Some("twice"),
        ),
    ] {
        let fixture = fixture(0, 1, 1_000).await;
        fixture.sandbox.faults().add(GET_ROLE, None, ALWAYS, role_response(&fields));
        let account = fixture.account().await.reading_with(crate::support::fixture::quick());
        match (read(&account, &[role(0)]).await.reading(&role(0)), why) {
            (Reading::Found { boundary: None, .. }, None) => {}
            (Reading::Unreadable(error), Some(why)) => {
                assert!(error.message.contains(why), "{error}");
                assert_eq!(error.action, "iam:GetRole");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_page_with_a_role_without_a_path_makes_the_role_unreadable() {
    let page = "<GetAccountAuthorizationDetailsResponse><GetAccountAuthorizationDetailsResult><UserDetailList/>\
                <RoleDetailList><member><RoleName>user-0000</RoleName><RoleId>AROA0000000000000000</RoleId></member>\
                </RoleDetailList><IsTruncated>false</IsTruncated></GetAccountAuthorizationDetailsResult>\
                </GetAccountAuthorizationDetailsResponse>";
    let fixture = fixture(0, 60, 1_000).await;
    fixture.sandbox.faults().add(DETAILS, None, 1, Fault::Response(page.to_owned()));
    let inventory = read(&fixture.account().await, &listed(0, 60)).await;
    let Reading::Unreadable(error) = inventory.reading(&role(0)) else { panic!("{inventory:?}") };
    assert_eq!(error.message, "the response has no path for the role");
    assert!(is_found(&inventory, &role(1)));
}

#[tokio::test]
async fn a_page_with_a_role_twice_in_different_versions_is_an_error() {
    let role = |path: &str| {
        format!(
            "<member><Path>{path}</Path><RoleName>user-0000</RoleName><RoleId>AROA0000000000000000</RoleId></member>"
        )
    };
    let page = |roles: String| {
        Fault::Response(format!(
            "<{DETAILS}Response><{DETAILS}Result><RoleDetailList>{roles}</RoleDetailList><IsTruncated>false\
             </IsTruncated></{DETAILS}Result></{DETAILS}Response>"
        ))
    };
    let fixture = fixture(0, 60, 1_000).await;
    let account = fixture.account().await.reading_with(crate::support::fixture::quick());
    let twice = |second: &str| page(role("/") + &role(second));
    fixture.sandbox.faults().add(DETAILS, None, 1, twice("/"));
    assert!(is_found(&read(&account, &listed(0, 60)).await, &crate::support::fixture::role(0)));
    fixture.sandbox.faults().add(DETAILS, None, ALWAYS, twice("/aws-reserved/x/"));
    let error = account.inventory(&listed(0, 60)).await.unwrap_err();
    let said = "the response contains the role \"user-0000\" twice, with different content";
    assert_eq!(error.message, said);
}

fn both() -> BTreeSet<PrincipalKind> {
    PrincipalKind::ALL.into()
}

/// Users and roles of the same names, and a role that AWS manages. Every other one has a boundary.
async fn to_import(page_size: usize) -> (Sandbox, EveryPrincipal) {
    let sandbox = Sandbox::start(Options { page_size, ..Options::default() }).await.unwrap();
    let policy = sandbox.put_policy("Developer");
    let mut expected = EveryPrincipal::new();
    for n in 0..5 {
        let boundary = (n % 2 == 0).then(|| policy.clone());
        sandbox.put_user(&user(n), boundary.as_ref());
        sandbox.put_role(&user(n), "/", boundary.as_ref());
        expected.insert(Principal::user(user(n)), boundary.clone());
        expected.insert(role(n), boundary);
    }
    sandbox.put_role(&name("support"), SERVICE_PATH, None);
    (sandbox, expected)
}

#[tokio::test]
async fn every_user_and_role_that_can_be_changed_is_read_from_the_same_pages() {
    let (sandbox, mut expected) = to_import(1_000).await;
    let account = account(&sandbox).await;
    assert_eq!(account.every_principal(&both()).await.unwrap(), expected);
    assert_eq!(sandbox.calls()[DETAILS], 1);
    for kind in PrincipalKind::ALL {
        let of_kind = account.every_principal(&[kind].into()).await.unwrap();
        let expected = expected.clone().into_iter().filter(|(it, _)| it.kind == kind).collect();
        assert_eq!(of_kind, expected);
    }
    expected.clear();
    // The roles that AWS manages count as roles of the account.
    assert_eq!(account.count_of(PrincipalKind::User).await.unwrap(), 5);
    assert_eq!(account.count_of(PrincipalKind::Role).await.unwrap(), 6);
    assert_eq!(sandbox.calls()[SUMMARY], 3);
}

#[tokio::test]
async fn without_account_pages_the_names_are_listed_and_each_principal_is_read() {
    let (sandbox, expected) = to_import(2).await;
    sandbox.faults().add(DETAILS, None, ALWAYS, denied());
    let everyone = account(&sandbox).await.every_principal(&both()).await.unwrap();
    assert_eq!(everyone, expected);
    assert_eq!((sandbox.calls()["ListUsers"], sandbox.calls()["ListRoles"]), (3, 3));
    assert_eq!((sandbox.calls()[GET_USER], sandbox.calls()[GET_ROLE]), (5, 6));

    // Without permission to list roles, nothing is imported, unless only users are requested.
    sandbox.faults().add("ListRoles", None, ALWAYS, denied());
    let account = account(&sandbox).await;
    let error = account.every_principal(&both()).await.unwrap_err();
    assert!(matches!(error, EveryPrincipalError::Call(_)), "{error}");
    let users = account.every_principal(&[PrincipalKind::User].into()).await.unwrap();
    assert_eq!(users.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_of_one_kind_lists_only_that_kind_and_is_in_sync() {
    let fixture = Fixture::users(3).roles(3).start().await;
    fixture.set(0, "Developer");
    fixture.sandbox.put_role(&user(1), "/", Some(&arn("Developer")));
    for (kind, has_users, has_roles) in [("user", true, false), ("role", false, true)] {
        let arguments = ["import", "--kind", kind, "--out", "boundaries.toml", "--force"];
        let imported = fixture.run(&arguments).await;
        assert_eq!(imported.code, 0, "{imported}");
        let text = std::fs::read_to_string(fixture.folder().join("boundaries.toml")).unwrap();
        assert_eq!((text.contains("[users]"), text.contains("[roles]")), (has_users, has_roles));
        let said = format!("1 {kind} with a boundary, 2");
        assert!(imported.err.contains(&said), "{imported}");
        let plan = fixture.run(&["plan", "--detailed-exitcode"]).await;
        assert_eq!(plan.code, 0, "{plan}");
        assert!(plan.out.starts_with(&format!("In sync: the listed {kind} matches ")), "{plan}");
    }
    let imported = fixture.run(&["import", "--kind", "group"]).await;
    assert_eq!(imported.code, 1, "{imported}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_table_in_which_nobody_has_a_boundary_is_valid() {
    let fixture = Fixture::users(2).roles(2).start().await;
    fixture.set(0, "Developer");
    let imported = fixture.run(&["import", "--out", "boundaries.toml", "--force"]).await;
    assert_eq!(imported.code, 0, "{imported}");
    let said = "1 user with a boundary, 1 user and 2 roles without a boundary (commented out)";
    assert!(imported.err.contains(said), "{imported}");
    let plan = fixture.run(&["plan", "--detailed-exitcode"]).await;
    assert_eq!(plan.code, 0, "{plan}");

    let text = format!("[users]\n[roles]\n{}", lines(1, "false"));
    fixture.write_file(&text);
    assert_eq!(fixture.run(&["check"]).await.code, 0);
}

/// The text between tags.
fn all<'b>(body: &'b str, tag: &str) -> Vec<&'b str> {
    let tag = format!("<{tag}>");
    let rest = body.split(tag.as_str()).skip(1);
    rest.map(|rest| rest.split('<').next().unwrap()).collect()
}

#[tokio::test]
async fn the_pages_of_the_sandbox_mix_users_and_roles() {
    let options = Options {
        seed: Seed::Generated { users: 5, roles: 5 },
        page_size: 4,
        ..Options::default()
    };
    let sandbox = Sandbox::start(options).await.unwrap();
    let (mut users, mut roles, mut marker) = (Vec::new(), Vec::new(), String::new());
    let mut is_mixed = false;
    let filter = "&Filter.member.1=User&Filter.member.2=Role";
    for _ in 0..3 {
        let (status, body) = call(&sandbox, &format!("Action={DETAILS}{filter}{marker}")).await;
        assert_eq!(status, 200, "{body}");
        let on_page = [all(&body, "UserName"), all(&body, "RoleName")];
        is_mixed |= on_page.iter().all(|names| !names.is_empty());
        users.extend(on_page[0].iter().map(|it| (*it).to_owned()));
        roles.extend(on_page[1].iter().map(|it| (*it).to_owned()));
        marker = all(&body, "Marker").iter().map(|it| format!("&Marker={it}")).collect();
    }
    assert!(is_mixed && marker.is_empty());
    assert_eq!((users.len(), &users), (5, &roles));
    for (filter, expected) in [("User", [4, 0]), ("Role", [0, 4]), ("Group", [0, 0])] {
        let form = format!("Action={DETAILS}&Filter.member.1={filter}");
        let (_, body) = call(&sandbox, &form).await;
        assert_eq!([all(&body, "UserName").len(), all(&body, "RoleName").len()], expected);
    }
}

#[tokio::test]
async fn the_sandbox_has_the_actions_on_roles() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.json");
    let options =
        || Options { seed: Seed::Story, state: Some(state.clone()), ..Options::default() };
    let sandbox = Sandbox::start(options()).await.unwrap();
    let boundary = arn("Developer");
    for (form, status, said) in [
        ("CreateRole&RoleName=new", 400, "assumeRolePolicyDocument"),
        ("CreateRole&RoleName=alice&AssumeRolePolicyDocument={}", 200, "%7B%7D"),
        (
            "CreateRole&RoleName=ALICE&AssumeRolePolicyDocument={}",
            409,
            "Role with name ALICE already",
        ),
        ("GetRole&RoleName=alice", 200, "<RoleId>AROA"),
        ("GetRole&RoleName=nobody", 404, "The role with name nobody cannot be found."),
        ("GetRole&RoleName=a%20b", 400, "roleName"),
        (
            &format!("PutRolePermissionsBoundary&RoleName=alice&PermissionsBoundary={boundary}"),
            200,
            "",
        ),
        ("PutRolePermissionsBoundary&RoleName=alice&PermissionsBoundary=arn", 400, "InvalidInput"),
        (
            "DeleteRolePermissionsBoundary&RoleName=AWSServiceRoleForSupport",
            400,
            "UnmodifiableEntity",
        ),
        (
            &format!(
                "PutRolePermissionsBoundary&RoleName=AWSReservedSSO_AdministratorAccess_1a2b3c4d5e6f7081\
                 &PermissionsBoundary={boundary}"
            ),
            400,
            "this role is only modifiable by AWS",
        ),
        ("DeleteRole&RoleName=AWSServiceRoleForSupport", 400, "UnmodifiableEntity"),
        ("DeleteRole&RoleName=auditor", 200, ""),
        ("ListRoles&PathPrefix=/data/", 200, "<RoleName>data-pipeline</RoleName>"),
    ] {
        let (found, body) = call(&sandbox, &format!("Action={form}")).await;
        assert!(found == status && body.contains(said), "{form}: {found} {body}");
    }
    let alice = Principal::role(name("alice"));
    assert_eq!(sandbox.boundary(&alice), Some(Some(boundary.to_string())));
    // The user of the same name is another one.
    let user = Principal::user(name("alice"));
    assert_ne!(sandbox.unique_id(&user), sandbox.unique_id(&alice));
    let auditor = Principal::role(name("auditor"));
    sandbox.put_role(&auditor.name, "/", None);
    let again = sandbox.unique_id(&auditor);
    assert_eq!(call(&sandbox, "Action=DeleteUser&UserName=auditor").await.0, 200);
    drop(sandbox);

    let sandbox = Sandbox::start(options()).await.unwrap();
    assert_eq!(sandbox.boundary(&alice), Some(Some(boundary.to_string())));
    assert_eq!(sandbox.boundary(&Principal::user(auditor.name.clone())), None);
    // The role was created again after the last write that was saved.
    sandbox.put_role(&auditor.name, "/", None);
    assert_eq!(sandbox.unique_id(&auditor), again);
    let fresh = Sandbox::start(Options { seed: Seed::Story, ..Options::default() }).await.unwrap();
    assert_ne!(fresh.unique_id(&auditor), again, "an ID is never used again");
}
