use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{
    ProvideCredentials, SharedCredentialsProvider, future::ProvideCredentials as Provided,
};

use super::spellings::{MIN_LENGTH, Spellings, find, is_in};
use crate::iam::Printable;
use crate::inventory::ApiError;

/// Redacts the secret access keys and session tokens that sign the calls. Clones share what they know.
///
/// The redactor of a role also knows the secrets of the credentials that assume it. The base does not know those of its
/// roles: each response is searched for every known secret, and a fleet has thousands.
///
/// A response can contain them: if a signature is wrong, AWS returns the string that should have been signed,
/// including the session token. Each spelling is redacted ([`Spellings`]).
#[derive(Clone, Default)]
pub(super) struct Redactor {
    own: Arc<Secrets>,
    /// The secrets of the credentials that assume the role.
    base: Vec<Arc<Secrets>>,
}

type Secrets = Mutex<BTreeMap<String, Arc<Spellings>>>;

const REDACTED: &str = "[redacted]";

impl Redactor {
    /// A redactor for a role that is assumed with the credentials of this one.
    pub(super) fn of_role(&self) -> Redactor {
        let base = self.base.iter().chain([&self.own]).cloned().collect();
        Redactor { own: Arc::default(), base }
    }

    /// A provider of the credentials of `inner`. The redactor knows them as soon as they are provided.
    pub(super) fn watch(&self, inner: SharedCredentialsProvider) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(Watched { inner, redactor: self.clone() })
    }

    /// The error without secrets in any text of the response.
    pub(super) fn redact(&self, error: ApiError) -> ApiError {
        ApiError {
            action: error.action,
            class: error.class,
            code: self.redact_text(&error.code),
            message: self.redact_text(&error.message),
            request_id: error.request_id.map(|id| self.redact_text(&id)),
        }
    }

    /// The text without secrets.
    pub(super) fn redact_text(&self, text: &str) -> Printable {
        let known = self.known();
        let mut clean = text.to_owned();
        for range in find(text, known.iter().map(|it| &**it)).into_iter().rev() {
            clean.replace_range(range, REDACTED);
        }
        clean.into()
    }

    /// Whether the text contains a secret.
    pub(super) fn is_secret_in(&self, text: &str) -> bool {
        is_in(text, self.known().iter().map(|it| &**it))
    }

    /// The known secrets. No lock is held while a text is searched, so the accounts of a fleet do not wait for each
    /// other.
    fn known(&self) -> Vec<Arc<Spellings>> {
        let mut known = Vec::new();
        for secrets in self.base.iter().chain([&self.own]) {
            let secrets = secrets.lock().unwrap_or_else(PoisonError::into_inner);
            known.extend(secrets.values().cloned());
        }
        known
    }

    pub(super) fn remember(&self, credentials: &Credentials) {
        let secrets = [Some(credentials.secret_access_key()), credentials.session_token()];
        self.own.lock().unwrap_or_else(PoisonError::into_inner).extend(
            secrets
                .into_iter()
                .flatten()
                .filter_map(|it| Some((it.to_owned(), Arc::new(Spellings::of(it)?)))),
        );
    }
}

/// The text without words that look like a key or a token. For messages of credential providers: a
/// `credential_process` that fails may have written credentials to its standard error.
pub(super) fn redact_likely_secrets(text: &str) -> String {
    let is_secret_char = |c: char| c.is_ascii_alphanumeric() || "+/=_-%".contains(c);
    let is_likely = |word: &str| {
        let has = |is: fn(&u8) -> bool| word.as_bytes().iter().any(is);
        word.len() >= MIN_LENGTH
            && has(u8::is_ascii_digit)
            && has(u8::is_ascii_uppercase)
            && has(u8::is_ascii_lowercase)
    };
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_secret_char(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        clean.push_str(if is_likely(word) { REDACTED } else { word });
        let other = after.find(is_secret_char).unwrap_or(after.len());
        clean.push_str(&after[..other]);
        rest = &after[other..];
    }
    clean
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}

#[derive(Debug)]
struct Watched {
    inner: SharedCredentialsProvider,
    redactor: Redactor,
}

impl ProvideCredentials for Watched {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        Provided::new(async {
            let credentials = self.inner.provide_credentials().await?;
            self.redactor.remember(&credentials);
            Ok(credentials)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::ErrorClass;

    #[test]
    fn keys_and_tokens_are_redacted_and_short_words_are_not() {
        let redactor = Redactor::default();
        let (key, token) = ("a-secret-access-key-0", "a-session-token-00000");
        redactor.remember(&Credentials::from_keys("AKIA", key, Some(token.to_owned())));
        redactor.remember(&Credentials::from_keys("AKIA", "test", None));
        let error = redactor.redact(ApiError {
            action: "iam:GetUser".into(),
            class: ErrorClass::Credentials,
            code: "SignatureDoesNotMatch".into(),
            message: format!("a test: {token}, {key}, {token}").into(),
            request_id: Some(format!("id {token}").into()),
        });
        assert_eq!(error.message, "a test: [redacted], [redacted], [redacted]");
        assert_eq!(error.request_id.as_deref(), Some("id [redacted]"));
        assert_eq!(format!("{redactor:?}"), "Redactor");
    }

    #[test]
    fn the_redactor_of_a_role_knows_the_secrets_of_its_base_and_the_base_not_those_of_the_role() {
        let base = Redactor::default();
        base.remember(&Credentials::from_keys("AKIA", "a-secret-access-key-0", None));
        let role = base.of_role();
        role.remember(&Credentials::from_keys("ASIA", "a-secret-access-key-1", None));
        base.remember(&Credentials::from_keys("AKIA", "a-secret-access-key-2", None));
        let is_known = |redactor: &Redactor| {
            [0, 1, 2].map(|n| redactor.is_secret_in(&format!("a-secret-access-key-{n}")))
        };
        assert_eq!(is_known(&role), [true, true, true]);
        assert_eq!(is_known(&base), [true, false, true]);
        assert_eq!(is_known(&base.of_role().of_role()), [true, false, true]);
    }

    #[test]
    fn text_that_looks_like_a_secret_is_redacted_and_words_and_paths_are_not() {
        let message = "exit status: 7. Stderr: {\"SecretAccessKey\": \"wJalrXUtnFEMI/K7MDENG/bPx+Rfi0\"} in \
                    /usr/local/bin/credential-tool, é, run aws sso login --profile Production2";
        assert_eq!(
            redact_likely_secrets(message),
            message.replace("wJalrXUtnFEMI/K7MDENG/bPx+Rfi0", REDACTED)
        );
    }
}
