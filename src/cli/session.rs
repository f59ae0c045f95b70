use std::path::Path;

use super::args::{Args, Format, LimitArgs};
use super::check::in_review;
use super::exit::Failure;
use super::output::Output;
use crate::apply::{changed_users, check_journal_scope, rollback};
use crate::aws::{
    Access, Account, ApiError, Connection, ErrorClass, Inventory, PolicyState, Reading,
};
use crate::config::{Config, FileErrors};
use crate::iam::{AccountId, Partition, PrincipalName};
use crate::journal::RunRecord;
use crate::plan::{
    Overrides, Plan, Recheck, Supervision, Violation, check_plan_scope, check_scope,
};
use crate::sandbox::{self, Options, Sandbox, Seed};

/// Where `--sandbox` keeps its state: in the working folder, so that a new clone starts anew.
pub(super) const SANDBOX_FOLDER: &str = ".iam-boundaries";
/// The sandbox's accounts, in that folder.
pub(super) const SANDBOX_STATE: &str = ".iam-boundaries/sandbox.json";

/// The account that a command works on is known, and nothing of it is read yet.
pub(super) struct Opened {
    account: Account,
    source: Source,
    sandbox: Option<Sandbox>,
}

/// What a plan is made from.
enum Source {
    File { config: Config, base: Option<Config> },
    Saved(Plan),
    Journal { record: RunRecord, file: String },
}

/// The account that a command works on, and the plan for it.
pub(super) struct Session {
    pub(super) account: Account,
    pub(super) plan: Plan,
    /// Whether the plan was made before, from the account as it was then.
    is_saved: bool,
    /// Runs as long as the session, if it is wanted at all.
    _sandbox: Option<Sandbox>,
}

impl Opened {
    /// Reads the file, with `limits` in place of its own, and finds out who we are. Mistakes in the file
    /// are written as `format` has them.
    pub(super) async fn file(
        args: &Args,
        base: Option<&Path>,
        limits: Option<&LimitArgs>,
        format: Format,
        output: &Output,
    ) -> Result<Opened, Failure> {
        let read = |config: Result<Config, FileErrors>| match config {
            Ok(config) => Ok(config),
            Err(errors) => Err(in_review(errors, format, output)?),
        };
        let mut config = read(Config::read(args.file()))?;
        if let Some(LimitArgs { max_changes, max_removals }) = limits {
            config.guard.max_changes = max_changes.or(config.guard.max_changes);
            config.guard.max_removals = max_removals.or(config.guard.max_removals);
        }
        let base = match base {
            Some(path) if !path.exists() => return Err(no_base(path)),
            Some(path) => Some(read(Config::read_earlier(path))?),
            None => None,
        };
        let (account, sandbox) = identified(args, config.partition()).await?;
        check_scope(&config, account.identity())?;
        Ok(Opened { account, source: Source::File { config, base }, sandbox })
    }

    /// Finds out who we are, to carry out a plan that was saved.
    pub(super) async fn saved(args: &Args, plan: Plan) -> Result<Opened, Failure> {
        let (account, sandbox) = identified(args, plan.partition()).await?;
        check_plan_scope(&plan, account.identity())?;
        Ok(Opened { account, source: Source::Saved(plan), sandbox })
    }

    /// Finds out who we are, to put back the run of a journal, which is the file of that name.
    pub(super) async fn journal(
        args: &Args,
        record: RunRecord,
        file: String,
    ) -> Result<Opened, Failure> {
        let (account, sandbox) = identified(args, Some(record.header.partition)).await?;
        check_journal_scope(&record.header, &file, account.identity())?;
        Ok(Opened { account, source: Source::Journal { record, file }, sandbox })
    }

    /// The account that the credentials belong to.
    pub(super) fn account(&self) -> AccountId {
        self.account.identity().account
    }

    /// Reads the account and plans. A plan that was saved is there already, and needs no reading.
    pub(super) async fn plan(self) -> Result<Session, Failure> {
        let Opened { account, source, sandbox } = self;
        let (mut plan, base) = match source {
            Source::Saved(plan) => {
                return Ok(Session { account, plan, is_saved: true, _sandbox: sandbox });
            }
            Source::File { config, base } => {
                let snapshot = snapshot(&account, config.users.keys()).await?;
                let plan = Plan::between(account.identity().account, &config, &snapshot);
                (plan, base.map(|base| (base, config)))
            }
            Source::Journal { record, file } => {
                let snapshot = snapshot(&account, changed_users(&record)).await?;
                (rollback(&record, &file, &snapshot), None)
            }
        };
        let read = plan.listed();
        plan = held_against_policies(plan, &account).await?;
        if let Some((base, config)) = &base {
            plan = plan.since(base, config);
        }
        plan.account_users = account_users(&plan, &account, &Overrides::default()).await?;
        let session = Session { account, plan, is_saved: false, _sandbox: sandbox };
        session.log_reading(read);
        Ok(session)
    }
}

impl Session {
    /// Holds the plan against the account as it is now. The users of a plan that was saved are read
    /// again, and those of a plan that a person looked at.
    pub(super) async fn recheck(&self, was_asked: bool) -> Result<Recheck, Failure> {
        let plan = self.plan.clone();
        if plan.changes.is_empty() || !(self.is_saved || was_asked) {
            return Ok(Recheck::unneeded(plan));
        }
        let snapshot =
            self.account.snapshot(plan.changes.iter().map(|change| &change.user)).await?;
        let mut recheck = Recheck::of(plan, &snapshot);
        recheck.plan = held_against_policies(recheck.plan, &self.account).await?;
        self.log_reading(self.plan.changes.len());
        Ok(recheck)
    }

    /// The guard rails that stand against the plan.
    pub(super) async fn violations(
        &self,
        attendance: Supervision,
        overrides: &Overrides,
    ) -> Result<Vec<Violation>, Failure> {
        let account_users = account_users(&self.plan, &self.account, overrides).await?;
        let plan = Plan { account_users, ..self.plan.clone() };
        Ok(plan.violations(self.account.identity().user().as_ref(), attendance, overrides))
    }

    fn log_reading(&self, users: usize) {
        let calls = self.account.calls();
        tracing::info!(
            calls = calls.made,
            throttled = calls.throttled,
            "read {users} users of account {}",
            self.account.identity().account
        );
    }
}

async fn identified(
    args: &Args,
    partition: Option<Partition>,
) -> Result<(Account, Option<Sandbox>), Failure> {
    let (access, sandbox) = access(args, partition).await?;
    Ok((Connection::open(&access).await.identify().await?, sandbox))
}

async fn snapshot<'a>(
    account: &Account,
    users: impl Iterator<Item = &'a PrincipalName> + Clone,
) -> Result<Inventory, ApiError> {
    let snapshot = account.snapshot(users.clone()).await?;
    // A plan holds no ids of requests, and a support case needs them.
    for user in users {
        if let Some(Reading::Unreadable(error)) = snapshot.reading(user) {
            tracing::info!("{user}: {error}");
        }
    }
    Ok(snapshot)
}

/// Looks at the policies that the plan would put, and makes problems of the changes that cannot be.
async fn held_against_policies(plan: Plan, account: &Account) -> Result<Plan, ApiError> {
    let policies = account.policies(plan.policies()).await?;
    let denied = policies.values().find_map(|state| match state {
        PolicyState::Unreadable(error) if error.class == ErrorClass::Denied => Some(error),
        _ => None,
    });
    if let Some(error) = denied {
        tracing::warn!("{error}; IAM itself will refuse a policy that is not there");
    }
    Ok(plan.held_against(&policies))
}

/// How many users the account has, where a guard rail depends on it; none where it is not known.
async fn account_users(
    plan: &Plan,
    account: &Account,
    overrides: &Overrides,
) -> Result<Option<usize>, ApiError> {
    if !plan.wants_account_users(overrides) {
        return Ok(plan.account_users);
    }
    match account.user_count().await {
        Ok(count) => Ok(Some(count)),
        Err(error) if error.class == ErrorClass::Credentials => Err(error),
        Err(error) => {
            // The guard rails then go by the users that were found, who are fewer.
            tracing::warn!("{error}; the limits go by the listed users alone");
            Ok(None)
        }
    }
}

fn no_base(path: &Path) -> Failure {
    Failure::new(format!("cannot read {}: there is no such file", path.display())).advise(
        "get it with: git show origin/main:boundaries.toml > base.toml; where the file is new on this \
         branch, give an empty one",
    )
}

pub(super) async fn access(
    args: &Args,
    partition: Option<Partition>,
) -> Result<(Access, Option<Sandbox>), Failure> {
    if !args.sandbox {
        let access = Access::Chain {
            profile: args.profile.clone(),
            region: args.region.clone(),
            endpoint_url: args.endpoint_url.clone(),
            partition,
        };
        return Ok((access, None));
    }
    let state = Some(Path::new(SANDBOX_STATE).to_owned());
    let sandbox =
        Sandbox::start(Options { seed: Seed::Story, state, ..Options::default() }).await?;
    let access = Access::Sandbox {
        endpoint_url: sandbox.endpoint_url(),
        access_key_id: sandbox::ACCESS_KEY_ID,
        secret_access_key: sandbox::SECRET_ACCESS_KEY,
    };
    Ok((access, Some(sandbox)))
}
