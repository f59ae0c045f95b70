//! Rows with the same message, which a document shows once.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::words::{grouped, principals};
use super::{Body, Row, Section, Severity, Text};

/// The maximum number of principals with the same message that a document names; the others are counted.
const MAX_NAMES: usize = 20;

/// A row, and what it has in common with the rows that are shown with it.
pub(super) struct Keyed<'a> {
    pub(super) key: String,
    pub(super) row: Row<'a>,
}

impl<'a> Keyed<'a> {
    /// A row that is shown with those that have the same message.
    pub(super) fn by_message(row: Row<'a>) -> Self {
        Keyed { key: row.message.to_string(), row }
    }
}

/// What all sections of rows have in common.
pub(super) struct SectionKind {
    pub(super) heading: &'static str,
    pub(super) severity: Severity,
    pub(super) label: &'static str,
    /// What a row with a message of its own is, in the singular; `None` for its principal.
    pub(super) noun: Option<&'static str>,
    /// The instruction that applies to every row, if the rows have none of their own.
    pub(super) help: Option<&'static str>,
}

impl SectionKind {
    /// A section for each message that several rows have, the largest first, and one for the other rows.
    pub(super) fn sections<'a>(
        &self,
        rows: impl IntoIterator<Item = Keyed<'a>>,
    ) -> Vec<Section<'a>> {
        let mut groups: Vec<Vec<Row<'a>>> = Vec::new();
        let mut known: HashMap<(String, Option<String>), usize> = HashMap::new();
        for Keyed { key, row } in rows {
            let key = (key, row.help.as_ref().map(Text::to_string));
            let index = *known.entry(key).or_insert(groups.len());
            match groups.get_mut(index) {
                Some(group) => group.push(row),
                None => groups.push(vec![row]),
            }
        }
        let (mut same, others): (Vec<_>, Vec<_>) = groups.into_iter().partition(|it| it.len() > 1);
        same.sort_by_key(|group| Reverse(group.len()));
        let mut sections: Vec<Section<'a>> = same.into_iter().map(|it| self.same(it)).collect();
        let mut others: Vec<Row<'a>> = others.into_iter().flatten().collect();
        others.sort_by_key(|row| row.principal);
        if !others.is_empty() {
            sections.push(self.section(Body::Rows(others)));
        }
        sections
    }

    fn section<'a>(&self, body: Body<'a>) -> Section<'a> {
        Section {
            heading: Some(Text::ours(self.heading)),
            severity: self.severity,
            label: self.label,
            noun: self.noun.unwrap_or_else(|| principals(body.rows()).noun()),
            body,
            message: None,
            help: self.help.map(Text::ours),
        }
    }

    /// The section of rows with the same key and help. Their messages can differ in the name of the principal.
    fn same<'a>(&self, mut rows: Vec<Row<'a>>) -> Section<'a> {
        rows.sort_by_key(|row| row.principal);
        let first = &rows[0];
        let text = first.message.to_string();
        let message = match rows.iter().all(|row| row.message.to_string() == text) {
            true => first.message.clone(),
            false => {
                let label = first.principal.map(|it| it.label()).unwrap_or_default();
                Text::ours("for ").and_name(label).and(": ").and_text(first.message.clone())
            }
        };
        let help = first.help.clone();
        let noun = principals(&rows).noun();
        let rows = rows.into_iter().map(|row| Row { message: Text::default(), help: None, ..row });
        let section = self.section(Body::Same(rows.collect()));
        Section { noun, message: Some(message), help: help.or(section.help.clone()), ..section }
    }
}

/// The principals of rows with the same message: `alice (line 3), bob (line 4) and 280 more`.
pub(in crate::report) fn named_rows<'r, 'a: 'r>(
    rows: impl IntoIterator<Item = &'r Row<'a>>,
) -> Text<'a> {
    let mut rows = rows.into_iter();
    let mut text = Text::default();
    for (n, row) in rows.by_ref().take(MAX_NAMES).enumerate() {
        text = text.and(if n == 0 { "" } else { ", " });
        text = text.and_name(row.principal.map(|it| it.label()).unwrap_or_default());
        if let Some(place) = row.place {
            text = text.and(" (").and_text(place.text()).and(")");
        }
    }
    match rows.count() {
        0 => text,
        more => text
            .and(" and ")
            .and_sentence(format!("{} more; --format json lists all", grouped(more))),
    }
}
