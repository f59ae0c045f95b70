use std::io;
use std::path::PathBuf;

use super::error::Error;
use super::session::Session;
use crate::aws::Access;
use crate::config::{Config, file_of};
use crate::iam::{AccountId, PolicyArn, PrincipalName};
use crate::inventory::EveryPrincipal;
use crate::plan::check_scope;
use crate::state::{OnExisting, write_atomically};

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
}

/// A boundaries file with the present boundaries of an account.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The account.
    pub account: AccountId,
    /// The text of the file.
    pub text: String,
    /// The number of users with a boundary.
    pub with_boundary: usize,
    /// The number of users without a boundary, which are comments in the file.
    pub without_boundary: usize,
}

/// Makes a boundaries file with the present boundaries of an account, and writes it if `out` is a path.
///
/// # Errors
/// If not every user can be read, or the file cannot be written. Then no file is written.
pub async fn import(options: &ImportOptions) -> Result<Imported, Error> {
    if let Some(file) = options.out.as_ref().filter(|_| !options.force)
        && file.symlink_metadata().is_ok()
    {
        // Before the account is read, which can take minutes.
        return Err(Error::Exists(file.clone()));
    }
    let session = Session::identify(&options.access, options.account, None).await?;
    let identity = session.account.identity();
    let principals = session.account.every_principal().await?;
    if principals.is_empty() {
        return Err(Error::EmptyAccount(identity.account));
    }
    let users = users(&principals);
    let text = file_of(identity.account, &users);
    let with_boundary = users.values().flatten().count();
    if with_boundary > 0 {
        // The file must give the same boundaries when it is read.
        let config = Config::parse("(not written)", &text)?;
        check_scope(&config, identity)?;
        if !is_same(&config, &principals) {
            return Err(Error::ImportMismatch);
        }
    }
    if let Some(file) = &options.out {
        let on_existing = if options.force { OnExisting::Replace } else { OnExisting::Fail };
        write_atomically(file, &text, on_existing).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Error::Exists(file.clone()),
            _ => Error::Unwritable { path: file.clone(), error },
        })?;
    }
    let without_boundary = users.len() - with_boundary;
    Ok(Imported { account: identity.account, text, with_boundary, without_boundary })
}

fn users(
    principals: &EveryPrincipal,
) -> std::collections::BTreeMap<PrincipalName, Option<PolicyArn>> {
    principals.iter().map(|(it, boundary)| (it.name.clone(), boundary.clone())).collect()
}

fn is_same(config: &Config, principals: &EveryPrincipal) -> bool {
    let listed = config.entries().map(|(it, entry)| (it, entry.boundary.clone()));
    let live = principals.iter().filter(|(_, boundary)| boundary.is_some());
    listed.eq(live.map(|(it, boundary)| (it.clone(), boundary.clone())))
}
