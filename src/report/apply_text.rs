use std::fmt::Write as _;
use std::io::{self, Write};

use super::columns::Columns;
use super::conflict::expected_and_found;
use super::failures::{Failures, wrapped};
use super::outcomes::{closing_counts, is_complete, why_stopped};
use super::seen_text::Seen;
use super::{Listener, Paint, counted};
use crate::apply::{CallOutcome, Event, Item, Outcome, StopReason, Summary};
use crate::plan::{Change, Plan, Recheck};

/// A run for people: a line for each item as it is answered; then what went wrong and what reading back
/// showed, grouped; then the counts.
pub struct ApplyText<'a, W> {
    recheck: &'a Recheck,
    paint: Paint,
    columns: Columns,
    failures: Failures,
    seen: Seen,
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
            seen: Seen::default(),
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

    fn answered(&mut self, change: &Change, answer: &CallOutcome) -> io::Result<()> {
        match answer {
            CallOutcome::Applied { attempts, .. } => {
                let change = self.columns.line(self.plan(), change, self.paint);
                let tries = match attempts {
                    1 => String::new(),
                    n => self.paint.dim(format!("  ({n} attempts)")),
                };
                writeln!(self.to, "{} {change}{tries}", self.paint.good("applied"))
            }
            CallOutcome::Failed { attempts, error, may_be_done } => {
                let change = self.columns.padded(self.plan(), change, self.paint);
                let tries = counted(*attempts as usize, "attempt");
                let word = match may_be_done {
                    true => self.paint.careful("unclear"),
                    false => self.paint.bad("failed "),
                };
                writeln!(self.to, "{word} {change}  after {tries}, {error}")
            }
            CallOutcome::NotAttempted => Ok(()),
        }
    }

    fn ended(&mut self, item: &Item) {
        let user = &item.change.user;
        match (&item.answer, item.class()) {
            (CallOutcome::Failed { error, .. }, Outcome::Failed) => {
                self.failures.add(user, error, &item.read_back);
            }
            // Listed together at the end: a stopped run has thousands of them.
            (_, Outcome::NotAttempted) => self.not_attempted.push(user.to_string()),
            _ => {}
        }
        self.seen.add(&self.recheck.plan, item);
    }

    fn closing(&self, summary: &Summary) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write_closing(&mut text, summary);
        text
    }

    fn write_closing(&self, text: &mut String, summary: &Summary) -> std::fmt::Result {
        self.failures.write(text, self.paint)?;
        self.seen.write(text, self.paint)?;
        if !self.not_attempted.is_empty() {
            let why = match summary.stopped {
                Some(StopReason::Deadline) => ", because the time that --timeout allows was over",
                Some(StopReason::Interrupted) => ", because the run was interrupted",
                Some(StopReason::Journal) => ", because the journal could not be written",
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
            Event::Retrying { .. } | Event::ReadingBack { .. } => Ok(()),
            Event::Answered { change, answer } => self.answered(change, answer),
            Event::Ended(item) => {
                self.ended(item);
                Ok(())
            }
            Event::StoppedBy(error) => {
                let why = why_stopped(error);
                writeln!(self.to, "{} {why}", self.paint.bad("Stopping early:"))
            }
            Event::Finished(summary) => {
                let closing = self.closing(summary);
                self.to.write_all(closing.as_bytes())?;
                self.to.flush()
            }
        }
    }
}
