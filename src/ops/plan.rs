use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::error::Error;
use super::input::Input;
use super::saved_plan::write_plan;
use super::selection::Selection;
use super::session::{ImpactScope, Session};
use super::time_limit::{OnWait, TimeLimit};
use crate::aws::Access;
use crate::iam::{AccountId, Threshold};
use crate::plan::Plan;
use crate::state::StateRoot;

/// Options of [`plan`].
#[derive(Debug, Clone)]
pub struct PlanOptions {
    /// How the plan is made.
    pub making: Making,
    /// The boundaries files, and what to plan.
    pub selection: Selection,
    /// Replaces the file's threshold for changes.
    pub max_changes: Option<Threshold>,
    /// Replaces the file's threshold for removals.
    pub max_removals: Option<Threshold>,
    /// Whether to look up in CloudTrail who made the changes that the plan would undo, and the state directory with the
    /// journals by which runs of this tool are recognized.
    pub blame: Option<StateRoot>,
}

/// How a plan is made, whatever it is made from.
#[derive(Debug, Clone)]
pub struct Making {
    /// The credentials and the endpoint.
    pub access: Access,
    /// The only account that the credentials may belong to; `None` for any.
    pub account: Option<AccountId>,
    /// Where to save the plan.
    pub out: Option<PathBuf>,
    /// The time limit for reading the account.
    pub timeout: Option<Duration>,
    /// What to say about what the changes give and take.
    pub impact: ImpactScope,
    /// Whether the plan records the documents of the policies that it sets. A plan that is saved always does.
    pub record_documents: bool,
}

/// Compares boundaries files with the account. Changes nothing. `on_wait` receives long waits.
///
/// # Errors
/// If the file has errors, the account cannot be read, or the plan cannot be saved.
pub async fn plan(options: &PlanOptions, on_wait: OnWait<'_>) -> Result<Plan, Error> {
    let mut input = Input::files(&options.selection)?;
    if let Input::Files { config, .. } = &mut input {
        let guard = &mut Arc::make_mut(config).guard;
        guard.max_changes = options.max_changes.or(guard.max_changes);
        guard.max_removals = options.max_removals.or(guard.max_removals);
    }
    options.making.plan(input, options.blame.as_ref(), on_wait).await
}

impl Making {
    /// Makes a plan, and saves it if `out` is a path. With `blame`, also looks up who made the changes.
    pub(super) async fn plan(
        &self,
        input: Input,
        blame: Option<&StateRoot>,
        on_wait: OnWait<'_>,
    ) -> Result<Plan, Error> {
        let Making { access, account, timeout, out, impact, record_documents } = self;
        let mut time = TimeLimit::new(*timeout);
        let waits = time.waits();
        let made = async {
            let session = Session::open(access, *account, &input, waits).await?;
            let session = session.recording(*record_documents || out.is_some());
            let session = session.with_impact(*impact);
            let plan = session.plan(input).await?;
            Ok((session, plan))
        };
        let (session, mut plan) = time.within(on_wait, made).await?;
        if let Some(state) = blame {
            session.add_blame(&mut plan, state, &mut time, on_wait).await?;
        }
        if let Some(path) = out {
            write_plan(&plan, path)?;
        }
        Ok(plan)
    }
}
