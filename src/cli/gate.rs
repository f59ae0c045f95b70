//! The only way to standard output and standard error.
//!
//! Text from outside is escaped where it enters ([`Printable`](crate::iam::Printable)) and where a format renders it.
//! The gate is the last defense: it lets no character through that a terminal interprets or that is invisible,
//! except line breaks and, if colors are on, the sequences that select them.

use std::io::{self, Write};

use super::args::Format;
use super::held::Held;
use super::stream::Stream;
use crate::iam::is_unsafe;

/// What a text is for. It decides how the gate escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Text for people.
    Text,
    /// JSON or TOML. Their escapes, which read as the same text, are used in strings.
    Data,
    /// GitHub Actions workflow commands, one on each line. The renderer escapes their data.
    Commands,
    /// Text that consists of this program's own words: completions, manual pages, the schema. It is not changed.
    Own,
}

impl From<Format> for Content {
    fn from(format: Format) -> Self {
        match format {
            Format::Text | Format::Markdown | Format::Html => Content::Text,
            Format::Json => Content::Data,
            Format::Github => Content::Commands,
        }
    }
}

/// How the gate of a stream works.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gate {
    /// Whether the sequences that select colors pass.
    pub(super) color: bool,
    /// Whether a runner of GitHub Actions reads the stream.
    pub(super) is_github: bool,
    /// Holds what is written, for a quiet command.
    pub(super) held: Option<&'static Held>,
}

/// A writer to a stream, directly or when a quiet command releases it.
#[derive(Debug)]
pub(super) struct StreamWriter {
    stream: Stream,
    held: Option<&'static Held>,
}

impl Gate {
    /// The gate of a stream in this environment.
    pub(super) fn new(color: bool) -> Gate {
        let is_github = std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true");
        Gate { color, is_github, held: None }
    }

    /// A writer to standard output.
    pub(super) fn stdout(self, content: Content) -> Gated<StreamWriter> {
        Gated::new(StreamWriter { stream: Stream::Stdout, held: self.held }, self, content)
    }

    /// A writer to standard error.
    pub(super) fn stderr(self) -> Gated<StreamWriter> {
        Gated::new(StreamWriter { stream: Stream::Stderr, held: self.held }, self, Content::Text)
    }

    /// A line of text without what may not pass. It contains no line break.
    pub(super) fn escaped(self, line: &str) -> String {
        self.passed(line, Content::Text)
    }

    /// A line without what may not pass. It contains no line break.
    fn passed(self, line: &str, content: Content) -> String {
        if content == Content::Own {
            return line.to_owned();
        }
        let mut passed = String::with_capacity(line.len());
        if self.is_github && content == Content::Text && line.trim_start().starts_with("::") {
            // The runner removes spaces before a command.
            let spaces = line.len() - line.trim_start().len();
            passed.push_str(&line[..spaces]);
            push_escaped(&mut passed, ':', content);
            self.push(&mut passed, &line[spaces + 1..], content);
        } else {
            self.push(&mut passed, line, content);
        }
        passed
    }

    fn push(self, passed: &mut String, text: &str, content: Content) {
        if !self.is_github && !text.chars().any(is_unsafe) {
            // Almost every line, also of a plan with thousands of changes.
            return passed.push_str(text);
        }
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let style = if self.color { style_length(rest) } else { 0 };
            if style > 0 {
                passed.push_str(&rest[..style]);
                rest = &rest[style..];
                continue;
            }
            // A runner reads `##[command]` anywhere in a line.
            let is_command = self.is_github && c == '[' && passed.ends_with("##");
            match is_unsafe(c) || is_command {
                true => push_escaped(passed, c, content),
                false => passed.push(c),
            }
            rest = &rest[c.len_utf8()..];
        }
    }
}

fn push_escaped(to: &mut String, c: char, content: Content) {
    match content {
        Content::Data => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                to.push_str(&format!("\\u{unit:04x}"));
            }
        }
        Content::Text | Content::Commands | Content::Own => to.extend(c.escape_unicode()),
    }
}

/// The length of the sequence at the start of `text` that selects a color or an effect (SGR in ECMA-48); 0 if there
/// is none.
fn style_length(text: &str) -> usize {
    let Some(parameters) = text.strip_prefix("\u{1b}[") else { return 0 };
    let length = parameters.bytes().take_while(|b| b.is_ascii_digit() || *b == b';').count();
    if parameters.as_bytes().get(length) == Some(&b'm') { "\u{1b}[".len() + length + 1 } else { 0 }
}

impl Write for StreamWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.held {
            Some(held) => held.write(self.stream, bytes)?,
            None => self.stream.write(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.held {
            Some(held) => held.flush(self.stream),
            None => self.stream.flush(),
        }
    }
}

/// A writer through the gate. It writes whole lines; `flush` and drop write the rest.
#[derive(Debug)]
pub(super) struct Gated<W: Write> {
    to: W,
    gate: Gate,
    content: Content,
    line: Vec<u8>,
}

impl<W: Write> Gated<W> {
    fn new(to: W, gate: Gate, content: Content) -> Self {
        Gated { to, gate, content, line: Vec::new() }
    }

    /// Writes the first `length` bytes of what was not written yet.
    fn pass(&mut self, length: usize) -> io::Result<()> {
        let rest = self.line.split_off(length);
        let begun = std::mem::replace(&mut self.line, rest);
        let text = String::from_utf8_lossy(&begun);
        let lines: Vec<String> =
            text.split('\n').map(|line| self.gate.passed(line, self.content)).collect();
        self.to.write_all(lines.join("\n").as_bytes())
    }
}

impl<W: Write> Write for Gated<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        if let Some(end) = self.line.iter().rposition(|byte| *byte == b'\n') {
            self.pass(end + 1)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass(self.line.len())?;
        self.to.flush()
    }
}

impl<W: Write> Drop for Gated<W> {
    fn drop(&mut self) {
        // Whoever needs the error flushes.
        let _ = self.pass(self.line.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Gate = Gate { color: false, is_github: false, held: None };
    const GITHUB: Gate = Gate { color: false, is_github: true, held: None };

    fn written(gate: Gate, content: Content, text: &str) -> String {
        let mut to = Vec::new();
        let mut gated = Gated::new(&mut to, gate, content);
        // The parts of a character and of a sequence can arrive separately.
        for byte in text.as_bytes() {
            gated.write_all(&[*byte]).unwrap();
        }
        drop(gated);
        String::from_utf8(to).unwrap()
    }

    #[test]
    fn only_line_breaks_and_colors_pass() {
        let text = "\u{1b}[31mé\u{1b}[0m\u{1b}[2J\u{9b}\u{202e}\u{e0041}\r\n日本";
        let colored = Gate { color: true, ..PLAIN };
        assert_eq!(
            written(colored, Content::Text, text),
            "\u{1b}[31mé\u{1b}[0m\\u{1b}[2J\\u{9b}\\u{202e}\\u{e0041}\\u{d}\n日本"
        );
        assert!(written(PLAIN, Content::Text, text).starts_with("\\u{1b}[31mé\\u{1b}[0m"));
    }

    #[test]
    fn in_data_the_escapes_read_as_the_same_text() {
        let value = "a\u{7f}\u{9b}\u{202e}\u{e0041}##[group]\n::error::\n";
        for gate in [PLAIN, GITHUB] {
            let text = serde_json::to_string_pretty(&[value]).unwrap();
            let passed = written(gate, Content::Data, &text);
            assert!(passed.is_ascii() && !passed.contains("\u{7f}"), "{passed}");
            assert_eq!(passed.contains("##["), !gate.is_github);
            assert_eq!(serde_json::from_str::<[String; 1]>(&passed).unwrap(), [value]);
        }
    }

    #[test]
    fn no_text_is_a_workflow_command() {
        for (text, passed) in [
            ("::error::x", "\\u{3a}:error::x"),
            ("a\n \u{a0}::add-mask::x\n", "a\n \u{a0}\\u{3a}:add-mask::x\n"),
            ("a ::error::", "a ::error::"),
            ("a ###[error]x", "a ###\\u{5b}error]x"),
            ("##", "##"),
        ] {
            assert_eq!(written(GITHUB, Content::Text, text), passed);
            assert_eq!(written(PLAIN, Content::Text, text), text);
        }
        let command = "::error title=a::##[group]b\n";
        assert_eq!(
            written(GITHUB, Content::Commands, command),
            "::error title=a::##\\u{5b}group]b\n"
        );
    }
}
