use std::fmt;
use std::str::FromStr;

use super::{AccountId, Partition, PolicyArn, PolicyArnError};

/// A managed policy in a boundaries file: an ARN, or `policy/NAME`, which is the policy of this path and name in whichever
/// account the file is used for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyRef {
    /// A policy of one account, or of AWS.
    Arn(PolicyArn),
    /// A policy of the account that the file is used for.
    Relative(RelativePolicy),
}

/// `policy/NAME` or `policy/PATH/NAME`: the end of the ARN of a customer managed policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelativePolicy(
    /// The ARN in an example account. All account IDs have the same length, so it is valid in each.
    PolicyArn,
);

const EXAMPLE: &str = "arn:aws:iam::000000000000:";

impl PolicyRef {
    /// The ARN of the policy in this account.
    pub fn in_account(&self, account: AccountId, partition: Partition) -> PolicyArn {
        match self {
            PolicyRef::Arn(arn) => arn.clone(),
            PolicyRef::Relative(policy) => policy.in_account(account, partition),
        }
    }

    /// The ARN, if it does not depend on the account.
    pub fn arn(&self) -> Option<&PolicyArn> {
        match self {
            PolicyRef::Arn(arn) => Some(arn),
            PolicyRef::Relative(_) => None,
        }
    }

    /// Whether a text of a file is meant to be a policy and not a short name: neither form can be a short name.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with("arn:") || text.contains('/')
    }
}

impl RelativePolicy {
    /// `policy/PATH/NAME`.
    pub fn as_str(&self) -> &str {
        &self.0.as_str()[EXAMPLE.len()..]
    }

    fn in_account(&self, account: AccountId, partition: Partition) -> PolicyArn {
        let arn = format!("arn:{partition}:iam::{account}:{}", self.as_str());
        arn.parse().expect("the path and the name are valid, and the ARN is far shorter than 2,048")
    }
}

impl FromStr for PolicyRef {
    type Err = PolicyArnError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("arn:") {
            return Ok(PolicyRef::Arn(text.parse()?));
        }
        if !text.starts_with("policy/") {
            return Err(PolicyArnError::NotAnArn);
        }
        Ok(PolicyRef::Relative(RelativePolicy(format!("{EXAMPLE}{text}").parse()?)))
    }
}

/// The text of the file.
impl fmt::Display for PolicyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PolicyRef::Arn(arn) => f.pad(arn.as_str()),
            PolicyRef::Relative(policy) => f.pad(policy.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_policy_is_of_the_account_that_the_file_is_used_for() {
        let account: AccountId = "123456789012".parse().unwrap();
        let policy: PolicyRef = "policy/ci/Deployer".parse().unwrap();
        let arn = policy.in_account(account, Partition::AwsCn);
        assert_eq!(arn.as_str(), "arn:aws-cn:iam::123456789012:policy/ci/Deployer");
        assert_eq!((policy.to_string().as_str(), policy.arn()), ("policy/ci/Deployer", None));
        let policy: PolicyRef = "arn:aws:iam::aws:policy/X".parse().unwrap();
        assert_eq!(
            policy.in_account(account, Partition::AwsCn).as_str(),
            "arn:aws:iam::aws:policy/X"
        );
    }

    #[test]
    fn what_is_neither_an_arn_nor_relative_is_rejected() {
        for text in [
            "policy/",
            "policy",
            "policy/a/",
            "policy/a b",
            "policy//x",
            "policy/a//x",
            "role/x",
            "Developer",
            "/policy/x",
            "",
        ] {
            assert!(text.parse::<PolicyRef>().is_err(), "{text}");
        }
        let longest = format!("policy/{}/{}", "p".repeat(510), "n".repeat(128));
        let arn = longest.parse::<PolicyRef>().unwrap();
        let account = "123456789012".parse().unwrap();
        assert!(arn.in_account(account, Partition::AwsUsGov).as_str().len() < 2_048);
    }
}
