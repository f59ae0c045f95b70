/// A server whose certificate was not accepted. Nothing was sent to it.
#[derive(Debug, thiserror::Error)]
#[error("no trusted TLS connection to {host}: {reason}; {trust}")]
pub(in crate::aws) struct UntrustedError {
    /// The host, and the port if the URL contains one.
    pub(super) host: String,
    /// The reason of the TLS library.
    pub(super) reason: String,
    /// The certificate authorities that were used.
    pub(super) trust: String,
}

/// The text of hyper-util's error if a proxy responds to `CONNECT` with status 407.
pub(in crate::aws) const PROXY_REFUSED: &str = "proxy authorization required";

/// A connection that failed while a proxy is set.
#[derive(Debug, thiserror::Error)]
#[error("{reason}; the proxy is {proxy}")]
pub(in crate::aws) struct RouteError {
    pub(super) reason: String,
    /// The proxy, without its credentials, and the variable that names it.
    pub(super) proxy: String,
}
