//! The work in one account of a fleet.

use std::sync::Arc;
use std::time::Duration;

use tracing::{Instrument, Span};

use super::super::error::Error;
use super::super::input::Input;
use super::super::selection::Selection;
use super::super::session::{ImpactScope, Session};
use super::super::time_limit::TimeLimit;
use super::access::FleetAccess;
use super::side_by_side::FleetEvents;
use crate::apply::FleetEvent;
use crate::aws::{Access, ConnectError};
use crate::config::{AccountCredentials, Config};
use crate::iam::{AccountId, Printable};
use crate::inventory::{ErrorClass, EveryPrincipalError, Wait};
use crate::journal::RunRecord;
use crate::plan::{
    AccountProblem, AccountProblemCode, FleetAccountRef, Overrides, Plan, ScopeError, Supervision,
    Violation,
};
use crate::state::{StateError, StateRoot};

/// What the plan of an account is made from.
#[derive(Clone)]
pub(super) enum Source {
    /// The content of boundaries files, and of their earlier versions.
    Files { config: Arc<Config>, base: Option<Arc<Config>> },
    /// The journal of a run to roll back, and its path.
    Journal { record: Box<RunRecord>, path: Printable },
}

/// An account to plan.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) account: FleetAccountRef,
    pub(super) source: Source,
}

/// How the plan of each account is made.
#[derive(Debug, Clone)]
pub(super) struct AccountMaking {
    pub(super) selection: Selection,
    pub(super) impact: ImpactScope,
    pub(super) record_documents: bool,
    /// Whether to look up who made the changes, and the state directory with the journals of earlier runs.
    pub(super) blame: Option<StateRoot>,
    /// The guard rails are checked with these.
    pub(super) check: Option<(Supervision, Overrides)>,
}

/// A plan, and the guard rails that it violates, as far as they were checked.
pub(super) struct Made {
    pub(super) plan: Plan,
    pub(super) violations: Vec<Violation>,
}

impl Target {
    /// Makes the plan of the account. `time_left` is the time limit; `None` for none.
    pub(super) async fn plan(
        self,
        of_fleet: &FleetAccess,
        making: Arc<AccountMaking>,
        time_left: Option<Duration>,
        events: FleetEvents,
    ) -> Result<Made, AccountProblem> {
        let account = self.account;
        let id = account.id;
        events(FleetEvent::Begun(account.clone()));
        let made = async {
            let access = of_fleet.of(id, &account.credentials)?;
            let mut time = TimeLimit::new(time_left);
            let input = match self.source {
                Source::Files { config, base } => {
                    Input::Files { config, base, selection: making.selection.clone() }
                }
                Source::Journal { record, path } => Input::Journal { record, path },
            };
            let waits = time.waits();
            let made = make(&access, id, input, &making, waits);
            let on_wait = &mut |wait: Option<&Wait>| waiting(&events, id, wait);
            let (session, mut made) = time.within(on_wait, made).await?;
            if let Some(state) = &making.blame {
                session.add_blame(&mut made.plan, state, &mut time, on_wait).await?;
            }
            Ok(made)
        };
        let made = made.instrument(span_of(&account)).await;
        let made = made.map_err(|error| problem(&error, &account, of_fleet));
        events(FleetEvent::Planned(id, made.as_ref().map(|_| ()).map_err(Clone::clone)));
        made
    }
}

async fn make(
    access: &Access,
    account: AccountId,
    input: Input,
    making: &AccountMaking,
    waits: crate::aws::Waits,
) -> Result<(Session, Made), Error> {
    let session = Session::open(access, Some(account), &input, waits).await?;
    let session = session.recording(making.record_documents).with_impact(making.impact);
    let plan = session.plan(input).await?;
    let violations = match &making.check {
        Some((supervision, overrides)) => {
            session.violations(&plan, *supervision, overrides).await?
        }
        None => Vec::new(),
    };
    Ok((session, Made { plan, violations }))
}

/// The span of the work in an account. Each message of the log from within it names the account.
pub(super) fn span_of(account: &FleetAccountRef) -> Span {
    tracing::error_span!("account", message = %account.label())
}

/// Tells what the work in an account waits for.
pub(super) fn waiting(events: &FleetEvents, account: AccountId, wait: Option<&Wait>) {
    events(FleetEvent::Waiting(account, wait.cloned()));
}

/// The problem of an account in which a use case ended with `error`.
pub(super) fn problem(
    error: &Error,
    account: &FleetAccountRef,
    access: &FleetAccess,
) -> AccountProblem {
    let problem = problem_of(error, &account.credentials);
    match (problem.call(), access.inactive(account.id)) {
        (Some(call), Some(state))
            if matches!(call.class, ErrorClass::Credentials | ErrorClass::Denied) =>
        {
            let message = format!("AWS Organizations reports that the account {state}: {call}");
            AccountProblem::other(AccountProblemCode::AccountNotActive, &message)
        }
        _ => problem,
    }
}

fn problem_of(error: &Error, credentials: &AccountCredentials) -> AccountProblem {
    match error {
        Error::Call(error)
        | Error::Connect(ConnectError::Call(error))
        | Error::EveryPrincipal(EveryPrincipalError::Call(error)) => {
            AccountProblem::Call(error.clone())
        }
        Error::Connect(ConnectError::Source { error, .. }) => {
            AccountProblem::Call((**error).clone())
        }
        // No option names the account or its profile.
        Error::Scope(ScopeError::Expected { expected, actual, arn }) => {
            let (expected, actual, arn) = (*expected, *actual, arn.clone());
            let error = ScopeError::OfFleet { expected, actual, arn };
            AccountProblem::other(AccountProblemCode::OtherAccount, &error.to_string())
        }
        Error::Connect(connect) if matches!(credentials, AccountCredentials::Profile(_)) => {
            let message = connect.clone().of_profile_of_account().to_string();
            AccountProblem::other(code(error), &message)
        }
        other => AccountProblem::other(code(other), &other.to_string()),
    }
}

fn code(error: &Error) -> AccountProblemCode {
    match error {
        Error::TimeLimit(_) => AccountProblemCode::TimeLimit,
        Error::Scope(_) | Error::Connect(ConnectError::OtherAccount { .. }) => {
            AccountProblemCode::OtherAccount
        }
        Error::Connect(_) | Error::NoProfileInSandbox(_) => AccountProblemCode::CredentialsUnusable,
        Error::State(StateError::Locked { .. }) => AccountProblemCode::AccountLocked,
        Error::State(_) | Error::Journal(_) | Error::JournalPath { .. } => {
            AccountProblemCode::StateUnusable
        }
        _ => AccountProblemCode::AccountNotPlanned,
    }
}
