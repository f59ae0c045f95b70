//! Messages on several lines.

use textwrap::core::display_width;

/// Breaks a sentence at spaces, so that no line has more than `width` columns if that is possible. Text in quotes is not
/// broken: names and paths stay whole. Line breaks stay.
pub fn wrapped(text: &str, width: usize) -> String {
    let lines: Vec<String> =
        text.split('\n').map(|line| wrapped_words(words(line), width)).collect();
    lines.join("\n")
}

/// Breaks a sentence between these words.
pub(super) fn wrapped_words<'a>(words: impl IntoIterator<Item = &'a str>, width: usize) -> String {
    let (mut text, mut column) = (String::new(), 0);
    for (n, word) in words.into_iter().enumerate() {
        let word_width = display_width(word);
        match n {
            0 => {}
            _ if column + 1 + word_width <= width => {
                text.push(' ');
                column += 1;
            }
            _ => {
                text.push('\n');
                column = 0;
            }
        }
        text.push_str(word);
        column += word_width;
    }
    text
}

/// The words of a line. Text in quotes is a part of one word, unless the quote does not end. So is a place, `(line 31)`, of
/// the word before it.
fn words(line: &str) -> Vec<&str> {
    let is_balanced = line.matches('"').count().is_multiple_of(2);
    let (mut words, mut start, mut is_quoted) = (Vec::new(), 0, false);
    for (at, sign) in line.match_indices([' ', '"']) {
        is_quoted ^= sign == "\"" && is_balanced;
        let is_place = line[at..].starts_with(" (line ") || line[..at].ends_with("(line");
        if sign == " " && !is_quoted && !is_place {
            words.push(&line[start..at]);
            start = at + 1;
        }
    }
    words.push(&line[start..]);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_breaks_at_spaces_and_text_in_quotes_stays_whole() {
        let text = "the file \"a very long path/with spaces.toml\" is for another account";
        let expected = "the file\n\"a very long path/with spaces.toml\"\nis for another\naccount";
        assert_eq!(wrapped(text, 16), expected);
        assert_eq!(wrapped("a \"b c d\ne f", 3), "a\n\"b\nc d\ne f", "a quote that does not end");
        assert_eq!(wrapped("", 3), "");
        assert_eq!(wrapped("is alice (line 31) or", 3), "is\nalice (line 31)\nor");
        let long = "word ".repeat(48);
        assert!(wrapped(long.trim_end(), 20).lines().all(|line| line.len() == 19));
        assert_eq!(wrapped(long.trim_end(), 20).replace('\n', " "), long.trim_end());
    }
}
