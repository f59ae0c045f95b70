//! A spreadsheet of principals and their boundaries, saved as CSV, which becomes a boundaries file.

mod boundary;
mod columns;
mod fields;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;
use std::sync::Arc;

use boundary::Boundary;
use columns::{Column, Columns, EXAMPLE};
use fields::{Field, Row};

use super::check::problem_of_length;
use super::comment::{Comments, EntryComment};
use super::comparison::Present;
use super::consistency::{self, LocatedArn};
use super::diagnostic::quoted;
use super::import::{NewFile, Source, short_names};
use super::read::{decoded, name_of};
use super::source_text::SourceText;
use super::{Diagnostic, FileErrors};
use crate::files::{MaxSize, read_input};
use crate::iam::{
    AccountId, Partition, PolicyOwner, Principal, PrincipalCounts, PrincipalKind, PrincipalName,
    Printable, UnmodifiableRole, escaped,
};

/// The content of a valid spreadsheet.
#[derive(Debug, Clone)]
pub struct Spreadsheet {
    name: Printable,
    account: Option<AccountId>,
    /// The boundary that each principal must have; `None` if it must have none.
    pub boundaries: Present,
    comments: Comments,
}

impl Spreadsheet {
    /// Reads and checks the CSV file at `path`; `-` is standard input. Policies without an account in their names are
    /// policies of `account`.
    ///
    /// # Errors
    /// Returns every error in the file, or the reason why the file cannot be read.
    pub fn read(path: &Path, account: Option<AccountId>) -> Result<Self, FileErrors> {
        let name = name_of(path);
        let bytes = read_input(path, MaxSize::BOUNDARIES_FILE).map_err(|error| {
            let (reason, help) = match error.kind() {
                io::ErrorKind::NotFound => {
                    ("file not found".to_owned(), "correct the path of the CSV file")
                }
                io::ErrorKind::IsADirectory => {
                    ("it is a directory".to_owned(), "specify a CSV file in it")
                }
                _ => (error.to_string(), "check the path and the permissions of the file"),
            };
            FileErrors::of_file(&name, &format!("cannot read {name}: {reason}"), help)
        })?;
        let save = "save the file as UTF-8: in Excel, as \"CSV UTF-8\"";
        Self::checked(decoded(&name, bytes, save)?, account)
    }

    /// Checks `text` as the content of the CSV file with this name, which is not read.
    ///
    /// # Errors
    /// Returns every error in the text.
    pub fn parse(name: &str, text: &str, account: Option<AccountId>) -> Result<Self, FileErrors> {
        Self::checked(SourceText::new(name, text.to_owned()), account)
    }

    fn checked(source: SourceText, account: Option<AccountId>) -> Result<Self, FileErrors> {
        let source = Arc::new(source);
        let mut reader = Reader { source: &source, account, diagnostics: Vec::new() };
        let (boundaries, comments) = reader.read();
        let mut diagnostics = reader.diagnostics;
        diagnostics.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
        if let Some(errors) = FileErrors::of(diagnostics) {
            return Err(errors.not_listed_by_check());
        }
        Ok(Spreadsheet { name: source.file.clone(), account, boundaries, comments })
    }

    /// The text of a boundaries file with the same boundaries. Policies that several principals have get short names.
    pub fn to_file(&self) -> String {
        let source = Source::Spreadsheet { name: &self.name, account: self.account };
        NewFile {
            source,
            principals: &self.boundaries,
            comments: &self.comments,
            names: short_names(self.boundaries.values().flatten(), 2),
            documents: None,
        }
        .to_string()
    }

    /// The numbers of principals that have, or do not have, a boundary.
    pub fn count(&self, has_boundary: bool) -> PrincipalCounts {
        let counted = self.boundaries.iter().filter(|(_, it)| it.is_some() == has_boundary);
        PrincipalCounts::of(counted.map(|(principal, _)| principal.kind))
    }
}

struct Reader<'s> {
    source: &'s Arc<SourceText>,
    account: Option<AccountId>,
    diagnostics: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn report(&mut self, field: &Field, message: String, help: impl Into<String>) {
        let diagnostic = Diagnostic::at(self.source, field.span.clone(), message);
        self.diagnostics.push(diagnostic.help(help));
    }

    fn read(&mut self) -> (Present, Comments) {
        let delimiter = fields::delimiter(&self.source.text);
        let rows = fields::rows(self.source, delimiter, &mut self.diagnostics);
        let mut rows = rows.iter();
        let Some(header) = rows.next() else {
            let empty = Field { text: String::new(), span: 0..0 };
            self.report(&empty, "the file is empty".to_owned(), format!("write {EXAMPLE}"));
            return Default::default();
        };
        let columns = header
            .as_ref()
            .and_then(|header| Columns::of(self.source, header, &mut self.diagnostics));
        let (Some(header), Some(columns)) = (header, columns) else {
            return Default::default();
        };
        if rows.len() == 0 {
            let message = "the file has no row below the header".to_owned();
            self.report(&header[0], message, format!("write {EXAMPLE}"));
        }
        let mut comments = Comments::new();
        let mut lines: HashMap<(PrincipalKind, String), (usize, &str)> = HashMap::new();
        let mut read = Vec::new();
        for row in rows.flatten() {
            if !columns.fit(self.source, row, &mut self.diagnostics) {
                continue;
            }
            let (Some(name), Some(boundary)) =
                (columns.field(row, Column::Name), columns.field(row, Column::Boundary))
            else {
                continue;
            };
            let kind = self.kind(&columns, row);
            let principal = kind.and_then(|kind| self.principal(kind, name));
            let boundary = Boundary::of(self.source, boundary, self.account);
            let boundary = boundary.map_err(|error| self.diagnostics.push(error)).ok();
            let Some(principal) = principal else { continue };
            let line = self.source.position(name.span.start).0;
            if let Some(&(first, other)) = lines.get(&principal.folded()) {
                self.duplicate(&principal, name, first, other);
                continue;
            }
            lines.insert(principal.folded(), (line, &name.text));
            if let Some(reason) = columns.field(row, Column::Reason)
                && let Some(comment) = EntryComment::of_text(&reason.text)
            {
                self.reason(&principal, reason, &comment);
                comments.insert(principal.clone(), comment);
            }
            read.extend(boundary.map(|boundary| (principal, boundary)));
        }
        (self.boundaries(read), comments)
    }

    /// The boundaries as ARNs. All of them must be usable in one account.
    fn boundaries(&mut self, read: Vec<(Principal, Boundary)>) -> Present {
        let partition = read.iter().find_map(|(_, boundary)| match boundary {
            Boundary::Arn(located) => Some(located.arn.partition()),
            _ => None,
        });
        let partition = partition.unwrap_or(Partition::Aws);
        let mut arns: Vec<LocatedArn> = Vec::new();
        let mut boundaries = BTreeMap::new();
        for (principal, boundary) in read {
            let located = boundary.arn(self.account, partition);
            boundaries.insert(principal, located.as_ref().map(|located| located.arn.clone()));
            arns.extend(located);
        }
        if let Some(account) = self.account {
            arns.retain(|located| match located.arn.owner() {
                PolicyOwner::Account(owner) if owner != account => {
                    let message =
                        format!("this policy belongs to account {owner}, not to {account}");
                    let help = "correct the account ID in the ARN, or the option --account";
                    let diagnostic = Diagnostic::at(self.source, located.span.clone(), message);
                    self.diagnostics.push(diagnostic.help(help));
                    false
                }
                _ => true,
            });
        }
        self.diagnostics.extend(consistency::check(None, &consistency::in_order(arns)));
        boundaries
    }

    /// The kind of principal of a row: a user, unless the row says something else.
    fn kind(&mut self, columns: &Columns, row: &Row) -> Option<PrincipalKind> {
        let Some(field) = columns.field(row, Column::Kind).filter(|it| !it.text.is_empty()) else {
            return Some(PrincipalKind::User);
        };
        let is_named = |kind: &PrincipalKind| field.text.eq_ignore_ascii_case(kind.noun());
        let kind = PrincipalKind::ALL.into_iter().find(is_named);
        if kind.is_none() {
            let message = format!("unknown kind {}", quoted(&field.text));
            self.report(field, message, "write user or role; an empty field means user");
        }
        kind
    }

    fn principal(&mut self, kind: PrincipalKind, field: &Field) -> Option<Principal> {
        let noun = kind.noun();
        let name = match field.text.parse::<PrincipalName>() {
            Ok(name) => name,
            Err(error) => {
                let message = format!("{} is not a valid IAM {noun} name", quoted(&field.text));
                let help = "write the name as it is in IAM, without its path: 1 to 64 ASCII letters, digits and \
                            _+=,.@-";
                let diagnostic = Diagnostic::at(self.source, field.span.clone(), message);
                let diagnostic = diagnostic.label(escaped(&error.to_string())).help(help);
                self.diagnostics.push(diagnostic);
                return None;
            }
        };
        if kind == PrincipalKind::Role
            && let Some(role) = UnmodifiableRole::of_name(&name)
        {
            let message = format!("{} {}", quoted(&field.text), role.reason());
            self.report(field, message, role.help().replace("entry", "row"));
        }
        Some(Principal { kind, name })
    }

    fn reason(&mut self, principal: &Principal, field: &Field, reason: &EntryComment) {
        if let Some(problem) = problem_of_length(&reason.to_string()) {
            let name = quoted(principal.name.as_str());
            self.report(field, format!("the reason of {name} {problem}"), "shorten it");
        }
    }

    fn duplicate(&mut self, principal: &Principal, field: &Field, first: usize, other: &str) {
        let noun = principal.kind.noun();
        let (message, help) = match field.text == other {
            true => {
                (format!("duplicate {noun} {}", quoted(&field.text)), "remove one of the two rows")
            }
            false => (
                format!("{} and {} differ only in case", quoted(&field.text), quoted(other)),
                "IAM names are case-insensitive: keep the row that has the same case as in IAM",
            ),
        };
        let diagnostic = Diagnostic::at(self.source, field.span.clone(), message);
        self.diagnostics.push(diagnostic.label(format!("first on line {first}")).help(help));
    }
}
