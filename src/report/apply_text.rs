use std::fmt::Write as _;
use std::io::{self, Write};

use super::columns::Columns;
use super::conflict::expected_and_found;
use super::failures::{Failures, wrapped};
use super::outcomes::{closing_counts, is_complete};
use super::{Listener, Paint, counted};
use crate::apply::{Event, Item, Outcome, StopReason, Summary};
use crate::plan::{Plan, Recheck};

/// A run for people: a line for each item as it ends, then what went wrong, grouped, then the counts.
pub struct ApplyText<'a, W> {
    recheck: &'a Recheck,
    paint: Paint,
    columns: Columns,
    failures: Failures,
    not_attempted: Vec<String>,
    to: W,
}

impl<'a, W: Write> ApplyText<'a, W> {
    /// Writes the run of `recheck` to `to`.
    pub fn new(recheck: &'a Recheck, paint: Paint, to: W) -> Self {
        ApplyText {
            recheck,
            paint,
            columns: Columns::of(&recheck.plan),
            failures: Failures::default(),
            not_attempted: Vec::new(),
            to,
        }
    }

    fn plan(&self) -> &'a Plan {
        &self.recheck.plan
    }

    /// What is known before anything is written.
    fn started(&mut self) -> io::Result<()> {
        let Recheck { plan, conflicts, already_done, .. } = self.recheck;
        if !conflicts.is_empty() {
            let title =
                format!("In conflict, and not written: {}", counted(conflicts.len(), "user"));
            writeln!(self.to, "\n{}", self.paint.bad(title))?;
            for conflict in conflicts {
                let (expected, found) = expected_and_found(plan, conflict);
                let user = self.paint.strong(&conflict.change.user);
                writeln!(self.to, "  {user}: the plan expected {expected}, and there is {found}")?;
            }
            writeln!(self.to, "  {} plan again.", self.paint.strong("What to do:"))?;
        }
        if !already_done.is_empty() {
            writeln!(self.to, "\nAlready done: {}", counted(already_done.len(), "user"))?;
            let users: Vec<&str> = already_done.iter().map(|change| change.user.as_str()).collect();
            for line in wrapped(&users, 96) {
                writeln!(self.to, "  {line}")?;
            }
        }
        if conflicts.is_empty() && already_done.is_empty() { Ok(()) } else { writeln!(self.to) }
    }

    fn ended(&mut self, item: &Item) -> io::Result<()> {
        let change = &item.change;
        match &item.outcome {
            Outcome::Applied { attempts, .. } => {
                let change = self.columns.line(self.plan(), change, self.paint);
                let tries = match attempts {
                    1 => String::new(),
                    n => self.paint.dim(format!("  ({n} attempts)")),
                };
                writeln!(self.to, "{} {change}{tries}", self.paint.good("applied"))
            }
            Outcome::Failed { attempts, error } => {
                self.failures.add(change.user.clone(), error.clone());
                let change = self.columns.padded(self.plan(), change, self.paint);
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
                Some(StopReason::Error | StopReason::Refused) | None => "",
            };
            let title =
                format!("Not attempted: {}{why}", counted(self.not_attempted.len(), "user"));
            writeln!(text, "\n{}", self.paint.careful(title))?;
            let users: Vec<&str> = self.not_attempted.iter().map(String::as_str).collect();
            for line in wrapped(&users, 96) {
                writeln!(text, "  {line}")?;
            }
        }
        let counts = closing_counts(self.recheck, summary);
        let (word, counts) = if is_complete(self.recheck, summary) {
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
        let digest = self.recheck.digest.short();
        writeln!(text, "\n{word}: {counts}; {calls}{throttled} in {seconds:.1} s; plan {digest}.")
    }
}

impl<W: Write> Listener for ApplyText<'_, W> {
    fn on(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started { .. } => self.started(),
            Event::Retrying { .. } => Ok(()),
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
