use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use super::super::output::Output;
use super::super::report_thread::{Received, receive};
use crate::apply::FleetEvent;
use crate::ops::FleetEvents;
use crate::report::{FleetProgress, Screen};

/// The receiver of the events of a fleet, which changes when a run begins to write.
#[derive(Clone, Default)]
pub(super) struct Events(Arc<Mutex<Option<Sender<FleetEvent>>>>);

impl Events {
    /// Sends the events to `to` from now on; `None` to nobody. The receiver before it sees the end of the events.
    pub(super) fn send_to(&self, to: Option<Sender<FleetEvent>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }

    /// Sends an event to the present receiver. A missing receiver is ignored: the run does not depend on it.
    pub(super) fn send(&self, event: FleetEvent) {
        let to = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(to) = to.as_ref() {
            let _ = to.send(event);
        }
    }

    /// A function that sends the events.
    pub(super) fn sender(&self) -> FleetEvents {
        let events = self.clone();
        Arc::new(move |event| events.send(event))
    }
}

/// A thread that shows the progress of reading the accounts.
pub(super) struct ReadingProgress {
    events: Events,
    thread: Option<JoinHandle<()>>,
}

impl ReadingProgress {
    /// Shows the progress of `events`. Without a thread, nothing is shown.
    pub(super) fn start(events: &Events, output: &Output, screen: &Screen) -> ReadingProgress {
        let (sender, received) = mpsc::channel();
        let progress = output.fleet_progress(screen);
        let thread = Builder::new().name("progress".to_owned());
        let thread = thread.spawn(move || show(&received, progress)).ok();
        events.send_to(thread.is_some().then_some(sender));
        ReadingProgress { events: events.clone(), thread }
    }

    /// Removes the progress from the terminal.
    pub(super) fn finish(&mut self) {
        self.events.send_to(None);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for ReadingProgress {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.finish();
        }
    }
}

fn show(events: &Receiver<FleetEvent>, mut progress: FleetProgress) {
    receive(events, |received| match received {
        Received::Event(event) => progress.on(&event),
        Received::Tick => progress.tick(),
    });
    progress.finish();
}
