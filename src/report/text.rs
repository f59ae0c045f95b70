//! Text for people.

use std::io::{self, Write};

use textwrap::core::display_width;

use super::RunReporter;
use super::escape::visible;
use super::style::Style;
use super::view::{
    Attempted, Body, Boundary, ChangeKind, ChangeView, Closing, Difference, Document, Place, Row,
    Run, Section, Text, Tone, attempted, counted_rows, named_rows,
};
use super::wrap::Sentence;
use crate::apply::Event;
use crate::iam::Principal;
use crate::plan::Preflight;

/// Stands for a missing boundary. No short name contains parentheses.
const NO_BOUNDARY: &str = "(none)";

/// Renders a document. The closing line and the digest come last.
pub(super) fn document(document: &Document<'_>, style: Style) -> String {
    let mut text = String::new();
    if let Some(introduction) = &document.introduction {
        Sentence::default().text(Tone::Neutral, introduction).write(&mut text, style, 0, 2);
        text.push('\n');
    }
    let columns = Columns::of("  ".len(), document.sections.iter().flat_map(Section::rows), style);
    sections(&mut text, &document.sections, &columns, style);
    closing(&mut text, document, style);
    text
}

/// Sections, each with an empty line after it.
pub(super) fn sections(
    text: &mut String,
    sections: &[Section<'_>],
    columns: &Columns,
    style: Style,
) {
    for section in sections {
        write_section(text, section, columns, style);
        text.push('\n');
    }
}

/// The closing line, and the digest.
pub(super) fn closing(text: &mut String, document: &Document<'_>, style: Style) {
    if let Some(Closing { label, parts }) = &document.closing {
        let mut sentence = Sentence::default().ours(Tone::Neutral, label).ours(Tone::Neutral, ": ");
        for (n, (tone, part)) in parts.iter().enumerate() {
            let end = if n + 1 < parts.len() { "; " } else { "." };
            sentence = sentence.text(*tone, part).ours(Tone::Neutral, end);
        }
        sentence.write(text, style, 0, 2);
    }
    if let Some((label, digest)) = &document.digest {
        text.push_str(&format!("{label}: {}\n", digest.short()));
    }
}

/// The report of a run in progress: a line for each change as soon as IAM responds, and at the end the
/// failures, the results of verification and the counts.
pub(super) struct TextRun<'p, W> {
    run: Run<'p>,
    columns: Columns,
    style: Style,
    /// Whether the last line is empty.
    is_separated: bool,
    to: W,
}

/// The width of the label before each change of a run, in columns.
const LABEL_WIDTH: usize = "applied ".len();

impl<'p, W: Write> TextRun<'p, W> {
    pub(super) fn new(preflight: &'p Preflight, style: Style, to: W) -> Self {
        let run = Run::new(preflight);
        let columns = Columns::without_places(LABEL_WIDTH, run.rows(), style);
        TextRun { run, columns, style, is_separated: false, to }
    }

    fn write_sections(&self, text: &mut String, shown: &[Section<'_>]) {
        if !shown.is_empty() && !self.is_separated {
            text.push('\n');
        }
        sections(text, shown, &self.columns, self.style);
    }

    fn text_on(&self, event: &Event) -> String {
        let mut text = String::new();
        match event {
            Event::Started { .. } => self.write_sections(&mut text, &self.run.before()),
            Event::Answered { change, call } => {
                if let Some(attempted) = attempted(self.run.plan(), change, call) {
                    write_attempted(&mut text, &attempted, &self.columns, self.style);
                }
            }
            Event::StoppedBy(_) => {
                let stop: Vec<Section<'_>> = self.run.stop().into_iter().collect();
                self.write_sections(&mut text, &stop);
            }
            Event::Finished(summary) => {
                self.write_sections(&mut text, &self.run.outcomes(summary));
                if text.is_empty() && !self.is_separated {
                    text.push('\n');
                }
                closing(&mut text, &self.run.document(summary), self.style);
            }
            Event::Retrying { .. }
            | Event::Waiting(_)
            | Event::Verifying { .. }
            | Event::Ended(_) => {}
        }
        text
    }
}

impl<W: Write> RunReporter for TextRun<'_, W> {
    fn on(&mut self, event: &Event) -> io::Result<()> {
        self.run.on(event);
        let text = self.text_on(event);
        if !text.is_empty() {
            self.is_separated = text.ends_with("\n\n");
        }
        self.to.write_all(text.as_bytes())?;
        match event {
            Event::Finished(_) => self.to.flush(),
            _ => Ok(()),
        }
    }
}

fn write_attempted(text: &mut String, attempted: &Attempted<'_>, columns: &Columns, style: Style) {
    let Attempted { label, severity, row, attempts } = attempted;
    if let (Some(principal), Some(change)) = (row.principal, &row.change) {
        let label = format!("{label:width$}", width = LABEL_WIDTH - 1);
        let label = style.tone(severity.tone(), label) + " ";
        text.push_str(&columns.line(&label, &principal.label(), change, None, style));
    }
    if *attempts > 1 && row.message.is_empty() {
        text.push_str(&style.dim(format!("  ({attempts} attempts)")));
    }
    text.push('\n');
    if let Some(change) = &row.change {
        write_note(text, change, LABEL_WIDTH, style);
    }
    if !row.message.is_empty() {
        let message = Sentence::default().text(Tone::Neutral, &row.message);
        message.write(text, style, LABEL_WIDTH, LABEL_WIDTH);
    }
}

fn write_section(text: &mut String, section: &Section<'_>, columns: &Columns, style: Style) {
    match &section.body {
        Body::Names(_) => {}
        body => {
            let is_counted = matches!(body, Body::Group(_) | Body::Same(_));
            write_heading(text, section, is_counted, style);
        }
    }
    match &section.body {
        Body::Changes(rows) => {
            for row in rows {
                if let (Some(principal), Some(change)) = (row.principal, &row.change) {
                    let (label, place) = (principal.label(), row.place.as_ref());
                    text.push_str(&columns.line("  ", &label, change, place, style));
                    text.push('\n');
                    write_note(text, change, 6, style);
                }
            }
        }
        Body::Rows(rows) => write_rows(text, rows, style),
        Body::Group(rows) => write_principals(text, rows, style),
        Body::Same(rows) => {
            Sentence::default().text(Tone::Neutral, &named_rows(rows)).write(text, style, 2, 2);
        }
        Body::Names(names) => {
            let width = names.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
            for (name, arn) in names {
                text.push_str(&format!("  {}\n", style.dim(format!("{name:width$} = {arn}"))));
            }
        }
        Body::Statements(statements) => {
            for statement in statements {
                Sentence::default().text(Tone::Neutral, statement).write(text, style, 2, 6);
            }
        }
        Body::Differences(differences) => {
            differences.iter().for_each(|it| write_difference(text, it, style));
        }
    }
    if let Some(cause) = section.cause() {
        Sentence::default().text(Tone::Neutral, cause).write(text, style, 2, 6);
    }
    if let Some(help) = &section.help {
        write_help(text, help, 2, style);
    }
}

fn write_difference(text: &mut String, difference: &Difference<'_>, style: Style) {
    Sentence::default().text(Tone::Neutral, &difference.statement).write(text, style, 2, 6);
    for line in difference.lines {
        let shown = match line.as_bytes().first() {
            Some(b'+') => style.good(line),
            Some(b'-') => style.bad(line),
            _ => line.to_string(),
        };
        text.push_str(&format!("      {shown}\n"));
    }
}

fn write_heading(text: &mut String, section: &Section<'_>, is_counted: bool, style: Style) {
    let Some(heading) = &section.heading else { return };
    let tone = match section.body {
        Body::Changes(_) => Tone::Strong,
        _ => section.severity.tone(),
    };
    let end = match is_counted {
        true => format!(": {}", counted_rows(section.rows(), section.noun)),
        false => ":".to_owned(),
    };
    Sentence::default().text(tone, heading).ours(tone, &end).write(text, style, 0, 2);
}

fn write_rows(text: &mut String, rows: &[Row<'_>], style: Style) {
    for (n, row) in rows.iter().enumerate() {
        let mut sentence = Sentence::default();
        if let Some(place) = row.place {
            let column = place.column.map(|column| format!(":{column}")).unwrap_or_default();
            let place = format!("{}:{}{column}:", place.file, place.line);
            sentence = sentence.name(Tone::Neutral, place).ours(Tone::Neutral, " ");
        }
        if let Some(principal) = row.principal {
            sentence = sentence.name(Tone::Strong, principal.label()).ours(Tone::Neutral, ": ");
        }
        sentence.text(Tone::Neutral, &row.message).write(text, style, 2, 6);
        // Consecutive rows with the same help show it once.
        let is_last = rows.get(n + 1).is_none_or(|next| next.help != row.help);
        if let Some(help) = row.help.as_ref().filter(|_| is_last) {
            write_help(text, help, 6, style);
        }
    }
}

fn write_principals(text: &mut String, rows: &[Row<'_>], style: Style) {
    let mut names = Sentence::default();
    for (n, row) in rows.iter().enumerate() {
        let comma = if n + 1 < rows.len() { ", " } else { "" };
        let name = row.principal.map(Principal::label).unwrap_or_default();
        names = names.name(Tone::Neutral, name).ours(Tone::Neutral, comma);
    }
    names.write(text, style, 2, 2);
}

fn write_help(text: &mut String, help: &Text<'_>, indent: usize, style: Style) {
    let sentence = Sentence::default().ours(Tone::Strong, "help:").ours(Tone::Neutral, " ");
    sentence.text(Tone::Neutral, help).write(text, style, indent, indent + "help: ".len());
}

/// Changes as aligned lines: `+ name  from → to`. If the widest line does not fit, the boundaries of every
/// change are on one or two lines of their own.
pub(super) struct Columns {
    /// The width of the space before each change, in columns.
    indent: usize,
    width: usize,
    /// The widths of names and of both boundaries, if each change fits on a line.
    aligned: Option<(usize, usize, usize)>,
}

const ARROW: &str = " → ";

impl Columns {
    pub(super) fn of<'r>(
        indent: usize,
        rows: impl IntoIterator<Item = &'r Row<'r>>,
        style: Style,
    ) -> Self {
        let (mut name, mut from, mut to, mut place) = (0, 0, 0, 0);
        for row in rows {
            if let (Some(principal), Some(change)) = (row.principal, &row.change) {
                name = name.max(principal.label().len());
                from = from.max(shown(change.from).len());
                to = to.max(shown(change.to).len());
                place = place.max(row.place.map_or(0, |place| place_width(&place)));
            }
        }
        let line = "+ ".len() + name + "  ".len() + from + ARROW.chars().count() + to;
        let place = if place == 0 { 0 } else { "  ".len() + place };
        let aligned = (indent + line + place <= style.width).then_some((name, from, to));
        Columns { indent, width: style.width, aligned }
    }

    /// The columns of a run, which does not repeat the places of the plan.
    pub(super) fn without_places<'r>(indent: usize, rows: Vec<Row<'r>>, style: Style) -> Self {
        let rows: Vec<Row<'r>> = rows.into_iter().map(|row| Row { place: None, ..row }).collect();
        Columns::of(indent, &rows, style)
    }

    /// One change, without a line end. `before` is as wide as the indent.
    pub(super) fn line(
        &self,
        before: &str,
        principal: &str,
        change: &ChangeView<'_>,
        place: Option<&Place<'_>>,
        style: Style,
    ) -> String {
        let (from, to) = (visible(shown(change.from)), visible(shown(change.to)));
        let (name_width, from_width, to_width) = self.aligned.unwrap_or_default();
        let place = place.map(|place| visible(&place.label()).into_owned());
        let place = place.map(|place| format!("  {}", style.dim(place)));
        let name = format!("{} {:name_width$}", change.kind.sign(), visible(principal));
        let name = match change.kind {
            ChangeKind::Add => style.good(name),
            ChangeKind::Change => style.careful(name),
            ChangeKind::Remove => style.bad(name),
        };
        if self.aligned.is_some() {
            return match place {
                Some(place) => {
                    format!("{before}{name}  {from:from_width$}{ARROW}{to:to_width$}{place}")
                }
                None => format!("{before}{name}  {from:from_width$}{ARROW}{to}"),
            };
        }
        let name = name + &place.unwrap_or_default();
        let indent = self.indent + 4;
        let next = format!("\n{:indent$}", "");
        let arrow = ARROW.chars().count();
        match indent + from.len() + arrow + to.len() <= self.width {
            true => format!("{before}{name}{next}{from}{ARROW}{to}"),
            false => format!("{before}{name}{next}{from}{next}{}{to}", ARROW.trim_start()),
        }
    }
}

fn place_width(place: &Place<'_>) -> usize {
    display_width(&visible(&place.label()))
}

/// The expiration and the reason of a change, on lines of their own.
fn write_note(text: &mut String, change: &ChangeView<'_>, indent: usize, style: Style) {
    if let Some(note) = change.note() {
        let is_careful = change.expired.is_some() || change.allows_everything();
        let tone = if is_careful { Tone::Careful } else { Tone::Neutral };
        Sentence::default().text(tone, &note).write(text, style, indent, indent);
    }
}

fn shown<'a>(boundary: Option<Boundary<'a>>) -> &'a str {
    boundary.as_ref().map_or(NO_BOUNDARY, Boundary::shown)
}
