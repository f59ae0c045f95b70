//! Credentials of a fleet: one base identity, and one role in each account.
#![cfg(unix)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures::future::join_all;
use iam_boundaries::aws::{
    Access, Account, BaseIdentity, ConnectError, Connection, Mfa, NoMfaPrompt, Waits,
};
use iam_boundaries::iam::{AccountId, AssumeRole};
use iam_boundaries::inventory::{ApiError, ErrorClass};

use crate::support::http::{Reply, Request, Server, sts_error, sts_response, time_in};

const BASE: &str = "999999999999";

/// The access key ID that signed a request. Those of the tests begin with the account.
fn key(request: &Request) -> &str {
    let authorization = request.headers["authorization"].split_once("Credential=").unwrap().1;
    authorization.split('/').next().unwrap()
}

/// The session of a role, whose credentials belong to `account` and expire after `lifetime` seconds.
fn session(request: &Request, account: &str, lifetime: u64) -> Reply {
    let result = format!(
        "<Credentials><AccessKeyId>{account}-{}</AccessKeyId>\
         <SecretAccessKey>secret-of-a-session-{account}</SecretAccessKey>\
         <SessionToken>token-of-a-session-{account}</SessionToken>\
         <Expiration>{}</Expiration></Credentials>",
        request.earlier,
        time_in(lifetime)
    );
    sts_response("AssumeRole", &result)
}

fn account_of_role(request: &Request) -> &str {
    request.get("RoleArn").unwrap().split(':').nth(4).unwrap()
}

/// STS and IAM as AWS has them.
fn respond(request: &Request) -> Reply {
    match request.action() {
        "AssumeRole" => session(request, account_of_role(request), 3_600),
        "GetCallerIdentity" => {
            let account = &key(request)[..12];
            sts_response(
                "GetCallerIdentity",
                &format!(
                    "<Account>{account}</Account><UserId>U</UserId>\
                     <Arn>arn:aws:sts::{account}:assumed-role/R/S</Arn>"
                ),
            )
        }
        "ListAccountAliases" => {
            sts_response("ListAccountAliases", "<AccountAliases/><IsTruncated>false</IsTruncated>")
        }
        other => panic!("{other:?}"),
    }
}

async fn base(server: &Server) -> BaseIdentity {
    let access = Access::Sandbox {
        endpoint_url: server.url(),
        access_key_id: BASE,
        secret_access_key: "secret-of-the-base-identity",
    };
    BaseIdentity::open(&access, Waits::default()).await.unwrap()
}

fn id(number: usize) -> AccountId {
    format!("{number:012}").parse().unwrap()
}

fn access(base: &BaseIdentity, account: AccountId, role: &str) -> Access {
    let role = AssumeRole::of(role.parse().unwrap());
    Access::Role { base: base.clone(), account, role }
}

async fn identify(access: &Access) -> Result<Account, ConnectError> {
    Connection::open_with(access, Waits::default()).await.identify().await
}

fn call_error(error: ConnectError) -> ApiError {
    match error {
        ConnectError::Call(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_account_is_called_with_the_credentials_of_its_role() {
    let server = Server::start(respond);
    let base = base(&server).await;
    assert_eq!(base.identity().account.as_str(), BASE);
    let role = AssumeRole {
        external_id: Some("ext:1/2".parse().unwrap()),
        duration: Some("90m".parse().unwrap()),
        ..AssumeRole::of("role/ops/boundaries".parse().unwrap())
    };
    let identify = |number| {
        let (account, role) = (id(number), role.clone());
        let access = Access::Role { base: base.clone(), account, role };
        async move {
            let identified = identify(&access).await.unwrap();
            assert_eq!(identified.alias().await.unwrap(), None);
            identified.identity().account
        }
    };
    let accounts = join_all((1..=100).map(identify)).await;
    assert_eq!(accounts, (1..=100).map(id).collect::<Vec<_>>());
    // The base and each account.
    assert_eq!(server.count("GetCallerIdentity"), 101);
    let mut sessions = BTreeSet::new();
    let mut roles = BTreeSet::new();
    for request in server.requests() {
        match request.action() {
            "AssumeRole" => {
                assert_eq!(key(&request), BASE);
                assert_eq!(request.get("ExternalId"), Some("ext:1/2"));
                assert_eq!(request.get("DurationSeconds"), Some("5400"));
                sessions.insert(request.get("RoleSessionName").unwrap().to_owned());
                roles.insert(request.get("RoleArn").unwrap().to_owned());
            }
            "ListAccountAliases" => assert_ne!(key(&request), BASE),
            _ => {}
        }
    }
    let arn = |number| format!("arn:aws:iam::{}:role/ops/boundaries", id(number));
    assert_eq!(roles, (1..=100).map(arn).collect());
    assert!(sessions.len() == 1 && sessions.first().unwrap().starts_with("iam-boundaries-"));
    assert_eq!((base.calls().made, base.calls().throttled), (101, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_of_a_fleet_can_be_the_base_of_others_and_a_session_can_have_a_name() {
    let server = Server::start(respond);
    let hub = access(&base(&server).await, id(1), "role/hub");
    let hub = BaseIdentity::open(&hub, Waits::default()).await.unwrap();
    assert_eq!(hub.identity().account, id(1));
    let role = AssumeRole {
        session_name: Some("nightly".parse().unwrap()),
        ..AssumeRole::of("role/spoke".parse().unwrap())
    };
    let spoke = identify(&Access::Role { base: hub, account: id(2), role }).await.unwrap();
    assert_eq!(spoke.identity().account, id(2));
    let requests = server.requests();
    let of = |role: &str| {
        let is_of =
            |request: &&Request| request.get("RoleArn").is_some_and(|it| it.ends_with(role));
        requests.iter().find(is_of).unwrap()
    };
    assert_eq!(key(of("hub")), BASE);
    assert_eq!(key(of("spoke")), format!("{}-0", id(1)));
    assert_eq!(of("spoke").get("RoleSessionName"), Some("nightly"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_sts_denies_is_named_with_what_sts_said_and_is_not_retried() {
    let server = Server::start(|request| match request.action() {
        "AssumeRole" if account_of_role(request) == id(2).as_str() => sts_error(
            403,
            "AccessDenied",
            "User is not authorized to perform: sts:AssumeRole secret-of-the-base-identity",
        ),
        _ => respond(request),
    });
    let base = base(&server).await;
    let (one, two) = (access(&base, id(1), "role/r"), access(&base, id(2), "role/r"));
    let (one, two) = tokio::join!(identify(&one), identify(&two));
    assert_eq!(one.unwrap().identity().account, id(1));
    let error = two.unwrap_err();
    assert_eq!(
        error.to_string(),
        "sts:AssumeRole failed: AccessDenied: User is not authorized to perform: sts:AssumeRole \
         [redacted] (role arn:aws:iam::000000000002:role/r) (request ID id)"
    );
    assert_eq!(call_error(error).class, ErrorClass::Credentials);
    assert_eq!(server.count("AssumeRole"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_credentials_of_a_role_must_be_of_the_account_that_it_is_assumed_for() {
    // The session belongs to another account than the role.
    let server = Server::start(|request| match request.action() {
        "AssumeRole" => session(request, id(3).as_str(), 3_600),
        _ => respond(request),
    });
    let base = base(&server).await;
    let error = identify(&access(&base, id(1), "role/r")).await.unwrap_err();
    let message = "role arn:aws:iam::000000000001:role/r is of account 000000000003, and not of account \
         000000000001";
    assert_eq!(error.to_string(), message);
    // The ARN in the file is that of another account: no call is made.
    let before = server.requests().len();
    let fixed = access(&base, id(1), "arn:aws:iam::000000000002:role/r");
    let error = identify(&fixed).await.unwrap_err();
    assert!(matches!(error, ConnectError::OtherAccount { found, .. } if found == id(2)), "{error}");
    assert_eq!(server.requests().len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn transient_errors_of_sts_are_retried_for_each_account() {
    let server = Server::start(|request| match (request.action(), request.earlier) {
        ("AssumeRole", 0) => sts_error(503, "ServiceUnavailable", "try again"),
        ("AssumeRole", 1) => Reply::Close,
        ("AssumeRole", 2) => Reply::NotOfAws(403, "<html>no</html>"),
        _ => respond(request),
    });
    let account = identify(&access(&base(&server).await, id(1), "role/r")).await.unwrap();
    assert_eq!(account.identity().account, id(1));
    assert_eq!(server.count("AssumeRole"), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_accounts_slow_down_together_when_sts_throttles() {
    /// The tokens of a second.
    const RATE: usize = 30;
    const ACCOUNTS: usize = 120;
    let accepted = Mutex::new(BTreeMap::<u64, usize>::new());
    let start = Instant::now();
    let server = Server::start(move |request| {
        if request.action() == "AssumeRole" {
            let mut accepted = accepted.lock().unwrap();
            let tokens = accepted.entry(start.elapsed().as_secs()).or_default();
            if *tokens == RATE {
                return sts_error(400, "Throttling", "Rate exceeded");
            }
            *tokens += 1;
        }
        respond(request)
    });
    let base = base(&server).await;
    let accesses: Vec<Access> =
        (1..=ACCOUNTS).map(|number| access(&base, id(number), "role/r")).collect();
    for account in join_all(accesses.iter().map(identify)).await {
        account.unwrap();
    }
    // Tasks that retry alone would all retry in each of the seconds.
    let throttled = server.count("AssumeRole") - ACCOUNTS;
    assert!((1..=ACCOUNTS / 2).contains(&throttled), "{throttled}");
    assert_eq!(base.calls().throttled, throttled as u64);
}

/// Calls IAM until the session of the role was renewed, or a call fails.
async fn until_renewed(server: &Server, account: &Account) -> Result<(), ApiError> {
    let began = Instant::now();
    while server.count("AssumeRole") < 2 || began.elapsed() < Duration::from_secs(3) {
        assert!(began.elapsed() < Duration::from_secs(20));
        account.alias().await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_session_of_a_role_is_renewed_before_it_ends() {
    let server = Server::start(|request| match (request.action(), request.earlier) {
        // It is not used in its last 10 seconds.
        ("AssumeRole", 0) => session(request, account_of_role(request), 12),
        ("AssumeRole", 1) => sts_error(400, "Throttling", "Rate exceeded"),
        _ => respond(request),
    });
    let base = base(&server).await;
    let account = identify(&access(&base, id(1), "role/r")).await.unwrap();
    until_renewed(&server, &account).await.unwrap();
    assert_eq!(server.count("AssumeRole"), 3);
    // The base, and both sessions.
    assert_eq!(server.count("GetCallerIdentity"), 3);
    let signed_by = |request: &Request| {
        (request.action() == "ListAccountAliases").then(|| key(request).to_owned())
    };
    let keys: BTreeSet<String> = server.requests().iter().filter_map(signed_by).collect();
    assert_eq!(keys, [0, 2].map(|number| format!("{}-{number}", id(1))).into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_another_account_signs_no_call() {
    let server = Server::start(|request| match (request.action(), request.earlier) {
        ("AssumeRole", 0) => session(request, id(1).as_str(), 12),
        ("AssumeRole", _) => session(request, id(2).as_str(), 3_600),
        _ => respond(request),
    });
    let base = base(&server).await;
    let account = identify(&access(&base, id(1), "role/r")).await.unwrap();
    let error = until_renewed(&server, &account).await.unwrap_err();
    assert_eq!((error.class, &*error.code), (ErrorClass::Credentials, "AccountChanged"));
    let is_of_other = |request: &Request| key(request).starts_with(id(2).as_str());
    let of_other = server.requests().into_iter().filter(is_of_other);
    assert!(of_other.map(|it| it.action().to_owned()).all(|it| it == "GetCallerIdentity"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_connections_share_one_client_and_open_without_a_call() {
    let server = Server::start(respond);
    let base = base(&server).await;
    let before = server.requests().len();
    let accesses: Vec<Access> =
        (1..=2_000).map(|number| access(&base, id(number), "role/r")).collect();
    let began = Instant::now();
    let mut connections = Vec::new();
    for access in &accesses {
        connections.push(Connection::open_with(access, Waits::default()).await);
    }
    // A debug build needs about 0.2 seconds. Loading the certificates of the system once takes longer than a tenth.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!((connections.len(), server.requests().len()), (2_000, before));
}

const PROFILE: &str = "
[profile hub]
role_arn = arn:aws:iam::111111111111:role/Hub
source_profile = keys
[profile keys]
aws_access_key_id = 222222222222
aws_secret_access_key = any
";

/// The part of the test below that runs in a process with its own environment.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test runs it"]
async fn child_with_a_profile() {
    let variable = |name| std::env::var(name).unwrap();
    let access_of_base = Access::Chain {
        profile: Some("hub".to_owned()),
        region: None,
        endpoint_url: Some(variable("TEST_ENDPOINT")),
        allow_http: false,
        partition: None,
        mfa: Mfa::new(NoMfaPrompt),
    };
    let base = BaseIdentity::open(&access_of_base, Waits::default()).await.unwrap();
    assert_eq!(base.identity().account.as_str(), "111111111111");
    // Nothing is read again.
    std::fs::remove_file(variable("AWS_CONFIG_FILE")).unwrap();
    for number in 1..=3 {
        let account = identify(&access(&base, id(number), "role/r")).await.unwrap();
        assert_eq!(account.identity().account, id(number));
    }
}

#[test]
fn a_role_of_a_profile_is_the_base_and_the_endpoint_option_applies_to_the_roles_of_the_fleet() {
    let (of_profile, endpoint) = (Server::start(respond), Server::start(respond));
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    std::fs::write(&config, PROFILE).unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "credentials_fleet::child_with_a_profile", "--ignored"])
        .env("AWS_CONFIG_FILE", &config)
        .env("AWS_SHARED_CREDENTIALS_FILE", folder.path().join("none"))
        .env("AWS_ENDPOINT_URL_STS", of_profile.url())
        .env("TEST_ENDPOINT", endpoint.url())
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    assert_eq!(of_profile.count("AssumeRole"), 1);
    assert_eq!(of_profile.requests().len(), 1);
    assert_eq!((endpoint.count("AssumeRole"), endpoint.count("GetCallerIdentity")), (3, 4));
    let assumed = endpoint.requests().into_iter().find(|it| it.action() == "AssumeRole").unwrap();
    assert_eq!(key(&assumed), "111111111111-0");
}
