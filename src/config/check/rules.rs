//! The rules, `[[rules]]`.

use std::fmt::Display;
use std::str::FromStr;

use toml::de::{DeTable, DeValue};

use super::{Checker, Defined, Key, Value, type_name};
use crate::config::diagnostic::quoted;
use crate::config::{Rule, TagCondition};
use crate::iam::{PolicyRef, PrincipalKind, TagKey, TagPattern, escaped};

const KEYS: [&str; 7] = ["for", "path", "group", "tag", "name", "except", "boundary"];
const EXAMPLE: &str = "path = \"/contractors/*\" and boundary = \"contractor\"";
const BOUNDARY_HELP: &str = "write a short name from [boundaries] or a policy ARN in quotes";
const FALSE_HELP: &str = "a rule never removes boundaries: list each user or role that must have none in [users] or \
                          [roles] with false";
const TAG_HELP: &str = "write tag keys and their values, such as tag = { team = \"payments\" }";

impl<'a> Checker<'a> {
    /// The rules, in order.
    pub(super) fn rules(
        &mut self,
        key: &Key<'_>,
        value: &Value<'a>,
        defined: &Defined,
    ) -> Vec<Rule> {
        let mut rules = Vec::new();
        let tables = match value.get_ref() {
            DeValue::Array(items) => items,
            other => {
                let found = type_name(other);
                let message = format!("rules must be an array of tables, not {found}");
                let help = format!(
                    "write [[rules]] on its own line before each rule, and below it {EXAMPLE}"
                );
                self.report(key.span(), message, help);
                return rules;
            }
        };
        for item in tables.iter() {
            match item.get_ref() {
                DeValue::Table(table) => rules.extend(self.rule(item, table, defined)),
                other => {
                    let message = format!("a rule must be a table, not {}", type_name(other));
                    let help = format!("write [[rules]] on its own line, and below it {EXAMPLE}");
                    self.report(item.span(), message, help);
                }
            }
        }
        rules
    }

    /// A rule. `None` if a part of it is not valid: without that condition, it would match more.
    fn rule(&mut self, item: &Value<'a>, table: &DeTable<'a>, defined: &Defined) -> Option<Rule> {
        let errors = self.diagnostics.len();
        let get = |name: &str| super::find(table, name).map(|(_, value)| value);
        for (key, value) in table.iter() {
            if !KEYS.contains(&key.get_ref().as_ref()) {
                self.unknown_key(key, value, &KEYS);
            }
        }
        let kinds = [("users", PrincipalKind::User), ("roles", PrincipalKind::Role)];
        let kind = match get("for") {
            None => PrincipalKind::User,
            Some(value) => self.word("for", value, &kinds).unwrap_or(PrincipalKind::User),
        };
        let boundary = match get("boundary") {
            Some(value) => self.rule_boundary(kind, value, defined),
            None => {
                let span = self.source.header_span(item.span());
                let help = format!("add boundary = …: {BOUNDARY_HELP}");
                self.report(span, "the rule has no boundary".to_owned(), help);
                None
            }
        };
        let rule = Rule {
            kind,
            paths: self.patterns("path", "paths", get("path")),
            groups: self.patterns("group", "group names", get("group")),
            tags: get("tag").map(|value| self.tags(value)).unwrap_or_default(),
            names: self.patterns("name", "names", get("name")),
            except: self.patterns("except", "names", get("except")),
            boundary: boundary?,
            position: self.position(&self.source.header_span(item.span())),
        };
        (self.diagnostics.len() == errors).then_some(rule)
    }

    fn rule_boundary(
        &mut self,
        kind: PrincipalKind,
        value: &Value<'a>,
        defined: &Defined,
    ) -> Option<PolicyRef> {
        match value.get_ref() {
            DeValue::String(text) => self.policy_or_name(kind, value.span(), text, defined),
            other => {
                let found = type_name(other);
                let message = format!("the boundary of a rule must be a string, not {found}");
                let is_false = matches!(other, DeValue::Boolean(false));
                let help = if is_false { FALSE_HELP } else { BOUNDARY_HELP };
                self.report(value.span(), message, help);
                None
            }
        }
    }

    /// A pattern, or an array of patterns of which one must match.
    fn patterns<P>(&mut self, name: &str, what: &str, value: Option<&Value<'a>>) -> Vec<P>
    where
        P: FromStr<Err: Display>,
    {
        let Some(value) = value else { return Vec::new() };
        let help = format!("write a pattern in quotes, or an array of {what} or patterns");
        match value.get_ref() {
            DeValue::Array(items) if items.is_empty() => {
                let message =
                    format!("{name} must not be an empty array: no principal would match");
                self.report(value.span(), message, "add a pattern, or remove the key");
                Vec::new()
            }
            DeValue::Array(items) => {
                items.iter().filter_map(|item| self.pattern(name, item, &help)).collect()
            }
            _ => self.pattern(name, value, &help).into_iter().collect(),
        }
    }

    fn pattern<P>(&mut self, name: &str, value: &Value<'a>, help: &str) -> Option<P>
    where
        P: FromStr<Err: Display>,
    {
        let DeValue::String(text) = value.get_ref() else {
            let found = type_name(value.get_ref());
            self.report(
                value.span(),
                format!("{name} must be a string or an array of strings, not {found}"),
                help,
            );
            return None;
        };
        match text.parse::<P>() {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                let message = format!("{} is not a valid {name} or pattern", quoted(text));
                let diagnostic = self.at(value.span(), message).label(escaped(&error.to_string()));
                self.diagnostics.push(diagnostic.help(help));
                None
            }
        }
    }

    fn tags(&mut self, value: &Value<'a>) -> Vec<TagCondition> {
        let mut tags: Vec<TagCondition> = Vec::new();
        let DeValue::Table(table) = value.get_ref() else {
            let found = type_name(value.get_ref());
            self.report(value.span(), format!("tag must be a table, not {found}"), TAG_HELP);
            return tags;
        };
        if table.is_empty() {
            let message = "tag must not be empty".to_owned();
            self.report(value.span(), message, "add a tag, or remove the key");
        }
        for (key, value) in table.iter() {
            let text = key.get_ref();
            let values = self.patterns::<TagPattern>("tag value", "values", Some(value));
            match text.parse::<TagKey>() {
                Ok(key_of_tag) if tags.iter().any(|tag| tag.key == key_of_tag) => {
                    let message = format!(
                        "the tag key {} is twice in this rule, in different case",
                        quoted(text)
                    );
                    let help = "tag keys are case-insensitive: write the key once, with an array of values";
                    self.report(key.span(), message, help);
                }
                Ok(key) => tags.push(TagCondition { key, values }),
                Err(error) => {
                    let message = format!("{} is not a valid tag key", quoted(text));
                    let diagnostic =
                        self.at(key.span(), message).label(escaped(&error.to_string()));
                    self.diagnostics.push(diagnostic.help(TAG_HELP));
                }
            }
        }
        tags
    }
}
