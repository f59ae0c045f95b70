use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{
    ProvideCredentials, SharedCredentialsProvider, future::ProvideCredentials as Provided,
};

use crate::inventory::ApiError;

/// The keys and tokens that calls were signed with, so that no message ever shows them. Clones are one.
///
/// An answer can hold them: to a wrong signature AWS answers with all that should have been signed, the
/// session token with it.
#[derive(Clone, Default)]
pub(super) struct Secrets(Arc<Mutex<BTreeSet<String>>>);

/// AWS's own are longer, and what is shorter would be found in the middle of words.
const SHORTEST: usize = 16;

impl Secrets {
    /// A provider that gives what `inner` gives, and whose secrets are known from then on.
    pub(super) fn of(&self, inner: SharedCredentialsProvider) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(Watched { inner, secrets: self.clone() })
    }

    /// The error without any secret in its message.
    pub(super) fn taken_out_of(&self, mut error: ApiError) -> ApiError {
        for secret in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            for text in [&mut error.message, &mut error.code] {
                if text.contains(secret.as_str()) {
                    *text = text.replace(secret.as_str(), "[secret]");
                }
            }
        }
        error
    }

    fn remember(&self, credentials: &Credentials) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let secrets = [Some(credentials.secret_access_key()), credentials.session_token()];
        known.extend(
            secrets
                .into_iter()
                .flatten()
                .filter(|secret| secret.len() >= SHORTEST)
                .map(str::to_owned),
        );
    }
}

/// A credential provider's words without what looks like a key or a token: a `credential_process` that
/// fails may have written its answer to its error output.
pub(super) fn without_likely_secrets(text: &str) -> String {
    let is_of_secret = |c: char| c.is_ascii_alphanumeric() || "+/=_-".contains(c);
    let is_likely = |word: &str| {
        let has = |is: fn(&u8) -> bool| word.as_bytes().iter().any(is);
        word.len() >= SHORTEST
            && has(u8::is_ascii_digit)
            && has(u8::is_ascii_uppercase)
            && has(u8::is_ascii_lowercase)
    };
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_of_secret(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        clean.push_str(if is_likely(word) { "[hidden]" } else { word });
        let other = after.find(is_of_secret).unwrap_or(after.len());
        clean.push_str(&after[..other]);
        rest = &after[other..];
    }
    clean
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

#[derive(Debug)]
struct Watched {
    inner: SharedCredentialsProvider,
    secrets: Secrets,
}

impl ProvideCredentials for Watched {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        Provided::new(async {
            let credentials = self.inner.provide_credentials().await?;
            self.secrets.remember(&credentials);
            Ok(credentials)
        })
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        let credentials = self.inner.fallback_on_interrupt()?;
        self.secrets.remember(&credentials);
        Some(credentials)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::ErrorClass;

    #[test]
    fn keys_and_tokens_are_taken_out_and_short_words_are_left() {
        let secrets = Secrets::default();
        let (key, token) = ("a-secret-access-key-0", "a-session-token-00000");
        secrets.remember(&Credentials::from_keys("AKIA", key, Some(token.to_owned())));
        secrets.remember(&Credentials::from_keys("AKIA", "test", None));
        let error = secrets.taken_out_of(ApiError {
            action: "iam:GetUser".into(),
            class: ErrorClass::Credentials,
            code: "SignatureDoesNotMatch".to_owned(),
            message: format!("a test: {token}, {key}, {token}"),
            request_id: None,
        });
        assert_eq!(error.message, "a test: [secret], [secret], [secret]");
        assert_eq!(format!("{secrets:?}"), "Secrets");
    }

    #[test]
    fn what_looks_like_a_secret_is_hidden_and_words_and_paths_are_not() {
        let said = "exit status: 7. Stderr: {\"SecretAccessKey\": \"wJalrXUtnFEMI/K7MDENG/bPx+Rfi0\"} in \
                    /usr/local/bin/credential-tool, é, run aws sso login --profile Production2";
        assert_eq!(
            without_likely_secrets(said),
            said.replace("wJalrXUtnFEMI/K7MDENG/bPx+Rfi0", "[hidden]")
        );
    }
}
