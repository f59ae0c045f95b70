//! Markdown as [GitHub's dialect](https://github.github.com/gfm/) has it, in which foreign text stays text.

use super::style::Style;
use super::view::{
    Body, Boundary, ChangeView, Document, Place, Row, Section, Severity, Span, Text, counted,
};

/// The most characters that a comment may have on GitHub. Counted in UTF-16 units: no text has fewer of
/// them than characters.
const LIMIT: usize = 65_536;
/// Kept free for each section that follows, so that a long section does not push the others out.
const RESERVE: usize = 2_000;
/// The most that is kept free for all sections that follow.
const LARGEST_RESERVE: usize = 20_000;
/// A longer list is folded until a reader opens it.
const OPEN_ROWS: usize = 20;
/// Foreign sentences are cut to so many characters.
const LONGEST_QUOTE: usize = 500;

/// A document as a comment or a job's summary: a summary that is always whole, and then as much of the
/// sections as fits, those about errors first.
pub(super) fn document(document: &Document<'_>, _: Style) -> String {
    let mut page = Page::begin(document.marker, &summary(document));
    let mut parts: Vec<(Severity, Part)> = document
        .sections
        .iter()
        .filter_map(|section| Some((section.severity, part(section)?)))
        .collect();
    parts.sort_by_key(|(severity, _)| *severity != Severity::Error);
    for (n, (_, part)) in parts.iter().enumerate() {
        let following = parts.len() - n - 1;
        page.part(part, (following * RESERVE).min(LARGEST_RESERVE));
    }
    page.text
}

/// Title, counts, closing line, and what is about the document as a whole.
fn summary(document: &Document<'_>) -> String {
    let mut text = format!("### {}\n", inline(&document.title));
    if !document.counts.is_empty() {
        text.push_str("\n| | add | change | remove |\n| --- | ---: | ---: | ---: |\n");
        for row in &document.counts {
            let (label, add, change, remove) = (row.label, row.add, row.change, row.remove);
            text.push_str(&format!("| {label} | {add} | {change} | {remove} |\n"));
        }
    }
    if let Some(closing) = &document.closing {
        let parts: Vec<String> = closing.parts.iter().map(|(_, part)| inline(part)).collect();
        text.push_str(&format!("\n{}: {}.\n", words(closing.label), parts.join("; ")));
    }
    for section in &document.sections {
        let Body::Statements(statements) = &section.body else { continue };
        text.push_str(&format!("\n{}\n\n", heading(section)));
        for statement in statements {
            text.push_str(&format!("- {}\n", inline(statement)));
        }
        text.push_str(&about_all(section));
    }
    if let Some((label, digest)) = &document.digest {
        text.push_str(&format!("\n{label}: `{digest}`\n"));
    }
    text
}

fn heading(section: &Section<'_>) -> String {
    format!("**{}**", title(section))
}

fn title(section: &Section<'_>) -> String {
    section.heading.as_ref().map_or_else(|| "Changes".to_owned(), inline)
}

/// The heading and the number of rows in an HTML element, where Markdown has no code spans.
fn folded_title(section: &Section<'_>) -> String {
    let heading = section.heading.as_ref().map_or_else(|| "Changes".to_owned(), Text::to_string);
    let is_text = |c: char| c.is_alphanumeric() || " .,:;()-_/".contains(c);
    let heading: String = heading.chars().map(|c| if is_text(c) { c } else { '_' }).collect();
    format!("{heading}: {}", section.len())
}

/// What holds for all rows, and what to do about them.
fn about_all(section: &Section<'_>) -> String {
    let message = section.message.as_ref().map(|message| format!("\n{}\n", inline(message)));
    let help = section.help.as_ref().map(|help| format!("\nhelp: {}\n", inline(help)));
    message.unwrap_or_default() + &help.unwrap_or_default()
}

/// A section of any number of lines; none for one that the summary has.
fn part(section: &Section<'_>) -> Option<Part> {
    match &section.body {
        Body::Statements(_) => None,
        Body::Changes(rows) => Some(changes(section, rows)),
        Body::Group(rows)
            if rows.iter().all(|row| row.change.is_some() && row.message.is_empty()) =>
        {
            Some(changes(section, rows))
        }
        Body::Rows(rows) | Body::Group(rows) => {
            Some(list(section, rows.iter().map(row_line).collect()))
        }
        Body::Names(names) => {
            let line = |(name, arn): &(&str, &crate::iam::PolicyArn)| {
                format!("| {} | {} |", code(name), code(arn.as_str()))
            };
            Some(table(section, "| name | policy |", names.iter().map(line).collect()))
        }
    }
}

fn changes(section: &Section<'_>, rows: &[Row<'_>]) -> Part {
    table(section, "| | user | from | to | line |", rows.iter().filter_map(change_line).collect())
}

/// A table that is folded until a reader opens it.
fn table(section: &Section<'_>, columns: &str, lines: Vec<String>) -> Part {
    let rule = "| --- ".repeat(columns.matches('|').count() - 1);
    let head = format!("{}{columns}\n{rule}|\n", folded(&folded_title(section)));
    Part { head, lines, tail: format!("{}{FOLD_END}", about_all(section)), noun: section.noun }
}

fn list(section: &Section<'_>, lines: Vec<String>) -> Part {
    let (head, fold_end) = match lines.len() {
        ..=OPEN_ROWS => (format!("\n{}\n\n", heading(section)), ""),
        _ => (folded(&folded_title(section)), FOLD_END),
    };
    Part { head, lines, tail: format!("{}{fold_end}", about_all(section)), noun: section.noun }
}

const FOLD_END: &str = "\n</details>\n";

fn folded(title: &str) -> String {
    format!("\n<details><summary>{title}</summary>\n\n")
}

fn row_line(row: &Row<'_>) -> String {
    let place = row.place.map(|Place { line, column, .. }| match column {
        Some(column) if row.principal.is_none() => format!("{line}:{column}"),
        _ => format!("line {line}"),
    });
    let mut text = match (row.principal, place) {
        (Some(principal), Some(place)) => format!("- {} ({place})", code(principal)),
        (Some(principal), None) => format!("- {}", code(principal)),
        (None, place) => format!("- {}", place.unwrap_or_default()),
    };
    if !row.message.is_empty() {
        text.push_str(&format!(": {}", inline(&row.message)));
    }
    if let Some(help) = &row.help {
        text.push_str(&format!(" (help: {})", inline(help)));
    }
    text
}

fn change_line(row: &Row<'_>) -> Option<String> {
    let ChangeView { kind, from, to, .. } = row.change.as_ref()?;
    let boundary = |boundary: &Option<Boundary<'_>>| {
        boundary.map_or_else(|| "none".to_owned(), |boundary| code(boundary.shown()))
    };
    let line = row.place.map(|place| place.line.to_string()).unwrap_or_default();
    let (user, from, to) = (code(row.principal?), boundary(from), boundary(to));
    Some(format!("| {} | {user} | {from} | {to} | {line} |", kind.word()))
}

fn inline(text: &Text<'_>) -> String {
    let spans = text.spans().iter().map(|span| match span {
        Span::Ours(text) => words(text),
        Span::Name(text) => code(text),
        Span::Quote(text) => clipped(text),
    });
    spans.collect()
}

/// Foreign text as a code span: nothing in it is markup, a link, or calls a person.
///
/// A code span has no escapes, so what could end it, or the table's cell around it, is written as
/// `\u{7c}`; so is what nobody sees.
fn code(text: &str) -> String {
    let mut span = String::with_capacity(text.len() + 2);
    span.push('`');
    for c in text.chars() {
        match c {
            '`' | '|' => span.extend(c.escape_unicode()),
            '"' | '\'' | '\\' => span.push(c),
            c => span.extend(c.escape_debug()),
        }
    }
    // An empty span, or one of spaces, is none.
    if span.trim_end() == "`" {
        span.push_str("(empty)");
    }
    span.push('`');
    span
}

/// Foreign text, cut to a length that a reader would read.
fn clipped(text: &str) -> String {
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((cut, _)) => code(&format!("{}…", &text[..cut])),
        None => code(text),
    }
}

/// Our own words, in which no character is markup.
fn words(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() && !".,:;'()/".contains(c) {
            escaped.push('\\');
        }
        escaped.push(if c.is_control() { ' ' } else { c });
    }
    escaped
}

/// Markdown that is being written, and never exceeds [`LIMIT`].
struct Page {
    text: String,
    length: usize,
}

/// A part of a page that can have any number of lines.
struct Part {
    /// The text before the lines, with its line end.
    head: String,
    /// The lines, without their ends.
    lines: Vec<String>,
    /// The text after the lines, with its line end.
    tail: String,
    /// What one line is about, in the singular.
    noun: &'static str,
}

impl Page {
    /// A page that begins with what must be whole. A machine finds its earlier comment by the hidden line.
    fn begin(marker: &str, whole: &str) -> Page {
        let mut page = Page { text: String::new(), length: 0 };
        page.push(&format!("<!-- {marker} -->\n{whole}"));
        page
    }

    /// Adds as many of a part's lines as fit with `reserve` units left for what follows, and counts the
    /// others.
    fn part(&mut self, part: &Part, reserve: usize) {
        if part.lines.is_empty() {
            return;
        }
        let left_out = |count: usize| {
            let nouns = counted(count, part.noun);
            format!(
                "\n**{nouns} more did not fit here:** the text and JSON formats have them all.\n"
            )
        };
        let mut room = LIMIT.saturating_sub(self.length + reserve);
        let frame =
            length(&part.head) + length(&part.tail) + length(&left_out(part.lines.len())) + 2;
        let Some(for_lines) = room.checked_sub(frame) else {
            let note = left_out(part.lines.len());
            if length(&note) <= LIMIT - self.length {
                self.push(&note);
            }
            return;
        };
        room = for_lines;
        self.push(&part.head);
        let mut fitted = 0;
        for line in &part.lines {
            let Some(rest) = room.checked_sub(length(line) + 1) else { break };
            room = rest;
            self.push(line);
            self.push("\n");
            fitted += 1;
        }
        if fitted < part.lines.len() {
            self.push(&left_out(part.lines.len() - fitted));
        }
        self.push(&part.tail);
    }

    fn push(&mut self, text: &str) {
        self.length += length(text);
        self.text.push_str(text);
    }
}

fn length(text: &str) -> usize {
    text.encode_utf16().count()
}
