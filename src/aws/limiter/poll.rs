use super::refills::{LONGEST_WAIT, OLD};

/// The shortest wait after a throttled call, in seconds. It doubles after each further one, up to [`LONGEST_WAIT`]…
const SHORTEST_WAIT: f64 = 0.12;
/// …but if the rate is unknown, only up to this time in the first second, in which most limits are refilled…
const LONGEST_WAIT_AT_FIRST: f64 = 0.33;
/// …and up to this one later, until no limit explains the time: the sooner a refill is noticed, the more exact is the
/// measurement.
const LONGEST_WAIT_OF_SEARCH: f64 = 0.5;

/// The time from a throttled call to the next poll, in seconds.
///
/// Before it, `polls` polls were throttled, and everything has been throttled for `throttled_for` seconds. `rate` is the
/// measured rate, in calls per second; `None` if it is unknown.
pub(super) fn wait(polls: i32, throttled_for: f64, rate: Option<f64>) -> f64 {
    let doubled = SHORTEST_WAIT * 2_f64.powi(polls);
    match rate {
        // The first poll did not wait. A limit that is lowered for a while needs few polls.
        Some(rate) => (doubled / 2.0).max(1.0 / rate).max(throttled_for).min(LONGEST_WAIT),
        None if throttled_for < 1.0 => doubled.min(LONGEST_WAIT_AT_FIRST),
        None if throttled_for < OLD => doubled.min(LONGEST_WAIT_OF_SEARCH),
        None => doubled.min(LONGEST_WAIT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The times of the polls while everything is throttled for `seconds`, after `polls` polls.
    fn times(mut polls: i32, seconds: f64, rate: Option<f64>) -> Vec<f64> {
        let mut times = Vec::new();
        let mut time = 0.0;
        while time < seconds {
            time += wait(polls, time, rate);
            polls += 1;
            times.push(time);
        }
        times
    }

    #[test]
    fn an_unknown_limit_is_polled_often_in_the_first_second_and_rarely_in_an_outage() {
        let times = times(0, 60.0, None);
        for (time, expected) in times.iter().zip([0.12, 0.36, 0.69, 1.02, 1.52, 2.02]) {
            assert!((time - expected).abs() < 1e-9, "{times:?}");
        }
        assert!((35..45).contains(&times.len()), "{}", times.len());
    }

    #[test]
    fn at_a_known_rate_an_outage_is_polled_rarely_and_its_end_is_noticed_within_two_seconds() {
        let times = times(1, 10.0, Some(50.0));
        assert!(times.len() < 10, "{times:?}");
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] <= 2.0), "{times:?}");
    }

    #[test]
    fn a_poll_is_not_sent_before_a_token_of_a_known_rate_can_be_added() {
        assert_eq!(wait(1, 0.0, Some(1.0)), 1.0);
        assert_eq!(wait(1, 0.0, Some(0.1)), LONGEST_WAIT);
        assert_eq!(wait(1, 0.0, Some(50.0)), SHORTEST_WAIT);
    }
}
