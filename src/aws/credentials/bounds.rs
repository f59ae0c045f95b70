use std::time::Duration;

/// The maximum time in which a source returns credentials, except for a person who types an MFA code.
pub(super) const SOURCE_TIMEOUT: Duration = Duration::from_secs(60);
/// The timeout of one attempt of a call to STS or IAM Identity Center.
pub(in crate::aws) const STS_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
/// Credentials are not used in their last seconds: a request in flight would fail.
pub(super) const MARGIN: Duration = Duration::from_secs(10);
