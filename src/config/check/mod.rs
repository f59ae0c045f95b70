//! The checks of files. All errors are found in one pass, so that they can be shown together.

mod account;
mod across;
mod boundary;
mod entries;
mod entry_keys;
mod entry_table;
mod guard;
mod pinned;
mod role_keys;
mod rules;
mod settings;
mod used_by_fleet;

pub(super) use account::ID_HELP;
pub(super) use entry_table::problem_of_length;
pub(super) use guard::KEYS as BOUNDARIES_GUARD_KEYS;
pub(super) use role_keys::{ASSUME_ROLE, ROLE_KEYS, RoleKey, RoleKeys};

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::consistency::{self, LocatedArn};
use super::diagnostic::quoted;
use super::file_kind::{FileKind, wrong_kind};
use super::fleet_use::FleetUse;
use super::layer::Layer;
use super::source_text::SourceText;
use super::syntax::{self, Syntax};
use super::{Config, Diagnostic, FileErrors, PinnedDocument, Position, ShortNames, SourceFile};
use crate::iam::{
    AccountId, AssumeRole, Digest, PolicyRef, PrincipalKind, character, is_name_char,
};

/// The policies by short name. Short names with an invalid policy map to `None`, so that only their definition is
/// reported.
type Defined = BTreeMap<String, Option<PolicyRef>>;
pub(super) type Key<'i> = Spanned<Cow<'i, str>>;
pub(super) type Value<'i> = Spanned<DeValue<'i>>;

const TOP_LEVEL: [&str; 8] =
    ["account", "boundaries", "guard", "users", "roles", "rules", "unlisted", "missing"];

/// Checks files that are layered, each over those before it. Returns their content, or all of their errors. `used` is how
/// a fleet uses them; `None` if they are used without one.
pub(super) fn check(
    sources: Vec<Arc<SourceText>>,
    used: Option<&FleetUse<'_>>,
) -> Result<Config, FileErrors> {
    // The usual case: a text is parsed once and not copied.
    let parsed: Vec<_> = sources.iter().map(|source| DeTable::parse(&source.text).ok()).collect();
    let syntax_of = |(source, parsed): (_, &Option<_>)| match parsed {
        Some(_) => Syntax::default(),
        None => syntax::check(source),
    };
    let syntaxes: Vec<Syntax> = sources.iter().zip(&parsed).map(syntax_of).collect();
    let documents = parsed.into_iter().zip(&syntaxes);
    let documents: Vec<_> = documents
        .map(|(parsed, syntax)| {
            parsed.unwrap_or_else(|| DeTable::parse_recoverable(&syntax.readable).0)
        })
        .collect();
    let mut checkers: Vec<Checker<'_>> = sources
        .iter()
        .zip(&syntaxes)
        .map(|(source, syntax)| Checker::new(source, syntax))
        .collect();
    let wrong_kinds = checkers.iter().zip(&documents).filter_map(|(checker, document)| {
        wrong_kind(checker.source, document.get_ref(), FileKind::Boundaries)
    });
    if let Some(errors) = wrong_kinds.reduce(FileErrors::and) {
        return Err(errors);
    }
    let mut defined = Defined::new();
    for (checker, document) in checkers.iter_mut().zip(&documents) {
        defined.extend(checker.definitions(document.get_ref()));
    }
    for (table, name) in syntaxes.iter().flat_map(|syntax| &syntax.unreadable) {
        if table == "boundaries" {
            defined.entry(name.clone()).or_insert(None);
        }
    }
    let mut layer = Layer::default();
    for (checker, document) in checkers.iter_mut().zip(&documents) {
        layer = checker.document(document.get_ref(), &defined).over(layer);
    }
    let mut diagnostics = across::check(&checkers);
    diagnostics.extend(account::role_of_account(&checkers, &layer));
    let arns = checkers.iter_mut().flat_map(|checker| std::mem::take(&mut checker.arns));
    let arns = consistency::in_order(arns.collect());
    let inconsistent = consistency::check(layer.account.as_ref(), &arns);
    if let Some(used) = used {
        diagnostics.extend(used_by_fleet::files(used, &checkers));
        // The policies of an account that the files name are reported with it.
        if layer.account.is_none() && inconsistent.is_empty() {
            diagnostics.extend(used_by_fleet::policies(used, &arns));
        }
    }
    diagnostics.extend(inconsistent);
    let warnings = across::warnings(&checkers, &layer);
    let unused_names = across::unused_names(&checkers);
    let mut pinned: BTreeMap<String, PinnedDocument> = BTreeMap::new();
    for (mut checker, syntax) in checkers.into_iter().zip(&syntaxes) {
        // A definition replaces the whole earlier one.
        for (_, name) in &checker.definitions {
            pinned.remove(name);
        }
        pinned.append(&mut checker.pinned);
        diagnostics.extend(checker.diagnostics);
        diagnostics = with_syntax(diagnostics, syntax);
    }
    if let Some(errors) = FileErrors::of(sorted(diagnostics, &sources)) {
        return Err(errors);
    }
    let mut names = ShortNames::default();
    for (name, policy) in defined {
        if let Some(policy) = policy {
            names.insert(&name, policy);
        }
    }
    for (name, document) in pinned {
        names.pin(&name, document);
    }
    let file = |source: &Arc<SourceText>| SourceFile {
        path: source.file.clone(),
        digest: Digest::of(&source.text),
    };
    let files = sources.iter().map(file).collect();
    let warnings = sorted(warnings, &sources);
    Ok(Config { files, unused_names, warnings, ..layer.into_config(names) })
}

/// The diagnostics, with those of the syntax.
fn with_syntax(mut diagnostics: Vec<Diagnostic>, syntax: &Syntax) -> Vec<Diagnostic> {
    // What the parser recovers from a line with a syntax error is only a guess.
    diagnostics.retain(|found| !syntax.diagnostics.iter().any(|other| other.is_beside(found)));
    diagnostics.extend(syntax.diagnostics.iter().cloned());
    diagnostics
}

/// Diagnostics in the order of the files and of their texts.
fn sorted(mut diagnostics: Vec<Diagnostic>, sources: &[Arc<SourceText>]) -> Vec<Diagnostic> {
    diagnostics.sort_by_cached_key(|found| {
        // A pinned document is not among the files, and comes after them.
        let source = sources.iter().position(|source| found.is_of(source));
        (source.unwrap_or(sources.len()), found.file().clone(), found.line, found.column)
    });
    diagnostics
}

/// The name of a principal with an entry, and its position in a file.
struct PrincipalKey {
    kind: PrincipalKind,
    name: String,
    span: Range<usize>,
}

/// Checks one file.
pub(super) struct Checker<'a> {
    pub(super) source: &'a Arc<SourceText>,
    has_syntax_errors: bool,
    /// The tables and the names of the entries that cannot be parsed.
    unreadable: &'a [(String, String)],
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Every valid ARN in the file.
    arns: Vec<LocatedArn>,
    /// Equal policies share their text, because thousands of principals have the same few boundaries.
    policies: HashMap<String, PolicyRef>,
    /// The short names that the file defines, with their positions.
    definitions: Vec<(Range<usize>, String)>,
    /// The pinned documents of the short names that the file defines.
    pinned: BTreeMap<String, PinnedDocument>,
    /// The short names that the file uses.
    used: BTreeSet<String>,
    /// The names of the principals with an entry.
    keys: Vec<PrincipalKey>,
    /// The account ID, and its position.
    account: Option<(Range<usize>, AccountId)>,
    /// The role to assume, and its position.
    assume_role: Option<(Range<usize>, AssumeRole)>,
    /// The tables of principals that the file has, with the positions of their names and whether they are empty.
    tables: Vec<(PrincipalKind, Range<usize>, bool)>,
    /// Whether the file has `[[rules]]` or `[unlisted]`: it concerns principals without an entry.
    concerns_others: bool,
    /// Whether a key of the top level is similar to `users` or `roles`: the file is not without them.
    has_similar_table: bool,
}

impl<'a> Checker<'a> {
    pub(super) fn new(source: &'a Arc<SourceText>, syntax: &'a Syntax) -> Self {
        Checker {
            source,
            has_syntax_errors: !syntax.diagnostics.is_empty(),
            unreadable: &syntax.unreadable,
            diagnostics: Vec::new(),
            arns: Vec::new(),
            policies: HashMap::new(),
            definitions: Vec::new(),
            pinned: BTreeMap::new(),
            used: BTreeSet::new(),
            keys: Vec::new(),
            account: None,
            assume_role: None,
            tables: Vec::new(),
            concerns_others: false,
            has_similar_table: false,
        }
    }

    pub(super) fn at(&self, span: Range<usize>, message: String) -> Diagnostic {
        Diagnostic::at(self.source, span, message)
    }

    pub(super) fn report(&mut self, span: Range<usize>, message: String, help: impl Into<String>) {
        let diagnostic = self.at(span, message).help(help);
        self.diagnostics.push(diagnostic);
    }

    pub(super) fn position(&self, span: &Range<usize>) -> Position {
        let (line, column) = self.source.position(span.start);
        Position { file: self.source.file.clone(), line, column }
    }

    /// The short names that the file defines. The other layers can use them, too.
    fn definitions(&mut self, document: &DeTable<'a>) -> Defined {
        let mut defined = Defined::new();
        if let Some((key, value)) = find(document, "boundaries")
            && let Some(boundaries) = self.table(key, value, "developer = \"arn:aws:iam::…\"")
        {
            for (name, value) in boundaries.iter() {
                let policy = self.short_name(name, value);
                self.definitions.push((name.span(), name.get_ref().to_string()));
                defined.insert(name.get_ref().to_string(), policy);
            }
        }
        defined
    }

    /// Whether a key is probably not one of the top level: the parser treats the entries below a header with a syntax error
    /// as top-level keys.
    pub(super) fn is_stray(&self, key: &Key<'_>) -> bool {
        self.has_syntax_errors && !self.source.is_header(key.span().start)
    }

    /// Whether the table has an entry of this name that cannot be parsed.
    pub(super) fn is_unreadable(&self, table: &str, name: &str) -> bool {
        self.unreadable.iter().any(|it| it.0 == table && it.1 == name)
    }

    /// All errors, with those of the syntax.
    pub(super) fn finished(self, syntax: &Syntax) -> Vec<Diagnostic> {
        let sources = [Arc::clone(self.source)];
        sorted(with_syntax(self.diagnostics, syntax), &sources)
    }

    fn document(&mut self, document: &DeTable<'a>, defined: &Defined) -> Layer {
        let mut layer = Layer::default();
        for (key, value) in document.iter() {
            if !TOP_LEVEL.contains(&key.get_ref().as_ref()) && !self.is_stray(key) {
                self.unknown_key(key, value, &TOP_LEVEL);
            }
        }
        if let Some((key, value)) = find(document, "account")
            && let Some(account) = self.table(key, value, "id = \"123456789012\"")
        {
            self.account(key, account, &mut layer);
        }
        if let Some((key, value)) = find(document, "guard")
            && let Some(guard) = self.table(key, value, "max_changes = \"10%\"")
        {
            layer.guard = self.guard(guard);
        }
        for kind in PrincipalKind::ALL {
            let Some((key, value)) = find(document, kind.plural()) else { continue };
            let is_empty = matches!(value.get_ref(), DeValue::Table(table) if table.is_empty());
            self.tables.push((kind, key.span(), is_empty));
            let entries = match self.table(key, value, example(kind)) {
                Some(entries) => self.entries(kind, entries, defined),
                None => BTreeMap::new(),
            };
            match kind {
                PrincipalKind::User => layer.users = entries,
                PrincipalKind::Role => layer.roles = entries,
            }
        }
        if let Some((key, value)) = find(document, "rules") {
            self.concerns_others = true;
            layer.rules = self.rules(key, value, defined);
        }
        if let Some((key, value)) = find(document, "unlisted")
            && let Some(table) = self.table(key, value, "users = \"warn\"")
        {
            self.concerns_others = true;
            layer.unlisted = self.unlisted(table);
        }
        if let Some((key, value)) = find(document, "missing")
            && let Some(table) = self.table(key, value, "users = \"warn\"")
        {
            layer.missing = self.missing(table);
        }
        layer
    }

    pub(super) fn table<'v>(
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

    pub(super) fn unknown_key(&mut self, key: &Key<'_>, value: &Value<'_>, known: &[&str]) {
        let name = key.get_ref();
        let is_entry_like = matches!(value.get_ref(), DeValue::String(_) | DeValue::Boolean(_));
        let near = nearest(name, known.iter().copied());
        self.has_similar_table |=
            known == TOP_LEVEL && near.is_some_and(|it| ["users", "roles"].contains(&it));
        let help = match (near, known) {
            (Some(near), _) => format!("did you mean {near}?"),
            // A user above [users] is the most likely reason for an unknown key at the top level.
            (None, known) if known == TOP_LEVEL && is_entry_like => format!(
                "use one of {}, or move a user below [users] and a role below [roles]",
                known.join(", ")
            ),
            (None, known) => format!("use one of {}", known.join(", ")),
        };
        self.report(key.span(), format!("unknown key {}", quoted(name)), help);
    }
}

/// The key of this name, and its value.
pub(super) fn find<'v, 'a>(
    table: &'v DeTable<'a>,
    name: &str,
) -> Option<(&'v Key<'a>, &'v Value<'a>)> {
    table.iter().find(|(key, _)| key.get_ref() == name)
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
pub(super) fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let name: String = name.chars().take(200).collect::<String>().to_lowercase();
    known
        .map(|candidate| (strsim::damerau_levenshtein(&name, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= 1.max(candidate.chars().count() / 3))
        .min()
        .map(|(_, candidate)| candidate)
}

/// The TOML type of a value, with an article.
pub(super) fn type_name(value: &DeValue<'_>) -> &'static str {
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
