use std::path::Path;

use super::comment::Comments;
use super::comparison::Comparison;
use super::edit::{Edit, edited};
use super::import::basic;
use super::read::source_of;
use super::source_text::SourceText;
use super::{Config, FileErrors, check};
use crate::iam::{PolicyArn, Principal};

/// A boundaries file whose text can be changed.
#[derive(Debug, Clone)]
pub struct EditableFile {
    text: String,
    /// The content of the text.
    pub config: Config,
}

impl EditableFile {
    /// Reads and checks the file at `path`; `-` is standard input.
    ///
    /// # Errors
    /// Returns every error in the file, or the reason why the file cannot be read.
    pub fn read(path: &Path) -> Result<Self, FileErrors> {
        Self::checked(source_of(path)?)
    }

    /// Checks `text` as the content of `file`, which is not read.
    ///
    /// # Errors
    /// Returns every error in the text.
    pub fn parse(file: &str, text: &str) -> Result<Self, FileErrors> {
        Self::checked(SourceText::new(file, text.to_owned()))
    }

    fn checked(source: SourceText) -> Result<Self, FileErrors> {
        let text = source.text.clone();
        Ok(EditableFile { text, config: check::check(source)? })
    }

    /// The text with the boundaries of the account: entries that differ are changed, and entries for those who are not
    /// listed are added, with their comments. Boundaries are written as short names, as far as the file defines them.
    /// Entries of principals that the account does not have stay, and so does every other byte. The text itself if
    /// there is nothing to change; `None` if the text cannot be changed.
    pub fn updated(&self, comparison: &Comparison, comments: &Comments) -> Option<String> {
        let edit = |principal, boundary| Edit {
            principal,
            value: self.value(boundary),
            comment: comments.get(principal),
        };
        let changed = comparison.different.iter();
        let changed: Vec<Edit<'_>> =
            changed.map(|it| edit(&it.principal, it.account.as_ref())).collect();
        let added: Vec<Edit<'_>> = comparison
            .unlisted
            .iter()
            .map(|(principal, boundary): &(Principal, PolicyArn)| edit(principal, Some(boundary)))
            .collect();
        edited(&self.text, &changed, &added)
    }

    /// The value of an entry with this boundary, as TOML.
    fn value(&self, boundary: Option<&PolicyArn>) -> String {
        match boundary {
            None => "false".to_owned(),
            Some(arn) => basic(self.config.names.name_of(arn).unwrap_or(arn.as_str())),
        }
    }
}
