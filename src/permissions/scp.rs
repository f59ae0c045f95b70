use std::collections::BTreeSet;
use std::str::FromStr;

use super::breadth::{SERVICE_CONTROL_POLICY, TooLong, checked};
use super::document::{PolicyDocument, Statement};
use crate::iam::{AccountId, Partition};

/// Every action that sets, replaces or removes the boundary of an existing principal.
const WRITES: [&str; 4] = [
    "iam:PutUserPermissionsBoundary",
    "iam:PutRolePermissionsBoundary",
    "iam:DeleteUserPermissionsBoundary",
    "iam:DeleteRolePermissionsBoundary",
];

/// Roles that a service control policy leaves alone: an ARN, or `role/NAME` for the role of this name in each account. `*`
/// matches any text and `?` one character, in the account ID, the path and the name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RolePattern {
    /// `None` for each account.
    start: Option<String>,
    resource: String,
}

/// The reason why a text is not a valid [`RolePattern`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RolePatternError {
    /// It has another form.
    #[error(
        "a role is arn:aws:iam::ACCOUNT:role/NAME or role/NAME, in which * and ? are wildcards"
    )]
    NotARole,
    /// It matches every role, so that the policy would have no effect on roles.
    #[error("the pattern matches every role: write a name, such as role/iam-boundaries")]
    EveryRole,
}

impl FromStr for RolePattern {
    type Err = RolePatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (start, resource) = match text.starts_with("arn:") {
            false => (None, text),
            true => {
                let parts: Vec<&str> = text.splitn(6, ':').collect();
                let ["arn", partition, "iam", "", account, resource] = *parts else {
                    return Err(RolePatternError::NotARole);
                };
                let is_account = account.parse::<AccountId>().is_ok() || account == "*";
                if partition.parse::<Partition>().is_err() || !is_account {
                    return Err(RolePatternError::NotARole);
                }
                (Some(format!("arn:{partition}:iam::{account}:")), resource)
            }
        };
        let Some(name) = resource.strip_prefix("role/") else {
            return Err(RolePatternError::NotARole);
        };
        // The longest path has 510 characters, and the longest name 64.
        let is_valid =
            !name.is_empty() && name.len() <= 575 && name.chars().all(|c| c.is_ascii_graphic());
        if !is_valid || name.ends_with('/') || name.contains('$') {
            return Err(RolePatternError::NotARole);
        }
        if name.chars().all(|c| matches!(c, '*' | '?' | '/')) {
            return Err(RolePatternError::EveryRole);
        }
        Ok(RolePattern { start, resource: resource.to_owned() })
    }
}

/// A service control policy that lets only these roles set, replace or remove boundaries of existing users and roles.
///
/// `aws:PrincipalArn` is the ARN of the role for the sessions of a role
/// ([global condition keys](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html)).
///
/// # Errors
/// If it is too long.
pub fn service_control_policy(
    except: &BTreeSet<RolePattern>,
    partition: Partition,
) -> Result<PolicyDocument, TooLong> {
    let arns = except.iter().map(|role| match &role.start {
        Some(start) => format!("{start}{}", role.resource),
        None => format!("arn:{partition}:iam::*:{}", role.resource),
    });
    let deny = Statement::deny("KeepPermissionsBoundaries", &WRITES).on(["*"]);
    let document = PolicyDocument::new(vec![deny.when("ArnNotLike", "aws:PrincipalArn", arns)]);
    let size = document.to_json().chars().count();
    checked("service control policy", size, SERVICE_CONTROL_POLICY)?;
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_names_a_role() {
        for text in [
            "role/a",
            "role/ops/a-*",
            "arn:aws:iam::*:role/a",
            "arn:aws-cn:iam::123456789012:role/a?b",
        ] {
            assert!(text.parse::<RolePattern>().is_ok(), "{text}");
        }
        for text in [
            "",
            "a",
            "role/",
            "role/a/",
            "role/a b",
            "user/a",
            "arn:aws:iam::12:role/a",
            "arn:aws:sts::*:role/a",
            "role/${a}",
        ] {
            assert_eq!(text.parse::<RolePattern>(), Err(RolePatternError::NotARole), "{text}");
        }
        for text in ["role/*", "role/*/?*", "arn:aws:iam::123456789012:role/**"] {
            assert_eq!(text.parse::<RolePattern>(), Err(RolePatternError::EveryRole), "{text}");
        }
    }

    #[test]
    fn a_policy_that_aws_would_reject_is_not_made() {
        let role = |n: usize| format!("role/{}-{n}", "x".repeat(60)).parse().unwrap();
        let policy =
            |count| service_control_policy(&(0..count).map(role).collect(), Partition::Aws);
        assert!(policy(40).is_ok());
        let error = policy(60).unwrap_err();
        assert!(error.size > error.max && error.max == 5_120, "{error}");
    }
}
