use crate::iam::Partition;

/// Some of the AWS managed policies, with their paths.
///
/// Source: the [AWS managed policy reference][reference].
///
/// [reference]: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
const MANAGED: [&str; 12] = [
    "/AdministratorAccess",
    "/AmazonEC2ReadOnlyAccess",
    "/AmazonS3ReadOnlyAccess",
    "/IAMFullAccess",
    "/IAMReadOnlyAccess",
    "/PowerUserAccess",
    "/ReadOnlyAccess",
    "/SecurityAudit",
    "/job-function/SystemAdministrator",
    "/job-function/ViewOnlyAccess",
    "/aws-service-role/AWSSupportServiceRolePolicy",
    "/aws-service-role/AWSTrustedAdvisorServiceRolePolicy",
];

/// An AWS managed policy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Managed {
    pub(super) path: &'static str,
    pub(super) name: &'static str,
}

/// The AWS managed policy with this ARN in the partition.
pub(super) fn find(partition: Partition, arn: &str) -> Option<Managed> {
    let rest = arn.strip_prefix("arn:")?.strip_prefix(partition.as_str())?;
    let path = rest.strip_prefix(":iam::aws:policy")?;
    let policy: &'static str = MANAGED.into_iter().find(|policy| *policy == path)?;
    let (path, name) = policy.split_at(policy.rfind('/')? + 1);
    Some(Managed { path, name })
}
