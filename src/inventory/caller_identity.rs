use crate::iam::{AccountId, Partition, Principal, Printable};

/// The identity that the credentials belong to, as `sts:GetCallerIdentity` reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerIdentity {
    /// The account that every call works on.
    pub account: AccountId,
    /// The partition of the account.
    pub partition: Partition,
    /// The ARN of the user or role.
    pub arn: Printable,
}

impl CallerIdentity {
    /// The principal that the credentials belong to: a user, or the role that was assumed. `None` for the root user
    /// and for a federated session of a user.
    ///
    /// The ARN of an assumed role has the name of the role and of the session, and neither the role's path nor the
    /// user who assumed it
    /// ([IAM identifiers](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html)).
    pub fn principal(&self) -> Option<Principal> {
        // arn:aws:iam::123456789012:user/path/name, arn:aws:sts::123456789012:assumed-role/name/session
        let mut parts = self.arn.splitn(6, ':');
        let (service, resource) = (parts.nth(2)?, parts.nth(2)?);
        match (service, resource.split_once('/')?) {
            ("iam", ("user", path)) => path.rsplit('/').next()?.parse().ok().map(Principal::user),
            ("sts", ("assumed-role", session)) => {
                session.split('/').next()?.parse().ok().map(Principal::role)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arn_of_a_user_or_of_an_assumed_role_names_a_principal() {
        let principal = |arn: &str| {
            let account = "123456789012".parse().unwrap();
            let caller = CallerIdentity { account, partition: Partition::Aws, arn: arn.into() };
            caller.principal()
        };
        let user = |name: &str| Some(Principal::user(name.parse().unwrap()));
        let role = |name: &str| Some(Principal::role(name.parse().unwrap()));
        for (arn, expected) in [
            ("arn:aws:iam::123456789012:user/alice", user("alice")),
            ("arn:aws:iam::123456789012:user/a/b/alice", user("alice")),
            ("arn:aws:sts::123456789012:assumed-role/deploy/alice", role("deploy")),
            ("arn:aws-cn:sts::123456789012:assumed-role/user/alice@example.com", role("user")),
            ("arn:aws:iam::123456789012:root", None),
            ("arn:aws:sts::123456789012:federated-user/alice", None),
            ("arn:aws:iam::123456789012:user/", None),
            ("arn:aws:sts::123456789012:assumed-role//session", None),
            ("arn:aws:sts::123456789012:user/alice", None),
            ("arn:aws:iam::123456789012:assumed-role/deploy/alice", None),
            ("alice", None),
        ] {
            assert_eq!(principal(arn), expected, "{arn}");
        }
    }
}
