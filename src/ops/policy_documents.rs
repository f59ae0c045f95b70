use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::error::Error;
use super::out_file::OutFile;
use crate::aws::Account;
use crate::files::{MaxSize, parent, read_regular};
use crate::iam::{PolicyArn, Printable};
use crate::impact::{CanonicalDocument, Document};

/// The directory in which an import writes policy documents.
pub(super) struct DocumentsDirectory {
    path: PathBuf,
    is_new: bool,
    /// The path from the boundaries file to the directory, with `/` between its parts; empty if they are the same.
    from_file: String,
}

impl DocumentsDirectory {
    /// The directory at `path`, for a boundaries file at `out`; `None` for one in the current directory.
    ///
    /// # Errors
    /// If it is not a directory, or neither it nor the directory that contains it exists.
    pub(super) fn at(path: &Path, out: Option<&Path>) -> Result<Self, Error> {
        let unwritable = |path: &Path, error| Error::Unwritable { path: path.to_owned(), error };
        let canonical = |path: &Path| path.canonicalize().map_err(|error| unwritable(path, error));
        let is_new = !path.exists();
        let path = match (is_new, path.file_name()) {
            (false, _) if !path.is_dir() => return Err(Error::NotADirectory(path.to_owned())),
            (true, Some(name)) => canonical(parent(path))?.join(name),
            _ => canonical(path)?,
        };
        let beside = canonical(out.map_or(Path::new("."), parent))?;
        let from_file = relative(&beside, &path).ok_or_else(|| {
            let why = "the boundaries file cannot name it: its path from there is not UTF-8 text";
            unwritable(&path, io::Error::new(io::ErrorKind::InvalidInput, why))
        })?;
        Ok(DocumentsDirectory { path, is_new, from_file })
    }

    /// The path of a file in the directory, as the boundaries file names it.
    pub(super) fn path_of(&self, file: &str) -> String {
        match self.from_file.is_empty() {
            true => file.to_owned(),
            false => format!("{}/{file}", self.from_file),
        }
    }

    /// Writes the files, and then what `then` writes. If anything fails, the directory is as before.
    ///
    /// # Errors
    /// If a file exists and `force` is not set, or cannot be written; and the errors of `then`.
    pub(super) fn write(
        &self,
        files: &BTreeMap<String, String>,
        force: bool,
        then: impl FnOnce() -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut written = Written::default();
        if self.is_new {
            let created = fs::create_dir(&self.path);
            created.map_err(|error| Error::Unwritable { path: self.path.clone(), error })?;
            written.directory = Some(self.path.clone());
        }
        let result = self.write_each(files, force, &mut written).and_then(|()| then());
        if result.is_err() {
            written.undo();
        }
        result
    }

    fn write_each(
        &self,
        files: &BTreeMap<String, String>,
        force: bool,
        written: &mut Written,
    ) -> Result<(), Error> {
        let at = |file: &String| OutFile::at(&self.path.join(file), force);
        let outs: Vec<OutFile> = files.keys().map(at).collect::<Result<_, _>>()?;
        outs.iter().zip(files.values()).try_for_each(|(out, text)| written.write(out, text))
    }
}

/// What was written so far.
#[derive(Default)]
struct Written {
    directory: Option<PathBuf>,
    /// The files, with their earlier content.
    files: Vec<(PathBuf, Option<Vec<u8>>)>,
}

impl Written {
    fn write(&mut self, out: &OutFile, text: &str) -> Result<(), Error> {
        let path = out.path().to_owned();
        let earlier = match read_regular(&path, MaxSize::POLICY) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            // Without its content, it could not be restored.
            Err(error) => return Err(Error::Unwritable { path, error }),
        };
        // An error can come after the file was replaced.
        self.files.push((path, earlier));
        out.write(text)
    }

    fn undo(self) {
        let warn = |path: &Path, result: io::Result<()>| {
            if let Err(error) = result {
                tracing::warn!("cannot restore {}: {error}", Printable::path(path));
            }
        };
        for (path, earlier) in self.files {
            let restored = match earlier {
                Some(bytes) => fs::write(&path, bytes),
                None => fs::remove_file(&path),
            };
            warn(&path, restored);
        }
        if let Some(directory) = self.directory {
            warn(&directory, fs::remove_dir(&directory));
        }
    }
}

/// The documents of the default versions of these policies.
///
/// # Errors
/// [`Error::PolicyDocuments`] with every policy whose document cannot be read, or not pinned.
pub(super) async fn read_documents(
    account: &Account,
    policies: &BTreeSet<&PolicyArn>,
) -> Result<BTreeMap<PolicyArn, CanonicalDocument>, Error> {
    let (mut documents, mut errors) = (BTreeMap::new(), Vec::new());
    for (policy, text) in account.policy_documents(policies).await? {
        let document = text.map_err(|error| Printable::from(error.to_string())).and_then(|text| {
            // A boundaries file accepts only documents that the tool can evaluate.
            let document = Document::parse(&text).and_then(|_| CanonicalDocument::parse(&text));
            document.map_err(|error| format!("its document cannot be evaluated: {error}").into())
        });
        match document {
            Ok(document) => drop(documents.insert(policy, document)),
            Err(why) => errors.push((policy, why)),
        }
    }
    match errors.is_empty() {
        true => Ok(documents),
        false => Err(Error::PolicyDocuments(errors)),
    }
}

/// The path from one directory to another; both are canonical. `None` if there is none, or it is not UTF-8 text.
fn relative(from: &Path, to: &Path) -> Option<String> {
    let (from, to): (Vec<_>, Vec<_>) = (from.components().collect(), to.components().collect());
    let same = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from[same..].iter().map(|_| Some(".."));
    let down = to[same..].iter().map(|part| match part {
        Component::Normal(name) => name.to_str(),
        _ => None,
    });
    let parts: Option<Vec<&str>> = up.chain(down).collect();
    parts.map(|parts| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_to_a_directory_is_relative() {
        let path = |from, to| relative(Path::new(from), Path::new(to)).unwrap();
        assert_eq!(path("/a/b", "/a/b"), "");
        assert_eq!(path("/a/b", "/a/b/c/d"), "c/d");
        assert_eq!(path("/a/b", "/a/c"), "../c");
        assert_eq!(path("/a/b", "/"), "../..");
    }

    #[test]
    fn a_failure_leaves_the_directory_as_before() {
        let folder = tempfile::tempdir().unwrap();
        let files: BTreeMap<String, String> =
            [("a.json", "new"), ("b.json", "new")].map(|(n, t)| (n.into(), t.into())).into();
        let failing = || Err(Error::ImportMismatch);
        let new = folder.path().join("new");
        let directory = DocumentsDirectory::at(&new, None).unwrap();
        assert!(directory.write(&files, false, failing).is_err());
        assert!(!new.exists());
        fs::write(folder.path().join("b.json"), "old").unwrap();
        let directory = DocumentsDirectory::at(folder.path(), None).unwrap();
        let existing = directory.write(&files, false, || Ok(()));
        assert!(matches!(existing, Err(Error::Exists(_))), "{existing:?}");
        assert!(!folder.path().join("a.json").exists());
        assert!(directory.write(&files, true, failing).is_err());
        assert!(!folder.path().join("a.json").exists());
        assert_eq!(fs::read(folder.path().join("b.json")).unwrap(), b"old");
        directory.write(&files, true, || Ok(())).unwrap();
        assert_eq!(fs::read(folder.path().join("b.json")).unwrap(), b"new");
    }
}
