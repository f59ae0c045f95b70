//! The rows and fields of a CSV text, each field with its position.

use std::ops::Range;
use std::sync::Arc;

use csv_core::{ReadFieldResult, Reader, ReaderBuilder};

use crate::config::Diagnostic;
use crate::config::source_text::{BYTE_ORDER_MARK, SourceText};

/// A field without its quotes and without the spaces around it.
pub(super) struct Field {
    pub(super) text: String,
    /// The bytes of the field in the source, including its quotes.
    pub(super) span: Range<usize>,
}

/// A row with at least one field that is not empty.
pub(super) type Row = Vec<Field>;

/// The delimiters that spreadsheets write. Where the decimal separator is a comma, Excel writes semicolons.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// The delimiter of the text: of those in its first line that is not empty, the most common one outside of quotes.
pub(super) fn delimiter(text: &str) -> u8 {
    let header = text.trim_start_matches(BYTE_ORDER_MARK).trim_start_matches(['\r', '\n']);
    let header = header.split(['\r', '\n']).next().unwrap_or_default();
    // Every other part is in quotes.
    let outside = || header.split('"').step_by(2).flat_map(str::bytes);
    let count = |delimiter: u8| outside().filter(|&byte| byte == delimiter).count();
    // The last of equal ones, so that a comma wins.
    DELIMITERS.into_iter().rev().max_by_key(|&delimiter| count(delimiter)).unwrap_or(b',')
}

/// The rows of the text. Rows without any text are left out: spreadsheets write them below the last one. Errors in the
/// quotes are added to `diagnostics`, and a row with one is `None`: what its fields are is only a guess.
pub(super) fn rows(
    source: &Arc<SourceText>,
    delimiter: u8,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Option<Row>> {
    let mut reader = ReaderBuilder::new().delimiter(delimiter).build();
    let text = source.text.as_str();
    let mut start = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
    let mut buffer = vec![0; text.len()];
    let (mut rows, mut row) = (Vec::new(), Row::new());
    while let Some((length, end, is_last)) = read_field(&mut reader, text, start, &mut buffer) {
        let content = String::from_utf8_lossy(&buffer[..length]);
        let span = trimmed(text, start..end, if is_last { None } else { Some(delimiter) });
        start = end;
        row.push(Field { text: content.trim().to_owned(), span });
        if is_last {
            let row = std::mem::take(&mut row);
            let errors = row.iter().filter_map(|field| quotes(source, &field.span));
            let errors: Vec<Diagnostic> = errors.collect();
            if row.iter().any(|field| !field.text.is_empty() || !errors.is_empty()) {
                rows.push(if errors.is_empty() { Some(row) } else { None });
            }
            diagnostics.extend(errors);
        }
    }
    rows
}

/// Reads the field that begins at `start` into `buffer`. Returns its length, the offset after it, and whether it is
/// the last one of its row; `None` after the last row.
fn read_field(
    reader: &mut Reader,
    text: &str,
    start: usize,
    buffer: &mut [u8],
) -> Option<(usize, usize, bool)> {
    let (mut length, mut end) = (0, start);
    loop {
        let (result, read, written) =
            reader.read_field(&text.as_bytes()[end..], &mut buffer[length..]);
        length += written;
        end += read;
        match result {
            ReadFieldResult::Field { record_end } => return Some((length, end, record_end)),
            ReadFieldResult::End => return None,
            // At the end of the text, another call ends the last field. A field is never longer than the text.
            ReadFieldResult::InputEmpty | ReadFieldResult::OutputFull => {}
        }
    }
}

/// The span of a field without the line breaks before it, the delimiter or line break after it, and spaces.
fn trimmed(text: &str, span: Range<usize>, delimiter: Option<u8>) -> Range<usize> {
    let mut raw = &text[span.clone()];
    let delimited = delimiter.and_then(|delimiter| raw.strip_suffix(char::from(delimiter)));
    match delimited {
        Some(before) => raw = before,
        // The line break after the last field of a row is not before it.
        None if raw.trim().is_empty() => return span.start..span.start,
        None => {}
    }
    let start = span.start + (raw.len() - raw.trim_start().len());
    start..start + raw.trim().len()
}

/// The error in the quotes of a field. The parser accepts any.
fn quotes(source: &Arc<SourceText>, span: &Range<usize>) -> Option<Diagnostic> {
    let inner = source.text[span.clone()].strip_prefix('"')?;
    let (message, help) = match inner.replace("\"\"", "").split_once('"') {
        Some((_, "")) => return None,
        Some(_) => (
            "text after the closing quotation mark",
            "remove the text, or write a quotation mark inside a field twice: \"\"",
        ),
        None => (
            "the quotation mark is not closed",
            "close the field with another quotation mark, or remove this one",
        ),
    };
    // A field that is not closed reaches to the end of the text.
    let span = span.start..span.start + 1;
    Some(Diagnostic::at(source, span, message.to_owned()).help(help))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Vec<(String, String)>> {
        let source = Arc::new(SourceText::new("f.csv", text.to_owned()));
        let mut diagnostics = Vec::new();
        let rows = rows(&source, delimiter(text), &mut diagnostics);
        assert!(diagnostics.is_empty(), "{text:?}");
        let field = |field: Field| (field.text, source.text[field.span].to_owned());
        rows.into_iter().map(|row| row.unwrap().into_iter().map(field).collect()).collect()
    }

    #[test]
    fn each_field_has_its_text_and_its_place() {
        let text = "\u{feff}a , \"b;\"\"c\"\r\n\r\n x\u{a0},\r\n,\r\n\"y\nz\",é";
        let pair = |text: &str, raw: &str| (text.to_owned(), raw.to_owned());
        assert_eq!(
            read(text),
            [
                vec![pair("a", "a"), pair("\"b;\"\"c\"", "\"b;\"\"c\"")],
                vec![pair("x", "x"), pair("", "")],
                vec![pair("y\nz", "\"y\nz\""), pair("é", "é")],
            ]
        );
        assert!(
            read("").is_empty() && read("\u{feff}\r\n\r\n").is_empty() && read(",,\n").is_empty()
        );
    }

    #[test]
    fn the_header_shows_the_delimiter() {
        for (text, expected) in [
            ("name,boundary\na;b;c;d", b','),
            ("\u{feff}\r\nname;boundary;\"a,b,c,d\"\n", b';'),
            ("name\tboundary\r\n", b'\t'),
            ("name", b','),
            ("", b','),
        ] {
            assert_eq!(delimiter(text), expected, "{text}");
        }
    }
}
