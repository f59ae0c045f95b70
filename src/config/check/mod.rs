//! Everything that can be wrong with a file, found in one go.

mod guard;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::{escaped, quoted};
use super::scope::{self, Placed};
use super::source::Source;
use super::syntax::{self, Syntax};
use super::{Config, Diagnostic, FileErrors, Guard, Listed, Located, ShortNames};
use crate::iam::{AccountId, Digest, PolicyArn, PrincipalName};

type Key<'i> = Spanned<Cow<'i, str>>;
type Value<'i> = Spanned<DeValue<'i>>;

const TOP_LEVEL: [&str; 4] = ["account", "boundaries", "guard", "users"];

/// Checks everything in a file, so that all of its mistakes can be shown at once.
pub(super) fn check(source: Source) -> Result<Config, FileErrors> {
    let syntax;
    let document = match DeTable::parse(&source.text) {
        // Nearly always: then the text is parsed once, and not copied.
        Ok(document) => {
            syntax = Syntax::default();
            document
        }
        Err(_) => {
            syntax = syntax::check(&source);
            DeTable::parse_recoverable(&syntax.readable).0
        }
    };
    let mut check = Check { source: &source, found: Vec::new(), placed: Vec::new() };
    let parts = check.document(document.get_ref(), !syntax.mistakes.is_empty());
    let Check { mut found, placed, .. } = check;
    found.extend(scope::mistakes(&source, parts.account.as_ref(), &placed));
    // What stands in a line that could not be read is only a guess of the parser's.
    found.retain(|mistake| !syntax.mistakes.iter().any(|other| other.line == mistake.line));
    found.extend(syntax.mistakes);
    let source = FileErrors::new(source, found)?;
    let Parts { account, names, guard, users } = parts;
    let digest = Digest::of(&source.text);
    Ok(Config { file: source.file, digest, account, names, guard, users })
}

#[derive(Default)]
struct Parts {
    account: Option<Located<AccountId>>,
    names: ShortNames,
    guard: Guard,
    users: BTreeMap<PrincipalName, Listed>,
}

struct Check<'a> {
    source: &'a Source,
    found: Vec<Diagnostic>,
    /// Every ARN in the file, where it stands.
    placed: Vec<Placed>,
}

impl<'a> Check<'a> {
    fn at(&self, span: Range<usize>, message: String) -> Diagnostic {
        Diagnostic::at(self.source, span, message)
    }

    fn document(&mut self, document: &DeTable<'a>, has_syntax_errors: bool) -> Parts {
        let mut parts = Parts::default();
        // Short names that are written down, right or wrong: a wrong one is reported once.
        let mut known: BTreeMap<&str, Option<PolicyArn>> = BTreeMap::new();
        for (key, value) in document.iter() {
            // Below a header that cannot be read, every line would seem to be such a key.
            let is_stray = has_syntax_errors && !self.source.is_header(key.span().start);
            if !TOP_LEVEL.contains(&key.get_ref().as_ref()) && !is_stray {
                self.unknown_key(key, value, &TOP_LEVEL);
            }
        }
        let table = |name: &str| document.iter().find(|(key, _)| key.get_ref() == name);
        if let Some((key, value)) = table("account")
            && let Some(account) = self.table(key, value, "id = \"123456789012\"")
        {
            parts.account = self.account(key, account);
        }
        if let Some((key, value)) = table("boundaries")
            && let Some(boundaries) = self.table(key, value, "developer = \"arn:aws:iam::…\"")
        {
            for (name, value) in boundaries.iter() {
                let arn = self.short_name(name, value);
                if let Some(arn) = &arn {
                    parts.names.insert(name.get_ref(), arn.clone());
                }
                known.insert(name.get_ref(), arn);
            }
        }
        if let Some((key, value)) = table("guard")
            && let Some(guard) = self.table(key, value, "max_changes = \"10%\"")
        {
            parts.guard = self.guard(guard);
        }
        match table("users") {
            Some((key, value)) => {
                if let Some(users) = self.table(key, value, "alice = \"developer\"") {
                    if users.is_empty() && !has_syntax_errors {
                        let message = "the table [users] lists no user".to_owned();
                        let mistake = self.at(key.span(), message);
                        self.found.push(
                            mistake.help("list the users, one a line: alice = \"developer\""),
                        );
                    }
                    parts.users = self.users(users, &known);
                }
            }
            None if has_syntax_errors => {}
            None => {
                let what = if self.source.text.trim().is_empty() {
                    "the file is empty"
                } else {
                    "the file has no table [users]"
                };
                let mistake = self.at(0..0, what.to_owned());
                self.found.push(mistake.help(
                    "write a [users] table, with one line for each user: \
                     alice = \"arn:aws:iam::123456789012:policy/Developer\"",
                ));
            }
        }
        parts
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
        let message = format!("{} is a table, not {}", key.get_ref(), kind(value.get_ref()));
        let help =
            format!("write [{}] on a line of its own, and under it {example}", key.get_ref());
        self.found.push(self.at(value.span(), message).help(help));
        None
    }

    fn unknown_key(&mut self, key: &Key<'_>, value: &Value<'_>, known: &[&str]) {
        let name = key.get_ref();
        let help = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean {near}?"),
            // A user above [users] is the likeliest reason for a line that belongs nowhere.
            None if matches!(value.get_ref(), DeValue::String(_) | DeValue::Boolean(_))
                && known == TOP_LEVEL =>
            {
                format!("the keys here are {}; users stand under [users]", known.join(", "))
            }
            None => format!("the keys here are {}", known.join(", ")),
        };
        let message = format!("unknown key {}", quoted(name));
        self.found.push(self.at(key.span(), message).help(help));
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
                DeValue::Integer(_) => Err("an account id is text, not a number".to_owned()),
                other => Err(format!("an account id is text, not {}", kind(other))),
            };
            match parsed {
                Ok(id) => {
                    let (line, column) = self.source.position(value.span().start);
                    account = Some(Located { value: id, line, column });
                }
                Err(error) => {
                    let mistake = self.at(value.span(), error);
                    let help = "write the 12 digits in quotes: id = \"123456789012\"";
                    self.found.push(mistake.help(help));
                }
            }
        }
        if !has_id {
            let mistake = self.at(key.span(), "the table [account] has no id".to_owned());
            let help = "write id = \"123456789012\" under it, or take the table out";
            self.found.push(mistake.help(help));
        }
        account
    }

    fn short_name(&mut self, name: &Key<'_>, value: &Value<'a>) -> Option<PolicyArn> {
        let text = name.get_ref();
        let is_name = ShortNames::takes(text);
        if !is_name {
            let message = format!("{} cannot be a short name", quoted(text));
            let mistake = self.at(name.span(), message);
            let help = "use 1 to 128 letters, digits and _+=,.@-";
            self.found.push(mistake.help(help));
        }
        match value.get_ref() {
            DeValue::String(arn) => self.arn(value.span(), arn).filter(|_| is_name),
            DeValue::Table(nested) => {
                self.nested(text, nested, value);
                None
            }
            other => {
                let message =
                    format!("the boundary {} is {}, not an ARN", quoted(text), kind(other));
                let mistake = self.at(value.span(), message);
                self.found.push(mistake.help(ARN_HELP));
                None
            }
        }
    }

    fn arn(&mut self, span: Range<usize>, text: &str) -> Option<PolicyArn> {
        match text.parse::<PolicyArn>() {
            Ok(arn) => {
                self.placed.push(Placed { span, arn: arn.clone() });
                Some(arn)
            }
            Err(error) => {
                let message = format!("{} is no policy ARN", quoted(text));
                let mistake = self.at(span, message).label(escaped(&error.to_string()));
                self.found.push(mistake.help(ARN_HELP));
                None
            }
        }
    }

    fn users(
        &mut self,
        table: &DeTable<'a>,
        known: &BTreeMap<&str, Option<PolicyArn>>,
    ) -> BTreeMap<PrincipalName, Listed> {
        let mut users = BTreeMap::new();
        let mut keys: Vec<&Key<'_>> = Vec::new();
        // Equal ARNs share one text: thousands of users have the same few.
        let mut arns: HashMap<String, PolicyArn> = HashMap::new();
        for (key, value) in table.iter() {
            if let DeValue::Table(nested) = value.get_ref() {
                self.nested(key.get_ref(), nested, value);
                continue;
            }
            let name = match key.get_ref().parse::<PrincipalName>() {
                Ok(name) => Some(name),
                Err(error) => {
                    let message = format!("{} is no IAM user name", quoted(key.get_ref()));
                    let mistake = self.at(key.span(), message).label(escaped(&error.to_string()));
                    let help =
                        "write the name as IAM shows it: 1 to 64 letters, digits and _+=,.@-";
                    self.found.push(mistake.help(help));
                    None
                }
            };
            let boundary = self.boundary(key.get_ref(), value, known, &mut arns);
            if let Some(name) = name {
                keys.push(key);
                if let Some(boundary) = boundary {
                    let (line, column) = self.source.position(key.span().start);
                    users.insert(name, Listed { boundary, line, column });
                }
            }
        }
        self.clashes(keys);
        users
    }

    /// Of users whose names differ by case alone, all but the one that comes first in the file.
    fn clashes(&mut self, mut keys: Vec<&Key<'_>>) {
        // They come nearly sorted: comparing in place is cheaper than a folded copy of each.
        keys.sort_by(|a, b| {
            folded(a.get_ref()).cmp(folded(b.get_ref())).then(a.span().start.cmp(&b.span().start))
        });
        for same in keys.chunk_by(|a, b| a.get_ref().eq_ignore_ascii_case(b.get_ref())) {
            let first = same[0];
            let (line, _) = self.source.position(first.span().start);
            for key in &same[1..] {
                let message = format!(
                    "{} and {} differ by case alone",
                    quoted(key.get_ref()),
                    quoted(first.get_ref())
                );
                let mistake =
                    self.at(key.span(), message).label(format!("the other is in line {line}"));
                let help = "IAM has no two such users: keep the one that is written as in IAM";
                self.found.push(mistake.help(help));
            }
        }
    }

    /// A user's boundary to be; none if what is written is a mistake.
    fn boundary(
        &mut self,
        user: &str,
        value: &Value<'a>,
        known: &BTreeMap<&str, Option<PolicyArn>>,
        arns: &mut HashMap<String, PolicyArn>,
    ) -> Option<Option<PolicyArn>> {
        let text = match value.get_ref() {
            DeValue::Boolean(false) => return Some(None),
            DeValue::String(text) => text,
            other => {
                let message = format!("the boundary of {} is {}", quoted(user), kind(other));
                let help = "write a short name of [boundaries], a policy ARN in quotes, or false for \
                            \"must have none\"";
                self.found.push(self.at(value.span(), message).help(help));
                return None;
            }
        };
        if let Some(arn) = known.get(text.as_ref()) {
            return arn.clone().map(Some);
        }
        if text.starts_with("arn:") {
            if let Some(arn) = arns.get(text.as_ref()) {
                self.placed.push(Placed { span: value.span(), arn: arn.clone() });
                return Some(Some(arn.clone()));
            }
            let arn = self.arn(value.span(), text)?;
            arns.insert(text.clone().into_owned(), arn.clone());
            return Some(Some(arn));
        }
        let help = match text.trim() {
            "" => "write a short name of [boundaries], a policy ARN, or false without quotes for \
                   \"must have none\""
                .to_owned(),
            "false" => "for \"must have none\", write false without quotes".to_owned(),
            trimmed if known.contains_key(trimmed) || trimmed.starts_with("arn:") => {
                format!("take out the spaces: \"{}\"", escaped(trimmed))
            }
            trimmed => match nearest(trimmed, known.keys().copied()) {
                Some(near) => format!("did you mean \"{}\"?", escaped(near)),
                None if known.is_empty() => {
                    "the file has no [boundaries]: add the name there, or write a policy ARN"
                        .to_owned()
                }
                None => {
                    let names: Vec<&str> = known.keys().copied().take(10).collect();
                    format!(
                        "add it to [boundaries], or use a name from there: {}{}",
                        escaped(&names.join(", ")),
                        if known.len() > names.len() { ", …" } else { "" }
                    )
                }
            },
        };
        let message = format!("unknown short name {}", quoted(text));
        self.found.push(self.at(value.span(), message).help(help));
        None
    }

    /// `john.doe = …` without quotes, which TOML takes for a table `john` with a key `doe`.
    fn nested(&mut self, prefix: &str, table: &DeTable<'a>, whole: &Value<'a>) {
        if table.is_empty() {
            let message = format!("{} is a table", quoted(prefix));
            let help = "write a short name, an ARN or false behind the =";
            self.found.push(self.at(whole.span(), message).help(help));
        }
        for (key, value) in table.iter() {
            let name = format!("{prefix}.{}", key.get_ref());
            if let DeValue::Table(deeper) = value.get_ref() {
                self.nested(&name, deeper, value);
                continue;
            }
            let message =
                format!("{} has no quotes: TOML reads it as a nested table", quoted(&name));
            let written = self.source.text.get(value.span()).unwrap_or_default();
            let written: String = written.chars().take(200).collect();
            let help =
                format!("put the name in quotes: \"{}\" = {}", escaped(&name), escaped(&written));
            // Where the whole name stands before the =, all of it is underlined.
            let mut span = key.span();
            let before = &self.source.text[..span.start];
            if before.ends_with(&format!("{prefix}.")) {
                span.start -= prefix.len() + 1;
            }
            self.found.push(self.at(span, message).help(help));
        }
    }
}

const ARN_HELP: &str = "the ARN of a policy looks like arn:aws:iam::123456789012:policy/Developer, \
                        or arn:aws:iam::aws:policy/ReadOnlyAccess for one of AWS's own";

fn folded(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().map(|byte| byte.to_ascii_lowercase())
}

/// The known word that was probably meant.
fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let word: String = word.chars().take(200).collect::<String>().to_lowercase();
    known
        .map(|candidate| (strsim::damerau_levenshtein(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= 1.max(candidate.chars().count() / 3))
        .min()
        .map(|(_, candidate)| candidate)
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(true) => "true",
        DeValue::Boolean(false) => "false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}
