//! An explanation as JSON.

use serde::Serialize;

use super::json_check::pretty;
use super::json_impact::ExplainedImpactJson;
use crate::iam::{PolicyArn, PrincipalKind, Printable};
use crate::inventory::Reading;
use crate::plan::{ExplainedCondition, ExplainedRule, Explanation, Held};

/// What decides the boundary of one principal, as one document.
pub(super) fn explanation(explanation: &Explanation) -> String {
    let Explanation { principal, reading, attributes, entry, rules, deciding_rule, plan, impact } =
        explanation;
    let change = plan.changes.first();
    let problem = plan.problems.first();
    pretty(&ExplanationJson {
        format: "iam-boundaries/explanation",
        format_version: 1,
        account: plan.account.to_string(),
        kind: principal.kind,
        name: principal.name.as_str(),
        exists: reading.unique_id().is_some(),
        boundary: reading.boundary().flatten(),
        path: attributes.as_ref().and_then(|it| it.path.as_ref()),
        tags: attributes.as_ref().map(|it| {
            it.tags.iter().map(|tag| TagJson { key: &tag.key, value: &tag.value }).collect()
        }),
        groups: attributes.as_ref().and_then(|it| it.groups.as_deref()),
        decided_by: match (entry, deciding_rule) {
            (Some(_), _) => "entry",
            (None, Some(_)) => "rule",
            (None, None) => match reading {
                Reading::Unmodifiable { .. } => "unmodifiable",
                _ => "unlisted",
            },
        },
        entry: entry.as_ref().map(|entry| PlaceJson {
            file: &entry.position.file,
            line: entry.position.line,
            boundary: entry.boundary.as_ref().map(ToString::to_string),
        }),
        rules: rules
            .iter()
            .enumerate()
            .map(|(n, rule)| RuleJson::of(rule, *deciding_rule == Some(n)))
            .collect(),
        action: change.map(|change| change.boundary.word()),
        to: change.and_then(|change| change.boundary.to()),
        problem: problem.map(|problem| problem.kind.code(principal.kind)),
        impact: impact.as_ref().map(ExplainedImpactJson::of),
    })
}

#[derive(Serialize)]
struct ExplanationJson<'a> {
    format: &'static str,
    format_version: u32,
    account: String,
    kind: PrincipalKind,
    name: &'a str,
    exists: bool,
    boundary: Option<&'a PolicyArn>,
    path: Option<&'a Printable>,
    /// Null if the principal could not be read.
    tags: Option<Vec<TagJson<'a>>>,
    /// Null if they were not read.
    groups: Option<&'a [Printable]>,
    decided_by: &'static str,
    entry: Option<PlaceJson<'a>>,
    rules: Vec<RuleJson<'a>>,
    /// The planned change; null if there is none.
    action: Option<&'static str>,
    to: Option<&'a PolicyArn>,
    problem: Option<&'a str>,
    /// Missing if it was not computed, or nothing changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    impact: Option<ExplainedImpactJson<'a>>,
}

#[derive(Serialize)]
struct TagJson<'a> {
    key: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct PlaceJson<'a> {
    file: &'a str,
    line: usize,
    boundary: Option<String>,
}

#[derive(Serialize)]
struct RuleJson<'a> {
    #[serde(flatten)]
    place: PlaceJson<'a>,
    matches: Option<bool>,
    decides: bool,
    conditions: Vec<ConditionJson<'a>>,
}

#[derive(Serialize)]
struct ConditionJson<'a> {
    key: &'a str,
    patterns: &'a [Printable],
    /// Null if it is not known.
    holds: Option<bool>,
    /// Null if it is not known.
    found: Option<&'a [Printable]>,
}

impl<'a> RuleJson<'a> {
    fn of(rule: &'a ExplainedRule, decides: bool) -> Self {
        let ExplainedRule { position, boundary, matches, conditions, .. } = rule;
        let boundary = Some(boundary.to_string());
        let condition = |condition: &'a ExplainedCondition| ConditionJson {
            key: &condition.key,
            patterns: &condition.patterns,
            holds: known(condition.holds),
            found: condition.found.as_deref(),
        };
        RuleJson {
            place: PlaceJson { file: &position.file, line: position.line, boundary },
            matches: known(*matches),
            decides,
            conditions: conditions.iter().map(condition).collect(),
        }
    }
}

fn known(held: Held) -> Option<bool> {
    match held {
        Held::Yes => Some(true),
        Held::No => Some(false),
        Held::Unknown => None,
    }
}
