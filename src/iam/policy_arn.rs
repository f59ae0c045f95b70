use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::{
    AccountId, AccountIdError, NAME_CHAR_PATTERN, Partition, UnknownPartition, character,
    is_name_char,
};

/// The ARN of a managed policy: `arn:PARTITION:iam::OWNER:policy/PATH/NAME`, 20 to 2,048 characters.
///
/// Source: [IAM identifiers](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html).
/// Clones share the text, because thousands of users have the same few boundaries.
#[derive(Clone)]
pub struct PolicyArn {
    text: Arc<str>,
    partition: Partition,
    owner: PolicyOwner,
}

/// The owner of a managed policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicyOwner {
    /// AWS: the policy is available in every account of its partition.
    Aws,
    /// A customer: only users of this account can have the policy as their boundary.
    Account(AccountId),
}

/// The reason why a text is not a valid [`PolicyArn`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyArnError {
    /// It does not start with `arn:`, or does not have the six parts of an ARN.
    #[error("expected the form arn:PARTITION:iam::ACCOUNT:policy/NAME")]
    NotAnArn,
    /// The partition is unknown.
    #[error(transparent)]
    Partition(#[from] UnknownPartition),
    /// The service is not IAM.
    #[error("expected the service \"iam\", found {0:?}")]
    OtherService(String),
    /// The region is not empty: IAM is a global service.
    #[error("the region of an IAM ARN must be empty, not {0:?}")]
    Region(String),
    /// The owner is neither `aws` nor an account ID.
    #[error("expected an account ID or \"aws\", found {0:?}: {1}")]
    Owner(String, AccountIdError),
    /// The resource is not a policy; the field is its type, such as `user`, `role` or `group`.
    #[error("expected a policy, found a resource of type {0:?}")]
    NotAPolicy(String),
    /// Nothing follows `policy`, or what follows is not separated by a slash; the field is the resource.
    #[error("expected policy/NAME after the account ID, found {0:?}")]
    NoName(String),
    /// The policy name is longer than 128 characters; the field is the number of characters.
    #[error("a policy name has at most 128 characters, not {0}")]
    LongName(usize),
    /// The policy name contains a character that IAM does not allow.
    #[error(
        "{} is not allowed in a policy name; use ASCII letters, digits and _+=,.@-",
        character(*.0)
    )]
    Name(char),
    /// The path between `policy/` and the name is not valid.
    #[error(
        "a path is printable ASCII characters without spaces between single slashes, not {:?}",
        format!("/{_0}/")
    )]
    Path(String),
    /// The path between `policy/` and the name is longer than 510 characters; the field is the number of characters.
    #[error("the path of a policy has at most 510 characters, not {0}")]
    LongPath(usize),
    /// It is longer than 2,048 bytes; the field is the number of bytes.
    #[error("an ARN has at most 2048 characters, not {0}")]
    TooLong(usize),
}

/// The maximum length of a path without its first and its last slash, in characters.
const MAX_PATH: usize = 510;

impl PolicyArn {
    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The partition.
    pub fn partition(&self) -> Partition {
        self.partition
    }

    /// The owner of the policy.
    pub fn owner(&self) -> PolicyOwner {
        self.owner
    }

    /// Whether it is the AWS managed policy `AdministratorAccess`, which allows everything
    /// ([AdministratorAccess](https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AdministratorAccess.html)).
    pub fn is_administrator_access(&self) -> bool {
        self.owner() == PolicyOwner::Aws && self.as_str().ends_with(":policy/AdministratorAccess")
    }

    /// Whether this is an AWS managed policy for a service-linked role. Such a policy cannot be a boundary,
    /// although IAM reports it as attachable
    /// ([PutUserPermissionsBoundary](https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html),
    /// `PolicyNotAttachable`).
    pub fn is_for_service_linked_role(&self) -> bool {
        self.owner == PolicyOwner::Aws && self.text.contains(":policy/aws-service-role/")
    }

    /// Whether users of this account can get the policy as their boundary: it is a policy of the account or of
    /// AWS
    /// ([PutUserPermissionsBoundary](https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html)).
    /// What IAM reports as a present boundary is not checked by this: the tool records it as it is.
    pub fn is_settable_in(&self, account: AccountId, partition: Partition) -> bool {
        let is_owned = match self.owner {
            PolicyOwner::Aws => true,
            PolicyOwner::Account(owner) => owner == account,
        };
        is_owned && self.partition == partition
    }

    /// The policy name, which follows the last slash.
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
        let (resource_type, path_and_name) = resource.split_once('/').unwrap_or((resource, ""));
        // `policy:NAME`, `Policy/NAME` and `policy` are meant to be a policy.
        let is_meant =
            resource.is_empty() || resource_type.to_ascii_lowercase().starts_with("policy");
        if is_meant && (resource_type != "policy" || path_and_name.is_empty()) {
            return Err(PolicyArnError::NoName(resource.to_owned()));
        }
        if resource_type != "policy" {
            return Err(PolicyArnError::NotAPolicy(resource_type.to_owned()));
        }
        let owner = match owner {
            "aws" => PolicyOwner::Aws,
            account => PolicyOwner::Account(
                account
                    .parse()
                    .map_err(|error| PolicyArnError::Owner(account.to_owned(), error))?,
            ),
        };
        // The ARN of the path "/a/b/" and the name "c" ends with "policy/a/b/c". IAM counts the first and
        // the last slash of a path, and `path` has neither.
        let (path, name) = path_and_name.rsplit_once('/').unwrap_or(("", path_and_name));
        if name.is_empty() {
            return Err(PolicyArnError::NoName(resource.to_owned()));
        }
        if let Some(c) = name.chars().find(|&c| !is_name_char(c)) {
            return Err(PolicyArnError::Name(c));
        }
        if name.len() > 128 {
            return Err(PolicyArnError::LongName(name.len()));
        }
        // https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html: the pattern of Path,
        // `((/[A-Za-z0-9\.,\+@=_-]+)*)/`, has no empty segment. Its text allows more characters than the pattern, and so
        // does this. The paths of users and roles have another pattern, which allows empty segments.
        let is_segment =
            |segment: &str| !segment.is_empty() && segment.chars().all(|c| c.is_ascii_graphic());
        if path_and_name.contains('/') && !path.split('/').all(is_segment) {
            return Err(PolicyArnError::Path(path.to_owned()));
        }
        if path.len() > MAX_PATH {
            return Err(PolicyArnError::LongPath(path.len()));
        }
        // The checks above also ensure the minimum of 20 characters.
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
    "A customer managed policy of the same account, arn:aws:iam::123456789012:policy/PATH/NAME, or an \
     AWS managed policy, arn:aws:iam::aws:policy/NAME.",
    pattern(),
    ["arn:aws:iam::123456789012:policy/Developer", "arn:aws:iam::aws:policy/PowerUserAccess"]
);

/// The texts that [`PolicyArn::from_str`] accepts. None of them is longer than 2,048 characters.
fn pattern() -> String {
    let partitions: Vec<&str> = Partition::ALL.iter().map(|partition| partition.as_str()).collect();
    let partitions = partitions.join("|");
    format!("^arn:({partitions}):iam::(aws|[0-9]{{12}}):{}$", policy_pattern())
}

/// The end of the ARN of a policy, `policy/PATH/NAME`, as a regular expression of a JSON Schema.
pub(crate) fn policy_pattern() -> String {
    let too_long = MAX_PATH + 1;
    format!("policy/(?!.{{{too_long},}}/)([!-.0-~]+/)*{NAME_CHAR_PATTERN}{{1,128}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<PolicyArn, PolicyArnError> {
        text.parse()
    }

    #[test]
    fn a_policy_arn_has_a_partition_an_owner_and_a_name() {
        let arn = parse("arn:aws-cn:iam::123456789012:policy/teams/core/Developer").unwrap();
        assert_eq!(arn.partition(), Partition::AwsCn);
        assert_eq!(arn.owner(), PolicyOwner::Account("123456789012".parse().unwrap()));
        assert_eq!(arn.name(), "Developer");
        let managed = parse("arn:aws:iam::aws:policy/job-function/ViewOnlyAccess").unwrap();
        assert_eq!(managed.owner(), PolicyOwner::Aws);
    }

    #[test]
    fn only_aws_owns_policies_for_service_linked_roles() {
        let is_for_one = |text| parse(text).unwrap().is_for_service_linked_role();
        assert!(is_for_one(
            "arn:aws-cn:iam::aws:policy/aws-service-role/AWSSupportServiceRolePolicy"
        ));
        assert!(!is_for_one("arn:aws:iam::aws:policy/service-role/AWSLambdaRole"));
        assert!(!is_for_one("arn:aws:iam::123456789012:policy/aws-service-role/Developer"));
    }

    #[test]
    fn the_shortest_policy_arn_is_valid() {
        assert!(parse("arn:aws:iam::aws:policy/X").is_ok());
    }

    #[test]
    fn the_arn_of_another_resource_is_rejected_with_its_type() {
        let kind = |text| match parse(text) {
            Err(PolicyArnError::NotAPolicy(kind)) => kind,
            other => panic!("{other:?}"),
        };
        assert_eq!(kind("arn:aws:iam::123456789012:user/alice"), "user");
        assert_eq!(kind("arn:aws:iam::123456789012:role/Admin"), "role");
        assert_eq!(kind("arn:aws:iam::123456789012:root"), "root");
    }

    #[test]
    fn a_malformed_arn_is_rejected_with_the_reason() {
        use PolicyArnError::*;
        assert_eq!(parse("developer"), Err(NotAnArn));
        assert_eq!(parse("arn:aws:iam:policy/X"), Err(NotAnArn));
        assert!(matches!(parse("arn:amazon:iam::aws:policy/X"), Err(Partition(_))));
        assert!(matches!(parse("arn:aws:s3:::bucket/x"), Err(OtherService(s)) if s == "s3"));
        assert!(matches!(parse("arn:aws:iam:us-east-1:aws:policy/X"), Err(Region(_))));
        assert!(matches!(parse("arn:aws:iam::12345:policy/X"), Err(Owner(..))));
        for resource in ["policy", "policy/", "policy/a/", "policy:X", "Policy/X"] {
            let arn = format!("arn:aws:iam::aws:{resource}");
            assert_eq!(parse(&arn), Err(NoName(resource.to_owned())));
        }
        assert!(matches!(parse("arn:aws:iam::aws:policy/a b"), Err(Name(' '))));
        for path in ["a b", "é", "", "/", "/a", "a/", "a//b"] {
            let arn = format!("arn:aws:iam::123456789012:policy/{path}/X");
            assert_eq!(parse(&arn), Err(Path(path.to_owned())), "{arn}");
        }
        let long = format!("arn:aws:iam::aws:policy/{}/X", "p".repeat(511));
        assert_eq!(parse(&long), Err(LongPath(511)));
        assert!(matches!(
            parse(&format!("arn:aws:iam::aws:policy/{}", "x".repeat(129))),
            Err(LongName(129))
        ));
    }
}
