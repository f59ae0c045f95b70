//! Text from outside the program, made safe to show.

/// The text with nothing in it that a terminal would obey: control and invisible characters are escaped,
/// line breaks become spaces. The result passes through unchanged a second time.
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

/// What serde reports, without the position, and safe to show: serde quotes input of any length.
pub(crate) fn serde_message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let message = text.rsplit_once(" at line ").map_or(&*text, |(message, _)| message);
    printable(&message.chars().take(300).collect::<String>())
}

/// Characters that change the order of the characters around them, or that are not visible.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_cannot_control_a_terminal() {
        assert_eq!(printable("a\x1b[2Jb\nc\u{202e}d"), "a\\u{1b}[2Jb c\\u{202e}d");
    }
}
