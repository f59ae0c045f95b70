use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};

use super::pending::Pending;
use super::systemic_failure::SystemicFailure;
use super::{Event, Item, StopError, Summary, Verification};
use crate::aws::{Account, StopSwitch, Writer};
use crate::iam::PrincipalCounts;
use crate::inventory::{CallCount, CallOutcome, StopReason};
use crate::journal::{Correction, Intent, Journal, Outcome};
use crate::plan::{Change, Preflight};

/// What a run needs.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// The plan with its verdicts: the ready changes are made.
    pub preflight: &'a Preflight,
    /// The account, which is read to verify the changes.
    pub account: &'a Account,
    /// The writer for that account.
    pub writer: &'a Writer,
    /// The options of the run.
    pub options: RunOptions,
    /// Stops the run early.
    pub switch: &'a StopSwitch,
    /// Records each change before it is made. `None`, for tests and benchmarks, records nothing.
    pub journal: Option<&'a Journal>,
    /// Receives each event as it happens. It must not block: a reporter receives events over a channel.
    pub events: &'a (dyn Fn(Event) + Send + Sync),
}

/// Options of a run.
#[derive(Debug, Clone, Copy)]
pub struct RunOptions {
    /// The maximum number of requests in flight.
    pub concurrency: NonZeroUsize,
    /// How long principals that do not have the new boundary are read again, from the end of the first
    /// reading, because IAM is eventually consistent. Zero reads once.
    pub verify_for: Duration,
}

/// Makes every ready change of a plan, verifies the changes that IAM may have made, and sends events.
///
/// The changes that are not made yet are compared with the account again every few seconds. One in conflict is not sent.
///
/// One failed change does not stop the others. The run stops early if its switch requests it. It requests that
/// itself after an error that concerns every change, and if its journal cannot be written. Then no new change
/// begins, requests in flight get 10 seconds to end, the remaining changes end as not attempted, and nothing is
/// verified.
pub async fn apply(run: Run<'_>) -> Summary {
    let running = Running::begin(run);
    let work = async {
        let sending = stream::iter(run.preflight.ready())
            .map(|change| running.make_change(change))
            .buffer_unordered(run.options.concurrency.get())
            .filter_map(std::future::ready)
            .collect();
        let sent = tokio::select! {
            biased;
            sent = running.unless_journal_fails(sending) => sent,
            never = running.pending.check(run.account) => match never {},
        };
        let write_duration = running.began.elapsed();
        running.verify(sent).await;
        write_duration
    };
    let write_duration = tokio::select! {
        biased;
        write_duration = work => write_duration,
        never = running.report_waits() => match never {},
    };
    running.finish(write_duration)
}

/// The time between two events about a wait.
const BETWEEN_WAITS: Duration = Duration::from_secs(1);

/// A change that IAM may have made.
pub(super) struct Sent<'a> {
    pub(super) change: &'a Change,
    pub(super) call: CallOutcome,
}

/// A run that has begun.
pub(super) struct Running<'a> {
    pub(super) run: Run<'a>,
    began: Instant,
    calls_before: CallCount,
    pending: Pending<'a>,
    // Not contended: one task polls all items.
    shared: Mutex<Shared<'a>>,
}

struct Shared<'a> {
    summary: Summary,
    systemic_failure: SystemicFailure<'a>,
}

impl<'a> Running<'a> {
    fn begin(run: Run<'a>) -> Self {
        let systemic_failure = SystemicFailure::new(run.preflight.ready());
        let shared = Shared { summary: Summary::default(), systemic_failure };
        let running = Running {
            run,
            began: Instant::now(),
            calls_before: run.writer.calls(),
            pending: Pending::new(run.preflight.ready()),
            shared: Mutex::new(shared),
        };
        let kinds = run.preflight.ready().map(|change| change.principal.kind);
        running.send(Event::Started { changes: PrincipalCounts::of(kinds) });
        running
    }

    /// Makes one change. Returns it if it must be verified; otherwise it has ended.
    async fn make_change(&self, change: &'a Change) -> Option<Sent<'a>> {
        let call = match self.record_intent(change).await {
            true => self.write(change).await,
            false => CallOutcome::NotAttempted,
        };
        self.call_ended(change, &call);
        let conflict = self.pending.end(change);
        let sent = Sent { change, call };
        let verification = match (&sent.call, conflict) {
            (CallOutcome::Applied { .. } | CallOutcome::Failed { may_be_done: true, .. }, _) => {
                return Some(sent);
            }
            (CallOutcome::NotAttempted | CallOutcome::ThrottledUntilStop { .. }, Some(found))
                if self.run.switch.receiver().reason().is_none() =>
            {
                Verification::Conflict(found)
            }
            _ => Verification::NotNeeded,
        };
        self.change_ended(sent, verification);
        None
    }

    /// Records the intent. False if no request may be sent.
    async fn record_intent(&self, change: &Change) -> bool {
        if self.run.switch.receiver().reason().is_some() {
            return false;
        }
        let Some(journal) = self.run.journal else { return true };
        match journal.record_intent(&Intent::from(change)).await {
            Ok(()) => true,
            Err(error) => {
                self.stop_by(StopReason::Journal, error.into());
                false
            }
        }
    }

    async fn write(&self, change: &Change) -> CallOutcome {
        let Change { principal, boundary, .. } = change;
        let retrying = |retry| self.send(Event::Retrying { principal: principal.clone(), retry });
        let may_send = || !self.pending.is_in_conflict(change);
        let (to, stop) = (boundary.to(), self.run.switch.receiver());
        let call = self.run.writer.write(principal, to, may_send, &stop, retrying).await;
        if let Some(journal) = self.run.journal {
            journal.record_outcome(principal, &call);
        }
        call
    }

    /// Completes `sending`, and stops the run as soon as its journal cannot be written.
    async fn unless_journal_fails<T>(&self, sending: impl Future<Output = T>) -> T {
        let failed = async {
            match self.run.journal {
                Some(journal) => journal.wait_for_failure().await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(sending);
        tokio::select! {
            biased;
            error = failed => {
                self.stop_by(StopReason::Journal, error.into());
                sending.await
            }
            sent = &mut sending => sent,
        }
    }

    /// Sends what the run waits for, while it does.
    async fn report_waits(&self) -> Infallible {
        let mut is_waiting = false;
        loop {
            tokio::time::sleep(BETWEEN_WAITS).await;
            let wait = self.run.account.longest_wait();
            if std::mem::replace(&mut is_waiting, wait.is_some()) || wait.is_some() {
                self.send(Event::Waiting(wait));
            }
        }
    }

    fn stop_by(&self, reason: StopReason, error: StopError) {
        if self.run.switch.receiver().reason().is_none() {
            self.run.switch.request_stop(reason);
            self.send(Event::StoppedBy(error));
        }
    }

    fn call_ended(&self, change: &'a Change, call: &CallOutcome) {
        if Outcome::of(call) == Outcome::NotAttempted {
            return;
        }
        self.send(Event::Answered { change: change.clone(), call: call.clone() });
        let error = self.shared().systemic_failure.error(change, call).cloned();
        if let Some(error) = error {
            self.stop_by(StopReason::Error, error.into());
        }
    }

    /// Ends a change: its outcome is final.
    pub(super) fn change_ended(&self, sent: Sent<'a>, verification: Verification) {
        let item = Item { change: sent.change.clone(), call: sent.call, verification };
        self.shared().summary.count(&item);
        if let (Some(journal), Some(correction)) = (self.run.journal, correction(&item)) {
            journal.record_correction(&item.change.principal, &correction);
        }
        self.send(Event::Ended(item));
    }

    fn finish(self, write_duration: Duration) -> Summary {
        let summary = Summary {
            calls: self.run.writer.calls().since(self.calls_before),
            write_duration,
            stopped: self.run.switch.receiver().reason(),
            ..std::mem::take(&mut self.shared().summary)
        };
        self.send(Event::Finished(summary.clone()));
        summary
    }

    pub(super) fn send(&self, event: Event) {
        (self.run.events)(event);
    }

    fn shared(&self) -> MutexGuard<'_, Shared<'a>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the journal records of verification.
fn correction(item: &Item) -> Option<Correction> {
    match &item.verification {
        Verification::AsWritten | Verification::AsWrittenBySingleRead(_) => {
            let to = item.change.boundary.to().cloned();
            Correction::to_boundary(&item.call, item.outcome(), to)
        }
        Verification::Otherwise(found) => {
            let intent = Intent::from(&item.change);
            Correction::between(&intent, &item.call, item.outcome(), found)
        }
        Verification::NotNeeded
        | Verification::Conflict(_)
        | Verification::Stopped { .. }
        | Verification::Failed(_) => None,
    }
}
