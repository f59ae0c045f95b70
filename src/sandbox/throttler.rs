use std::collections::HashMap;
use std::time::Instant;

use super::limit_state::LimitState;
use super::throttle::{RateLimit, Throttle};

/// Decides which calls are throttled. The current time is an argument.
///
/// The first call to which a limit applies starts the limit. If several limits apply to a call, it is accepted if
/// each of them accepts it. Otherwise, it counts toward none.
#[derive(Debug)]
pub struct Throttler {
    throttle: Throttle,
    /// The limits in use. The key is the account and the calls that share the limit.
    limits: HashMap<(String, Scope), LimitState>,
}

/// The calls that share a limit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Scope {
    Action(String),
    Writes,
}

impl Scope {
    fn limit<'a>(&self, throttle: &'a Throttle) -> Option<&'a RateLimit> {
        match self {
            Scope::Action(action) => throttle.limit_of(action),
            Scope::Writes => throttle.writes.as_ref(),
        }
    }
}

impl Throttler {
    /// No call was made yet.
    pub fn new(throttle: Throttle) -> Self {
        Throttler { throttle, limits: HashMap::new() }
    }

    /// Makes a call at this time. Returns false if it is throttled. The times of successive calls must not decrease;
    /// an earlier time counts as the latest one.
    pub fn admit(&mut self, account: &str, action: &str, now: Instant) -> bool {
        let own = self.throttle.limit_of(action);
        let own = own.map(|limit| (Scope::Action(action.to_owned()), limit));
        let shared = self.throttle.shared_limit_of(action).map(|limit| (Scope::Writes, limit));
        let mut keys = Vec::new();
        let mut is_admitted = true;
        for (scope, limit) in own.into_iter().chain(shared) {
            let key = (account.to_owned(), scope);
            let state =
                self.limits.entry(key.clone()).or_insert_with(|| LimitState::new(limit, now));
            state.advance(now);
            is_admitted &= state.has_capacity();
            keys.push(key);
        }
        if is_admitted {
            for key in keys {
                if let Some(state) = self.limits.get_mut(&key) {
                    state.accept();
                }
            }
        }
        is_admitted
    }

    /// Replaces the limits. The times of a limit that changes count from now. A token bucket keeps its tokens up to
    /// the new burst, and a window begins anew.
    pub(super) fn set_throttle(&mut self, throttle: Throttle, now: Instant) {
        self.limits.retain(|(_, scope), state| match scope.limit(&throttle) {
            Some(limit) => {
                state.change_to(limit, now);
                true
            }
            None => false,
        });
        self.throttle = throttle;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::limit_model::{Burst, LimitModel};
    use super::super::time_span::TimeSpan;
    use super::*;
    use crate::iam::Rate;

    const PUT: &str = "PutUserPermissionsBoundary";
    const DELETE: &str = "DeleteUserPermissionsBoundary";

    fn limit(per_second: f64, burst: f64) -> RateLimit {
        let burst = Some(Burst::of(burst).unwrap());
        RateLimit::new(Rate::per_second(per_second).unwrap(), LimitModel::Continuous { burst })
    }

    fn all(limit: RateLimit) -> Throttle {
        Throttle { all: Some(limit), ..Throttle::default() }
    }

    /// The number of consecutive calls that are accepted.
    fn accepted(throttler: &mut Throttler, action: &str, now: Instant) -> usize {
        (0..1_000).take_while(|_| throttler.admit("1", action, now)).count()
    }

    #[test]
    fn each_account_and_each_action_has_its_own_limit() {
        let now = Instant::now();
        let mut throttler = Throttler::new(all(limit(1.0, 1.0)));
        assert!(throttler.admit("1", "GetUser", now));
        assert!(!throttler.admit("1", "GetUser", now));
        assert!(throttler.admit("1", "ListUsers", now));
        assert!(throttler.admit("2", "GetUser", now));
        assert!((0..10).all(|_| throttler.admit("1", "GetCallerIdentity", now)));
    }

    #[test]
    fn all_writes_of_an_account_share_a_limit_in_addition_to_their_own() {
        let now = Instant::now();
        let later = now + Duration::from_secs(1);
        let writes = Some(limit(4.0, 5.0));
        let mut throttler = Throttler::new(Throttle { writes, ..all(limit(10.0, 3.0)) });
        assert_eq!(accepted(&mut throttler, PUT, now), 3);
        assert_eq!(accepted(&mut throttler, DELETE, now), 2);
        assert_eq!(accepted(&mut throttler, "GetUser", now), 3);
        assert!(throttler.admit("2", PUT, now));
        assert_eq!(accepted(&mut throttler, DELETE, later), 3);
        assert_eq!(accepted(&mut throttler, PUT, later), 1);
    }

    #[test]
    fn a_call_that_one_limit_throttles_does_not_count_toward_the_other() {
        let start = Instant::now();
        let span = TimeSpan::new(Duration::from_secs(1), Duration::from_secs(2)).unwrap();
        let writes = Some(RateLimit { throttle_all: vec![span], ..limit(0.001, 8.0) });
        let mut throttler = Throttler::new(Throttle { writes, ..all(limit(0.001, 6.0)) });
        assert!(throttler.admit("1", PUT, start));
        assert_eq!(accepted(&mut throttler, PUT, start + Duration::from_secs(1)), 0);
        assert_eq!(accepted(&mut throttler, PUT, start + Duration::from_secs(2)), 5);
        assert_eq!(accepted(&mut throttler, DELETE, start + Duration::from_secs(2)), 2);
    }

    #[test]
    fn a_changed_limit_does_not_refill_the_bucket() {
        let now = Instant::now();
        let mut throttler = Throttler::new(all(limit(1.0, 1.0)));
        assert!(throttler.admit("1", "GetUser", now));
        throttler.set_throttle(all(limit(10.0, 20.0)), now);
        assert!(!throttler.admit("1", "GetUser", now));
        assert!(throttler.admit("1", "GetUser", now + Duration::from_millis(100)));
        throttler.set_throttle(Throttle::default(), now);
        assert!((0..10).all(|_| throttler.admit("1", "GetUser", now)));
    }

    #[test]
    fn a_changed_limit_of_writes_applies_from_then_on() {
        let now = Instant::now();
        let writes = |limit| Throttle { writes: Some(limit), ..Throttle::default() };
        let mut throttler = Throttler::new(writes(limit(1.0, 2.0)));
        assert_eq!(accepted(&mut throttler, PUT, now), 2);
        throttler.set_throttle(writes(limit(10.0, 20.0)), now);
        assert_eq!(accepted(&mut throttler, DELETE, now + Duration::from_secs(1)), 10);
    }
}
