//! Reading with the real SDK over a real socket: what is asked for, and what is believed.

mod support;

use std::collections::BTreeMap;

use iam_boundaries::live::{CallError, ErrorClass, PolicyState};
use iam_boundaries::sandbox::{ACCOUNT, Fault, Options, Sandbox, Seed};
use iam_boundaries::values::{PolicyArn, UserName};
use support::accounts::account;

const GET_POLICY: &str = "GetPolicy";
const SUMMARY: &str = "GetAccountSummary";

fn user(name: &str) -> UserName {
    name.parse().unwrap()
}

fn policy(path: &str) -> PolicyArn {
    format!("arn:aws:iam::{ACCOUNT}:policy/{path}").parse().unwrap()
}

fn policy_of_aws(path: &str) -> PolicyArn {
    format!("arn:aws:iam::aws:policy/{path}").parse().unwrap()
}

async fn company() -> Sandbox {
    Sandbox::start(Options { seed: Seed::Story, ..Options::default() }).await.unwrap()
}

fn unreadable(state: &PolicyState) -> &CallError {
    match state {
        PolicyState::Unreadable(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_policy_is_asked_for_once_and_is_attachable_or_not_or_not_there() {
    let sandbox = company().await;
    let expected = BTreeMap::from([
        (policy("Developer"), PolicyState::Attachable),
        (policy("ci/Deployer"), PolicyState::Attachable),
        (policy("Nothing"), PolicyState::NoSuchPolicy),
        (policy_of_aws("PowerUserAccess"), PolicyState::Attachable),
        (policy_of_aws("NoSuchPolicyOfAws"), PolicyState::NoSuchPolicy),
        (policy_of_aws("aws-service-role/AWSSupportServiceRolePolicy"), PolicyState::NotAttachable),
    ]);
    let account = account(sandbox.endpoint_url()).await;
    let twice = expected.keys().chain(expected.keys());
    assert_eq!(account.policies(twice).await.unwrap(), expected);
    assert_eq!(sandbox.calls()[GET_POLICY], 6);
    assert!(account.policies([]).await.unwrap().is_empty());
    assert_eq!(sandbox.calls()[GET_POLICY], 6);
}

#[tokio::test]
async fn a_policy_that_may_not_be_read_is_unreadable_and_the_others_are_read() {
    let sandbox = company().await;
    let denied = Fault::error(403, "AccessDenied", "not authorized");
    sandbox.faults().add(GET_POLICY, None, 1, denied);
    let arns = [policy("Developer"), policy("Contractor")];
    let states = account(sandbox.endpoint_url()).await.policies(&arns).await.unwrap();
    let (denied, read): (Vec<_>, Vec<_>) =
        states.values().partition(|state| matches!(state, PolicyState::Unreadable(_)));
    assert_eq!(unreadable(denied[0]).class, ErrorClass::Denied);
    assert_eq!(read, [&PolicyState::Attachable]);
}

#[tokio::test]
async fn useless_credentials_are_an_error_of_every_policy() {
    let sandbox = company().await;
    let expired = Fault::error(403, "ExpiredToken", "The security token is expired");
    sandbox.faults().add(GET_POLICY, None, 1, expired);
    let error =
        account(sandbox.endpoint_url()).await.policies(&[policy("Developer")]).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::Credentials, "ExpiredToken"));
}

#[tokio::test]
async fn an_answer_about_another_policy_is_not_believed() {
    let sandbox = company().await;
    let other = format!(
        "<GetPolicyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetPolicyResult><Policy>\
         <Arn>{}</Arn><IsAttachable>true</IsAttachable></Policy></GetPolicyResult></GetPolicyResponse>",
        policy("Contractor")
    );
    sandbox.faults().add(GET_POLICY, None, 1, Fault::Answer(other));
    let arn = policy("Developer");
    let states = account(sandbox.endpoint_url()).await.policies([&arn]).await.unwrap();
    let error = unreadable(&states[&arn]);
    assert_eq!(error.code, "UnreadableAnswer");
    assert!(error.message.contains("another policy"), "{error}");
}

#[tokio::test]
async fn the_number_of_users_is_asked_for_once() {
    let sandbox = company().await;
    let account = account(sandbox.endpoint_url()).await;
    assert_eq!(account.user_count().await.unwrap(), 19);
    assert_eq!(account.user_count().await.unwrap(), 19);
    assert_eq!(sandbox.calls()[SUMMARY], 1);
    // Reading asks for it, too, to find the cheapest way.
    account.snapshot(&[user("alice"), user("bob"), user("dana")]).await.unwrap();
    assert_eq!(sandbox.calls()[SUMMARY], 1);
}

#[tokio::test]
async fn pages_that_were_read_to_the_end_tell_the_number_of_users() {
    let sandbox =
        Sandbox::start(Options { seed: Seed::Story, page_size: 4, ..Options::default() }).await;
    let sandbox = sandbox.unwrap();
    let account = account(sandbox.endpoint_url()).await;
    assert_eq!(account.everyone().await.unwrap().len(), 19);
    assert_eq!(account.user_count().await.unwrap(), 19);
    assert_eq!(sandbox.calls().get(SUMMARY), None);
}

#[tokio::test]
async fn where_the_number_of_users_may_not_be_read_it_is_an_error_and_no_number() {
    let sandbox = company().await;
    let denied = Fault::error(403, "AccessDenied", "not authorized");
    sandbox.faults().add(SUMMARY, None, 1, denied);
    let account = account(sandbox.endpoint_url()).await;
    let error = account.user_count().await.unwrap_err();
    assert_eq!((error.class, error.action.as_ref()), (ErrorClass::Denied, "iam:GetAccountSummary"));
    assert_eq!(account.user_count().await.unwrap(), 19);
}
