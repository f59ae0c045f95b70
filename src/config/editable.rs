use std::path::Path;
use std::sync::Arc;

use super::comment::Comments;
use super::comparison::{Comparison, Live};
use super::edit::{Edit, edited};
use super::read::{BOUNDARIES_FILE, source_of};
use super::source_text::SourceText;
use super::toml_text::basic;
use super::{Config, FileErrors, check};
use crate::iam::PolicyArn;

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
        Self::checked(source_of(path, &BOUNDARIES_FILE)?)
    }

    /// Checks `text` as the content of `file`, which is not read. Neither are pinned documents.
    ///
    /// # Errors
    /// Returns every error in the text.
    pub fn parse(file: &str, text: &str) -> Result<Self, FileErrors> {
        Self::checked(SourceText::new(file, text.to_owned()))
    }

    fn checked(source: SourceText) -> Result<Self, FileErrors> {
        let text = source.text.clone();
        Ok(EditableFile { text, config: check::check(vec![Arc::new(source)], None)? })
    }

    /// The text with the boundaries of the account: entries that differ are changed, and entries for those who need one
    /// are added, with their comments. Boundaries are written as short names, as far as the file defines them.
    /// Expired entries and entries of principals that the account does not have stay, and so does every other byte. The
    /// text itself if there is nothing to change; `None` if the text cannot be changed.
    pub fn updated(
        &self,
        comparison: &Comparison,
        live: &Live<'_>,
        comments: &Comments,
    ) -> Option<String> {
        let names = self.config.names.by_arn(live.account, live.partition);
        let value = |boundary: &Option<PolicyArn>| match boundary {
            None => "false".to_owned(),
            Some(arn) => basic(names.get(arn).copied().unwrap_or(arn.as_str())),
        };
        let edit = |principal, boundary| Edit {
            principal,
            value: value(boundary),
            comment: comments.get(principal),
        };
        let changed = comparison.different.iter().filter(|it| !it.is_expired);
        let changed: Vec<Edit<'_>> = changed.map(|it| edit(&it.principal, &it.account)).collect();
        let added = comparison.unlisted.iter();
        let added: Vec<Edit<'_>> = added.map(|it| edit(&it.principal, &it.account)).collect();
        edited(&self.text, &changed, &added)
    }
}
