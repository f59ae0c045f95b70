//! How the boundaries of an account differ from a file, as text.

use std::collections::BTreeMap;

use textwrap::core::display_width;

use super::escape::visible;
use super::style::Style;
use super::text::{Columns, sections};
use super::view::{Body, Place, Row, Section, Severity, Text, Tone, principals};
use super::wrap::Sentence;
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

    fn place<'p>(&self, position: &'p Position) -> Place<'p> {
        Place {
            file: &position.file,
            line: position.line,
            column: None,
            is_rule: false,
            is_in_one_of_several: position.file != self.file,
        }
    }

    /// A principal and the position of its entry.
    fn at(&self, principal: &Principal, position: &Position) -> String {
        format!("{principal} ({})", self.place(position).text())
    }

    /// `file: developer`. It is not broken at the end of a line.
    fn labeled(&self, label: &str, boundary: Option<&PolicyArn>) -> Text<'static> {
        Text::name(format!("{label}: {}", self.shown(boundary)))
    }
}

/// A line about a principal: its name, and what is said about it.
struct Line<'a> {
    principal: String,
    text: Text<'a>,
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
        let statement = Text::name(&**file).and_sentence(format!(
            " matches account {account}: {matching} as listed, and no other boundary."
        ));
        push(&mut text, style, Tone::Good, &statement);
        push_without_boundary(&mut text, comparison, style);
        return text;
    }
    let headline = Text::name(&**file).and_sentence(format!(" differs from account {account}:"));
    push(&mut text, style, Tone::Strong, &headline);
    let different = comparison.different.iter();
    lines(
        &mut text,
        style,
        "Another boundary",
        different.map(|it| differs(compared, it)).collect(),
    );
    missing(&mut text, style, compared, comparison, NOT_IN_ACCOUNT, Body::Same);
    let needed = comparison.unlisted.iter().map(|it| {
        let account = compared.labeled("account", it.account.as_ref());
        let text = match &it.rule {
            Some(rule) => compared.labeled("rule", Some(rule)).and(", ").and_text(account),
            None => account,
        };
        (&it.principal, text)
    });
    unlisted(&mut text, style, needed.collect());
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
    text.push('\n');
    push(&mut text, style, Tone::Neutral, &Text::sentence(format!("{}.", summary.join("; "))));
    push_without_boundary(&mut text, comparison, style);
    text
}

/// The text of `import --update`: what was changed in the file.
pub fn render_update(compared: &ComparedFile<'_>, comparison: &Comparison, style: Style) -> String {
    let ComparedFile { account, file, .. } = compared;
    let mut text = String::new();
    let changed = comparison.different.iter().filter(|it| !it.is_expired);
    let different = PrincipalCounts::of(changed.map(|it| it.principal.kind));
    let [_, _, unlisted] = counts(comparison);
    let file = || Text::name(&**file);
    let (tone, headline) = if comparison.is_update_needed() {
        let counts = format!(
            " from account {account}: {} changed, {} added.",
            entries(different),
            entries(unlisted)
        );
        (Tone::Good, Text::ours("Updated ").and_text(file()).and_sentence(counts))
    } else if comparison.is_match() {
        let matches = format!(" was not changed: it matches account {account}.");
        (Tone::Good, file().and_sentence(matches))
    } else {
        (Tone::Neutral, file().and(" was not changed: no entry needs another boundary."))
    };
    push(&mut text, style, tone, &headline);
    let shown = |boundary: &Option<PolicyArn>| compared.shown(boundary.as_ref()).to_owned();
    let changed = comparison.different.iter().filter(|it| !it.is_expired).map(|it| Line {
        principal: compared.at(&it.principal, &it.position),
        text: Text::name(shown(&it.file)).and(" → ").and_name(shown(&it.account)),
    });
    lines(&mut text, style, "Changed", changed.collect());
    let added = comparison.unlisted.iter().map(|it| Line {
        principal: it.principal.to_string(),
        text: Text::name(shown(&it.account)),
    });
    lines(&mut text, style, "Added", added.collect());
    let expired = comparison.different.iter().filter(|it| it.is_expired);
    let expired = expired.map(|it| differs(compared, it)).collect();
    lines(&mut text, style, "Expired entries, left unchanged", expired);
    let kept = "Not in the account, left unchanged";
    missing(&mut text, style, compared, comparison, kept, Body::Group);
    if !comparison.is_match() {
        text.push('\n');
    }
    push_without_boundary(&mut text, comparison, style);
    text
}

const NOT_IN_ACCOUNT: &str = "Not in the account";

fn push(text: &mut String, style: Style, tone: Tone, sentence: &Text<'_>) {
    Sentence::default().text(tone, sentence).write(text, style, 0, 2);
}

/// A section with a line for each principal. If the widest one does not fit, what is said about each is below its name.
fn lines(text: &mut String, style: Style, title: &str, lines: Vec<Line<'_>>) {
    if lines.is_empty() {
        return;
    }
    text.push_str(&format!("\n{}:\n", style.strong(title)));
    let width = |line: &Line<'_>| display_width(&visible(&line.principal));
    let name = lines.iter().map(width).max().unwrap_or_default();
    let about = lines.iter().map(|line| display_width(&line.text.to_string())).max();
    let is_aligned = 2 + name + 2 + about.unwrap_or_default() <= style.width;
    for line in lines {
        let space = " ".repeat(name - width(&line));
        let shown = visible(&line.principal);
        match is_aligned {
            true => {
                text.push_str(&format!("  {shown}{space}  {}\n", visible(&line.text.to_string())))
            }
            false => {
                text.push_str(&format!("  {shown}\n"));
                Sentence::default().text(Tone::Neutral, &line.text).write(text, style, 6, 6);
            }
        }
    }
}

/// A section about principals to which the same applies, as in a plan.
fn group<'a>(
    text: &mut String,
    style: Style,
    title: &'static str,
    body: Body<'a>,
    (message, help): (Option<Text<'a>>, Option<Text<'a>>),
) {
    let section = Section {
        heading: Some(Text::ours(title)),
        severity: Severity::Detail,
        label: title,
        noun: principals(body.rows()).noun(),
        body,
        message,
        help,
    };
    let columns = Columns::without_places(0, Vec::new(), style);
    text.push('\n');
    sections(text, &[section], &columns, style);
    // What follows begins with an empty line itself.
    text.pop();
}

fn row<'a>(principal: &'a Principal, place: Option<Place<'a>>) -> Row<'a> {
    Row { principal: Some(principal), change: None, place, message: Text::default(), help: None }
}

/// The entries whose principals the account does not have. Many are named together.
fn missing<'c>(
    text: &mut String,
    style: Style,
    compared: &ComparedFile<'_>,
    comparison: &'c Comparison,
    title: &'static str,
    body: fn(Vec<Row<'c>>) -> Body<'c>,
) {
    let mut single = Vec::new();
    for kind in PrincipalKind::ALL {
        let of_kind = comparison.missing.iter().filter(|it| it.principal.kind == kind);
        let (misspelled, absent): (Vec<&Missing>, Vec<&Missing>) =
            of_kind.partition(|it| it.differs_by_case.is_some());
        let line = |it: &Missing| Line {
            principal: compared.at(&it.principal, &it.position),
            text: compared.labeled("file", it.file.as_ref()).and_text(match &it.differs_by_case {
                Some(other) => Text::ours("; correct the name: it is ")
                    .and_name(other.to_string())
                    .and(" in the account"),
                None if kind == PrincipalKind::Role => {
                    Text::ours("; no such role, or AWS manages it")
                }
                None => Text::default(),
            }),
        };
        single.extend(misspelled.into_iter().map(line));
        if absent.len() < MIN_SAME {
            single.extend(absent.into_iter().map(line));
        } else {
            let rows =
                absent.iter().map(|it| row(&it.principal, Some(compared.place(&it.position))));
            let message = match kind {
                PrincipalKind::User => None,
                PrincipalKind::Role => Some(Text::ours("no such role, or AWS manages it")),
            };
            group(text, style, title, body(rows.collect()), (message, None));
        }
    }
    lines(text, style, title, single);
}

/// The principals that need an entry. Many with the same boundary are named together.
fn unlisted<'c>(text: &mut String, style: Style, needed: Vec<(&'c Principal, Text<'c>)>) {
    const TITLE: &str = "Not listed";
    let mut single = Vec::new();
    let mut groups: BTreeMap<String, Vec<(&Principal, Text<'_>)>> = BTreeMap::new();
    for (principal, about) in needed {
        groups.entry(about.to_string()).or_default().push((principal, about));
    }
    for same in groups.into_values() {
        if same.len() < MIN_SAME {
            single.extend(same);
            continue;
        }
        let about = same.first().map(|(_, about)| about.clone());
        let rows = same.iter().map(|(principal, _)| row(principal, None)).collect();
        group(text, style, TITLE, Body::Same(rows), (about, None));
    }
    single.sort_by(|a: &(&Principal, Text<'_>), b| a.0.cmp(b.0));
    let line = |(it, text): (&Principal, Text<'c>)| Line { principal: it.to_string(), text };
    lines(text, style, TITLE, single.into_iter().map(line).collect());
}

/// The minimum number of principals with the same statement that are named together.
const MIN_SAME: usize = 5;

fn differs<'c>(compared: &ComparedFile<'_>, it: &'c Different) -> Line<'c> {
    let account = compared.labeled("account", it.account.as_ref());
    let text = match it.is_expired {
        true => Text::ours("the entry is expired; ").and_text(account),
        false => compared.labeled("file", it.file.as_ref()).and(", ").and_text(account),
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
fn push_without_boundary(text: &mut String, comparison: &Comparison, style: Style) {
    let counts = comparison.unlisted_without_boundary;
    if counts.total() > 0 {
        let counted = format!("Not listed, and without a boundary (not a difference): {counts}.");
        push(text, style, Tone::Neutral, &Text::sentence(counted));
    }
}
