use std::fmt::Display;

use anstyle::{AnsiColor, Style as Ansi};

use super::view::Tone;

/// How text is laid out for the stream that it is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to write ANSI colors.
    pub color: bool,
    /// The width at which sentences wrap, in columns.
    pub width: usize,
    /// Whether the stream is a terminal. Elsewhere, messages do not wrap, so that programs can search them.
    pub is_terminal: bool,
}

impl Style {
    /// The width if the stream is not a terminal.
    pub const DEFAULT_WIDTH: usize = 100;

    /// No colors, at [`Style::DEFAULT_WIDTH`].
    pub const PLAIN: Style =
        Style { color: false, width: Style::DEFAULT_WIDTH, is_terminal: false };

    /// The width at which messages wrap, in columns; `None` if they do not.
    pub fn message_width(self) -> Option<usize> {
        self.is_terminal.then_some(self.width)
    }

    /// The label that begins an error message.
    pub fn error(self, text: impl Display) -> String {
        self.with(AnsiColor::Red.on_default().bold(), text)
    }

    /// The label that begins a warning.
    pub fn warning(self, text: impl Display) -> String {
        self.careful(text)
    }

    /// The label that begins a help text.
    pub fn help(self, text: impl Display) -> String {
        self.strong(text)
    }

    pub(super) fn good(self, text: impl Display) -> String {
        self.with(AnsiColor::Green.on_default(), text)
    }

    pub(super) fn careful(self, text: impl Display) -> String {
        self.with(AnsiColor::Yellow.on_default(), text)
    }

    pub(super) fn bad(self, text: impl Display) -> String {
        self.with(AnsiColor::Red.on_default(), text)
    }

    pub(super) fn dim(self, text: impl Display) -> String {
        self.with(Ansi::new().dimmed(), text)
    }

    pub(super) fn strong(self, text: impl Display) -> String {
        self.with(Ansi::new().bold(), text)
    }

    pub(super) fn tone(self, tone: Tone, text: impl Display) -> String {
        match tone {
            Tone::Neutral => text.to_string(),
            Tone::Good => self.good(text),
            Tone::Careful => self.careful(text),
            Tone::Bad => self.bad(text),
            Tone::Strong => self.strong(text),
        }
    }

    fn with(self, style: Ansi, text: impl Display) -> String {
        match self.color {
            true => format!("{style}{text}{style:#}"),
            false => text.to_string(),
        }
    }
}
