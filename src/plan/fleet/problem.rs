use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::iam::Printable;
use crate::inventory::ApiError;

/// Why nothing can be planned or applied in one account of a fleet. The other accounts do not depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountProblem {
    /// A call to AWS failed: the role cannot be assumed, or the account cannot be read.
    Call(ApiError),
    /// Anything else.
    Other {
        /// What kind of problem it is.
        code: AccountProblemCode,
        /// The problem: a sentence without a period.
        message: Printable,
    },
}

/// The kinds of problems of an account that are not errors of calls.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::IntoStaticStr,
)]
#[schemars(inline)]
pub enum AccountProblemCode {
    /// The time limit passed before the account was read.
    TimeLimit,
    /// The credentials belong to another account or partition.
    OtherAccount,
    /// The credentials of the account are denied, and AWS Organizations reports that the account is not active.
    AccountNotActive,
    /// The credentials of the account cannot be used.
    CredentialsUnusable,
    /// Another run holds the lock of the account.
    AccountLocked,
    /// The state directory or a journal cannot be used.
    StateUnusable,
    /// Another reason.
    AccountNotPlanned,
}

impl AccountProblem {
    /// A problem that is not the error of a call.
    pub fn other(code: AccountProblemCode, message: &str) -> AccountProblem {
        AccountProblem::Other { code, message: Printable::new(message) }
    }

    /// A name for machines: AWS's error code, or one of the tool's.
    pub fn code(&self) -> &str {
        match self {
            AccountProblem::Call(error) => &error.code,
            AccountProblem::Other { code, .. } => (*code).into(),
        }
    }

    /// The error of the call, if it is one.
    pub fn call(&self) -> Option<&ApiError> {
        match self {
            AccountProblem::Call(error) => Some(error),
            AccountProblem::Other { .. } => None,
        }
    }
}

impl fmt::Display for AccountProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AccountProblem::Call(error) => error.fmt(f),
            AccountProblem::Other { message, .. } => message.fmt(f),
        }
    }
}
