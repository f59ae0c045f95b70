use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use super::action::{Action, is_exempt};
use crate::iam::{Rate, RateError};

/// The rate limits of the sandbox. By default, there are none.
///
/// IAM throttles each API in each account separately, so the sandbox has one token bucket for each pair of
/// account and action. AWS publishes neither the sizes nor the refill rates of its buckets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Throttle {
    /// The limit of each IAM action that has no limit in `actions`. It does not apply to STS's
    /// `GetCallerIdentity`.
    pub all: Option<RateLimit>,
    /// The limits of individual actions.
    pub actions: BTreeMap<Action, RateLimit>,
}

impl Throttle {
    pub(super) fn limit_of(&self, action: &str) -> Option<&RateLimit> {
        self.actions.get(action).or_else(|| self.all.as_ref().filter(|_| !is_exempt(action)))
    }
}

/// The limit of a token bucket. The bucket is initially full. A call takes one token or is throttled.
#[derive(Debug, Clone, PartialEq)]
pub struct RateLimit {
    /// The number of tokens that are added to the bucket each second.
    pub rate: Rate,
    /// The capacity of the bucket, in tokens.
    pub burst: Burst,
    /// Later changes of the rate, in any order.
    pub changes: Vec<RateChange>,
    /// Another client of the same account and API, which also takes tokens.
    pub competitor: Option<Competitor>,
}

impl RateLimit {
    /// A constant rate without a competitor.
    pub fn new(rate: Rate, burst: Burst) -> Self {
        RateLimit { rate, burst, changes: Vec::new(), competitor: None }
    }
}

/// The capacity of a token bucket: the number of calls that it accepts at once after a pause.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Burst(f64);

/// The value is not a [`Burst`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a burst is a number of calls from 1 to 1000000, such as 40")]
pub struct BadBurst;

impl Burst {
    /// A burst of this many calls, which may be a fraction.
    ///
    /// # Errors
    /// Returns [`BadBurst`] if `calls` is not from 1 to 1,000,000. A bucket with a capacity of less than one token
    /// would never accept a call.
    pub fn of(calls: f64) -> Result<Self, BadBurst> {
        if (1.0..=1_000_000.0).contains(&calls) { Ok(Burst(calls)) } else { Err(BadBurst) }
    }

    /// The tokens that are added in one second, but at least one.
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

/// A change of the rate at a point in time. As text, `5@30` means five calls per second after 30 seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateChange {
    /// The time since the bucket's first call.
    pub after: Duration,
    /// The number of tokens that are added to the bucket each second from then on.
    pub rate: Rate,
}

/// The text is not a [`RateChange`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRateChange {
    /// The form is wrong.
    #[error("a rate change is R@SECONDS, such as 5@30: 5 calls per second after 30 seconds")]
    Form,
    /// The number before the `@` is not a rate.
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

/// Another client of the same account and API. Its calls are evenly spaced; it does not retry throttled calls.
///
/// As text, `25` means 25 calls per second, `25@10` begins 10 seconds after the bucket's first call, and
/// `25@10..40` also ends 40 seconds after that call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Competitor {
    rate: Rate,
    from: Duration,
    until: Option<Duration>,
}

/// The value is not a [`Competitor`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCompetitor {
    /// The form is wrong.
    #[error("a competitor is R, R@FROM or R@FROM..UNTIL, such as 25@10..40, in calls and seconds")]
    Form,
    /// The number of calls is not a rate.
    #[error(transparent)]
    Rate(#[from] RateError),
    /// The end is not after the beginning.
    #[error("a competitor must end after it begins, as in 25@10..40")]
    Times,
}

impl Competitor {
    /// A client that makes `rate` calls per second between `from` and `until`, both since the bucket's first call.
    ///
    /// # Errors
    /// Returns [`BadCompetitor::Times`] if `until` is not after `from`.
    pub fn new(rate: Rate, from: Duration, until: Option<Duration>) -> Result<Self, BadCompetitor> {
        match until {
            Some(until) if until <= from => Err(BadCompetitor::Times),
            _ => Ok(Competitor { rate, from, until }),
        }
    }

    /// The time of the call with this number, from 0, in seconds since the bucket's first call; `None` after the
    /// last call.
    pub(super) fn time_of_call(&self, number: u64) -> Option<f64> {
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
    fn a_rate_change_is_a_rate_and_a_time() {
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
    fn a_burst_is_at_least_one_call() {
        for bad in ["0", "0.9", "-1", "nan", "inf", "1e7", "", "x"] {
            assert_eq!(bad.parse::<Burst>(), Err(BadBurst), "{bad}");
        }
        assert_eq!("1.5".parse(), Ok(Burst(1.5)));
        assert_eq!(Burst::of_one_second(rate(0.5)), Burst(1.0));
        assert_eq!(Burst::of_one_second(rate(50.0)), Burst(50.0));
    }

    #[test]
    fn sts_is_throttled_only_by_a_limit_of_its_own() {
        let limit = |per_second| RateLimit::new(rate(per_second), Burst(1.0));
        let mut throttle = Throttle { all: Some(limit(1.0)), ..Throttle::default() };
        assert_eq!(throttle.limit_of("GetUser"), Some(&limit(1.0)));
        assert_eq!(throttle.limit_of("GetCallerIdentity"), None);
        throttle.actions.insert(Action::GET_CALLER_IDENTITY, limit(2.0));
        assert_eq!(throttle.limit_of("GetCallerIdentity"), Some(&limit(2.0)));
        assert_eq!(throttle.limit_of("GetUser"), Some(&limit(1.0)));
    }
}
