use std::io::{self, Write};

use serde::Serialize;

use super::plan_json::{ChangeJson, ProblemJson};
use super::{Listener, advice};
use crate::apply::{CallError, Event, Item, Outcome, StopReason, Summary};
use crate::plan::Plan;

/// A run as JSON lines: one object for each item as it ends, and a closing `summary`.
pub struct ApplyJson<'a, W> {
    plan: &'a Plan,
    to: W,
}

impl<'a, W: Write> ApplyJson<'a, W> {
    /// Writes the run of `plan` to `to`.
    pub fn new(plan: &'a Plan, to: W) -> Self {
        ApplyJson { plan, to }
    }

    fn line(&mut self, line: &Line<'_>) -> io::Result<()> {
        serde_json::to_writer(&mut self.to, line)?;
        self.to.write_all(b"\n")?;
        self.to.flush()
    }
}

impl<W: Write> Listener for ApplyJson<'_, W> {
    fn on(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started { .. } => {
                let plan = self.plan;
                plan.problems
                    .iter()
                    .try_for_each(|problem| self.line(&Line::Problem(ProblemJson::of(problem))))
            }
            Event::Retrying { .. } => Ok(()),
            Event::Ended(item) => self.line(&Line::item(self.plan, item)),
            Event::StoppedBy(error) => self.line(&Line::Stopped { error: ErrorJson::of(error) }),
            Event::Finished(summary) => self.line(&Line::summary(self.plan, summary)),
        }
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    Problem(ProblemJson<'a>),
    Item {
        #[serde(flatten)]
        change: ChangeJson<'a>,
        outcome: &'static str,
        attempts: u32,
        request_id: Option<&'a str>,
        error: Option<ErrorJson<'a>>,
    },
    Stopped {
        error: ErrorJson<'a>,
    },
    Summary {
        account: String,
        applied: usize,
        failed: usize,
        not_attempted: usize,
        problems: usize,
        in_sync: usize,
        calls: u64,
        throttled_calls: u64,
        stopped_by: Option<StopReason>,
        seconds: f64,
    },
}

#[derive(Serialize)]
struct ErrorJson<'a> {
    #[serde(flatten)]
    error: &'a CallError,
    advice: Option<String>,
}

impl<'a> ErrorJson<'a> {
    fn of(error: &'a CallError) -> Self {
        ErrorJson { error, advice: advice(error) }
    }
}

impl<'a> Line<'a> {
    fn item(plan: &'a Plan, item: &'a Item) -> Self {
        let (outcome, attempts, request_id, error) = match &item.outcome {
            Outcome::Applied { attempts, request_id } => {
                ("applied", *attempts, request_id.as_deref(), None)
            }
            Outcome::Failed { attempts, error } => {
                ("failed", *attempts, error.request_id.as_deref(), Some(ErrorJson::of(error)))
            }
            Outcome::NotAttempted => ("not_attempted", 0, None, None),
        };
        let change = ChangeJson::of(plan, &item.change);
        Line::Item { change, outcome, attempts, request_id, error }
    }

    fn summary(plan: &Plan, summary: &Summary) -> Self {
        Line::Summary {
            account: plan.account.to_string(),
            applied: summary.applied,
            failed: summary.failed,
            not_attempted: summary.not_attempted,
            problems: plan.problems.len(),
            in_sync: plan.in_sync,
            calls: summary.calls.made,
            throttled_calls: summary.calls.throttled,
            stopped_by: summary.stopped,
            // Milliseconds: what is finer than that is noise.
            seconds: (summary.elapsed.as_secs_f64() * 1e3).round() / 1e3,
        }
    }
}
