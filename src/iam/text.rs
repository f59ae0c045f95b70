//! Text for people: untrusted text that is safe to display, and numbers.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Untrusted text that is safe to display: it contains no character that a terminal or a log viewer interprets,
/// and none that is invisible. There is no way to make one without escaping these characters.
///
/// It can still contain the markup of a format. Each format escapes its own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Printable(Arc<str>);

impl Printable {
    /// A sentence. Line breaks become spaces, and unsafe characters are escaped like `\u{1b}`.
    pub fn new(text: &str) -> Self {
        Printable(printable(text).into())
    }

    /// A name or a value that is compared with others: the text as it is, except that unsafe characters, and line breaks
    /// too, are escaped.
    pub fn exact(text: &str) -> Self {
        Printable(escaped(text).into())
    }

    /// A path. Unsafe characters, and line breaks too, are escaped. Bytes that are not Unicode become `U+FFFD`.
    pub fn path(path: &Path) -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the function that escapes paths")]
        let text = path.to_string_lossy();
        Printable::exact(&text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Printable {
    fn from(text: &str) -> Self {
        Printable::new(text)
    }
}

impl From<String> for Printable {
    fn from(text: String) -> Self {
        Printable::new(&text)
    }
}

impl Deref for Printable {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Printable {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Printable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The text in quotes.
impl fmt::Debug for Printable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl PartialEq<str> for Printable {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Printable {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl Serialize for Printable {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self)
    }
}

/// Rejects other text: the tool's own files contain none.
impl<'de> Deserialize<'de> for Printable {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        if !is_printable(&text) {
            let error = "a text has control characters or invisible characters";
            return Err(serde::de::Error::custom(error));
        }
        Ok(Printable(text.into()))
    }
}

/// Untrusted text that is safe to display: control characters and invisible characters are escaped, and line
/// breaks become spaces. A second call leaves the result unchanged.
pub(crate) fn printable(text: &str) -> String {
    escaped(&text.trim().replace(['\n', '\r', '\t'], " "))
}

/// The text with its unsafe characters escaped, line breaks too.
pub(crate) fn escaped(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match is_unsafe(c) {
            true => clean.extend(c.escape_unicode()),
            false => clean.push(c),
        }
    }
    clean
}

/// Whether the text is as [`Printable`] has it: no character is unsafe.
pub(crate) fn is_printable(text: &str) -> bool {
    !text.chars().any(is_unsafe)
}

/// The message of a serde error without the position, safe to display and truncated: serde quotes input of
/// any length.
pub(crate) fn serde_message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let message = text.rsplit_once(" at line ").map_or(&*text, |(message, _)| message);
    printable(&message.chars().take(300).collect::<String>())
}

/// Whether a terminal or a log viewer can interpret `c`, or `c` is invisible, so that it can hide text or change
/// its order.
///
/// These are the control characters (`Cc`: C0, DEL, C1), the separators of lines and paragraphs (`Zl`, `Zp`), the
/// characters with the property `Default_Ignorable_Code_Point` of Unicode 17.0
/// (<https://www.unicode.org/Public/17.0.0/ucd/DerivedCoreProperties.txt>), among them the bidirectional controls
/// (UAX #9), the variation selectors and the tags; the interlinear annotations (`U+FFF9` to `U+FFFB`), and the blank
/// Braille pattern.
pub(crate) fn is_unsafe(c: char) -> bool {
    if c.is_ascii() {
        // Almost all characters. The ranges below need many comparisons.
        return c.is_ascii_control();
    }
    c.is_control()
        || matches!(c,
            '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// A number with commas between groups of three digits: `5,000`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    String::from_utf8_lossy(&groups.join(&b',')).into_owned()
}

/// A number with its noun: `1 user`, `2 users`, `5,000 users`.
pub fn counted(count: usize, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{} {noun}{s}", grouped(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_a_comma_before_every_three_digits() {
        let numbers = [0, 999, 1_000, 50_000, 1_234_567].map(grouped);
        assert_eq!(numbers, ["0", "999", "1,000", "50,000", "1,234,567"]);
    }

    #[test]
    fn untrusted_text_cannot_control_a_terminal() {
        assert_eq!(printable("a\x1b[2Jb\nc\u{202e}d"), "a\\u{1b}[2Jb c\\u{202e}d");
        for c in ['\u{7f}', '\u{9b}', '\u{61c}', '\u{180e}', '\u{2028}', '\u{2066}', '\u{e0041}'] {
            let text = Printable::new(&format!("a{c}b"));
            assert_eq!(text, &*format!("a{}b", c.escape_unicode()));
            assert_eq!(Printable::new(&text), text);
        }
        for visible in ["é", "日本", "🙂", "a b", "\u{a0}"] {
            assert!(is_printable(visible), "{visible}");
        }
    }

    #[test]
    fn an_exact_text_keeps_its_spaces_and_escapes_the_rest() {
        assert_eq!(Printable::exact(" a b "), " a b ");
        assert_eq!(Printable::exact("a\tb\u{202e}"), "a\\u{9}b\\u{202e}");
    }

    #[test]
    fn a_line_break_in_a_path_is_visible() {
        assert_eq!(Printable::path(Path::new("a\n::error::b")), "a\\u{a}::error::b");
    }

    #[test]
    fn text_that_was_not_escaped_is_rejected_on_reading() {
        assert!(serde_json::from_str::<Printable>(r#""a\u009bb""#).is_err());
        assert_eq!(serde_json::from_str::<Printable>("\"a b\"").unwrap(), "a b");
    }
}
