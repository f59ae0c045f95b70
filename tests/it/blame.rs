//! Who made the changes that a plan would undo: `plan --blame`.

use std::time::{Duration, SystemTime};

use iam_boundaries::iam::Principal;
use iam_boundaries::ops::{self, ImpactScope, Making, PlanOptions, Selection};
use iam_boundaries::sandbox::{Fault, FaultScope};
use iam_boundaries::state::StateRoot;
use serde_json::{Map, Value, json};

use crate::support::Ran;
use crate::support::fixture::{DELETE, Fixture, PUT, access, denied, role, user};
use crate::support::fleet::{FleetFixture, PLAN};
use crate::support::plans::arn;
use crate::support::sdk::client;

const LOOKUP: &str = "LookupEvents";
const FORMATS: [&str; 5] = ["text", "markdown", "github", "html", "json"];

/// A file for the account of the fixture. `Developer` and `Other` have short names.
fn file(lines: &str) -> String {
    let head = "[account]\nid = \"123456789012\"\n[boundaries]\ndeveloper = \"policy/Developer\"\n\
                other = \"policy/Other\"\n";
    format!("{head}{lines}")
}

/// An account with this many users and roles without boundaries. The file sets `Developer` for the first two users.
async fn company() -> Fixture {
    let lines = format!("[users]\n{} = \"developer\"\n{} = \"developer\"\n", user(0), user(1));
    Fixture::users(4).roles(2).file(&file(&lines)).start().await
}

fn fields(record: Value) -> Map<String, Value> {
    match record {
        Value::Object(fields) => fields,
        other => panic!("{other}"),
    }
}

/// The time this long ago.
fn ago(time: Duration) -> String {
    humantime::format_rfc3339_seconds(SystemTime::now() - time).to_string()
}

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// An event that sets the boundary of a user.
fn put_event(n: usize, policy: &str, time: Duration) -> Value {
    json!({
        "eventName": PUT,
        "eventTime": ago(time),
        "userIdentity": {
            "type": "IAMUser",
            "arn": "arn:aws:iam::123456789012:user/mallory",
            "accountId": "123456789012",
            "userName": "mallory",
        },
        "sourceIPAddress": "203.0.113.7",
        "userAgent": "[aws-cli/2.31.0]",
        "requestParameters": { "userName": user(n).as_str(), "permissionsBoundary": arn(policy).as_str() },
    })
}

fn with(mut event: Value, field: &str, value: Value) -> Value {
    event[field] = value;
    event
}

fn add(fixture: &Fixture, event: Value) {
    fixture.sandbox.put_event(fields(event));
}

/// The output without line breaks.
fn unwrapped(ran: &Ran) -> String {
    ran.out.split_whitespace().collect::<Vec<_>>().join(" ")
}

async fn plan(fixture: &Fixture, arguments: &[&str]) -> Ran {
    fixture.run(&[&["plan", "--blame"], arguments].concat()).await
}

/// The plan as JSON.
async fn document(fixture: &Fixture, arguments: &[&str]) -> Value {
    let ran = plan(fixture, &[arguments, &["--format", "json"]].concat()).await;
    assert_eq!(ran.code, 0, "{ran}");
    serde_json::from_str(&ran.out).unwrap()
}

/// The names of the principals that were looked up, with the cause of each.
fn causes(plan: &Value) -> Vec<(String, Value)> {
    let changes = plan["blame"]["changes"].as_array().unwrap_or_else(|| panic!("{plan}"));
    let cause = |it: &Value| (it["name"].as_str().unwrap().to_owned(), it["cause"].clone());
    changes.iter().map(cause).collect()
}

/// The cause of the change of user 0, of a plan without other changes than those of the users 0 and 1.
async fn cause(fixture: &Fixture) -> Value {
    let causes = causes(&document(fixture, &[]).await);
    assert_eq!(causes[0].0, user(0).as_str());
    causes[0].1.clone()
}

#[tokio::test]
async fn a_change_of_another_client_is_named_with_its_time_address_and_tool_in_every_format() {
    let fixture = company().await;
    fixture.set(0, "Other");
    let removed = client(&fixture.sandbox).delete_user_permissions_boundary();
    removed.user_name(user(0).as_str()).send().await.unwrap();
    let cause = cause(&fixture).await;
    assert_eq!(cause["kind"], "request", "{cause}");
    assert_eq!(cause["run"], Value::Null);
    let request = &cause["request"];
    assert_eq!(request["action"], "remove");
    assert_eq!(request["by"]["type"], "IAMUser");
    let who = "arn:aws:iam::123456789012:user/sandbox-operator";
    assert_eq!(request["by"]["arn"], who);
    assert_eq!(request["address"], "127.0.0.1");
    let agent = request["user_agent"].as_str().unwrap();
    assert!(agent.starts_with("aws-sdk-rust/"), "{agent}");
    // The users were created before the 90 days that CloudTrail keeps, so no creation was looked up.
    assert_eq!(fixture.calls(LOOKUP), 2);
    for format in FORMATS {
        let ran = plan(&fixture, &["--format", format]).await;
        assert_eq!(ran.code, 0, "{ran}");
        for expected in [who, "127.0.0.1", "aws-sdk-rust/"] {
            assert!(ran.out.contains(expected), "{format}: {expected}: {ran}");
        }
    }
    let text = unwrapped(&plan(&fixture, &[]).await);
    assert!(text.contains("boundary removed on 2"), "{text}");
    assert!(text.contains(&format!("UTC by {who} from 127.0.0.1 with aws-sdk-rust/")), "{text}");
    assert!(text.contains("1 of 2 changes found in the events of us-east-1"), "{text}");
}

#[tokio::test]
async fn with_a_base_only_drift_is_looked_up_and_without_drift_no_call_is_made() {
    let fixture = company().await;
    let base = file(&format!("[users]\n{} = \"developer\"\n", user(0)));
    std::fs::write(fixture.folder().join("base.toml"), base).unwrap();
    add(&fixture, with(put_event(0, "Other", MINUTE), "eventName", DELETE.into()));
    let found = document(&fixture, &["--base", "base.toml"]).await;
    let names: Vec<String> = causes(&found).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, [user(0).as_str()]);
    assert_eq!(names.len() + 1, found["changes"].as_array().unwrap().len());
    fixture.set(0, "Developer");
    let before = fixture.calls(LOOKUP);
    let found = document(&fixture, &["--base", "base.toml"]).await;
    assert_eq!((causes(&found).len(), fixture.calls(LOOKUP)), (0, before));
}

#[tokio::test]
async fn what_cloudtrail_does_not_have_is_said_to_be_not_found_with_the_limits_of_cloudtrail() {
    let fixture = company().await;
    fixture.set(0, "Other");
    // CloudTrail keeps events for 90 days.
    add(&fixture, put_event(0, "Other", DAY * 91));
    assert_eq!(cause(&fixture).await, json!({ "kind": "not_found", "newest": null }));
    for format in &FORMATS[..4] {
        let ran = plan(&fixture, &["--format", format]).await;
        assert_eq!(ran.code, 0, "{ran}");
        let text = unwrapped(&ran);
        for expected in ["not found in CloudTrail", "keeps events for 90 days", "about 5 minutes"] {
            assert!(text.contains(expected), "{format}: {expected}: {text}");
        }
    }
    // An event that is not delivered yet: the newest one explains another boundary.
    add(&fixture, put_event(0, "Developer", MINUTE));
    let newer = cause(&fixture).await;
    assert_eq!((&newer["kind"], &newer["newest"]["action"]), (&json!("not_found"), &json!("set")));
    let text = unwrapped(&plan(&fixture, &[]).await);
    assert!(text.contains("an earlier request left another boundary"), "{text}");
}

#[tokio::test]
async fn a_lookup_that_is_denied_is_a_warning_with_its_permission_and_never_not_found() {
    let fixture = company().await;
    fixture.sandbox.faults().add(LOOKUP, None, u32::MAX, denied());
    let denied = cause(&fixture).await;
    assert_eq!(denied["kind"], "not_looked_up");
    let why = denied["why"].as_str().unwrap();
    assert!(why.starts_with("cloudtrail:LookupEvents failed: AccessDeniedException"), "{why}");
    for format in &FORMATS[..4] {
        let ran = plan(&fixture, &["--format", format, "--detailed-exitcode"]).await;
        assert_eq!(ran.code, 2, "{ran}");
        let text = unwrapped(&ran);
        assert!(text.contains("not looked up") && !text.contains("not found"), "{format}: {text}");
        assert!(text.contains("cloudtrail:LookupEvents failed"), "{format}: {text}");
    }
    let text = unwrapped(&plan(&fixture, &[]).await);
    assert!(text.contains("help: allow cloudtrail:LookupEvents on *"), "{text}");
}

#[tokio::test]
async fn a_throttled_lookup_and_empty_pages_only_take_longer() {
    let fixture = company().await;
    fixture.set(0, "Other");
    add(&fixture, put_event(0, "Other", MINUTE));
    fixture.sandbox.faults().add(LOOKUP, None, 2, Fault::throttling());
    fixture.sandbox.faults().add(LOOKUP, None, 2, Fault::EmptyPage);
    // The first page of each action is throttled or empty. An empty page with a token is not the last one.
    let cause = cause(&fixture).await;
    assert_eq!(cause["request"]["by"]["name"], "mallory", "{cause}");
}

#[tokio::test]
async fn pages_are_read_until_every_change_is_explained() {
    let fixture = company().await;
    for n in [0, 1] {
        fixture.set(n, "Other");
    }
    add(&fixture, put_event(0, "Other", DAY * 3));
    add(&fixture, put_event(1, "Other", DAY * 2));
    for n in 0..120 {
        add(&fixture, put_event(2, "Other", DAY + MINUTE * n));
    }
    for _ in 0..100 {
        add(&fixture, put_event(2, "Other", DAY * 4));
    }
    let found = causes(&document(&fixture, &[]).await);
    assert!(
        found.iter().all(|(_, cause)| cause["request"]["by"]["name"] == "mallory"),
        "{found:?}"
    );
    // Three pages of PutUserPermissionsBoundary reach back to the fourth day, and one of the other action is its last.
    assert_eq!(fixture.calls(LOOKUP), 4);
}

#[tokio::test]
async fn a_request_on_an_earlier_user_of_the_same_name_is_not_blamed() {
    let fixture = company().await;
    let sdk = client(&fixture.sandbox);
    add(&fixture, with(put_event(0, "Other", MINUTE), "eventName", DELETE.into()));
    sdk.delete_user().user_name(user(0).as_str()).send().await.unwrap();
    sdk.create_user().user_name(user(0).as_str()).send().await.unwrap();
    let created = cause(&fixture).await;
    assert_eq!(created["request"]["action"], "create", "{created}");
    let text = unwrapped(&plan(&fixture, &[]).await);
    assert!(text.contains("user created on 2"), "{text}");
    // The event of the creation may not be there yet: the creation date is enough.
    let fixture = company().await;
    fixture.set(0, "Other");
    add(&fixture, put_event(0, "Other", MINUTE * 10));
    fixture.sandbox.put_creation_date(&Principal::user(user(0)), &ago(MINUTE * 5));
    assert_eq!(cause(&fixture).await, json!({ "kind": "not_found", "newest": null }));
}

#[tokio::test]
async fn a_failed_request_changed_nothing_and_is_not_blamed() {
    let fixture = company().await;
    fixture.set(0, "Other");
    add(&fixture, put_event(0, "Other", MINUTE * 2));
    let failed = with(put_event(0, "Other", MINUTE), "errorCode", "AccessDenied".into());
    add(&fixture, with(failed, "sourceIPAddress", "198.51.100.1".into()));
    assert_eq!(cause(&fixture).await["request"]["address"], "203.0.113.7");
}

#[tokio::test]
async fn a_run_of_this_tool_is_recognized_by_its_journal_and_otherwise_by_its_user_agent() {
    let fixture = company().await;
    let applied = fixture.run(&["apply", "--auto-approve"]).await;
    assert_eq!(applied.code, 0, "{applied}");
    fixture.write_file(&file(&format!("[users]\n{} = \"other\"\n", user(0))));
    let cause = cause(&fixture).await;
    let journal = cause["run"]["journal"].as_str().unwrap_or_else(|| panic!("{cause}"));
    assert!(std::path::Path::new(journal).exists(), "{journal}");
    for format in &FORMATS[..4] {
        let ran = plan(&fixture, &["--format", format]).await;
        let text = unwrapped(&ran);
        // Markdown escapes hyphens.
        assert!(
            text.replace('\\', "").contains("with iam-boundaries (run of 2"),
            "{format}: {text}"
        );
        assert!(ran.out.contains(journal), "{format}: {ran}");
    }
    std::fs::remove_file(journal).unwrap();
    let text = unwrapped(&plan(&fixture, &[]).await);
    assert!(text.contains("with iam-boundaries, by its user agent; no journal"), "{text}");
}

#[tokio::test]
async fn every_type_of_identity_has_a_name() {
    let fixture = company().await;
    fixture.set(0, "Other");
    for (n, (identity, expected)) in (1..).zip([
        (
            json!({ "type": "Root", "arn": "arn:aws:iam::123456789012:root", "accountId": "123456789012" }),
            "by the root user of account 123456789012 from",
        ),
        (
            json!({
                "type": "AssumedRole",
                "arn": "arn:aws:sts::123456789012:assumed-role/Admin/jane",
                "sessionContext": {
                    "sessionIssuer": { "arn": "arn:aws:iam::123456789012:role/Admin" },
                    "sourceIdentity": "jane@example.com",
                },
                "invokedBy": "cloudformation.amazonaws.com",
            }),
            "by arn:aws:sts::123456789012:assumed-role/Admin/jane (source identity jane@example.com) through \
             cloudformation.amazonaws.com from",
        ),
        (
            json!({ "type": "AWSService", "invokedBy": "sso.amazonaws.com" }),
            "by the AWS service sso.amazonaws.com from",
        ),
        (
            json!({ "type": "FederatedUser", "arn": "arn:aws:sts::123456789012:federated-user/kim" }),
            "by arn:aws:sts::123456789012:federated-user/kim from",
        ),
        (
            json!({ "type": "SAMLUser", "principalId": "x:y", "userName": "lee", "identityProvider": "idp" }),
            "by SAMLUser lee from",
        ),
        (
            json!({ "type": "IdentityCenterUser", "accountId": "123456789012", "onBehalfOf": { "userId": "u-1" } }),
            "by IdentityCenterUser u-1 of account 123456789012 from",
        ),
        (json!({ "type": "AWSAccount" }), "by an identity of the type AWSAccount without a name from"),
        (json!({}), "by an identity of the type Unknown without a name from"),
    ]) {
        // Each event is newer than the one before.
        let event = put_event(0, "Other", MINUTE * (60 - n));
        add(&fixture, with(event, "userIdentity", identity));
        let text = unwrapped(&plan(&fixture, &[]).await);
        assert!(text.contains(expected), "{expected}: {text}");
    }
    // A session of a role, as the sandbox records it.
    fixture.sandbox.assume_role(&user(1));
    let sdk = client(&fixture.sandbox).put_user_permissions_boundary();
    let sdk = sdk.user_name(user(0).as_str()).permissions_boundary(arn("Other").as_str());
    sdk.send().await.unwrap();
    let by = &cause(&fixture).await["request"]["by"];
    let session = format!("arn:aws:sts::123456789012:assumed-role/{}/sandbox-operator", user(1));
    assert_eq!((&by["type"], &by["arn"]), (&json!("AssumedRole"), &json!(session)));
    assert_eq!(by["session_issuer"], format!("arn:aws:iam::123456789012:role/{}", user(1)));
}

#[tokio::test]
async fn roles_are_looked_up_by_their_own_events_and_a_user_of_the_same_name_is_not_confused() {
    let lines = format!("[roles]\n{} = \"developer\"\n", user(0));
    let fixture = Fixture::users(1).roles(1).file(&file(&lines)).start().await;
    let sdk = client(&fixture.sandbox);
    let removed = sdk.delete_role_permissions_boundary().role_name(role(0).name.as_str());
    removed.send().await.unwrap();
    add(&fixture, with(put_event(0, "Other", Duration::ZERO), "eventName", DELETE.into()));
    let request = &cause(&fixture).await["request"];
    assert_eq!((&request["address"], &request["action"]), (&json!("127.0.0.1"), &json!("remove")));
}

#[tokio::test]
async fn the_events_are_looked_up_in_the_home_region_whatever_region_is_set() {
    let fixture = company().await.env("AWS_REGION", "ap-southeast-2");
    fixture.set(0, "Other");
    add(&fixture, put_event(0, "Other", MINUTE));
    assert_eq!(cause(&fixture).await["kind"], "request");
}

#[tokio::test]
async fn the_endpoint_of_cloudtrail_can_be_set_and_must_be_encrypted() {
    let fixture = company().await.env("AWS_ENDPOINT_URL_CLOUDTRAIL", "http://trail.example");
    let ran = plan(&fixture, &[]).await;
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.err.contains("trail.example of AWS_ENDPOINT_URL_CLOUDTRAIL"), "{ran}");
    assert_eq!(fixture.sandbox.calls().len(), 0);
}

#[tokio::test]
async fn a_time_limit_ends_the_lookup_and_the_plan_is_complete() {
    let fixture = company().await;
    fixture.set(0, "Other");
    add(&fixture, put_event(0, "Other", MINUTE));
    fixture.sandbox.faults().add(LOOKUP, None, u32::MAX, Fault::EmptyPage);
    let plan = document(&fixture, &["--timeout", "3s"]).await;
    assert_eq!(plan["changes"].as_array().unwrap().len(), 2);
    let why = &causes(&plan)[0].1["why"];
    assert_eq!(why, "the events were not read within the time limit");
}

#[tokio::test]
async fn a_long_lookup_says_how_far_it_is() {
    let fixture = company().await;
    fixture.set(0, "Other");
    for n in 0..60 {
        add(&fixture, put_event(2, "Other", MINUTE * n));
    }
    let empty = FaultScope::default().action(LOOKUP).times(14);
    fixture.sandbox.faults().inject(empty, Fault::EmptyPage);
    let options = PlanOptions {
        making: Making {
            access: access(&fixture.sandbox),
            account: None,
            out: None,
            timeout: None,
            impact: ImpactScope::default(),
            record_documents: false,
        },
        selection: Selection::of_files(vec![fixture.folder().join("boundaries.toml")]),
        max_changes: None,
        max_removals: None,
        blame: Some(StateRoot::at(fixture.folder().join("state"))),
    };
    let mut waits = Vec::new();
    let plan = ops::plan(&options, &mut |wait| waits.extend(wait.map(ToString::to_string))).await;
    assert!(plan.unwrap().blame.is_some());
    let says_how_far =
        |wait: &String| wait.starts_with("CloudTrail events: ") && wait.contains("pages read");
    assert!(waits.iter().any(says_how_far), "{waits:?}");
    assert!(!fixture.folder().join("state").exists(), "a plan creates no state");
}

#[tokio::test]
async fn a_response_that_cannot_be_used_is_a_reason_and_not_the_end_of_the_events() {
    let fixture = company().await;
    for (body, expected) in
        [("{", "is not a complete JSON document of CloudTrail"), ("{}", "contains no list")]
    {
        fixture.sandbox.faults().clear();
        let fault = Fault::Response(body.to_owned());
        fixture.sandbox.faults().add(LOOKUP, None, u32::MAX, fault);
        let cause = cause(&fixture).await;
        let why = cause["why"].as_str().unwrap_or_else(|| panic!("{body}: {cause}"));
        assert!(why.contains(expected), "{body}: {why}");
    }
    // An event that names nobody is counted: it can be the missing one.
    fixture.sandbox.faults().clear();
    add(
        &fixture,
        with(put_event(0, "Other", MINUTE), "requestParameters", json!({ "omitted": true })),
    );
    let text = unwrapped(&plan(&fixture, &[]).await);
    assert!(
        text.contains("1 event of CloudTrail does not name a principal or a boundary"),
        "{text}"
    );
}

#[tokio::test]
async fn a_saved_plan_has_the_answers_outside_its_digest_and_show_repeats_them() {
    let fixture = company().await;
    fixture.set(0, "Other");
    add(&fixture, put_event(0, "Other", MINUTE));
    let saved = plan(&fixture, &["--out", "blamed.json"]).await;
    assert_eq!(saved.code, 0, "{saved}");
    let plain = fixture.run(&["plan", "--out", "plain.json"]).await;
    let digest = |ran: &Ran| ran.err.split("digest ").nth(1).unwrap().to_owned();
    assert_eq!(digest(&saved), digest(&plain));
    let shown = fixture.run(&["show", "blamed.json"]).await;
    assert!(
        unwrapped(&shown).contains("user/mallory from 203.0.113.7 with aws-cli/2.31.0"),
        "{shown}"
    );
    let path = fixture.folder().join("blamed.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let schema = jsonschema::validator_for(&iam_boundaries::plan::saved::schema()).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    assert!(document["blame"].is_object() && schema.is_valid(&document), "{text}");
    crate::schema::assert_digest_as_described(&document);
    let mut edited: Value = serde_json::from_str(&text).unwrap();
    edited["blame"]["changes"][0]["name"] = "somebody".into();
    std::fs::write(&path, edited.to_string()).unwrap();
    let rejected = fixture.run(&["show", "blamed.json"]).await;
    assert_eq!(rejected.code, 1);
    assert!(rejected.err.contains("its blame is not about the principals"), "{rejected}");
    let mut edited: Value = serde_json::from_str(&text).unwrap();
    edited["blame"]["changes"][0]["cause"]["request"]["user_agent"] = "\u{1b}[31m".into();
    std::fs::write(&path, edited.to_string()).unwrap();
    assert_eq!(fixture.run(&["show", "blamed.json"]).await.code, 1);
    let applied = fixture.run(&["apply", "plain.json", "--auto-approve"]).await;
    assert_eq!(applied.code, 0, "{applied}");
}

#[tokio::test]
async fn the_sandbox_of_the_command_line_remembers_its_events() {
    let binary = crate::support::Binary::with_own_file();
    let applied = binary.run(&["--sandbox", "apply", "--auto-approve"]);
    assert!([0, 3].contains(&applied.code), "{applied}");
    let lines: String =
        ["alice", "bob", "dana", "emeka"].map(|name| format!("{name} = false\n")).concat();
    std::fs::write(binary.folder().join("boundaries.toml"), format!("[users]\n{lines}")).unwrap();
    let ran = binary.run(&["--sandbox", "plan", "--blame", "--format", "json"]);
    let plan: Value = serde_json::from_str(&ran.out).unwrap();
    let causes = causes(&plan);
    assert!(causes.iter().any(|(_, cause)| cause["run"]["journal"].is_string()), "{causes:?}");
}

#[tokio::test]
async fn each_account_of_a_fleet_is_looked_up_with_its_own_credentials() {
    let fleet = FleetFixture::accounts(3).start().await;
    fleet.put(1, 2, "Contractor").await;
    let denied = FaultScope::account(fleet.id(2)).action(LOOKUP);
    fleet.faults().inject(denied, Fault::access_denied());
    let ran = fleet.run(&[&PLAN[..], &["--blame", "--format", "json"]].concat()).await;
    assert_eq!(ran.code, 0, "{ran}");
    let plan: Value = serde_json::from_str(&ran.out).unwrap();
    let kinds = |n: usize| -> Vec<String> {
        let causes = causes(&plan["accounts"][n]["plan"]);
        causes.iter().map(|(_, cause)| cause["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds(0), ["not_found", "not_found"]);
    let mut of_put = kinds(1);
    of_put.sort();
    assert_eq!(of_put, ["not_found", "not_found", "request"]);
    assert_eq!(kinds(2), ["not_looked_up", "not_looked_up"]);
    for n in 0..3 {
        assert!(fleet.sandbox.calls_of(fleet.id(n))[LOOKUP] > 0);
    }
    let plain = fleet.run(&[&PLAN[..], &["--format", "json"]].concat()).await;
    let plain: Value = serde_json::from_str(&plain.out).unwrap();
    assert_eq!(plain["digest"], plan["digest"]);
    let text = unwrapped(&fleet.run(&[&PLAN[..], &["--blame"]].concat()).await);
    assert!(text.contains("not looked up: cloudtrail:LookupEvents failed"), "{text}");
}
