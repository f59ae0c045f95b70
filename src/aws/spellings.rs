use std::ops::Range;

use aws_smithy_types::base64;

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

/// The maximum number of times that a text was escaped.
const MAX_LEVELS: usize = 3;
/// The number of characters of a long text that are searched at once, without spaces. A spelling of a secret has at
/// most half as many.
const WINDOW: usize = 1 << 16;

impl Spellings {
    pub(super) fn of(secret: &str) -> Spellings {
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
        Spellings { patterns }
    }
}

/// The ranges of `text` that contain one of `secrets`, in order and without overlap.
pub(super) fn find<'a>(
    text: &str,
    secrets: impl Iterator<Item = &'a Spellings> + Clone,
) -> Vec<Range<usize>> {
    let mut found = find_in(units(text).collect(), secrets);
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

/// Whether `text`, which can be as long as a page of users, contains one of `secrets`. It takes little memory.
pub(super) fn is_in<'a>(text: &str, secrets: impl Iterator<Item = &'a Spellings> + Clone) -> bool {
    let mut units = units(text);
    let mut window: Vec<Unit> = Vec::new();
    loop {
        window.extend(units.by_ref().take(WINDOW - window.len()));
        let is_last = window.len() < WINDOW;
        if !find_in(window.clone(), secrets.clone()).is_empty() {
            return true;
        }
        if is_last {
            return false;
        }
        window.drain(..WINDOW / 2);
    }
}

/// The ranges of the text that contain one of `secrets`, in any order.
fn find_in<'a>(
    mut units: Vec<Unit>,
    secrets: impl Iterator<Item = &'a Spellings> + Clone,
) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for _ in 0..=MAX_LEVELS {
        let plain: String = units.iter().map(|unit| char::from(unit.byte)).collect();
        for pattern in secrets.clone().flat_map(|secret| &secret.patterns) {
            let mut from = 0;
            while let Some(at) = plain[from..].find(&pattern.text) {
                found.push(pattern.range(&units, from + at));
                from += at + 1;
            }
        }
        match decoded(&units) {
            Some(next) => units = next,
            None => break,
        }
    }
    found
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

/// A character, and the range of the text that it stands for.
#[derive(Clone, Copy)]
struct Unit {
    /// 0 for a character that is not ASCII: secrets are ASCII.
    byte: u8,
    start: usize,
    end: usize,
}

impl Unit {
    /// `None` for a character that can separate the parts of a secret.
    fn of(c: char, range: Range<usize>) -> Option<Unit> {
        let Range { start, end } = range;
        let byte = if c.is_ascii() { c as u8 } else { 0 };
        (!c.is_whitespace() && !is_unsafe(c)).then_some(Unit { byte, start, end })
    }
}

fn units(text: &str) -> impl Iterator<Item = Unit> {
    text.char_indices().filter_map(|(at, c)| Unit::of(c, at..at + c.len_utf8()))
}

/// The text with one level of escapes decoded; `None` if it has none.
fn decoded(units: &[Unit]) -> Option<Vec<Unit>> {
    let mut decoded = Vec::with_capacity(units.len());
    let (mut at, mut has_escapes) = (0, false);
    while at < units.len() {
        let rest = &units[at..];
        let (c, length) = match escape(rest) {
            Some((c, length)) => {
                has_escapes = true;
                (c, length)
            }
            None => (char::from(rest[0].byte), 1),
        };
        if length > 1 {
            decoded.extend(Unit::of(c, rest[0].start..rest[length - 1].end));
        } else {
            decoded.push(rest[0]);
        }
        at += length;
    }
    has_escapes.then_some(decoded)
}

/// The character that an escape at the start of `units` stands for, and the length of the escape.
fn escape(units: &[Unit]) -> Option<(char, usize)> {
    let is_any = |allowed: &[u8], unit: &Unit| allowed.contains(&unit.byte);
    let number = |from: usize, most: usize, end: Option<u8>, radix: u32| {
        let digits: String = units
            .iter()
            .skip(from)
            .take(most)
            .map(|unit| char::from(unit.byte))
            .take_while(|c| c.is_digit(radix))
            .collect();
        let length = from + digits.len();
        let length = match end {
            Some(end) => (units.get(length)?.byte == end).then_some(length + 1)?,
            None => (digits.len() == most).then_some(length)?,
        };
        Some((char::from_u32(u32::from_str_radix(&digits, radix).ok()?)?, length))
    };
    match units.first()?.byte {
        b'%' => number(1, 2, None, 16),
        b'&' if units.get(1)?.byte == b'#' => match units.get(2)?.byte {
            b'x' | b'X' => number(3, 8, Some(b';'), 16),
            _ => number(2, 8, Some(b';'), 10),
        },
        b'\\' => match units.get(1)?.byte {
            b'u' if units.get(2)?.byte == b'{' => number(3, 6, Some(b'}'), 16),
            b'u' => number(2, 4, None, 16),
            b'x' => number(2, 2, None, 16),
            b'n' | b'r' | b't' => Some((' ', 2)),
            _ if is_any(b"/\\\"'", &units[1]) => Some((char::from(units[1].byte), 2)),
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
        let secrets = [Spellings::of(SECRET)];
        let mut clean = text.to_owned();
        for range in find(text, secrets.iter()).into_iter().rev() {
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
        let secrets = [Spellings::of(SECRET)];
        let escaped = SECRET.replace('/', "%252F").replace('+', "&#x2b;");
        for before in [0, WINDOW / 2 - 20, WINDOW - 20, 3 * WINDOW + 1_000] {
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
