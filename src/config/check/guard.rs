//! The `[guard]` table.

use toml::de::{DeTable, DeValue};

use super::{Check, Value, kind};
use crate::config::Guard;
use crate::config::diagnostic::{escaped, quoted};
use crate::iam::{NamePattern, Threshold};

const KEYS: [&str; 4] = ["max_changes", "max_removals", "protected", "allow_own_boundary"];

impl<'a> Check<'a> {
    pub(super) fn guard(&mut self, table: &DeTable<'a>) -> Guard {
        let mut guard = Guard::default();
        for (key, value) in table.iter() {
            match key.get_ref().as_ref() {
                name @ "max_changes" => guard.max_changes = self.limit(name, value),
                name @ "max_removals" => guard.max_removals = self.limit(name, value),
                "protected" => guard.protected = self.protected(value),
                "allow_own_boundary" => match value.get_ref() {
                    DeValue::Boolean(allow) => guard.allow_own_boundary = *allow,
                    other => {
                        let message =
                            format!("allow_own_boundary is true or false, not {}", kind(other));
                        let mistake = self.at(value.span(), message);
                        self.found.push(mistake.help("write it without quotes"));
                    }
                },
                _ => self.unknown_key(key, value, &KEYS),
            }
        }
        guard
    }

    fn limit(&mut self, name: &str, value: &Value<'a>) -> Option<Threshold> {
        let limit = match value.get_ref() {
            DeValue::Integer(number) => {
                usize::from_str_radix(number.as_str(), number.radix()).ok().map(Threshold::Count)
            }
            DeValue::String(text) => match text.parse() {
                Ok(share @ Threshold::Share(_)) => Some(share),
                _ => None,
            },
            _ => None,
        };
        if limit.is_none() {
            let what = match value.get_ref() {
                DeValue::String(text) => quoted(text),
                DeValue::Integer(number) => number.as_str().to_owned(),
                other => kind(other).to_owned(),
            };
            let message = format!("{name} is a number of users or a share of them, not {what}");
            let help = format!(
                "write a whole number, {name} = 50, or a share of the account's users in quotes, \
                 {name} = \"10%\""
            );
            self.found.push(self.at(value.span(), message).help(help));
        }
        limit
    }

    fn protected(&mut self, value: &Value<'a>) -> Vec<NamePattern> {
        const HELP: &str =
            "write names or patterns in quotes: protected = [\"break-glass\", \"emergency-*\"]";
        let DeValue::Array(entries) = value.get_ref() else {
            let message = format!("protected is a list of users, not {}", kind(value.get_ref()));
            self.found.push(self.at(value.span(), message).help(HELP));
            return Vec::new();
        };
        let mut patterns = Vec::new();
        for entry in entries.iter() {
            let DeValue::String(text) = entry.get_ref() else {
                let message = format!("a protected user is text, not {}", kind(entry.get_ref()));
                self.found.push(self.at(entry.span(), message).help(HELP));
                continue;
            };
            match text.parse::<NamePattern>() {
                Ok(pattern) => patterns.push(pattern),
                Err(error) => {
                    let message = format!("{} is no user name or pattern", quoted(text));
                    let mistake = self.at(entry.span(), message);
                    self.found.push(mistake.label(escaped(&error.to_string())).help(HELP));
                }
            }
        }
        patterns
    }
}
