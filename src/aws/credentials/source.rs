use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{
    ProvideCredentials, SharedCredentialsProvider, future::ProvideCredentials as Provided,
};

use super::super::http::Exchange;
use super::bounds::SOURCE_TIMEOUT;
use crate::inventory::ApiError;

/// A source of credentials of the SDK, with a bound in time, and with an error that says whether a retry can
/// succeed.
///
/// The SDK's errors do not say that: the response of a container's source that is not available is a text in
/// them. So the client that the source uses remembers how its last exchange ended.
#[derive(Debug)]
pub(super) struct Source {
    name: String,
    inner: SharedCredentialsProvider,
    exchange: Exchange,
}

impl Source {
    pub(super) fn new(
        name: impl Into<String>,
        inner: impl ProvideCredentials + 'static,
        exchange: &Exchange,
    ) -> Source {
        let inner = SharedCredentialsProvider::new(inner);
        Source { name: name.into(), inner, exchange: exchange.clone() }
    }
}

impl ProvideCredentials for Source {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        Provided::new(async {
            self.exchange.clear();
            let provided = tokio::time::timeout(SOURCE_TIMEOUT, self.inner.provide_credentials());
            let error = match provided.await {
                Ok(Ok(credentials)) => return Ok(credentials),
                // The next source of the chain follows.
                Ok(Err(error @ CredentialsError::CredentialsNotLoaded(_))) => return Err(error),
                Ok(Err(error)) => {
                    ApiError::from_source(&self.name, &error, self.exchange.is_transient())
                }
                Err(_) => ApiError::source_timed_out(format!(
                    "{} returned no credentials within {} seconds",
                    self.name,
                    SOURCE_TIMEOUT.as_secs()
                )),
            };
            Err(CredentialsError::provider_error(error))
        })
    }
}
