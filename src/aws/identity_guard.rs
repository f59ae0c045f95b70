use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::SdkConfig;
use aws_config::identity::IdentityCache;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{
    ProvideCredentials, SharedCredentialsProvider, future::ProvideCredentials as Provided,
};

use super::call_context::CallContext;
use super::credentials::MAX_START_TIME;
use super::identity::{IdentityError, get_caller_identity};
use crate::iam::{AccountId, Partition};
use crate::inventory::{ApiError, CallerIdentity, ErrorClass};

/// Binds the credentials to the account that the run works on. Clones share what they know.
///
/// Credentials are renewed during a run, and a `credential_process` or a session switcher can then return
/// credentials of another account. Before credentials with a new access key ID sign a call, the guard confirms
/// their account with `sts:GetCallerIdentity`.
#[derive(Clone)]
pub(super) struct IdentityGuard(Arc<Inner>);

struct Inner {
    /// The settings of the calls that confirm an account.
    config: SdkConfig,
    /// Without credentials: each account is confirmed with credentials of its own.
    context: CallContext,
    known: Mutex<Known>,
    /// Held while an account is confirmed, so that each access key ID is confirmed once.
    confirming: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    /// The account of the run; `None` before it is known.
    bound: Option<Owner>,
    /// The account of each access key ID.
    owners: BTreeMap<String, Owner>,
    /// The access key IDs of the credentials that were provided before the account was known.
    unconfirmed: BTreeSet<String>,
}

/// An account in its partition.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Owner {
    account: AccountId,
    partition: Partition,
}

impl IdentityGuard {
    /// A guard that knows no account yet.
    pub(super) fn new(config: &SdkConfig, context: CallContext) -> Self {
        let config = config.to_builder().identity_cache(IdentityCache::no_cache()).build();
        let (known, confirming) = (Mutex::default(), tokio::sync::Mutex::default());
        IdentityGuard(Arc::new(Inner { config, context, known, confirming }))
    }

    /// A provider of the credentials of `inner` that belong to the account of the run.
    pub(super) fn watch(&self, inner: SharedCredentialsProvider) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(Guarded { inner, guard: self.clone() })
    }

    /// Makes `identity` the account of the run. The credentials that were provided before belong to it, unless they were
    /// renewed: then it is not known which of them signed the call.
    pub(super) fn bind(&self, identity: &CallerIdentity) {
        self.known(|known| {
            let owner = Owner::of(identity);
            known.bound = Some(owner);
            let mut keys = mem::take(&mut known.unconfirmed);
            if let (Some(only), true) = (keys.pop_first(), keys.is_empty()) {
                known.owners.insert(only, owner);
            }
        });
    }

    async fn confirm(&self, credentials: &Credentials) -> Result<(), ApiError> {
        let key = credentials.access_key_id();
        let Some(bound) = self.known(|known| known.bound_or_add(key)) else { return Ok(()) };
        if self.known(|known| known.owner(key)) == Some(bound) {
            return Ok(());
        }
        let _confirming = self.0.confirming.lock().await;
        let owner = match self.known(|known| known.owner(key)) {
            Some(owner) => owner,
            None => {
                let owner = self.ask(credentials).await?;
                self.known(|known| known.owners.insert(key.to_owned(), owner));
                owner
            }
        };
        if owner == bound { Ok(()) } else { Err(account_changed(owner, bound)) }
    }

    /// The account of `credentials`.
    async fn ask(&self, credentials: &Credentials) -> Result<Owner, ApiError> {
        tracing::debug!("the credentials have a new access key ID; confirming their account");
        let Inner { config, context, .. } = &*self.0;
        let config = config
            .to_builder()
            .credentials_provider(SharedCredentialsProvider::new(credentials.clone()))
            .build();
        match get_caller_identity(&config, context, MAX_START_TIME).await {
            Ok(identity) => Ok(Owner::of(&identity)),
            Err(IdentityError::Call(error)) => Err(match error.class {
                // The call that needs the credentials is retried. IAM did not throttle it.
                ErrorClass::Throttled => ApiError { class: ErrorClass::Transient, ..error },
                ErrorClass::Transient => error,
                _ => ApiError { class: ErrorClass::Credentials, ..error },
            }),
            Err(IdentityError::Unusable(why)) => Err(unconfirmed("UnusableIdentity", why)),
        }
    }

    fn known<T>(&self, with: impl FnOnce(&mut Known) -> T) -> T {
        with(&mut self.0.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Known {
    /// The account of the run. Before it is known, remembers the access key ID.
    fn bound_or_add(&mut self, key: &str) -> Option<Owner> {
        if self.bound.is_none() {
            self.unconfirmed.insert(key.to_owned());
        }
        self.bound
    }

    fn owner(&self, key: &str) -> Option<Owner> {
        self.owners.get(key).copied()
    }
}

impl Owner {
    fn of(identity: &CallerIdentity) -> Owner {
        Owner { account: identity.account, partition: identity.partition }
    }
}

fn account_changed(owner: Owner, bound: Owner) -> ApiError {
    let (now, run) = (owner.account, bound.account);
    let message = if owner.partition == bound.partition {
        format!("the credentials now belong to account {now}, and this run is for account {run}")
    } else {
        format!(
            "the credentials now belong to account {now} in partition {}, and this run is for account {run} \
             in partition {}",
            owner.partition, bound.partition
        )
    };
    unconfirmed(ApiError::ACCOUNT_CHANGED, message)
}

fn unconfirmed(code: &str, message: String) -> ApiError {
    ApiError {
        action: super::identity::ACTION.into(),
        class: ErrorClass::Credentials,
        code: code.into(),
        message: message.into(),
        request_id: None,
    }
}

impl fmt::Debug for IdentityGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityGuard")
    }
}

#[derive(Debug)]
struct Guarded {
    inner: SharedCredentialsProvider,
    guard: IdentityGuard,
}

impl ProvideCredentials for Guarded {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        Provided::new(async {
            let credentials = self.inner.provide_credentials().await?;
            self.guard.confirm(&credentials).await.map_err(CredentialsError::provider_error)?;
            Ok(credentials)
        })
    }
}
