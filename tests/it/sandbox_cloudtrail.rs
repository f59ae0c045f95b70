//! CloudTrail of the sandbox, with the AWS SDK as its client.

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_cloudtrail::operation::lookup_events::builders::LookupEventsFluentBuilder;
use aws_sdk_cloudtrail::primitives::DateTime;
use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use iam_boundaries::sandbox::{ACCESS_KEY_ID, Options, SECRET_ACCESS_KEY, Sandbox};
use serde_json::{Map, Value};

use crate::support::plans::{arn, name};
use crate::support::sdk::{client, code, http_client};

const PUT: &str = "PutUserPermissionsBoundary";

fn trail(sandbox: &Sandbox, region: &'static str) -> Client {
    let credentials = Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "test");
    let config = aws_sdk_cloudtrail::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http_client())
        .region(Region::new(region))
        .credentials_provider(credentials)
        .endpoint_url(sandbox.endpoint_url());
    Client::from_conf(config.build())
}

fn lookup(sandbox: &Sandbox, region: &'static str) -> LookupEventsFluentBuilder {
    let attribute = LookupAttribute::builder()
        .attribute_key(LookupAttributeKey::EventName)
        .attribute_value(PUT)
        .build()
        .unwrap();
    trail(sandbox, region).lookup_events().lookup_attributes(attribute)
}

/// The times of the events, in seconds since 2026-11-28 00:00 UTC.
async fn times(request: LookupEventsFluentBuilder) -> Vec<i64> {
    let response = request.send().await.unwrap();
    response.events().iter().map(|event| event.event_time().unwrap().secs() - START).collect()
}

const START: i64 = 1_795_824_000;

/// A sandbox with events at these seconds.
async fn sandbox(seconds: &[u64]) -> Sandbox {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    for second in seconds {
        let time = format!("2026-11-28T00:00:{second:02}Z");
        let fields = [("eventName", PUT.into()), ("eventTime", Value::from(time))];
        let record: Map<String, Value> =
            fields.map(|(name, it)| (name.to_owned(), it)).into_iter().collect();
        sandbox.put_event(record);
    }
    sandbox
}

#[tokio::test]
async fn events_are_the_newest_first_in_pages_and_in_a_time_range_of_the_home_region() {
    let sandbox = sandbox(&[5, 9, 1, 7, 3]).await;
    let home = || lookup(&sandbox, "us-east-1");
    assert_eq!(times(home()).await, [9, 7, 5, 3, 1]);
    let range = home().start_time(DateTime::from_secs(START + 3));
    assert_eq!(times(range.end_time(DateTime::from_secs(START + 7))).await, [7, 5, 3]);
    assert_eq!(times(lookup(&sandbox, "eu-west-1")).await, Vec::<i64>::new());
    let first = home().max_results(2).send().await.unwrap();
    let token = first.next_token().unwrap();
    assert_eq!(times(home().max_results(3).next_token(token)).await, [5, 3, 1]);
    let other = trail(&sandbox, "us-east-1").lookup_events().next_token(token).send().await;
    assert_eq!(code(other), "InvalidNextTokenException", "a token is for the request before");
}

#[tokio::test]
async fn requests_that_aws_rejects_are_rejected() {
    let sandbox = sandbox(&[1]).await;
    let home = || lookup(&sandbox, "us-east-1");
    assert_eq!(code(home().max_results(51).send().await), "InvalidMaxResultsException");
    let range = home().start_time(DateTime::from_secs(9)).end_time(DateTime::from_secs(8));
    assert_eq!(code(range.send().await), "InvalidTimeRangeException");
}

#[tokio::test]
async fn an_event_has_the_parameters_the_identity_and_the_error_of_its_request() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let user = name("dana.new");
    sandbox.put_user(&user, None);
    let policy = sandbox.put_policy("Trial");
    let iam = client(&sandbox);
    let put = |arn: &str| {
        iam.put_user_permissions_boundary()
            .user_name(user.as_str())
            .permissions_boundary(arn)
            .send()
    };
    put(policy.as_str()).await.unwrap();
    put(arn("Missing").as_str()).await.unwrap_err();
    let response = lookup(&sandbox, "us-east-1").send().await.unwrap();
    let [failed, set] = response.events() else { panic!("{response:?}") };
    let record = |text: Option<&str>| -> Value { serde_json::from_str(text.unwrap()).unwrap() };
    let (failed, set) = (record(failed.cloud_trail_event()), record(set.cloud_trail_event()));
    assert_eq!(failed["errorCode"], "NoSuchEntity");
    assert_eq!(set.get("errorCode"), None);
    let expected =
        serde_json::json!({ "userName": user.as_str(), "permissionsBoundary": policy.as_str() });
    assert_eq!(set["requestParameters"], expected);
    assert_eq!(set["userIdentity"]["userName"], "sandbox-operator");
}
