//! The tables `[users]` and `[roles]`.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::{Checker, Defined, Expected, Key, Value, nearest, not_allowed};
use crate::config::Entry;
use crate::config::consistency::LocatedArn;
use crate::config::diagnostic::{escaped, quoted};
use crate::config::toml_text::boundary_help;
use crate::iam::{
    PolicyArn, PrincipalKind, PrincipalName, UnmodifiableRole, is_name_char, is_short_name,
};

impl<'a> Checker<'a> {
    /// The entries of the table of this kind.
    pub(super) fn entries(
        &mut self,
        kind: PrincipalKind,
        table: &DeTable<'a>,
        defined: &Defined<'_>,
    ) -> BTreeMap<PrincipalName, Entry> {
        let mut entries = BTreeMap::new();
        let mut keys: Vec<&Key<'_>> = Vec::new();
        // Equal ARNs share their text, because thousands of principals have the same few boundaries.
        let mut arns: HashMap<String, PolicyArn> = HashMap::new();
        for (key, value) in table.iter() {
            if let DeValue::Table(nested) = value.get_ref() {
                self.nested(key.get_ref(), nested, value, &expected_boundary(kind));
                continue;
            }
            let name = self.name(kind, key);
            let boundary = self.boundary(kind, key.get_ref(), value, defined, &mut arns);
            if let Some(name) = name {
                keys.push(key);
                if let Some(boundary) = boundary {
                    let (line, column) = self.source.position(key.span().start);
                    entries.insert(name, Entry { boundary, line, column });
                }
            }
        }
        self.case_conflicts(kind, keys);
        entries
    }

    /// The name of the principal that an entry is for.
    fn name(&mut self, kind: PrincipalKind, key: &Key<'_>) -> Option<PrincipalName> {
        let text = key.get_ref();
        let name = match text.parse::<PrincipalName>() {
            Ok(name) => name,
            Err(error) => {
                let noun = kind.noun();
                let message = format!("{} is not a valid IAM {noun} name", quoted(text));
                let is_path = text.chars().all(|c| is_name_char(c) || matches!(c, '/' | ':'));
                let help = match text.rsplit_once('/') {
                    Some((_, last)) if is_path && last.parse::<PrincipalName>().is_ok() => {
                        format!("write the name of the {noun} without its ARN and path: {last}")
                    }
                    _ => "write the name as it is in IAM: 1 to 64 ASCII letters, digits and \
                          _+=,.@-"
                        .to_owned(),
                };
                let diagnostic = self.at(key.span(), message).label(escaped(&error.to_string()));
                self.diagnostics.push(diagnostic.help(help));
                return None;
            }
        };
        // Other roles of AWS are known only by their paths, which the account has.
        if kind == PrincipalKind::Role
            && let Some(role) = UnmodifiableRole::of_name(&name)
        {
            let message = format!("{} {}", quoted(text), role.reason());
            self.report(key.span(), message, role.help());
        }
        Some(name)
    }

    /// Reports names that differ from an earlier name of the table only in case.
    fn case_conflicts(&mut self, kind: PrincipalKind, mut keys: Vec<&Key<'_>>) {
        // The keys are nearly sorted: comparing them in place is faster than a lowercase copy of each.
        keys.sort_by(|a, b| {
            lowercase(a.get_ref())
                .cmp(lowercase(b.get_ref()))
                .then(a.span().start.cmp(&b.span().start))
        });
        for same in keys.chunk_by(|a, b| a.get_ref().eq_ignore_ascii_case(b.get_ref())) {
            let first = same[0];
            let (line, _) = self.source.position(first.span().start);
            for key in &same[1..] {
                let message = format!(
                    "{} and {} differ only in case",
                    quoted(key.get_ref()),
                    quoted(first.get_ref())
                );
                let help = format!(
                    "IAM {} names are case-insensitive: keep the name that has the same case as in IAM",
                    kind.noun()
                );
                let diagnostic = self
                    .at(key.span(), message)
                    .label(format!("{} is on line {line}", quoted(first.get_ref())));
                self.diagnostics.push(diagnostic.help(help));
            }
        }
    }

    /// The boundary that the principal must have. The outer `None` means that the value is not valid.
    fn boundary(
        &mut self,
        kind: PrincipalKind,
        name: &str,
        value: &Value<'a>,
        defined: &Defined<'_>,
        arns: &mut HashMap<String, PolicyArn>,
    ) -> Option<Option<PolicyArn>> {
        let text = match value.get_ref() {
            DeValue::Boolean(false) => return Some(None),
            DeValue::String(text) => text,
            other => {
                let expected = expected_boundary(kind);
                self.report(value.span(), expected.message(name, other), expected.help);
                return None;
            }
        };
        if let Some(arn) = defined.get(text.as_ref()) {
            return arn.clone().map(Some);
        }
        if text.starts_with("arn:") {
            if let Some(arn) = arns.get(text.as_ref()) {
                self.arns.push(LocatedArn { span: value.span(), arn: arn.clone() });
                return Some(Some(arn.clone()));
            }
            let arn = self.arn(value.span(), text)?;
            arns.insert(text.clone().into_owned(), arn.clone());
            return Some(Some(arn));
        }
        self.unknown_short_name(kind, value.span(), text, defined);
        None
    }

    fn unknown_short_name(
        &mut self,
        kind: PrincipalKind,
        span: Range<usize>,
        text: &str,
        defined: &Defined<'_>,
    ) {
        let names: Vec<&str> = defined.keys().copied().filter(|name| is_short_name(name)).collect();
        let help = match text.trim() {
            "" => boundary_help(kind).to_owned(),
            // The words with which other formats say that there is no value.
            "false" | "null" | "none" | "None" | "nil" => {
                format!("write false without quotes if the {} must have no boundary", kind.noun())
            }
            trimmed if defined.contains_key(trimmed) || trimmed.starts_with("arn:") => {
                format!("remove the spaces: \"{}\"", escaped(trimmed))
            }
            trimmed => match nearest(trimmed, names.iter().copied()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None if names.is_empty() => {
                    "define the short name in a [boundaries] table, or write a policy ARN"
                        .to_owned()
                }
                None => {
                    let shown = names[..names.len().min(10)].join(", ");
                    let more = if names.len() > 10 { ", …" } else { "" };
                    format!("define the short name in [boundaries], or use one of {shown}{more}")
                }
            },
        };
        let message = match text.trim() {
            "" => "the boundary must not be empty".to_owned(),
            _ => format!("unknown short name {}", quoted(text)),
        };
        let diagnostic = self.at(span, message).label(not_allowed(text.trim())).help(help);
        self.diagnostics.push(diagnostic);
    }
}

fn expected_boundary(kind: PrincipalKind) -> Expected {
    Expected {
        table: kind.plural(),
        value: "boundary of",
        types: "a string or false",
        help: boundary_help(kind),
    }
}

fn lowercase(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().map(|byte| byte.to_ascii_lowercase())
}
