use std::collections::VecDeque;

use super::refills::OLD;

/// The calls of the last period, which the next period may repeat.
///
/// If a limit accepted the calls of one period, it accepts calls at the same times of the next period, whatever kind of
/// limit it is: a bucket that is refilled once a second or continuously, a fixed or a sliding window, or several of
/// them. So the times need not be known at which tokens are added. A period is a second, or the time from one refill to
/// the next if that is longer. All times are in seconds.
#[derive(Debug, Clone, Default)]
pub(super) struct Window {
    /// When the calls were sent that were accepted or have no response yet, in order.
    calls: VecDeque<f64>,
}

/// How late a timer is, and how much calls can arrive early, in seconds: a call is sent this much later than a period after
/// another one.
pub(super) const MARGIN: f64 = 0.005;
/// A rounding error of a time, in seconds, and of a number of calls.
pub(super) const ROUNDING: f64 = 1e-6;

impl Window {
    /// Adds a call that is sent at `time`.
    pub(super) fn add(&mut self, time: f64) {
        self.calls.push_back(time);
        while self.calls.front().is_some_and(|sent| *sent < time - 2.0 * OLD) {
            self.calls.pop_front();
        }
    }

    /// Removes the call that was sent at `time`: it was throttled, so it took no token.
    pub(super) fn remove(&mut self, time: f64) {
        if let Some(at) = self.calls.iter().rposition(|sent| *sent == time) {
            self.calls.remove(at);
        }
    }

    /// The number of calls that were sent after `time`.
    pub(super) fn count_after(&self, time: f64) -> f64 {
        (self.calls.len() - self.calls.partition_point(|sent| *sent <= time)) as f64
    }

    /// The earliest time of the next call, at `rate` calls per second and `extra` calls more in each `period`.
    pub(super) fn next(&self, rate: f64, period: f64, extra: f64) -> f64 {
        let calls = (rate * period - ROUNDING).ceil();
        let back = (calls + extra) as usize;
        match self.calls.len().checked_sub(back) {
            Some(first) => self.calls[first] + calls / rate + MARGIN,
            None => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends `count` calls as early as possible, from `time` on. Returns their times.
    fn send(window: &mut Window, count: usize, time: f64, rate: f64, extra: f64) -> Vec<f64> {
        let mut time = time;
        let mut times = Vec::new();
        for _ in 0..count {
            time = window.next(rate, 1.0, extra).max(time);
            window.add(time);
            times.push(time);
        }
        times
    }

    #[test]
    fn a_second_repeats_the_one_before() {
        let mut window = Window::default();
        for time in [0.0, 0.1, 0.7] {
            window.add(time);
        }
        let times = send(&mut window, 6, 0.7, 3.0, 0.0);
        for (time, expected) in times.iter().zip([1.0, 1.1, 1.7, 2.0, 2.1, 2.7]) {
            assert!((time - expected).abs() < 0.01, "{times:?}");
        }
    }

    #[test]
    fn a_longer_period_repeats_the_one_before() {
        let mut window = Window::default();
        for time in [0.0, 0.1, 0.2, 0.3] {
            window.add(time);
        }
        assert!((window.next(0.8, 5.0, 0.0) - 5.0).abs() < 0.01);
        assert_eq!(window.next(0.8, 5.0, 1.0), 0.0);
    }

    #[test]
    fn a_throttled_call_can_be_sent_again() {
        let mut window = Window::default();
        for time in [0.0, 0.1, 0.7] {
            window.add(time);
        }
        window.remove(0.1);
        assert_eq!(window.next(3.0, 1.0, 0.0), 0.0);
        assert!(window.next(2.0, 1.0, 0.0) >= 1.0);
        assert_eq!(window.next(2.0, 1.0, 1.0), 0.0);
    }

    #[test]
    fn calls_after_a_time_are_counted() {
        let mut window = Window::default();
        for time in [0.0, 0.1, 0.7] {
            window.add(time);
        }
        assert_eq!([-1.0, 0.1, 0.7].map(|time| window.count_after(time)), [3.0, 1.0, 0.0]);
    }

    #[test]
    fn fractions_of_calls_per_second_are_kept() {
        for rate in [0.4, 2.5, 7.3] {
            let count = (rate * 100.0) as usize;
            let times = send(&mut Window::default(), count, 0.0, rate, 0.0);
            let took = times.last().unwrap();
            assert!((95.0..101.0).contains(took), "{rate}: {took}");
        }
    }
}
