//! Endpoints without encryption.

use std::net::IpAddr;

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

use super::http::host;
use crate::iam::Printable;

/// An endpoint to which requests and responses would go without encryption.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the endpoint http://{host} of {origin} is not encrypted, and is not on this machine")]
pub struct PlainHttp {
    /// The host and the port.
    pub host: Printable,
    /// The option, the variable or the profile that sets it.
    pub origin: Printable,
}

const FLAG: &str = "--endpoint-url";
const VARIABLE: &str = "AWS_ENDPOINT_URL";
/// The services that only the tool's own calls use, in the form of [`OF_CREDENTIALS`].
const OF_CALLS: [(&str, &str); 3] =
    [("iam", "IAM"), ("organizations", "ORGANIZATIONS"), ("cloudtrail", "CLOUDTRAIL")];
/// The services that are called to get credentials: the ID in a profile and the end of the variable's name.
const OF_CREDENTIALS: [(&str, &str); 4] =
    [("sts", "STS"), ("sso", "SSO"), ("sso oidc", "SSO_OIDC"), ("signin", "SIGNIN")];

/// Checks that every endpoint is encrypted or on this machine. `flag` is for the calls to IAM, STS, AWS Organizations and
/// CloudTrail, and `config` has the settings of the environment and of `profile`.
///
/// # Errors
/// The first endpoint that is not.
pub(super) fn check_endpoints(
    flag: Option<&str>,
    config: &SdkConfig,
    profile: &str,
) -> Result<(), PlainHttp> {
    if let Some(url) = flag {
        check(url, || FLAG.to_owned())?;
    }
    let others = OF_CALLS.into_iter().filter(|_| flag.is_none());
    for (id, suffix) in others.chain(OF_CREDENTIALS) {
        let Some(url) = configured(config, id) else { continue };
        check(&url, || {
            let variables = [format!("{VARIABLE}_{suffix}"), VARIABLE.to_owned()];
            let is_set = |name: &String| std::env::var(name).is_ok_and(|value| value == url);
            variables.into_iter().find(is_set).unwrap_or_else(|| format!("profile {profile:?}"))
        })?;
    }
    Ok(())
}

/// The endpoint of a service in the environment or the profile, in the order of the SDK.
fn configured(config: &SdkConfig, service_id: &str) -> Option<String> {
    let key =
        ServiceConfigKey::builder().service_id(service_id).env(VARIABLE).profile("endpoint_url");
    config.service_config()?.load_config(key.build().ok()?)
}

fn check(url: &str, origin: impl FnOnce() -> String) -> Result<(), PlainHttp> {
    match is_plain(url) {
        true => Err(PlainHttp { host: host(url).into(), origin: origin().into() }),
        false => Ok(()),
    }
}

/// Whether requests to `url` leave this machine without encryption. A name counts as this machine only if no name
/// server is asked for it (RFC 6761).
fn is_plain(url: &str) -> bool {
    let Some((scheme, _)) = url.split_once("://") else { return false };
    if !scheme.trim_start().eq_ignore_ascii_case("http") {
        return false;
    }
    let host = host(url).to_ascii_lowercase();
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or_default(),
    };
    match name.parse::<IpAddr>() {
        Ok(address) => !address.to_canonical().is_loopback(),
        Err(_) => name != "localhost" && !name.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_not_plain() {
        for url in [
            "https://iam.example",
            "http://localhost:4566",
            "http://LOCALHOST",
            "http://iam.localhost/x",
            "http://127.0.0.1:80",
            "http://127.9.9.9",
            "http://[::1]:4566/",
            "http://[::ffff:127.0.0.1]",
            "no URL",
        ] {
            assert!(!is_plain(url), "{url}");
        }
        for url in [
            "http://iam.example",
            "HTTP://iam.example",
            "http://localhost.example",
            "http://127.0.0.1.example",
            "http://127.0.0.1@iam.example",
            "http://localhost:1@iam.example/",
            "http://0.0.0.0",
            "http://[::]",
            "http://169.254.169.254",
            "http://notlocalhost",
            "http://",
        ] {
            assert!(is_plain(url), "{url}");
        }
    }
}
