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
