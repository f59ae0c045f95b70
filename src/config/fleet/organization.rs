//! The `[organization]` table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;

use toml::de::{DeTable, DeValue};

use super::accounts::Account;
use super::content::OrganizationScope;
use super::settings::strings;
use crate::config::check::{Checker, Key, Value};
use crate::config::diagnostic::quoted;
use crate::iam::{AccountId, escaped};

const KEYS: [&str; 2] = ["units", "except"];
const UNITS_HELP: &str = "write an array of the IDs of organizational units or of the root, such as \
                          units = [\"ou-ab12-c3d4e5f6\"]";
const EXCEPT_HELP: &str =
    "write an array of account IDs in quotes, such as except = [\"333333333333\"]";

/// The scope. `None` if the table has no units.
pub(super) fn organization<'a>(
    checker: &mut Checker<'a>,
    key: &Key<'_>,
    table: &DeTable<'a>,
    accounts: &[Account],
) -> Option<OrganizationScope> {
    let errors = checker.diagnostics.len();
    let (mut units, mut except) = (None, BTreeSet::new());
    for (name, value) in table.iter() {
        match name.get_ref().as_ref() {
            "units" => {
                if matches!(value.get_ref(), DeValue::Array(items) if items.is_empty()) {
                    let message =
                        "units must not be an empty array: no account would belong to the fleet";
                    let help = "add an organizational unit or the root, or remove the table";
                    checker.report(value.span(), message.to_owned(), help);
                }
                let found = items(checker, "units", "a unit", value, UNITS_HELP);
                units = Some((value.span(), found.into_keys().collect()));
            }
            "except" => {
                let found = items(checker, "except", "an account ID", value, EXCEPT_HELP);
                contradictions(checker, &found, accounts);
                except = found.into_keys().collect();
            }
            _ => checker.unknown_key(name, value, &KEYS),
        }
    }
    match units {
        Some((span, units)) => {
            let position = checker.position(&span);
            Some(OrganizationScope { units, except, position })
        }
        None => {
            // An unknown key is probably the units.
            if checker.diagnostics.len() == errors {
                let message = "the [organization] table has no units".to_owned();
                checker.report(key.span(), message, format!("add units: {UNITS_HELP}"));
            }
            None
        }
    }
}

/// The items of an array, with their positions.
fn items<'a, T>(
    checker: &mut Checker<'a>,
    name: &str,
    item: &str,
    value: &Value<'a>,
    help: &str,
) -> BTreeMap<T, Range<usize>>
where
    T: FromStr<Err: Display> + Ord,
{
    let mut items = BTreeMap::new();
    for (text, span) in strings(checker, name, item, value, help) {
        match text.parse::<T>() {
            Ok(parsed) if items.contains_key(&parsed) => {
                let message = format!("{} is listed twice", quoted(text));
                checker.report(span, message, "remove one of the two");
            }
            Ok(parsed) => {
                items.insert(parsed, span);
            }
            Err(error) => {
                let message = format!("{} is not {item}", quoted(text));
                let diagnostic = checker.at(span, message).label(escaped(&error.to_string()));
                checker.diagnostics.push(diagnostic.help(help));
            }
        }
    }
    items
}

/// Reports accounts that `except` leaves out although `[accounts]` lists them.
fn contradictions(
    checker: &mut Checker<'_>,
    except: &BTreeMap<AccountId, Range<usize>>,
    accounts: &[Account],
) {
    for account in accounts {
        let Some((id, _)) = &account.id else { continue };
        let Some(span) = except.get(id) else { continue };
        let (line, _) = checker.source.position(account.span.start);
        let name = quoted(account.name.as_str());
        let message =
            format!("account {id} is excepted, but [accounts] lists it as {name} (line {line})");
        let help = "remove the account from except or from [accounts]";
        checker.report(span.clone(), message, help);
    }
}
