//! The `[account]` table.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::role_keys::{ASSUME_ROLE, RoleKeys};
use super::{Checker, Key, Value, type_name};
use crate::config::layer::Layer;
use crate::config::{Diagnostic, Located};
use crate::iam::{AccountId, AssumeRole};

const KEYS: [&str; 5] = ["id", ASSUME_ROLE, "external_id", "session_name", "duration"];
pub(in crate::config) const ID_HELP: &str = "write the 12 digits in quotes: id = \"123456789012\"";

impl<'a> Checker<'a> {
    /// Reads the table into the layer.
    pub(super) fn account(&mut self, key: &Key<'_>, table: &DeTable<'a>, layer: &mut Layer) {
        let mut has_id = false;
        let mut role = RoleKeys::default();
        for (name, value) in table.iter() {
            if self.role_key(&mut role, name, value, false) {
                continue;
            }
            if name.get_ref() != "id" {
                self.unknown_key(name, value, &KEYS);
                continue;
            }
            has_id = true;
            if let Some(id) = self.account_id(value) {
                let position = self.position(&value.span());
                layer.account = Some(Located { value: id, position });
                self.account = Some((value.span(), id));
            }
        }
        if !has_id && role.span.is_none() && !self.is_unreadable("account", "id") {
            let help = "add id = \"123456789012\", or remove the table";
            self.report(key.span(), "the [account] table has no id".to_owned(), help);
        }
        if role.span.is_none() {
            let help = "add assume_role = \"role/NAME\", or remove the key";
            self.needs_no_role(&role, "without assume_role", help);
        }
        self.assume_role = role.span.clone().zip(role.assume_role());
        layer.assume_role = role.assume_role();
        // A role that is an ARN says which account the file is for.
        if let Some((span, role)) = self.assume_role.clone()
            && let Some(arn) = role.role.arn()
            && !has_id
        {
            let position = self.position(&span);
            let account = arn.account();
            layer.account = Some(Located { value: account, position });
            self.account = Some((span, account));
        }
    }

    /// An account ID.
    pub(in crate::config) fn account_id(&mut self, value: &Value<'a>) -> Option<AccountId> {
        let parsed = match value.get_ref() {
            DeValue::String(text) => text.parse::<AccountId>().map_err(|error| error.to_string()),
            other => Err(format!("an account ID must be a string, not {}", type_name(other))),
        };
        let help = match value.get_ref() {
            DeValue::Integer(number) if number.as_str().parse::<AccountId>().is_ok() => {
                format!("write the 12 digits in quotes: \"{}\"", number.as_str())
            }
            _ => ID_HELP.to_owned(),
        };
        parsed.map_err(|message| self.report(value.span(), message, help)).ok()
    }
}

/// Reports a role of another account than the one that the files are for, and a relative role without an account.
pub(super) fn role_of_account(checkers: &[Checker<'_>], layer: &Layer) -> Vec<Diagnostic> {
    let roles = checkers.iter().filter_map(|checker| {
        let (span, role) = checker.assume_role.as_ref()?;
        let (message, help) = wrong_account(role, layer.account.as_ref())?;
        Some(checker.at(Range::clone(span), message).help(help))
    });
    roles.collect()
}

fn wrong_account(
    role: &AssumeRole,
    account: Option<&Located<AccountId>>,
) -> Option<(String, &'static str)> {
    match (role.role.arn(), account) {
        (Some(arn), Some(account)) if arn.account() != account.value => {
            let (role, id) = (arn.account(), account.value);
            let message =
                format!("this role belongs to account {role}, but the file is for account {id}");
            let help = "correct the account ID in the ARN or in id, or write role/NAME";
            Some((message, help))
        }
        (None, None) => {
            let message = format!("the account of {} is not known", role.role);
            let help = "add the account of the role to [account], such as id = \"123456789012\", or write its ARN";
            Some((message, help))
        }
        _ => None,
    }
}
