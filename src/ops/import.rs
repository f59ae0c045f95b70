use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use super::error::Error;
use super::out_file::OutFile;
use super::policy_documents::{DocumentsDirectory, read_documents};
use super::session::Session;
use super::time_limit::{OnWait, TimeLimit};
use crate::aws::Access;
use crate::config::{Comments, Config, EntryComment, file_of, file_with_documents};
use crate::iam::{AccountId, PolicyArn, PolicyRef, Principal, PrincipalCounts, PrincipalKind};
use crate::inventory::{CallerIdentity, EveryPrincipal, Inventory};
use crate::plan::check_scope;

/// Options of [`import`].
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The credentials and the endpoint.
    pub access: Access,
    /// The only account that the credentials may belong to; `None` for any.
    pub account: Option<AccountId>,
    /// Where to write the file; `None` only returns its text.
    pub out: Option<PathBuf>,
    /// Where to write the documents of the policies, which the file then pins; `None` pins none.
    pub documents: Option<PathBuf>,
    /// Whether existing files are replaced.
    pub force: bool,
    /// The kinds of principals to import, at least one.
    pub kinds: BTreeSet<PrincipalKind>,
    /// The maximum time to read the account; `None` for no limit.
    pub timeout: Option<Duration>,
}

/// A boundaries file with the present boundaries of an account.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The account.
    pub account: AccountId,
    /// The text of the file.
    pub text: String,
    /// The number of policies whose documents were written.
    pub documents: usize,
    /// The numbers of principals with a boundary.
    pub with_boundary: PrincipalCounts,
    /// The numbers of principals without a boundary, which are comments in the file.
    pub without_boundary: PrincipalCounts,
}

/// Makes a boundaries file with the present boundaries of an account, and writes it if `out` is a path. The documents of
/// its policies are written first. `on_wait` receives long waits.
///
/// # Errors
/// If not every principal and document can be read in time, or a file cannot be written. Then no file is written.
pub async fn import(options: &ImportOptions, on_wait: OnWait<'_>) -> Result<Imported, Error> {
    // Before the account is read, which can take minutes.
    let out = options.out.as_deref().map(|file| OutFile::at(file, options.force)).transpose()?;
    let directory = options.documents.as_deref();
    let directory =
        directory.map(|path| DocumentsDirectory::at(path, options.out.as_deref())).transpose()?;
    let mut time = TimeLimit::new(options.timeout);
    let waits = time.waits();
    let read = async {
        let session =
            Session::identify(&options.access, options.account, None, None, waits).await?;
        let inventory = session.account.whole_inventory(&options.kinds, []).await?;
        Ok((session, inventory))
    };
    let (session, inventory) = time.within(&mut *on_wait, read).await?;
    warn_of_fewer(&inventory);
    let principals = inventory.every_principal()?;
    let identity = session.account.identity();
    if principals.is_empty() {
        let kinds: Vec<&str> = options.kinds.iter().map(|kind| kind.plural()).collect();
        let (account, what) = (identity.account, kinds.join(" or "));
        return Err(Error::EmptyAccount { account, what });
    }
    check_settable(identity, &principals)?;
    let comments = comments(&inventory);
    let (text, files) = match &directory {
        None => (file_of(identity.account, &principals, &comments), BTreeMap::new()),
        Some(directory) => {
            let path_of = |file: &str| directory.path_of(file);
            file_with_documents(identity.account, &principals, &comments, &path_of)
        }
    };
    let policies = files.keys().collect();
    let read = read_documents(&session.account, &policies);
    let documents = time.within(on_wait, read).await?;
    let named = documents.iter().map(|(arn, it)| (files[arn].clone(), it.pretty()));
    let named: BTreeMap<String, String> = named.collect();
    let count = |has_boundary: bool| {
        let counted = principals.iter().filter(|(_, boundary)| boundary.is_some() == has_boundary);
        PrincipalCounts::of(counted.map(|(principal, _)| principal.kind))
    };
    let (with_boundary, without_boundary) = (count(true), count(false));
    if with_boundary.total() > 0 {
        // The file must give the same boundaries when it is read.
        let config = Config::parse("(not written)", &text)?;
        check_scope(&config, identity)?;
        if !lists(&config, principals.iter().filter(|(_, boundary)| boundary.is_some())) {
            return Err(Error::ImportMismatch);
        }
    }
    let write_file = || out.as_ref().map_or(Ok(()), |file| file.write(&text));
    match &directory {
        Some(directory) => directory.write(&named, options.force, write_file)?,
        None => write_file()?,
    }
    let (account, documents) = (identity.account, named.len());
    Ok(Imported { account, text, documents, with_boundary, without_boundary })
}

/// Checks that a file can ask for the present boundaries: each is a policy of the account or of AWS.
pub(super) fn check_settable(
    identity: &CallerIdentity,
    principals: &EveryPrincipal,
) -> Result<(), Error> {
    let is_settable = |arn: &PolicyArn| arn.is_settable_in(identity.account, identity.partition);
    let foreign: Vec<_> = principals
        .iter()
        .filter_map(|(principal, boundary)| Some((principal.clone(), boundary.clone()?)))
        .filter(|(_, boundary)| !is_settable(boundary))
        .collect();
    match foreign.is_empty() {
        true => Ok(()),
        false => Err(Error::ForeignBoundaries { account: identity.account, principals: foreign }),
    }
}

/// The comments of new entries: the path and the tags of each principal.
pub(super) fn comments(inventory: &Inventory) -> Comments {
    let comment = |principal: &Principal| {
        let attributes = inventory.attributes(principal)?;
        let tags = attributes.tags.iter().map(|tag| (&tag.key, &tag.value));
        let comment = EntryComment::of_attributes(attributes.path.as_ref(), tags)?;
        Some((principal.clone(), comment))
    };
    inventory.iter().filter_map(|(principal, _)| comment(principal)).collect()
}

/// Whether the file lists exactly these principals, with these boundaries.
pub(super) fn lists<'e>(
    config: &Config,
    expected: impl Iterator<Item = (&'e Principal, &'e Option<PolicyArn>)>,
) -> bool {
    let listed = config.entries().map(|(it, entry)| (it, entry.boundary.clone()));
    listed.eq(expected.map(|(it, boundary)| (it.clone(), boundary.clone().map(PolicyRef::Arn))))
}

/// Warns if IAM counts more principals than it returned.
pub(super) fn warn_of_fewer(inventory: &Inventory) {
    for (_, statement) in inventory.fewer_than_counted() {
        tracing::warn!("{statement}: some may be missing");
    }
}
