use std::time::Instant;

/// Options of the rate limiter for one action.
#[derive(Debug, Clone, Copy)]
pub struct LimiterOptions {
    /// The maximum number of requests in flight; 0 counts as 1.
    pub max_in_flight: usize,
    /// The approximate number of calls to come. The more there are, the more throttled calls the search for
    /// the limit may cost.
    pub expected_calls: usize,
}

/// Whether a call may be sent.
#[derive(Debug, Clone, Copy)]
pub enum Decision {
    /// The call may be sent now. The ticket identifies it when the response arrives.
    Now(Ticket),
    /// No call may be sent before this time.
    At(Instant),
    /// No call may be sent before another response arrives.
    AfterResponse,
}

/// A request in flight.
#[derive(Debug, Clone, Copy)]
#[must_use = "the controller counts the call as in flight until its response arrives"]
pub struct Ticket {
    /// When it was sent, in seconds since the first decision.
    pub(super) sent: f64,
    /// The number of the state in which it was sent.
    pub(super) epoch: u32,
}

/// How a call ended, as far as the rate limiter is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Response {
    /// IAM did not throttle the call, whether or not it succeeded.
    Accepted,
    /// IAM throttled the call.
    Throttled,
    /// No response arrived: whether the call was accepted is unknown.
    Lost,
}
