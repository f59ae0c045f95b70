//! How the boundaries of an account differ from a file, as text.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::style::Style;
use crate::config::{Comparison, Different, Missing, Position};
use crate::iam::{
    AccountId, PolicyArn, Principal, PrincipalCounts, PrincipalKind, Printable, grouped,
};

/// A file that was compared with an account.
#[derive(Debug, Clone)]
pub struct ComparedFile<'c> {
    /// The account.
    pub account: AccountId,
    /// The path of the file.
    pub file: Printable,
    /// The short names of policies.
    pub names: &'c BTreeMap<PolicyArn, String>,
}

impl ComparedFile<'_> {
    /// A boundary by its short name, if it has one.
    fn shown<'b>(&'b self, boundary: Option<&'b PolicyArn>) -> &'b str {
        match boundary {
            Some(arn) => self.names.get(arn).map_or(arn.as_str(), String::as_str),
            None => "(none)",
        }
    }

    /// A principal and the position of its entry.
    fn at(&self, principal: &Principal, position: &Position) -> String {
        match position.file == self.file {
            true => format!("{principal} (line {})", position.line),
            // One of several files.
            false => format!("{principal} ({}:{})", position.file, position.line),
        }
    }
}

/// A line about a principal: its name, and what is said about it.
struct Line {
    principal: String,
    text: String,
}

/// The text of `import --check`: what differs between the account and the file.
pub fn render_comparison(
    compared: &ComparedFile<'_>,
    comparison: &Comparison,
    style: Style,
) -> String {
    let ComparedFile { account, file, .. } = compared;
    let mut text = String::new();
    if comparison.is_match() {
        let matching = comparison.matching;
        push(
            &mut text,
            &style.good(format!(
                "{file} matches account {account}: {matching} as listed, and no other boundary."
            )),
        );
        push_without_boundary(&mut text, comparison);
        return text;
    }
    push(&mut text, &style.strong(format!("{file} differs from account {account}:")));
    let different = comparison.different.iter();
    section(
        &mut text,
        style,
        "Another boundary",
        different.map(|it| differs(compared, it)).collect(),
    );
    section(&mut text, style, NOT_IN_ACCOUNT, missing(compared, comparison));
    let unlisted = comparison.unlisted.iter().map(|it| {
        let account = compared.shown(it.account.as_ref());
        let text = match &it.rule {
            Some(rule) => format!("rule: {}, account: {account}", compared.shown(Some(rule))),
            None => format!("account: {account}"),
        };
        Line { principal: it.principal.to_string(), text }
    });
    section(&mut text, style, "Not listed", unlisted.collect());
    let [different, missing, unlisted] = counts(comparison);
    let summary = [
        (different, "with another boundary"),
        (missing, "not in the account"),
        (unlisted, "not listed"),
    ];
    let summary: Vec<String> = summary
        .iter()
        .filter(|(counts, _)| counts.total() > 0)
        .map(|(counts, what)| format!("{counts} {what}"))
        .collect();
    push(&mut text, &format!("\n{}.", summary.join("; ")));
    push_without_boundary(&mut text, comparison);
    text
}

/// The text of `import --update`: what was changed in the file.
pub fn render_update(compared: &ComparedFile<'_>, comparison: &Comparison, style: Style) -> String {
    let ComparedFile { account, file, .. } = compared;
    let mut text = String::new();
    let changed = comparison.different.iter().filter(|it| !it.is_expired);
    let different = PrincipalCounts::of(changed.map(|it| it.principal.kind));
    let [_, _, unlisted] = counts(comparison);
    if comparison.is_update_needed() {
        let headline = format!(
            "Updated {file} from account {account}: {} changed, {} added",
            entries(different),
            entries(unlisted)
        );
        push(&mut text, &style.good(headline + "."));
    } else if comparison.is_match() {
        push(
            &mut text,
            &style.good(format!("{file} was not changed: it matches account {account}.")),
        );
    } else {
        push(&mut text, &format!("{file} was not changed: no entry needs another boundary."));
    }
    let changed = comparison.different.iter().filter(|it| !it.is_expired).map(|it| Line {
        principal: compared.at(&it.principal, &it.position),
        text: format!(
            "{} → {}",
            compared.shown(it.file.as_ref()),
            compared.shown(it.account.as_ref())
        ),
    });
    section(&mut text, style, "Changed", changed.collect());
    let added = comparison.unlisted.iter().map(|it| Line {
        principal: it.principal.to_string(),
        text: compared.shown(it.account.as_ref()).to_owned(),
    });
    section(&mut text, style, "Added", added.collect());
    let expired = comparison.different.iter().filter(|it| it.is_expired);
    let expired = expired.map(|it| differs(compared, it)).collect();
    section(&mut text, style, "Expired entries, left unchanged", expired);
    let kept = format!("{NOT_IN_ACCOUNT}, left unchanged");
    section(&mut text, style, &kept, missing(compared, comparison));
    if !comparison.is_match() {
        text.push('\n');
    }
    push_without_boundary(&mut text, comparison);
    text
}

const NOT_IN_ACCOUNT: &str = "Not in the account";

fn push(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

fn section(text: &mut String, style: Style, title: &str, lines: Vec<Line>) {
    if lines.is_empty() {
        return;
    }
    push(text, &format!("\n{}:", style.strong(title)));
    let width = lines.iter().map(|line| line.principal.len()).max().unwrap_or_default();
    for Line { principal, text: about } in lines {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {principal:width$}  {about}");
    }
}

fn missing(compared: &ComparedFile<'_>, comparison: &Comparison) -> Vec<Line> {
    let about = |it: &Missing| {
        let file = compared.shown(it.file.as_ref());
        match (&it.differs_by_case, it.principal.kind) {
            (Some(other), _) => {
                format!("file: {file}; correct the name: it is {other} in the account")
            }
            (None, PrincipalKind::User) => format!("file: {file}"),
            (None, PrincipalKind::Role) => format!("file: {file}; no such role, or AWS manages it"),
        }
    };
    let line = |it: &Missing| Line {
        principal: compared.at(&it.principal, &it.position),
        text: about(it),
    };
    comparison.missing.iter().map(line).collect()
}

fn differs(compared: &ComparedFile<'_>, it: &Different) -> Line {
    let [file, account] = [&it.file, &it.account].map(|it| compared.shown(it.as_ref()));
    let text = match it.is_expired {
        true => format!("the entry is expired; account: {account}"),
        false => format!("file: {file}, account: {account}"),
    };
    Line { principal: compared.at(&it.principal, &it.position), text }
}

/// The numbers of principals that have another boundary, that are missing, and that are not listed.
fn counts(comparison: &Comparison) -> [PrincipalCounts; 3] {
    [
        PrincipalCounts::of(comparison.different.iter().map(|it| it.principal.kind)),
        PrincipalCounts::of(comparison.missing.iter().map(|it| it.principal.kind)),
        PrincipalCounts::of(comparison.unlisted.iter().map(|it| it.principal.kind)),
    ]
}

fn entries(counts: PrincipalCounts) -> String {
    match counts.total() {
        1 => "1 entry".to_owned(),
        more => format!("{} entries", grouped(more)),
    }
}

/// Says how many principals are neither listed nor have a boundary.
fn push_without_boundary(text: &mut String, comparison: &Comparison) {
    let counts = comparison.unlisted_without_boundary;
    if counts.total() > 0 {
        push(
            text,
            &format!("Not counted, because they have no boundary and are not listed: {counts}."),
        );
    }
}
