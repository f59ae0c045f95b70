use std::iter;
use std::ops::Range;

use aws_smithy_types::base64;

use super::text_search::TextSearch;
use crate::iam::is_unsafe;

/// A secret as it can occur in a text: as it is, in Base64, with escapes of JSON, URLs or XML, also twice, and with
/// line breaks or spaces between its characters.
pub(super) struct Spellings {
    /// Texts without escapes and spaces, one of which occurs if the secret does.
    patterns: Vec<Pattern>,
}

struct Pattern {
    text: String,
    /// Whether the characters beside it contain bits of the secret, too.
    is_base64: bool,
}

/// The minimum length of a secret: AWS's are longer, and a shorter text may be a part of a word.
pub(super) const MIN_LENGTH: usize = 16;
/// The maximum number of times that a text was escaped.
const MAX_LEVELS: usize = 3;
/// The number of characters of a long text that are searched at once, without spaces.
const WINDOW: usize = 1 << 18;
/// The number of characters that are searched with those before them and again with those after them. A spelling of a
/// secret has fewer.
const OVERLAP: usize = 1 << 15;

impl Spellings {
    /// `None` for a text that is shorter than [`MIN_LENGTH`].
    pub(super) fn of(secret: &str) -> Option<Spellings> {
        if secret.len() < MIN_LENGTH {
            return None;
        }
        let mut patterns = vec![Pattern { text: secret.to_owned(), is_base64: false }];
        // In a longer text that is in Base64, the secret begins at one of three positions of a group.
        for offset in 0..3 {
            let text = [&vec![0; offset], secret.as_bytes()].concat();
            let encoded = base64::encode(&text);
            // Only characters that depend on nothing but the secret.
            let standard = &encoded[(offset * 8).div_ceil(6)..text.len() * 8 / 6];
            let in_urls = standard.replace('+', "-").replace('/', "_");
            patterns.push(Pattern { text: in_urls, is_base64: true });
            patterns.push(Pattern { text: standard.to_owned(), is_base64: true });
        }
        Some(Spellings { patterns })
    }
}

/// The ranges of `text` that contain one of `secrets`, in order and without overlap.
pub(super) fn find<'a>(
    text: &str,
    secrets: impl Iterator<Item = &'a Spellings> + Clone,
) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for units in levels(units(text).collect()) {
        let plain: String = units.iter().map(|unit| char::from(unit.byte)).collect();
        for pattern in secrets.clone().flat_map(|secret| &secret.patterns) {
            let mut from = 0;
            while let Some(at) = plain[from..].find(&pattern.text) {
                found.push(pattern.range(&units, from + at));
                from += at + 1;
            }
        }
    }
    found.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in found {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// Whether `text`, which can be as long as a page of users, contains one of `secrets`. Every page of a fleet is searched:
/// it takes little memory, and a time that hardly depends on the number of secrets.
pub(super) fn is_in<'a>(text: &str, secrets: impl Iterator<Item = &'a Spellings>) -> bool {
    let search = TextSearch::of(secrets.flat_map(|it| &it.patterns).map(|it| it.text.as_bytes()));
    let mut rest = text;
    let mut window: Vec<u8> = Vec::with_capacity(WINDOW.min(text.len()));
    loop {
        rest = fill(&mut window, rest);
        if levels(window.clone()).any(|text| search.is_any_in(&text)) {
            return true;
        }
        if rest.is_empty() {
            return false;
        }
        window.drain(..window.len() - OVERLAP);
    }
}

/// Adds characters of `text` until the window is full. Returns the rest of the text.
fn fill<'a>(window: &mut Vec<u8>, mut text: &'a str) -> &'a str {
    while window.len() < WINDOW && !text.is_empty() {
        // Most characters are [`symbol`]s of themselves.
        let bytes = text.as_bytes().iter().take(WINDOW - window.len());
        let (same, rest) = text.split_at(bytes.take_while(|byte| byte.is_ascii_graphic()).count());
        window.extend_from_slice(same.as_bytes());
        let mut characters = rest.chars();
        window.extend(characters.next().and_then(symbol));
        text = characters.as_str();
    }
    text
}

impl Pattern {
    /// The range of the text of the pattern, which begins at `at` in `units`.
    fn range(&self, units: &[Unit], at: usize) -> Range<usize> {
        let (mut first, mut last) = (at, at + self.text.len() - 1);
        if self.is_base64 {
            let is_digit = |at: usize| is_base64_digit(units[at].byte);
            let is_beside = |at: usize| units[at].end == units[at + 1].start;
            first -= usize::from(first > 0 && is_digit(first - 1) && is_beside(first - 1));
            last += usize::from(last + 1 < units.len() && is_digit(last + 1) && is_beside(last));
            last += units[last + 1..].iter().take(2).take_while(|it| it.byte == b'=').count();
        }
        units[first].start..units[last].end
    }
}

fn is_base64_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte)
}

/// A character of a text that may have escapes.
trait Symbol: Copy {
    /// As [`symbol`].
    fn byte(self) -> u8;

    /// A character that an escape from `first` to `last` stands for; `None` as in [`symbol`].
    fn of_escape(c: char, first: Self, last: Self) -> Option<Self>;
}

/// The character if it is ASCII, and 0 if not: secrets are ASCII. `None` for one that can separate the parts of a secret.
fn symbol(c: char) -> Option<u8> {
    match u8::try_from(c) {
        Ok(byte) if byte.is_ascii() => byte.is_ascii_graphic().then_some(byte),
        _ => (!c.is_whitespace() && !is_unsafe(c)).then_some(0),
    }
}

impl Symbol for u8 {
    fn byte(self) -> u8 {
        self
    }

    fn of_escape(c: char, _: u8, _: u8) -> Option<u8> {
        symbol(c)
    }
}

/// A character, and the range of the text that it stands for.
#[derive(Clone, Copy)]
struct Unit {
    byte: u8,
    start: usize,
    end: usize,
}

impl Symbol for Unit {
    fn byte(self) -> u8 {
        self.byte
    }

    fn of_escape(c: char, first: Unit, last: Unit) -> Option<Unit> {
        Some(Unit { byte: symbol(c)?, start: first.start, end: last.end })
    }
}

fn units(text: &str) -> impl Iterator<Item = Unit> {
    text.char_indices()
        .filter_map(|(start, c)| Some(Unit { byte: symbol(c)?, start, end: start + c.len_utf8() }))
}

/// The text, and the text with one or more levels of escapes decoded, as far as it has them.
fn levels<S: Symbol>(text: Vec<S>) -> impl Iterator<Item = Vec<S>> {
    iter::successors(Some(text), |text| decoded(text)).take(MAX_LEVELS + 1)
}

/// The text with one level of escapes decoded; `None` if it has none.
fn decoded<S: Symbol>(text: &[S]) -> Option<Vec<S>> {
    let mut decoded = Vec::new();
    let (mut at, mut has_escapes) = (0, false);
    while at < text.len() {
        let is_begin = |symbol: &S| matches!(symbol.byte(), b'%' | b'&' | b'\\');
        let plain = text[at..].iter().position(is_begin).unwrap_or(text.len() - at);
        if plain == text.len() {
            return None;
        }
        if decoded.is_empty() {
            decoded.reserve(text.len());
        }
        decoded.extend_from_slice(&text[at..at + plain]);
        at += plain;
        let rest = &text[at..];
        match escape(rest) {
            Some((c, length)) => {
                has_escapes = true;
                decoded.extend(S::of_escape(c, rest[0], rest[length - 1]));
                at += length;
            }
            None => {
                decoded.extend(rest.first());
                at += rest.len().min(1);
            }
        }
    }
    has_escapes.then_some(decoded)
}

/// The character that an escape at the start of `text` stands for, and the length of the escape.
fn escape<S: Symbol>(text: &[S]) -> Option<(char, usize)> {
    let byte = |at: usize| text.get(at).map(|symbol| symbol.byte());
    let number = |from: usize, most: usize, end: Option<u8>, radix: u32| {
        let digits = text.iter().skip(from).take(most);
        let digits = digits.map_while(|symbol| char::from(symbol.byte()).to_digit(radix));
        // At most eight digits: they fit.
        let (value, count) =
            digits.fold((0, 0), |(value, count), digit| (value * radix + digit, count + 1));
        let length = from + count;
        let length = match end {
            Some(end) => (count > 0 && byte(length)? == end).then_some(length + 1)?,
            None => (count == most).then_some(length)?,
        };
        Some((char::from_u32(value)?, length))
    };
    match byte(0)? {
        b'%' => number(1, 2, None, 16),
        b'&' if byte(1)? == b'#' => match byte(2)? {
            b'x' | b'X' => number(3, 8, Some(b';'), 16),
            _ => number(2, 8, Some(b';'), 10),
        },
        b'\\' => match byte(1)? {
            b'u' if byte(2)? == b'{' => number(3, 6, Some(b'}'), 16),
            b'u' => number(2, 4, None, 16),
            b'x' => number(2, 2, None, 16),
            b'n' | b'r' | b't' => Some((' ', 2)),
            same @ (b'/' | b'\\' | b'"' | b'\'') => Some((char::from(same), 2)),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "Secret/Access+Key/0123456789==";

    fn redacted(text: &str) -> String {
        let secrets = [Spellings::of(SECRET).unwrap()];
        let mut clean = text.to_owned();
        let found = find(text, secrets.iter());
        assert_eq!(is_in(text, secrets.iter()), !found.is_empty(), "{text}");
        for range in found.into_iter().rev() {
            clean.replace_range(range, "[redacted]");
        }
        clean
    }

    #[test]
    fn each_spelling_of_a_secret_is_found() {
        let each = |escape: &dyn Fn(char) -> String| SECRET.chars().map(escape).collect::<String>();
        let url = SECRET.replace('/', "%2F").replace('+', "%2b").replace('=', "%3D");
        let twice = url.replace('%', "%25");
        let split = format!("{}\n  {}\r\n{}", &SECRET[..5], &SECRET[5..20], &SECRET[20..]);
        for spelling in [
            SECRET.to_owned(),
            url,
            twice,
            SECRET.replace('/', "\\/"),
            each(&|c| format!("\\u{:04x}", u32::from(c))),
            each(&|c| format!("&#x{:X};", u32::from(c))),
            each(&|c| format!("&#{};", u32::from(c))),
            each(&|c| format!("{c}\u{200b}")),
            split.clone(),
            split.replace('\n', "\\n").replace('\r', "\\r"),
            split.replace('\n', "%0A").replace('\r', "%0D"),
            split.replace('\n', "\\u{a}"),
        ] {
            let text = redacted(&format!("é before {spelling} after"));
            assert!(text.starts_with("é before [redacted]"), "{spelling}: {text}");
            assert!(text.ends_with(" after"), "{spelling}: {text}");
        }
        for before in ["", "a", "ab", "abc"] {
            let text = format!("{before}{SECRET} and more");
            let encoded = base64::encode(&text);
            let in_url = encoded.replace('+', "-").replace('/', "_");
            for encoded in [in_url, format!("{}\n{}", &encoded[..9], &encoded[9..]), encoded] {
                let clean = redacted(&format!("<{encoded}>"));
                assert!(clean.contains("[redacted]"), "{encoded}");
                assert!(clean.len() < encoded.len() - 20, "{clean}");
            }
        }
    }

    #[test]
    fn a_secret_is_found_anywhere_in_a_long_text() {
        let secrets = [Spellings::of(SECRET).unwrap()];
        let escaped = SECRET.replace('/', "%252F").replace('+', "&#x2b;");
        for before in [0, WINDOW - OVERLAP, WINDOW / 2 - 20, WINDOW - 20, 2 * WINDOW + 1_000] {
            let around = ["a \n".repeat(before), "b".repeat(2 * WINDOW)];
            for spelling in [SECRET, &escaped] {
                let text = format!("{}{spelling}{}", around[0], around[1]);
                assert!(is_in(&text, secrets.iter()), "{before} {spelling}");
            }
            assert!(!is_in(&around.concat(), secrets.iter()));
        }
        assert!(!is_in("", secrets.iter()));
    }

    #[test]
    fn other_text_stays_as_it_is() {
        for text in
            ["", "Secret/Access+Key", "100% &#; \\u{} \\", "%2", "&#x", "Sécret/Access+Key/"]
        {
            assert_eq!(redacted(text), text);
        }
    }
}
