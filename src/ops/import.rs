use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use super::error::Error;
use super::out_file::OutFile;
use super::session::Session;
use super::time_limit::{OnWait, TimeLimit};
use crate::aws::Access;
use crate::config::{Comments, Config, EntryComment, file_of};
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
    /// Whether an existing file is replaced.
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
    /// The numbers of principals with a boundary.
    pub with_boundary: PrincipalCounts,
    /// The numbers of principals without a boundary, which are comments in the file.
    pub without_boundary: PrincipalCounts,
}

/// Makes a boundaries file with the present boundaries of an account, and writes it if `out` is a path. `on_wait`
/// receives long waits.
///
/// # Errors
/// If not every principal can be read in time, or the file cannot be written. Then no file is written.
pub async fn import(options: &ImportOptions, on_wait: OnWait<'_>) -> Result<Imported, Error> {
    // Before the account is read, which can take minutes.
    let out = options.out.as_deref().map(|file| OutFile::at(file, options.force)).transpose()?;
    let mut time = TimeLimit::new(options.timeout);
    let waits = time.waits();
    let read = async {
        let session = Session::identify(&options.access, options.account, None, waits).await?;
        let inventory = session.account.whole_inventory(&options.kinds, []).await?;
        Ok((session, inventory))
    };
    let (session, inventory) = time.within(on_wait, read).await?;
    let principals = inventory.every_principal()?;
    let identity = session.account.identity();
    if principals.is_empty() {
        let kinds: Vec<&str> = options.kinds.iter().map(|kind| kind.plural()).collect();
        let (account, what) = (identity.account, kinds.join(" or "));
        return Err(Error::EmptyAccount { account, what });
    }
    check_settable(identity, &principals)?;
    let text = file_of(identity.account, &principals, &comments(&inventory));
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
    if let Some(file) = &out {
        file.write(&text)?;
    }
    Ok(Imported { account: identity.account, text, with_boundary, without_boundary })
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
