use std::collections::BTreeSet;
use std::path::PathBuf;

use super::error::Error;
use super::import::{check_settable, comments};
use super::out_file::OutFile;
use super::session::{Input, Session};
use super::time_limit::{OnWait, TimeLimit};
use crate::aws::Access;
use crate::config::{Comparison, Config, EditableFile};
use crate::files::is_standard_input;
use crate::iam::{AccountId, Principal, PrincipalKind};
use crate::inventory::{EveryPrincipal, Inventory};

/// Options of [`compare`] and [`update`].
#[derive(Debug, Clone)]
pub struct CompareOptions {
    /// The credentials and the endpoint.
    pub access: Access,
    /// The only account that the credentials may belong to; `None` for any.
    pub account: Option<AccountId>,
    /// The boundaries file.
    pub file: PathBuf,
    /// The kinds of principals to compare, at least one.
    pub kinds: BTreeSet<PrincipalKind>,
}

/// A boundaries file compared with every principal of an account.
#[derive(Debug, Clone)]
pub struct Compared {
    /// The account.
    pub account: AccountId,
    /// The content of the file before an update.
    pub config: Config,
    /// How the account differs from it.
    pub comparison: Comparison,
}

/// Compares a boundaries file with every principal of the account. Writes nothing. `on_wait` receives long waits.
///
/// # Errors
/// If the file has errors or is for another account, or not every principal can be read.
pub async fn compare(options: &CompareOptions, on_wait: OnWait<'_>) -> Result<Compared, Error> {
    let file = EditableFile::read(&options.file)?;
    let (session, _, _, comparison) = read(options, &file, on_wait).await?;
    let account = session.account.identity().account;
    Ok(Compared { account, config: file.config, comparison })
}

/// Changes a boundaries file to the boundaries of the account: entries that differ are changed, and entries for those
/// who have a boundary and are not listed are added. Everything else in the file stays as it is. A file that does not
/// differ is not written. `on_wait` receives long waits.
///
/// # Errors
/// Returns the same errors as [`compare`]. An error also occurs if the file cannot be written, or was changed
/// while the account was read. The file is then unchanged.
pub async fn update(options: &CompareOptions, on_wait: OnWait<'_>) -> Result<Compared, Error> {
    if is_standard_input(&options.file) {
        return Err(Error::UpdateOfStandardInput);
    }
    let out = OutFile::at(&options.file, true)?;
    let file = EditableFile::read(&options.file)?;
    let (session, inventory, principals, comparison) = read(options, &file, on_wait).await?;
    let identity = session.account.identity();
    check_settable(identity, &principals)?;
    if !comparison.different.is_empty() || !comparison.unlisted.is_empty() {
        let text = file.updated(&comparison, &comments(&inventory)).ok_or(Error::ImportMismatch)?;
        check_update(&file.config, &text, &comparison, options, &principals)?;
        if EditableFile::read(&options.file)?.config.digest != file.config.digest {
            return Err(Error::ChangedMeanwhile(options.file.clone()));
        }
        out.write(&text)?;
    }
    Ok(Compared { account: identity.account, config: file.config, comparison })
}

/// Reads every principal of the account that the file is for.
async fn read(
    options: &CompareOptions,
    file: &EditableFile,
    on_wait: OnWait<'_>,
) -> Result<(Session, Inventory, EveryPrincipal, Comparison), Error> {
    let mut time = TimeLimit::new(None);
    let waits = time.waits();
    let read = async {
        let input = Input::File { config: Box::new(file.config.clone()), base: None };
        let session = Session::open(&options.access, options.account, &input, waits).await?;
        let inventory = session.account.whole_inventory(&options.kinds, []).await?;
        Ok((session, inventory))
    };
    let (session, inventory) = time.within(on_wait, read).await?;
    let principals = inventory.every_principal()?;
    let comparison = Comparison::of(&file.config, &principals, &options.kinds);
    Ok((session, inventory, principals, comparison))
}

/// Checks an updated text before it is written: it is a valid file that matches the account, and that differs from the
/// earlier one only in the entries of `before`.
fn check_update(
    earlier: &Config,
    text: &str,
    before: &Comparison,
    options: &CompareOptions,
    principals: &EveryPrincipal,
) -> Result<(), Error> {
    let config = Config::parse(&earlier.file, text)?;
    let after = Comparison::of(&config, principals, &options.kinds);
    let is_complete = after.different.is_empty()
        && after.unlisted.is_empty()
        && after.missing.len() == before.missing.len();
    let changed: BTreeSet<&Principal> = before.different.iter().map(|it| &it.principal).collect();
    let others_are_kept = earlier.entries().all(|(principal, entry)| {
        let now = config.entry(&principal);
        now.is_some_and(|now| now.boundary == entry.boundary) || changed.contains(&principal)
    });
    let count = earlier.listed().total() + before.unlisted.len();
    let is_rest_kept = config.account.as_ref().map(|it| it.value)
        == earlier.account.as_ref().map(|it| it.value)
        && config.guard == earlier.guard
        && config.names.iter().eq(earlier.names.iter());
    match is_complete && others_are_kept && is_rest_kept && config.listed().total() == count {
        true => Ok(()),
        false => Err(Error::ImportMismatch),
    }
}
