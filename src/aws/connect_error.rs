use super::endpoint::PlainHttp;
use super::profile::ProfileOrigin;
use super::region::RegionMismatch;
use crate::iam::{AccountId, Printable, RoleArn};
use crate::inventory::ApiError;

/// Why the caller identity could not be confirmed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConnectError {
    /// No source has credentials, or the chosen source failed.
    #[error("no AWS credentials found in profile {profile} or any other source: {why}")]
    Credentials {
        /// The profile that was searched.
        profile: Printable,
        /// The message of the source that failed.
        why: Printable,
    },
    /// The profile of `--profile` or of an account has no usable credentials. No other source is used.
    #[error("no AWS credentials found in profile {profile:?} of {origin}: {why}")]
    ProfileCredentials {
        /// The profile.
        profile: Printable,
        /// What names it.
        origin: ProfileOrigin,
        /// What the profile lacks, or the message of the source that it names.
        why: Printable,
    },
    /// The source of the credentials failed.
    #[error("cannot get credentials: {}", error.message)]
    Source {
        /// The profile that was searched.
        profile: Printable,
        /// The error of the source.
        error: Box<ApiError>,
    },
    /// The bundle of certificate authorities cannot be used. The text says which, and why.
    #[error("{0}")]
    CaBundle(Printable),
    /// The value of a proxy variable cannot be used. The text says which, and why.
    #[error("{0}")]
    Proxy(Printable),
    /// The region is in another partition than the ARNs.
    #[error(transparent)]
    Region(Box<RegionMismatch>),
    /// The name of the region cannot be part of the name of a host. The text says where it comes from.
    #[error("{0}")]
    InvalidRegion(Printable),
    /// An endpoint is without encryption.
    #[error(transparent)]
    PlainHttp(PlainHttp),
    /// An endpoint is not a valid URL; the field says which one.
    #[error("{0}")]
    Endpoint(Printable),
    /// The profile that `--profile`, a variable or an account of a fleet names does not exist.
    #[error("the AWS profile {profile:?} of {origin} does not exist in {} or {}", files[0], files[1])]
    NoSuchProfile {
        /// The profile.
        profile: Printable,
        /// What names it.
        origin: ProfileOrigin,
        /// The paths of the configuration file and the credentials file.
        files: [Printable; 2],
    },
    /// A file with profiles cannot be read or parsed. The text says which, and why.
    #[error("cannot read the AWS profiles: {0}")]
    UnreadableProfiles(Printable),
    /// The environment has an access key ID without its secret access key.
    #[error("AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not")]
    PartialKey,
    /// The call to STS failed.
    #[error(transparent)]
    Call(#[from] ApiError),
    /// The response of STS cannot be used.
    #[error("sts:GetCallerIdentity returned an unusable response: {0}")]
    UnusableIdentity(Printable),
    /// The role of an account of a fleet belongs to another account.
    #[error("role {role} is of account {found}, and not of account {account}")]
    OtherAccount {
        /// The role.
        role: RoleArn,
        /// The account that the role is assumed for.
        account: AccountId,
        /// The account of the role, or of the credentials that STS returned for it.
        found: AccountId,
    },
}

impl ConnectError {
    /// The error of an account of a fleet whose credentials are those of a profile: the account names the profile.
    #[must_use]
    pub fn of_profile_of_account(mut self) -> ConnectError {
        use ConnectError::{NoSuchProfile, ProfileCredentials};
        if let ProfileCredentials { origin, .. } | NoSuchProfile { origin, .. } = &mut self {
            *origin = ProfileOrigin::FleetAccount;
        }
        self
    }
}
