use std::collections::BTreeSet;
use std::time::Duration;

use super::args::{Scope, Scoped, ServeArgs};
use super::failure::Failure;
use crate::iam::Rate;
use crate::sandbox::{LimitModel, RateLimit, Throttle};

/// The rate limits that the options specify. A value for one limit takes precedence over a value for all.
pub(super) fn throttle(args: &ServeArgs) -> Result<Throttle, Failure> {
    let mut throttle = Throttle { all: limit(args, Scope::All)?, ..Throttle::default() };
    for scope in named(args) {
        let Some(limit) = limit(args, scope)? else {
            return Err(Failure::new(format!(
                "an option names {scope}, but no --rate applies to it"
            ))
            .help(format!("specify its rate, as in --rate {scope}=20")));
        };
        match scope {
            Scope::All => throttle.all = Some(limit),
            Scope::Writes => throttle.writes = Some(limit),
            Scope::Action(action) => {
                throttle.actions.insert(action, limit);
            }
        }
    }
    Ok(throttle)
}

/// The scopes that an option names.
fn named(args: &ServeArgs) -> BTreeSet<Scope> {
    fn of<T>(values: &[Scoped<T>]) -> impl Iterator<Item = Scope> {
        values.iter().map(|option| option.scope).filter(|scope| *scope != Scope::All)
    }
    let ServeArgs { rate, burst, limit_model, rate_change, competitor, throttle_all, .. } = args;
    let mut named = BTreeSet::new();
    named.extend(of(rate));
    named.extend(of(burst));
    named.extend(of(limit_model));
    named.extend(of(rate_change));
    named.extend(of(competitor));
    named.extend(of(throttle_all));
    named
}

fn limit(args: &ServeArgs, scope: Scope) -> Result<Option<RateLimit>, Failure> {
    let Some(rate) = single("--rate", &args.rate, scope)? else { return Ok(None) };
    let changes = values_for(&args.rate_change, scope);
    let mut times = BTreeSet::new();
    if let Some(twice) = changes.iter().find(|change| !times.insert(change.after)) {
        let at = twice.after.as_secs_f64();
        return Err(Failure::new(format!(
            "--rate-change is specified twice for {scope} at {at} seconds"
        )));
    }
    let model = model(args, scope)?;
    if let Some(window) = model.window() {
        let rates = changes.iter().map(|change| change.rate);
        check_window(scope, window, rates.chain([rate]))?;
    }
    Ok(Some(RateLimit {
        changes,
        competitor: single("--competitor", &args.competitor, scope)?,
        throttle_all: values_for(&args.throttle_all, scope),
        ..RateLimit::new(rate, model)
    }))
}

fn model(args: &ServeArgs, scope: Scope) -> Result<LimitModel, Failure> {
    let model = single("--limit-model", &args.limit_model, scope)?;
    let model = model.unwrap_or(LimitModel::PER_SECOND);
    let Some(burst) = single("--burst", &args.burst, scope)? else { return Ok(model) };
    let has_own_burst = args.burst.iter().any(|option| option.scope == scope);
    match model.with_burst(burst) {
        Some(model) => Ok(model),
        // The value for all applies to the limits that have a burst.
        None if !has_own_burst => Ok(model),
        None => Err(Failure::new(format!(
            "--burst is specified for {scope}, but the limit model is a window"
        ))
        .help("remove --burst, or specify --limit-model per-second or --limit-model continuous")),
    }
}

/// Checks that a window accepts a call at each of these rates.
fn check_window(
    scope: Scope,
    window: Duration,
    rates: impl IntoIterator<Item = Rate>,
) -> Result<(), Failure> {
    let seconds = window.as_secs_f64();
    match rates.into_iter().find(|rate| rate.get() * seconds < 1.0) {
        None => Ok(()),
        Some(rate) => Err(Failure::new(format!(
            "a {seconds}-second window accepts no call at the rate {} for {scope}",
            rate.get()
        ))
        .help("specify a longer window or a higher rate")),
    }
}

/// The values for the scope or, if there are none, those for all.
fn values_for<T: Copy>(values: &[Scoped<T>], scope: Scope) -> Vec<T> {
    let of = |scope| {
        values
            .iter()
            .filter(move |option| option.scope == scope)
            .map(|option| option.value)
            .collect::<Vec<_>>()
    };
    let specific = of(scope);
    if specific.is_empty() { of(Scope::All) } else { specific }
}

fn single<T: Copy>(option: &str, values: &[Scoped<T>], scope: Scope) -> Result<Option<T>, Failure> {
    match values_for(values, scope)[..] {
        [] => Ok(None),
        [value] => Ok(Some(value)),
        _ => Err(Failure::new(format!("{option} is specified twice for {scope}"))),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::sandbox::{Action, Burst};

    #[derive(Parser)]
    struct Parsed {
        #[command(flatten)]
        args: ServeArgs,
    }

    fn parsed(options: &[&str]) -> Throttle {
        let args = Parsed::parse_from([&["serve", "--rate", "50"], options].concat()).args;
        throttle(&args).unwrap()
    }

    fn limit(per_second: f64, model: &str) -> RateLimit {
        RateLimit::new(Rate::per_second(per_second).unwrap(), model.parse().unwrap())
    }

    fn action(name: &str) -> Action {
        name.parse().unwrap()
    }

    #[test]
    fn limits_are_token_buckets_that_are_refilled_once_a_second_unless_a_model_is_specified() {
        let of_all = |options: &[&str]| parsed(options).all.unwrap();
        assert_eq!(of_all(&[]), limit(50.0, "per-second@0.5"));
        for model in ["per-second@0.2", "continuous", "fixed-window:5", "sliding-window"] {
            assert_eq!(of_all(&["--limit-model", model]), limit(50.0, model), "{model}");
        }
        let LimitModel::PerSecond { burst, .. } = of_all(&["--burst", "7"]).model else {
            panic!("the default model is not used");
        };
        assert_eq!(burst, Some("7".parse::<Burst>().unwrap()));
    }

    #[test]
    fn writes_share_a_limit_only_if_an_option_names_it() {
        assert_eq!(parsed(&[]).writes, None);
        let shared = parsed(&["--rate", "writes=9", "--limit-model", "writes=continuous"]);
        assert_eq!(shared.writes, Some(limit(9.0, "continuous")));
        assert_eq!(shared.all, Some(limit(50.0, "per-second")));
        let times = parsed(&["--throttle-all", "writes=3..4"]).writes.unwrap();
        assert_eq!(times.throttle_all, ["3..4".parse().unwrap()]);
        assert_eq!(times.rate, Rate::per_second(50.0).unwrap());
    }

    #[test]
    fn each_option_for_an_action_replaces_the_one_for_all() {
        let throttle = parsed(&[
            "--limit-model",
            "fixed-window:5",
            "--throttle-all",
            "1..2",
            "--throttle-all",
            "5..6",
            "--throttle-all",
            "GetUser=3..4",
            "--competitor",
            "ListUsers=8",
        ]);
        let spans = |limit: &RateLimit| limit.throttle_all.clone();
        let both = ["1..2", "5..6"].map(|span| span.parse().unwrap());
        assert_eq!(spans(&throttle.all.unwrap()), both);
        let (get, list) = (action("GetUser"), action("ListUsers"));
        assert_eq!(spans(&throttle.actions[&get]), ["3..4".parse().unwrap()]);
        assert_eq!(spans(&throttle.actions[&list]), both);
        assert_eq!(throttle.actions[&list].competitor, Some("8".parse().unwrap()));
        assert_eq!(throttle.actions[&list].model, "fixed-window:5".parse().unwrap());
    }

    #[test]
    fn the_burst_of_all_limits_does_not_apply_to_the_window_of_one() {
        let throttle = parsed(&[
            "--burst",
            "60",
            "--limit-model",
            "GetUser=sliding-window",
            "--rate",
            "writes=9",
        ]);
        assert_eq!(throttle.actions[&action("GetUser")], limit(50.0, "sliding-window"));
        let bucket = LimitModel::PER_SECOND.with_burst("60".parse().unwrap());
        assert_eq!(throttle.writes.map(|limit| limit.model), bucket);
    }
}
