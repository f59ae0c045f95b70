use std::io::{self, Write};

use super::advice::{advice_on_failed, advice_on_stop};
use super::conflict::expected_and_found;
use super::github::{Annotation, Level, SHOWN, annotations, remark};
use super::outcomes::{closing_counts, is_complete, why_stopped};
use super::seen::{ABOUT_NOT_AS_WRITTEN, Unread, lost_answer, written_and_found};
use super::{Listener, advice, allowing, counted, refusal};
use crate::apply::{CallOutcome, Event, Item, Outcome, StopError, Summary};
use crate::plan::{Conflict, Recheck};

/// A run as workflow commands: when it is over, an error on the line of each user whose item is not
/// done, and one message with the counts.
pub struct ApplyGithub<'a, W> {
    recheck: &'a Recheck,
    items: Vec<Item>,
    stopped_by: Option<StopError>,
    to: W,
}

impl<'a, W: Write> ApplyGithub<'a, W> {
    /// Writes the run of `recheck` to `to`.
    pub fn new(recheck: &'a Recheck, to: W) -> Self {
        ApplyGithub { recheck, items: Vec::new(), stopped_by: None, to }
    }

    fn text(&self, summary: &Summary) -> String {
        let Recheck { plan, conflicts, violations, digest, .. } = self.recheck;
        let mut on_lines: Vec<Annotation> =
            self.items.iter().filter_map(|item| self.not_done(item)).collect();
        on_lines.extend(conflicts.iter().map(|conflict| self.conflict(conflict)));
        on_lines.sort_by_key(|annotation| annotation.line);
        let level = match is_complete(self.recheck, summary) {
            true => Level::Notice,
            false => Level::Error,
        };
        let counts = closing_counts(self.recheck, summary);
        let message = format!("{counts}. Account {}, plan {digest}", plan.account);
        let mut text = remark(level, "Permissions boundaries", &message);
        // The first message is an error, too, where any of these is.
        let mut room = SHOWN - 1;
        if !violations.is_empty() {
            let why = refusal(plan, violations).join("\n");
            let message = with_advice(&why, Some(&allowing(plan, violations)));
            text.push_str(&remark(Level::Error, "Guard rails refused this plan", &message));
            room -= 1;
        }
        if let Some(error) = &self.stopped_by {
            let message = with_advice(&why_stopped(error), advice_on_stop(error).as_deref());
            text.push_str(&remark(Level::Warning, "Stopped early", &message));
        }
        if let Some(message) = self.unread() {
            text.push_str(&remark(Level::Error, "Not read back", &message));
            room -= 1;
        }
        text.push_str(&annotations(room, Level::Error, &plan.file, "user", on_lines.into_iter()));
        let lost = self.items.iter().filter_map(lost_answer).count();
        if lost > 0 {
            let message = format!(
                "{}: no answer of IAM's said so, and reading back showed it. --format text names them.",
                counted(lost, "user")
            );
            text.push_str(&remark(Level::Notice, "Applied, though no answer said so", &message));
        }
        text
    }

    /// One message for all who could not be read back: what is in the way is seldom about one of them.
    fn unread(&self) -> Option<String> {
        let unread: Vec<Unread> = self.items.iter().filter_map(Unread::of).collect();
        let first = unread.first()?;
        let why = match first {
            Unread::Failed(error) => with_advice(&error.to_string(), advice(error).as_deref()),
            Unread::Stopped => "not seen to be done when the run was stopped".to_owned(),
        };
        Some(format!("{}: {why}\n{}", counted(unread.len(), "user"), first.what_to_do()))
    }

    fn not_done(&self, item: &Item) -> Option<Annotation> {
        let user = &item.change.user;
        let (title, message) = match (&item.answer, written_and_found(&self.recheck.plan, item)) {
            (_, Some((written, found))) => (
                format!("{user}: not as written"),
                format!("It was to be {written}, and there is {found}.\n{ABOUT_NOT_AS_WRITTEN}"),
            ),
            (CallOutcome::Failed { error, .. }, None) if item.class() == Outcome::Failed => {
                let advice = advice_on_failed(error, &item.read_back);
                (format!("{user} failed"), with_advice(&error.to_string(), advice.as_deref()))
            }
            _ => return None,
        };
        Some(Annotation { title, message, line: item.change.line, column: None })
    }

    fn conflict(&self, conflict: &Conflict) -> Annotation {
        let (expected, found) = expected_and_found(&self.recheck.plan, conflict);
        Annotation {
            title: format!("{}: conflict, not written", conflict.change.user),
            message: format!("The plan expected {expected}, and there is {found}: plan again."),
            line: conflict.change.line,
            column: None,
        }
    }
}

fn with_advice(what: &str, advice: Option<&str>) -> String {
    [Some(what), advice].into_iter().flatten().collect::<Vec<_>>().join("\n")
}

impl<W: Write> Listener for ApplyGithub<'_, W> {
    fn on(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started { .. }
            | Event::Retrying { .. }
            | Event::Answered { .. }
            | Event::ReadingBack { .. } => {}
            Event::Ended(item) => self.items.push(item.clone()),
            Event::StoppedBy(error) => self.stopped_by = Some(error.clone()),
            Event::Finished(summary) => {
                let text = self.text(summary);
                self.to.write_all(text.as_bytes())?;
                self.to.flush()?;
            }
        }
        Ok(())
    }
}
