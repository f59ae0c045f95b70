use super::impact::explained_sections;
use super::problem::problem_statement;
use super::words::{account, unmodifiable_clause};
use super::{Closing, Document, Section, Severity, Text, Tone};
use crate::config::{Position, Then};
use crate::iam::{PolicyArn, PrincipalKind, Printable, UnmodifiableRole};
use crate::inventory::{Attributes, Reading};
use crate::plan::{
    ExplainedCondition, ExplainedEntry, ExplainedRule, Explanation, Held, ProblemKind,
};

/// The text that identifies an explanation among other documents.
const MARKER: &str = "iam-boundaries explain";

/// What decides the boundary of one principal.
pub(in crate::report) fn explanation(explanation: &Explanation) -> Document<'_> {
    let noun = explanation.principal.kind.noun();
    let title = Text::ours("The permissions boundary of ")
        .and(noun)
        .and(" ")
        .and_name(explanation.principal.name.as_str())
        .and(" in account ")
        .and_text(account(&explanation.plan));
    let section =
        |heading, statements| Section::of_statements(heading, Severity::Notice, statements);
    let mut sections = vec![
        section(Text::ours("In the account"), in_account(explanation)),
        section(Text::ours("Entry"), entry(explanation)),
    ];
    let rules: Vec<_> = (0..explanation.rules.len()).map(|n| rule(explanation, n)).collect();
    let rules = match rules.is_empty() {
        true => vec![
            Text::ours("the files have no rules for ").and(explanation.principal.kind.plural()),
        ],
        false => rules,
    };
    sections.push(section(Text::ours("Rules, in the order in which they are tried"), rules));
    sections.extend(explanation.impact.iter().flat_map(explained_sections));
    Document {
        marker: MARKER,
        severity: Severity::Notice,
        introduction: Some(title.clone().and(":")),
        title,
        counts: Vec::new(),
        sections,
        closing: Some(Closing {
            label: "Result",
            parts: vec![(Tone::Neutral, result(explanation))],
        }),
        coverage: None,
        account: Some(account(&explanation.plan)),
        digest: None,
    }
}

fn in_account(explanation: &Explanation) -> Vec<Text<'_>> {
    let noun = explanation.principal.kind.noun();
    let mut statements = Vec::new();
    match explanation.reading.boundary() {
        Some(Some(arn)) => statements.push(Text::ours("boundary: ").and_name(arn.as_str())),
        Some(None) => statements.push(Text::ours("boundary: none")),
        None => match explanation.plan.problems.first() {
            Some(problem) => {
                statements.push(problem_statement(explanation.principal.kind, &problem.kind))
            }
            None => statements.push(Text::ours("IAM has no such ").and(noun)),
        },
    }
    if let Some(Attributes { path, tags, groups, .. }) = &explanation.attributes {
        if let Some(path) = path {
            statements.push(Text::ours("path: ").and_name(path.as_str()));
        }
        let of_tags: Vec<String> =
            tags.iter().map(|tag| format!("{} = {:?}", tag.key, tag.value)).collect();
        statements.push(Text::ours("tags: ").and_quote(list(&of_tags)));
        match groups {
            Some(groups) if noun == "user" => {
                let groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
                statements.push(Text::ours("groups: ").and_quote(list(&groups)));
            }
            Some(_) => {}
            None => {
                statements.push(Text::ours("groups: not read, because no rule depends on them"))
            }
        }
    }
    statements
}

/// What makes the principal a role that AWS manages; `None` for another principal.
fn unmodifiable(explanation: &Explanation) -> Option<UnmodifiableRole> {
    match explanation.reading {
        Reading::Unmodifiable { role, .. } => Some(role),
        _ => None,
    }
}

fn list(items: &[String]) -> String {
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}

fn entry(explanation: &Explanation) -> Vec<Text<'_>> {
    let Some(ExplainedEntry { position, boundary, reason, expiration }) = &explanation.entry else {
        let noun = explanation.principal.kind.noun();
        return vec![Text::ours("no entry names the ").and(noun)];
    };
    let asks = |boundary: &Option<_>| match boundary {
        Some(policy) => Text::name(format!("{policy}")),
        None => Text::ours("no boundary"),
    };
    let mut statements = vec![at(position).and(": ").and_text(asks(boundary))];
    if let Some(reason) = reason {
        statements.push(Text::ours("reason: ").and_quote(reason.as_str()));
    }
    if let Some(expiration) = expiration {
        let until = Text::ours("until ").and_sentence(expiration.until.to_string());
        statements.push(match &expiration.then {
            Then::Boundary(boundary) => until.and(", then ").and_text(asks(boundary)),
            Then::Problem => until.and(", and it does not specify what applies from then on"),
        });
    }
    statements
}

/// The rule number `n`, and why it decides or not.
fn rule(explanation: &Explanation, n: usize) -> Text<'_> {
    let ExplainedRule { position, boundary, matches, conditions, .. } = &explanation.rules[n];
    let rule = at(position).and(" (").and_name(format!("{boundary}")).and("): ");
    if unmodifiable(explanation).is_some() {
        return rule.and("does not apply to a role that AWS manages");
    }
    let verdict = match (matches, explanation.deciding_rule) {
        (Held::No, _) => Text::ours("does not match"),
        (Held::Unknown, Some(deciding)) if deciding == n => {
            Text::ours("may match, and is the first that may: nothing can be decided")
        }
        (Held::Unknown, _) => Text::ours("may match"),
        (Held::Yes, Some(deciding)) if deciding == n => Text::ours("matches, and decides"),
        (Held::Yes, Some(_)) => Text::ours("matches, but an earlier rule decides"),
        (Held::Yes, None) => Text::ours("matches, but an entry takes precedence"),
    };
    // What did not hold is the answer to the question why a rule does not match.
    let mut shown: Vec<&ExplainedCondition> = conditions
        .iter()
        .filter(|condition| match matches {
            Held::No => condition.holds == Held::No,
            Held::Unknown => condition.holds == Held::Unknown,
            Held::Yes => true,
        })
        .collect();
    shown.truncate(10);
    let mut text = rule.and_text(verdict);
    if conditions.is_empty() {
        return text.and("; it has no conditions");
    }
    let kind = explanation.principal.kind;
    for (n, condition) in shown.into_iter().enumerate() {
        text = text
            .and(if n == 0 { "; " } else { ", and " })
            .and_text(condition_text(kind, condition));
    }
    text
}

fn condition_text(kind: PrincipalKind, condition: &ExplainedCondition) -> Text<'_> {
    let ExplainedCondition { key, patterns, holds, found } = condition;
    let quoted = |texts: &[Printable], between: &str| {
        let texts: Vec<String> = texts.iter().map(|text| format!("{text:?}")).collect();
        texts.join(between)
    };
    let found = match found.as_deref() {
        None => Text::ours("is not known"),
        Some([]) if &**key == "group" && kind == PrincipalKind::User => {
            Text::ours("is empty: the user is in no group")
        }
        Some([]) => Text::ours("does not exist"),
        Some(found) => Text::ours("is ").and_quote(quoted(found, ", ")),
    };
    let requires = match (holds, &**key == "except") {
        (Held::Yes, false) => Text::ours(", as required: "),
        (Held::Yes, true) => Text::ours(", which is not in: "),
        (Held::No, false) => Text::ours(", and the rule requires "),
        (Held::No, true) => Text::ours(", and the rule excludes "),
        (Held::Unknown, _) => Text::ours(", and the rule requires "),
    };
    let key = match &**key {
        "except" => Text::ours("name"),
        _ => Text::quote(key.as_str()),
    };
    key.and(" ").and_text(found).and_text(requires).and_quote(quoted(patterns, " or "))
}

fn result(explanation: &Explanation) -> Text<'_> {
    let Explanation { plan, rules, deciding_rule, entry, principal, .. } = explanation;
    let noun = principal.kind.noun();
    let decided = match (entry, deciding_rule.and_then(|n| rules.get(n))) {
        (Some(entry), _) => {
            Text::ours("the entry at ").and_text(at(&entry.position)).and(" decides")
        }
        (None, Some(rule)) => {
            Text::ours("the rule at ").and_text(at(&rule.position)).and(" decides")
        }
        (None, None) if let Some(role) = unmodifiable(explanation) => {
            return Text::ours("no rule applies to the role: ").and_text(unmodifiable_clause(role));
        }
        (None, None) => return Text::ours("unlisted: the ").and(noun).and(" is not changed"),
    };
    if let Some(problem) = plan.problems.first() {
        let statement = problem_statement(principal.kind, &problem.kind);
        return match problem.kind {
            ProblemKind::Undecided => statement,
            _ => decided.and(", but nothing can be planned: ").and_text(statement),
        };
    }
    let Some(change) = plan.changes.first() else {
        // An entry also decides about a name that differs from its own only in case.
        if explanation.reading.boundary().is_none() {
            let missing = decided.and(", but IAM has no such ").and(noun);
            return missing.and(": write the name as in the entry");
        }
        return decided.and(", and the ").and(noun).and(" matches it");
    };
    let boundary = |arn: Option<&'_ PolicyArn>| match arn {
        Some(arn) => Text::name(plan.name_of(arn).to_owned()),
        None => Text::ours("none"),
    };
    let (from, to) = (boundary(change.boundary.from()), boundary(change.boundary.to()));
    let expired = match &change.expired {
        Some(until) => {
            Text::ours(" (its entry expired on ").and_sentence(until.to_string()).and(")")
        }
        None => Text::default(),
    };
    let change = decided.and(": the plan changes the boundary from ").and_text(from);
    change.and(" to ").and_text(to).and_text(expired)
}

fn at(Position { file, line, .. }: &Position) -> Text<'_> {
    Text::name(format!("{file}:{line}"))
}
