use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use super::error::Error;
use super::import::{check_settable, comments, warn_of_fewer};
use super::input::{expected_partition, role};
use super::out_file::OutFile;
use super::session::Session;
use super::time_limit::{OnWait, TimeLimit};
use crate::aws::Access;
use crate::config::{Comparison, Config, EditableFile, Live};
use crate::files::is_standard_input;
use crate::iam::{AccountId, PolicyArn, Principal, PrincipalKind, Timestamp};
use crate::inventory::{CallerIdentity, EveryPrincipal, Inventory};
use crate::plan::{Decision, Decisions, check_scope};

/// Options of [`compare`].
#[derive(Debug, Clone)]
pub struct CompareOptions {
    /// The credentials and the endpoint.
    pub access: Access,
    /// The only account that the credentials may belong to; `None` for any.
    pub account: Option<AccountId>,
    /// The boundaries files, each layered over those before it: at least one.
    pub files: Vec<PathBuf>,
    /// The kinds of principals to compare, at least one.
    pub kinds: BTreeSet<PrincipalKind>,
    /// The maximum time to read the account; `None` for no limit.
    pub timeout: Option<Duration>,
}

/// Options of [`update`].
#[derive(Debug, Clone)]
pub struct UpdateOptions {
    /// The credentials and the endpoint.
    pub access: Access,
    /// The only account that the credentials may belong to; `None` for any.
    pub account: Option<AccountId>,
    /// The boundaries file.
    pub file: PathBuf,
    /// The kinds of principals to compare, at least one.
    pub kinds: BTreeSet<PrincipalKind>,
    /// The maximum time to read the account; `None` for no limit.
    pub timeout: Option<Duration>,
}

/// Boundaries files compared with every principal of an account.
#[derive(Debug, Clone)]
pub struct Compared {
    /// The account.
    pub account: AccountId,
    /// The content of the files before an update.
    pub config: Config,
    /// The short names of the policies in the account.
    pub names: BTreeMap<PolicyArn, String>,
    /// How the account differs from the files.
    pub comparison: Comparison,
}

/// Compares boundaries files with every principal of the account. Writes nothing. `on_wait` receives long waits.
///
/// # Errors
/// If a file has errors or is for another account, or not every principal can be read in time.
pub async fn compare(options: &CompareOptions, on_wait: OnWait<'_>) -> Result<Compared, Error> {
    let config = Config::read(&options.files)?;
    let CompareOptions { access, account, kinds, timeout, .. } = options;
    let account = LiveAccount::read(access, *account, &config, kinds, *timeout, on_wait).await?;
    let comparison = account.compare(&config);
    Ok(account.compared(config, comparison))
}

/// Changes a boundaries file to the boundaries of the account: entries that differ are changed, and entries for those
/// who have another boundary than the file says without an entry are added. Everything else in the file stays as it is.
/// A file that does not differ is not written. `on_wait` receives long waits.
///
/// # Errors
/// Returns the same errors as [`compare`]. An error also occurs if the file cannot be written, or was changed
/// while the account was read. The file is then unchanged.
pub async fn update(options: &UpdateOptions, on_wait: OnWait<'_>) -> Result<Compared, Error> {
    if is_standard_input(&options.file) {
        return Err(Error::UpdateOfStandardInput);
    }
    let out = OutFile::at(&options.file, true)?;
    let file = EditableFile::read(&options.file)?;
    let UpdateOptions { access, account, kinds, timeout, .. } = options;
    let account =
        LiveAccount::read(access, *account, &file.config, kinds, *timeout, on_wait).await?;
    check_settable(&account.identity, &account.present)?;
    let comparison = account.compare(&file.config);
    if comparison.is_update_needed() {
        let comments = comments(&account.inventory);
        let text = file.updated(&comparison, &account.live(), &comments);
        let text = text.ok_or(Error::ImportMismatch)?;
        account.check_update(&file.config, &text, &comparison)?;
        if EditableFile::read(&options.file)?.config.files != file.config.files {
            return Err(Error::ChangedMeanwhile(options.file.clone()));
        }
        out.write(&text)?;
    }
    Ok(account.compared(file.config, comparison))
}

/// Every principal of an account.
struct LiveAccount<'o> {
    identity: CallerIdentity,
    kinds: &'o BTreeSet<PrincipalKind>,
    inventory: Inventory,
    present: EveryPrincipal,
    now: Timestamp,
}

impl<'o> LiveAccount<'o> {
    /// Reads the account that the files are for.
    async fn read(
        access: &Access,
        expected: Option<AccountId>,
        config: &Config,
        kinds: &'o BTreeSet<PrincipalKind>,
        timeout: Option<Duration>,
        on_wait: OnWait<'_>,
    ) -> Result<Self, Error> {
        let mut time = TimeLimit::new(timeout);
        let waits = time.waits();
        let partition = expected_partition(config);
        let read = async {
            let session =
                Session::identify(access, expected, partition, role(config), waits).await?;
            check_scope(config, session.account.identity())?;
            let inventory = session.account.whole_inventory(kinds, []).await?;
            let now = session.time_for(config)?;
            Ok((session.account.identity().clone(), inventory, now))
        };
        let (identity, inventory, now) = time.within(on_wait, read).await?;
        warn_of_fewer(&inventory);
        let present = inventory.every_principal()?;
        Ok(LiveAccount { identity, kinds, inventory, present, now })
    }

    fn live(&self) -> Live<'_> {
        Live {
            account: self.identity.account,
            partition: self.identity.partition,
            now: self.now,
            kinds: self.kinds,
            present: &self.present,
        }
    }

    fn compare(&self, config: &Config) -> Comparison {
        let mut decisions = Decisions::new(config);
        Comparison::of(config, &self.live(), |principal| {
            match decisions.of(principal, self.inventory.attributes(principal)) {
                Decision::Rule(rule) => Some(&rule.boundary),
                Decision::Entry(_)
                | Decision::OtherCase(_)
                | Decision::Unlisted
                | Decision::Unknown(_) => None,
            }
        })
    }

    fn compared(&self, config: Config, comparison: Comparison) -> Compared {
        let CallerIdentity { account, partition, .. } = self.identity;
        let names = config.names.by_arn(account, partition);
        let names = names.into_iter().map(|(arn, name)| (arn, name.to_owned())).collect();
        Compared { account, config, names, comparison }
    }

    /// Checks an updated text before it is written: it is a valid file that matches the account, and that differs from
    /// the earlier one only in the entries of `before`.
    fn check_update(&self, earlier: &Config, text: &str, before: &Comparison) -> Result<(), Error> {
        let config = Config::parse(&earlier.path(), text)?;
        let after = self.compare(&config);
        let is_complete = !after.is_update_needed()
            && after.different.len() == before.different.iter().filter(|it| it.is_expired).count()
            && after.missing.len() == before.missing.len();
        let changed = before.different.iter().filter(|it| !it.is_expired);
        let changed: BTreeSet<&Principal> = changed.map(|it| &it.principal).collect();
        let others_are_kept = earlier.entries().all(|(principal, entry)| {
            config.entry(&principal).is_some_and(|now| {
                let is_kept = now.boundary == entry.boundary || changed.contains(&principal);
                is_kept && now.expiration == entry.expiration && now.reason == entry.reason
            })
        });
        let count = earlier.listed().total() + before.unlisted.len();
        let account_of = |config: &Config| config.account.as_ref().map(|account| account.value);
        let is_rest_kept = account_of(&config) == account_of(earlier)
            && config.guard == earlier.guard
            && config.names.iter().eq(earlier.names.iter())
            && config.rules.len() == earlier.rules.len();
        match is_complete && others_are_kept && is_rest_kept && config.listed().total() == count {
            true => Ok(()),
            false => Err(Error::ImportMismatch),
        }
    }
}
