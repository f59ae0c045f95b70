//! Short names with a pinned document: `{ arn = "policy/ci/Deployer", document = "policies/deployer.json" }`.

use std::io;
use std::path::Path;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::{Checker, Key, Value, nearest, type_name};
use crate::config::diagnostic::quoted;
use crate::config::source_text::BYTE_ORDER_MARK;
use crate::config::{Diagnostic, PinnedDocument};
use crate::files::{MaxSize, read_regular};
use crate::iam::{PolicyRef, Printable, escaped};
use crate::impact::{CanonicalDocument, Document, DocumentError};

pub(super) const ARN_HELP: &str = "write the ARN of a customer managed policy, such as \
                        arn:aws:iam::123456789012:policy/Developer, or of an AWS managed policy, such \
                        as arn:aws:iam::aws:policy/ReadOnlyAccess";
const KEYS: [&str; 2] = ["arn", "document"];
const DOCUMENT_HELP: &str = "write the path of a JSON file, relative to the boundaries file, such as \
                             document = \"policies/developer.json\"";

/// Whether a table in place of a policy pins a document, and is not the end of a name with a dot.
pub(super) fn is_pinned_table(table: &DeTable<'_>) -> bool {
    let is_key = |key: &str| nearest(key, KEYS.into_iter()).is_some();
    table.iter().any(|(key, _)| is_key(key.get_ref()))
}

impl<'a> Checker<'a> {
    /// The policy of a short name with a pinned document. `None` if a part of it is not valid.
    pub(super) fn pinned(&mut self, name: &Key<'_>, table: &DeTable<'a>) -> Option<PolicyRef> {
        let errors = self.diagnostics.len();
        let text = name.get_ref();
        let (mut policy, mut document) = (None, None);
        for (key, value) in table.iter() {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("arn", DeValue::String(arn)) => policy = self.policy(value.span(), arn),
                ("arn", other) => {
                    let found = type_name(other);
                    let message =
                        format!("the arn of {} must be a policy ARN, not {found}", quoted(text));
                    self.report(value.span(), message, ARN_HELP);
                }
                ("document", DeValue::String(path)) => {
                    document = self.pinned_document(text, value, path)
                }
                ("document", other) => {
                    let found = type_name(other);
                    let message =
                        format!("the document of {} must be a path, not {found}", quoted(text));
                    self.report(value.span(), message, DOCUMENT_HELP);
                }
                _ => self.unknown_key(key, value, &KEYS),
            }
        }
        // An unknown key is probably the one that is missing.
        if self.diagnostics.len() == errors {
            let has = |wanted: &str| table.iter().any(|(key, _)| key.get_ref() == wanted);
            for (key, help) in [("arn", ARN_HELP), ("document", DOCUMENT_HELP)] {
                if !has(key) {
                    let message = format!("the boundary {} has no {key}", quoted(text));
                    let help = match key {
                        "arn" => format!("add arn = …: {help}"),
                        _ => format!(
                            "{help}; to pin no document, write the ARN in place of the table"
                        ),
                    };
                    self.report(name.span(), message, help);
                }
            }
        }
        if self.diagnostics.len() > errors {
            return None;
        }
        if let Some(document) = document {
            self.pinned.insert(text.to_string(), document);
        }
        policy
    }

    /// The document at a path. `None` if it is not valid, or documents are not read.
    fn pinned_document(
        &mut self,
        name: &str,
        value: &Value<'a>,
        path: &str,
    ) -> Option<PinnedDocument> {
        let relative = Path::new(path);
        if path.is_empty() || relative.has_root() || relative.is_absolute() {
            let message = format!("the document of {} must be a relative path", quoted(name));
            self.report(value.span(), message, DOCUMENT_HELP);
            return None;
        }
        let file = self.source.directory.as_ref()?.join(relative);
        let shown = Printable::path(&file);
        let read = read_regular(&file, MaxSize::POLICY).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => "file not found".to_owned(),
            io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
            _ => error.to_string(),
        });
        let text = read.and_then(|bytes| {
            String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
        });
        let text = match text {
            Ok(text) => text,
            Err(why) => {
                let message = format!(
                    "cannot read {}, the document of {}: {}",
                    escaped(&shown),
                    quoted(name),
                    escaped(&why)
                );
                let help = "correct the path, which is relative to the boundaries file, or create the file; \
                            import --documents writes the documents of an account";
                self.report(value.span(), message, help);
                return None;
            }
        };
        // PowerShell writes a byte order mark.
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text);
        let document = Document::parse(text).and_then(|_| CanonicalDocument::parse(text));
        match document {
            Ok(document) => {
                let position = self.position(&value.span());
                Some(PinnedDocument { path: shown, document: Arc::new(document), position })
            }
            Err(DocumentError { message, line, column }) => {
                let (at_line, at_column) = self.source.position(value.span().start);
                let message =
                    format!("the document of {} is not a valid policy: {message}", quoted(name));
                let help = format!(
                    "correct the document; {}:{at_line}:{at_column} names it",
                    self.source.file
                );
                // The text is not shown: the path can lead to a file with secrets.
                self.diagnostics
                    .push(Diagnostic::without_text(&shown, &message, &help, line, column));
                None
            }
        }
    }
}
