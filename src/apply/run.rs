use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};

use super::hopeless::Hopeless;
use super::{CallOutcome, Event, Item, ReadBack, StopError, Summary};
use crate::aws::{Account, Calls, StopReason, StopSwitch, Writer};
use crate::journal::Journal;
use crate::plan::{Change, Plan};

/// What a run works with.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// What is to be done.
    pub plan: &'a Plan,
    /// The account, which is read when everything is written.
    pub account: &'a Account,
    /// What writes to that account.
    pub writer: &'a Writer,
    /// The run's bounds.
    pub limits: Limits,
    /// What stops the run early.
    pub switch: &'a StopSwitch,
    /// Where each change is written down before it is made. Without it, nothing is: that is for tests
    /// and measurements.
    pub journal: Option<&'a Journal>,
}

/// Bounds on a run.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Writes under way at once, at most.
    pub concurrency: NonZeroUsize,
    /// Users who read otherwise than was written are read again for so long, from the end of the first
    /// reading on: IAM is eventually consistent. Zero reads once.
    pub read_back: Duration,
}

/// Carries out every change of a plan, reads back what IAM may have done, and tells `tell` what happens.
///
/// One item's failure does not stop the others. The run stops early when its switch is pressed, and
/// presses it itself on an error that concerns every item, or when its journal cannot be written: then
/// nothing new is begun, what is under way is finished, the rest ends as not attempted, and nothing is
/// read back.
pub async fn apply(run: Run<'_>, tell: impl FnMut(Event)) -> Summary {
    let running = Running::begin(run, tell);
    let sending = stream::iter(&run.plan.changes)
        .map(|change| running.item(change))
        .buffer_unordered(run.limits.concurrency.get())
        .filter_map(std::future::ready)
        .collect();
    let sent = running.unless_journal_fails(sending).await;
    let elapsed = running.began.elapsed();
    running.read_back(sent).await;
    running.finish(elapsed)
}

/// An item for which IAM may have done something.
pub(super) struct Sent<'a> {
    pub(super) change: &'a Change,
    pub(super) answer: CallOutcome,
}

/// A run that has begun.
pub(super) struct Running<'a, F> {
    pub(super) run: Run<'a>,
    began: Instant,
    calls_before: Calls,
    // Not contended: all items are polled by one task. It lets them share what follows.
    shared: Mutex<Shared<'a, F>>,
}

struct Shared<'a, F> {
    tell: F,
    summary: Summary,
    hopeless: Hopeless<'a>,
}

impl<'a, F: FnMut(Event)> Running<'a, F> {
    fn begin(run: Run<'a>, tell: F) -> Self {
        let hopeless = Hopeless::new(run.plan);
        let shared = Shared { tell, summary: Summary::default(), hopeless };
        let running = Running {
            run,
            began: Instant::now(),
            calls_before: run.writer.calls(),
            shared: Mutex::new(shared),
        };
        running.tell(Event::Started { changes: run.plan.changes.len() });
        running
    }

    /// Where an item begins: nothing was sent for it before. Gives what must be read back; every other
    /// item has ended.
    async fn item(&self, change: &'a Change) -> Option<Sent<'a>> {
        let answer = match self.intend(change).await {
            true => self.write(change).await,
            false => CallOutcome::NotAttempted,
        };
        self.answered(change, &answer);
        let sent = Sent { change, answer };
        match sent.answer {
            CallOutcome::Applied { .. } | CallOutcome::Failed { may_be_done: true, .. } => {
                Some(sent)
            }
            CallOutcome::Failed { .. } | CallOutcome::NotAttempted => {
                self.ended(sent, ReadBack::NotNeeded);
                None
            }
        }
    }

    /// Writes down what is about to be sent. False if nothing may be sent.
    async fn intend(&self, change: &Change) -> bool {
        // Nothing is begun any more: thousands of items can end here.
        if self.run.switch.stop().reason().is_some() {
            return false;
        }
        let Some(journal) = self.run.journal else { return true };
        match journal.intend(change).await {
            Ok(()) => true,
            Err(error) => {
                self.stop_by(StopReason::Journal, error.into());
                false
            }
        }
    }

    async fn write(&self, change: &Change) -> CallOutcome {
        let retrying = |retry| self.tell(Event::Retrying { user: change.user.clone(), retry });
        let (to, stop) = (change.action.to(), self.run.switch.stop());
        let answer = self.run.writer.write(&change.user, to, &stop, retrying).await;
        if let Some(journal) = self.run.journal {
            journal.answered(&change.user, &answer);
        }
        answer
    }

    /// Goes on with `sending`, and stops the run as soon as its journal has failed.
    async fn unless_journal_fails<T>(&self, sending: impl Future<Output = T>) -> T {
        let failed = async {
            match self.run.journal {
                Some(journal) => journal.failed().await,
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

    fn stop_by(&self, reason: StopReason, error: StopError) {
        if self.run.switch.stop().reason().is_none() {
            self.run.switch.press(reason);
            self.tell(Event::StoppedBy(error));
        }
    }

    /// Where an item is answered: nothing more is sent for it.
    fn answered(&self, change: &'a Change, answer: &CallOutcome) {
        if *answer == CallOutcome::NotAttempted {
            return;
        }
        self.tell(Event::Answered { change: change.clone(), answer: answer.clone() });
        let hopeless = self.shared().hopeless.error(change, answer).cloned();
        if let Some(error) = hopeless {
            self.stop_by(StopReason::Error, error.into());
        }
    }

    /// Where the class of an item is final.
    pub(super) fn ended(&self, sent: Sent<'a>, read_back: ReadBack) {
        let item = Item { change: sent.change.clone(), answer: sent.answer, read_back };
        self.shared().summary.count(&item);
        if let Some(journal) = self.run.journal {
            journal.corrected(&item);
        }
        self.tell(Event::Ended(item));
    }

    /// Where the run ends.
    fn finish(self, elapsed: Duration) -> Summary {
        let summary = Summary {
            calls: self.run.writer.calls().since(self.calls_before),
            elapsed,
            stopped: self.run.switch.stop().reason(),
            ..std::mem::take(&mut self.shared().summary)
        };
        self.tell(Event::Finished(summary.clone()));
        summary
    }

    pub(super) fn tell(&self, event: Event) {
        (self.shared().tell)(event);
    }

    fn shared(&self) -> MutexGuard<'_, Shared<'a, F>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
