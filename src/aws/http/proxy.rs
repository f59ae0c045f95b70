use std::fmt;

use aws_smithy_http_client::proxy::ProxyConfig;
use hyper::Uri;

/// The proxies of the environment. Its debug text contains no credentials.
#[derive(Clone, Default)]
pub(in crate::aws) struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
    no_proxy: String,
}

#[derive(Clone)]
pub(super) struct Proxy {
    /// The URL, which can contain a password.
    url: String,
    /// Its scheme, host and port, and the variable that names it.
    shown: String,
}

/// A variable whose value is not the URL of a proxy. The value is not shown: it can contain a password.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot use the proxy of {variable}: {why}")]
pub(in crate::aws) struct InvalidProxy {
    /// The variable.
    pub(in crate::aws) variable: String,
    /// The reason.
    pub(in crate::aws) why: &'static str,
}

impl Proxies {
    /// The proxies of `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, by the rules of the AWS CLI and Python's
    /// [`getproxies`](https://docs.python.org/3/library/urllib.request.html#urllib.request.getproxies): the
    /// variable in lower case comes first, and an empty one means no proxy.
    ///
    /// # Errors
    /// If a value is not the URL of an HTTP proxy.
    pub(in crate::aws) fn from_env() -> Result<Proxies, InvalidProxy> {
        Proxies::of(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Proxies, InvalidProxy> {
        let find = |name: &str| {
            [name.to_ascii_lowercase(), name.to_owned()]
                .into_iter()
                .find_map(|name| Some((variable(&name)?, name)))
                .filter(|(value, _)| !value.trim().is_empty())
        };
        let proxy = |name| find(name).map(|(url, name)| Proxy::parse(url.trim(), name)).transpose();
        Ok(Proxies {
            http: proxy("HTTP_PROXY")?,
            https: proxy("HTTPS_PROXY")?,
            no_proxy: find("NO_PROXY").map(|(rules, _)| rules).unwrap_or_default(),
        })
    }

    /// The proxy for URLs with this scheme.
    pub(super) fn of_scheme(&self, is_https: bool) -> Option<&Proxy> {
        if is_https { self.https.as_ref() } else { self.http.as_ref() }
    }

    /// The configuration of the HTTP client for URLs with this scheme.
    pub(super) fn config(&self, is_https: bool) -> ProxyConfig {
        let config = match self.of_scheme(is_https) {
            None => return ProxyConfig::disabled(),
            Some(proxy) if is_https => ProxyConfig::https(&*proxy.url),
            Some(proxy) => ProxyConfig::http(&*proxy.url),
        };
        config.map_or_else(|_| ProxyConfig::disabled(), |config| config.no_proxy(&self.no_proxy))
    }
}

impl Proxy {
    fn parse(value: &str, variable: String) -> Result<Proxy, InvalidProxy> {
        // As in the AWS CLI, a host without a scheme is an HTTP proxy.
        let url = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
        let invalid = |why| InvalidProxy { variable: variable.clone(), why };
        const NOT_A_URL: &str = "its value is not the URL of a proxy; characters such as / # ? and @ in a user \
                                 name or password must be percent-encoded";
        // With such a character in the password, the host would be a part of the credentials.
        let rest = url.split_once("://").map_or("", |(_, rest)| rest.trim_end_matches('/'));
        if rest.contains(['/', '?', '#']) || rest.matches('@').count() > 1 {
            return Err(invalid(NOT_A_URL));
        }
        let uri = url.parse::<Uri>().map_err(|_| invalid(NOT_A_URL))?;
        let Some(scheme @ ("http" | "https")) = uri.scheme_str() else {
            return Err(invalid("only http:// and https:// proxies are supported"));
        };
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| invalid("its value contains no host"))?;
        if ProxyConfig::https(&*url).is_err() {
            return Err(invalid(NOT_A_URL));
        }
        let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
        let shown = format!("{scheme}://{host}{port} of {variable}");
        Ok(Proxy { url, shown })
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |proxy: &Option<Proxy>| proxy.as_ref().map(ToString::to_string);
        f.debug_struct("Proxies")
            .field("http", &shown(&self.http))
            .field("https", &shown(&self.https))
            .field("no_proxy", &self.no_proxy)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(set: &[(&str, &str)]) -> Result<Proxies, InvalidProxy> {
        Proxies::of(|name| {
            set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_lower_case_variable_comes_first_and_an_empty_one_means_no_proxy() {
        let https = |set: &[(&str, &str)]| of(set).unwrap().https.map(|proxy| proxy.shown);
        let upper = ("HTTPS_PROXY", "http://upper:1");
        assert_eq!(https(&[upper]).unwrap(), "http://upper:1 of HTTPS_PROXY");
        let both = https(&[upper, ("https_proxy", "lower:2")]);
        assert_eq!(both.unwrap(), "http://lower:2 of https_proxy");
        assert_eq!(https(&[upper, ("https_proxy", "")]), None);
        assert_eq!(https(&[("ALL_PROXY", "http://all:3"), ("HTTP_PROXY", "http://http:4")]), None);
    }

    #[test]
    fn a_password_is_in_no_text() {
        let value = "http://user:Secret%40Word@proxy.example:8080";
        let proxies = of(&[("HTTPS_PROXY", value), ("HTTP_PROXY", value)]).unwrap();
        let texts = format!("{proxies:?} {}", proxies.https.as_ref().unwrap());
        assert!(texts.contains("proxy.example:8080"), "{texts}");
        assert!(!texts.contains("Secret"), "{texts}");
        for invalid in [
            "http://user:Secret#Word@proxy:1",
            "socks5://user:Secret@proxy:1",
            "http://",
            "http://user:Secret/Word@proxy:1",
        ] {
            let error = of(&[("https_proxy", invalid)]).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("Secret"), "{error:?}");
            assert!(error.to_string().contains("https_proxy"), "{error}");
        }
    }
}
