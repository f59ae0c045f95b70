use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use super::Action;
use crate::iam::{Rate, RateError};

/// How many calls the sandbox lets through. Without limits, which is the default: all of them.
///
/// IAM throttles each API of each account by itself, and so there is one token bucket for each pair of
/// account and action. AWS publishes neither the sizes nor the refill of its own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Throttle {
    /// The limit of each of IAM's actions that has none in `actions`. STS's `GetCallerIdentity` is
    /// throttled only where `actions` names it.
    pub all: Option<Limit>,
    /// The limits of single actions.
    pub actions: BTreeMap<Action, Limit>,
}

impl Throttle {
    pub(super) fn limit_of(&self, action: &str) -> Option<&Limit> {
        let is_sts = || action == Action::GET_CALLER_IDENTITY.name();
        let general = || self.all.as_ref().filter(|_| !is_sts());
        self.actions.get(action).or_else(general)
    }
}

/// One token bucket: full at first, and a call takes one token or is throttled.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// The tokens that come back each second.
    pub rate: Rate,
    /// The most tokens that it holds.
    pub burst: Burst,
    /// What becomes of the rate later on, in any order.
    pub changes: Vec<RateChange>,
    /// Another client of the same account and API, which takes tokens too.
    pub competitor: Option<Competitor>,
}

impl Limit {
    /// A rate that stays, and no other client.
    pub fn new(rate: Rate, burst: Burst) -> Self {
        Limit { rate, burst, changes: Vec::new(), competitor: None }
    }
}

/// The most tokens that a bucket holds: the calls that it lets through at once after a pause.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Burst(f64);

/// What is no [`Burst`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a burst is a number of calls from 1 to 1000000, such as 40")]
pub struct BadBurst;

impl Burst {
    /// A bucket of this many tokens; parts of one count.
    ///
    /// # Errors
    /// When it is not between 1, below which no call could ever pass, and 1,000,000.
    pub fn of(calls: f64) -> Result<Self, BadBurst> {
        if (1.0..=1_000_000.0).contains(&calls) { Ok(Burst(calls)) } else { Err(BadBurst) }
    }

    /// The tokens of one second, and one at least.
    pub fn of_one_second(rate: Rate) -> Self {
        Burst(rate.get().max(1.0))
    }

    pub(super) fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for Burst {
    type Err = BadBurst;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map_err(|_| BadBurst).and_then(Burst::of)
    }
}

/// A rate that holds from some time on. As text: `5@30`, five a second after thirty seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateChange {
    /// The time since the bucket's first call.
    pub after: Duration,
    /// The tokens that come back each second from then on.
    pub rate: Rate,
}

/// A text that is no [`RateChange`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRateChange {
    /// It has not the form.
    #[error("a change is R@SECONDS, such as 5@30: five calls a second after thirty seconds")]
    Form,
    /// The number before the `@`.
    #[error(transparent)]
    Rate(#[from] RateError),
}

impl FromStr for RateChange {
    type Err = BadRateChange;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (rate, after) = text.split_once('@').ok_or(BadRateChange::Form)?;
        let after = seconds(after).ok_or(BadRateChange::Form)?;
        Ok(RateChange { after, rate: rate.parse()? })
    }
}

/// Another client: it calls evenly spaced, never repeats a call, and takes a token where there is one.
///
/// As text: `25`, `25@10` from ten seconds after the bucket's first call on, or `25@10..40` until forty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Competitor {
    rate: Rate,
    from: Duration,
    until: Option<Duration>,
}

/// What is no [`Competitor`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCompetitor {
    /// It has not the form.
    #[error("a competitor is R, R@FROM or R@FROM..UNTIL, such as 25@10..40, in calls and seconds")]
    Form,
    /// The number of calls.
    #[error(transparent)]
    Rate(#[from] RateError),
    /// It would never call.
    #[error("a competitor ends after it begins, as in 25@10..40")]
    Times,
}

impl Competitor {
    /// Makes `rate` calls a second from `from` to `until`, both since the bucket's first call.
    ///
    /// # Errors
    /// When it does not end after it begins.
    pub fn new(rate: Rate, from: Duration, until: Option<Duration>) -> Result<Self, BadCompetitor> {
        match until {
            Some(until) if until <= from => Err(BadCompetitor::Times),
            _ => Ok(Competitor { rate, from, until }),
        }
    }

    /// When its call of this number (from 0) comes, in seconds since the bucket's first one; none when
    /// it is over by then.
    pub(super) fn call(&self, number: u64) -> Option<f64> {
        let at = self.from.as_secs_f64() + number as f64 / self.rate.get();
        self.until.is_none_or(|until| at < until.as_secs_f64()).then_some(at)
    }
}

impl FromStr for Competitor {
    type Err = BadCompetitor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time = |text| seconds(text).ok_or(BadCompetitor::Form);
        let (rate, from, until) = match text.split_once('@') {
            None => (text, Duration::ZERO, None),
            Some((rate, times)) => match times.split_once("..") {
                None => (rate, time(times)?, None),
                Some((from, until)) => (rate, time(from)?, Some(time(until)?)),
            },
        };
        Competitor::new(rate.parse()?, from, until)
    }
}

fn seconds(text: &str) -> Option<Duration> {
    text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(per_second: f64) -> Rate {
        Rate::per_second(per_second).unwrap()
    }

    #[test]
    fn a_change_of_rate_says_which_and_when() {
        let change = RateChange { after: Duration::from_millis(2_500), rate: rate(5.0) };
        assert_eq!("5@2.5".parse(), Ok(change));
        for bad in ["5", "5@", "5@-1", "5@inf", "5@x", "@", ""] {
            assert_eq!(bad.parse::<RateChange>(), Err(BadRateChange::Form), "{bad}");
        }
        assert_eq!("0@30".parse::<RateChange>(), Err(BadRateChange::Rate(RateError)));
    }

    #[test]
    fn a_competitor_may_begin_late_and_end() {
        let second = Duration::from_secs;
        let of = |from, until| Competitor::new(rate(25.0), from, until);
        assert_eq!("25".parse(), of(second(0), None));
        assert_eq!("25@10".parse(), of(second(10), None));
        assert_eq!("25@10..40".parse(), of(second(10), Some(second(40))));
        for bad in ["25@", "25@10..", "25@..40", "25@10-40", "25@1..2..3"] {
            assert_eq!(bad.parse::<Competitor>(), Err(BadCompetitor::Form), "{bad}");
        }
        assert_eq!("".parse::<Competitor>(), Err(BadCompetitor::Rate(RateError)));
        assert_eq!("25@40..40".parse::<Competitor>(), Err(BadCompetitor::Times));
    }

    #[test]
    fn a_burst_lets_one_call_through_at_least() {
        for bad in ["0", "0.9", "-1", "nan", "inf", "1e7", "", "x"] {
            assert_eq!(bad.parse::<Burst>(), Err(BadBurst), "{bad}");
        }
        assert_eq!("1.5".parse(), Ok(Burst(1.5)));
        assert_eq!(Burst::of_one_second(rate(0.5)), Burst(1.0));
        assert_eq!(Burst::of_one_second(rate(50.0)), Burst(50.0));
    }

    #[test]
    fn sts_is_throttled_only_where_it_is_named() {
        let limit = |per_second| Limit::new(rate(per_second), Burst(1.0));
        let mut throttle = Throttle { all: Some(limit(1.0)), ..Throttle::default() };
        assert_eq!(throttle.limit_of("GetUser"), Some(&limit(1.0)));
        assert_eq!(throttle.limit_of("GetCallerIdentity"), None);
        throttle.actions.insert(Action::GET_CALLER_IDENTITY, limit(2.0));
        assert_eq!(throttle.limit_of("GetCallerIdentity"), Some(&limit(2.0)));
        assert_eq!(throttle.limit_of("GetUser"), Some(&limit(1.0)));
    }
}
