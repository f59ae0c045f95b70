//! The differences between an account and a file as JSON. Its fields are documented, and their names do not change.

use serde::Serialize;

use super::comparison::ComparedFile;
use super::json_check::pretty;
use crate::config::{Comparison, Position};
use crate::iam::{AccountId, PolicyArn, Principal, PrincipalCounts, PrincipalKind};

/// The result of `import --check` as one JSON document: what differs between the account and the file.
pub fn render_comparison_json(compared: &ComparedFile<'_>, comparison: &Comparison) -> String {
    let different = comparison.different.iter().map(|it| DifferenceJson {
        expected: it.file.as_ref(),
        boundary: it.account.as_ref(),
        ..DifferenceJson::of_entry(
            if it.is_expired { "expired" } else { "different" },
            &it.principal,
            &it.position,
        )
    });
    let missing = comparison.missing.iter().map(|it| DifferenceJson {
        expected: it.file.as_ref(),
        differs_by_case: it.differs_by_case.as_ref().map(|name| name.as_str()),
        ..DifferenceJson::of_entry("missing", &it.principal, &it.position)
    });
    let unlisted = comparison.unlisted.iter().map(|it| DifferenceJson {
        expected: it.rule.as_ref(),
        boundary: it.account.as_ref(),
        ..DifferenceJson::of("unlisted", &it.principal)
    });
    pretty(&ComparisonJson {
        format: "iam-boundaries/comparison",
        format_version: 1,
        account: compared.account,
        file: &compared.file,
        is_match: comparison.is_match(),
        differences: different.chain(missing).chain(unlisted).collect(),
        matching: comparison.matching.into(),
        unlisted_without_boundary: comparison.unlisted_without_boundary.into(),
    })
}

#[derive(Serialize)]
struct ComparisonJson<'a> {
    format: &'static str,
    format_version: u32,
    account: AccountId,
    /// Of several files, their paths.
    file: &'a str,
    #[serde(rename = "match")]
    is_match: bool,
    differences: Vec<DifferenceJson<'a>>,
    matching: CountsJson,
    unlisted_without_boundary: CountsJson,
}

#[derive(Serialize)]
struct DifferenceJson<'a> {
    kind: PrincipalKind,
    name: &'a str,
    difference: &'static str,
    /// Null if no entry names the principal.
    file: Option<&'a str>,
    line: Option<usize>,
    /// The boundary that the entry or the rule sets. Null for none.
    expected: Option<&'a PolicyArn>,
    /// The boundary in the account. Null for none.
    boundary: Option<&'a PolicyArn>,
    differs_by_case: Option<&'a str>,
}

#[derive(Serialize)]
struct CountsJson {
    users: usize,
    roles: usize,
}

impl<'a> DifferenceJson<'a> {
    fn of(difference: &'static str, principal: &'a Principal) -> Self {
        DifferenceJson {
            kind: principal.kind,
            name: principal.name.as_str(),
            difference,
            file: None,
            line: None,
            expected: None,
            boundary: None,
            differs_by_case: None,
        }
    }

    fn of_entry(
        difference: &'static str,
        principal: &'a Principal,
        position: &'a Position,
    ) -> Self {
        DifferenceJson {
            file: Some(&position.file),
            line: Some(position.line),
            ..DifferenceJson::of(difference, principal)
        }
    }
}

impl From<PrincipalCounts> for CountsJson {
    fn from(counts: PrincipalCounts) -> Self {
        CountsJson { users: counts.users, roles: counts.roles }
    }
}
