use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::action::is_exempt;
use super::chaos::{Chaos, ChaosKind};

/// The maximum number of calls of one action in a storm.
const MAX_CALLS: u64 = 12;

/// The maximum duration of a storm. A storm also ends by time, because it simulates another client, which does
/// not wait for calls.
const MAX_DURATION: Duration = Duration::from_millis(500);

/// The throttling storms of [`ChaosKind::ThrottlingStorms`], by account and action.
#[derive(Debug, Default)]
pub(super) struct Storms(HashMap<[String; 2], Phase>);

/// Consecutive calls. In a storm, all calls are throttled; between storms, none.
#[derive(Debug)]
struct Phase {
    /// Even numbers are storms.
    number: u64,
    calls_left: u64,
    /// Only used for storms.
    ends: Instant,
}

impl Phase {
    fn is_storm(&self) -> bool {
        self.number.is_multiple_of(2)
    }

    fn is_over(&self, now: Instant) -> bool {
        self.calls_left == 0 || (self.is_storm() && self.ends < now)
    }
}

impl Storms {
    /// Counts a call of the action. Returns whether a storm throttles it.
    pub(super) fn count_call(
        &mut self,
        chaos: &Chaos,
        account: &str,
        action: &str,
        now: Instant,
    ) -> bool {
        let share = chaos.share.fraction();
        let has_storms = chaos.kinds.contains(&ChaosKind::ThrottlingStorms) && share > 0.0;
        if !has_storms || is_exempt(action) {
            return false;
        }
        let phase = self.0.entry([account, action].map(str::to_owned)).or_insert(Phase {
            number: 0,
            calls_left: 0,
            ends: now,
        });
        while phase.is_over(now) {
            phase.number += 1;
            let mut rng = chaos.rng(["storm", action, ""], phase.number);
            let max_between = (MAX_CALLS + 1) as f64 * (1.0 - share) / share;
            let max_calls = if phase.is_storm() { MAX_CALLS } else { max_between as u64 };
            phase.calls_left = rng.u64(1..=max_calls.max(1));
            phase.ends = now + MAX_DURATION.mul_f64(rng.f64());
        }
        phase.calls_left -= 1;
        phase.is_storm()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::Share;

    fn chaos(percent: u16) -> Chaos {
        let kinds = [ChaosKind::ThrottlingStorms].into();
        Chaos { share: Share::percent(percent), kinds, ..Chaos::new(1) }
    }

    fn longest_storm(throttled: &[bool]) -> Option<usize> {
        throttled.chunk_by(|a, b| a == b).filter(|run| run[0]).map(<[_]>::len).max()
    }

    #[test]
    fn storms_begin_and_end_and_throttle_their_share_of_the_calls() {
        let (chaos, mut storms, now) = (chaos(30), Storms::default(), Instant::now());
        let mut count_call = |action| storms.count_call(&chaos, "1", action, now);
        let calls: Vec<bool> = (0..20_000).map(|_| count_call("GetUser")).collect();
        let throttled = calls.iter().filter(|throttled| **throttled).count();
        assert!((5_000..=7_000).contains(&throttled), "{throttled}");
        assert_eq!(longest_storm(&calls), Some(MAX_CALLS as usize));
        assert!((0..1_000).all(|_| !count_call("GetCallerIdentity")));
    }

    #[test]
    fn a_storm_ends_in_time_for_a_client_that_slows_down() {
        let (chaos, mut storms, now) = (chaos(50), Storms::default(), Instant::now());
        let calls: Vec<bool> = (0..1_000)
            .map(|n| storms.count_call(&chaos, "1", "GetUser", now + n * MAX_DURATION))
            .collect();
        assert_eq!(longest_storm(&calls), Some(1));
    }
}
