use std::str::FromStr;
use std::time::Duration;

use super::time_span::seconds;
use crate::iam::Rate;

/// How a rate limit counts calls.
///
/// As text: `per-second`, `continuous`, `fixed-window` or `sliding-window`. `fixed-window:5` has windows of
/// 5 seconds; without a length, a window has one second. `per-second@0.3` and `fixed-window:5@2` set the phase,
/// in seconds; without one, it is half of the period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LimitModel {
    /// A token bucket that is refilled once a second, with the tokens of one second. If its capacity is lower,
    /// each refill only fills it.
    ///
    /// AWS describes the limits of IAM and STS in this way: "a bucket of virtual tokens is refilled every second"
    /// (<https://aws.amazon.com/blogs/security/how-to-monitor-and-query-iam-resources-at-scale-part-2/>).
    PerSecond {
        /// The capacity of the bucket. `None` is the number of tokens that are added in one second, at least one, and
        /// changes with the rate.
        burst: Option<Burst>,
        /// The time from the limit's first call to the first refill. Zero is the same as a second.
        phase: Duration,
    },
    /// A token bucket that is refilled continuously.
    Continuous {
        /// The capacity of the bucket. `None` is the number of tokens that are added in one second, at least one, and
        /// changes with the rate.
        burst: Option<Burst>,
    },
    /// Windows of equal length that follow one another. Each accepts at most the calls of the rate in its length.
    FixedWindow {
        /// The length of a window.
        length: WindowLength,
        /// The time from the limit's first call to the end of its window. Zero is the same as a whole window.
        phase: Duration,
    },
    /// In any time of this length, at most the calls of the rate in this length are accepted.
    SlidingWindow {
        /// The length of the window.
        length: WindowLength,
    },
}

/// The text is not a [`LimitModel`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLimitModel {
    /// The form is wrong.
    #[error(
        "a limit model is per-second[@PHASE], continuous, fixed-window[:SECONDS][@PHASE] or \
         sliding-window[:SECONDS], such as fixed-window:5"
    )]
    Form,
    /// The length of the window is not valid.
    #[error(transparent)]
    Window(#[from] BadWindowLength),
    /// The phase is longer than the period.
    #[error("a phase is at most one period: 1 second of per-second, or the length of the window")]
    Phase,
}

impl LimitModel {
    /// A token bucket that is refilled once a second. The first refill is half a second after the first call.
    pub const PER_SECOND: LimitModel =
        LimitModel::PerSecond { burst: None, phase: Duration::from_millis(500) };

    /// This model with a capacity. `None` for a window, which has none.
    pub fn with_burst(self, burst: Burst) -> Option<Self> {
        let burst = Some(burst);
        match self {
            LimitModel::PerSecond { phase, .. } => Some(LimitModel::PerSecond { burst, phase }),
            LimitModel::Continuous { .. } => Some(LimitModel::Continuous { burst }),
            LimitModel::FixedWindow { .. } | LimitModel::SlidingWindow { .. } => None,
        }
    }

    /// The length of the window. `None` for a token bucket.
    pub fn window(self) -> Option<Duration> {
        match self {
            LimitModel::FixedWindow { length, .. } | LimitModel::SlidingWindow { length } => {
                Some(length.0)
            }
            LimitModel::PerSecond { .. } | LimitModel::Continuous { .. } => None,
        }
    }

    /// The time of the refill or of the end of the window with this number, from 0, since the limit's first call.
    pub(super) fn tick(self, number: u32) -> Option<Duration> {
        let (period, phase) = match self {
            LimitModel::PerSecond { phase, .. } => (Duration::from_secs(1), phase),
            LimitModel::FixedWindow { length, phase } => (length.0, phase),
            LimitModel::Continuous { .. } | LimitModel::SlidingWindow { .. } => return None,
        };
        let first = if phase.is_zero() { period } else { phase };
        period.checked_mul(number)?.checked_add(first)
    }
}

impl FromStr for LimitModel {
    type Err = BadLimitModel;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (model, phase) = text.split_once('@').map_or((text, None), |(m, p)| (m, Some(p)));
        let (name, length) = model.split_once(':').map_or((model, None), |(n, l)| (n, Some(l)));
        let length = length.map(str::parse::<WindowLength>);
        let window = || length.clone().unwrap_or(Ok(WindowLength::ONE_SECOND));
        let phase_of = |period: Duration| match phase.map(seconds) {
            None => Ok(period / 2),
            Some(None) => Err(BadLimitModel::Form),
            Some(Some(phase)) if phase > period => Err(BadLimitModel::Phase),
            Some(Some(phase)) => Ok(phase),
        };
        match name {
            "per-second" if length.is_none() => {
                let phase = phase_of(Duration::from_secs(1))?;
                Ok(LimitModel::PerSecond { burst: None, phase })
            }
            "continuous" if length.is_none() && phase.is_none() => {
                Ok(LimitModel::Continuous { burst: None })
            }
            "fixed-window" => {
                let length = window()?;
                Ok(LimitModel::FixedWindow { length, phase: phase_of(length.0)? })
            }
            "sliding-window" if phase.is_none() => {
                Ok(LimitModel::SlidingWindow { length: window()? })
            }
            _ => Err(BadLimitModel::Form),
        }
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
    pub(super) fn of_one_second(rate: Rate) -> Self {
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

/// The length of a window, from 0.1 to 60 seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowLength(Duration);

/// The value is not a [`WindowLength`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a window has from 0.1 to 60 seconds, as in fixed-window:5")]
pub struct BadWindowLength;

impl WindowLength {
    /// A window of one second.
    pub const ONE_SECOND: WindowLength = WindowLength(Duration::from_secs(1));

    /// A window of this length.
    ///
    /// # Errors
    /// Returns [`BadWindowLength`] if `length` is not from 0.1 to 60 seconds.
    pub fn of(length: Duration) -> Result<Self, BadWindowLength> {
        let possible = Duration::from_millis(100)..=Duration::from_secs(60);
        if possible.contains(&length) { Ok(WindowLength(length)) } else { Err(BadWindowLength) }
    }

    pub(super) fn get(self) -> Duration {
        self.0
    }
}

impl FromStr for WindowLength {
    type Err = BadWindowLength;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        seconds(text).ok_or(BadWindowLength).and_then(WindowLength::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(seconds: u64) -> WindowLength {
        WindowLength::of(Duration::from_secs(seconds)).unwrap()
    }

    #[test]
    fn a_limit_model_has_a_length_and_a_phase_only_where_they_mean_something() {
        let millis = Duration::from_millis;
        let bucket = |phase| LimitModel::PerSecond { burst: None, phase: millis(phase) };
        let fixed = |seconds, phase| LimitModel::FixedWindow {
            length: window(seconds),
            phase: millis(phase),
        };
        for (text, model) in [
            ("per-second", LimitModel::PER_SECOND),
            ("per-second", bucket(500)),
            ("per-second@0.3", bucket(300)),
            ("per-second@1", bucket(1_000)),
            ("continuous", LimitModel::Continuous { burst: None }),
            ("fixed-window", fixed(1, 500)),
            ("fixed-window:5", fixed(5, 2_500)),
            ("fixed-window:5@2", fixed(5, 2_000)),
            ("fixed-window@0", fixed(1, 0)),
            ("sliding-window", LimitModel::SlidingWindow { length: window(1) }),
            ("sliding-window:5", LimitModel::SlidingWindow { length: window(5) }),
        ] {
            assert_eq!(text.parse(), Ok(model), "{text}");
        }
        for bad in [
            "",
            "Continuous",
            "per-second:1",
            "per-second@",
            "per-second@-1",
            "per-second@x",
            "continuous@0.5",
            "continuous:1",
            "sliding-window@0.5",
            "window",
        ] {
            assert_eq!(bad.parse::<LimitModel>(), Err(BadLimitModel::Form), "{bad}");
        }
        for bad in ["fixed-window:", "fixed-window:0", "sliding-window:61", "fixed-window:1:2"] {
            let error = BadLimitModel::Window(BadWindowLength);
            assert_eq!(bad.parse::<LimitModel>(), Err(error), "{bad}");
        }
        for bad in ["per-second@1.1", "fixed-window:5@6"] {
            assert_eq!(bad.parse::<LimitModel>(), Err(BadLimitModel::Phase), "{bad}");
        }
    }

    #[test]
    fn only_a_token_bucket_has_a_burst() {
        let burst = Burst::of(5.0).unwrap();
        let model = |text: &str| text.parse::<LimitModel>().unwrap();
        let of = |text| model(text).with_burst(burst);
        let (burst, phase) = (Some(burst), Duration::from_millis(300));
        assert_eq!(of("per-second@0.3"), Some(LimitModel::PerSecond { burst, phase }));
        assert_eq!(of("continuous"), Some(LimitModel::Continuous { burst }));
        for text in ["fixed-window", "sliding-window"] {
            assert_eq!((of(text), model(text).window()), (None, Some(Duration::from_secs(1))));
        }
    }

    #[test]
    fn a_burst_is_at_least_one_call() {
        for bad in ["0", "0.9", "-1", "nan", "inf", "1e7", "", "x"] {
            assert_eq!(bad.parse::<Burst>(), Err(BadBurst), "{bad}");
        }
        let rate = |per_second| Rate::per_second(per_second).unwrap();
        assert_eq!("1.5".parse(), Ok(Burst(1.5)));
        assert_eq!(Burst::of_one_second(rate(0.5)), Burst(1.0));
        assert_eq!(Burst::of_one_second(rate(50.0)), Burst(50.0));
    }
}
