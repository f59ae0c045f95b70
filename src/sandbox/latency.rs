use std::f64::consts::TAU;
use std::str::FromStr;
use std::time::Duration;

use fastrand::Rng;

/// The spread of latencies: the standard deviation (σ) of the logarithm of a log-normal distribution. Zero, the
/// default, is a constant latency.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LatencySpread(f64);

/// The value is not a [`LatencySpread`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a latency spread is a number from 0 to 2, such as 0.6")]
pub struct BadLatencySpread;

impl LatencySpread {
    /// A log-normal distribution with this σ.
    ///
    /// # Errors
    /// Returns [`BadLatencySpread`] if `sigma` is not from 0 to 2.
    pub fn of(sigma: f64) -> Result<Self, BadLatencySpread> {
        if (0.0..=2.0).contains(&sigma) { Ok(LatencySpread(sigma)) } else { Err(BadLatencySpread) }
    }

    /// The mean latency if the median is `median`.
    pub fn mean(self, median: Duration) -> Duration {
        median.mul_f64((self.0 * self.0 / 2.0).exp())
    }

    /// A random latency if the median is `median`.
    pub(super) fn sample(self, median: Duration, rng: &mut Rng) -> Duration {
        // The Box–Muller transform.
        let (radius, angle) = ((-2.0 * (1.0 - rng.f64()).ln()).sqrt(), TAU * rng.f64());
        median.mul_f64((self.0 * radius * angle.cos()).exp())
    }
}

impl FromStr for LatencySpread {
    type Err = BadLatencySpread;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map_err(|_| BadLatencySpread).and_then(LatencySpread::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEDIAN: Duration = Duration::from_millis(50);

    #[test]
    fn without_a_spread_each_latency_is_the_median() {
        let (spread, mut rng) = (LatencySpread::default(), Rng::with_seed(1));
        assert!((0..1_000).all(|_| spread.sample(MEDIAN, &mut rng) == MEDIAN));
        assert_eq!(spread.mean(MEDIAN), MEDIAN);
    }

    #[test]
    fn the_logarithms_of_latencies_have_the_median_and_the_standard_deviation() {
        let (spread, mut rng) = (LatencySpread::of(0.6).unwrap(), Rng::with_seed(1));
        let latencies: Vec<f64> =
            (0..100_000).map(|_| spread.sample(MEDIAN, &mut rng).as_secs_f64()).collect();
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let logarithms: Vec<f64> = latencies.iter().map(|at| (at / 0.05).ln()).collect();
        let squares: Vec<f64> = logarithms.iter().map(|ln| ln * ln).collect();
        assert!(mean(&logarithms).abs() < 0.01, "{}", mean(&logarithms));
        assert!((mean(&squares).sqrt() - 0.6).abs() < 0.01, "{}", mean(&squares));
        let expected = spread.mean(MEDIAN).as_secs_f64();
        assert!((mean(&latencies) / expected - 1.0).abs() < 0.01, "{}", mean(&latencies));
    }

    #[test]
    fn a_spread_is_a_number_from_0_to_2() {
        for bad in ["", "-0.1", "2.1", "nan", "inf", "x"] {
            assert_eq!(bad.parse::<LatencySpread>(), Err(BadLatencySpread), "{bad}");
        }
        assert_eq!("0.6".parse(), LatencySpread::of(0.6));
    }
}
