use std::fmt;
use std::str::FromStr;

use super::{AccountId, Partition, PrincipalName};

/// The ARN of a role: `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`.
///
/// The path has up to 510 characters and the name up to 64
/// ([IAM and AWS STS quotas](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleArn {
    text: String,
    account: AccountId,
    partition: Partition,
}

/// A role in a file: an ARN, or `role/NAME`, which is the role of this path and name in whichever account the file is used
/// for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoleRef {
    /// A role of one account.
    Arn(RoleArn),
    /// The part of the ARN that is the same in each account: `role/PATH/NAME`.
    Relative(String),
}

/// The error for a text that is not a valid [`RoleRef`] or [`RoleArn`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a role is arn:aws:iam::ACCOUNT:role/NAME or role/NAME")]
pub struct RoleRefError;

impl RoleArn {
    /// The ARN as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The account of the role.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// The partition of the role.
    pub fn partition(&self) -> Partition {
        self.partition
    }
}

impl RoleRef {
    /// The role in this account. An ARN is returned as it is, also if it is of another account.
    pub fn in_account(&self, account: AccountId, partition: Partition) -> RoleArn {
        match self {
            RoleRef::Arn(arn) => arn.clone(),
            RoleRef::Relative(role) => RoleArn {
                text: format!("arn:{partition}:iam::{account}:{role}"),
                account,
                partition,
            },
        }
    }

    /// The ARN, if it does not depend on the account.
    pub fn arn(&self) -> Option<&RoleArn> {
        match self {
            RoleRef::Arn(arn) => Some(arn),
            RoleRef::Relative(_) => None,
        }
    }
}

/// Whether `text` is `role/NAME` or `role/PATH/NAME`. The path of a role is `/`, or at least one character of
/// `[\u0021-\u007E]` between two slashes, which can be a slash, too
/// ([CreateRole](https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html)).
fn is_resource(text: &str) -> bool {
    let Some(path_and_name) = text.strip_prefix("role/") else { return false };
    let is_path_char = |c: char| c.is_ascii_graphic();
    let (is_path, name) = match path_and_name.rsplit_once('/') {
        Some((path, name)) => {
            ((1..=510).contains(&path.len()) && path.chars().all(is_path_char), name)
        }
        None => (true, path_and_name),
    };
    is_path && name.parse::<PrincipalName>().is_ok()
}

impl FromStr for RoleArn {
    type Err = RoleRefError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, "iam", "", account, resource] = *parts else {
            return Err(RoleRefError);
        };
        let partition = partition.parse().map_err(|_| RoleRefError)?;
        let account = account.parse().map_err(|_| RoleRefError)?;
        match is_resource(resource) {
            true => Ok(RoleArn { text: text.to_owned(), account, partition }),
            false => Err(RoleRefError),
        }
    }
}

impl FromStr for RoleRef {
    type Err = RoleRefError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.starts_with("arn:") {
            true => Ok(RoleRef::Arn(text.parse()?)),
            false if is_resource(text) => Ok(RoleRef::Relative(text.to_owned())),
            false => Err(RoleRefError),
        }
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// The text of the file.
impl fmt::Display for RoleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RoleRef::Arn(arn) => arn.fmt(f),
            RoleRef::Relative(role) => f.pad(role),
        }
    }
}

super::serde_as_text!(RoleRef);
super::schema_as_text!(
    RoleRef,
    "IAM role",
    "The ARN of a role, or role/NAME for the role of this name in each account.",
    "^(arn:aws[a-z-]*:iam::[0-9]{12}:)?role/([!-~]{1,510}/)?[A-Za-z0-9_+=,.@-]{1,64}$",
    ["role/iam-boundaries", "arn:aws:iam::123456789012:role/iam-boundaries"]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_role_is_of_the_account_that_the_file_is_used_for() {
        let account: AccountId = "123456789012".parse().unwrap();
        let role: RoleRef = "role/ops/iam-boundaries".parse().unwrap();
        let arn = role.in_account(account, Partition::AwsUsGov);
        assert_eq!(arn.as_str(), "arn:aws-us-gov:iam::123456789012:role/ops/iam-boundaries");
        assert_eq!((arn.account(), arn.partition()), (account, Partition::AwsUsGov));
        assert_eq!(arn.as_str().parse::<RoleArn>().unwrap(), arn);
        assert_eq!((role.to_string().as_str(), role.arn()), ("role/ops/iam-boundaries", None));
        let other: RoleRef = "arn:aws:iam::111111111111:role/x".parse().unwrap();
        assert_eq!(other.in_account(account, Partition::Aws).account().as_str(), "111111111111");
    }

    #[test]
    fn a_path_is_any_printable_ascii_text_between_two_slashes() {
        let long = format!("role/{}/x", "p".repeat(510));
        for text in ["role/x", "role/a/x", "role///x", "role//a/x", "role/a//x", "role/!~/x", &long]
        {
            assert!(text.parse::<RoleRef>().is_ok(), "{text:?}");
            assert!(format!("arn:aws:iam::123456789012:{text}").parse::<RoleArn>().is_ok());
        }
        let (longer, delete) = (format!("role/{}/x", "p".repeat(511)), "role/\u{7f}/x");
        // The path "//" has nothing between its slashes.
        for text in ["role//x", "role/é/x", delete, &longer] {
            assert_eq!(text.parse::<RoleRef>(), Err(RoleRefError), "{text:?}");
        }
    }

    #[test]
    fn what_is_not_a_role_is_rejected() {
        let long = format!("role/{}", "n".repeat(65));
        for text in [
            "",
            "role/",
            "role",
            "role//x",
            "role/a/",
            "role/a b",
            "policy/x",
            "iam-boundaries",
            "arn:aws:iam::123456789012:user/x",
            "arn:aws:iam::12345678901:role/x",
            "arn:aws:sts::123456789012:assumed-role/x/y",
            "arn:other:iam::123456789012:role/x",
            "arn:aws:iam::123456789012:role/x\u{1b}",
            &long,
        ] {
            assert_eq!(text.parse::<RoleRef>(), Err(RoleRefError), "{text:?}");
        }
    }
}
