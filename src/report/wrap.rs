use std::borrow::Cow;

use textwrap::core::{Fragment, display_width};
use textwrap::wrap_algorithms::wrap_first_fit;

use super::escape::visible;
use super::style::Style;
use super::view::{Span, Text, Tone};

/// A sentence that wraps at spaces. Names are never wrapped.
#[derive(Default)]
pub(super) struct Sentence<'a> {
    words: Vec<Word<'a>>,
    /// Whether the next piece belongs to the last word.
    is_open: bool,
}

/// The text between two spaces.
#[derive(Debug, Default)]
struct Word<'a> {
    pieces: Vec<(Tone, Cow<'a, str>)>,
    width: usize,
}

impl<'a> Word<'a> {
    fn push(&mut self, tone: Tone, piece: Cow<'a, str>) {
        self.width += display_width(&piece);
        self.pieces.push((tone, piece));
    }

    fn text(&self) -> String {
        self.pieces.iter().map(|(_, piece)| &**piece).collect()
    }

    /// Whether the number of a line follows.
    fn is_line(&self) -> bool {
        self.pieces.last().is_some_and(|(_, piece)| matches!(&**piece, "line" | "(line" | "lines"))
    }
}

impl Fragment for Word<'_> {
    fn width(&self) -> f64 {
        self.width as f64
    }

    fn whitespace_width(&self) -> f64 {
        1.0
    }

    fn penalty_width(&self) -> f64 {
        0.0
    }
}

impl<'a> Sentence<'a> {
    pub(super) fn text(mut self, tone: Tone, text: &'a Text<'_>) -> Self {
        for span in text.spans() {
            match span {
                Span::Ours(words) => self.words(tone, Cow::Borrowed(words)),
                Span::Quote(words) => self.words(tone, visible(words)),
                Span::Name(name) => self.piece(tone, visible(name)),
            }
        }
        self
    }

    pub(super) fn ours(mut self, tone: Tone, words: &'a str) -> Self {
        self.words(tone, Cow::Borrowed(words));
        self
    }

    pub(super) fn name(mut self, tone: Tone, name: impl Into<Cow<'a, str>>) -> Self {
        let name = match name.into() {
            Cow::Borrowed(name) => visible(name),
            Cow::Owned(name) => Cow::Owned(visible(&name).into_owned()),
        };
        self.piece(tone, name);
        self
    }

    fn words(&mut self, tone: Tone, words: Cow<'a, str>) {
        let mut is_first = true;
        let mut next = |word: Cow<'a, str>| {
            if !std::mem::take(&mut is_first) {
                self.is_open = false;
            }
            if !word.is_empty() {
                self.piece(tone, word);
            }
        };
        match words {
            Cow::Borrowed(words) => words.split(' ').for_each(|word| next(Cow::Borrowed(word))),
            Cow::Owned(words) => {
                words.split(' ').for_each(|word| next(Cow::Owned(word.to_owned())));
            }
        }
    }

    fn piece(&mut self, tone: Tone, piece: Cow<'a, str>) {
        if !std::mem::replace(&mut self.is_open, true) {
            let is_number = piece.starts_with(|c: char| c.is_ascii_digit());
            match self.words.last_mut().filter(|word| is_number && word.is_line()) {
                Some(word) => word.push(tone, Cow::Borrowed(" ")),
                None => self.words.push(Word::default()),
            }
        }
        if let Some(word) = self.words.last_mut() {
            word.push(tone, piece);
        }
        self.join_place();
    }

    /// A place, `(line 31)`, stays with what is at it.
    fn join_place(&mut self) {
        if let [.., before, last] = &mut *self.words
            && last.width == "(line".len()
            && last.text() == "(line"
        {
            before.push(Tone::Neutral, Cow::Borrowed(" "));
            for (tone, piece) in std::mem::take(&mut last.pieces) {
                before.push(tone, piece);
            }
            self.words.pop();
        }
    }

    /// Adds the lines to `to`: the first after `first` columns of space, the others after `rest`.
    pub(super) fn write(&self, to: &mut String, style: Style, first: usize, rest: usize) {
        let widths = [first, rest].map(|indent| style.width.saturating_sub(indent) as f64);
        for (n, line) in wrap_first_fit(&self.words, &widths).into_iter().enumerate() {
            let indent = if n == 0 { first } else { rest };
            to.extend(std::iter::repeat_n(' ', indent));
            write_line(to, style, line);
            to.push('\n');
        }
    }
}

/// Writes a line. Adjacent pieces of the same tone are styled together.
fn write_line(to: &mut String, style: Style, line: &[Word<'_>]) {
    let mut run: Option<(Tone, String)> = None;
    for (n, word) in line.iter().enumerate() {
        for (at, (tone, piece)) in word.pieces.iter().enumerate() {
            let space = if n > 0 && at == 0 { " " } else { "" };
            match &mut run {
                Some((same, text)) if same == tone => {
                    text.push_str(space);
                    text.push_str(piece);
                }
                _ => {
                    if let Some((tone, text)) = run.take() {
                        to.push_str(&style.tone(tone, text));
                    }
                    to.push_str(space);
                    run = Some((*tone, piece.to_string()));
                }
            }
        }
    }
    if let Some((tone, text)) = run {
        to.push_str(&style.tone(tone, text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NARROW: Style = Style { width: 30, ..Style::PLAIN };

    fn lines(text: &Text<'_>) -> Vec<String> {
        let mut wrapped = String::new();
        Sentence::default().text(Tone::Neutral, text).write(&mut wrapped, NARROW, 2, 4);
        wrapped.lines().map(str::to_owned).collect()
    }

    #[test]
    fn sentences_wrap_at_spaces_and_names_stay_whole() {
        let arn = "arn:aws:iam::123456789012:policy/a very-long name";
        let text = Text::ours("the policy ").and_name(arn).and(", which has spaces, is long");
        let whole = format!("    {arn},");
        assert_eq!(lines(&text), ["  the policy", &*whole, "    which has spaces, is long"]);
    }

    #[test]
    fn a_name_its_line_and_the_number_stay_together() {
        for at in 1..30 {
            let name = "n".repeat(at);
            let text = Text::name(&*name).and(" (").and(LINE).and_sentence("31").and("), more, ");
            let text = text.and_name(&*name).and_sentence(format!(" ({LINE}5), see rule, {LINE}7"));
            let lines = lines(&text);
            for whole in [&*format!("{name} (line 31)"), &format!("{name} (line 5)"), "line 7"] {
                assert!(lines.iter().any(|line| line.contains(whole)), "{whole}\n{lines:?}");
            }
        }
    }

    const LINE: &str = "line ";

    #[test]
    fn no_line_is_wider_than_the_style_and_no_word_is_lost() {
        let words = "one two three four five six seven eight nine ten ".repeat(20);
        let text = Text::quote(words.trim());
        let lines = lines(&text);
        assert!(lines.iter().all(|line| line.len() <= 30), "{lines:?}");
        let joined: Vec<&str> = lines.iter().map(|line| line.trim_start()).collect();
        assert_eq!(joined.join(" "), words.trim());
    }

    #[test]
    fn adjacent_pieces_of_the_same_tone_are_styled_together() {
        let style = Style { color: true, ..Style::PLAIN };
        let mut painted = String::new();
        let sentence =
            Sentence::default().ours(Tone::Strong, "two words").ours(Tone::Neutral, ": more");
        sentence.write(&mut painted, style, 0, 0);
        assert_eq!(painted, "\u{1b}[1mtwo words\u{1b}[0m: more\n");
    }
}
