use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::content::Fleet;
use crate::config::check::check;
use crate::config::fleet_use::FleetUse;
use crate::config::read::{SAVE_AS_UTF_8, decoded, name_of, reason};
use crate::config::source_text::SourceText;
use crate::config::{Config, Diagnostic, FileErrors};
use crate::files::{MaxSize, read_input};

/// The content of the boundaries files of a fleet. Accounts with the same files share it.
#[derive(Debug, Clone)]
pub struct FleetConfigs {
    /// The content of the files of each account, in the order of [`Fleet::accounts`].
    pub accounts: Vec<Arc<Config>>,
    /// The content of the files of the accounts of the organization; `None` without `[organization]`.
    pub organization: Option<Arc<Config>>,
    /// Each different content once, in the order of the fleet file.
    pub distinct: Vec<Arc<Config>>,
}

/// Files that are layered, and how the fleet uses them.
type List<'f> = (&'f [PathBuf], FleetUse<'f>);

impl FleetConfigs {
    /// The warnings about all files. Those about a file that several accounts use are equal and appear once.
    pub fn warnings(&self) -> Vec<Diagnostic> {
        let warnings = self.distinct.iter().flat_map(|config| config.warnings.iter().cloned());
        once(warnings.collect())
    }
}

impl Fleet {
    /// Reads and checks the boundaries files of all accounts. Each file is read once, and each list of files is checked
    /// once, however many accounts have it.
    ///
    /// # Errors
    /// Returns every error in all files, each once: also a file that is for another account than one that uses it.
    pub fn load(&self) -> Result<FleetConfigs, FileErrors> {
        let (lists, indices) = self.lists();
        let texts = self.texts(&lists)?;
        let mut configs = Vec::new();
        let mut errors = Vec::new();
        for (files, used) in &lists {
            let sources = files.iter().filter_map(|file| texts.get(file).cloned()).collect();
            match check(sources, Some(used)) {
                Ok(config) => configs.push(Arc::new(config)),
                Err(found) => errors.extend(found.into_diagnostics()),
            }
        }
        if let Some(errors) = FileErrors::of(once(errors)) {
            return Err(errors);
        }
        let of = |files: &Vec<PathBuf>| Arc::clone(&configs[indices[&**files]]);
        Ok(FleetConfigs {
            accounts: self.accounts.iter().map(|account| of(&account.settings.files)).collect(),
            organization: self.organization.as_ref().map(|_| of(&self.default.files)),
            distinct: configs.clone(),
        })
    }

    /// The different lists of files with their use, and the index of each.
    fn lists(&self) -> (Vec<List<'_>>, HashMap<&[PathBuf], usize>) {
        let mut lists: Vec<List<'_>> = Vec::new();
        let mut indices = HashMap::new();
        for account in &self.accounts {
            let index = index_of(&account.settings.files, &mut lists, &mut indices);
            lists[index].1.accounts.push(account);
        }
        if let Some(organization) = &self.organization {
            let index = index_of(&self.default.files, &mut lists, &mut indices);
            lists[index].1.organization = Some(&organization.position);
        }
        (lists, indices)
    }

    /// The texts of all files by their paths.
    fn texts<'f>(
        &self,
        lists: &[List<'f>],
    ) -> Result<BTreeMap<&'f PathBuf, Arc<SourceText>>, FileErrors> {
        let mut texts = BTreeMap::new();
        let mut errors = Vec::new();
        let mut seen = HashSet::new();
        for path in lists.iter().flat_map(|(files, _)| *files) {
            if !seen.insert(path) {
                continue;
            }
            match self.text(path) {
                Ok(text) => {
                    texts.insert(path, Arc::new(text));
                }
                Err(found) => errors.extend(found.into_diagnostics()),
            }
        }
        match FileErrors::of(errors) {
            Some(errors) => Err(errors),
            None => Ok(texts),
        }
    }

    fn text(&self, path: &PathBuf) -> Result<SourceText, FileErrors> {
        let name = name_of(path);
        match read_input(path, MaxSize::BOUNDARIES_FILE) {
            Ok(bytes) => Ok(decoded(&name, bytes, SAVE_AS_UTF_8)?.at(path)),
            Err(error) => {
                let span = self.file_spans.get(path).cloned().unwrap_or_default();
                let message = format!("cannot read {name}: {}", reason(&error));
                let help =
                    "correct the path, which is relative to the fleet file, or create the file";
                let diagnostic = Diagnostic::at(&self.source, span, message).help(help);
                Err(FileErrors::of(vec![diagnostic]).expect("one diagnostic is an error"))
            }
        }
    }
}

/// The index of these files, which are added if they are not in the list.
fn index_of<'f>(
    files: &'f [PathBuf],
    lists: &mut Vec<List<'f>>,
    indices: &mut HashMap<&'f [PathBuf], usize>,
) -> usize {
    *indices.entry(files).or_insert_with(|| {
        lists.push((files, FleetUse::default()));
        lists.len() - 1
    })
}

/// The diagnostics without those that are equal to an earlier one at the same place.
fn once(diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut seen = HashSet::new();
    let key = |it: &Diagnostic| {
        (it.file().to_string(), it.line, it.column, it.message.clone(), it.help.clone())
    };
    diagnostics.into_iter().filter(|diagnostic| seen.insert(key(diagnostic))).collect()
}
