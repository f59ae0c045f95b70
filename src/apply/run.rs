use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};

use super::hopeless::Hopeless;
use super::{Event, Item, Outcome, ReadBack, Summary};
use crate::live::{Account, Calls, StopReason, StopSwitch, Writer};
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
/// presses it itself on an error that concerns every item: then nothing new is begun, what is under way
/// is finished, the rest ends as not attempted, and nothing is read back.
pub async fn apply(run: Run<'_>, tell: impl FnMut(Event)) -> Summary {
    let running = Running::begin(run, tell);
    let sent = stream::iter(&run.plan.changes)
        .map(|change| running.item(change))
        .buffer_unordered(run.limits.concurrency.get())
        .filter_map(std::future::ready)
        .collect()
        .await;
    let elapsed = running.began.elapsed();
    running.read_back(sent).await;
    running.finish(elapsed)
}

/// An item for which IAM may have done something.
pub(super) struct Sent<'a> {
    pub(super) change: &'a Change,
    pub(super) answer: Outcome,
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
        let retrying = |retry| self.tell(Event::Retrying { user: change.user.clone(), retry });
        let stop = self.run.switch.stop();
        let to = change.action.to();
        let answer = self.run.writer.write(&change.user, to, &stop, retrying).await;
        self.answered(change, &answer);
        let sent = Sent { change, answer };
        match sent.answer {
            Outcome::Applied { .. } | Outcome::Failed { may_be_done: true, .. } => Some(sent),
            Outcome::Failed { .. } | Outcome::NotAttempted => {
                self.ended(sent, ReadBack::NotNeeded);
                None
            }
        }
    }

    /// Where an item is answered: nothing more is sent for it.
    fn answered(&self, change: &'a Change, answer: &Outcome) {
        if *answer == Outcome::NotAttempted {
            return;
        }
        self.tell(Event::Answered { change: change.clone(), answer: answer.clone() });
        let hopeless = self.shared().hopeless.error(change, answer).cloned();
        if let Some(error) = hopeless
            && self.run.switch.stop().reason().is_none()
        {
            self.run.switch.press(StopReason::Error);
            self.tell(Event::StoppedBy(error));
        }
    }

    /// Where the class of an item is final.
    pub(super) fn ended(&self, sent: Sent<'a>, read_back: ReadBack) {
        let item = Item { change: sent.change.clone(), answer: sent.answer, read_back };
        self.shared().summary.count(&item);
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
