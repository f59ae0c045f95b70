use std::collections::{BTreeSet, HashMap};

use super::context::PlanContext;
use super::decision::Held;
use super::decisions::RulesByKind;
use crate::config::{Config, Diagnostic, Located, Position, Rule};
use crate::iam::{PolicyArn, PrincipalName, Printable, grouped};
use crate::inventory::{Inventory, Reading};

/// The maximum number of short names that a warning names.
const MAX_NAMES: usize = 10;

/// What is probably not intended in a file, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The place in the file.
    pub position: Position,
    /// The statement, without a period.
    pub message: Printable,
    /// The instruction, without a period.
    pub help: Option<Printable>,
}

impl From<&Diagnostic> for Warning {
    fn from(diagnostic: &Diagnostic) -> Self {
        let Diagnostic { message, line, column, help, .. } = diagnostic;
        let position = Position { file: diagnostic.file().clone(), line: *line, column: *column };
        let help = help.as_deref().map(Printable::new);
        Warning { position, message: Printable::new(message), help }
    }
}

/// The warnings about the files, and those that only the account shows. `has_decided` says whether a rule decided about
/// a principal.
pub(super) fn warnings(
    config: &Config,
    live: &Inventory,
    has_decided: impl Fn(&Rule) -> bool,
) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = config.warnings.iter().map(Warning::from).collect();
    warnings.extend(live.fewer_than_counted().filter_map(|(kind, statement)| {
        let rule = config.rules_of(kind).next().map(|rule| &rule.position);
        let position = rule.or(config.unlisted.of(kind).as_ref().map(|it| &it.position))?;
        Some(Warning {
            position: position.clone(),
            message: format!("{statement}: some may be missing from this plan").into(),
            help: Some("run the command again: IAM may need some minutes to count".into()),
        })
    }));
    let idle = config.rules.iter().filter(|rule| live.is_whole(rule.kind) && !has_decided(rule));
    // A rule that can never decide has a warning already.
    let is_warned =
        |rule: &Rule| warnings.iter().any(|it| it.position.is_on_line_of(&rule.position));
    let idle: Vec<&Rule> = idle.filter(|rule| !is_warned(rule)).collect();
    warnings.extend(without_effect(&idle, config, live));
    for (kind, patterns) in
        config.protected.by_kind().into_iter().filter(|(kind, _)| live.is_whole(*kind))
    {
        for pattern in patterns {
            let has = |name: &PrincipalName| pattern.value.matches(name);
            let mut names = live
                .iter()
                .filter(|(it, reading)| it.kind == kind && reading.unique_id().is_some());
            if !names.any(|(principal, _)| has(&principal.name)) {
                let noun = kind.noun();
                let message = format!(
                    "the account has no {noun} that the protected pattern {} matches",
                    pattern.value
                );
                let help = format!("correct the pattern, or remove it: it protects no {noun}");
                warnings.push(Warning {
                    position: pattern.position.clone(),
                    message: message.into(),
                    help: Some(help.into()),
                });
            }
        }
    }
    warnings
}

/// The warnings, one for each file, about short names that neither the files nor the account uses. `shown` are the
/// boundaries that the plan shows.
///
/// A short name that no entry and no rule uses is still useful while a user or role has its boundary: the plan shows the
/// boundary by this name.
pub(super) fn unused_names<'a>(
    config: &Config,
    context: &PlanContext,
    live: &'a Inventory,
    shown: impl Iterator<Item = &'a PolicyArn>,
) -> Vec<Warning> {
    // Only a plan for all principals knows what they have.
    if config.unused_names.is_empty() || context.only.is_some() {
        return Vec::new();
    }
    let present = live.iter().filter_map(|(_, reading)| reading.boundary().flatten());
    // An entry or a rule can also have the ARN of the boundary.
    let used: BTreeSet<&PolicyArn> = present.chain(shown).collect();
    let is_unused = |name: &&Located<Printable>| {
        config.names.get(&name.value).is_some_and(|policy| {
            !used.contains(&policy.in_account(context.account, context.partition))
        })
    };
    let unused: Vec<_> = config.unused_names.iter().filter(is_unused).collect();
    let of_files = unused.chunk_by(|a, b| a.position.file == b.position.file);
    of_files.map(unused_names_of_file).collect()
}

/// The warning about the unused short names of one file, at least one.
fn unused_names_of_file(names: &[&Located<Printable>]) -> Warning {
    let shown: Vec<String> =
        names.iter().take(MAX_NAMES).map(|name| format!("\"{}\"", name.value)).collect();
    let more = match names.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {} more", grouped(more)),
    };
    let (message, them, their) = match names.len() {
        1 => (format!("the short name {} is not used", shown[0]), "it", "its boundary"),
        count => (
            format!("{} short names are not used: {}{more}", grouped(count), shown.join(", ")),
            "them",
            "their boundaries",
        ),
    };
    let help = format!(
        "remove {them}, or use {them} in an entry or a rule: no user or role that was read has {their}"
    );
    let position = names[0].position.clone();
    Warning { position, message: message.into(), help: Some(help.into()) }
}

/// The warnings about `rules` that decide about no principal of the account.
fn without_effect(rules: &[&Rule], config: &Config, live: &Inventory) -> Vec<Warning> {
    if rules.is_empty() {
        return Vec::new();
    }
    // For each rule that matches a principal: whether every such principal has an entry.
    let mut have_all_entries: HashMap<*const Rule, bool> = HashMap::new();
    let mut by_kind = RulesByKind::new(rules.iter().copied());
    for (principal, reading, attributes) in live.iter_with_attributes() {
        if !matches!(reading, Reading::Found { .. }) {
            continue;
        }
        let matching = by_kind.matching(principal, attributes);
        for (rule, _) in matching.filter(|(_, held)| *held == Held::Yes) {
            *have_all_entries.entry(rule).or_insert(true) &= config.entry(principal).is_some();
        }
    }
    let warning = |rule: &&Rule| {
        let noun = rule.kind.noun();
        let (message, help) = match have_all_entries.get(&std::ptr::from_ref(*rule)) {
            None => (
                format!("the rule matches no {noun} of the account"),
                "correct the conditions, or remove the rule if it is for no one",
            ),
            Some(true) => (
                format!(
                    "every {noun} that the rule matches has an entry, and an entry takes precedence over rules"
                ),
                "remove the entries, or the rule",
            ),
            Some(false) => (
                format!(
                    "every {noun} that the rule matches has an entry or is matched by an earlier rule"
                ),
                "move the rule before the earlier ones, or remove it",
            ),
        };
        let position = rule.position.clone();
        Warning { position, message: message.into(), help: Some(help.into()) }
    };
    rules.iter().map(warning).collect()
}
