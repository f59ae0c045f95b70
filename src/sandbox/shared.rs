use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::account::Accounts;
use super::calls::{AccountCounter, Counter};
use super::fault::Faults;
use super::injector::{FaultInjector, Injection};
use super::options::Options;
use super::organization::{AccountState, Organization};
use super::request::{ErrorResponse, Request};
use super::sts;
use super::template::Templates;
use super::throttler::Throttler;

/// The state that all connections share.
pub(super) struct Shared {
    pub(super) options: Options,
    pub(super) started: SystemTime,
    accounts: Mutex<Accounts>,
    pub(super) faults: Faults,
    injector: Option<Mutex<FaultInjector>>,
    pub(super) calls: Counter,
    pub(super) calls_by_account: AccountCounter,
    throttler: Mutex<Throttler>,
    pub(super) throttled: Counter,
    /// Selects the latencies: the same sequence in each run.
    latencies: Mutex<fastrand::Rng>,
    /// The role that every caller without a session has assumed; `None` for a user.
    assumed_role: Mutex<Option<String>>,
    organization: Mutex<Option<Organization>>,
    pub(super) templates: Templates,
}

impl Shared {
    pub(super) fn new(options: Options, accounts: Accounts) -> Self {
        Shared {
            throttler: Mutex::new(Throttler::new(options.throttle.clone())),
            throttled: Counter::default(),
            latencies: Mutex::new(fastrand::Rng::with_seed(0)),
            assumed_role: Mutex::default(),
            organization: Mutex::new(options.organization.clone()),
            templates: Templates::default(),
            injector: options.chaos.clone().map(|chaos| Mutex::new(FaultInjector::new(chaos))),
            options,
            started: SystemTime::now(),
            accounts: Mutex::new(accounts),
            faults: Faults::default(),
            calls: Counter::default(),
            calls_by_account: AccountCounter::default(),
        }
    }

    pub(super) fn accounts(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn throttler(&self) -> MutexGuard<'_, Throttler> {
        self.throttler.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The latency of the next response.
    pub(super) fn latency(&self) -> Duration {
        let mut rng = self.latencies.lock().unwrap_or_else(PoisonError::into_inner);
        self.options.latency_spread.sample(self.options.latency, &mut rng)
    }

    pub(super) fn assumed_role(&self) -> MutexGuard<'_, Option<String>> {
        self.assumed_role.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn injector(&self) -> Option<MutexGuard<'_, FaultInjector>> {
        let injector = self.injector.as_ref()?;
        Some(injector.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn organization(&self) -> MutexGuard<'_, Option<Organization>> {
        self.organization.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the account exists and is active: its roles can be assumed.
    pub(super) fn is_usable(&self, account: &str) -> bool {
        match self.organization().as_ref().and_then(|it| it.state_of(account)) {
            Some(state) => state == AccountState::Active,
            None => self.accounts().exists(account),
        }
    }

    /// Counts a call that arrives now. The error is that of expired credentials or of a rate limit.
    pub(super) fn admit(&self, request: &Request) -> Result<(), ErrorResponse> {
        let Request { account, action, session, .. } = request;
        self.calls.count(action);
        self.calls_by_account.count(request.target_account(), action);
        if session.as_ref().is_some_and(|session| session.expires <= SystemTime::now()) {
            return Err(sts::expired_token());
        }
        let now = Instant::now();
        let is_in_storm =
            self.injector().is_some_and(|mut injector| injector.count_call(account, action, now));
        if is_in_storm || !self.throttler().admit(account, action, now) {
            self.throttled.count(action);
            return Err(ErrorResponse::throttling());
        }
        Ok(())
    }

    /// The faults to inject into a call that is not throttled. Added [`Faults`] take precedence over random faults.
    pub(super) fn inject(&self, request: &Request) -> Injection {
        let injection = self.injector().map(|mut injector| injector.inject(request));
        let mut injection = injection.unwrap_or_default();
        if let Some(fault) = self.faults.take(request) {
            injection.fault = Some(fault);
        }
        injection
    }
}

#[cfg(test)]
mod tests {
    use super::super::latency::LatencySpread;
    use super::*;

    #[test]
    fn latencies_vary_only_with_a_spread_and_equally_in_each_run() {
        let latency = Duration::from_millis(50);
        let latencies = |sigma| {
            let latency_spread = LatencySpread::of(sigma).unwrap();
            let options = Options { latency, latency_spread, ..Options::default() };
            let shared = Shared::new(options, Accounts::default());
            [(); 20].map(|()| shared.latency())
        };
        assert_eq!(latencies(0.0), [latency; 20]);
        let mut varied = latencies(0.6);
        assert_eq!(varied, latencies(0.6));
        varied.sort();
        assert!(varied.windows(2).all(|pair| pair[0] < pair[1]), "{varied:?}");
    }
}
