//! The sandbox's last accessed reports, as the AWS SDK reads them.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_sdk_iam::Client;
use aws_sdk_iam::operation::get_service_last_accessed_details::GetServiceLastAccessedDetailsOutput as Report;
use aws_sdk_iam::types::ServiceLastAccessed;
use aws_sdk_iam::types::{AccessAdvisorUsageGranularityType as Granularity, JobStatusType};

use crate::support::plans::name;
use crate::support::query::{SIGNED, call, post};
use crate::support::sdk::{client, code};
use iam_boundaries::config::Config;
use iam_boundaries::iam::{PolicyRef, Principal, Share};
use iam_boundaries::sandbox::{Chaos, ChaosKind, Fault, Options, Sandbox, Seed};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const GENERATE: &str = "GenerateServiceLastAccessedDetails";

fn arn(resource: &str) -> String {
    format!("arn:aws:iam::123456789012:{resource}")
}

async fn story() -> Sandbox {
    Sandbox::start(Options { seed: Seed::Story, ..Options::default() }).await.unwrap()
}

/// The ID of a new job.
async fn job(iam: &Client, arn: &str, granularity: Granularity) -> String {
    let started = iam.generate_service_last_accessed_details().arn(arn);
    let started = started.granularity(granularity).send().await.unwrap();
    started.job_id().unwrap().to_owned()
}

async fn get(iam: &Client, job: &str) -> Report {
    iam.get_service_last_accessed_details().job_id(job).send().await.unwrap()
}

/// A report of the action level.
async fn report(iam: &Client, arn: &str) -> Report {
    let job = job(iam, arn, Granularity::ActionLevel).await;
    let report = get(iam, &job).await;
    assert_eq!(report.job_status(), &JobStatusType::Completed);
    report
}

fn services(report: &Report) -> BTreeMap<&str, &ServiceLastAccessed> {
    report.services_last_accessed().iter().map(|it| (it.service_namespace(), it)).collect()
}

/// The names of the tracked actions, and how many days ago they were used.
fn actions(service: &ServiceLastAccessed) -> Vec<(&str, Option<u64>)> {
    let tracked = service.tracked_actions_last_accessed().iter();
    tracked
        .map(|it| {
            let time = it.last_accessed_time();
            assert_eq!(it.last_accessed_entity().is_some(), time.is_some());
            assert_eq!(it.last_accessed_region().is_some(), time.is_some());
            (it.action_name().unwrap(), time.map(days_ago))
        })
        .collect()
}

fn days_ago(time: &aws_sdk_iam::primitives::DateTime) -> u64 {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(time.secs().try_into().unwrap());
    SystemTime::now().duration_since(time).unwrap().as_secs() / DAY.as_secs()
}

#[tokio::test]
async fn a_report_has_the_services_that_a_user_can_access_and_those_that_the_user_used() {
    let sandbox = story().await;
    let iam = client(&sandbox);
    let dana = arn("user/engineering/dana");
    let found = report(&iam, &dana).await;
    assert_eq!(found.job_type(), Some(&Granularity::ActionLevel));
    let services = services(&found);
    // The group Engineers has PowerUserAccess, which does not allow all of IAM.
    assert!(services.len() > 25 && services.contains_key("iam"), "{}", services.len());
    let s3 = services["s3"];
    assert_eq!(s3.service_name(), "Amazon S3");
    assert_eq!(s3.last_authenticated().map(days_ago), Some(3));
    assert_eq!(s3.last_authenticated_entity(), Some(dana.as_str()));
    assert_eq!(s3.total_authenticated_entities(), Some(1));
    assert_eq!(
        actions(s3),
        [
            ("CreateBucket", Some(3)),
            ("DeleteBucket", None),
            ("ListAllMyBuckets", None),
            ("PutBucketPolicy", None)
        ]
    );
    let lambda = services["lambda"];
    assert_eq!((lambda.last_authenticated(), lambda.last_authenticated_entity()), (None, None));
    assert_eq!(lambda.total_authenticated_entities(), Some(0));
    assert!(lambda.tracked_actions_last_accessed().is_empty());

    let job = job(&iam, &dana, Granularity::ServiceLevel).await;
    let found = get(&iam, &job).await;
    assert_eq!(found.job_type(), Some(&Granularity::ServiceLevel));
    let all = found.services_last_accessed();
    assert_eq!(all.len(), services.len());
    assert!(all.iter().all(|it| it.tracked_actions_last_accessed().is_empty()));
}

/// Whether a statement of the document allows the action or, for a service, an action of it.
fn allows(document: &str, service: &str, action: Option<&str>) -> bool {
    let document: serde_json::Value = serde_json::from_str(document).unwrap();
    let statements = document["Statement"].as_array().unwrap().iter();
    let allowed = statements.filter(|it| it["Effect"] == "Allow");
    let patterns = allowed.flat_map(|it| match &it["Action"] {
        serde_json::Value::Array(patterns) => patterns.clone(),
        pattern => vec![pattern.clone()],
    });
    patterns.into_iter().any(|pattern| {
        let (namespace, pattern) = pattern.as_str().unwrap().split_once(':').unwrap();
        let is_action = |action: &str| match pattern.strip_suffix('*') {
            Some(prefix) => action.starts_with(prefix),
            None => action == pattern,
        };
        namespace == service && action.is_none_or(is_action)
    })
}

#[tokio::test]
async fn the_file_of_the_sample_company_denies_one_user_what_she_used() {
    let sandbox = story().await;
    let iam = client(&sandbox);
    let file = include_str!("../../boundaries.toml");
    let config = Config::parse("boundaries.toml", file).unwrap();
    let users = iam.list_users().send().await.unwrap();
    let (mut used, mut denied) = (0, Vec::new());
    for user in users.users() {
        let principal = Principal::user(name(user.user_name()));
        let entry = config.entry(&principal).and_then(|entry| entry.boundary.as_ref());
        let Some(PolicyRef::Arn(boundary)) = entry else { continue };
        let Some(document) = sandbox.document(boundary) else { continue };
        let found = report(&iam, user.arn()).await;
        let services = found.services_last_accessed().iter();
        for service in services.filter(|it| it.last_authenticated().is_some()) {
            used += 1;
            let namespace = service.service_namespace();
            let tracked = actions(service).into_iter().filter(|(_, days)| days.is_some());
            let tracked = tracked.map(|(action, days)| (Some(action.to_owned()), days));
            let all =
                [(None, service.last_authenticated().map(days_ago))].into_iter().chain(tracked);
            for (action, days) in all {
                if !allows(&document, namespace, action.as_deref()) {
                    denied.push(format!("{principal} {namespace} {action:?} {days:?}"));
                }
            }
        }
    }
    assert!(used >= 15, "{used}");
    assert_eq!(denied, ["dana s3 Some(\"CreateBucket\") Some(3)"]);
}

#[tokio::test]
async fn tests_set_what_was_used_and_the_data_plane_and_some_services_have_no_actions() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let iam = client(&sandbox);
    let (alice, ci) = (Principal::user(name("alice")), Principal::role(name("ci")));
    sandbox.put_user(&alice.name, None);
    sandbox.put_role(&ci.name, "/ci/", None);
    for (principal, used, ago) in [
        (&alice, "s3:GetObject", DAY),
        (&alice, "s3:GetBucketPolicy", DAY * 9),
        (&alice, "codecommit:GitPull", DAY * 2),
        (&alice, "new-service:Do", DAY * 5),
        (&ci, "ec2", DAY * 400),
        (&ci, "ec2:StartInstances", DAY * 401),
    ] {
        sandbox.put_last_used(principal, used, ago);
    }
    let found = report(&iam, &arn("user/alice")).await;
    let services = services(&found);
    // Without policies, only what was used is listed.
    let names: Vec<&str> = services.keys().copied().collect();
    assert_eq!(names, ["codecommit", "new-service", "s3"]);
    let days = services.values().map(|it| it.last_authenticated().map(days_ago));
    assert_eq!(days.collect::<Vec<_>>(), [Some(2), Some(5), Some(1)]);
    let tracked = actions(services["s3"]);
    assert!(tracked.contains(&("GetBucketPolicy", Some(9))), "{tracked:?}");
    assert!(!tracked.iter().any(|(action, _)| *action == "GetObject"), "{tracked:?}");
    for service in ["codecommit", "new-service"] {
        assert!(actions(services[service]).is_empty());
    }
    assert_eq!(services["new-service"].service_name(), "new-service");
    let found = report(&iam, &arn("role/ci/ci")).await;
    let ec2 = services_of(&found, "ec2");
    assert_eq!(ec2.last_authenticated().map(days_ago), Some(400));
    assert!(actions(ec2).contains(&("StartInstances", Some(401))));
}

fn services_of<'a>(report: &'a Report, namespace: &str) -> &'a ServiceLastAccessed {
    services(report)[namespace]
}

#[tokio::test]
async fn a_report_on_a_group_or_policy_has_the_last_use_of_all_its_users() {
    let sandbox = story().await;
    let iam = client(&sandbox);
    for used in [("alice", DAY * 7), ("bob", DAY * 5), ("fatima", DAY * 6)] {
        sandbox.put_last_used(&Principal::user(name(used.0)), "sns:CreateTopic", used.1);
    }
    let power_user = "arn:aws:iam::aws:policy/PowerUserAccess";
    for subject in [arn("group/Engineers").as_str(), power_user] {
        let found = report(&iam, subject).await;
        let sns = services_of(&found, "sns");
        assert_eq!(sns.total_authenticated_entities(), Some(3), "{subject}");
        assert_eq!(sns.last_authenticated().map(days_ago), Some(5));
        let bob = arn("user/engineering/bob");
        assert_eq!(sns.last_authenticated_entity(), Some(bob.as_str()));
        let topic = &sns.tracked_actions_last_accessed()[0];
        assert_eq!(topic.last_accessed_entity(), Some(bob.as_str()));
    }
    // The policy lists what it allows, and no one has it.
    let found = report(&iam, "arn:aws:iam::aws:policy/IAMReadOnlyAccess").await;
    let services = services(&found);
    assert_eq!(services.keys().copied().collect::<Vec<_>>(), ["iam"]);
    assert_eq!(services["iam"].total_authenticated_entities(), Some(0));
}

#[tokio::test]
async fn a_job_is_in_progress_until_its_time_is_over() {
    let options =
        Options { seed: Seed::Story, job_time: Duration::from_secs(2), ..Options::default() };
    let sandbox = Sandbox::start(options).await.unwrap();
    let iam = client(&sandbox);
    let job = job(&iam, &arn("user/engineering/dana"), Granularity::ActionLevel).await;
    let found = get(&iam, &job).await;
    assert_eq!(found.job_status(), &JobStatusType::InProgress);
    assert!(found.services_last_accessed().is_empty());
    // What happens after the start of the job is not in its report.
    sandbox.remove_user(&name("dana"));
    let deadline = SystemTime::now() + Duration::from_secs(60);
    let found = loop {
        let found = get(&iam, &job).await;
        if found.job_status() != &JobStatusType::InProgress {
            break found;
        }
        assert!(SystemTime::now() < deadline);
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(found.job_status(), &JobStatusType::Completed);
    assert!(found.job_completion_date() > found.job_creation_date());
    assert_eq!(actions(services_of(&found, "s3"))[0], ("CreateBucket", Some(3)));
}

#[tokio::test]
async fn a_job_can_fail_and_only_that_one() {
    let sandbox = story().await;
    let iam = client(&sandbox);
    sandbox.faults().add(GENERATE, Some("dana"), 1, Fault::JobFailed);
    let run = async |iam: &Client, user: &str| {
        let user = arn(&format!("user/engineering/{user}"));
        let job = job(iam, &user, Granularity::ActionLevel).await;
        get(iam, &job).await
    };
    assert_eq!(run(&iam, "bob").await.job_status(), &JobStatusType::Completed);
    let failed = run(&iam, "dana").await;
    assert_eq!(failed.job_status(), &JobStatusType::Failed);
    assert_eq!(failed.error().map(|error| error.code()), Some("ServiceFailure"));
    assert!(failed.services_last_accessed().is_empty());
    assert_eq!(run(&iam, "dana").await.job_status(), &JobStatusType::Completed);

    let share = Share::percent(50);
    let chaos = Chaos { kinds: [ChaosKind::FailedJobs].into(), share, ..Chaos::new(1) };
    let options = Options { seed: Seed::Story, chaos: Some(chaos), ..Options::default() };
    let sandbox = Sandbox::start(options).await.unwrap();
    let iam = client(&sandbox);
    let mut failed = 0;
    for _ in 0..40 {
        let status = run(&iam, "dana").await.job_status().clone();
        failed += usize::from(status == JobStatusType::Failed);
    }
    assert!((10..30).contains(&failed), "{failed}");
}

#[tokio::test]
async fn a_report_has_pages() {
    let sandbox = story().await;
    let iam = client(&sandbox);
    let job = job(&iam, &arn("user/engineering/dana"), Granularity::ActionLevel).await;
    let whole = get(&iam, &job).await;
    let (mut names, mut marker, mut count) = (Vec::new(), None, 0);
    loop {
        let page = iam.get_service_last_accessed_details().job_id(&job).max_items(5);
        let page = page.set_marker(marker).send().await.unwrap();
        let on_page = page.services_last_accessed();
        assert!(on_page.len() <= 5);
        names.extend(on_page.iter().map(|it| it.service_namespace().to_owned()));
        count += 1;
        marker = page.marker().map(str::to_owned);
        assert_eq!(marker.is_some(), page.is_truncated());
        if marker.is_none() {
            break;
        }
    }
    let expected: Vec<_> =
        whole.services_last_accessed().iter().map(|it| it.service_namespace()).collect();
    assert_eq!(names, expected);
    assert_eq!(count, expected.len().div_ceil(5));
    let other = iam.get_service_last_accessed_details().job_id(&job).marker("00");
    assert_eq!(code(other.send().await), "ValidationError");
}

#[tokio::test]
async fn an_unknown_arn_or_job_is_an_error_and_jobs_belong_to_an_account() {
    let sandbox = story().await;
    let iam = client(&sandbox);
    for (arn, expected) in [
        (arn("user/engineering/nobody"), "NoSuchEntity"),
        (arn("user/other/dana"), "NoSuchEntity"),
        (arn("user/dana"), "NoSuchEntity"),
        (arn("role/engineering/dana"), "NoSuchEntity"),
        (arn("group/Nobodies"), "NoSuchEntity"),
        (arn("policy/Nothing"), "NoSuchEntity"),
        ("arn:aws:iam::999999999999:user/engineering/dana".to_owned(), "NoSuchEntity"),
        ("arn:aws:s3:::bucket-with-a-name".to_owned(), "InvalidInput"),
        (arn("mfa/dana"), "InvalidInput"),
    ] {
        let start = iam.generate_service_last_accessed_details().arn(&arn).send().await;
        assert_eq!(code(start), expected, "{arn}");
    }
    let dana = arn("user/engineering/dana");
    let start = iam.generate_service_last_accessed_details().arn(&dana);
    assert_eq!(code(start.granularity("DAILY".into()).send().await), "ValidationError");
    let unknown = iam.get_service_last_accessed_details().job_id("0".repeat(36)).send().await;
    assert_eq!(code(unknown), "NoSuchEntity");
    let first = job(&iam, &dana, Granularity::ActionLevel).await;
    let second = job(&iam, &dana, Granularity::ActionLevel).await;
    assert_ne!(first, second);
    assert_eq!(first.len(), 36);
    let form = format!("Action=GetServiceLastAccessedDetails&JobId={first}");
    assert_eq!(call(&sandbox, &form).await.0, 200);
    let other = SIGNED.replace("any", "999999999999");
    assert_eq!(post(&sandbox, &other, form.as_bytes()).await.0, 404);
}
