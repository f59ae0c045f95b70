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
    /// The principal that the credentials belong to; `None` for a role, the root user and a federated
    /// session. The ARN of an assumed role does not name the user who assumed it
    /// ([IAM identifiers](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html)).
    pub fn principal(&self) -> Option<Principal> {
        // arn:aws:iam::123456789012:user/path/name
        let mut parts = self.arn.splitn(6, ':');
        let (service, resource) = (parts.nth(2)?, parts.nth(2)?);
        let path = resource.strip_prefix("user/").filter(|_| service == "iam")?;
        path.rsplit('/').next()?.parse().ok().map(Principal::user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_arn_of_a_user_names_a_principal() {
        let user = |arn: &str| {
            let account = "123456789012".parse().unwrap();
            let caller = CallerIdentity { account, partition: Partition::Aws, arn: arn.into() };
            caller.principal().map(|principal| principal.to_string())
        };
        assert_eq!(user("arn:aws:iam::123456789012:user/alice").as_deref(), Some("alice"));
        assert_eq!(user("arn:aws:iam::123456789012:user/a/b/alice").as_deref(), Some("alice"));
        for other in [
            "arn:aws:iam::123456789012:root",
            "arn:aws:sts::123456789012:assumed-role/user/alice",
            "arn:aws:sts::123456789012:federated-user/alice",
            "arn:aws:iam::123456789012:user/",
            "alice",
        ] {
            assert_eq!(user(other), None, "{other}");
        }
    }
}
