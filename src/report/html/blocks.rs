//! The sections of the documents of a page. Sections of several accounts with the same heading are one block.

use std::collections::HashMap;
use std::mem;

use super::input::Report;
use crate::report::view::{Body, GUARD_RAIL, Row, Section, Severity, Text};

/// Sections with the same heading, message and help.
pub(super) struct Block<'a> {
    /// `None` if a title of the page is the heading.
    pub(super) heading: Option<&'a Text<'a>>,
    pub(super) severity: Severity,
    pub(super) message: Option<&'a Text<'a>>,
    pub(super) help: Option<&'a Text<'a>>,
    /// The sections with their accounts: at least one.
    pub(super) parts: Vec<(Option<&'a str>, &'a Section<'a>)>,
}

/// The blocks in the order of the documents, errors first.
pub(super) fn blocks<'a>(reports: &[Report<'a>]) -> Vec<Block<'a>> {
    let mut blocks: Vec<Block<'a>> = Vec::new();
    let mut known = HashMap::new();
    for Report { account, document } in reports {
        for section in &document.sections {
            let plain = |text: &Option<Text<'_>>| text.as_ref().map(Text::to_string);
            let Section { heading, severity, message, help, body, .. } = section;
            let key = (
                plain(heading),
                plain(message),
                plain(help),
                mem::discriminant(body),
                *severity as u8,
            );
            let index = *known.entry(key).or_insert(blocks.len());
            if index == blocks.len() {
                blocks.push(Block {
                    heading: heading.as_ref(),
                    severity: *severity,
                    message: message.as_ref(),
                    help: help.as_ref(),
                    parts: Vec::new(),
                });
            }
            blocks[index].parts.push((*account, section));
        }
    }
    // What refuses the plan comes first.
    let is_violated = |block: &Block<'_>| block.parts.iter().any(|it| it.1.label == GUARD_RAIL);
    blocks.sort_by_key(|block| (!is_violated(block), block.severity != Severity::Error));
    blocks
}

impl<'a> Block<'a> {
    /// The number of rows, statements or names.
    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(|(_, section)| section.len()).sum()
    }

    /// The rows with their accounts; empty for a body without rows.
    pub(super) fn rows(&self) -> impl Iterator<Item = (Option<&'a str>, &'a Row<'a>)> {
        self.parts
            .iter()
            .flat_map(|(account, section)| section.rows().iter().map(|row| (*account, row)))
    }

    /// Whether the block is a list that can be filtered.
    pub(super) fn is_list(&self) -> bool {
        self.parts.iter().all(|(_, section)| match section.body {
            Body::Changes(_) | Body::Rows(_) | Body::Group(_) | Body::Same(_) => true,
            Body::Names(_) | Body::Statements(_) | Body::Differences(_) => false,
        })
    }
}

/// The word for a severity; `None` if the block needs no attention.
pub(super) fn severity_word(severity: Severity) -> Option<&'static str> {
    match severity {
        Severity::Error => Some("error"),
        Severity::Warning => Some("warning"),
        Severity::Notice | Severity::Detail => None,
    }
}
