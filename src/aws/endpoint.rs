//! Endpoints that are not valid, or without encryption.

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

/// Why an endpoint cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It has no encryption.
    #[error(transparent)]
    PlainHttp(PlainHttp),
    /// It is not the URL of an endpoint; the field is the variable or the profile that sets it. The URL can contain a
    /// password, and is not shown.
    #[error("the endpoint of {0} is not a URL such as https://HOST or http://HOST:PORT")]
    Invalid(Printable),
}

/// Whether `url` is the URL of an endpoint: `http://` or `https://`, a host, and optionally a port and a path. A user name,
/// a password, a query and a fragment are not allowed: the SDK would send them to the endpoint or ignore them.
pub fn is_endpoint_url(url: &str) -> bool {
    let Ok(uri) = url.parse::<hyper::Uri>() else { return false };
    let Some(authority) = uri.authority() else { return false };
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    let host = uri.host().unwrap_or_default();
    let after_host = authority.as_str().strip_prefix(host);
    let has_valid_port = match after_host {
        Some("") => true,
        Some(port) => uri.port_u16().is_some() && port.starts_with(':'),
        // A user name.
        None => false,
    };
    is_web && !host.is_empty() && has_valid_port && uri.query().is_none() && !url.contains('#')
}

const FLAG: &str = "--endpoint-url";
const VARIABLE: &str = "AWS_ENDPOINT_URL";
/// The services that only the tool's own calls use, in the form of [`OF_CREDENTIALS`].
const OF_CALLS: [(&str, &str); 3] =
    [("iam", "IAM"), ("organizations", "ORGANIZATIONS"), ("cloudtrail", "CLOUDTRAIL")];
/// The services that are called to get credentials: the ID in a profile and the end of the variable's name.
const OF_CREDENTIALS: [(&str, &str); 4] =
    [("sts", "STS"), ("sso", "SSO"), ("sso oidc", "SSO_OIDC"), ("signin", "SIGNIN")];

/// Checks that every endpoint is valid and, without `allow_http`, encrypted or on this machine. `flag` is for the calls to
/// IAM, STS, AWS Organizations and CloudTrail, and `config` has the settings of the environment and of `profile`.
///
/// # Errors
/// The first endpoint that is not.
pub(super) fn check_endpoints(
    flag: Option<&str>,
    config: &SdkConfig,
    profile: &str,
    allow_http: bool,
) -> Result<(), EndpointError> {
    if let Some(url) = flag {
        check(url, allow_http, || FLAG.to_owned())?;
    }
    let others = OF_CALLS.into_iter().filter(|_| flag.is_none());
    for (id, suffix) in others.chain(OF_CREDENTIALS) {
        let Some(url) = configured(config, id) else { continue };
        check(&url, allow_http, || {
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

fn check(
    url: &str,
    allow_http: bool,
    origin: impl FnOnce() -> String,
) -> Result<(), EndpointError> {
    if !is_endpoint_url(url) {
        return Err(EndpointError::Invalid(origin().into()));
    }
    if !allow_http && is_plain(url) {
        let (host, origin) = (host(url).into(), origin().into());
        return Err(EndpointError::PlainHttp(PlainHttp { host, origin }));
    }
    Ok(())
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
    fn an_endpoint_is_a_scheme_a_host_a_port_and_a_path() {
        for url in [
            "https://iam.example",
            "http://localhost:4566",
            "http://[::1]:4566/",
            "https://vpce-1.iam.vpce.amazonaws.com/path",
        ] {
            assert!(is_endpoint_url(url), "{url}");
        }
        for url in [
            "",
            "notaurl",
            "localhost:4566",
            "ftp://iam.example",
            "http://",
            "http://:80",
            "http://localhost:99999",
            "http://localhost:",
            "http://localhost:port",
            "http://[::1",
            "http://user:secret@localhost",
            "http://user@localhost:80",
            "http://localhost/?a=b",
            "http://localhost/#a",
            "http://local host",
        ] {
            assert!(!is_endpoint_url(url), "{url}");
        }
    }

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
