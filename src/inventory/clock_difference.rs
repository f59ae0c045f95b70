use std::fmt;

use crate::iam::Timestamp;

/// The clock of this machine and that of AWS, which differ by more than AWS accepts in a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockDifference {
    /// The time of this machine's clock.
    pub here: Timestamp,
    /// The time of AWS's clock at the same moment.
    pub aws: Timestamp,
}

impl fmt::Display for ClockDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this machine's clock says {}, and AWS's says {}", self.here, self.aws)
    }
}
