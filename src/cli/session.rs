use std::path::Path;

use super::args::Args;
use super::exit::Failure;
use crate::desired::Desired;
use crate::live::{Access, Account, Connection};
use crate::plan::{Plan, check_scope};
use crate::sandbox::{self, Options, Sandbox, Seed};
use crate::values::Partition;

/// Where `--sandbox` keeps its state: in the working folder, so that a new clone starts anew.
pub(super) const SANDBOX_STATE: &str = ".iam-boundaries/sandbox.json";

/// The file and the account that a command works on, and the plan between them.
pub(super) struct Session {
    pub(super) account: Account,
    pub(super) plan: Plan,
    /// Runs as long as the session, if it is wanted at all.
    _sandbox: Option<Sandbox>,
}

impl Session {
    /// Reads the file, finds out who we are, reads the account, and plans.
    pub(super) async fn open(args: &Args) -> Result<Session, Failure> {
        let desired = Desired::read(&args.file)?;
        let (access, sandbox) = access(args, desired.partition()).await?;
        let account = Connection::open(&access).await.identify().await?;
        check_scope(&desired, account.identity())?;
        let snapshot = account.snapshot(desired.users.keys()).await?;
        let calls = account.calls();
        tracing::info!(
            calls = calls.made,
            throttled = calls.throttled,
            "read {} users of account {}",
            desired.users.len(),
            account.identity().account
        );
        let plan = Plan::between(account.identity().account, &desired, &snapshot);
        Ok(Session { account, plan, _sandbox: sandbox })
    }
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
