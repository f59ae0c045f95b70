use std::borrow::Cow;
use std::fmt;

use crate::iam::escaped;

/// A sentence or a part of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::report) struct Text<'a>(Vec<Span<'a>>);

/// A piece of text from one origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) enum Span<'a> {
    /// Text of this program: a literal, or a sentence in which unsafe characters are escaped.
    Ours(Cow<'static, str>),
    /// An untrusted name: a principal, an ARN or a place in a file. It is never wrapped and never truncated.
    Name(Cow<'a, str>),
    /// An untrusted sentence, such as an error message of AWS.
    Quote(Cow<'a, str>),
}

impl<'a> Text<'a> {
    /// A literal of this program. A string that was made at run time does not compile here.
    pub(in crate::report) fn ours(text: &'static str) -> Self {
        Text::default().and(text)
    }

    /// A sentence that this program made at run time, from counts and values of its own. It is escaped, so
    /// untrusted text that it contains by mistake is harmless.
    pub(in crate::report) fn sentence(text: impl AsRef<str>) -> Self {
        Text::default().and_sentence(text)
    }

    pub(in crate::report) fn name(name: impl Into<Cow<'a, str>>) -> Self {
        Text::default().and_name(name)
    }

    pub(in crate::report) fn quote(text: impl Into<Cow<'a, str>>) -> Self {
        Text::default().and_quote(text)
    }

    /// Appends a literal of this program.
    pub(in crate::report) fn and(mut self, text: &'static str) -> Self {
        self.0.push(Span::Ours(Cow::Borrowed(text)));
        self
    }

    /// Appends a [`Text::sentence`].
    pub(in crate::report) fn and_sentence(mut self, text: impl AsRef<str>) -> Self {
        self.0.push(Span::Ours(Cow::Owned(escaped(text.as_ref()))));
        self
    }

    pub(in crate::report) fn and_name(mut self, name: impl Into<Cow<'a, str>>) -> Self {
        self.0.push(Span::Name(name.into()));
        self
    }

    pub(in crate::report) fn and_quote(mut self, text: impl Into<Cow<'a, str>>) -> Self {
        self.0.push(Span::Quote(text.into()));
        self
    }

    pub(in crate::report) fn and_text(mut self, text: Text<'a>) -> Self {
        self.0.extend(text.0);
        self
    }

    pub(in crate::report) fn spans(&self) -> &[Span<'a>] {
        &self.0
    }

    pub(in crate::report) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The text without escapes, for formats whose encoder escapes every string.
impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|span| match span {
            Span::Ours(text) | Span::Name(text) | Span::Quote(text) => f.write_str(text),
        })
    }
}
