//! The accounts of an organization: complete, or an error.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use iam_boundaries::aws::{Access, BaseIdentity, Organization, Waits};
use iam_boundaries::iam::AccountId;
use iam_boundaries::inventory::{AccountState, ApiError, ErrorClass, OrganizationAccount};
use iam_boundaries::sandbox::{
    self, ACCESS_KEY_ID, ACCOUNT, Fault, MemberAccount, Options, OrganizationalUnit,
    SECRET_ACCESS_KEY, Sandbox, account_ids,
};
use serde_json::{Value, json};

use crate::support::http::{Reply, Request, Server, sts_response};

async fn read_at(
    endpoint_url: String,
    units: &[&str],
) -> Result<Vec<OrganizationAccount>, ApiError> {
    let access = Access::Sandbox {
        endpoint_url,
        access_key_id: ACCESS_KEY_ID,
        secret_access_key: SECRET_ACCESS_KEY,
    };
    let base = BaseIdentity::open(&access, Waits::default()).await.unwrap();
    let units = units.iter().map(|unit| unit.parse().unwrap()).collect();
    Organization::accounts(&base, &units).await
}

async fn read(sandbox: &Sandbox, units: &[&str]) -> Result<Vec<OrganizationAccount>, ApiError> {
    read_at(sandbox.endpoint_url(), units).await
}

async fn sandbox_of(organization: sandbox::Organization, accounts: usize) -> Sandbox {
    let organization = Some(organization);
    Sandbox::start(Options { accounts, organization, ..Options::default() }).await.unwrap()
}

fn ids<'a>(accounts: impl IntoIterator<Item = &'a OrganizationAccount>) -> Vec<AccountId> {
    accounts.into_iter().map(|account| account.id).collect()
}

fn in_units(accounts: &[OrganizationAccount]) -> Vec<AccountId> {
    ids(accounts.iter().filter(|account| account.is_in_units))
}

/// Five units, each below the one before, with one account each.
fn nested() -> sandbox::Organization {
    let ids = account_ids(6);
    let mut unit: Option<OrganizationalUnit> = None;
    for (level, id) in ids[1..].iter().enumerate().rev() {
        let parent = OrganizationalUnit::new(&format!("level{level:03}"), "Level");
        unit = Some(parent.with_accounts([id.as_str()]).with_units(unit));
    }
    sandbox::Organization { units: unit.into_iter().collect(), ..Default::default() }
}

#[tokio::test]
async fn every_account_of_many_pages_is_read_with_its_units_at_any_depth() {
    let sandbox = sandbox_of(sandbox::Organization::of_accounts(150), 150).await;
    let all = read(&sandbox, &["ou-sbox-workloads1"]).await.unwrap();
    let expected = account_ids(150);
    assert_eq!(ids(&all).iter().map(AccountId::as_str).collect::<Vec<_>>(), expected);
    // The management account, that of the unit Security, and the suspended one are in other units.
    let workloads: Vec<&str> = expected[2..149].iter().map(String::as_str).collect();
    assert_eq!(in_units(&all).iter().map(AccountId::as_str).collect::<Vec<_>>(), workloads);
    let inactive: Vec<AccountId> = ids(all.iter().filter(|account| !account.is_active()));
    assert_eq!(inactive.iter().map(AccountId::as_str).collect::<Vec<_>>(), [&*expected[149]]);
    assert_eq!(all[149].state, AccountState::Suspended);
    assert_eq!(all[1].name, format!("sandbox-{}", expected[1]).as_str());

    let sandbox = sandbox_of(nested(), 6).await;
    for (unit, count) in [("level000", 5), ("level003", 2), ("level004", 1)] {
        let all = read(&sandbox, &[&format!("ou-sbox-{unit}")]).await.unwrap();
        assert_eq!((all.len(), in_units(&all).len()), (6, count), "{unit}");
    }
    assert_eq!(in_units(&read(&sandbox, &["r-sbox"]).await.unwrap()).len(), 6);
    // A unit and one below it: each is read once.
    let before = sandbox.calls()["ListAccountsForParent"];
    let all = read(&sandbox, &["ou-sbox-level002", "ou-sbox-level003"]).await.unwrap();
    assert_eq!(in_units(&all).len(), 3);
    assert_eq!(sandbox.calls()["ListAccountsForParent"] - before, 3);
}

#[tokio::test]
async fn the_state_of_an_account_does_not_need_the_field_that_aws_retires() {
    use sandbox::AccountState::{Closed, PendingActivation, PendingClosure};
    let states = [PendingActivation, PendingClosure, Closed];
    let accounts = account_ids(4);
    let members = accounts[1..].iter().zip(states);
    let members = members.map(|(id, state)| MemberAccount { state, ..MemberAccount::active(id) });
    let organization = sandbox::Organization {
        accounts: members.collect(),
        omits_status: true,
        ..Default::default()
    };
    let sandbox = sandbox_of(organization, 4).await;
    let all = read(&sandbox, &["r-sbox"]).await.unwrap();
    let states: Vec<AccountState> = all.into_iter().map(|account| account.state).collect();
    let expected = ["ACTIVE", "PENDING_ACTIVATION", "PENDING_CLOSURE", "CLOSED"];
    assert_eq!(states, expected.map(AccountState::of));
}

#[tokio::test]
async fn empty_pages_throttling_and_transient_errors_leave_nothing_out() {
    let sandbox = sandbox_of(sandbox::Organization::of_accounts(60), 60).await;
    let expected = read(&sandbox, &["ou-sbox-workloads1"]).await.unwrap();
    for action in ["ListAccounts", "ListAccountsForParent", "ListOrganizationalUnitsForParent"] {
        let unavailable = Fault::error(500, "ServiceException", "try again");
        for fault in [
            Fault::EmptyPage,
            Fault::EmptyPage,
            Fault::throttling(),
            Fault::throttling(),
            unavailable,
            Fault::Truncated,
            Fault::EmptyPage,
        ] {
            sandbox.faults().add(action, None, 1, fault);
        }
        assert_eq!(read(&sandbox, &["ou-sbox-workloads1"]).await.unwrap(), expected, "{action}");
    }
}

#[tokio::test]
async fn an_organization_that_cannot_be_read_is_an_error_that_says_why() {
    let sandbox = sandbox_of(sandbox::Organization::of_accounts(30), 30).await;
    let error = read(&sandbox, &["ou-sbox-workloads1", "ou-sbox-nosuch01"]).await.unwrap_err();
    assert_eq!((error.class, &*error.code), (ErrorClass::Rejected, "ParentNotFoundException"));
    assert!(error.message.contains("unit ou-sbox-nosuch01"), "{error}");

    sandbox.faults().add("ListAccountsForParent", None, 1, Fault::access_denied());
    let error = read(&sandbox, &["ou-sbox-workloads1"]).await.unwrap_err();
    assert_eq!(
        (error.class, &*error.action),
        (ErrorClass::Denied, "organizations:ListAccountsForParent")
    );
    assert!(error.message.contains("management account and delegated administrators"), "{error}");

    sandbox.faults().add("ListAccounts", None, 1_000, Fault::EndlessPages);
    let error = read(&sandbox, &["ou-sbox-workloads1"]).await.unwrap_err();
    assert!(error.message.contains("more than 20 pages in a row are empty"), "{error}");
    sandbox.faults().clear();

    sandbox.set_organization(None);
    let error = read(&sandbox, &["ou-sbox-workloads1"]).await.unwrap_err();
    assert_eq!(&*error.code, "AWSOrganizationsNotInUseException");
    assert!(error.message.contains("management account and delegated administrators"), "{error}");
}

/// An endpoint whose responses to an action of AWS Organizations are those of `respond`, which gets the number of earlier
/// requests for the action.
fn server(respond: impl Fn(&str, usize) -> Value + Send + Sync + 'static) -> Server {
    let counts = Mutex::new(BTreeMap::<String, usize>::new());
    Server::start(move |request: &Request| {
        let Some(target) = request.headers.get("x-amz-target") else {
            return sts_response(
                "GetCallerIdentity",
                &format!(
                    "<Account>{ACCOUNT}</Account><UserId>U</UserId>\
                     <Arn>arn:aws:iam::{ACCOUNT}:user/deployer</Arn>"
                ),
            );
        };
        let action = target.strip_prefix("AWSOrganizationsV20161128.").unwrap();
        let earlier = {
            let mut counts = counts.lock().unwrap();
            let count = counts.entry(action.to_owned()).or_default();
            std::mem::replace(count, *count + 1)
        };
        let body = respond(action, earlier);
        let json = "Content-Type: application/x-amz-json-1.1\r\n".to_owned();
        // A text is the body itself.
        let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
        Reply::Response(200, json, body)
    })
}

fn account(id: &str) -> Value {
    json!({ "Id": id, "Name": "any", "State": "ACTIVE" })
}

const MEMBER: &str = "200000000001";
const UNIT: &str = "ou-ab12-workloads";

/// The response of an organization whose unit has one account.
fn regular(action: &str) -> Value {
    match action {
        "ListAccounts" => json!({ "Accounts": [account(ACCOUNT), account(MEMBER)] }),
        "ListAccountsForParent" => json!({ "Accounts": [account(MEMBER)] }),
        "ListOrganizationalUnitsForParent" => json!({ "OrganizationalUnits": [] }),
        other => panic!("{other}"),
    }
}

/// The error if `response` is the one to each request for `action`.
async fn error_of(action: &'static str, response: Value) -> ApiError {
    let server = server(move |it, _| if it == action { response.clone() } else { regular(it) });
    read_at(server.url(), &[UNIT]).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_contradicts_another_is_read_again_once() {
    // The account joins the organization between the two requests.
    let joins = |action: &str, earlier: usize| match (action, earlier) {
        ("ListAccounts", 0) => json!({ "Accounts": [account(ACCOUNT)] }),
        _ => regular(action),
    };
    let server = server(joins);
    let all = read_at(server.url(), &[UNIT]).await.unwrap();
    let expected: BTreeSet<AccountId> = [ACCOUNT, MEMBER].map(|id| id.parse().unwrap()).into();
    assert_eq!(ids(&all).into_iter().collect::<BTreeSet<_>>(), expected);
    assert_eq!(in_units(&all), [MEMBER.parse().unwrap()]);

    for (accounts, message) in [
        (
            json!([account(ACCOUNT)]),
            "account 200000000001 of unit ou-ab12-workloads is not in the list of accounts, also when read \
             again",
        ),
        (
            json!([account(MEMBER)]),
            "the list of accounts has no account 123456789012, which requested it, also when read again",
        ),
        (
            json!([]),
            "the list of accounts has no account 123456789012, which requested it, also when read again",
        ),
    ] {
        let error = error_of("ListAccounts", json!({ "Accounts": accounts })).await;
        assert_eq!(error.message, message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_may_be_a_part_is_an_error() {
    let with_token = json!({ "Accounts": [account(ACCOUNT)], "NextToken": "same" });
    let error = error_of("ListAccounts", with_token).await;
    assert!(error.message.contains("NextToken that an earlier one had"), "{error}");
    // An empty page can have the token of its own request, but not that of an earlier page.
    let server = server(|action, earlier| match (action, earlier) {
        ("ListAccounts", 0) => json!({ "Accounts": [account(ACCOUNT)], "NextToken": "1" }),
        ("ListAccounts", 1) => json!({ "Accounts": [account(MEMBER)], "NextToken": "2" }),
        ("ListAccounts", 2) => json!({ "Accounts": [], "NextToken": "1" }),
        _ => regular(action),
    });
    let error = read_at(server.url(), &[UNIT]).await.unwrap_err();
    assert!(error.message.contains("NextToken that an earlier one had"), "{error}");
    for (action, response, message) in [
        ("ListAccounts", json!({}), "the response contains no list"),
        ("ListAccountsForParent", json!({}), "the response contains no list"),
        ("ListOrganizationalUnitsForParent", json!({}), "the response contains no list"),
        (
            "ListAccounts",
            json!({ "Accounts": [{ "Id": ACCOUNT }] }),
            "account 123456789012 has neither State nor Status in the response",
        ),
        (
            "ListAccounts",
            json!({ "Accounts": [account("1")] }),
            "the ID \"1\" of an account is not valid",
        ),
        ("ListAccounts", json!({ "Accounts": [{}] }), "the ID \"\" of an account is not valid"),
        (
            "ListOrganizationalUnitsForParent",
            json!({ "OrganizationalUnits": [{ "Id": "x" }] }),
            "the ID \"x\" of an organizational unit is not valid",
        ),
    ] {
        let error = error_of(action, response).await;
        assert!(error.message.contains(message), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_one_json_document_is_requested_again() {
    let whole = regular("ListAccounts").to_string();
    let bodies = [
        String::new(),
        whole[..whole.len() - 1].to_owned(),
        format!("{whole}{{}}"),
        "<html>no</html>".to_owned(),
    ];
    let count = bodies.len();
    let server = server(move |action, earlier| match bodies.get(earlier) {
        Some(body) if action == "ListAccounts" => Value::String(body.clone()),
        _ => regular(action),
    });
    assert_eq!(read_at(server.url(), &[UNIT]).await.unwrap().len(), 2);
    let is_list = |request: &&Request| {
        request.headers.get("x-amz-target").is_some_and(|it| it.ends_with(".ListAccounts"))
    };
    assert_eq!(server.requests().iter().filter(is_list).count(), count + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_of_an_account_is_used_if_it_has_no_state_and_the_state_otherwise() {
    let server = server(|action, _| match action {
        "ListAccounts" => json!({ "Accounts": [
            { "Id": ACCOUNT, "Name": "a\u{1b}b", "Status": "ACTIVE" },
            { "Id": MEMBER, "Name": "c", "Status": "ACTIVE", "State": "SHINY" },
        ] }),
        _ => regular(action),
    });
    let all = read_at(server.url(), &[UNIT]).await.unwrap();
    assert_eq!(all[0].state, AccountState::Active);
    assert_eq!(all[0].name, "a\\u{1b}b");
    assert_eq!(all[1].state, AccountState::Other("SHINY".into()));
    assert!(!all[1].is_active());
}
