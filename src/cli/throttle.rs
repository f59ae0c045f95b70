use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use super::args::ServeArgs;
use super::failure::Failure;
use crate::sandbox::{Action, Burst, Limit, Throttle};

/// The value of an option for one action, or for every one: `ACTION=VALUE`, or `VALUE`.
#[derive(Debug, Clone)]
pub(super) struct For<T> {
    action: Option<Action>,
    value: T,
}

impl<T: FromStr<Err: Display>> FromStr for For<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (action, value) = match text.split_once('=') {
            None => (None, text),
            Some((action, value)) => {
                (Some(action.parse::<Action>().map_err(|error| error.to_string())?), value)
            }
        };
        let value = value.parse().map_err(|error: T::Err| error.to_string())?;
        Ok(For { action, value })
    }
}

/// The limits that the options give: what names an action goes before what does not.
pub(super) fn throttle(args: &ServeArgs) -> Result<Throttle, Failure> {
    let mut throttle = Throttle { all: limit(args, None)?, ..Throttle::default() };
    for action in named(args) {
        let Some(limit) = limit(args, Some(action))? else {
            return Err(Failure::new(format!("{action} has other limits, but no --rate")).help(
                format!("say how many calls a second it takes, as in --rate {action}=20"),
            ));
        };
        throttle.actions.insert(action, limit);
    }
    Ok(throttle)
}

fn named(args: &ServeArgs) -> BTreeSet<Action> {
    let ServeArgs { rate, burst, rate_change, competitor, .. } = args;
    let mut named = BTreeSet::new();
    named.extend(rate.iter().filter_map(|given| given.action));
    named.extend(burst.iter().filter_map(|given| given.action));
    named.extend(rate_change.iter().filter_map(|given| given.action));
    named.extend(competitor.iter().filter_map(|given| given.action));
    named
}

fn limit(args: &ServeArgs, action: Option<Action>) -> Result<Option<Limit>, Failure> {
    let Some(rate) = single("--rate", &args.rate, action)? else { return Ok(None) };
    let burst = single("--burst", &args.burst, action)?;
    let changes = given(&args.rate_change, action);
    let mut times = BTreeSet::new();
    if let Some(twice) = changes.iter().find(|change| !times.insert(change.after)) {
        let at = twice.after.as_secs_f64();
        return Err(Failure::new(format!(
            "--rate-change gives {} two rates after {at} seconds",
            whom(action)
        )));
    }
    Ok(Some(Limit {
        rate,
        burst: burst.unwrap_or_else(|| Burst::of_one_second(rate)),
        changes,
        competitor: single("--competitor", &args.competitor, action)?,
    }))
}

/// The values for the action, or where there are none, those for every action.
fn given<T: Copy>(values: &[For<T>], action: Option<Action>) -> Vec<T> {
    let of = |action| {
        values
            .iter()
            .filter(move |given| given.action == action)
            .map(|given| given.value)
            .collect::<Vec<_>>()
    };
    let own = of(action);
    if own.is_empty() { of(None) } else { own }
}

fn single<T: Copy>(
    option: &str,
    values: &[For<T>],
    action: Option<Action>,
) -> Result<Option<T>, Failure> {
    match given(values, action)[..] {
        [] => Ok(None),
        [value] => Ok(Some(value)),
        _ => Err(Failure::new(format!("{option} is given twice for {}", whom(action)))),
    }
}

fn whom(action: Option<Action>) -> String {
    action.map_or_else(|| "every API".to_owned(), |action| action.to_string())
}
