use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::pace::{Answer, Bounds, Ceiling, Pace, Ticket, Turn};
use crate::iam::Rate;

/// Where every attempt of one kind of call waits for its turn: the pace, with the waiting.
///
/// Clones are one turnstile. Tasks pass in the order in which they came.
#[derive(Debug, Clone)]
pub(super) struct Turnstile(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    // Only the first in the row looks at the pace, so that no answer wakes hundreds of tasks.
    row: tokio::sync::Mutex<()>,
    pace: Mutex<State>,
    ceiling: Arc<Mutex<Ceiling>>,
    answered: Notify,
}

#[derive(Debug)]
struct State {
    pace: Pace,
    /// When a call was accepted last, or the turnstile made.
    progress: Instant,
}

/// A call that passed, until it is answered. Dropped without an answer, it counts as lost.
#[derive(Debug)]
pub(super) struct Pass {
    turnstile: Turnstile,
    ticket: Option<Ticket>,
}

impl Turnstile {
    pub(super) fn new(bounds: Bounds, ceiling: Arc<Mutex<Ceiling>>) -> Self {
        let state = State { pace: Pace::new(bounds), progress: Instant::now() };
        Turnstile(Arc::new(Shared {
            row: tokio::sync::Mutex::default(),
            pace: Mutex::new(state),
            ceiling,
            answered: Notify::new(),
        }))
    }

    /// Waits until the pace lets a call go out.
    pub(super) async fn pass(&self) -> Pass {
        let _first = self.0.row.lock().await;
        loop {
            let now = Instant::now();
            let turn = {
                let mut ceiling = self.0.ceiling.lock().unwrap_or_else(PoisonError::into_inner);
                self.state().pace.turn(now.into(), &mut ceiling)
            };
            match turn {
                Turn::Now(ticket) => {
                    return Pass { turnstile: self.clone(), ticket: Some(ticket) };
                }
                Turn::At(at) => {
                    tokio::select! {
                        () = wait_until(at.into()) => {}
                        () = self.0.answered.notified() => {}
                    }
                }
                Turn::AfterAnswer => self.0.answered.notified().await,
            }
        }
    }

    /// The rate that IAM was found to bear; none while it has not throttled anything.
    pub(super) fn found(&self) -> Option<Rate> {
        self.state().pace.found()
    }

    /// When a call was accepted last, or the turnstile made.
    pub(super) fn progress(&self) -> Instant {
        self.state().progress
    }

    fn answer(&self, ticket: Ticket, answer: Answer) {
        let now = Instant::now();
        let mut state = self.state();
        state.pace.answered(ticket, now.into(), answer);
        if answer == Answer::Accepted {
            state.progress = now;
        }
        drop(state);
        self.0.answered.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass {
    pub(super) fn answered(mut self, answer: Answer) {
        if let Some(ticket) = self.ticket.take() {
            self.turnstile.answer(ticket, answer);
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.turnstile.answer(ticket, Answer::Lost);
        }
    }
}

/// The runtime's timer has steps of a millisecond, and rounds up.
const COARSE: Duration = Duration::from_micros(1_200);
/// Less is not worth a thread.
const FINE: Duration = Duration::from_micros(30);

/// Waits more exactly than the runtime's timer: calls to a bucket of few tokens must come neither early
/// nor late.
async fn wait_until(at: Instant) {
    tokio::time::sleep_until(at.checked_sub(COARSE).unwrap_or(at)).await;
    let rest = at.saturating_duration_since(Instant::now());
    if rest > FINE {
        // It fails only when the runtime is shut down, and nobody waits any more.
        let _ = tokio::task::spawn_blocking(move || std::thread::sleep(rest)).await;
    }
    // Over by now, unless a test has stopped the clock.
    tokio::time::sleep_until(at).await;
}
