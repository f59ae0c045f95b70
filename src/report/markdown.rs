//! [GitHub Flavored Markdown](https://github.github.com/gfm/), in which untrusted text is never interpreted as
//! markup.

use super::style::Style;
use super::view::{
    Body, Boundary, ChangeView, Closing, CountsRow, Difference, Document, GUARD_RAIL, Place, Row,
    Section, Severity, Span, Text, counted, counted_more, counted_rows, grouped, named_rows,
    principals,
};
use crate::iam::{Digest, is_unsafe};

/// The maximum length of a comment on GitHub, in characters. This module counts UTF-16 code units: a text
/// has at least as many of them as characters.
pub(super) const MAX_LENGTH: usize = 65_536;
/// The length that is reserved for each following section, so that a long section does not displace the
/// others.
const RESERVE: usize = 2_000;
/// The maximum length that is reserved for all following sections.
const MAX_RESERVE: usize = 20_000;
/// The length that even removals leave for the note of each following section that does not fit.
const NOTE_RESERVE: usize = 200;
/// A list with more rows is collapsed.
const MAX_OPEN_ROWS: usize = 20;
/// The maximum length of a quoted sentence, in characters. Longer ones are truncated.
const MAX_QUOTE: usize = 500;

/// Renders a document for a comment or a job summary: a summary that is always complete, then as much of the
/// sections as fits, errors first. Of changes that do not fit, removals come first.
pub(super) fn document(document: &Document<'_>, _: Style) -> String {
    let mut page = Page::begin(document.marker, &summary(document));
    let parts = parts(document);
    for (n, part) in parts.iter().enumerate() {
        let following = &parts[n + 1..];
        page.part(part, Reserve::of(following, following.iter().map(Part::removals_length).sum()));
    }
    page.text
}

/// The sections that the summary does not contain, errors first.
pub(super) fn parts(document: &Document<'_>) -> Vec<Part> {
    let mut parts: Vec<(Severity, Part)> = document
        .sections
        .iter()
        .filter_map(|section| Some((section.severity, part(section)?)))
        .collect();
    parts.sort_by_key(|(severity, _)| *severity != Severity::Error);
    parts.into_iter().map(|(_, part)| part).collect()
}

/// The title, the counts, the closing line and the statements about the whole document.
fn summary(document: &Document<'_>) -> String {
    let mut text = beginning(document);
    // What refuses the plan comes first.
    let (violated, others): (Vec<&Section<'_>>, Vec<&Section<'_>>) =
        document.sections.iter().partition(|section| section.label == GUARD_RAIL);
    violated.into_iter().chain(others).for_each(|section| text.push_str(&statements(section)));
    text + &digest_line(document)
}

/// The title, the counts and the closing line.
pub(super) fn beginning(document: &Document<'_>) -> String {
    let closing = document.closing.as_ref().map(closing_line).unwrap_or_default();
    format!("### {}\n{}{closing}", inline(&document.title), counts_table(&document.counts))
}

/// The digest; empty without one.
pub(super) fn digest_line(document: &Document<'_>) -> String {
    let line = |(label, digest): &(&str, Digest)| format!("\n{label}: `{digest}`\n");
    document.digest.as_ref().map(line).unwrap_or_default()
}

/// The counts as a table; empty without counts.
fn counts_table(counts: &[CountsRow]) -> String {
    let mut text = String::new();
    if !counts.is_empty() {
        text.push_str("\n| | add | change | remove |\n| --- | ---: | ---: | ---: |\n");
    }
    for row in counts {
        let [add, change, remove] = [row.add, row.change, row.remove].map(grouped);
        text.push_str(&format!("| {} | {add} | {change} | {remove} |\n", row.label));
    }
    text
}

pub(super) fn closing_line(closing: &Closing<'_>) -> String {
    let parts: Vec<String> = closing.parts.iter().map(|(_, part)| inline(part)).collect();
    format!("\n{}: {}.\n", words(closing.label), parts.join("; "))
}

/// A section of statements about the whole document; empty for another section.
pub(super) fn statements(section: &Section<'_>) -> String {
    let whole = |part: Part| part.head + &part.lines.join("\n") + "\n" + &part.tail;
    statement_part(section).map(whole).unwrap_or_default()
}

/// The statements of a section about the whole document; `None` for another section.
pub(super) fn statement_part(section: &Section<'_>) -> Option<Part> {
    let Body::Statements(statements) = &section.body else { return None };
    Some(Part {
        head: format!("\n{}\n\n", heading(section)),
        lines: statements.iter().map(|statement| format!("- {}", inline(statement))).collect(),
        tail: about_all(section),
        noun: "statement",
        removals: None,
    })
}

fn heading(section: &Section<'_>) -> String {
    format!("**{}**", title(section))
}

fn title(section: &Section<'_>) -> String {
    section.heading.as_ref().map_or_else(|| "Changes".to_owned(), inline)
}

/// The heading and the number of rows, for an HTML element, in which Markdown has no code spans.
fn folded_title(section: &Section<'_>) -> String {
    let heading = section.heading.as_ref().map_or_else(|| "Changes".to_owned(), Text::to_string);
    let is_text = |c: char| c.is_alphanumeric() || " .,:;()-_/".contains(c);
    let heading: String = heading.chars().map(|c| if is_text(c) { c } else { '_' }).collect();
    format!("{heading}: {}", grouped(section.len()))
}

/// The message and the help that apply to all rows.
fn about_all(section: &Section<'_>) -> String {
    let message = section.message.as_ref().map(|message| format!("\n{}\n", inline(message)));
    let help = section.help.as_ref().map(|help| format!("\nhelp: {}\n", inline(help)));
    message.unwrap_or_default() + &help.unwrap_or_default()
}

/// A section of any number of lines; `None` if the summary contains it.
fn part(section: &Section<'_>) -> Option<Part> {
    match &section.body {
        Body::Statements(_) => None,
        Body::Differences(differences) => {
            Some(list(section, differences.iter().map(difference).collect()))
        }
        Body::Changes(rows) => {
            let part = changes(section, rows);
            // A reviewer must see who loses a boundary.
            let is_open = part.removals() > 0;
            Some(if is_open { Part { head: opened(&part.head), ..part } } else { part })
        }
        Body::Group(rows)
            if rows.iter().all(|row| row.change.is_some() && row.message.is_empty()) =>
        {
            Some(changes(section, rows))
        }
        Body::Rows(rows) | Body::Group(rows) => {
            Some(list(section, rows.iter().map(row_line).collect()))
        }
        Body::Same(rows) => Some(same(section, rows)),
        Body::Names(names) => {
            let line = |(name, arn): &(&str, &crate::iam::PolicyArn)| {
                format!("| {} | {} |", code(name), code(arn.as_str()))
            };
            Some(table(section, "| name | policy |", names.iter().map(line).collect()))
        }
    }
}

fn changes(section: &Section<'_>, rows: &[Row<'_>]) -> Part {
    let has_notes = rows.iter().any(|row| note(row).is_some());
    let notes = if has_notes { " note |" } else { "" };
    let columns = format!("| | {} | from | to | line |{notes}", principals(rows).noun());
    let lines = rows.iter().filter_map(|row| Some((change_line(row, has_notes)?, is_removal(row))));
    let (lines, removals): (Vec<String>, Vec<bool>) = lines.unzip();
    Part { removals: Some(removals), ..table(section, &columns, lines) }
}

/// Principals with the same message: the number, the message, and the names in one line.
fn same(section: &Section<'_>, rows: &[Row<'_>]) -> Part {
    let count = words(&counted_rows(rows, section.noun));
    let message = section.message.as_ref().map(inline).unwrap_or_default();
    let help = section.help.as_ref().map(|help| format!("\nhelp: {}\n", inline(help)));
    Part {
        head: format!("\n**{}: {count}**\n\n{message}\n\n", title(section)),
        lines: vec![format!("- {}", inline(&named_rows(rows)))],
        tail: help.unwrap_or_default(),
        noun: "list",
        removals: None,
    }
}

/// A collapsed table.
fn table(section: &Section<'_>, columns: &str, lines: Vec<String>) -> Part {
    let rule = "| --- ".repeat(columns.matches('|').count() - 1);
    let head = format!("{}{columns}\n{rule}|\n", folded(&folded_title(section)));
    let tail = format!("{}{FOLD_END}", about_all(section));
    Part { head, lines, tail, noun: section.noun, removals: None }
}

fn list(section: &Section<'_>, lines: Vec<String>) -> Part {
    let (head, fold_end) = match lines.len() {
        ..=MAX_OPEN_ROWS => (format!("\n{}\n\n", heading(section)), ""),
        _ => (folded(&folded_title(section)), FOLD_END),
    };
    let tail = format!("{}{fold_end}", about_all(section));
    Part { head, lines, tail, noun: section.noun, removals: None }
}

pub(super) const FOLD_END: &str = "\n</details>\n";

pub(super) fn folded(title: &str) -> String {
    format!("\n{FOLD}<summary>{title}</summary>\n\n")
}

const FOLD: &str = "<details>";

/// The head of a folded table, as that of one that is not collapsed.
fn opened(head: &str) -> String {
    head.replacen(FOLD, "<details open>", 1)
}

fn row_line(row: &Row<'_>) -> String {
    let place = row.place.map(|place| {
        let Place { file, line, column, is_in_one_of_several, .. } = place;
        let file = if is_in_one_of_several { format!("{} ", code(file)) } else { String::new() };
        match column {
            Some(column) if row.principal.is_none() => format!("{file}{line}:{column}"),
            _ => format!("{file}line {line}"),
        }
    });
    let mut text = match (row.principal, place) {
        (Some(principal), Some(place)) => format!("- {} ({place})", code(&principal.label())),
        (Some(principal), None) => format!("- {}", code(&principal.label())),
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

/// A statement, and a block with the difference. The lines are JSON that was escaped when the plan was made: none of them
/// can end the block, because each begins with a space, `+`, `-` or `@`.
fn difference(difference: &Difference<'_>) -> String {
    let mut text = format!("- {}", inline(&difference.statement));
    if !difference.lines.is_empty() {
        text.push_str("\n\n  ```diff\n");
        for line in difference.lines {
            text.push_str(&format!("  {line}\n"));
        }
        text.push_str("  ```\n");
    }
    text
}

fn is_removal(row: &Row<'_>) -> bool {
    row.change.as_ref().is_some_and(|change| change.is_removal)
}

/// The expiration and the reason of a change.
fn note<'a>(row: &Row<'a>) -> Option<Text<'a>> {
    row.change.as_ref()?.note()
}

fn change_line(row: &Row<'_>, has_notes: bool) -> Option<String> {
    let ChangeView { kind, from, to, .. } = row.change.as_ref()?;
    let boundary = |boundary: &Option<Boundary<'_>>| {
        boundary.map_or_else(|| "none".to_owned(), |boundary| code(boundary.shown()))
    };
    let line = row.place.map(line_cell).unwrap_or_default();
    let note = note(row).map(|note| inline(&note)).unwrap_or_default();
    let note = if has_notes { format!(" {note} |") } else { String::new() };
    let (name, from, to) = (code(&row.principal?.label()), boundary(from), boundary(to));
    Some(format!("| {} | {name} | {from} | {to} | {line} |{note}", kind.word()))
}

/// The line that decided a change: `12`, `30 (rule)`, with the file if there are several.
fn line_cell(place: Place<'_>) -> String {
    let Place { file, line, is_rule, is_in_one_of_several, .. } = place;
    let file = if is_in_one_of_several { format!("{} ", code(file)) } else { String::new() };
    let rule = if is_rule { " (rule)" } else { "" };
    format!("{file}{line}{rule}")
}

fn inline(text: &Text<'_>) -> String {
    let spans = text.spans().iter().map(|span| match span {
        Span::Ours(text) => words(text),
        Span::Name(text) => code(text),
        Span::Quote(text) => truncated(text),
    });
    spans.collect()
}

/// Untrusted text as a code span: nothing in it is interpreted as markup, as a link or as a mention.
///
/// A code span has no escapes, so a character that could end it or the table cell around it is written as
/// `\u{7c}`. The same applies to invisible characters.
pub(super) fn code(text: &str) -> String {
    let mut span = String::with_capacity(text.len() + 2);
    span.push('`');
    for c in text.chars() {
        match c {
            '`' | '|' => span.extend(c.escape_unicode()),
            c if is_unsafe(c) => span.extend(c.escape_unicode()),
            '"' | '\'' | '\\' => span.push(c),
            c => span.extend(c.escape_debug()),
        }
    }
    // Markdown has no empty code span, and a span of spaces is invisible.
    if span.trim_end() == "`" {
        span.push_str("(empty)");
    }
    span.push('`');
    span
}

/// Untrusted text as a code span, truncated to [`MAX_QUOTE`].
fn truncated(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTE) {
        Some((cut, _)) => code(&format!("{}…", &text[..cut])),
        None => code(text),
    }
}

/// Text of this program, with every character of markup escaped.
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

/// Markdown that is being written. It never exceeds [`MAX_LENGTH`].
pub(super) struct Page {
    text: String,
    length: usize,
    /// The length that nothing but [`Page::end_fold`] uses.
    held: usize,
}

/// A part of a page that can have any number of lines.
pub(super) struct Part {
    /// The text before the lines, with its line end.
    pub(super) head: String,
    /// The lines, without their ends.
    pub(super) lines: Vec<String>,
    /// The text after the lines, with its line end.
    pub(super) tail: String,
    /// What one line is about, in the singular.
    pub(super) noun: &'static str,
    /// For each line, whether it is a removal; `None` if the lines are not changes.
    pub(super) removals: Option<Vec<bool>>,
}

/// The length that a part leaves for the following ones.
pub(super) struct Reserve {
    /// What its lines leave.
    pub(super) of_lines: usize,
    /// What its removals leave. Other lines of changes also leave [`Reserve::following_removals`].
    pub(super) of_removals: usize,
    /// The length of the removals in the following parts.
    pub(super) following_removals: usize,
}

impl Reserve {
    /// The reserve for the following parts, which have removals of this length.
    fn of(following: &[Part], following_removals: usize) -> Reserve {
        Reserve {
            of_lines: (following.len() * RESERVE).min(MAX_RESERVE),
            of_removals: following.len() * NOTE_RESERVE,
            following_removals,
        }
    }

    /// A reserve of this length, for parts without removals.
    pub(super) fn length(length: usize) -> Reserve {
        Reserve { of_lines: length, of_removals: length, following_removals: 0 }
    }
}

impl Part {
    /// The positions of the lines in the order in which they are written if not all fit: removals first. Each with
    /// whether it is a removal.
    fn by_danger(&self) -> Vec<(usize, bool)> {
        let is_removal = |n: usize| self.removals.as_ref().is_some_and(|removals| removals[n]);
        let mut order: Vec<_> = (0..self.lines.len()).map(|n| (n, is_removal(n))).collect();
        order.sort_by_key(|(_, is_removal)| !is_removal);
        order
    }

    /// The number of removals.
    pub(super) fn removals(&self) -> usize {
        self.removals.iter().flatten().filter(|is_removal| **is_removal).count()
    }

    /// The length that its removals need; 0 without removals.
    pub(super) fn removals_length(&self) -> usize {
        if self.removals() == 0 {
            return 0;
        }
        let removals = self.by_danger().into_iter().filter(|(_, is_removal)| *is_removal);
        let lines: usize = removals.map(|(n, _)| length(&self.lines[n]) + 1).sum();
        length(&self.head) + lines + length(&self.tail) + NOTE_RESERVE
    }

    /// The note that `count` lines did not fit, `removals` of them removals.
    fn note(&self, count: usize, removals: usize) -> String {
        let more = counted_more(count, self.noun);
        let removals = self.removals.as_ref().map(|_| match removals {
            0 => " (no removals)".to_owned(),
            some => format!(" ({})", counted(some, "removal")),
        });
        let removals = removals.unwrap_or_default();
        format!(
            "\n**{more} did not fit{removals}:** the text, JSON and HTML formats contain all of them.\n"
        )
    }

    /// The length of the whole part.
    pub(super) fn length(&self) -> usize {
        let lines: usize = self.lines.iter().map(|line| length(line) + 1).sum();
        length(&self.head) + lines + length(&self.tail)
    }
}

impl Page {
    /// A page that begins with `summary`, which is always complete. The hidden first line identifies the
    /// comment, so that a later run can replace it.
    pub(super) fn begin(marker: &str, summary: &str) -> Page {
        let mut page = Page { text: String::new(), length: 0, held: 0 };
        page.push(&format!("<!-- {marker} -->\n{summary}"));
        page
    }

    /// Adds as many lines of the part as fit, with a reserve left for the following parts, and reports the number of the
    /// others. If changes do not fit, removals come first.
    pub(super) fn part(&mut self, part: &Part, reserve: Reserve) {
        if part.lines.is_empty() {
            return;
        }
        let note = part.note(part.lines.len(), part.removals());
        let frame = length(&part.head) + length(&part.tail) + length(&note) + 2;
        let left = |reserve: usize| self.available().saturating_sub(reserve).checked_sub(frame);
        let Reserve { of_lines, of_removals, following_removals } = reserve;
        let of_lines = match part.removals {
            Some(_) => of_lines.max(following_removals),
            None => of_lines.max(following_removals.min(MAX_RESERVE)),
        };
        let for_removals = if part.removals() > 0 { left(of_removals) } else { None };
        let for_lines = left(of_lines);
        if for_lines.or(for_removals).is_none() {
            if length(&note) <= self.available() {
                self.push(&note);
            }
            return;
        }
        let (mut for_lines, mut for_removals) =
            (for_lines.unwrap_or_default(), for_removals.unwrap_or_default());
        let whole: usize = part.lines.iter().map(|line| length(line) + 1).sum();
        let mut order = part.by_danger();
        if whole <= for_lines {
            order.sort();
        }
        self.push(&part.head);
        let mut left_out: Vec<bool> = Vec::new();
        for (n, is_removal) in order {
            let line = &part.lines[n];
            let needed = length(line) + 1;
            let available = if is_removal { for_removals.max(for_lines) } else { for_lines };
            if needed > available || !left_out.is_empty() {
                left_out.push(is_removal);
                continue;
            }
            for_lines = for_lines.saturating_sub(needed);
            for_removals = for_removals.saturating_sub(needed);
            self.push(line);
            self.push("\n");
        }
        if !left_out.is_empty() {
            let removals = left_out.iter().filter(|is_removal| **is_removal).count();
            self.push(&part.note(left_out.len(), removals));
        }
        self.push(&part.tail);
    }

    /// The length that is left.
    pub(super) fn available(&self) -> usize {
        MAX_LENGTH.saturating_sub(self.length + self.held)
    }

    /// Adds `head`, which begins with the summary of something folded. The length of its end is held.
    pub(super) fn begin_fold(&mut self, head: &str) {
        self.push(head);
        self.held += length(FOLD_END);
    }

    /// Ends what [`Page::begin_fold`] began.
    pub(super) fn end_fold(&mut self) {
        self.held -= length(FOLD_END);
        self.push(FOLD_END);
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    pub(super) fn push(&mut self, text: &str) {
        self.length += length(text);
        self.text.push_str(text);
    }
}

pub(super) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}
