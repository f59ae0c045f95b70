use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;

/// The maximum time in which a source returns credentials, except for a person who types an MFA code.
pub(super) const SOURCE_TIMEOUT: Duration = Duration::from_secs(60);
/// The maximum time to get the first credentials and to confirm the caller identity, together.
pub(in crate::aws) const MAX_START_TIME: Duration = Duration::from_secs(120);
/// The timeout of one attempt of a call to STS or IAM Identity Center.
const STS_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long before the expiry credentials are renewed, at most.
pub(super) const AHEAD: Duration = Duration::from_secs(300);
/// Credentials are not used in their last seconds: a request in flight would fail.
pub(super) const MARGIN: Duration = Duration::from_secs(10);

/// The timeouts of calls to STS and to other sources of credentials: those of `config`, and a shorter one for each
/// attempt.
pub(in crate::aws) fn sts_timeouts(config: &SdkConfig) -> TimeoutConfig {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(STS_ATTEMPT_TIMEOUT);
    let mut timeouts = timeouts.build();
    if let Some(defaults) = config.timeout_config() {
        timeouts.take_defaults_from(defaults);
    }
    timeouts
}
