use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::super::waits::Waits;
use super::error::{PROXY_REFUSED, RouteError, UntrustedError};
use super::proxy::{Proxies, Proxy};
use super::trust_store::Trust;
use crate::iam::printable;
use crate::inventory::ApiError;

/// The HTTP client of all calls. Clones share their connections, also those that tell another [`Waits`].
///
/// The SDK's own client reads neither `AWS_CA_BUNDLE` nor a proxy of the environment.
#[derive(Debug, Clone)]
pub(in crate::aws) struct Client {
    shared: Arc<Shared>,
    /// Whether it never uses a proxy.
    is_direct: bool,
    /// Remembers the end of its last exchange.
    last: Option<Exchange>,
    waits: Waits,
}

#[derive(Debug)]
struct Shared {
    trust: Trust,
    proxies: Proxies,
    connectors: Mutex<HashMap<Settings, SharedHttpConnector>>,
}

/// What a connector depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Settings {
    route: Route,
    connect_timeout: Option<Duration>,
    read_timeout: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Route {
    is_https: bool,
    /// Whether no proxy is used.
    is_direct: bool,
}

/// How the last exchange of a client ended. Clones share it.
#[derive(Debug, Clone, Default)]
pub(in crate::aws) struct Exchange(Arc<Mutex<Option<Ended>>>);

#[derive(Debug, Clone, Copy)]
enum Ended {
    /// A response with this status.
    Response(u16),
    /// No response, for a reason that can pass.
    Lost,
    /// No trusted connection, or a proxy that rejects the credentials.
    Refused,
}

impl Exchange {
    /// Forgets the last exchange.
    pub(in crate::aws) fn clear(&self) {
        self.set(None);
    }

    /// Whether an exchange failed for a reason that can pass: no response, a 5xx response, or throttling.
    pub(in crate::aws) fn is_transient(&self) -> bool {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(Ended::Response(status)) => status >= 500 || status == 429,
            Some(Ended::Lost) => true,
            Some(Ended::Refused) | None => false,
        }
    }

    /// Whether the server is not trusted, or a proxy rejected its credentials.
    pub(in crate::aws) fn is_refused(&self) -> bool {
        let ended = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(ended, Some(Ended::Refused | Ended::Response(407)))
    }

    fn set(&self, ended: Option<Ended>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = ended;
    }
}

impl Client {
    /// A client that tells `waits` the endpoint of each request.
    pub(in crate::aws) fn new(trust: Trust, proxies: Proxies, waits: Waits) -> Client {
        let connectors = Mutex::default();
        let shared = Arc::new(Shared { trust, proxies, connectors });
        Client { shared, is_direct: false, last: None, waits }
    }

    /// The same client, which tells `waits` instead: for another account.
    pub(in crate::aws) fn telling(&self, waits: Waits) -> Client {
        Client { waits, ..self.clone() }
    }

    /// The same client, which uses no proxy: for the metadata services of containers and instances.
    pub(in crate::aws) fn direct(&self) -> Client {
        Client { is_direct: true, ..self.clone() }
    }

    /// The same client for a source of credentials: it remembers the end of each exchange.
    pub(in crate::aws) fn remembering(&self, last: &Exchange) -> Client {
        Client { last: Some(last.clone()), ..self.clone() }
    }
}

impl HttpClient for Client {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Routed {
            client: self.clone(),
            connect_timeout: settings.connect_timeout(),
            read_timeout: settings.read_timeout(),
        })
    }
}

/// The connector of a client for one pair of timeouts.
#[derive(Debug, Clone)]
struct Routed {
    client: Client,
    connect_timeout: Option<Duration>,
    read_timeout: Option<Duration>,
}

impl HttpConnector for Routed {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let is_https = !request.uri().starts_with("http:");
        let route = Route { is_https, is_direct: self.client.is_direct };
        let Routed { connect_timeout, read_timeout, .. } = *self;
        let settings = Settings { route, connect_timeout, read_timeout };
        let Client { shared, last, waits, .. } = self.client.clone();
        let host = host(request.uri());
        let endpoint = format!("{}://{host}", if is_https { "https" } else { "http" });
        match &last {
            // An attempt without a response is cancelled.
            Some(last) => {
                last.set(Some(Ended::Lost));
                waits.sent(ApiError::SOURCE, endpoint);
            }
            None => waits.sent(&action(&request).unwrap_or_default(), endpoint),
        }
        let response = shared.connector(settings).call(request);
        HttpConnectorFuture::new(async move {
            let result = response.await;
            let ended = match &result {
                Ok(response) => Ended::Response(response.status().as_u16()),
                Err(error) if is_refused(error) => Ended::Refused,
                Err(_) => Ended::Lost,
            };
            if let Some(last) = last {
                last.set(Some(ended));
            }
            result.map_err(|error| shared.explained(error, host, route))
        })
    }
}

impl Shared {
    fn connector(&self, settings: Settings) -> SharedHttpConnector {
        let mut connectors = self.connectors.lock().unwrap_or_else(PoisonError::into_inner);
        connectors
            .entry(settings)
            .or_insert_with(|| {
                let mut timeouts = HttpConnectorSettings::builder();
                timeouts.set_connect_timeout(settings.connect_timeout);
                timeouts.set_read_timeout(settings.read_timeout);
                let builder = Connector::builder().connector_settings(timeouts.build());
                let Route { is_https, .. } = settings.route;
                let proxy = self.proxy(settings.route);
                let connector = if !is_https && proxy.is_none() {
                    // Reading the certificates of the system takes time.
                    builder.build_http()
                } else {
                    let proxy =
                        proxy.map_or_else(ProxyConfig::disabled, |_| self.proxies.config(is_https));
                    builder
                        .proxy_config(proxy)
                        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                        .tls_context(self.trust.context())
                        .build()
                };
                SharedHttpConnector::new(connector)
            })
            .clone()
    }

    fn proxy(&self, route: Route) -> Option<&Proxy> {
        if route.is_direct { None } else { self.proxies.of_scheme(route.is_https) }
    }

    /// The error, with the certificate authorities or the proxy that it concerns.
    fn explained(&self, error: ConnectorError, host: String, route: Route) -> ConnectorError {
        if let Some(reason) = tls_reason(&error) {
            let trust = self.trust.to_string();
            return ConnectorError::other(UntrustedError { host, reason, trust }.into(), None);
        }
        match self.proxy(route) {
            Some(proxy) if !error.is_user() => {
                let reason = printable(&innermost(&error).to_string());
                let named = RouteError { reason, proxy: proxy.to_string() }.into();
                match error.is_timeout() {
                    true => ConnectorError::timeout(named),
                    false => ConnectorError::io(named),
                }
            }
            _ => error,
        }
    }
}

/// Whether the TLS library refused the server, or the proxy rejected the credentials.
fn is_refused(error: &ConnectorError) -> bool {
    tls_reason(error).is_some() || innermost(error).to_string() == PROXY_REFUSED
}

/// The reason of the TLS library, if it refused the server.
fn tls_reason(error: &ConnectorError) -> Option<String> {
    let mut at: &(dyn Error + 'static) = error;
    loop {
        if let Some(found) = at.downcast_ref::<rustls::Error>() {
            return Some(found.to_string());
        }
        at = next(at)?;
    }
}

fn innermost(error: &ConnectorError) -> &(dyn Error + 'static) {
    let mut at: &(dyn Error + 'static) = error;
    while let Some(source) = next(at) {
        at = source;
    }
    at
}

/// The cause of an error. An I/O error hides the error that it was made of.
fn next<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

/// The host of a URL, and its port if there is one.
pub(in crate::aws) fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    printable(authority.rsplit_once('@').map_or(authority, |(_, host)| host))
}

/// The action of a request of the JSON protocol or of the Query protocol.
fn action(request: &HttpRequest) -> Option<String> {
    if let Some(target) = request.headers().get("x-amz-target") {
        return target.split_once('.').map(|(_, action)| printable(action));
    }
    let body = std::str::from_utf8(request.body().bytes()?).ok()?;
    let action = body.strip_prefix("Action=")?.split('&').next()?;
    Some(printable(action))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_no_credentials_and_no_path() {
        for (url, expected) in [
            ("https://iam.amazonaws.com/", "iam.amazonaws.com"),
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("https://user:secret@host:1/path?query", "host:1"),
        ] {
            assert_eq!(host(url), expected);
        }
    }
}
