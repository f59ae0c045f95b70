use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use super::action::{Action, is_exempt, is_write};
use super::limit_model::LimitModel;
use super::time_span::{TimeSpan, seconds};
use crate::iam::{Rate, RateError};

/// The rate limits of the sandbox. By default, there are none.
///
/// IAM limits each API in each account, and several limits can apply to one API
/// (<https://aws.amazon.com/blogs/security/how-to-monitor-and-query-iam-resources-at-scale-part-2/>). The sandbox
/// therefore has one limit for each pair of account and action, and one for all writes of an account. AWS does not
/// publish the rates.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Throttle {
    /// The limit of each action that has no limit in `actions`. It does not apply to the actions of STS.
    pub all: Option<RateLimit>,
    /// The limits of individual actions.
    pub actions: BTreeMap<Action, RateLimit>,
    /// The limit that all writes of an account share, in addition to the limits of their actions.
    pub writes: Option<RateLimit>,
}

impl Throttle {
    /// The limit of the action itself.
    pub(super) fn limit_of(&self, action: &str) -> Option<&RateLimit> {
        self.actions.get(action).or_else(|| self.all.as_ref().filter(|_| !is_exempt(action)))
    }

    /// The limit that the action shares with all writes.
    pub(super) fn shared_limit_of(&self, action: &str) -> Option<&RateLimit> {
        self.writes.as_ref().filter(|_| is_write(action))
    }
}

/// A limit. A throttled call does not count toward it.
#[derive(Debug, Clone, PartialEq)]
pub struct RateLimit {
    /// The number of calls per second that are accepted in the long term.
    pub rate: Rate,
    /// How calls are counted.
    pub model: LimitModel,
    /// Later changes of the rate, in any order.
    pub changes: Vec<RateChange>,
    /// Another client whose calls count toward the same limit.
    pub competitor: Option<Competitor>,
    /// The times in which every call is throttled, the competitor's included.
    pub throttle_all: Vec<TimeSpan>,
}

impl RateLimit {
    /// A constant rate without a competitor.
    pub fn new(rate: Rate, model: LimitModel) -> Self {
        let (changes, throttle_all) = (Vec::new(), Vec::new());
        RateLimit { rate, model, changes, competitor: None, throttle_all }
    }
}

/// A change of the rate at a point in time. As text, `5@30` means five calls per second after 30 seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateChange {
    /// The time since the limit's first call.
    pub after: Duration,
    /// The number of calls per second that are accepted from then on.
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

/// Another client of the same account. Its calls are evenly spaced; it does not retry throttled calls.
///
/// As text, `25` means 25 calls per second, `25@10` begins 10 seconds after the limit's first call, and
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
    /// A client that makes `rate` calls per second between `from` and `until`, both since the limit's first call.
    ///
    /// # Errors
    /// Returns [`BadCompetitor::Times`] if `until` is not after `from`.
    pub fn new(rate: Rate, from: Duration, until: Option<Duration>) -> Result<Self, BadCompetitor> {
        match until {
            Some(until) if until <= from => Err(BadCompetitor::Times),
            _ => Ok(Competitor { rate, from, until }),
        }
    }

    /// The time of the call with this number, from 0, since the limit's first call; `None` after the last call.
    pub(super) fn time_of_call(&self, number: u64) -> Option<Duration> {
        let passed = Duration::try_from_secs_f64(number as f64 / self.rate.get()).ok()?;
        let at = self.from.checked_add(passed)?;
        self.until.is_none_or(|until| at < until).then_some(at)
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
    fn sts_is_throttled_only_by_a_limit_of_its_own() {
        let limit = |per_second| RateLimit::new(rate(per_second), LimitModel::PER_SECOND);
        let mut throttle = Throttle { all: Some(limit(1.0)), ..Throttle::default() };
        assert_eq!(throttle.limit_of("GetUser"), Some(&limit(1.0)));
        assert_eq!(throttle.limit_of("GetCallerIdentity"), None);
        throttle.actions.insert(Action::GET_CALLER_IDENTITY, limit(2.0));
        assert_eq!(throttle.limit_of("GetCallerIdentity"), Some(&limit(2.0)));
        assert_eq!(throttle.limit_of("GetUser"), Some(&limit(1.0)));
    }

    #[test]
    fn every_write_and_no_other_action_shares_the_limit_of_writes() {
        let writes = Some(RateLimit::new(rate(1.0), LimitModel::PER_SECOND));
        let throttle = Throttle { writes, ..Throttle::default() };
        let shares = |action: &Action| throttle.shared_limit_of(action.name()).is_some();
        let (writes, others): (Vec<_>, Vec<_>) = Action::ALL.iter().partition(|a| shares(a));
        let named = |actions: &[&Action], name: &str| actions.iter().any(|a| a.name() == name);
        for action in ["PutUserPermissionsBoundary", "DeleteUserPermissionsBoundary", "CreateUser"]
        {
            assert!(named(&writes, action), "{action}");
        }
        for action in ["GetUser", "ListUsers", "GetAccountAuthorizationDetails"] {
            assert!(named(&others, action), "{action}");
        }
        assert!(throttle.shared_limit_of("PutSomethingUnknown").is_none());
    }
}
