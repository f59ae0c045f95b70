//! GitHub Actions
//! [workflow commands](https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands),
//! which annotate lines of a file in a review.

use std::borrow::Cow;

use super::escape::visible;
use super::style::Style;
use super::view::{
    Body, Boundary, Document, FleetAccount, FleetDocument, Place, Row, Section, Severity, Span,
    Text, counted_more, counted_rows, grouped, named_rows,
};

/// GitHub displays at most this many annotations of each level for a step; the log of the step has the others
/// ([limits](https://docs.github.com/actions/reference/limits)).
const MAX_ANNOTATIONS: usize = 10;
const LEVELS: [Level; 3] = [Level::Error, Level::Warning, Level::Notice];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Error,
    Warning,
    Notice,
}

/// One message. The title and the text can contain any character.
struct Annotation<'a> {
    title: String,
    text: String,
    place: Option<Place<'a>>,
    /// The annotations of a level are sorted by rank.
    rank: u8,
    noun: &'static str,
}

/// Renders a document. The closing line comes first. For each level, messages about the whole document come
/// before those on lines of the file, and dangerous changes before others.
pub(super) fn document(document: &Document<'_>, _: Style) -> String {
    levels(document, |level| {
        let mut annotations = Vec::new();
        sections_annotations(&document.sections, level, &mut annotations);
        annotations
    })
}

/// Renders the plans or runs of a fleet. The title of a message of an account begins with the account.
pub(super) fn fleet(fleet: &FleetDocument<'_>, _: Style) -> String {
    levels(&fleet.document, |level| {
        let mut annotations = Vec::new();
        sections_annotations(&fleet.document.sections, level, &mut annotations);
        for FleetAccount { account, document } in &fleet.accounts {
            let begin = annotations.len();
            sections_annotations(&document.sections, level, &mut annotations);
            let label = account.label();
            for annotation in &mut annotations[begin..] {
                annotation.title = format!("{}: {}", visible(&label), annotation.title);
            }
        }
        annotations
    })
}

/// The messages of each level, as many as GitHub displays.
fn levels<'a>(
    document: &Document<'_>,
    annotations: impl Fn(Level) -> Vec<Annotation<'a>>,
) -> String {
    let mut text = String::new();
    for level in LEVELS {
        let mut annotations = annotations(level);
        annotations.sort_by_key(|annotation| {
            (annotation.place.is_some(), annotation.rank, annotation.place.map(|place| place.line))
        });
        let summary = summary(document, level);
        let available = MAX_ANNOTATIONS - usize::from(summary.is_some());
        if let Some(summary) = summary {
            text.insert_str(0, &summary);
        }
        let shown = if annotations.len() <= available { annotations.len() } else { available - 1 };
        for annotation in &annotations[..shown] {
            text.push_str(&command(level, annotation));
        }
        text.push_str(&left_out(level, &annotations[shown..], annotations.len()));
    }
    text
}

fn sections_annotations<'a>(
    sections: &'a [Section<'a>],
    level: Level,
    to: &mut Vec<Annotation<'a>>,
) {
    for section in sections.iter().filter(|section| level_of(section.severity) == Some(level)) {
        section_annotations(section, to);
    }
}

/// The closing line, if the document has this level.
fn summary(document: &Document<'_>, level: Level) -> Option<String> {
    let closing = document.closing.as_ref()?;
    if level_of(document.severity) != Some(level) {
        return None;
    }
    let mut text = format!("{}.", closing.plain());
    if let Some(account) = &document.account {
        text.push_str(&format!(" Account {account}."));
    }
    if let Some((label, digest)) = document.digest {
        text.push_str(&format!(" {label}: {digest}"));
    }
    let title = "Permissions boundaries".to_owned();
    Some(command(level, &Annotation { title, text, place: None, rank: 0, noun: "" }))
}

fn left_out(level: Level, left: &[Annotation<'_>], all: usize) -> String {
    let Some(first) = left.first() else { return String::new() };
    let noun = match left.iter().all(|annotation| annotation.noun == first.noun) {
        true => first.noun,
        false => "message",
    };
    let title = counted_more(left.len(), noun);
    let text = format!(
        "GitHub displays at most {MAX_ANNOTATIONS} annotations of each level for a step; --format text \
         shows all {}.",
        grouped(all)
    );
    command(level, &Annotation { title, text, place: None, rank: 0, noun })
}

fn section_annotations<'a>(section: &Section<'a>, to: &mut Vec<Annotation<'a>>) {
    let heading = section.heading.as_ref().map(escaped).unwrap_or_default();
    if let Body::Same(rows) = &section.body {
        to.extend(rows.first().map(|first| on_first_line(section, rows, first)));
        return;
    }
    let on_lines = section.rows().iter().filter(|row| row.place.is_some());
    to.extend(on_lines.map(|row| on_line(section, row)));
    let mut about_all: Vec<String> = match &section.body {
        Body::Statements(statements) => statements.iter().map(escaped).collect(),
        Body::Differences(differences) => {
            differences.iter().map(|it| escaped(&it.statement)).collect()
        }
        _ => together(section).into_iter().collect(),
    };
    if !about_all.is_empty() {
        about_all.extend(section.help.as_ref().map(|help| format!("help: {}", escaped(help))));
        let text = about_all.join("\n");
        to.push(Annotation { title: heading, text, place: None, rank: 0, noun: section.noun });
    }
}

/// One message for all rows that are not about a line of the file.
fn together(section: &Section<'_>) -> Option<String> {
    let rows: Vec<&Row<'_>> = section.rows().iter().filter(|row| row.place.is_none()).collect();
    rows.first()?;
    let counted = counted_rows(rows.iter().copied(), section.noun);
    let mut text = format!("{counted}: {}", escaped(&named_rows(rows)));
    if let Some(cause) = section.cause() {
        text.push('\n');
        text.push_str(&escaped(cause));
    }
    Some(text)
}

/// One message for principals with the same problem, on the line of the first.
fn on_first_line<'a>(section: &Section<'a>, rows: &[Row<'a>], first: &Row<'a>) -> Annotation<'a> {
    let title = format!("{}: {}", counted_rows(rows, section.noun), section.label);
    let mut text = section.message.as_ref().map(escaped).unwrap_or_default();
    text.push_str(&format!("\n{}", escaped(&named_rows(rows))));
    if let Some(help) = &section.help {
        text.push_str(&format!("\nhelp: {}", escaped(help)));
    }
    Annotation { title, text, place: first.place, rank: 0, noun: section.noun }
}

fn on_line<'a>(section: &Section<'a>, row: &Row<'a>) -> Annotation<'a> {
    let mut text = escaped(&row.message);
    let title = match (row.principal, &row.change) {
        (Some(principal), Some(change)) if matches!(section.body, Body::Changes(_)) => {
            text = format!("{} → {}", shown(change.from), shown(change.to));
            if row.place.is_some_and(|place| place.is_rule) {
                text.push_str("\ndecided by this rule");
            }
            if let Some(note) = change.note() {
                text.push_str(&format!("\n{}", escaped(&note)));
            }
            let what = format!("{} {}", change.kind.word(), visible(&principal.label()));
            if section.label.is_empty() { what } else { format!("{}: {what}", section.label) }
        }
        (Some(principal), _) => format!("{}: {}", visible(&principal.label()), section.label),
        (None, _) => text.clone(),
    };
    if let Some(help) = section.help_for(row) {
        let help = escaped(help);
        match row.principal {
            // The message is the title.
            None => text = help,
            Some(_) => text.push_str(&format!("\nhelp: {help}")),
        }
    }
    let rank = match (&section.body, &row.change) {
        (Body::Changes(_), Some(change)) if !change.is_removal => change.kind as u8,
        _ => 0,
    };
    Annotation { title, text, place: row.place, rank, noun: section.noun }
}

fn shown(boundary: Option<Boundary<'_>>) -> Cow<'_, str> {
    boundary.map_or("no boundary".into(), |boundary| visible(boundary.shown()))
}

/// `None` for details, which a review does not show.
fn level_of(severity: Severity) -> Option<Level> {
    match severity {
        Severity::Error => Some(Level::Error),
        Severity::Warning => Some(Level::Warning),
        Severity::Notice => Some(Level::Notice),
        Severity::Detail => None,
    }
}

fn escaped(text: &Text<'_>) -> String {
    let spans = text.spans().iter().map(|span| match span {
        Span::Ours(text) => text.as_ref().into(),
        Span::Name(text) | Span::Quote(text) => visible(text),
    });
    spans.collect()
}

fn command(level: Level, annotation: &Annotation<'_>) -> String {
    let level = match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Notice => "notice",
    };
    let mut properties = String::new();
    if let Some(Place { file, line, column, .. }) = annotation.place {
        let file = property(&visible(&in_repository(file)));
        properties = format!("file={file},line={line},");
        if let Some(column) = column {
            properties.push_str(&format!("col={column},"));
        }
    }
    let (title, text) = (property(&annotation.title), data(&annotation.text));
    format!("::{level} {properties}title={title}::{text}\n")
}

/// GitHub resolves the path against the root of the repository, and does not accept `./`.
fn in_repository(file: &str) -> String {
    let file = if cfg!(windows) { file.replace('\\', "/") } else { file.to_owned() };
    file.strip_prefix("./").map(str::to_owned).unwrap_or(file)
}

/// The escapes are those of the
/// [Actions toolkit](https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts).
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_cannot_end_its_command_or_begin_another() {
        let annotation = Annotation {
            title: "a,line=9::b\n::error::c".to_owned(),
            text: "100%\r\n::warning::x".to_owned(),
            place: Some(Place {
                file: "./a,b.toml",
                line: 7,
                column: Some(2),
                is_rule: false,
                is_in_one_of_several: false,
            }),
            rank: 0,
            noun: "",
        };
        let text = command(Level::Error, &annotation);
        assert_eq!(
            text,
            "::error file=a%2Cb.toml,line=7,col=2,title=a%2Cline=9%3A%3Ab%0A%3A%3Aerror%3A%3Ac\
             ::100%25%0D%0A::warning::x\n"
        );
    }
}
