//! How the boundaries of an account differ from a file, as text.

use std::fmt::Write;

use super::style::Style;
use crate::config::{Comparison, Config, Missing};
use crate::iam::{AccountId, PolicyArn, Principal, PrincipalCounts, PrincipalKind, grouped};

/// A line about a principal: its name, and what is said about it.
struct Line {
    principal: String,
    text: String,
}

/// The text of `import --check`: what differs between the account and the file.
pub fn render_comparison(
    account: AccountId,
    config: &Config,
    comparison: &Comparison,
    style: Style,
) -> String {
    let file = &config.file;
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
    let different = comparison.different.iter().map(|it| Line {
        principal: at(&it.principal, it.line),
        text: format!(
            "file: {}, account: {}",
            shown(config, it.file.as_ref()),
            shown(config, it.account.as_ref())
        ),
    });
    section(&mut text, style, "Another boundary", different.collect());
    section(&mut text, style, NOT_IN_ACCOUNT, missing(config, comparison));
    let unlisted = comparison.unlisted.iter().map(|(principal, boundary)| Line {
        principal: principal.to_string(),
        text: format!("account: {}", shown(config, Some(boundary))),
    });
    section(&mut text, style, "With a boundary, and not listed in the file", unlisted.collect());
    let [different, missing, unlisted] = counts(comparison);
    let summary = [
        (different, "with another boundary"),
        (missing, "not in the account"),
        (unlisted, "with a boundary and not listed"),
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
pub fn render_update(
    account: AccountId,
    config: &Config,
    comparison: &Comparison,
    style: Style,
) -> String {
    let file = &config.file;
    let mut text = String::new();
    let [different, _, unlisted] = counts(comparison);
    let is_written = different.total() + unlisted.total() > 0;
    if is_written {
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
        push(
            &mut text,
            &format!(
                "{file} was not changed: every principal that exists has its listed boundary."
            ),
        );
    }
    let changed = comparison.different.iter().map(|it| Line {
        principal: at(&it.principal, it.line),
        text: format!(
            "{} → {}",
            shown(config, it.file.as_ref()),
            shown(config, it.account.as_ref())
        ),
    });
    section(&mut text, style, "Changed", changed.collect());
    let added = comparison.unlisted.iter().map(|(principal, boundary)| Line {
        principal: principal.to_string(),
        text: shown(config, Some(boundary)).to_owned(),
    });
    section(&mut text, style, "Added", added.collect());
    let kept = format!("{NOT_IN_ACCOUNT}, left unchanged");
    section(&mut text, style, &kept, missing(config, comparison));
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

fn missing(config: &Config, comparison: &Comparison) -> Vec<Line> {
    let about = |it: &Missing| {
        let file = shown(config, it.file.as_ref());
        match (&it.differs_by_case, it.principal.kind) {
            (Some(other), _) => {
                format!("file: {file}; correct the name: it is {other} in the account")
            }
            (None, PrincipalKind::User) => format!("file: {file}"),
            (None, PrincipalKind::Role) => format!("file: {file}; no such role, or AWS manages it"),
        }
    };
    let line = |it: &Missing| Line { principal: at(&it.principal, it.line), text: about(it) };
    comparison.missing.iter().map(line).collect()
}

fn at(principal: &Principal, line: usize) -> String {
    format!("{principal} (line {line})")
}

/// A boundary by its short name, if it has one.
fn shown<'b>(config: &'b Config, boundary: Option<&'b PolicyArn>) -> &'b str {
    match boundary {
        Some(arn) => config.names.name_of(arn).unwrap_or(arn.as_str()),
        None => "(none)",
    }
}

/// The numbers of principals that have another boundary, that are missing, and that are not listed.
fn counts(comparison: &Comparison) -> [PrincipalCounts; 3] {
    [
        PrincipalCounts::of(comparison.different.iter().map(|it| it.principal.kind)),
        PrincipalCounts::of(comparison.missing.iter().map(|it| it.principal.kind)),
        PrincipalCounts::of(comparison.unlisted.iter().map(|(principal, _)| principal.kind)),
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
        push(text, &format!("Not listed, and without a boundary: {counts}."));
    }
}
