//! Markdown as [GitHub's dialect](https://github.github.com/gfm/) has it, in which foreign text stays text.

/// The most characters that a comment may have on GitHub. Counted in UTF-16 units, of which no text has
/// fewer than it has characters.
pub(super) const LIMIT: usize = 65_536;

/// Text that others wrote, as a code span: nothing in it is markup, a link, or calls a person.
///
/// A code span has no escapes, so what could end it, or the table's cell around it, is written as
/// `\u{7c}`; so is what nobody sees.
pub(super) fn code(text: &str) -> String {
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

/// Foreign text cut to a length that a reader would read.
pub(super) fn clipped(text: &str) -> String {
    match text.char_indices().nth(500) {
        Some((cut, _)) => code(&format!("{}…", &text[..cut])),
        None => code(text),
    }
}

/// Words of our own, in which no character is markup.
pub(super) fn words(text: &str) -> String {
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
pub(super) struct Page {
    text: String,
    length: usize,
}

/// A part of a page that can have any number of lines.
pub(super) struct Part {
    /// What stands before its lines, with its end of line.
    pub(super) head: String,
    /// Its lines, without their ends.
    pub(super) lines: Vec<String>,
    /// What stands behind its lines, with its end of line.
    pub(super) tail: &'static str,
    /// What a line is about, in the singular: it is said how many did not fit.
    pub(super) noun: &'static str,
}

impl Page {
    /// A page that begins with what must be whole. The line that nobody sees is for a machine that
    /// looks for its comment, to write it anew.
    pub(super) fn begin(marker: &str, whole: &str) -> Page {
        let mut page = Page { text: String::new(), length: 0 };
        page.push(&format!("<!-- {marker} -->\n{whole}"));
        page
    }

    /// Adds as many of a part's lines as fit with `reserve` characters left for what follows.
    pub(super) fn part(&mut self, part: &Part, reserve: usize) {
        if part.lines.is_empty() {
            return;
        }
        let left_out = |count: usize| {
            let nouns = super::counted(count, part.noun);
            format!(
                "\n**{nouns} more did not fit here:** the text and JSON formats have them all.\n"
            )
        };
        let mut room = LIMIT.saturating_sub(self.length + reserve);
        let frame =
            length(&part.head) + length(part.tail) + length(&left_out(part.lines.len())) + 2;
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
        self.push(part.tail);
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn push(&mut self, text: &str) {
        self.length += length(text);
        self.text.push_str(text);
    }
}

impl Part {
    /// A table that is folded until a reader opens it.
    pub(super) fn table(
        title: &str,
        columns: &str,
        lines: Vec<String>,
        noun: &'static str,
    ) -> Part {
        let rule = "| --- ".repeat(columns.matches('|').count() - 1);
        let head = format!("{}{columns}\n{rule}|\n", folded(title));
        Part { head, lines, tail: FOLD_END, noun }
    }

    /// A list that stands open, unless it is so long that it would push all else out of sight.
    pub(super) fn list(title: &str, lines: Vec<String>, noun: &'static str) -> Part {
        let (head, tail) = match lines.len() {
            ..=20 => (format!("\n**{title}**\n\n"), ""),
            count => (folded(&format!("{title}: {count}")), FOLD_END),
        };
        Part { head, lines, tail, noun }
    }
}

const FOLD_END: &str = "\n</details>\n";

fn folded(title: &str) -> String {
    format!("\n<details><summary>{title}</summary>\n\n")
}

fn length(text: &str) -> usize {
    text.encode_utf16().count()
}
