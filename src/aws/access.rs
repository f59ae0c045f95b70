use super::base_identity::BaseIdentity;
use super::credentials::Mfa;
use crate::iam::{AccountId, AssumeRole, Partition};

/// The credentials, the region and the endpoint of the calls.
#[derive(Debug, Clone)]
pub enum Access {
    /// The standard sources of every AWS tool: environment, profiles, SSO, `credential_process`, web identity,
    /// roles of containers and instances, in the order of botocore (`docs/credentials.md`).
    Chain {
        /// The profile, which is then the only source of credentials; `None` for `AWS_DEFAULT_PROFILE`,
        /// `AWS_PROFILE` or `default`.
        profile: Option<String>,
        /// The region; `None` for `AWS_REGION` or the profile's.
        region: Option<String>,
        /// The endpoint of IAM, STS, AWS Organizations and CloudTrail; `None` for AWS's own.
        endpoint_url: Option<String>,
        /// Whether an endpoint that is not on this machine may be without encryption.
        allow_http: bool,
        /// The partition that the run is for. Its home region is used if no region is set.
        partition: Option<ExpectedPartition>,
        /// Asks for the codes of MFA devices.
        mfa: Mfa,
    },
    /// A sandbox on this machine. Environment variables and proxies are ignored.
    Sandbox {
        /// The URL of the sandbox.
        endpoint_url: String,
        /// The access key ID. It is not a secret.
        access_key_id: &'static str,
        /// The secret access key. It is not a secret.
        secret_access_key: &'static str,
    },
    /// A role that is assumed with the credentials of a base identity, in one account of a fleet.
    Role {
        /// The identity that assumes it.
        base: BaseIdentity,
        /// The account.
        account: AccountId,
        /// The role, and how it is assumed.
        role: AssumeRole,
    },
}

/// The partition of the ARNs that a run is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedPartition {
    /// The partition.
    pub partition: Partition,
    /// What names the ARNs, for messages: `the ARNs in boundaries.toml`.
    pub origin: String,
}

impl Access {
    /// The same access with `partition`, whose home region is used if no region is set. The region of a role is that of
    /// its base identity.
    pub fn for_partition(mut self, partition: Option<ExpectedPartition>) -> Access {
        if let Access::Chain { partition: of_chain, .. } = &mut self {
            *of_chain = partition.or(of_chain.take());
        }
        self
    }

    /// The same access with the credentials of a profile only; `None` if it has no profiles.
    pub fn of_profile(&self, name: &str) -> Option<Access> {
        let mut access = self.clone();
        match &mut access {
            Access::Chain { profile, .. } => *profile = Some(name.to_owned()),
            Access::Sandbox { .. } | Access::Role { .. } => return None,
        }
        Some(access)
    }
}
