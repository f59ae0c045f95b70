use std::fmt::Display;
use std::str::FromStr;

use crate::sandbox::Action;

/// The value of an option for one action, `ACTION=VALUE`, or for all actions, `VALUE`.
#[derive(Debug, Clone)]
pub(in crate::cli) struct PerAction<T> {
    pub(in crate::cli) action: Option<Action>,
    pub(in crate::cli) value: T,
}

impl<T: FromStr<Err: Display>> FromStr for PerAction<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (action, value) = match text.split_once('=') {
            None => (None, text),
            Some((action, value)) => {
                (Some(action.parse::<Action>().map_err(|error| error.to_string())?), value)
            }
        };
        let value = value.parse().map_err(|error: T::Err| error.to_string())?;
        Ok(PerAction { action, value })
    }
}
