//! The `[accounts]` table.

use std::collections::HashMap;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::settings::Settings;
use crate::config::check::{Checker, ID_HELP, Key, ROLE_KEYS, Value, nearest, type_name};
use crate::config::diagnostic::quoted;
use crate::config::toml_text;
use crate::iam::{AccountId, AccountName, escaped};

const KEYS: [&str; 7] =
    ["id", "files", "profile", "assume_role", "external_id", "session_name", "duration"];
const ACCOUNT_HELP: &str = "write the account ID in quotes, such as payments-dev = \"222222222222\", or a table, such as \
                            payments-dev = { id = \"222222222222\", files = [\"baseline.toml\"] }";

/// An account, as far as it is valid.
pub(super) struct Account {
    pub(super) name: AccountName,
    /// The position of the name.
    pub(super) span: Range<usize>,
    /// The ID, and its position.
    pub(super) id: Option<(AccountId, Range<usize>)>,
    pub(super) settings: Settings,
}

/// The accounts, in the order of the text.
pub(super) fn accounts<'a>(checker: &mut Checker<'a>, table: &DeTable<'a>) -> Vec<Account> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let accounts = entries.into_iter().filter_map(|(key, value)| account(checker, key, value));
    let accounts: Vec<Account> = accounts.collect();
    unique(checker, &accounts);
    accounts
}

fn account<'a>(checker: &mut Checker<'a>, key: &Key<'_>, value: &Value<'a>) -> Option<Account> {
    let text = key.get_ref();
    let is_setting = text == "files" || ROLE_KEYS.contains(&text.as_ref());
    let mut settings = Settings::default();
    let id = match value.get_ref() {
        // A key below [accounts] is an account, whatever its name.
        DeValue::String(id) if is_setting && id.parse::<AccountId>().is_err() => {
            misplaced(checker, key);
            return None;
        }
        DeValue::Array(_) if is_setting => {
            misplaced(checker, key);
            return None;
        }
        DeValue::String(id) if text.parse::<AccountId>().is_ok() => {
            let message = format!("{} is not a valid account name", quoted(text));
            let help = match toml_text::line(id, &toml_text::string(text)) {
                Some(line) => format!("write the name before the ID: {line}"),
                None => ACCOUNT_HELP.to_owned(),
            };
            checker.report(key.span(), message, help);
            return None;
        }
        DeValue::String(_) => checker.account_id(value).map(|id| (id, value.span())),
        DeValue::Table(table) if is_nested(table) => {
            nested(checker, text, key, table);
            return None;
        }
        DeValue::Table(table) => settings_and_id(checker, key, table, &mut settings),
        other => {
            let found = type_name(other);
            let message =
                format!("the account {} must be a string or a table, not {found}", quoted(text));
            checker.report(value.span(), message, ACCOUNT_HELP);
            None
        }
    };
    match text.parse() {
        Ok(name) => Some(Account { name, span: key.span(), id, settings }),
        Err(error) => {
            let error: crate::iam::AccountNameError = error;
            let message = format!("{} is not a valid account name", quoted(text));
            let diagnostic = checker.at(key.span(), message).label(escaped(&error.to_string()));
            checker.diagnostics.push(diagnostic.help("choose another name, such as payments-prod"));
            None
        }
    }
}

fn settings_and_id<'a>(
    checker: &mut Checker<'a>,
    key: &Key<'_>,
    table: &DeTable<'a>,
    settings: &mut Settings,
) -> Option<(AccountId, Range<usize>)> {
    let errors = checker.diagnostics.len();
    let (mut id, mut has_id) = (None, false);
    for (name, value) in table.iter() {
        if settings.read(checker, name, value, true) {
            continue;
        }
        match name.get_ref().as_ref() {
            "id" => {
                has_id = true;
                id = checker.account_id(value).map(|id| (id, value.span()));
            }
            _ => checker.unknown_key(name, value, &KEYS),
        }
    }
    settings.check_profile(checker);
    // An unknown key is probably the ID.
    if !has_id && checker.diagnostics.len() == errors {
        let message = format!("the account {} has no id", quoted(key.get_ref()));
        checker.report(key.span(), message, format!("add the account ID: {ID_HELP}"));
    }
    id
}

fn misplaced(checker: &mut Checker<'_>, key: &Key<'_>) {
    let name = key.get_ref();
    let message = format!("{name} is below [accounts], so it is read as the name of an account");
    let help = format!("move {name} above [accounts], where it applies to all accounts");
    checker.report(key.span(), message, help);
}

/// Whether a table in place of an account is the end of a name with a dot.
fn is_nested(table: &DeTable<'_>) -> bool {
    let is_key = |key: &str| nearest(key, KEYS.into_iter()).is_some();
    !table.is_empty()
        && table.iter().all(|(key, value)| match value.get_ref() {
            DeValue::Table(_) => true,
            DeValue::String(id) => !is_key(key.get_ref()) && id.parse::<AccountId>().is_ok(),
            _ => false,
        })
}

fn nested(checker: &mut Checker<'_>, name: &str, key: &Key<'_>, table: &DeTable<'_>) {
    for (inner, _) in table.iter() {
        let dotted = format!("{name}.{}", inner.get_ref());
        let message =
            format!("{} is not in quotes, so TOML reads it as a nested table", quoted(&dotted));
        let help = format!("put the name in quotes: {}", toml_text::key(&dotted));
        // The name of a table that a header opens is before that of the inner one.
        let span = key.span().start.min(inner.span().start)..inner.span().end;
        let is_one_line = !checker.source.text[span.clone()].contains('\n');
        checker.report(if is_one_line { span } else { inner.span() }, message, help);
    }
}

/// Reports accounts that are listed twice, and names that differ only in case.
fn unique(checker: &mut Checker<'_>, accounts: &[Account]) {
    let mut ids: HashMap<AccountId, &Account> = HashMap::new();
    let mut names: HashMap<String, &Account> = HashMap::new();
    for account in accounts {
        if let Some((id, span)) = &account.id {
            let first = *ids.entry(*id).or_insert(account);
            if !std::ptr::eq(first, account) {
                let (line, _) = checker.source.position(first.span.start);
                let message =
                    format!("account {id} is also listed as {}", quoted(first.name.as_str()));
                let help = "list each account once; to layer files, use files = [\"baseline.toml\", \"team.toml\"]";
                let label = format!("first listed on line {line}");
                let diagnostic = checker.at(span.clone(), message).label(label).help(help);
                checker.diagnostics.push(diagnostic);
            }
        }
        let first = *names.entry(account.name.as_str().to_ascii_lowercase()).or_insert(account);
        if !std::ptr::eq(first, account) {
            let (line, _) = checker.source.position(first.span.start);
            let [name, other] = [account, first].map(|it| quoted(it.name.as_str()));
            let message = format!("{name} and {other} differ only in case");
            let diagnostic = checker.at(account.span.clone(), message);
            let help = "choose names that people can tell apart";
            checker
                .diagnostics
                .push(diagnostic.label(format!("{other} is on line {line}")).help(help));
        }
    }
}
