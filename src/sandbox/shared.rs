use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::account::Accounts;
use super::calls::Counter;
use super::fault::Faults;
use super::injector::{FaultInjector, Injection};
use super::options::Options;
use super::request::Request;
use super::token_bucket::TokenBuckets;

/// The state that all connections share.
pub(super) struct Shared {
    pub(super) options: Options,
    accounts: Mutex<Accounts>,
    pub(super) faults: Faults,
    injector: Option<Mutex<FaultInjector>>,
    pub(super) calls: Counter,
    buckets: Mutex<TokenBuckets>,
    pub(super) throttled: Counter,
    /// The role that every caller has assumed; `None` for a user.
    assumed_role: Mutex<Option<String>>,
}

impl Shared {
    pub(super) fn new(options: Options, accounts: Accounts) -> Self {
        Shared {
            buckets: Mutex::new(TokenBuckets::new(options.throttle.clone())),
            throttled: Counter::default(),
            assumed_role: Mutex::default(),
            injector: options.chaos.clone().map(|chaos| Mutex::new(FaultInjector::new(chaos))),
            options,
            accounts: Mutex::new(accounts),
            faults: Faults::default(),
            calls: Counter::default(),
        }
    }

    pub(super) fn accounts(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn assumed_role(&self) -> MutexGuard<'_, Option<String>> {
        self.assumed_role.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn buckets(&self) -> MutexGuard<'_, TokenBuckets> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn injector(&self) -> Option<MutexGuard<'_, FaultInjector>> {
        let injector = self.injector.as_ref()?;
        Some(injector.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts a call that arrives now. Returns false if the call is throttled.
    pub(super) fn admit(&self, account: &str, action: &str) -> bool {
        self.calls.count(action);
        let now = Instant::now();
        let is_in_storm =
            self.injector().is_some_and(|mut injector| injector.count_call(account, action, now));
        let is_admitted = !is_in_storm && self.buckets().take(account, action, now);
        if !is_admitted {
            self.throttled.count(action);
        }
        is_admitted
    }

    /// The faults to inject into a call that is not throttled. Added [`Faults`] take precedence over random faults.
    pub(super) fn inject(&self, request: &Request) -> Injection {
        let injection = self.injector().map(|mut injector| injector.inject(request));
        let mut injection = injection.unwrap_or_default();
        if let Some(fault) =
            self.faults.take(&request.action, request.principal().map(|(_, name)| name))
        {
            injection.fault = Some(fault);
        }
        injection
    }
}
