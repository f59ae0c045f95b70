//! Text for people: untrusted text that is safe to display, and numbers.

/// Untrusted text that is safe to display: control characters and invisible characters are escaped, and line
/// breaks become spaces. A second call leaves the result unchanged.
pub(crate) fn printable(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            '\n' | '\r' | '\t' => clean.push(' '),
            c if c.is_control() || is_invisible(c) => clean.extend(c.escape_unicode()),
            c => clean.push(c),
        }
    }
    clean
}

/// Whether [`printable`] leaves the text unchanged.
pub(crate) fn is_printable(text: &str) -> bool {
    printable(text) == text
}

/// The message of a serde error without the position, safe to display and truncated: serde quotes input of
/// any length.
pub(crate) fn serde_message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let message = text.rsplit_once(" at line ").map_or(&*text, |(message, _)| message);
    printable(&message.chars().take(300).collect::<String>())
}

/// Characters that change the order of the characters around them, or that are not visible.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A number with commas between groups of three digits: `5,000`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    String::from_utf8_lossy(&groups.join(&b',')).into_owned()
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
    }
}
