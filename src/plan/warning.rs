use super::decision::{Held, matches};
use crate::config::{Config, Diagnostic, Position, Rule};
use crate::iam::{Principal, PrincipalName, Printable};
use crate::inventory::{Attributes, Inventory, Reading};

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
    let mut principals = None;
    for rule in config.rules.iter().filter(|rule| live.is_whole(rule.kind) && !has_decided(rule)) {
        // A rule that can never decide has a warning already.
        if warnings.iter().any(|warning| warning.position.is_on_line_of(&rule.position)) {
            continue;
        }
        let principals = principals.get_or_insert_with(|| found(live));
        warnings.push(without_effect(rule, config, principals));
    }
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

/// The principals that can be changed, with their attributes.
type Found<'l> = Vec<(&'l Principal, Option<&'l Attributes>)>;

fn found(live: &Inventory) -> Found<'_> {
    let found = live.iter().filter(|(_, reading)| matches!(reading, Reading::Found { .. }));
    found.map(|(principal, _)| (principal, live.attributes(principal))).collect()
}

/// The warning about a rule that decides about no principal of the account.
fn without_effect(rule: &Rule, config: &Config, principals: &Found<'_>) -> Warning {
    let noun = rule.kind.noun();
    let mut matching = principals
        .iter()
        .filter(|(principal, attributes)| {
            principal.kind == rule.kind && matches(rule, principal, *attributes) == Held::Yes
        })
        .map(|(principal, _)| *principal)
        .peekable();
    let is_for_no_one = matching.peek().is_none();
    let have_all_entries = matching.all(|principal| config.entry(principal).is_some());
    let (message, help) = match (is_for_no_one, have_all_entries) {
        (true, _) => (
            format!("the rule matches no {noun} of the account"),
            "correct the conditions, or remove the rule if it is for no one",
        ),
        (false, true) => (
            format!(
                "every {noun} that the rule matches has an entry, and an entry takes precedence over rules"
            ),
            "remove the entries, or the rule",
        ),
        (false, false) => (
            format!(
                "every {noun} that the rule matches has an entry or is matched by an earlier rule"
            ),
            "move the rule before the earlier ones, or remove it",
        ),
    };
    Warning { position: rule.position.clone(), message: message.into(), help: Some(help.into()) }
}
