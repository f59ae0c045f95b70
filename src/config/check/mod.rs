//! The checks of a file. All errors are found in one pass, so that they can be shown together.

mod entries;
mod guard;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::consistency::{self, LocatedArn};
use super::diagnostic::{escaped, quoted};
use super::source_text::SourceText;
use super::syntax::{self, Syntax};
use super::toml_text;
use super::{Config, Diagnostic, Entry, FileErrors, Guard, Located, ShortNames};
use crate::iam::{
    AccountId, Digest, PolicyArn, PrincipalKind, PrincipalName, character, is_name_char,
    is_short_name,
};

/// The boundaries by short name. Short names with an invalid ARN map to `None`, so that only their definition is
/// reported.
type Defined<'d> = BTreeMap<&'d str, Option<PolicyArn>>;
type Key<'i> = Spanned<Cow<'i, str>>;
type Value<'i> = Spanned<DeValue<'i>>;

const TOP_LEVEL: [&str; 5] = ["account", "boundaries", "guard", "users", "roles"];

const ARN_HELP: &str = "write the ARN of a customer managed policy, such as \
                        arn:aws:iam::123456789012:policy/Developer, or of an AWS managed policy, such \
                        as arn:aws:iam::aws:policy/ReadOnlyAccess";

/// The requirement on the values of a table whose keys are names.
struct Expected {
    table: &'static str,
    /// The words before the name in a message.
    value: &'static str,
    /// The accepted types.
    types: &'static str,
    help: &'static str,
}

const EXPECTED_ARN: Expected =
    Expected { table: "boundaries", value: "value of", types: "a policy ARN", help: ARN_HELP };

impl Expected {
    fn message(&self, name: &str, found: &DeValue<'_>) -> String {
        let Expected { value, types, .. } = self;
        format!("the {value} {} must be {types}, not {}", quoted(name), type_name(found))
    }
}

/// Checks the whole file and returns its content, or all of its errors.
pub(super) fn check(source: SourceText) -> Result<Config, FileErrors> {
    let syntax;
    let document = match DeTable::parse(&source.text) {
        // The usual case: the text is parsed once and not copied.
        Ok(document) => {
            syntax = Syntax::default();
            document
        }
        Err(_) => {
            syntax = syntax::check(&source);
            DeTable::parse_recoverable(&syntax.readable).0
        }
    };
    let mut checker = Checker { source: &source, diagnostics: Vec::new(), arns: Vec::new() };
    let tables = checker.document(document.get_ref(), !syntax.diagnostics.is_empty());
    let Checker { mut diagnostics, arns, .. } = checker;
    diagnostics.extend(consistency::check(&source, tables.account.as_ref(), &arns));
    // What the parser recovers from a line with a syntax error is only a guess.
    diagnostics.retain(|found| !syntax.diagnostics.iter().any(|other| other.line == found.line));
    diagnostics.extend(syntax.diagnostics);
    let source = FileErrors::new(source, diagnostics)?;
    let Tables { account, names, guard, users, roles } = tables;
    let digest = Digest::of(&source.text);
    Ok(Config { file: source.file, digest, account, names, guard, users, roles })
}

/// The content of the tables of a file, as far as it is valid.
#[derive(Default)]
struct Tables {
    account: Option<Located<AccountId>>,
    names: ShortNames,
    guard: Guard,
    users: BTreeMap<PrincipalName, Entry>,
    roles: BTreeMap<PrincipalName, Entry>,
}

struct Checker<'a> {
    source: &'a SourceText,
    diagnostics: Vec<Diagnostic>,
    /// Every valid ARN in the file.
    arns: Vec<LocatedArn>,
}

impl<'a> Checker<'a> {
    fn at(&self, span: Range<usize>, message: String) -> Diagnostic {
        Diagnostic::at(self.source, span, message)
    }

    fn report(&mut self, span: Range<usize>, message: String, help: impl Into<String>) {
        let diagnostic = self.at(span, message).help(help);
        self.diagnostics.push(diagnostic);
    }

    fn document(&mut self, document: &DeTable<'a>, has_syntax_errors: bool) -> Tables {
        let mut tables = Tables::default();
        let mut defined = Defined::new();
        for (key, value) in document.iter() {
            // The parser treats the entries below a header with a syntax error as top-level keys.
            let is_stray = has_syntax_errors && !self.source.is_header(key.span().start);
            if !TOP_LEVEL.contains(&key.get_ref().as_ref()) && !is_stray {
                self.unknown_key(key, value, &TOP_LEVEL);
            }
        }
        let table = |name: &str| document.iter().find(|(key, _)| key.get_ref() == name);
        if let Some((key, value)) = table("account")
            && let Some(account) = self.table(key, value, "id = \"123456789012\"")
        {
            tables.account = self.account(key, account);
        }
        if let Some((key, value)) = table("boundaries")
            && let Some(boundaries) = self.table(key, value, "developer = \"arn:aws:iam::…\"")
        {
            for (name, value) in boundaries.iter() {
                let arn = self.short_name(name, value);
                if let Some(arn) = &arn {
                    tables.names.insert(name.get_ref(), arn.clone());
                }
                defined.insert(name.get_ref(), arn);
            }
        }
        if let Some((key, value)) = table("guard")
            && let Some(guard) = self.table(key, value, "max_changes = \"10%\"")
        {
            tables.guard = self.guard(guard);
        }
        let mut listing = Vec::new();
        for kind in PrincipalKind::ALL {
            let Some((key, value)) = table(kind.plural()) else { continue };
            let entries = match self.table(key, value, example(kind)) {
                Some(entries) => self.entries(kind, entries, &defined),
                None => BTreeMap::new(),
            };
            match kind {
                PrincipalKind::User => tables.users = entries,
                PrincipalKind::Role => tables.roles = entries,
            }
            listing.push((kind, key, value));
        }
        if !has_syntax_errors {
            self.lists_someone(&listing);
        }
        tables
    }

    /// Reports a file without any entry in the tables of principals, `listing`.
    fn lists_someone(&mut self, listing: &[(PrincipalKind, &Key<'_>, &Value<'a>)]) {
        let is_empty = |value: &Value<'_>| matches!(value.get_ref(), DeValue::Table(table) if table.is_empty());
        match listing {
            [] => {
                let message = if self.source.text.trim().is_empty() {
                    "the file is empty"
                } else {
                    "the file has no [users] table and no [roles] table"
                };
                let help = "add a [users] table with one line for each user: \
                            alice = \"arn:aws:iam::123456789012:policy/Developer\"";
                self.report(0..0, message.to_owned(), help);
            }
            // A table without entries is harmless beside one with entries: `import` writes such files.
            _ if listing.iter().all(|(.., value)| is_empty(value)) => {
                for (kind, key, _) in listing {
                    let message = format!("the [{}] table is empty", kind.plural());
                    let noun = kind.noun();
                    let help = format!("list each {noun} on a line: {}", example(*kind));
                    self.report(key.span(), message, help);
                }
            }
            _ => {}
        }
    }

    fn table<'v>(
        &mut self,
        key: &Key<'_>,
        value: &'v Value<'a>,
        example: &str,
    ) -> Option<&'v DeTable<'a>> {
        if let DeValue::Table(table) = value.get_ref() {
            return Some(table);
        }
        let name = key.get_ref();
        let message = format!("{name} must be a table, not {}", type_name(value.get_ref()));
        let help = format!("write [{name}] on its own line and its entries below: {example}");
        self.report(value.span(), message, help);
        None
    }

    fn unknown_key(&mut self, key: &Key<'_>, value: &Value<'_>, known: &[&str]) {
        let name = key.get_ref();
        let is_entry_like = matches!(value.get_ref(), DeValue::String(_) | DeValue::Boolean(_));
        let help = match (nearest(name, known.iter().copied()), known) {
            (Some(near), _) => format!("did you mean {near}?"),
            (None, [only]) => format!("remove the key: the only key in this table is {only}"),
            // A user above [users] is the most likely reason for an unknown key at the top level.
            (None, known) if known == TOP_LEVEL && is_entry_like => format!(
                "use one of {}, or move a user below [users] and a role below [roles]",
                known.join(", ")
            ),
            (None, known) => format!("use one of {}", known.join(", ")),
        };
        self.report(key.span(), format!("unknown key {}", quoted(name)), help);
    }

    fn account(&mut self, key: &Key<'_>, table: &DeTable<'a>) -> Option<Located<AccountId>> {
        let mut account = None;
        let mut has_id = false;
        for (name, value) in table.iter() {
            if name.get_ref() != "id" {
                self.unknown_key(name, value, &["id"]);
                continue;
            }
            has_id = true;
            let parsed = match value.get_ref() {
                DeValue::String(text) => {
                    text.parse::<AccountId>().map_err(|error| error.to_string())
                }
                other => Err(format!("an account ID must be a string, not {}", type_name(other))),
            };
            match parsed {
                Ok(id) => {
                    let (line, column) = self.source.position(value.span().start);
                    account = Some(Located { value: id, line, column });
                }
                Err(message) => {
                    let help = "write the 12 digits in quotes: id = \"123456789012\"";
                    self.report(value.span(), message, help);
                }
            }
        }
        if !has_id {
            let help = "add id = \"123456789012\", or remove the table";
            self.report(key.span(), "the [account] table has no id".to_owned(), help);
        }
        account
    }

    fn short_name(&mut self, name: &Key<'_>, value: &Value<'a>) -> Option<PolicyArn> {
        let text = name.get_ref();
        let is_valid = is_short_name(text);
        if !is_valid {
            let message = format!("{} is not a valid short name", quoted(text));
            let diagnostic = self.at(name.span(), message).label(not_allowed(text));
            let help = "use 1 to 128 ASCII letters, digits and _+=,.@-";
            self.diagnostics.push(diagnostic.help(help));
        }
        match value.get_ref() {
            DeValue::String(arn) => self.arn(value.span(), arn).filter(|_| is_valid),
            DeValue::Table(nested) => {
                self.nested(text, nested, value, &EXPECTED_ARN);
                None
            }
            other => {
                self.report(value.span(), EXPECTED_ARN.message(text, other), ARN_HELP);
                None
            }
        }
    }

    fn arn(&mut self, span: Range<usize>, text: &str) -> Option<PolicyArn> {
        match text.parse::<PolicyArn>() {
            Ok(arn) => {
                self.arns.push(LocatedArn { span, arn: arn.clone() });
                Some(arn)
            }
            Err(error) => {
                let message = format!("{} is not a valid policy ARN", quoted(text));
                let diagnostic = self.at(span, message).label(escaped(&error.to_string()));
                self.diagnostics.push(diagnostic.help(ARN_HELP));
                None
            }
        }
    }

    /// Reports a table in place of a value. The usual reason is a name with a dot and without quotes: TOML
    /// reads `john.doe = …` as a table `john` with the key `doe`.
    fn nested(&mut self, name: &str, table: &DeTable<'a>, whole: &Value<'a>, expected: &Expected) {
        let written = |value: &Value<'_>| self.source.text.get(value.span()).unwrap_or_default();
        let is_inline = self.source.text[whole.span()].starts_with('{');
        // Not a part of a name: other formats write the value below such a key.
        let inner = table.iter().find(|(key, _)| key.get_ref() == "boundary");
        if table.is_empty() || is_inline || inner.is_some() {
            let proposed = inner.and_then(|(_, value)| toml_text::line(name, written(value)));
            let help = match proposed {
                Some(line) => format!("write {line} below [{}]", expected.table),
                None => expected.help.to_owned(),
            };
            let span = match inner {
                Some((key, _)) if !is_inline => key.span(),
                _ => whole.span(),
            };
            self.report(span, expected.message(name, whole.get_ref()), help);
            return;
        }
        for (key, value) in table.iter() {
            let dotted = format!("{name}.{}", key.get_ref());
            if let DeValue::Table(nested) = value.get_ref() {
                self.nested(&dotted, nested, value, expected);
                continue;
            }
            let written = self.source.text.get(value.span()).unwrap_or_default();
            let line = |name: &str| {
                toml_text::line(name, written).unwrap_or_else(|| toml_text::key(name) + " = …")
            };
            let mut span = key.span();
            if self.source.text[..span.start].ends_with(&format!("{name}.")) {
                span.start -= name.len() + 1;
                let message = format!(
                    "{} is not in quotes, so TOML reads it as a nested table",
                    quoted(&dotted)
                );
                self.report(span, message, format!("put the name in quotes: {}", line(&dotted)));
            } else {
                let help = format!(
                    "write {} below [{}], or {} if the name has a dot",
                    line(name),
                    expected.table,
                    line(&dotted)
                );
                self.report(span, expected.message(name, whole.get_ref()), help);
            }
        }
    }
}

/// An entry for a principal of this kind.
fn example(kind: PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::User => "alice = \"developer\"",
        PrincipalKind::Role => "deploy = \"developer\"",
    }
}

/// The label for a text with a character that no name can have; empty if there is none.
fn not_allowed(text: &str) -> String {
    match text.chars().find(|&c| !is_name_char(c)) {
        Some(c) => format!("{} is not allowed", character(c)),
        None => String::new(),
    }
}

/// The known name that is most similar to `name`, if one is similar enough to suggest.
fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let name: String = name.chars().take(200).collect::<String>().to_lowercase();
    known
        .map(|candidate| (strsim::damerau_levenshtein(&name, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= 1.max(candidate.chars().count() / 3))
        .min()
        .map(|(_, candidate)| candidate)
}

/// The TOML type of a value, with an article.
fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(true) => "true",
        DeValue::Boolean(false) => "false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}
