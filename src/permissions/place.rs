use crate::iam::{AccountId, Partition, PolicyArn, PolicyOwner, PolicyRef};

/// Where a policy applies: the partition, and the account if it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The partition.
    pub partition: Partition,
    /// The account; `None` for any. An identity-based policy then names `*` as the account, which is no wider: the actions
    /// of IAM concern only the account of the credentials.
    pub account: Option<AccountId>,
}

impl Place {
    /// The ARN of a resource of IAM, as a pattern.
    pub(super) fn arn(self, resource: &str) -> String {
        let account = self.account.as_ref().map_or("*", |account| account.as_str());
        format!("arn:{}:iam::{account}:{resource}", self.partition)
    }

    /// The ARN of a policy, as a pattern.
    pub(super) fn policy(self, policy: &PolicyRef) -> String {
        match policy {
            PolicyRef::Arn(arn) => literal(arn.as_str()),
            PolicyRef::Relative(relative) => self.arn(&literal(relative.as_str())),
        }
    }

    /// The ARN of a policy for a comparison without wildcards; `None` if the account is not known.
    pub(super) fn exact_policy(self, policy: &PolicyRef) -> Option<String> {
        let arn: PolicyArn = match (policy, self.account) {
            (PolicyRef::Arn(arn), _) => arn.clone(),
            (PolicyRef::Relative(_), Some(account)) => policy.in_account(account, self.partition),
            (PolicyRef::Relative(_), None) => return None,
        };
        Some(without_variables(arn.as_str()))
    }

    /// Patterns of every policy that can be a boundary: those of the account and of AWS.
    pub(super) fn every_policy(self) -> [String; 2] {
        [self.arn("policy/*"), self.every_aws_policy()]
    }

    /// A pattern of every policy that has the same owner as this one.
    pub(super) fn every_policy_like(self, policy: &PolicyRef) -> String {
        match policy.arn().map(PolicyArn::owner) {
            Some(PolicyOwner::Aws) => self.every_aws_policy(),
            Some(PolicyOwner::Account(account)) => {
                Place { account: Some(account), ..self }.arn("policy/*")
            }
            None => self.arn("policy/*"),
        }
    }

    fn every_aws_policy(self) -> String {
        format!("arn:{}:iam::aws:policy/*", self.partition)
    }
}

/// The text as a pattern that matches only this text: a path can contain what a policy reads as a wildcard or a variable
/// ([policy variables](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html)).
pub(super) fn literal(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '*' | '?' | '$' => format!("${{{c}}}"),
            _ => c.to_string(),
        })
        .collect()
}

/// The text in which nothing is a variable.
pub(super) fn without_variables(text: &str) -> String {
    text.replace('$', "${$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_neither_a_wildcard_nor_a_variable() {
        let place = Place { partition: Partition::Aws, account: None };
        let policy: PolicyRef = "policy/a*/${b}/?/Developer".parse().unwrap();
        let pattern = "arn:aws:iam::*:policy/a${*}/${$}{b}/${?}/Developer";
        assert_eq!(place.policy(&policy), pattern);
        assert_eq!(place.exact_policy(&policy), None);
        let place = Place { account: Some("123456789012".parse().unwrap()), ..place };
        let exact = "arn:aws:iam::123456789012:policy/a*/${$}{b}/?/Developer";
        assert_eq!(place.exact_policy(&policy).as_deref(), Some(exact));
    }
}
