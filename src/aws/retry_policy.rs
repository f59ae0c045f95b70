use std::time::Duration;

/// How long failed calls are retried.
///
/// - A throttled call is retried for as long as AWS accepts other calls of the same action.
/// - A call that fails with a transient error is retried `attempts` times, if the error concerns only this call. If
///   AWS accepts no call at all, it is retried for `retry_for`.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// The maximum number of attempts for a call that fails with transient errors while other calls are accepted, and
    /// the minimum number of attempts while no call is. Throttled attempts do not count.
    pub attempts: u32,
    /// The time from the first transient error of any call after which AWS counts as unavailable, if it has accepted
    /// no call since then.
    pub retry_for: Duration,
    /// A throttled call fails when no call of the same action was accepted for this time.
    pub give_up_after: Duration,
    /// The maximum wait after the first transient error. It doubles after each further one.
    pub first_wait: Duration,
    /// The maximum wait after any transient error.
    pub longest_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        RetryPolicy {
            attempts: 6,
            retry_for: Duration::from_secs(60),
            give_up_after: Duration::from_secs(300),
            first_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(3),
        }
    }
}

impl RetryPolicy {
    /// The wait after the transient error number `failures`, from 1.
    ///
    /// Half of it is random, so that tasks that failed at the same time do not retry at the same time.
    pub(super) fn wait(&self, failures: u32) -> Duration {
        let doubled = self.first_wait.saturating_mul(1 << (failures - 1).min(16));
        doubled.min(self.longest_wait).mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_the_longest_wait() {
        let policy = RetryPolicy::default();
        for (failures, longest_ms) in [(1, 200), (2, 400), (4, 1_600), (5, 3_000), (39, 3_000)] {
            let wait = policy.wait(failures);
            let longest = Duration::from_millis(longest_ms);
            assert!(wait >= longest / 2 && wait <= longest, "{failures}: {wait:?}");
        }
    }
}
