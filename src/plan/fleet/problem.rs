use std::fmt;

use crate::iam::Printable;
use crate::inventory::ApiError;

/// Why nothing can be planned or applied in one account of a fleet. The other accounts do not depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountProblem {
    /// A call to AWS failed: the role cannot be assumed, or the account cannot be read.
    Call(ApiError),
    /// Anything else. The text is a sentence without a period.
    Other(Printable),
}

impl AccountProblem {
    /// The code of an [`AccountProblem::Other`], for machines.
    pub const OTHER: &str = "AccountNotPlanned";

    /// A name for machines: AWS's error code, or one of the tool's.
    pub fn code(&self) -> &str {
        match self {
            AccountProblem::Call(error) => &error.code,
            AccountProblem::Other(_) => Self::OTHER,
        }
    }
}

impl fmt::Display for AccountProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AccountProblem::Call(error) => error.fmt(f),
            AccountProblem::Other(why) => why.fmt(f),
        }
    }
}
