use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Instant;

use futures::{StreamExt, stream};

use super::{CallError, ErrorClass, Event, Item, Outcome, Summary};
use crate::live::{StopReason, StopSwitch, Writer};
use crate::plan::{Change, Plan};

/// Bounds on a run.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Writes under way at once, at most.
    pub concurrency: NonZeroUsize,
}

/// Carries out every change of `plan`, and tells `tell` what happens.
///
/// One item's failure does not stop the others. The run stops early when `switch` is pressed, and
/// presses it itself on an error that concerns every item (credentials that are no longer good): then
/// nothing new is begun, what is under way is finished, and the rest ends as not attempted.
pub async fn apply(
    plan: &Plan,
    writer: &Writer,
    limits: Limits,
    switch: &StopSwitch,
    tell: impl FnMut(Event),
) -> Summary {
    let began = Instant::now();
    let before = writer.calls();
    let run = Run { writer, switch, tell: Mutex::new(tell) };
    run.tell(Event::Started { changes: plan.changes.len() });
    let mut summary = stream::iter(&plan.changes)
        .map(|change| run.item(change))
        .buffer_unordered(limits.concurrency.get())
        .fold(Summary::default(), async |mut summary, outcome| {
            summary.count(&outcome);
            summary
        })
        .await;
    summary.calls = writer.calls().since(before);
    summary.elapsed = began.elapsed();
    summary.stopped = switch.stop().reason();
    run.tell(Event::Finished(summary.clone()));
    summary
}

struct Run<'a, F> {
    writer: &'a Writer,
    switch: &'a StopSwitch,
    // Not contended: all items are polled by one task. It lets them share the listener.
    tell: Mutex<F>,
}

impl<F: FnMut(Event)> Run<'_, F> {
    fn tell(&self, event: Event) {
        (self.tell.lock().unwrap_or_else(PoisonError::into_inner))(event);
    }

    async fn item(&self, change: &Change) -> Outcome {
        let retrying = |retry| self.tell(Event::Retrying { user: change.user.clone(), retry });
        let stop = self.switch.stop();
        let outcome = self.writer.write(&change.user, change.action.to(), &stop, retrying).await;
        if let Outcome::Failed { error, .. } = &outcome {
            self.stop_if_hopeless(error);
        }
        self.tell(Event::Ended(Item { change: change.clone(), outcome: outcome.clone() }));
        outcome
    }

    fn stop_if_hopeless(&self, error: &CallError) {
        if error.class == ErrorClass::Credentials && self.switch.stop().reason().is_none() {
            self.switch.press(StopReason::Error);
            self.tell(Event::StoppedBy(error.clone()));
        }
    }
}
