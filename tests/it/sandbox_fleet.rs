//! The sandbox with several accounts: roles and their sessions, AWS Organizations, faults of one account.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use aws_sdk_sts::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sts::error::ProvideErrorMetadata;
use iam_boundaries::sandbox::{
    ACCESS_KEY_ID, ACCOUNT, AccountState, Action, Burst, Fault, FaultScope, LimitModel,
    MemberAccount, Options, Organization, OrganizationalUnit, ROOT_ID, RateLimit,
    SECRET_ACCESS_KEY, Sandbox, Seed, Throttle, account_ids,
};
use serde_json::{Value, json};

use crate::support::query::{SIGNED, call, organizations, post};
use crate::support::sdk::http_client;

const OTHER: &str = "200000000001";

async fn fleet(accounts: usize) -> Sandbox {
    let organization = Some(Organization::of_accounts(accounts));
    Sandbox::start(Options { accounts, organization, ..Options::default() }).await.unwrap()
}

fn sts(sandbox: &Sandbox, credentials: Credentials) -> aws_sdk_sts::Client {
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http_client())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials)
        .retry_config(aws_sdk_sts::config::retry::RetryConfig::disabled())
        .endpoint_url(sandbox.endpoint_url());
    aws_sdk_sts::Client::from_conf(config.build())
}

fn home(sandbox: &Sandbox) -> aws_sdk_sts::Client {
    sts(sandbox, Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "test"))
}

fn role(account: &str) -> String {
    format!("arn:aws:iam::{account}:role/ops/fleet")
}

/// The credentials of the role `fleet` of an account.
async fn assume(client: &aws_sdk_sts::Client, account: &str) -> Result<Credentials, String> {
    let request = client.assume_role().role_arn(role(account)).role_session_name("run");
    let response = request.send().await.map_err(|error| code(&error))?;
    let credentials = response.credentials.unwrap();
    let expires = SystemTime::try_from(credentials.expiration).unwrap();
    let (id, secret) = (credentials.access_key_id, credentials.secret_access_key);
    let token = Some(credentials.session_token);
    Ok(Credentials::new(id, secret, token, Some(expires), "test"))
}

fn code(error: &impl ProvideErrorMetadata) -> String {
    error.code().unwrap_or("no code").to_owned()
}

/// The headers of a request that is signed with these credentials.
fn signed(credentials: &Credentials) -> String {
    format!(
        "Authorization: AWS4-HMAC-SHA256 Credential={}/20261124/us-east-1/iam/aws4_request\r\n\
         X-Amz-Security-Token: {}\r\n",
        credentials.access_key_id(),
        credentials.session_token().unwrap_or_default()
    )
}

async fn list(sandbox: &Sandbox, action: &str, body: Value) -> Value {
    let (status, text) = organizations(sandbox, "any", action, &body.to_string()).await;
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

async fn error_of(sandbox: &Sandbox, key_id: &str, action: &str, body: Value) -> String {
    let (status, text) = organizations(sandbox, key_id, action, &body.to_string()).await;
    assert_eq!(status, 400, "{text}");
    let error: Value = serde_json::from_str(&text).unwrap();
    assert!(error["Message"].is_string(), "{text}");
    error["__type"].as_str().unwrap().to_owned()
}

fn texts<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|it| it[field].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_credentials_of_a_role_belong_to_the_account_of_the_role() {
    let sandbox = fleet(3).await;
    let response = home(&sandbox)
        .assume_role()
        .role_arn(role(OTHER))
        .role_session_name("run@1")
        .duration_seconds(900)
        .send()
        .await
        .unwrap();
    let user = response.assumed_role_user().unwrap();
    let session = format!("arn:aws:sts::{OTHER}:assumed-role/fleet/run@1");
    assert_eq!(user.arn(), session);
    let credentials = response.credentials.as_ref().unwrap();
    let expires = SystemTime::try_from(*credentials.expiration()).unwrap();
    let lifetime = expires.duration_since(SystemTime::now()).unwrap();
    assert!((890..=900).contains(&lifetime.as_secs()), "{lifetime:?}");

    let own = assume(&home(&sandbox), OTHER).await.unwrap();
    let identity = sts(&sandbox, own).get_caller_identity().send().await.unwrap();
    assert_eq!(identity.account(), Some(OTHER));
    assert_eq!(identity.arn(), Some(session.replace("run@1", "run").as_str()));
    let user_id = identity.user_id().unwrap();
    assert!(user_id.starts_with("AROA") && user_id.ends_with(":run"), "{user_id}");
    let role_id = user.assumed_role_id().split(':').next().unwrap();
    assert!(user_id.starts_with(role_id), "{user_id} {role_id}");
}

#[tokio::test]
async fn a_session_without_its_token_is_no_session() {
    let sandbox = fleet(2).await;
    let credentials = assume(&home(&sandbox), OTHER).await.unwrap();
    let headers = signed(&credentials);
    let identity = "Action=GetCallerIdentity";
    assert_eq!(post(&sandbox, &headers, identity.as_bytes()).await.0, 200);
    let (without, _) = headers.split_once("X-Amz").unwrap();
    let (status, body) = post(&sandbox, without, identity.as_bytes()).await;
    assert_eq!(status, 403);
    assert!(body.contains("<Code>InvalidClientTokenId</Code>"), "{body}");
    let (status, body) = post(&sandbox, &headers, b"Action=GetUser").await;
    assert_eq!(status, 400);
    assert!(body.contains("Must specify userName"), "{body}");
}

#[tokio::test]
async fn the_parameters_of_assume_role_are_validated_as_in_aws() {
    let sandbox = fleet(2).await;
    let with = |change: (&str, &str)| {
        let valid = format!(
            "Action=AssumeRole&RoleArn={}&RoleSessionName=run&ExternalId=a:/b&DurationSeconds=43200",
            role(OTHER)
        );
        valid.replace(change.0, change.1)
    };
    let long = format!("=a:/b{}", "x".repeat(1_224));
    assert_eq!(call(&sandbox, &with(("", ""))).await.0, 200);
    for change in [
        ("=run", "=r"),
        ("=run", "=a%20b"),
        ("&RoleSessionName=run", ""),
        ("=a:/b", "=a"),
        ("=a:/b", "=a%3Bb"),
        ("=a:/b", long.as_str()),
        ("43200", "43201"),
        ("43200", "899"),
        (":role/", ":user/"),
        (":iam:", ":sts:"),
    ] {
        let (status, body) = call(&sandbox, &with(change)).await;
        assert_eq!(status, 400, "{change:?} {body}");
        assert!(body.contains("<Code>ValidationError</Code>"), "{change:?} {body}");
        assert!(body.contains("https://sts.amazonaws.com/"), "{body}");
    }
    let (status, body) = call(&sandbox, &with((OTHER, "999999999999"))).await;
    assert_eq!(status, 403);
    let message = "User: arn:aws:iam::123456789012:user/sandbox-operator is not authorized to perform: \
                   sts:AssumeRole on resource: arn:aws:iam::999999999999:role/ops/fleet";
    assert!(body.contains("<Code>AccessDenied</Code>") && body.contains(message), "{body}");

    // Role chaining is limited to an hour.
    let session = assume(&home(&sandbox), OTHER).await.unwrap();
    let headers = signed(&session);
    let chained = async |form: String| post(&sandbox, &headers, form.as_bytes()).await;
    assert_eq!(chained(with(("43200", "3600"))).await.0, 200);
    let (status, body) = chained(with(("43200", "3601"))).await;
    assert!(status == 400 && body.contains("role chaining"), "{body}");
}

#[tokio::test]
async fn expired_credentials_are_refused_in_both_protocols() {
    let session_time = Some(Duration::from_millis(300));
    let organization = Some(Organization::of_accounts(2));
    let options = Options { accounts: 2, organization, session_time, ..Options::default() };
    let sandbox = Sandbox::start(options).await.unwrap();
    let credentials = assume(&home(&sandbox), OTHER).await.unwrap();
    let again = assume(&home(&sandbox), OTHER).await.unwrap();
    assert_ne!(credentials.access_key_id(), again.access_key_id());
    let headers = signed(&credentials);
    assert_eq!(post(&sandbox, &headers, b"Action=ListUsers").await.0, 200);
    tokio::time::sleep(Duration::from_millis(350)).await;
    for action in ["ListUsers", "GetCallerIdentity"] {
        let (status, body) = post(&sandbox, &headers, format!("Action={action}").as_bytes()).await;
        assert_eq!(status, 403);
        assert!(body.contains("<Code>ExpiredToken</Code>"), "{body}");
    }
    let json = format!("{headers}X-Amz-Target: AWSOrganizationsV20161128.ListRoots\r\n");
    let (status, body) = post(&sandbox, &json, b"{}").await;
    assert!(status == 400 && body.contains("ExpiredTokenException"), "{body}");
    assert_eq!(sandbox.calls_of(OTHER)["ListUsers"], 2);
}

#[tokio::test]
async fn the_tree_of_the_organization_is_listed_in_pages() {
    let sandbox = fleet(50).await;
    let organization = &list(&sandbox, "DescribeOrganization", json!({})).await["Organization"];
    assert_eq!(organization["MasterAccountId"], ACCOUNT);
    let roots = list(&sandbox, "ListRoots", json!({})).await;
    assert_eq!(texts(&roots["Roots"], "Id"), [ROOT_ID]);

    // Walks the tree.
    let (mut parents, mut below, mut pages) = (vec![ROOT_ID.to_owned()], BTreeSet::new(), 0);
    while let Some(parent) = parents.pop() {
        let units = "ListOrganizationalUnitsForParent";
        let units = list(&sandbox, units, json!({ "ParentId": parent })).await;
        parents.extend(texts(&units["OrganizationalUnits"], "Id").into_iter().map(str::to_owned));
        let mut request = json!({ "ParentId": parent, "MaxResults": 7 });
        loop {
            let page = list(&sandbox, "ListAccountsForParent", request.clone()).await;
            pages += 1;
            for id in texts(&page["Accounts"], "Id") {
                assert!(below.insert(id.to_owned()), "{id} is listed twice");
                let of = list(&sandbox, "ListParents", json!({ "ChildId": id })).await;
                assert_eq!(texts(&of["Parents"], "Id"), [parent.as_str()]);
            }
            let Some(token) = page.get("NextToken") else { break };
            request["NextToken"] = token.clone();
        }
    }
    assert!(pages > 6, "{pages}");
    assert!(below.iter().eq(&account_ids(50)));

    let first = list(&sandbox, "ListAccounts", json!({})).await;
    assert_eq!(first["Accounts"].as_array().unwrap().len(), 20);
    let of_unit = list(&sandbox, "ListParents", json!({ "ChildId": "ou-sbox-production" })).await;
    assert_eq!(
        of_unit["Parents"],
        json!([{ "Id": "ou-sbox-workloads1", "Type": "ORGANIZATIONAL_UNIT" }])
    );
}

#[tokio::test]
async fn an_account_has_the_fields_of_aws_and_a_suspended_one_cannot_be_used() {
    let sandbox = fleet(10).await;
    let last = "200000000009";
    let described = list(&sandbox, "DescribeAccount", json!({ "AccountId": last })).await;
    let mut expected = json!({
        "Id": last,
        "Arn": format!("arn:aws:organizations::{ACCOUNT}:account/o-sandbox0001/{last}"),
        "Email": format!("sandbox-{last}@example.com"),
        "Name": format!("sandbox-{last}"),
        "Status": "SUSPENDED",
        "State": "SUSPENDED",
        "JoinedMethod": "CREATED",
        "JoinedTimestamp": 1_732_406_400,
    });
    assert_eq!(described["Account"], expected);
    assert_eq!(assume(&home(&sandbox), last).await.unwrap_err(), "AccessDenied");

    let closed = MemberAccount { state: AccountState::Closed, ..MemberAccount::active(last) };
    let mut unit = OrganizationalUnit::new("closed0001", "Closed").with_accounts([OTHER]);
    unit.accounts.push(closed);
    let units = vec![OrganizationalUnit::new("parent0001", "Parent").with_units([unit])];
    sandbox.set_organization(Some(Organization {
        units,
        omits_status: true,
        ..Organization::default()
    }));
    let request = json!({ "ParentId": "ou-sbox-closed0001" });
    let accounts = &list(&sandbox, "ListAccountsForParent", request).await["Accounts"];
    assert_eq!(texts(accounts, "Id"), [OTHER, last]);
    expected["State"] = "CLOSED".into();
    expected.as_object_mut().unwrap().remove("Status");
    assert_eq!(accounts[1], expected);
    assert_eq!(assume(&home(&sandbox), last).await.unwrap_err(), "AccessDenied");
    assert!(assume(&home(&sandbox), OTHER).await.is_ok());
}

#[tokio::test]
async fn requests_to_organizations_fail_with_its_errors() {
    let sandbox = fleet(2).await;
    let none = json!({});
    for (action, body, error) in [
        ("ListAccountsForParent", json!({ "ParentId": "r-none" }), "ParentNotFoundException"),
        (
            "ListOrganizationalUnitsForParent",
            json!({ "ParentId": "ou-sbox-none0000" }),
            "ParentNotFoundException",
        ),
        ("ListAccountsForParent", none.clone(), "InvalidInputException"),
        ("ListParents", json!({ "ChildId": "999999999999" }), "ChildNotFoundException"),
        ("DescribeAccount", json!({ "AccountId": "999999999999" }), "AccountNotFoundException"),
        ("ListAccounts", json!({ "MaxResults": 21 }), "InvalidInputException"),
        ("ListAccounts", json!({ "MaxResults": 0 }), "InvalidInputException"),
        ("ListAccounts", json!({ "NextToken": "00" }), "InvalidInputException"),
        ("ListChildren", none.clone(), "UnknownOperationException"),
        ("ListRoots", json!([]), "SerializationException"),
    ] {
        assert_eq!(error_of(&sandbox, "any", action, body).await, error, "{action}");
    }
    // The token of another action.
    let sandbox = fleet(30).await;
    let token = &list(&sandbox, "ListAccounts", none.clone()).await["NextToken"];
    let request = json!({ "ParentId": ROOT_ID, "NextToken": token });
    let error = error_of(&sandbox, "any", "ListAccountsForParent", request).await;
    assert_eq!(error, "InvalidInputException");

    let denied = error_of(&sandbox, OTHER, "ListAccounts", none.clone()).await;
    assert_eq!(denied, "AccessDeniedException");
    assert_eq!(organizations(&sandbox, OTHER, "DescribeOrganization", "{}").await.0, 200);
    sandbox.set_organization(None);
    let error = error_of(&sandbox, "any", "ListAccounts", none).await;
    assert_eq!(error, "AWSOrganizationsNotInUseException");
}

#[tokio::test]
async fn rate_limits_and_faults_apply_to_organizations() {
    let model = LimitModel::Continuous { burst: Some(Burst::of(2.0).unwrap()) };
    let limit = RateLimit::new(iam_boundaries::iam::Rate::per_second(0.001).unwrap(), model);
    let action: Action = "ListAccounts".parse().unwrap();
    let throttle = Throttle { actions: [(action, limit)].into(), ..Throttle::default() };
    let organization = Some(Organization::of_accounts(2));
    let options = Options { accounts: 2, organization, throttle, ..Options::default() };
    let sandbox = Sandbox::start(options).await.unwrap();
    sandbox.faults().add("ListAccounts", None, 1, Fault::EmptyPage);
    let empty = list(&sandbox, "ListAccounts", json!({})).await;
    assert_eq!(empty["Accounts"], json!([]));
    let request = json!({ "NextToken": empty["NextToken"] });
    let page = list(&sandbox, "ListAccounts", request).await;
    assert_eq!(texts(&page["Accounts"], "Id"), [ACCOUNT, OTHER]);
    assert_eq!(page.get("NextToken"), None);
    let throttled = error_of(&sandbox, "any", "ListAccounts", json!({})).await;
    assert_eq!(throttled, "TooManyRequestsException");
    assert_eq!(sandbox.throttled_calls()["ListAccounts"], 1);

    sandbox.faults().add("ListRoots", None, 1, Fault::access_denied());
    let denied = error_of(&sandbox, "any", "ListRoots", json!({})).await;
    assert_eq!(denied, "AccessDeniedException");
    sandbox.faults().add("ListRoots", None, 1, Fault::Truncated);
    let (status, body) = organizations(&sandbox, "any", "ListRoots", "{}").await;
    assert_eq!(status, 200);
    assert!(serde_json::from_str::<Value>(&body).is_err(), "{body}");
    sandbox.faults().add("ListRoots", None, 1, Fault::EndlessPages);
    let page = list(&sandbox, "ListRoots", json!({})).await;
    assert_eq!(page["Roots"], json!([]));
    assert!(page["NextToken"].is_string());
}

#[tokio::test]
async fn a_fault_of_one_account_leaves_the_others_alone() {
    let sandbox = fleet(8).await;
    let ids = account_ids(8);
    let client = home(&sandbox);
    let faults = sandbox.faults();
    let scope = |number: usize| FaultScope::account(&ids[number]);
    faults.inject(scope(1).action("AssumeRole"), Fault::access_denied());
    faults.inject(scope(2), Fault::throttling());
    faults.inject(scope(3), Fault::CutBefore);
    faults.inject(scope(4), Fault::OtherIdentity(ids[5].parse().unwrap()));
    faults.inject(scope(5), Fault::SessionTime(Duration::ZERO));
    faults.inject(scope(6).times(2).action("ListUsers"), Fault::Garbage);

    assert_eq!(assume(&client, &ids[1]).await.unwrap_err(), "AccessDenied");
    assert_eq!(assume(&client, &ids[2]).await.unwrap_err(), "Throttling");
    assert_eq!(assume(&client, &ids[3]).await.unwrap_err(), "no code");
    let identity = async |account: &str| {
        let client = sts(&sandbox, assume(&client, account).await.unwrap());
        let response = client.get_caller_identity().send().await;
        response.map(|it| it.account.unwrap()).map_err(|error| code(&error))
    };
    assert_eq!(identity(&ids[4]).await, Ok(ids[5].clone()));
    assert_eq!(identity(&ids[5]).await, Err("ExpiredToken".to_owned()));
    assert_eq!(identity(&ids[7]).await, Ok(ids[7].clone()));
    let credentials = assume(&client, &ids[6]).await.unwrap();
    for is_garbage in [true, true, false] {
        let (_, body) = post(&sandbox, &signed(&credentials), b"Action=ListUsers").await;
        assert_eq!(!body.contains("ListUsersResponse"), is_garbage, "{body}");
    }
    let expected = [("AssumeRole".to_owned(), 1), ("ListUsers".to_owned(), 3)];
    assert_eq!(sandbox.calls_of(&ids[6]), expected.into());
    assert!(sandbox.calls_of(ACCOUNT).is_empty());
    faults.clear();
    assert!(assume(&client, &ids[2]).await.is_ok());
}

/// Sends a form to an account.
async fn in_account(sandbox: &Sandbox, account: &str, form: &str) -> (u16, String) {
    post(sandbox, &SIGNED.replace("any", account), form.as_bytes()).await
}

/// The texts of an element.
fn elements(body: &str, name: &str) -> Vec<String> {
    let tag = format!("<{name}>");
    let rest = body.split(&tag).skip(1).map(|rest| rest.split('<').next());
    rest.map(|text| text.unwrap_or_default().to_owned()).collect()
}

fn seeded(accounts: usize) -> Options {
    let seed = Seed::Generated { users: 40, roles: 20 };
    let organization = Some(Organization::of_accounts(accounts));
    Options { accounts, organization, seed, page_size: 25, ..Options::default() }
}

#[tokio::test]
async fn every_account_has_the_seed_with_its_own_arns_and_unique_ids() {
    let sandbox = Sandbox::start(seeded(12)).await.unwrap();
    let mut ids = BTreeSet::new();
    let mut names = BTreeSet::new();
    // Twice: the second time, the pages are kept.
    for round in 0..2 {
        for account in account_ids(12) {
            let (mut marker, mut of_account) = (String::new(), Vec::new());
            loop {
                let form = format!("Action=GetAccountAuthorizationDetails{marker}");
                let (_, page) = in_account(&sandbox, &account, &form).await;
                for (kind, id) in [("User", "UserId"), ("Role", "RoleId"), ("Group", "GroupId")] {
                    let new = elements(&page, id).into_iter().filter(|id| ids.insert(id.clone()));
                    let list = if round == 0 { new.count() } else { elements(&page, id).len() };
                    assert_eq!(list, elements(&page, &format!("{kind}Name")).len(), "{page}");
                }
                for arn in elements(&page, "Arn").iter().chain(&elements(&page, "PolicyArn")) {
                    let owner = arn.split(':').nth(4).unwrap();
                    assert!(owner == account || owner == "aws", "{account} {arn}");
                }
                let others = account_ids(12).into_iter().filter(|other| *other != account);
                assert!(!others.into_iter().any(|other| page.contains(&other)), "{page}");
                of_account.extend(elements(&page, "UserName"));
                let Some(next) = elements(&page, "Marker").pop() else { break };
                marker = format!("&Marker={next}");
            }
            names.insert(of_account);
        }
    }
    assert_eq!(names.len(), 1);
    assert_eq!(names.pop_first().unwrap().len(), 40);
}

#[tokio::test]
async fn a_write_in_an_account_changes_no_other_account() {
    let options = Options { page_size: 1_000, ..seeded(3) };
    let sandbox = Sandbox::start(options).await.unwrap();
    let ids = account_ids(3);
    let list = "Action=GetAccountAuthorizationDetails&Filter.member.1=User";
    let pages = async || {
        let mut pages = Vec::new();
        for id in &ids {
            let (_, page) = in_account(&sandbox, id, list).await;
            pages.push(page.split("<ResponseMetadata>").next().unwrap().to_owned());
        }
        pages
    };
    let before = pages().await;
    let boundary = format!("arn:aws:iam::{}:policy/Contractor", ids[1]);
    let put = format!(
        "Action=PutUserPermissionsBoundary&UserName=user-00000&PermissionsBoundary={boundary}"
    );
    assert_eq!(in_account(&sandbox, &ids[1], &put).await.0, 200);
    // The policy of another account is not attachable.
    let (status, body) = in_account(&sandbox, &ids[2], &put).await;
    assert_eq!(status, 404);
    assert!(body.contains(&boundary), "{body}");
    let after = pages().await;
    assert_eq!((&before[0], &before[2]), (&after[0], &after[2]));
    assert_ne!(before[1], after[1]);
    let (_, user) = in_account(&sandbox, &ids[1], "Action=GetUser&UserName=user-00000").await;
    assert_eq!(elements(&user, "PermissionsBoundaryArn"), [boundary.as_str()]);
    assert!(user.contains(&format!("arn:aws:iam::{}:user/", ids[1])), "{user}");
    let delete = "Action=DeleteUserPermissionsBoundary&UserName=user-00000";
    assert_eq!(in_account(&sandbox, &ids[1], delete).await.0, 200);
    assert_eq!(pages().await, before);

    let create = "Action=CreateUser&UserName=new";
    assert_eq!(in_account(&sandbox, &ids[2], create).await.0, 200);
    assert_eq!(in_account(&sandbox, &ids[2], create).await.0, 409);
    assert_eq!(in_account(&sandbox, &ids[1], create).await.0, 200);
    assert_eq!(in_account(&sandbox, &ids[0], "Action=GetUser&UserName=new").await.0, 404);
}

#[tokio::test]
async fn an_error_names_the_accounts_of_the_request() {
    let sandbox = Sandbox::start(seeded(3)).await.unwrap();
    for account in account_ids(3) {
        for named in account_ids(3) {
            let arn = format!("arn:aws:iam::{named}:policy/None");
            let form = format!("Action=GetPolicy&PolicyArn={arn}");
            let (status, body) = in_account(&sandbox, &account, &form).await;
            assert_eq!(status, 404);
            assert!(body.contains(&format!("Policy {arn} was not found.")), "{account} {body}");
        }
    }
}
