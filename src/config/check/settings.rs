//! The tables `[unlisted]` and `[missing]`.

use toml::de::{DeTable, DeValue};

use super::{Checker, Value, type_name};
use crate::config::diagnostic::quoted;
use crate::config::{ByKind, Located, OnMissing, OnUnlisted};
use crate::iam::PrincipalKind;

const KEYS: [&str; 2] = ["users", "roles"];

impl<'a> Checker<'a> {
    /// The `[unlisted]` table.
    pub(super) fn unlisted(&mut self, table: &DeTable<'a>) -> ByKind<Option<Located<OnUnlisted>>> {
        let words = [
            ("ignore", OnUnlisted::Ignore),
            ("warn", OnUnlisted::Warn),
            ("error", OnUnlisted::Error),
        ];
        self.by_kind(table, |checker, name, value| {
            let position = checker.position(&value.span());
            let value = checker.word(name, value, &words)?;
            Some(Located { value, position })
        })
    }

    /// The `[missing]` table.
    pub(super) fn missing(&mut self, table: &DeTable<'a>) -> ByKind<Option<OnMissing>> {
        self.by_kind(table, Checker::on_missing)
    }

    fn by_kind<T>(
        &mut self,
        table: &DeTable<'a>,
        mut parse: impl FnMut(&mut Self, &str, &Value<'a>) -> Option<T>,
    ) -> ByKind<Option<T>> {
        let mut values = ByKind { users: None, roles: None };
        for (key, value) in table.iter() {
            let kind = PrincipalKind::ALL.into_iter().find(|kind| key.get_ref() == kind.plural());
            match kind {
                Some(kind) => *values.of_mut(kind) = parse(self, kind.plural(), value),
                None => self.unknown_key(key, value, &KEYS),
            }
        }
        values
    }

    /// One of `words`, each with what it means.
    pub(super) fn word<T: Copy>(
        &mut self,
        name: &str,
        value: &Value<'a>,
        words: &[(&str, T)],
    ) -> Option<T> {
        let found = match value.get_ref() {
            DeValue::String(text) => match words.iter().find(|(word, _)| word == text) {
                Some((_, meaning)) => return Some(*meaning),
                None => quoted(text),
            },
            other => type_name(other).to_owned(),
        };
        let words: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let words = match words.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        };
        let message = format!("{name} must be {words}, not {found}");
        self.report(value.span(), message, format!("write one of these words in quotes: {words}"));
        None
    }
}
