use std::collections::BTreeSet;

use serde_json::Value;

use super::document::Document;

/// A service that last accessed reports can list.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) namespace: &'static str,
    pub(super) name: &'static str,
    /// The data about actions; `None` if reports have the service only.
    pub(super) actions: Option<Actions>,
}

/// The actions of a service for which IAM has last accessed information, and some for which it has not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Actions {
    /// Some of the tracked actions. A report of the action level lists them, used or not.
    pub(super) tracked: &'static [&'static str],
    /// Some of the actions that read or write data. IAM does not track the events of the data plane.
    pub(super) data: &'static [&'static str],
}

const fn service(
    namespace: &'static str,
    name: &'static str,
    tracked: &'static [&'static str],
    data: &'static [&'static str],
) -> Service {
    let actions = match tracked {
        [] => None,
        tracked => Some(Actions { tracked, data }),
    };
    Service { namespace, name, actions }
}

/// Some services of AWS, ordered by namespace.
///
/// Source: [action last accessed information services and actions][tracked].
///
/// [tracked]: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed-action-last-accessed.html
const SERVICES: [Service; 28] = [
    service(
        "athena",
        "Amazon Athena",
        &["GetQueryExecution", "ListWorkGroups", "StartQueryExecution"],
        &[],
    ),
    service("autoscaling", "Amazon EC2 Auto Scaling", &["DescribeAutoScalingGroups"], &[]),
    service(
        "cloudformation",
        "AWS CloudFormation",
        &["CreateStack", "DescribeStacks", "UpdateStack"],
        &[],
    ),
    service("cloudtrail", "AWS CloudTrail", &["DescribeTrails", "LookupEvents"], &[]),
    service(
        "cloudwatch",
        "Amazon CloudWatch",
        &["DescribeAlarms", "PutMetricAlarm"],
        &["GetMetricData", "PutMetricData"],
    ),
    service("codecommit", "AWS CodeCommit", &[], &[]),
    service(
        "dynamodb",
        "Amazon DynamoDB",
        &["CreateBackup", "CreateTable", "DescribeTable"],
        &["GetItem", "PutItem", "Query"],
    ),
    service(
        "ec2",
        "Amazon EC2",
        &["DescribeInstances", "RunInstances", "StartInstances", "StopInstances"],
        &[],
    ),
    service("ecr", "Amazon Elastic Container Registry", &["DescribeRepositories", "PutImage"], &[]),
    service("ecs", "Amazon Elastic Container Service", &["DescribeServices", "UpdateService"], &[]),
    service("elasticloadbalancing", "Elastic Load Balancing", &["DescribeLoadBalancers"], &[]),
    service("events", "Amazon EventBridge", &["ListRules", "PutRule"], &["PutEvents"]),
    service("glue", "AWS Glue", &["GetTables", "StartJobRun"], &[]),
    service(
        "iam",
        "AWS Identity and Access Management",
        &["CreateAccessKey", "GetUser", "ListRoles"],
        &[],
    ),
    service(
        "kms",
        "AWS Key Management Service",
        &["CreateKey", "DescribeKey"],
        &["Decrypt", "Encrypt"],
    ),
    service(
        "lambda",
        "AWS Lambda",
        &["CreateFunction", "ListFunctions", "UpdateFunctionCode"],
        &["InvokeFunction"],
    ),
    service(
        "logs",
        "Amazon CloudWatch Logs",
        &["CreateLogGroup", "DescribeLogGroups"],
        &["GetLogEvents", "PutLogEvents"],
    ),
    service("organizations", "AWS Organizations", &["DescribeOrganization", "ListAccounts"], &[]),
    service("rds", "Amazon RDS", &["CreateDBSnapshot", "DescribeDBInstances"], &[]),
    service("redshift-data", "Amazon Redshift Data API", &[], &[]),
    service("route53", "Amazon Route 53", &["ChangeResourceRecordSets", "ListHostedZones"], &[]),
    service(
        "s3",
        "Amazon S3",
        &["CreateBucket", "DeleteBucket", "ListAllMyBuckets", "PutBucketPolicy"],
        &["DeleteObject", "GetObject", "PutObject"],
    ),
    service(
        "sagemaker",
        "Amazon SageMaker",
        &["CreateTrainingJob", "ListNotebookInstances"],
        &["InvokeEndpoint"],
    ),
    service("secretsmanager", "AWS Secrets Manager", &["CreateSecret", "GetSecretValue"], &[]),
    service("sns", "Amazon SNS", &["CreateTopic", "ListTopics"], &["Publish"]),
    service(
        "sqs",
        "Amazon SQS",
        &["CreateQueue", "ListQueues"],
        &["ReceiveMessage", "SendMessage"],
    ),
    service("ssm", "AWS Systems Manager", &["GetParameter", "StartSession"], &[]),
    service("sts", "AWS Security Token Service", &["GetCallerIdentity"], &["AssumeRole"]),
];

/// The service with this namespace.
pub(super) fn find(namespace: &str) -> Option<&'static Service> {
    SERVICES.iter().find(|service| service.namespace == namespace)
}

/// The namespaces of the services for which the documents allow an action. Conditions, resources and statements that
/// deny are not considered.
pub(super) fn accessible<'a>(
    documents: impl IntoIterator<Item = &'a Document>,
) -> BTreeSet<&'static str> {
    let mut all = BTreeSet::new();
    for document in documents {
        // A document that is not JSON was set by a test and allows nothing.
        let document: Value = serde_json::from_str(document.text()).unwrap_or_default();
        let allowed = one_or_more(&document["Statement"]).filter(|it| it["Effect"] == "Allow");
        for statement in allowed {
            let is_allowed = |service: &&Service| match statement.get("Action") {
                Some(actions) => has_namespace(actions, service.namespace),
                None => !has_every_action(&statement["NotAction"], service.namespace),
            };
            all.extend(SERVICES.iter().filter(is_allowed).map(|service| service.namespace));
        }
    }
    all
}

fn one_or_more(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(values) => values.as_slice(),
        Value::Null => &[],
        value => std::slice::from_ref(value),
    }
    .iter()
}

/// Whether one of the patterns is `*` or begins with the namespace.
fn has_namespace(patterns: &Value, namespace: &str) -> bool {
    one_or_more(patterns).filter_map(Value::as_str).any(|pattern| match pattern.split_once(':') {
        Some((prefix, _)) => prefix.eq_ignore_ascii_case(namespace),
        None => pattern == "*",
    })
}

/// Whether one of the patterns is `*` or all actions of the namespace.
fn has_every_action(patterns: &Value, namespace: &str) -> bool {
    let mut patterns = one_or_more(patterns).filter_map(Value::as_str);
    patterns.any(|pattern| {
        pattern == "*" || pattern.strip_suffix(":*").is_some_and(|it| it == namespace)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_in_order_and_their_actions_are_either_tracked_or_data() {
        assert!(SERVICES.is_sorted_by_key(|service| service.namespace));
        for Actions { tracked, data } in SERVICES.iter().filter_map(|service| service.actions) {
            assert!(tracked.is_sorted() && data.is_sorted());
            assert!(!tracked.iter().any(|action| data.contains(action)));
        }
    }

    #[test]
    fn the_accessible_services_are_those_of_allowed_actions() {
        let of = |statements: &str| {
            let document = Document::unchecked(&format!(r#"{{"Statement": {statements}}}"#));
            accessible([&document]).into_iter().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of(r#"{"Effect": "Allow", "Action": ["S3:Get*", "ec2:*"]}"#), "ec2 s3");
        assert_eq!(of(r#"[{"Effect": "Deny", "Action": "*"}]"#), "");
        assert_eq!(of(r#"[{"Effect": "Allow", "Action": "*"}]"#).split(' ').count(), 28);
        let not =
            of(r#"{"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "s3:Get*"]}"#);
        assert!(!not.contains("iam") && not.contains("s3"));
        assert_eq!(not.split(' ').count(), 26);
    }
}
