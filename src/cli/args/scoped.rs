use std::fmt::{self, Display};
use std::str::FromStr;

use crate::sandbox::Action;

/// The name of [`Scope::Writes`] in place of an action.
const WRITES: &str = "writes";

/// The value of an option for a rate limit: `ACTION=VALUE`, `writes=VALUE` or `VALUE`.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Scoped<T> {
    pub(in crate::cli) scope: Scope,
    pub(in crate::cli) value: T,
}

/// The rate limits that an option applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli) enum Scope {
    /// Every limit that has no value of its own.
    All,
    /// The limit that all writes of an account share.
    Writes,
    Action(Action),
}

impl Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::All => f.write_str("all actions"),
            Scope::Writes => f.write_str(WRITES),
            Scope::Action(action) => action.fmt(f),
        }
    }
}

impl<T: FromStr<Err: Display>> FromStr for Scoped<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scope, value) = match text.split_once('=') {
            None => (Scope::All, text),
            Some((WRITES, value)) => (Scope::Writes, value),
            Some((action, value)) => {
                let action = action.parse::<Action>().map_err(|error| {
                    format!("{error}; `{WRITES}` stands for all writes together")
                })?;
                (Scope::Action(action), value)
            }
        };
        let value = value.parse().map_err(|error: T::Err| error.to_string())?;
        Ok(Scoped { scope, value })
    }
}
