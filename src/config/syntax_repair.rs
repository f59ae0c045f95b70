//! Reads a line that is not TOML as it was probably meant: what is wrong with it, and the line without these errors.

use std::ops::Range;

use toml::de::DeTable;

use super::toml_text;
use crate::iam::{escaped, is_name_char, is_printable};

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    /// The bytes of the line to underline.
    pub(super) span: Range<usize>,
    pub(super) message: String,
    /// The instruction. It is sufficient if the line has no other error.
    pub(super) help: String,
    /// Whether a bracket is not closed on the line, so that the parser continues on the next one.
    pub(super) is_open: bool,
}

/// Why a line is not corrected.
enum Unclear {
    /// The mistake is certain, and what was meant is not.
    Mistake(Mistake),
    Unknown,
}

/// The maximum number of mistakes in one line. With more, what was meant is only a guess.
const MAX_MISTAKES: usize = 3;

/// The first mistake of a line, with the instruction that corrects the whole line. `None` if it is not one of those that are
/// known, or if the line would still be invalid.
pub(super) fn mistake(line: &str) -> Option<Mistake> {
    let mut reader = Reader { line, at: 0, is_in_brackets: false, mistakes: Vec::new() };
    let corrected = match reader.line() {
        Ok(corrected) => corrected,
        Err(Unclear::Mistake(mistake)) => return Some(mistake),
        Err(Unclear::Unknown) => return None,
    };
    let corrected = corrected.trim();
    let is_valid = DeTable::parse(corrected).is_ok() && is_printable(corrected);
    if !is_valid || reader.mistakes.len() > MAX_MISTAKES {
        return None;
    }
    let count = reader.mistakes.len();
    let is_open = reader.mistakes.iter().any(|mistake| mistake.is_open);
    let first = reader.mistakes.into_iter().min_by_key(|mistake| mistake.span.start)?;
    let help = match count {
        1 => first.help,
        _ => format!("write {corrected}"),
    };
    Some(Mistake { help, is_open, ..first })
}

/// Whether a bracket that the line opens is not closed on it.
pub(super) fn is_open(line: &str) -> bool {
    mistake(line).is_some_and(|mistake| mistake.is_open)
}

struct Reader<'t> {
    line: &'t str,
    at: usize,
    is_in_brackets: bool,
    mistakes: Vec<Mistake>,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.line[self.at..]
    }

    fn skip(&mut self, count: usize) -> &'t str {
        let skipped = &self.rest()[..count];
        self.at += count;
        skipped
    }

    fn spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    fn of(span: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Mistake {
        Mistake { span, message: message.into(), help: help.into(), is_open: false }
    }

    fn note(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.mistakes.push(Self::of(span, message, help));
    }

    /// The corrected line.
    fn line(&mut self) -> Result<String, Unclear> {
        self.spaces();
        let start = self.at;
        for conflict in ["<<<<<<<", "|||||||", "=======", ">>>>>>>"] {
            if self.rest().starts_with(conflict) {
                let help = "resolve the merge conflict, and remove its markers";
                let span = start..self.line.len();
                return Err(Unclear::Mistake(Self::of(
                    span,
                    "this is a conflict marker of Git",
                    help,
                )));
            }
        }
        if let Some(comment) = self.comment() {
            return Ok(comment);
        }
        if let Some(header) = self.header() {
            return Ok(header);
        }
        let key = self.key()?;
        self.separator(start, &key)?;
        let value = self.value_of(&key)?;
        self.spaces();
        let end = self.end()?;
        Ok(format!("{key} = {value}{end}"))
    }

    /// A comment with the sign of another language.
    fn comment(&mut self) -> Option<String> {
        let sign = ["//", "--", ";"].into_iter().find(|sign| self.rest().starts_with(sign))?;
        if sign == "--" && self.rest().starts_with("---") {
            return None;
        }
        let help = format!("write # in place of {sign}");
        self.note(self.at..self.at + sign.len(), "a comment begins with #", help);
        self.skip(sign.len());
        Some(format!("#{}", self.skip(self.rest().len())))
    }

    /// A header whose brackets do not match.
    fn header(&mut self) -> Option<String> {
        let text = self.rest().split('#').next()?.trim_end();
        let name = text.trim_start_matches('[').trim_end_matches(']').trim();
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.+,@\"'".contains(c);
        if name.is_empty() || name.len() == text.len() || !name.chars().all(is_name) {
            return None;
        }
        let header = if name == "rules" { "[[rules]]".to_owned() } else { format!("[{name}]") };
        let help = format!("write {header}");
        self.note(
            self.at..self.at + text.len(),
            "the brackets of the header of a table do not match",
            help,
        );
        self.skip(self.rest().len());
        Some(header)
    }

    /// A name as a key of TOML.
    fn key(&mut self) -> Result<String, Unclear> {
        let start = self.at;
        let rest = self.rest();
        if let Some(quote) = rest.chars().next().filter(|c| ['"', '\''].contains(c)) {
            let end = rest[1..].find(quote).ok_or(Unclear::Unknown)?;
            let entry = format!("{} = 0", self.skip(end + 2));
            let table = DeTable::parse(&entry).map_err(|_| Unclear::Unknown)?;
            let name = table.get_ref().keys().next().ok_or(Unclear::Unknown)?;
            return Ok(toml_text::key(name.get_ref()));
        }
        // `jo@agency.example: "…"` has two mistakes. With =, a name can contain the sign itself.
        let is_name = |c: char| is_name_char(c) && c != '=';
        let name = &rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())];
        let key = toml_text::key(name);
        if rest[name.len()..].trim_start().starts_with(':') && key != name && !name.is_empty() {
            self.skip(name.len());
            let help = format!("put the name in quotes: {key}");
            self.note(start..self.at, "a name with this character must be in quotes", help);
            return Ok(key);
        }
        let bare = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        let length = rest.find(|c| !bare(c)).unwrap_or(rest.len());
        // The arrow of `alice -> false`.
        let key = rest[..length].trim_end_matches('-');
        if key.is_empty() {
            return Err(Unclear::Unknown);
        }
        self.skip(key.len());
        Ok(key.to_owned())
    }

    /// The sign between a name, which begins at `name`, and its value.
    fn separator(&mut self, name: usize, key: &str) -> Result<(), Unclear> {
        let before = self.at;
        self.spaces();
        let start = self.at;
        let sign = [":=", "=>", "->", "==", "=", ":"].into_iter();
        let sign = sign.into_iter().find(|sign| self.rest().starts_with(sign)).unwrap_or_default();
        self.skip(sign.len());
        let span = start..self.at;
        match sign {
            "=" => {}
            "" if self.rest().is_empty() => {
                let message = "a name needs = and a value";
                let help = format!("write {key} = VALUE, or remove the line");
                return Err(Unclear::Mistake(Self::of(name..before, message, help)));
            }
            // A name with spaces, or a line that is not an entry at all.
            "" if start == before
                || !self.rest().starts_with(['"', '\'']) && !is_word(self.rest()) =>
            {
                return Err(Unclear::Unknown);
            }
            "" => {
                self.note(
                    start..start,
                    "expected = between the name and the value",
                    "write = before the value",
                );
            }
            sign => {
                let message = format!("expected = between the name and the value, found {sign}");
                self.note(span, message, format!("write = in place of {sign}"));
            }
        }
        self.spaces();
        Ok(())
    }

    /// The value of a key. A bracket can be missing before it.
    fn value_of(&mut self, key: &str) -> Result<String, Unclear> {
        let start = self.at;
        if self.rest().is_empty() && !self.mistakes.is_empty() {
            return Err(Unclear::Unknown);
        }
        if self.rest().is_empty() {
            let message = format!("{} has no value", escaped(key));
            let help = "write a value after =, or remove the line";
            return Err(Unclear::Mistake(Self::of(0..self.line.trim_end().len(), message, help)));
        }
        let content = self.rest().split(" #").next().unwrap_or_default().trim_end();
        for (open, close, what) in [('[', ']', "array"), ('{', '}', "inline table")] {
            if content.ends_with(close) && !content.starts_with(['[', '{']) {
                let message = format!("the {what} has no opening bracket");
                self.note(start..start, message, format!("write {open} before the value"));
                return self.items(open, close);
            }
        }
        self.value(key)
    }

    fn value(&mut self, key: &str) -> Result<String, Unclear> {
        match self.rest().chars().next() {
            Some('"' | '\'') => self.string(),
            Some('[') => {
                self.skip(1);
                self.items('[', ']')
            }
            Some('{') => {
                self.skip(1);
                self.items('{', '}')
            }
            _ => self.word(key),
        }
    }

    /// The items of an array or an inline table, after its opening bracket.
    fn items(&mut self, open: char, close: char) -> Result<String, Unclear> {
        let outer = std::mem::replace(&mut self.is_in_brackets, true);
        let start = self.at.saturating_sub(1);
        let mut items = Vec::new();
        loop {
            self.spaces();
            if self.rest().starts_with(close) {
                self.skip(1);
                break;
            }
            if self.rest().is_empty() || self.rest().starts_with('#') {
                let what = if open == '[' { "array" } else { "inline table" };
                let end = self.line[..self.at].trim_end().len();
                self.mistakes.push(Mistake {
                    is_open: true,
                    ..Self::of(
                        start..end,
                        format!("the {what} has no closing bracket"),
                        format!("write {close} after the last value"),
                    )
                });
                break;
            }
            let item = match open {
                '[' => self.value("")?,
                _ => {
                    let start = self.at;
                    let key = self.key()?;
                    self.separator(start, &key)?;
                    format!("{key} = {}", self.value(&key)?)
                }
            };
            items.push(item);
            let end = self.at;
            self.spaces();
            match self.rest().chars().next() {
                Some(',') => drop(self.skip(1)),
                Some(c) if c != close && c != '#' => {
                    self.note(
                        end..end,
                        "expected a comma between two values",
                        "write a comma here",
                    );
                }
                _ => {}
            }
        }
        self.is_in_brackets = outer;
        Ok(match open {
            '[' => format!("[{}]", items.join(", ")),
            _ => format!("{{ {} }}", items.join(", ")),
        })
    }

    fn string(&mut self) -> Result<String, Unclear> {
        let start = self.at;
        let rest = self.rest();
        if rest.starts_with("\"\"\"") || rest.starts_with("'''") {
            return Err(Unclear::Unknown);
        }
        let quote = rest.chars().next().unwrap_or('"');
        let mut is_escaped = false;
        for (at, c) in rest.char_indices().skip(1) {
            if is_escaped && !"btnfre\"\\xuU".contains(c) {
                let span = start + at - 1..start + at + c.len_utf8();
                let message =
                    format!("\\{} is not an escape sequence of TOML", escaped(&c.to_string()));
                let help = "in a path, write / in place of \\; for a backslash, write \\\\";
                return Err(Unclear::Mistake(Self::of(span, message, help)));
            }
            if c == quote && !is_escaped {
                return Ok(self.skip(at + 1).to_owned());
            }
            is_escaped = quote == '"' && c == '\\' && !is_escaped;
        }
        let content = rest[1..].split(" #").next().unwrap_or_default();
        let brackets: &[char] =
            if self.is_in_brackets { &[']', '}', ' ', '\t'] } else { &[' ', '\t'] };
        let content = content.trim_end_matches(brackets);
        let text = content.trim_end_matches(['"', '\'']);
        if text.contains(['"', '\'', '\\']) || text.is_empty() {
            return Err(Unclear::Unknown);
        }
        self.skip(1 + content.len());
        let help = match content == text {
            true => format!("write {quote} at the end of the string"),
            false => format!("put the string in quotes: {}", toml_text::string(text)),
        };
        self.note(start..self.at, "the string has no closing quotation mark", help);
        Ok(toml_text::string(text))
    }

    /// A value without quotes: a number, a date, a boolean, or a string whose quotes are missing.
    fn word(&mut self, key: &str) -> Result<String, Unclear> {
        let start = self.at;
        let ends: &[char] = if self.is_in_brackets {
            &[' ', '\t', ';', '#', ',', ']', '}']
        } else {
            &[' ', '\t', ';', '#']
        };
        let rest = self.rest();
        let word = rest.split(ends).next().unwrap_or_default().trim_end_matches(',');
        self.skip(word.len());
        let span = start..self.at;
        if word.is_empty() {
            return Err(Unclear::Unknown);
        }
        if let Some(date) = date_mistake(word) {
            let (message, help, corrected) = date;
            let mistake = Self::of(span, message, help);
            return match corrected {
                Some(corrected) => {
                    self.mistakes.push(mistake);
                    Ok(corrected)
                }
                None => Err(Unclear::Mistake(mistake)),
            };
        }
        if DeTable::parse(&format!("x = {word}")).is_ok() {
            return Ok(word.to_owned());
        }
        let text = word.trim_matches(['"', '\'', '`']);
        let digits = word.trim_start_matches('0');
        if word.len() > 1 && word.bytes().all(|b| b.is_ascii_digit()) {
            // An account ID is a string, also if it begins with another digit.
            let (help, corrected) = match word.len() == 12 || key == "id" {
                true => (format!("put the digits in quotes: \"{word}\""), toml_text::string(word)),
                false => {
                    let number = if digits.is_empty() { "0" } else { digits };
                    (format!("write {number}"), number.to_owned())
                }
            };
            self.note(span, "a number must not begin with 0", help);
            return Ok(corrected);
        }
        let is_part = |c: char| c.is_ascii_alphanumeric() || ":/_+=,.@-%".contains(c);
        let is_boolean = ["true", "false"].iter().any(|it| text.eq_ignore_ascii_case(it));
        if is_boolean
            || !text.starts_with(|c: char| c.is_ascii_alphanumeric())
            || !text.chars().all(is_part)
        {
            return Err(Unclear::Unknown);
        }
        let string = toml_text::string(text);
        self.note(
            span,
            "a string must be in quotes",
            format!("put the string in quotes: {string}"),
        );
        Ok(string)
    }

    /// What follows the value: nothing, a comment, or a sign that other formats have there.
    fn end(&mut self) -> Result<String, Unclear> {
        let start = self.at;
        let rest = self.rest();
        if let Some(sign) = rest.chars().next().filter(|sign| [',', ';'].contains(sign)) {
            let after = rest[1..].trim_start();
            if after.is_empty() || after.starts_with(['#', '/', '-']) {
                let message = format!("{sign} is not allowed at the end of a line");
                self.note(start..start + 1, message, format!("remove {sign}"));
                self.skip(1);
                self.spaces();
            }
        }
        match self.rest() {
            "" => Ok(String::new()),
            comment if comment.starts_with('#') => Ok(format!("  {}", self.skip(comment.len()))),
            _ => match self.comment() {
                Some(comment) => Ok(format!("  {comment}")),
                None => Err(Unclear::Unknown),
            },
        }
    }
}

fn is_word(text: &str) -> bool {
    let word = text.trim_end();
    ["true", "false"].contains(&word)
}

/// What is wrong with a date, the instruction, and the date as it must be written, if that is certain. `None` for what is
/// no date, or a valid one.
fn date_mistake(word: &str) -> Option<(String, String, Option<String>)> {
    const EXAMPLE: &str = "write a date as YEAR-MONTH-DAY, such as 2027-01-31";
    let (date, time) = match word.find(['T', 't']) {
        Some(at) => word.split_at(at),
        None => (word, ""),
    };
    let parts: Vec<&str> = date.split(['-', '/', '.']).collect();
    let is_number =
        |part: &&str| (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let [year, month, day] = parts[..] else { return None };
    if !parts.iter().all(is_number) {
        return None;
    }
    let is_date = |text: &str| DeTable::parse(&format!("x = {text}")).is_ok();
    if is_date(word) {
        return None;
    }
    if year.len() != 4 || month.len() > 2 || day.len() > 2 {
        return Some((
            format!("{} is not a date of TOML", escaped(word)),
            EXAMPLE.to_owned(),
            None,
        ));
    }
    let padded = format!("{year}-{month:0>2}-{day:0>2}");
    if !is_date(&padded) {
        let help = "write a date that exists, such as 2027-01-31";
        return Some((format!("the date {} does not exist", escaped(date)), help.to_owned(), None));
    }
    let whole = format!("{padded}{time}");
    if !is_date(&whole) {
        let message = format!("{} is not a time of a day", escaped(&time[1..]));
        let help = format!(
            "write a time from 00:00:00 to 23:59:59, such as {padded}T12:00:00Z, or only the date {padded}"
        );
        return Some((message, help, None));
    }
    let message = "a date is YEAR-MONTH-DAY, with two digits for the month and for the day";
    Some((message.to_owned(), format!("write {whole}"), Some(whole)))
}
