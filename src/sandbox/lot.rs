use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::chaos::{Chaos, ChaosKind};
use super::request::Request;
use super::{Action, Fault};

/// Calls of one action in the longest storm.
const MOST_IN_STORM: u64 = 12;
/// The longest time until a storm is over, however few calls came: another client that drains the bucket
/// would not wait for them.
const LONGEST_STORM: Duration = Duration::from_millis(500);

/// What becomes of calls by chance, as they come.
#[derive(Debug)]
pub(super) struct Lot {
    chaos: Chaos,
    /// By account, action, and what the call is about.
    calls: HashMap<[String; 3], Course>,
    /// By account and action.
    storms: HashMap<[String; 2], Stretch>,
}

/// What one call has met so far.
#[derive(Debug, Clone, Copy, Default)]
struct Course {
    times: u64,
    in_a_row: u32,
}

/// Consecutive calls that are all in a storm, or all not. Every other stretch is a storm.
#[derive(Debug)]
struct Stretch {
    number: u64,
    left: u64,
    /// For storms.
    until: Instant,
}

/// What one call meets.
#[derive(Debug, Default)]
pub(super) struct Met {
    pub(super) fault: Option<Fault>,
    /// How long reads do not see what the call writes.
    pub(super) staleness: Duration,
}

impl Lot {
    pub(super) fn new(chaos: Chaos) -> Self {
        Lot { chaos, calls: HashMap::new(), storms: HashMap::new() }
    }

    /// Counts a call of the action, and says whether it comes into a storm.
    pub(super) fn is_storm(&mut self, account: &str, action: &str, now: Instant) -> bool {
        let share = self.chaos.share.fraction();
        let has_storms = self.chaos.kinds.contains(&ChaosKind::ThrottlingStorms) && share > 0.0;
        if !has_storms || is_spared(action) {
            return false;
        }
        let stretch = self.storms.entry([account, action].map(str::to_owned)).or_insert(Stretch {
            number: 0,
            left: 0,
            until: now,
        });
        while stretch.left == 0 || (stretch.is_storm() && stretch.until < now) {
            stretch.number += 1;
            let mut rng = self.chaos.rng(["storm", action, ""], stretch.number);
            let calm = (MOST_IN_STORM + 1) as f64 * (1.0 - share) / share;
            let most = if stretch.is_storm() { MOST_IN_STORM } else { calm as u64 };
            stretch.left = rng.u64(1..=most.max(1));
            stretch.until = now + LONGEST_STORM.mul_f64(rng.f64());
        }
        stretch.left -= 1;
        stretch.is_storm()
    }

    /// What the call meets that has come now.
    pub(super) fn met(&mut self, request: &Request) -> Met {
        let (account, action) = (request.account.as_str(), request.action.as_str());
        if is_spared(action) {
            return Met::default();
        }
        let chaos = &self.chaos;
        let about = about(request);
        let course = self.calls.entry([account, action, about].map(str::to_owned)).or_default();
        let mut rng = chaos.rng(["call", action, about], course.times);
        let kinds = chaos.kinds.iter().copied().filter(|kind| kind.can_meet(request));
        let (failing, others): (Vec<_>, Vec<_>) = kinds.partition(|kind| kind.fails());
        let is_stubborn = course.times < Chaos::STUBBORN_TIMES
            && chaos.rng(["stubborn", action, about], 0).f64() < chaos.stubborn.fraction();
        let goes_wrong = rng.f64() < chaos.share.fraction();
        let kind = if is_stubborn && !failing.is_empty() {
            rng.choice(failing)
        } else if !goes_wrong {
            None
        } else if course.in_a_row < Chaos::IN_A_ROW {
            rng.choice(failing.into_iter().chain(others).collect::<Vec<_>>())
        } else {
            rng.choice(others)
        };
        course.times += 1;
        course.in_a_row = if kind.is_some_and(ChaosKind::fails) { course.in_a_row + 1 } else { 0 };
        let fault = kind.and_then(|kind| chaos.fault(kind, &mut rng));
        let is_late =
            chaos.kinds.contains(&ChaosKind::StaleReads) && rng.f64() < chaos.share.fraction();
        let staleness = if is_late { chaos.stalest.mul_f64(rng.f64()) } else { Duration::ZERO };
        Met { fault, staleness }
    }
}

impl Stretch {
    fn is_storm(&self) -> bool {
        self.number.is_multiple_of(2)
    }
}

fn is_spared(action: &str) -> bool {
    action == Action::GET_CALLER_IDENTITY.name()
}

/// The user, the policy, or the page that the call is about.
fn about(request: &Request) -> &str {
    let names = ["UserName", "PolicyArn", "PolicyName", "Marker"];
    names.into_iter().find_map(|name| request.get(name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::iam::Share;

    fn put(user: usize) -> Request {
        let authorization = "Credential=any/20261124/us-east-1/iam/aws4_request";
        let form = format!("Action=PutUserPermissionsBoundary&UserName=user-{user}");
        Request::parse(Some(authorization), form.as_bytes()).unwrap()
    }

    fn alone(kind: ChaosKind) -> Chaos {
        Chaos { kinds: [kind].into(), ..Chaos::new(1) }
    }

    #[test]
    fn about_its_share_of_the_calls_goes_wrong_and_in_every_way() {
        let mut lot = Lot::new(Chaos::new(1));
        let faults: Vec<Fault> = (0..10_000).filter_map(|n| lot.met(&put(n)).fault).collect();
        assert!((900..1_200).contains(&faults.len()), "{}", faults.len());
        let ways: BTreeSet<String> = faults
            .iter()
            .map(|fault| format!("{fault:?}").split(['(', ' ']).next().unwrap().to_owned())
            .collect();
        let ways: Vec<&str> = ways.iter().map(String::as_str).collect();
        let all = ["CutAfter", "CutBefore", "Error", "Garbage", "Slow", "Truncated", "UserDeleted"];
        assert_eq!(ways, all);
    }

    #[test]
    fn a_call_goes_wrong_five_times_in_a_row_at_most_unless_it_is_a_stubborn_one() {
        let attempts = |stubborn| {
            let share = Share::percent(100);
            let chaos =
                Chaos { share, stubborn: Share::percent(stubborn), ..alone(ChaosKind::CutBefore) };
            let mut lot = Lot::new(chaos);
            (1..).find(|_| lot.met(&put(0)).fault.is_none()).unwrap()
        };
        assert_eq!((attempts(0), attempts(100)), (6, 9));
        let mut lot = Lot::new(Chaos::new(1));
        let lost = (0..2_000).filter(|n| {
            (0..6).all(|_| lot.met(&put(*n)).fault.is_some_and(|fault| fault != Fault::UserDeleted))
        });
        let lost = lost.count();
        assert!((1..=20).contains(&lost), "{lost}");
    }

    #[test]
    fn slow_answers_and_stale_reads_stay_within_their_bounds() {
        let longest = Duration::from_millis(40);
        let mut slow = Lot::new(Chaos { slowest: longest, ..alone(ChaosKind::Slow) });
        let mut stale = Lot::new(Chaos { stalest: longest, ..alone(ChaosKind::StaleReads) });
        let (mut slowest, mut stalest) = (Duration::ZERO, Duration::ZERO);
        for n in 0..1_000 {
            match slow.met(&put(n)).fault {
                None => {}
                Some(Fault::Slow(time)) => slowest = slowest.max(time),
                other => panic!("{other:?}"),
            }
            let Met { fault, staleness } = stale.met(&put(n));
            assert_eq!(fault, None);
            stalest = stalest.max(staleness);
        }
        for most in [slowest, stalest] {
            assert!(most > longest / 2 && most <= longest, "{most:?}");
        }
    }

    fn storms(percent: u16) -> Lot {
        let share = Share::percent(percent);
        Lot::new(Chaos { share, ..alone(ChaosKind::ThrottlingStorms) })
    }

    #[test]
    fn storms_begin_and_end_and_take_their_share_of_the_calls() {
        let (mut lot, now) = (storms(30), Instant::now());
        let calls: Vec<bool> = (0..20_000).map(|_| lot.is_storm("1", "GetUser", now)).collect();
        let throttled = calls.iter().filter(|throttled| **throttled).count();
        assert!((5_000..=7_000).contains(&throttled), "{throttled}");
        let longest = calls.chunk_by(|a, b| a == b).filter(|run| run[0]).map(<[_]>::len).max();
        assert_eq!(longest, Some(MOST_IN_STORM as usize));
        assert!((0..1_000).all(|_| !lot.is_storm("1", "GetCallerIdentity", now)));
    }

    #[test]
    fn a_storm_does_not_wait_for_a_caller_that_slows_down() {
        let (mut lot, now) = (storms(50), Instant::now());
        let calls = (0..1_000).map(|n| lot.is_storm("1", "GetUser", now + n * LONGEST_STORM));
        let calls: Vec<bool> = calls.collect();
        let longest = calls.chunk_by(|a, b| a == b).filter(|run| run[0]).map(<[_]>::len).max();
        assert_eq!(longest, Some(1));
    }
}
