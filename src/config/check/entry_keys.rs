//! The keys of entries that are tables.

use toml::de::DeTable;

use super::nearest;

pub(super) const KEYS: [&str; 5] = ["boundary", "reason", "until", "then", "missing"];

/// Whether a table in place of a boundary is an entry, and not the end of a name with a dot.
pub(super) fn is_entry_table(table: &DeTable<'_>) -> bool {
    table.is_empty() || table.iter().any(|(key, _)| KEYS.contains(&key.get_ref().as_ref()))
}

/// Whether a table without any key of an entry has one that is similar, such as `boundry`.
pub(super) fn nearly_entry_table(table: &DeTable<'_>) -> bool {
    let is_near = |key: &str| key.len() > 3 && nearest(key, KEYS.into_iter()).is_some();
    table.iter().any(|(key, _)| is_near(key.get_ref()))
}
