//! Runs as JSON for machines. Its fields are documented, and their names do not change.

use std::io::{self, Write};

use serde::Serialize;

use super::RunReporter;
use super::view::{
    advice, advice_on_failed, advice_on_stop, change_view, override_help, problem_help,
    problem_statement, statements,
};
use crate::apply::{Event, Item, StopError, Summary, Verification};
use crate::config::ProvenanceKind;
use crate::iam::{
    AccountId, AccountName, DateOrTime, Digest, PolicyArn, PrincipalKind, UniqueId,
    UnmodifiableRole,
};
use crate::inventory::{ApiError, CallOutcome, Reading, StopReason};
use crate::journal::Outcome;
use crate::plan::{
    Change, Origin, Plan, Preflight, Problem, ProblemKind, Refused, Severity, Verdict,
};

/// A run as JSON Lines: an object for each change when its outcome is final, and `summary` at the end.
pub(super) struct JsonRun<'a, W> {
    preflight: &'a Preflight,
    account: LineAccount<'a>,
    to: W,
}

impl<'a, W: Write> JsonRun<'a, W> {
    pub(super) fn new(preflight: &'a Preflight, to: W) -> Self {
        JsonRun { preflight, account: LineAccount::of(preflight, None), to }
    }

    /// The run in an account of a fleet with this name.
    pub(super) fn in_fleet(preflight: &'a Preflight, name: &'a AccountName, to: W) -> Self {
        JsonRun { preflight, account: LineAccount::of(preflight, Some(name)), to }
    }
}

impl<W: Write> RunReporter for JsonRun<'_, W> {
    fn on(&mut self, event: &Event) -> io::Result<()> {
        let JsonRun { preflight, account, to } = self;
        match event {
            Event::Started { .. } => {
                write_problems(to, *account, preflight)?;
                write_unsent(to, *account, preflight)
            }
            Event::Retrying { .. }
            | Event::Answered { .. }
            | Event::Waiting(_)
            | Event::Verifying { .. } => Ok(()),
            Event::Ended(item) => account.write(to, Line::item(&preflight.plan, item)),
            Event::StoppedBy(error) => {
                account.write(to, Line::Stopped { error: AnyErrorJson::of_stop(error) })
            }
            Event::Finished(summary) => {
                let stopped_by = summary.stopped.map(StoppedBy::Reason);
                account.write(to, Line::summary(preflight, summary, stopped_by))
            }
        }
    }
}

/// A refused plan as JSON Lines like those of a run.
pub(super) fn refused(preflight: &Preflight, why: &Refused) -> String {
    let mut lines = Vec::new();
    // Writing to memory cannot fail.
    let _ = write_refused(&mut lines, LineAccount::of(preflight, None), preflight, why);
    String::from_utf8(lines).expect("JSON is UTF-8")
}

/// A refused plan of an account of a fleet with this name.
pub(super) fn refused_in_fleet(
    to: &mut impl Write,
    preflight: &Preflight,
    name: &AccountName,
    why: &Refused,
) -> io::Result<()> {
    write_refused(to, LineAccount::of(preflight, Some(name)), preflight, why)
}

fn write_refused(
    to: &mut impl Write,
    account: LineAccount<'_>,
    preflight: &Preflight,
    why: &Refused,
) -> io::Result<()> {
    let plan = &preflight.plan;
    if let Refused::GuardRails(violations) = why {
        let advice = override_help(plan, violations);
        account.write(to, Line::Refused { why: statements(violations), advice })?;
    }
    write_problems(to, account, preflight)?;
    write_unsent(to, account, preflight)?;
    for change in preflight.ready() {
        account.write(to, Line::unsent(plan, change, Outcome::NotAttempted.word(), None, None))?;
    }
    let summary = Summary { not_attempted: preflight.ready().count(), ..Summary::default() };
    account.write(to, Line::summary(preflight, &summary, Some(StoppedBy::Word("refused"))))
}

fn write_problems(
    to: &mut impl Write,
    account: LineAccount<'_>,
    preflight: &Preflight,
) -> io::Result<()> {
    for problem in &preflight.plan.problems {
        account.write(to, Line::Problem(ProblemJson::of(problem)))?;
    }
    Ok(())
}

/// Writes the changes that are not ready: no request is sent for them.
fn write_unsent(
    to: &mut impl Write,
    account: LineAccount<'_>,
    preflight: &Preflight,
) -> io::Result<()> {
    let plan = &preflight.plan;
    for (change, verdict) in preflight.changes() {
        let line = match verdict {
            Verdict::Ready => continue,
            Verdict::AlreadyDone => Line::unsent(plan, change, "already_done", None, None),
            Verdict::Conflict(found) => {
                let found = FoundJson::of(change.principal.kind, found);
                Line::unsent(plan, change, "conflict", Some(found), None)
            }
            Verdict::Blocked(why) => Line::blocked(plan, change, why),
        };
        account.write(to, line)?;
    }
    Ok(())
}

/// The account of a line, and its name in a fleet.
#[derive(Clone, Copy, Serialize)]
struct LineAccount<'a> {
    account: AccountId,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_name: Option<&'a AccountName>,
}

/// A line with its account.
#[derive(Serialize)]
struct AccountLine<'a> {
    #[serde(flatten)]
    line: Line<'a>,
    #[serde(flatten)]
    account: LineAccount<'a>,
}

impl<'a> LineAccount<'a> {
    fn of(preflight: &Preflight, account_name: Option<&'a AccountName>) -> Self {
        LineAccount { account: preflight.plan.account, account_name }
    }

    fn write(self, to: &mut impl Write, line: Line<'_>) -> io::Result<()> {
        write_line(to, &AccountLine { line, account: self })
    }
}

/// Writes an object as a line.
pub(super) fn write_line(to: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_string(line)?;
    line.push('\n');
    to.write_all(line.as_bytes())?;
    to.flush()
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    /// The plan violates guard rails: nothing is changed.
    Refused {
        why: Vec<String>,
        advice: String,
    },
    Problem(ProblemJson<'a>),
    Item {
        #[serde(flatten)]
        change: ChangeJson<'a>,
        outcome: &'static str,
        attempts: u32,
        request_id: Option<&'a str>,
        error: Option<AnyErrorJson<'a>>,
        /// What preflight found instead of `from`, or verification instead of `to`.
        found: Option<FoundJson<'a>>,
        read_back: Option<&'static str>,
        /// Why verification could not read the principal.
        read_error: Option<ErrorJson<'a>>,
    },
    Stopped {
        error: AnyErrorJson<'a>,
    },
    Summary {
        digest: Digest,
        applied: usize,
        not_as_written: usize,
        failed: usize,
        not_attempted: usize,
        not_read_back: usize,
        read_error: Option<ErrorJson<'a>>,
        conflicts: usize,
        already_done: usize,
        blocked: usize,
        problems: usize,
        missing: usize,
        in_sync: usize,
        drifted_policies: usize,
        /// Null if not every user was read.
        unlisted_users: Option<usize>,
        /// Null if not every role was read.
        unlisted_roles: Option<usize>,
        calls: u64,
        throttled_calls: u64,
        stopped_by: Option<StoppedBy>,
        seconds: f64,
    },
}

/// Why a run did not make every change.
#[derive(Serialize)]
#[serde(untagged)]
enum StoppedBy {
    Reason(StopReason),
    Word(&'static str),
}

/// An error of a call, or of the tool.
#[derive(Serialize)]
#[serde(untagged)]
enum AnyErrorJson<'a> {
    Call(ErrorJson<'a>),
    Own {
        code: &'a str,
        message: String,
        #[serde(flatten)]
        of_a_call: NoCall,
        advice: Option<String>,
    },
}

/// The fields that only the error of a call has.
#[derive(Default, Serialize)]
struct NoCall {
    action: (),
    class: (),
    request_id: (),
}

impl<'a> AnyErrorJson<'a> {
    fn of_stop(error: &'a StopError) -> Self {
        match error {
            StopError::Call(error) => AnyErrorJson::Call(ErrorJson::of(error)),
            StopError::Journal(journal) => AnyErrorJson::Own {
                code: "JournalFailed",
                message: journal.to_string(),
                of_a_call: NoCall::default(),
                advice: advice_on_stop(error),
            },
        }
    }
}

/// What the account has instead of what the plan expected.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum FoundJson<'a> {
    Boundary { arn: Option<&'a PolicyArn>, unique_id: &'a UniqueId },
    Unmodifiable { arn: Option<&'a PolicyArn>, unique_id: &'a UniqueId, role: UnmodifiableRole },
    NoSuchUser,
    NoSuchRole,
    Unreadable { error: ErrorJson<'a> },
}

#[derive(Serialize)]
pub(super) struct ErrorJson<'a> {
    #[serde(flatten)]
    error: &'a ApiError,
    advice: Option<String>,
}

impl<'a> ErrorJson<'a> {
    pub(super) fn of(error: &'a ApiError) -> Self {
        ErrorJson { error, advice: advice(error) }
    }
}

impl<'a> FoundJson<'a> {
    /// What was read of a principal of this kind.
    fn of(kind: PrincipalKind, found: &'a Reading) -> Self {
        match found {
            Reading::Found { unique_id, boundary } => {
                FoundJson::Boundary { arn: boundary.as_ref(), unique_id }
            }
            Reading::Unmodifiable { unique_id, boundary, role } => {
                FoundJson::Unmodifiable { arn: boundary.as_ref(), unique_id, role: *role }
            }
            Reading::NotFound { .. } => match kind {
                PrincipalKind::User => FoundJson::NoSuchUser,
                PrincipalKind::Role => FoundJson::NoSuchRole,
            },
            Reading::Unreadable(error) => FoundJson::Unreadable { error: ErrorJson::of(error) },
        }
    }
}

impl<'a> Line<'a> {
    /// An item for which no request was sent.
    fn unsent(
        plan: &'a Plan,
        change: &'a Change,
        outcome: &'static str,
        found: Option<FoundJson<'a>>,
        error: Option<AnyErrorJson<'a>>,
    ) -> Self {
        let change = ChangeJson::of(plan, change);
        Line::Item {
            change,
            outcome,
            attempts: 0,
            request_id: None,
            error,
            found,
            read_back: None,
            read_error: None,
        }
    }

    /// An item whose policy can no longer be used as a boundary.
    fn blocked(plan: &'a Plan, change: &'a Change, why: &'a ProblemKind) -> Self {
        let kind = change.principal.kind;
        let own = AnyErrorJson::Own {
            code: why.code(kind),
            message: problem_statement(kind, why).to_string(),
            of_a_call: NoCall::default(),
            advice: problem_help(kind, why).map(|help| help.to_string()),
        };
        Line::unsent(plan, change, "blocked", None, Some(own))
    }

    fn item(plan: &'a Plan, item: &'a Item) -> Self {
        let outcome = item.outcome();
        let (attempts, request_id, error) = match &item.call {
            CallOutcome::Applied { attempts, request_id } => {
                (*attempts, request_id.as_deref(), None)
            }
            CallOutcome::Failed { attempts, error, .. } => {
                let advice = match outcome {
                    Outcome::Failed => advice_on_failed(error, &item.verification),
                    _ => None,
                };
                (
                    *attempts,
                    error.request_id.as_deref(),
                    Some(AnyErrorJson::Call(ErrorJson { error, advice })),
                )
            }
            CallOutcome::NotAttempted => (0, None, None),
            CallOutcome::ThrottledUntilStop { attempts, error } => (
                *attempts,
                error.request_id.as_deref(),
                Some(AnyErrorJson::Call(ErrorJson { error, advice: None })),
            ),
        };
        let kind = item.change.principal.kind;
        let found = |reading| Some(FoundJson::of(kind, reading));
        let (read_back, found, read_error) = match &item.verification {
            Verification::NotNeeded => (None, None, None),
            Verification::Conflict(reading) => (None, found(reading), None),
            Verification::AsWritten => (Some("as_written"), None, None),
            Verification::AsWrittenBySingleRead(pages) => {
                let read_back = match kind {
                    PrincipalKind::User => "as_written_by_get_user",
                    PrincipalKind::Role => "as_written_by_get_role",
                };
                (Some(read_back), found(pages), None)
            }
            Verification::Otherwise(reading) => (Some("otherwise"), found(reading), None),
            Verification::Stopped { last } => {
                (Some("stopped"), last.as_ref().and_then(found), None)
            }
            Verification::Failed(error) => (Some("failed"), None, Some(ErrorJson::of(error))),
        };
        let change = ChangeJson::of(plan, &item.change);
        let outcome = match item.conflict() {
            Some(_) => "conflict",
            None => outcome.word(),
        };
        Line::Item { change, outcome, attempts, request_id, error, found, read_back, read_error }
    }

    fn summary(preflight: &Preflight, summary: &'a Summary, stopped_by: Option<StoppedBy>) -> Self {
        let Preflight { plan, digest, .. } = preflight;
        Line::Summary {
            digest: *digest,
            applied: summary.applied,
            not_as_written: summary.not_as_written,
            failed: summary.failed,
            not_attempted: summary.not_attempted,
            not_read_back: summary.not_verified,
            read_error: summary.verification_error.as_ref().map(ErrorJson::of),
            conflicts: summary.all_conflicts(preflight),
            already_done: preflight.already_done().count(),
            blocked: preflight.blocked().count(),
            problems: plan.problems_of(Severity::Error).count(),
            missing: plan.problems_of(Severity::Warning).count(),
            in_sync: plan.in_sync.total(),
            drifted_policies: plan.drifted.len(),
            unlisted_users: plan.unlisted.users.as_ref().map(|unlisted| unlisted.count),
            unlisted_roles: plan.unlisted.roles.as_ref().map(|unlisted| unlisted.count),
            calls: summary.calls.made,
            throttled_calls: summary.calls.throttled,
            stopped_by,
            // Rounded to milliseconds: finer digits are noise.
            seconds: (summary.write_duration.as_secs_f64() * 1e3).round() / 1e3,
        }
    }
}

/// A change in a run. Each line is complete without the others.
#[derive(Serialize)]
struct ChangeJson<'a> {
    kind: PrincipalKind,
    name: &'a str,
    unique_id: Option<&'a UniqueId>,
    action: &'static str,
    from: Option<&'a PolicyArn>,
    from_name: Option<&'a str>,
    to: Option<&'a PolicyArn>,
    to_name: Option<&'a str>,
    /// What decided the change: `entry`, `rule` or `journal`.
    decided_by: &'static str,
    file: &'a str,
    line: usize,
    reason: Option<&'a str>,
    expired: Option<DateOrTime>,
    origin: Option<Origin>,
}

/// A listed principal for which nothing can be planned, and the reason.
#[derive(Serialize)]
struct ProblemJson<'a> {
    kind: PrincipalKind,
    name: &'a str,
    /// `warning` if the files make it one; `error` otherwise.
    severity: &'static str,
    file: &'a str,
    line: usize,
    column: Option<usize>,
    code: &'a str,
    message: String,
    advice: Option<String>,
}

impl<'a> ChangeJson<'a> {
    fn of(plan: &'a Plan, change: &'a Change) -> Self {
        let Change { principal, unique_id, provenance, .. } = change;
        let change = change_view(plan, change);
        ChangeJson {
            kind: principal.kind,
            name: principal.name.as_str(),
            unique_id: unique_id.as_ref(),
            action: change.kind.word(),
            from: change.from.map(|from| from.arn),
            from_name: change.from.and_then(|from| from.name),
            to: change.to.map(|to| to.arn),
            to_name: change.to.and_then(|to| to.name),
            decided_by: decided_by(provenance.kind),
            file: &provenance.file,
            line: provenance.line,
            reason: change.reason,
            expired: change.expired,
            origin: change.origin,
        }
    }
}

fn decided_by(kind: ProvenanceKind) -> &'static str {
    match kind {
        ProvenanceKind::Entry => "entry",
        ProvenanceKind::Rule => "rule",
        ProvenanceKind::Journal => "journal",
    }
}

impl<'a> ProblemJson<'a> {
    fn of(problem: &'a Problem) -> Self {
        let Problem { principal, provenance, kind, severity } = problem;
        ProblemJson {
            kind: principal.kind,
            name: principal.name.as_str(),
            severity: match severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            file: &provenance.file,
            line: provenance.line,
            column: provenance.column,
            code: kind.code(principal.kind),
            message: problem_statement(principal.kind, kind).to_string(),
            advice: problem_help(principal.kind, kind).map(|help| help.to_string()),
        }
    }
}
