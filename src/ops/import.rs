use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::session::Session;
use super::time_limit::{OnWait, TimeLimit};
use crate::aws::Access;
use crate::config::{Config, file_of};
use crate::iam::{AccountId, PolicyArn, PolicyRef, PrincipalCounts, PrincipalKind};
use crate::inventory::EveryPrincipal;
use crate::plan::check_scope;
use crate::state::{OnExisting, existing_target, write_atomically};

/// Options of [`import`].
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The credentials and the endpoint.
    pub access: Access,
    /// The only account that the credentials may belong to; `None` for any.
    pub account: Option<AccountId>,
    /// Where to write the file; `None` only returns its text.
    pub out: Option<PathBuf>,
    /// Whether an existing file is replaced.
    pub force: bool,
    /// The kinds of principals to import, at least one.
    pub kinds: BTreeSet<PrincipalKind>,
}

/// A boundaries file with the present boundaries of an account.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The account.
    pub account: AccountId,
    /// The text of the file.
    pub text: String,
    /// The numbers of principals with a boundary.
    pub with_boundary: PrincipalCounts,
    /// The numbers of principals without a boundary, which are comments in the file.
    pub without_boundary: PrincipalCounts,
}

/// Makes a boundaries file with the present boundaries of an account, and writes it if `out` is a path. `on_wait`
/// receives long waits.
///
/// # Errors
/// If not every principal can be read, or the file cannot be written. Then no file is written.
pub async fn import(options: &ImportOptions, on_wait: OnWait<'_>) -> Result<Imported, Error> {
    // Before the account is read, which can take minutes.
    let out = options.out.as_deref().map(|file| target(file, options.force)).transpose()?;
    let mut time = TimeLimit::new(None);
    let waits = time.waits();
    let read = async {
        let session = Session::identify(&options.access, options.account, None, waits).await?;
        let principals = session.account.every_principal(&options.kinds).await?;
        Ok((session, principals))
    };
    let (session, principals) = time.within(on_wait, read).await?;
    let identity = session.account.identity();
    if principals.is_empty() {
        let kinds: Vec<&str> = options.kinds.iter().map(|kind| kind.plural()).collect();
        let (account, what) = (identity.account, kinds.join(" or "));
        return Err(Error::EmptyAccount { account, what });
    }
    let is_settable = |arn: &PolicyArn| arn.is_settable_in(identity.account, identity.partition);
    let foreign: Vec<_> = principals
        .iter()
        .filter_map(|(principal, boundary)| Some((principal.clone(), boundary.clone()?)))
        .filter(|(_, boundary)| !is_settable(boundary))
        .collect();
    if !foreign.is_empty() {
        return Err(Error::ForeignBoundaries { account: identity.account, principals: foreign });
    }
    let text = file_of(identity.account, &principals);
    let count = |has_boundary: bool| {
        let counted = principals.iter().filter(|(_, boundary)| boundary.is_some() == has_boundary);
        PrincipalCounts::of(counted.map(|(principal, _)| principal.kind))
    };
    let (with_boundary, without_boundary) = (count(true), count(false));
    if with_boundary.total() > 0 {
        // The file must give the same boundaries when it is read.
        let config = Config::parse("(not written)", &text)?;
        check_scope(&config, identity)?;
        if !is_same(&config, &principals) {
            return Err(Error::ImportMismatch);
        }
    }
    if let Some(file) = &out {
        let on_existing = if options.force { OnExisting::Replace } else { OnExisting::Fail };
        write_atomically(file, &text, on_existing).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Error::Exists(file.clone()),
            _ => Error::Unwritable { path: file.clone(), error },
        })?;
    }
    Ok(Imported { account: identity.account, text, with_boundary, without_boundary })
}

/// The file to write: the target, where `file` is a symbolic link.
fn target(file: &Path, force: bool) -> Result<PathBuf, Error> {
    let existing = existing_target(file).map_err(|error| match error.kind() {
        io::ErrorKind::IsADirectory | io::ErrorKind::InvalidInput => {
            Error::NotAFile(file.to_owned())
        }
        _ => Error::Unwritable { path: file.to_owned(), error },
    })?;
    match existing {
        Some(existing) if force => Ok(existing),
        None if force || file.symlink_metadata().is_err() => Ok(file.to_owned()),
        _ => Err(Error::Exists(file.to_owned())),
    }
}

fn is_same(config: &Config, principals: &EveryPrincipal) -> bool {
    let listed = config.entries().map(|(it, entry)| (it, entry.boundary.clone()));
    let live = principals.iter().filter(|(_, boundary)| boundary.is_some());
    listed.eq(live.map(|(it, boundary)| (it.clone(), boundary.clone().map(PolicyRef::Arn))))
}
