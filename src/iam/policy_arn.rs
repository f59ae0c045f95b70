use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::{
    AccountId, AccountIdError, NAME_CHAR_PATTERN, Partition, UnknownPartition, is_name_char,
};

/// The ARN of a managed policy: `arn:PARTITION:iam::OWNER:policy/PATH/NAME`, 20 to 2,048 characters.
///
/// Source: [IAM identifiers](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html).
/// A clone shares the text, because thousands of users have the same few boundaries.
#[derive(Clone)]
pub struct PolicyArn {
    text: Arc<str>,
    partition: Partition,
    owner: PolicyOwner,
}

/// Who keeps a managed policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicyOwner {
    /// An AWS managed policy: it stands in every account of its partition.
    Aws,
    /// A customer managed policy: only users of this account can have it.
    Account(AccountId),
}

/// Why a text is no [`PolicyArn`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyArnError {
    /// It does not have the six parts of an ARN, or does not begin with `arn:`.
    #[error("it does not have the form arn:PARTITION:iam::ACCOUNT:policy/NAME")]
    NotAnArn,
    /// Its second part is no partition.
    #[error(transparent)]
    Partition(#[from] UnknownPartition),
    /// It belongs to another service than IAM.
    #[error("it belongs to the service {0:?}, and a boundary is a policy of iam")]
    OtherService(String),
    /// It names a region, and IAM has none.
    #[error("it names the region {0:?}, and IAM's ARNs leave the region empty")]
    Region(String),
    /// Its owner is neither `aws` nor an account.
    #[error("its owner {0:?} is neither an account nor \"aws\": {1}")]
    Owner(String, AccountIdError),
    /// It is some other thing of IAM's; the field is its kind: `user`, `role`, `group`…
    #[error("it names a {0}, not a policy")]
    NotAPolicy(String),
    /// The part after `policy/` is no path and name.
    #[error("its policy name {0:?} is not 1 to 128 characters of letters, digits and _+=,.@-")]
    Name(String),
    /// The path between `policy/` and the name is not one that IAM takes.
    #[error("its path {0:?} is not printable ASCII between slashes, 512 characters at most")]
    Path(String),
    /// It is longer than IAM takes; the field is its number of characters.
    #[error("an ARN has at most 2048 characters, and this has {0}")]
    TooLong(usize),
}

impl PolicyArn {
    /// The ARN as it was parsed.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The partition that it names.
    pub fn partition(&self) -> Partition {
        self.partition
    }

    /// Who keeps the policy.
    pub fn owner(&self) -> PolicyOwner {
        self.owner
    }

    /// Whether AWS keeps it for a service-linked role. Such a policy can be no boundary, though IAM says of
    /// it that it is attachable
    /// ([PutUserPermissionsBoundary](https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html),
    /// `PolicyNotAttachable`).
    pub fn is_for_service_linked_role(&self) -> bool {
        self.owner == PolicyOwner::Aws && self.text.contains(":policy/aws-service-role/")
    }

    /// The policy's name: what stands behind the last slash.
    pub fn name(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or_default()
    }
}

impl FromStr for PolicyArn {
    type Err = PolicyArnError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, service, region, owner, resource] = parts[..] else {
            return Err(PolicyArnError::NotAnArn);
        };
        let partition = partition.parse::<Partition>()?;
        if service != "iam" {
            return Err(PolicyArnError::OtherService(service.to_owned()));
        }
        if !region.is_empty() {
            return Err(PolicyArnError::Region(region.to_owned()));
        }
        let Some(path_and_name) = resource.strip_prefix("policy/") else {
            let kind = resource.split('/').next().unwrap_or_default();
            return Err(PolicyArnError::NotAPolicy(kind.to_owned()));
        };
        let owner = match owner {
            "aws" => PolicyOwner::Aws,
            account => PolicyOwner::Account(
                account
                    .parse()
                    .map_err(|error| PolicyArnError::Owner(account.to_owned(), error))?,
            ),
        };
        // The path's own slashes: IAM writes the path "/a/b/" and the name "c" as "policy/a/b/c".
        let (path, name) = path_and_name.rsplit_once('/').unwrap_or(("", path_and_name));
        if name.is_empty() || name.len() > 128 || !name.chars().all(is_name_char) {
            return Err(PolicyArnError::Name(name.to_owned()));
        }
        if path.len() > 510 || !path.chars().all(|c| c.is_ascii_graphic()) {
            return Err(PolicyArnError::Path(path.to_owned()));
        }
        // No ARN that comes this far is shorter than IAM's 20 characters.
        match text.len() {
            ..=2048 => Ok(PolicyArn { text: text.into(), partition, owner }),
            length => Err(PolicyArnError::TooLong(length)),
        }
    }
}

impl PartialEq for PolicyArn {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for PolicyArn {}

impl PartialOrd for PolicyArn {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PolicyArn {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl std::hash::Hash for PolicyArn {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Display for PolicyArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for PolicyArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PolicyArn({})", self.text)
    }
}

super::serde_as_text!(PolicyArn);
super::schema_as_text!(
    PolicyArn,
    "ARN of a managed policy",
    "A policy of the users' own account, arn:aws:iam::123456789012:policy/PATH/NAME, or one that AWS \
     manages, arn:aws:iam::aws:policy/NAME.",
    pattern(),
    ["arn:aws:iam::123456789012:policy/Developer", "arn:aws:iam::aws:policy/PowerUserAccess"]
);

/// What [`PolicyArn::from_str`] takes. No text that it matches is longer than the 2,048 characters.
fn pattern() -> String {
    let partitions = Partition::ALL.map(Partition::as_str).join("|");
    format!(
        "^arn:({partitions}):iam::(aws|[0-9]{{12}}):policy/([!-~]{{0,510}}/)?{NAME_CHAR_PATTERN}{{1,128}}$"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<PolicyArn, PolicyArnError> {
        text.parse()
    }

    #[test]
    fn a_policy_arn_knows_its_partition_owner_and_name() {
        let arn = parse("arn:aws-cn:iam::123456789012:policy/teams/core/Developer").unwrap();
        assert_eq!(arn.partition(), Partition::AwsCn);
        assert_eq!(arn.owner(), PolicyOwner::Account("123456789012".parse().unwrap()));
        assert_eq!(arn.name(), "Developer");
        let managed = parse("arn:aws:iam::aws:policy/job-function/ViewOnlyAccess").unwrap();
        assert_eq!(managed.owner(), PolicyOwner::Aws);
    }

    #[test]
    fn only_aws_keeps_policies_for_service_linked_roles() {
        let is_for_one = |text| parse(text).unwrap().is_for_service_linked_role();
        assert!(is_for_one(
            "arn:aws-cn:iam::aws:policy/aws-service-role/AWSSupportServiceRolePolicy"
        ));
        assert!(!is_for_one("arn:aws:iam::aws:policy/service-role/AWSLambdaRole"));
        assert!(!is_for_one("arn:aws:iam::123456789012:policy/aws-service-role/Developer"));
    }

    #[test]
    fn the_shortest_policy_arn_is_taken() {
        assert!(parse("arn:aws:iam::aws:policy/X").is_ok());
    }

    #[test]
    fn an_arn_that_is_no_policy_is_refused_with_what_it_is() {
        let kind = |text| match parse(text) {
            Err(PolicyArnError::NotAPolicy(kind)) => kind,
            other => panic!("{other:?}"),
        };
        assert_eq!(kind("arn:aws:iam::123456789012:user/alice"), "user");
        assert_eq!(kind("arn:aws:iam::123456789012:role/Admin"), "role");
        assert_eq!(kind("arn:aws:iam::123456789012:root"), "root");
        assert_eq!(kind("arn:aws:iam::123456789012:policy"), "policy");
    }

    #[test]
    fn malformed_arns_are_refused_with_their_reason() {
        use PolicyArnError::*;
        assert_eq!(parse("developer"), Err(NotAnArn));
        assert_eq!(parse("arn:aws:iam:policy/X"), Err(NotAnArn));
        assert!(matches!(parse("arn:amazon:iam::aws:policy/X"), Err(Partition(_))));
        assert!(matches!(parse("arn:aws:s3:::bucket/x"), Err(OtherService(s)) if s == "s3"));
        assert!(matches!(parse("arn:aws:iam:us-east-1:aws:policy/X"), Err(Region(_))));
        assert!(matches!(parse("arn:aws:iam::12345:policy/X"), Err(Owner(..))));
        assert!(matches!(parse("arn:aws:iam::aws:policy/"), Err(Name(_))));
        assert!(matches!(parse("arn:aws:iam::aws:policy/a b"), Err(Name(_))));
        assert!(matches!(parse("arn:aws:iam::aws:policy/a b/c"), Err(Path(_))));
        assert!(matches!(
            parse(&format!("arn:aws:iam::aws:policy/{}", "x".repeat(129))),
            Err(Name(_))
        ));
    }
}
