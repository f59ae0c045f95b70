use std::fmt::Write as _;
use std::io::{self, Write};

use super::columns::Columns;
use super::failures::{Failures, wrapped};
use super::{Listener, Paint, counted};
use crate::apply::{Event, Item, Outcome, StopReason, Summary};
use crate::plan::Plan;

/// A run for people: a line for each item as it ends, then what went wrong, grouped, then the counts.
pub struct ApplyText<'a, W> {
    plan: &'a Plan,
    paint: Paint,
    columns: Columns,
    failures: Failures,
    not_attempted: Vec<String>,
    to: W,
}

impl<'a, W: Write> ApplyText<'a, W> {
    /// Writes the run of `plan` to `to`.
    pub fn new(plan: &'a Plan, paint: Paint, to: W) -> Self {
        ApplyText {
            plan,
            paint,
            columns: Columns::of(plan),
            failures: Failures::default(),
            not_attempted: Vec::new(),
            to,
        }
    }

    fn ended(&mut self, item: &Item) -> io::Result<()> {
        let change = &item.change;
        match &item.outcome {
            Outcome::Applied { attempts, .. } => {
                let change = self.columns.line(self.plan, change, self.paint);
                let tries = match attempts {
                    1 => String::new(),
                    n => self.paint.dim(format!("  ({n} attempts)")),
                };
                writeln!(self.to, "{} {change}{tries}", self.paint.good("applied"))
            }
            Outcome::Failed { attempts, error } => {
                self.failures.add(change.user.clone(), error.clone());
                let change = self.columns.padded(self.plan, change, self.paint);
                let tries = counted(*attempts as usize, "attempt");
                writeln!(self.to, "{} {change}  after {tries}, {error}", self.paint.bad("failed "))
            }
            // Listed together at the end: a stopped run has thousands of them.
            Outcome::NotAttempted => {
                self.not_attempted.push(change.user.to_string());
                Ok(())
            }
        }
    }

    fn closing(&self, summary: &Summary) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write_closing(&mut text, summary);
        text
    }

    fn write_closing(&self, text: &mut String, summary: &Summary) -> std::fmt::Result {
        self.failures.write(text, self.paint)?;
        if !self.not_attempted.is_empty() {
            let why = match summary.stopped {
                Some(StopReason::Deadline) => ", because the time that --timeout allows was over",
                Some(StopReason::Interrupted) => ", because the run was interrupted",
                Some(StopReason::Error) | None => "",
            };
            let title =
                format!("Not attempted: {}{why}", counted(self.not_attempted.len(), "user"));
            writeln!(text, "\n{}", self.paint.careful(title))?;
            let users: Vec<&str> = self.not_attempted.iter().map(String::as_str).collect();
            for line in wrapped(&users, 96) {
                writeln!(text, "  {line}")?;
            }
        }
        let problems = self.plan.problems.len();
        let counts = format!(
            "{} applied, {} failed, {} not attempted",
            summary.applied, summary.failed, summary.not_attempted
        );
        let counts = match problems {
            0 => counts,
            some => format!("{counts}, {some} cannot be planned"),
        };
        let (word, counts) = if summary.is_complete() && problems == 0 {
            ("Done", self.paint.good(counts))
        } else {
            ("Not all done", self.paint.bad(counts))
        };
        let calls = counted(summary.calls.made as usize, "call");
        let throttled = match summary.calls.throttled {
            0 => String::new(),
            some => format!(" ({some} throttled)"),
        };
        let seconds = summary.elapsed.as_secs_f64();
        writeln!(text, "\n{word}: {counts}; {calls}{throttled} in {seconds:.1} s.")
    }
}

impl<W: Write> Listener for ApplyText<'_, W> {
    fn on(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started { .. } | Event::Retrying { .. } => Ok(()),
            Event::Ended(item) => self.ended(item),
            Event::StoppedBy(error) => {
                writeln!(self.to, "{} {error}", self.paint.bad("Stopping early:"))
            }
            Event::Finished(summary) => {
                let closing = self.closing(summary);
                self.to.write_all(closing.as_bytes())?;
                self.to.flush()
            }
        }
    }
}
