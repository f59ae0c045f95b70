//! Text of manual pages, in which `` `bold` `` is bold.

use roff::{Inline, Roff, bold, roman};

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
    for block in blocks {
        match block {
            Block::Paragraph(text) => paragraph(roff, text),
            Block::Term(term, text) => definition(roff, term, text),
            Block::Subsection(heading) => {
                roff.control("SS", [*heading]);
            }
            Block::Verbatim(text) => verbatim(roff, text.lines()),
        }
    }
}

pub(super) fn paragraph(roff: &mut Roff, text: &str) {
    roff.control("PP", []);
    roff.text(inlines(text));
}

/// An entry of a definition list.
pub(super) fn definition(roff: &mut Roff, term: &str, text: &str) {
    roff.control("TP", []);
    roff.text([bold(term)]);
    roff.text(inlines(text));
}

/// Indented lines that are not filled.
pub(super) fn verbatim<'a>(roff: &mut Roff, lines: impl Iterator<Item = &'a str>) {
    roff.control("RS", ["4"]).control("EX", []);
    for line in lines {
        roff.text([roman(line)]);
    }
    roff.control("EE", []).control("RE", []);
}

fn inlines(text: &str) -> Vec<Inline> {
    let mut is_bold = true;
    let parts = text.split('`').map(|part| {
        is_bold = !is_bold;
        if is_bold { bold(part) } else { roman(part) }
    });
    parts.collect()
}

/// The page as a whole. Each part may begin with the definitions that `roff` writes at the top of a
/// document; the page has them once.
pub(super) fn page(parts: &str) -> String {
    let definitions = Roff::new().render();
    format!("{definitions}{}", parts.replace(&definitions, ""))
}
