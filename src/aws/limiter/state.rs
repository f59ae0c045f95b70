/// What the controller does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum State {
    /// The limit is unknown. The number of requests in flight grows until a call is throttled.
    Searching {
        /// The number of requests that may be in flight at once, in addition to those of a short run.
        head_start: f64,
    },
    /// Calls were throttled. One call at a time is sent, until one is accepted.
    Polling {
        polls: i32,
        /// The response to a poll is missing.
        is_sent: bool,
        after: After,
    },
    /// Calls are sent at the measured rate.
    Sending,
}

/// What was done before calls were throttled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum After {
    /// The limit was searched for.
    Search,
    /// Calls were sent at a known rate.
    Sending,
    /// The same, after an attempt at a higher rate that used what was left in the bucket. The rate is not lower.
    Attempt,
}

/// What is known of the rate.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(super) enum Known {
    Nothing,
    /// An earlier run measured it.
    Remembered,
    Measured,
    /// The measurement is exact, or calls at a higher rate were throttled.
    Confirmed,
}
