use std::sync::LazyLock;

use super::document::Document;
use crate::iam::Partition;

/// An AWS managed policy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Managed {
    /// The path and the name.
    full_name: &'static str,
    /// The number of the default version. The sandbox does not have the earlier ones.
    version: u32,
    document: &'static str,
}

/// A row of [`MANAGED`].
macro_rules! managed {
    ($path:literal, $name:literal, $version:literal) => {
        Managed {
            full_name: concat!($path, $name),
            version: $version,
            document: include_str!(concat!("documents/aws/", $name, ".json")),
        }
    };
}

/// Some of the AWS managed policies, ordered by path and name. The documents of `ReadOnlyAccess`, `SecurityAudit`,
/// `SystemAdministrator`, `ViewOnlyAccess` and of the policies for service-linked roles are shortened.
///
/// Source: the [AWS managed policy reference][reference].
///
/// [reference]: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
pub(super) const MANAGED: [Managed; 12] = [
    managed!("/", "AdministratorAccess", 1),
    managed!("/", "AmazonEC2ReadOnlyAccess", 2),
    managed!("/", "AmazonS3ReadOnlyAccess", 3),
    managed!("/", "IAMFullAccess", 2),
    managed!("/", "IAMReadOnlyAccess", 4),
    managed!("/", "PowerUserAccess", 12),
    managed!("/", "ReadOnlyAccess", 170),
    managed!("/", "SecurityAudit", 80),
    managed!("/aws-service-role/", "AWSSupportServiceRolePolicy", 50),
    managed!("/aws-service-role/", "AWSTrustedAdvisorServiceRolePolicy", 20),
    managed!("/job-function/", "SystemAdministrator", 6),
    managed!("/job-function/", "ViewOnlyAccess", 20),
];

static DOCUMENTS: LazyLock<[Document; MANAGED.len()]> =
    LazyLock::new(|| MANAGED.map(|policy| Document::compact(policy.document)));

impl Managed {
    pub(super) fn path(self) -> &'static str {
        self.full_name.split_at(self.name_start()).0
    }

    pub(super) fn name(self) -> &'static str {
        self.full_name.split_at(self.name_start()).1
    }

    fn name_start(self) -> usize {
        self.full_name.rfind('/').map_or(0, |slash| slash + 1)
    }

    /// The path and the name.
    pub(super) fn full_name(self) -> &'static str {
        self.full_name
    }

    pub(super) fn arn(self, partition: Partition) -> String {
        format!("arn:{partition}:iam::aws:policy{}", self.full_name)
    }

    /// The ID of the default version.
    pub(super) fn version_id(self) -> String {
        format!("v{}", self.version)
    }

    pub(super) fn document(self) -> &'static Document {
        let index = MANAGED.iter().position(|policy| policy.full_name == self.full_name);
        &DOCUMENTS[index.expect("every value is from the table")]
    }
}

/// The AWS managed policy with this ARN in the partition.
pub(super) fn find(partition: Partition, arn: &str) -> Option<Managed> {
    let rest = arn.strip_prefix("arn:")?.strip_prefix(partition.as_str())?;
    let full_name = rest.strip_prefix(":iam::aws:policy")?;
    MANAGED.into_iter().find(|policy| policy.full_name == full_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_is_in_order_and_has_a_valid_document() {
        assert!(MANAGED.is_sorted_by_key(|policy| policy.full_name));
        for policy in MANAGED {
            assert_eq!(Document::parse(policy.document).err(), None);
            assert!(!policy.document().text().contains('\n'), "{}", policy.full_name);
            let found = find(Partition::AwsCn, &policy.arn(Partition::AwsCn)).unwrap();
            assert_eq!(
                (found.path().to_owned() + found.name(), found.version_id()),
                (policy.full_name.to_owned(), format!("v{}", policy.version))
            );
        }
    }
}
