use std::collections::BTreeSet;

use super::args::{PerAction, ServeArgs};
use super::failure::Failure;
use crate::sandbox::{Action, Burst, RateLimit, Throttle};

/// The rate limits that the options specify. A value for one action takes precedence over a value for all.
pub(super) fn throttle(args: &ServeArgs) -> Result<Throttle, Failure> {
    let mut throttle = Throttle { all: limit(args, None)?, ..Throttle::default() };
    for action in named(args) {
        let Some(limit) = limit(args, Some(action))? else {
            return Err(Failure::new(format!(
                "an option names {action}, but no --rate applies to it"
            ))
            .help(format!("specify its rate, as in --rate {action}=20")));
        };
        throttle.actions.insert(action, limit);
    }
    Ok(throttle)
}

/// The actions that an option names.
fn named(args: &ServeArgs) -> BTreeSet<Action> {
    let ServeArgs { rate, burst, rate_change, competitor, .. } = args;
    let mut named = BTreeSet::new();
    named.extend(rate.iter().filter_map(|option| option.action));
    named.extend(burst.iter().filter_map(|option| option.action));
    named.extend(rate_change.iter().filter_map(|option| option.action));
    named.extend(competitor.iter().filter_map(|option| option.action));
    named
}

fn limit(args: &ServeArgs, action: Option<Action>) -> Result<Option<RateLimit>, Failure> {
    let Some(rate) = single("--rate", &args.rate, action)? else { return Ok(None) };
    let burst = single("--burst", &args.burst, action)?;
    let changes = values_for(&args.rate_change, action);
    let mut times = BTreeSet::new();
    if let Some(twice) = changes.iter().find(|change| !times.insert(change.after)) {
        let at = twice.after.as_secs_f64();
        return Err(Failure::new(format!(
            "--rate-change is specified twice for {} at {at} seconds",
            described(action)
        )));
    }
    Ok(Some(RateLimit {
        rate,
        burst: burst.unwrap_or_else(|| Burst::of_one_second(rate)),
        changes,
        competitor: single("--competitor", &args.competitor, action)?,
    }))
}

/// The values for the action or, if there are none, those for all actions.
fn values_for<T: Copy>(values: &[PerAction<T>], action: Option<Action>) -> Vec<T> {
    let of = |action| {
        values
            .iter()
            .filter(move |option| option.action == action)
            .map(|option| option.value)
            .collect::<Vec<_>>()
    };
    let specific = of(action);
    if specific.is_empty() { of(None) } else { specific }
}

fn single<T: Copy>(
    option: &str,
    values: &[PerAction<T>],
    action: Option<Action>,
) -> Result<Option<T>, Failure> {
    match values_for(values, action)[..] {
        [] => Ok(None),
        [value] => Ok(Some(value)),
        _ => Err(Failure::new(format!("{option} is specified twice for {}", described(action)))),
    }
}

fn described(action: Option<Action>) -> String {
    action.map_or_else(|| "all actions".to_owned(), |action| action.to_string())
}
