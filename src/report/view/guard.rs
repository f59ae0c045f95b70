use super::words::{counted, counted_more, grouped, plural};
use super::{Body, Section, Severity, Text};
use crate::config::Provenance;
use crate::iam::Principal;
use crate::iam::Threshold;
use crate::plan::{
    DefaultThreshold, EffectiveThreshold, Excess, Overrides, Plan, Supervision, UserCount,
    Violation,
};

/// The maximum number of protected users that are named; the others are counted.
const MAX_NAMES: usize = 10;

/// The command whose options override guard rails. Of the commands that show a plan, only `apply` has all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OptionOf {
    ThisCommand,
    Apply,
}

/// The guard rails that any run of the plan violates, or else those that an unattended run violates.
pub(super) fn guard_section(plan: &Plan) -> Option<Section<'static>> {
    let violations = |supervision| plan.violations(None, supervision, &Overrides::default());
    let attended = violations(Supervision::Attended);
    let (command, violations) = if attended.is_empty() {
        ("apply --auto-approve", violations(Supervision::Unattended))
    } else {
        ("apply", attended)
    };
    let result = format!("{command} refuses this plan");
    let section = || violations_section(plan, &violations, &result, OptionOf::Apply);
    (!violations.is_empty()).then(section)
}

/// A section about violations of guard rails, and what results from them.
pub(super) fn violations_section(
    plan: &Plan,
    violations: &[Violation],
    result: &str,
    option_of: OptionOf,
) -> Section<'static> {
    let heading = plural(violations.len(), "Guard rail violated", "Guard rails violated");
    Section {
        heading: Some(Text::sentence(format!("{heading}; {result}"))),
        severity: Severity::Error,
        label: "guard rail violated",
        noun: "violation",
        body: Body::Statements(texts(violations)),
        message: None,
        help: Some(help(plan, violations, option_of)),
    }
}

/// The violations, each as a clause without a period.
pub fn statements(violations: &[Violation]) -> Vec<String> {
    texts(violations).iter().map(Text::to_string).collect()
}

fn texts(violations: &[Violation]) -> Vec<Text<'static>> {
    let mut texts: Vec<Text<'static>> = Vec::new();
    let mut protected = Vec::new();
    for violation in violations {
        match violation {
            Violation::TooManyChanges(excess) => {
                texts.push(Text::sentence(excess_statement("change", "max_changes", excess)));
            }
            Violation::TooManyRemovals(excess) => {
                texts.push(Text::sentence(excess_statement("removal", "max_removals", excess)));
            }
            Violation::Protected { principal, provenance, by } => protected.push(
                located(principal, provenance)
                    .and(" is protected by ")
                    .and_name(format!("{:?}", by.to_string())),
            ),
            Violation::OwnBoundary { principal, provenance } => texts.push(
                located(principal, provenance)
                    .and(" is the caller, and the plan changes its own boundary"),
            ),
        }
    }
    let more = protected.len().saturating_sub(MAX_NAMES);
    protected.truncate(MAX_NAMES);
    texts.extend(protected);
    if more > 0 {
        let verb = plural(more, "is", "are");
        texts.push(Text::sentence(format!("{} {verb} protected", counted_more(more, "user"))));
    }
    texts
}

fn located(principal: &Principal, Provenance { file, line, .. }: &Provenance) -> Text<'static> {
    Text::name(principal.to_string()).and(" (").and_name(format!("{file}:{line}")).and(")")
}

/// How to override the violated guard rails: an instruction without a period.
pub fn override_help(plan: &Plan, violations: &[Violation]) -> String {
    help(plan, violations, OptionOf::ThisCommand).to_string()
}

fn help(plan: &Plan, violations: &[Violation], option_of: OptionOf) -> Text<'static> {
    let mut options: Vec<String> = Vec::new();
    let mut protected = 0;
    for violation in violations {
        match violation {
            Violation::TooManyChanges(excess) => {
                options.push(format!("--max-changes {}", excess.count));
            }
            Violation::TooManyRemovals(excess) => {
                options.push(format!("--max-removals {}", excess.count));
            }
            Violation::Protected { principal, .. } => {
                protected += 1;
                if protected <= MAX_NAMES {
                    options.push(format!("--allow-protected {principal}"));
                }
            }
            Violation::OwnBoundary { .. } => options.push("--allow-own-boundary".to_owned()),
        }
    }
    let to_override = match option_of {
        OptionOf::ThisCommand => "to override for this run, add",
        OptionOf::Apply => "to override, specify for apply:",
    };
    let help = options
        .into_iter()
        .fold(Text::ours(to_override), |help, option| help.and(" ").and_name(option));
    match plan.source.rolls_back() {
        None => help.and("; or change [guard] in the file and plan again"),
        Some(_) => help,
    }
}

fn excess_statement(noun: &str, key: &str, excess: &Excess) -> String {
    let Excess { count, allowed, threshold, users } = excess;
    let (nouns, allowed) = (counted(*count, noun), grouped(*allowed));
    let verb = plural(*count, "exceeds", "exceed");
    let users = match users {
        UserCount::Exact(users) => counted(*users, "user"),
        UserCount::AtLeast(users) => counted(*users, "known user"),
    };
    match threshold {
        EffectiveThreshold::Set(count @ Threshold::Count(_)) => {
            format!("{nouns} {verb} {key} = {count}")
        }
        EffectiveThreshold::Set(share) => {
            format!(
                "{nouns} {verb} {key} = \"{share}\", which is {allowed} of the account's {users}"
            )
        }
        EffectiveThreshold::Default(DefaultThreshold { count, share }) => format!(
            "{nouns} {verb} {allowed}, the default {key} of an unattended run: the greater of {count} and \
             {share} of the account's {users}"
        ),
    }
}
