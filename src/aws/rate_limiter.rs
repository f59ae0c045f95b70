use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::limiter::{Controller, Decision, LimiterOptions, MaxRate, Response, Ticket};
use crate::iam::Rate;

/// Limits the rate of the calls of one action: the [`Controller`] decides, and the rate limiter waits.
///
/// Clones share one state. Waiting tasks get their permits in the order of arrival.
#[derive(Debug, Clone)]
pub(super) struct RateLimiter(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    // Only the first task of the queue asks the controller, so a response does not wake hundreds of tasks.
    queue: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    max_rate: Arc<Mutex<MaxRate>>,
    response: Notify,
}

#[derive(Debug)]
struct State {
    controller: Controller,
    last_accepted: Instant,
}

/// Permission to send one call. A permit that is dropped without a response counts as a lost call.
#[derive(Debug)]
pub(super) struct Permit {
    rate_limiter: RateLimiter,
    ticket: Option<Ticket>,
}

impl RateLimiter {
    pub(super) fn new(options: LimiterOptions, max_rate: Arc<Mutex<MaxRate>>) -> Self {
        let state = State { controller: Controller::new(options), last_accepted: Instant::now() };
        RateLimiter(Arc::new(Shared {
            queue: tokio::sync::Mutex::default(),
            state: Mutex::new(state),
            max_rate,
            response: Notify::new(),
        }))
    }

    /// Waits until a call may be sent. `None` if it cannot be sent when it is its turn: the wait can take minutes.
    pub(super) async fn acquire_if(&self, can_be_sent: impl Fn() -> bool) -> Option<Permit> {
        let _first = self.0.queue.lock().await;
        loop {
            if !can_be_sent() {
                return None;
            }
            let now = Instant::now();
            let decision = {
                let mut max_rate = self.0.max_rate.lock().unwrap_or_else(PoisonError::into_inner);
                self.state().controller.decide(now.into(), &mut max_rate)
            };
            match decision {
                Decision::Now(ticket) => {
                    return Some(Permit { rate_limiter: self.clone(), ticket: Some(ticket) });
                }
                Decision::At(at) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(at.into()) => {}
                        () = self.0.response.notified() => {}
                    }
                }
                Decision::AfterResponse => self.0.response.notified().await,
            }
        }
    }

    /// Starts at a rate that an earlier run measured. Called before the first call.
    pub(super) fn start_at(&self, rate: Rate) {
        let mut state = self.state();
        state.controller = Controller::remembering(rate, state.controller.options());
    }

    /// The rate that IAM sustains; `None` if it has not throttled a call yet.
    pub(super) fn measured_rate(&self) -> Option<Rate> {
        self.state().controller.measured_rate()
    }

    /// The rate at which the next run may start.
    pub(super) fn rate_for_next_run(&self) -> Option<Rate> {
        self.state().controller.rate_for_next_run()
    }

    /// The time of the last accepted call; before the first one, the time at which the rate limiter was created.
    pub(super) fn last_accepted(&self) -> Instant {
        self.state().last_accepted
    }

    fn on_response(&self, ticket: Ticket, response: Response) {
        let now = Instant::now();
        let mut state = self.state();
        state.controller.on_response(ticket, now.into(), response);
        if response == Response::Accepted {
            state.last_accepted = now;
        }
        drop(state);
        self.0.response.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// Ends the call with its response.
    pub(super) fn finish(mut self, response: Response) {
        if let Some(ticket) = self.ticket.take() {
            self.rate_limiter.on_response(ticket, response);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.rate_limiter.on_response(ticket, Response::Lost);
        }
    }
}
