//! Text of manual pages.

use roff::{Roff, bold, roman};

/// A part of a section.
#[derive(Debug)]
pub(super) enum Block {
    Paragraph(&'static str),
    /// An entry of a definition list.
    Term(&'static str, &'static str),
    /// A heading below a section's.
    Subsection(&'static str),
    /// Lines that are not filled.
    Verbatim(&'static str),
}

/// A section with this heading.
pub(super) fn section(roff: &mut Roff, heading: &str, blocks: &[Block]) {
    roff.control("SH", [heading]);
    let mut is_first = true;
    for block in blocks {
        match block {
            // A paragraph macro after a heading is redundant, and hides the NAME line from mandb.
            Block::Paragraph(text) if is_first => {
                roff.text([roman(*text)]);
            }
            Block::Paragraph(text) => paragraph(roff, text),
            Block::Term(term, text) => definition(roff, term, text),
            Block::Subsection(heading) => {
                roff.control("SS", [*heading]);
            }
            Block::Verbatim(text) => verbatim(roff, text.lines()),
        }
        is_first = matches!(block, Block::Subsection(_));
    }
}

pub(super) fn paragraph(roff: &mut Roff, text: &str) {
    roff.control("PP", []);
    roff.text([roman(text)]);
}

/// An entry of a definition list.
pub(super) fn definition(roff: &mut Roff, term: &str, text: &str) {
    roff.control("TP", []);
    roff.text([bold(term)]);
    roff.text([roman(text)]);
}

/// Indented lines that are not filled.
pub(super) fn verbatim<'a>(roff: &mut Roff, lines: impl Iterator<Item = &'a str>) {
    roff.control("RS", ["4"]).control("EX", []);
    for line in lines {
        roff.text([roman(line)]);
    }
    // groff turns hyphenation on again at the end of an example.
    roff.control("EE", []).control("RE", []).control("nh", []);
}

/// The page with this title, section and body, in which backticks surround bold text.
///
/// Options, ARNs and paths must not be hyphenated, because readers copy them.
pub(super) fn page(title: &str, section: &str, body: &str) -> String {
    let manual = if section == "1" { "User Commands" } else { "File Formats" };
    let source = concat!("iam-boundaries ", env!("CARGO_PKG_VERSION"));
    let mut head = Roff::new();
    // The third argument is the date. `roff` does not quote an empty argument, and the next one would take
    // its place.
    head.control("TH", [title, section, "\"\"", source, manual]);
    head.control("nh", []).control("ad", ["l"]);
    // A body of several parts repeats the definitions that `roff` writes at the top of a document.
    let body = body.replace(&Roff::new().render(), "");
    let mut parts = body.split('`');
    let mut page = head.render() + parts.next().unwrap_or_default();
    let mut is_bold = false;
    for part in parts {
        is_bold = !is_bold;
        page += if is_bold { "\\fB" } else { "\\fR" };
        page += part;
    }
    page
}
