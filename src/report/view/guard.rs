use std::collections::BTreeSet;

use super::words::{at_most, counted, counted_more, grouped, plural};
use super::{Body, Section, Severity, Text};
use crate::config::Provenance;
use crate::iam::{Principal, PrincipalCounts, PrincipalKind, PrincipalPattern, Threshold};
use crate::plan::{
    AccountCount, DefaultThreshold, EffectiveThreshold, Excess, Overrides, Plan, ShareBase,
    Supervision, Violation, Widening,
};

/// The label of the section about violations of guard rails.
pub(in crate::report) const GUARD_RAIL: &str = "guard rail violated";
/// The maximum number of protected principals that are named; the others are counted.
const MAX_NAMES: usize = 10;

/// The command whose options override guard rails. Of the commands that show a plan, only `apply` has all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OptionOf {
    ThisCommand,
    Apply,
}

/// What any run of the plan violates, or else what an unattended run violates, with the command of the run.
fn violations_of(plan: &Plan) -> (&'static str, Vec<Violation>) {
    let violations = |supervision| plan.violations(None, supervision, &Overrides::default());
    let attended = violations(Supervision::Attended);
    match attended.is_empty() {
        true => ("apply --auto-approve", violations(Supervision::Unattended)),
        false => ("apply", attended),
    }
}

/// The number of guard rails that a plan violates, as [`guard_section`] shows them.
pub(in crate::report) fn violated_guard_rails(plan: &Plan) -> usize {
    count(&violations_of(plan).1)
}

/// The number of different guard rails.
fn count(violations: &[Violation]) -> usize {
    violations.iter().map(Violation::guard_rail).collect::<BTreeSet<_>>().len()
}

/// The guard rails that any run of the plan violates, or else those that an unattended run violates, and their number.
pub(super) fn guard_section(plan: &Plan) -> Option<(usize, Section<'static>)> {
    let (command, violations) = violations_of(plan);
    let result = format!("{command} refuses this plan");
    let section = || violations_section(plan, &violations, &result, OptionOf::Apply);
    (!violations.is_empty()).then(|| (count(&violations), section()))
}

/// A section about violations of guard rails, and what results from them.
pub(super) fn violations_section(
    plan: &Plan,
    violations: &[Violation],
    result: &str,
    option_of: OptionOf,
) -> Section<'static> {
    let heading = plural(count(violations), "Guard rail violated", "Guard rails violated");
    Section {
        heading: Some(Text::sentence(format!("{heading}; {result}"))),
        severity: Severity::Error,
        label: GUARD_RAIL,
        noun: "violation",
        body: Body::Statements(texts(violations)),
        message: None,
        help: Some(help(plan, violations, option_of)),
    }
}

/// What these violations are of.
pub fn guard_rails(violations: &[Violation]) -> &'static str {
    plural(count(violations), "a guard rail", "guard rails")
}

/// The violations, each as a clause without a period.
pub fn statements(violations: &[Violation]) -> Vec<String> {
    texts(violations).iter().map(Text::to_string).collect()
}

fn texts(violations: &[Violation]) -> Vec<Text<'static>> {
    let mut texts: Vec<Text<'static>> = Vec::new();
    let (mut protected, mut kinds) = (Vec::new(), Vec::new());
    let (mut widening, mut taking) = (Vec::new(), Vec::new());
    for violation in violations {
        match violation {
            Violation::TooManyChanges(excess) => {
                texts.push(Text::sentence(excess_statement("change", "max_changes", excess)));
            }
            Violation::TooManyRemovals(excess) => {
                texts.push(Text::sentence(excess_statement("removal", "max_removals", excess)));
            }
            Violation::Protected { principal, provenance, by } => {
                protected.push(
                    located(principal, provenance)
                        .and(" is protected by ")
                        .and_name(format!("{:?}", by.to_string())),
                );
                kinds.push(principal.kind);
            }
            Violation::OwnBoundary { principal, provenance } => {
                texts.push(located(principal, provenance).and(match principal.kind {
                    PrincipalKind::User => " is the caller, and the plan changes its own boundary",
                    PrincipalKind::Role => {
                        " is the role of the caller, and the plan changes its own boundary"
                    }
                }));
            }
            Violation::Widening { principal, provenance, widening: found } => {
                let principal = located(principal, provenance);
                widening.push(widening_statement(principal, found.as_ref()));
            }
            Violation::TakingUsed { principal, provenance, used } => {
                let principal = located(principal, provenance);
                taking.push(match used {
                    Ok(used) => principal
                        .and(" used ")
                        .and_name(used.permission.to_string())
                        .and(" on ")
                        .and_sentence(used.last_used.to_the_minute())
                        .and(", and would lose it"),
                    Err(why) => principal
                        .and(" can lose permissions, and it is not known which it used: ")
                        .and_quote(why.to_string()),
                });
            }
        }
    }
    let others = |one: &'static str, many: &'static str| {
        move |more| Text::sentence(format!("{} more {}", grouped(more), plural(more, one, many)))
    };
    let wider =
        others("principal would have a wider boundary", "principals would have wider boundaries");
    texts.extend(at_most(widening, MAX_NAMES, wider));
    let losing =
        others("principal would lose what it used", "principals would lose what they used");
    texts.extend(at_most(taking, MAX_NAMES, losing));
    texts.extend(at_most(protected, MAX_NAMES, |more| {
        let verb = plural(more, "is", "are");
        let noun = PrincipalCounts::of(kinds.into_iter().skip(MAX_NAMES)).noun();
        Text::sentence(format!("{} {verb} protected", counted_more(more, noun)))
    }));
    texts
}

fn widening_statement(principal: Text<'static>, widening: Option<&Widening>) -> Text<'static> {
    match widening {
        None => principal.and(" would have no boundary any more, and [guard] widening refuses it"),
        Some(Widening::Everything) => {
            principal.and(" would have a boundary that allows everything")
        }
        Some(Widening::PermissionsManagement) => principal.and(
            " would have a boundary that can allow more, also of actions that manage permissions",
        ),
        Some(Widening::Actions | Widening::No) => {
            principal.and(" would have a boundary that can allow more")
        }
        Some(Widening::Unknown(why)) => principal
            .and(" would have another boundary, and it is not known whether it allows more: ")
            .and_quote(why.to_string()),
    }
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
    let (mut protected, mut widening, mut taking) = (0, 0, 0);
    for violation in violations {
        match violation {
            // The options set a number, which applies to users and roles together.
            Violation::TooManyChanges(_) => {
                options.push(format!("--max-changes {}", plan.changes.len()));
            }
            Violation::TooManyRemovals(_) => {
                let removals = plan.changes.iter().filter(|change| change.is_removal()).count();
                options.push(format!("--max-removals {removals}"));
            }
            Violation::Protected { principal, .. } => {
                protected += 1;
                if protected <= MAX_NAMES {
                    let Principal { kind, name } = principal;
                    options.push(match kind {
                        PrincipalKind::User => format!("--allow-protected {name}"),
                        PrincipalKind::Role => format!("--allow-protected-role {name}"),
                    });
                }
            }
            Violation::OwnBoundary { .. } => options.push("--allow-own-boundary".to_owned()),
            Violation::Widening { principal, .. } => {
                widening += 1;
                if widening <= MAX_NAMES {
                    options.push(format!("--allow-widening {}", PrincipalPattern::from(principal)));
                }
            }
            Violation::TakingUsed { principal, .. } => {
                taking += 1;
                if taking <= MAX_NAMES {
                    options
                        .push(format!("--allow-taking-used {}", PrincipalPattern::from(principal)));
                }
            }
        }
    }
    // A share can be exceeded by users and by roles.
    options.dedup();
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
    let Excess { count, to_everything, allowed, threshold, base } = excess;
    let mut changes = counted(*count, noun);
    if *to_everything > 0 {
        let to_everything = grouped(*to_everything);
        changes.push_str(&format!(" ({to_everything} to a boundary that allows everything)"));
    }
    if base.is_some_and(|base| base.kind == PrincipalKind::Role) {
        changes.push_str(" of roles");
    }
    let (verb, allowed) = (plural(*count, "exceeds", "exceed"), grouped(*allowed));
    let of_account = base.map(account_count).unwrap_or_default();
    match threshold {
        EffectiveThreshold::Set(count @ Threshold::Count(_)) => {
            format!("{changes} {verb} {key} = {count}")
        }
        EffectiveThreshold::Set(share) => {
            format!("{changes} {verb} {key} = \"{share}\", which is {allowed} of {of_account}")
        }
        EffectiveThreshold::Default(DefaultThreshold { count, share }) => format!(
            "{changes} {verb} {allowed}, the default {key} of an unattended run: the greater of {count} and \
             {share} of {of_account}"
        ),
    }
}

/// `the account's 120 users`.
fn account_count(ShareBase { kind, count }: ShareBase) -> String {
    match count {
        AccountCount::Exact(count) => format!("the account's {}", counted(count, kind.noun())),
        AccountCount::AtLeast(count) => {
            format!("the account's {}", counted(count, &format!("known {}", kind.noun())))
        }
    }
}
