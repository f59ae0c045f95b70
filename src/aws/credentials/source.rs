use std::io;

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{
    ProvideCredentials, SharedCredentialsProvider, future::ProvideCredentials as Provided,
};

use super::super::error::{credentials_failure, find, is_without_code};
use super::super::http::Exchange;
use super::super::waits::Waits;
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
    waits: Waits,
    /// What it means that a file does not exist, which the source reads.
    missing_file: Option<String>,
}

impl Source {
    pub(super) fn new(
        name: impl Into<String>,
        inner: impl ProvideCredentials + 'static,
        exchange: &Exchange,
        waits: &Waits,
    ) -> Source {
        let inner = SharedCredentialsProvider::new(inner);
        Source {
            name: name.into(),
            inner,
            exchange: exchange.clone(),
            waits: waits.clone(),
            missing_file: None,
        }
    }

    /// The source, whose error says this if a file does not exist that it reads. The SDK's error does not name the file.
    pub(super) fn with_missing_file(self, what: String) -> Source {
        Source { missing_file: Some(what), ..self }
    }

    fn failed(&self, error: &CredentialsError) -> ApiError {
        let is_missing =
            find::<io::Error>(error).is_some_and(|error| error.kind() == io::ErrorKind::NotFound);
        if let Some(what) = self.missing_file.as_ref().filter(|_| is_missing) {
            return credentials_failure(format!("{} failed: {what}", self.name));
        }
        let is_not_of_aws = is_without_code(error) && !self.exchange.is_refused();
        let is_transient = self.exchange.is_transient() || is_not_of_aws;
        ApiError::from_source(&self.name, error, is_transient)
    }
}

impl ProvideCredentials for Source {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        Provided::new(async {
            self.exchange.clear();
            self.waits.asks_source(&self.name, ApiError::SOURCE);
            let provided = tokio::time::timeout(SOURCE_TIMEOUT, self.inner.provide_credentials());
            let error = match provided.await {
                Ok(Ok(credentials)) => return Ok(credentials),
                // The next source of the chain follows.
                Ok(Err(error @ CredentialsError::CredentialsNotLoaded(_))) => return Err(error),
                Ok(Err(error)) => self.failed(&error),
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
