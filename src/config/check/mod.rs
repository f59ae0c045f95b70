//! The checks of a file. All errors are found in one pass, so that they can be shown together.

mod guard;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::consistency::{self, LocatedArn};
use super::diagnostic::{escaped, quoted};
use super::source_text::SourceText;
use super::syntax::{self, Syntax};
use super::toml_text::{self, BOUNDARY_HELP};
use super::{Config, Diagnostic, Entry, FileErrors, Guard, Located, ShortNames};
use crate::iam::{
    AccountId, Digest, PolicyArn, PrincipalName, character, is_name_char, is_short_name,
};

type Key<'i> = Spanned<Cow<'i, str>>;
type Value<'i> = Spanned<DeValue<'i>>;

const TOP_LEVEL: [&str; 4] = ["account", "boundaries", "guard", "users"];

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
const EXPECTED_BOUNDARY: Expected = Expected {
    table: "users",
    value: "boundary of",
    types: "a string or false",
    help: BOUNDARY_HELP,
};

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
    let Tables { account, names, guard, users } = tables;
    let digest = Digest::of(&source.text);
    Ok(Config { file: source.file, digest, account, names, guard, users })
}

/// The content of the tables of a file, as far as it is valid.
#[derive(Default)]
struct Tables {
    account: Option<Located<AccountId>>,
    names: ShortNames,
    guard: Guard,
    users: BTreeMap<PrincipalName, Entry>,
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
        // Short names with an invalid ARN map to `None`, so that only their definition is reported.
        let mut defined: BTreeMap<&str, Option<PolicyArn>> = BTreeMap::new();
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
        match table("users") {
            Some((key, value)) => {
                if let Some(users) = self.table(key, value, "alice = \"developer\"") {
                    if users.is_empty() && !has_syntax_errors {
                        let message = "the [users] table is empty".to_owned();
                        let help = "list each user on a line: alice = \"developer\"";
                        self.report(key.span(), message, help);
                    }
                    tables.users = self.users(users, &defined);
                }
            }
            None if has_syntax_errors => {}
            None => {
                let message = if self.source.text.trim().is_empty() {
                    "the file is empty"
                } else {
                    "the file has no [users] table"
                };
                let help = "add a [users] table with one line for each user: \
                            alice = \"arn:aws:iam::123456789012:policy/Developer\"";
                self.report(0..0, message.to_owned(), help);
            }
        }
        tables
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
        let is_user_like = matches!(value.get_ref(), DeValue::String(_) | DeValue::Boolean(_));
        let help = match (nearest(name, known.iter().copied()), known) {
            (Some(near), _) => format!("did you mean {near}?"),
            (None, [only]) => format!("remove the key: the only key in this table is {only}"),
            // A user above [users] is the most likely reason for an unknown key at the top level.
            (None, known) if known == TOP_LEVEL && is_user_like => {
                format!("use one of {}, or move the user below [users]", known.join(", "))
            }
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

    fn users(
        &mut self,
        table: &DeTable<'a>,
        defined: &BTreeMap<&str, Option<PolicyArn>>,
    ) -> BTreeMap<PrincipalName, Entry> {
        let mut users = BTreeMap::new();
        let mut keys: Vec<&Key<'_>> = Vec::new();
        // Equal ARNs share their text, because thousands of users have the same few boundaries.
        let mut arns: HashMap<String, PolicyArn> = HashMap::new();
        for (key, value) in table.iter() {
            if let DeValue::Table(nested) = value.get_ref() {
                self.nested(key.get_ref(), nested, value, &EXPECTED_BOUNDARY);
                continue;
            }
            let name = match key.get_ref().parse::<PrincipalName>() {
                Ok(name) => Some(name),
                Err(error) => {
                    let message = format!("{} is not a valid IAM user name", quoted(key.get_ref()));
                    let help = "write the name as it is in IAM: 1 to 64 ASCII letters, digits and \
                                _+=,.@-";
                    let diagnostic =
                        self.at(key.span(), message).label(escaped(&error.to_string()));
                    self.diagnostics.push(diagnostic.help(help));
                    None
                }
            };
            let boundary = self.boundary(key.get_ref(), value, defined, &mut arns);
            if let Some(name) = name {
                keys.push(key);
                if let Some(boundary) = boundary {
                    let (line, column) = self.source.position(key.span().start);
                    users.insert(name, Entry { boundary, line, column });
                }
            }
        }
        self.case_conflicts(keys);
        users
    }

    /// Reports user names that differ from an earlier name only in case.
    fn case_conflicts(&mut self, mut keys: Vec<&Key<'_>>) {
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
                let help = "IAM user names are case-insensitive: keep the name that has the same case \
                            as in IAM";
                let diagnostic = self
                    .at(key.span(), message)
                    .label(format!("{} is on line {line}", quoted(first.get_ref())));
                self.diagnostics.push(diagnostic.help(help));
            }
        }
    }

    /// The boundary that the user must have. The outer `None` means that the value is not valid.
    fn boundary(
        &mut self,
        user: &str,
        value: &Value<'a>,
        defined: &BTreeMap<&str, Option<PolicyArn>>,
        arns: &mut HashMap<String, PolicyArn>,
    ) -> Option<Option<PolicyArn>> {
        let text = match value.get_ref() {
            DeValue::Boolean(false) => return Some(None),
            DeValue::String(text) => text,
            other => {
                let message = EXPECTED_BOUNDARY.message(user, other);
                self.report(value.span(), message, BOUNDARY_HELP);
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
        self.unknown_short_name(value.span(), text, defined);
        None
    }

    fn unknown_short_name(
        &mut self,
        span: Range<usize>,
        text: &str,
        defined: &BTreeMap<&str, Option<PolicyArn>>,
    ) {
        let names: Vec<&str> = defined.keys().copied().filter(|name| is_short_name(name)).collect();
        let help = match text.trim() {
            "" => BOUNDARY_HELP.to_owned(),
            // The words with which other formats say that there is no value.
            "false" | "null" | "none" | "None" | "nil" => {
                "write false without quotes if the user must have no boundary".to_owned()
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

/// The label for a text with a character that no name can have; empty if there is none.
fn not_allowed(text: &str) -> String {
    match text.chars().find(|&c| !is_name_char(c)) {
        Some(c) => format!("{} is not allowed", character(c)),
        None => String::new(),
    }
}

fn lowercase(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().map(|byte| byte.to_ascii_lowercase())
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
