use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::action::is_exempt;
use super::chaos::{Chaos, ChaosKind};
use super::fault::Fault;
use super::request::Request;
use super::storm::Storms;

/// Selects the faults that [`Chaos`] injects into the calls.
#[derive(Debug)]
pub(super) struct FaultInjector {
    chaos: Chaos,
    /// The key is the account, the action and the subject.
    attempts: HashMap<[String; 3], Attempts>,
    storms: Storms,
}

/// The attempts of one call so far. Attempts of the same call have the same account, action and subject.
#[derive(Debug, Clone, Copy, Default)]
struct Attempts {
    count: u64,
    consecutive_failures: u32,
}

/// The faults of one attempt.
#[derive(Debug, Default)]
pub(super) struct Injection {
    pub(super) fault: Option<Fault>,
    /// The time until reads return the boundary that the call writes.
    pub(super) staleness: Duration,
}

impl FaultInjector {
    pub(super) fn new(chaos: Chaos) -> Self {
        FaultInjector { chaos, attempts: HashMap::new(), storms: Storms::default() }
    }

    /// Counts a call of the action. Returns whether a storm throttles it.
    pub(super) fn count_call(&mut self, account: &str, action: &str, now: Instant) -> bool {
        self.storms.count_call(&self.chaos, account, action, now)
    }

    /// The faults to inject into an attempt that is not throttled.
    pub(super) fn inject(&mut self, request: &Request) -> Injection {
        let (account, action) = (request.account.as_str(), request.action.as_str());
        if is_exempt(action) {
            return Injection::default();
        }
        let chaos = &self.chaos;
        let subject = subject(request);
        let key = [account, action, subject].map(str::to_owned);
        let attempts = self.attempts.entry(key).or_default();
        let mut rng = chaos.rng(["call", action, subject], attempts.count);
        let kinds = chaos.kinds.iter().copied().filter(|kind| kind.applies_to(request));
        let (failures, others): (Vec<_>, Vec<_>) = kinds.partition(|kind| kind.is_failure());
        let is_stubborn = attempts.count < Chaos::STUBBORN_FAILURES
            && chaos.rng(["stubborn", action, subject], 0).f64() < chaos.stubborn.fraction();
        let has_fault = rng.f64() < chaos.share.fraction();
        let kind = if is_stubborn && !failures.is_empty() {
            rng.choice(failures)
        } else if !has_fault {
            None
        } else if attempts.consecutive_failures < Chaos::MAX_CONSECUTIVE_FAILURES {
            rng.choice(failures.into_iter().chain(others).collect::<Vec<_>>())
        } else {
            rng.choice(others)
        };
        attempts.count += 1;
        attempts.consecutive_failures = if kind.is_some_and(ChaosKind::is_failure) {
            attempts.consecutive_failures + 1
        } else {
            0
        };
        let fault = kind.and_then(|kind| chaos.fault(kind, &mut rng));
        let is_stale =
            chaos.kinds.contains(&ChaosKind::StaleReads) && rng.f64() < chaos.share.fraction();
        let staleness =
            if is_stale { chaos.max_staleness.mul_f64(rng.f64()) } else { Duration::ZERO };
        Injection { fault, staleness }
    }
}

/// The user, role, policy, page or job of the call.
fn subject(request: &Request) -> &str {
    let names = ["UserName", "RoleName", "PolicyArn", "PolicyName", "Marker", "Arn", "JobId"];
    names.into_iter().find_map(|name| request.get(name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::request::Headers;
    use super::*;
    use crate::iam::Share;

    fn put(user: usize) -> Request {
        let authorization = "Credential=any/20261124/us-east-1/iam/aws4_request";
        let form = format!("Action=PutUserPermissionsBoundary&UserName=user-{user}");
        let headers = Headers { authorization: Some(authorization), ..Headers::default() };
        Request::parse(&headers, form.as_bytes()).unwrap()
    }

    fn only(kind: ChaosKind) -> Chaos {
        Chaos { kinds: [kind].into(), ..Chaos::new(1) }
    }

    #[test]
    fn faults_of_every_kind_are_injected_into_about_their_share_of_the_calls() {
        let mut injector = FaultInjector::new(Chaos::new(1));
        let faults: Vec<Fault> =
            (0..10_000).filter_map(|n| injector.inject(&put(n)).fault).collect();
        assert!((900..1_200).contains(&faults.len()), "{}", faults.len());
        let kinds: BTreeSet<String> = faults
            .iter()
            .map(|fault| format!("{fault:?}").split(['(', ' ']).next().unwrap().to_owned())
            .collect();
        let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
        let all = ["CutAfter", "CutBefore", "Error", "Garbage", "Slow", "Truncated", "UserDeleted"];
        assert_eq!(kinds, all);
    }

    #[test]
    fn a_call_fails_at_most_five_times_in_a_row_unless_it_is_stubborn() {
        let attempts = |stubborn| {
            let share = Share::percent(100);
            let chaos =
                Chaos { share, stubborn: Share::percent(stubborn), ..only(ChaosKind::CutBefore) };
            let mut injector = FaultInjector::new(chaos);
            (1..).find(|_| injector.inject(&put(0)).fault.is_none()).unwrap()
        };
        assert_eq!((attempts(0), attempts(100)), (6, 9));
        let mut injector = FaultInjector::new(Chaos::new(1));
        let lost = (0..2_000).filter(|n| {
            (0..6).all(|_| {
                injector.inject(&put(*n)).fault.is_some_and(|fault| fault != Fault::UserDeleted)
            })
        });
        let lost = lost.count();
        assert!((1..=20).contains(&lost), "{lost}");
    }

    #[test]
    fn delays_and_staleness_stay_within_their_maximum() {
        let max = Duration::from_millis(40);
        let mut slow = FaultInjector::new(Chaos { max_delay: max, ..only(ChaosKind::Slow) });
        let mut stale =
            FaultInjector::new(Chaos { max_staleness: max, ..only(ChaosKind::StaleReads) });
        let (mut slowest, mut stalest) = (Duration::ZERO, Duration::ZERO);
        for n in 0..1_000 {
            match slow.inject(&put(n)).fault {
                None => {}
                Some(Fault::Slow(time)) => slowest = slowest.max(time),
                other => panic!("{other:?}"),
            }
            let Injection { fault, staleness } = stale.inject(&put(n));
            assert_eq!(fault, None);
            stalest = stalest.max(staleness);
        }
        for observed in [slowest, stalest] {
            assert!(observed > max / 2 && observed <= max, "{observed:?}");
        }
    }
}
