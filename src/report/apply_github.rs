use std::io::{self, Write};

use super::conflict::expected_and_found;
use super::github::{Annotation, Level, SHOWN, annotations, remark};
use super::outcomes::{closing_counts, is_complete};
use super::{Listener, advice};
use crate::apply::{CallError, Event, Item, Outcome, Summary};
use crate::plan::{Conflict, Recheck};

/// A run as workflow commands: when it is over, an error on the line of each user whose item is not
/// done, and one message with the counts.
pub struct ApplyGithub<'a, W> {
    recheck: &'a Recheck,
    failed: Vec<(Item, CallError)>,
    stopped_by: Option<CallError>,
    to: W,
}

impl<'a, W: Write> ApplyGithub<'a, W> {
    /// Writes the run of `recheck` to `to`.
    pub fn new(recheck: &'a Recheck, to: W) -> Self {
        ApplyGithub { recheck, failed: Vec::new(), stopped_by: None, to }
    }

    fn text(&self, summary: &Summary) -> String {
        let Recheck { plan, conflicts, digest, .. } = self.recheck;
        let on_line = |error: &CallError| match advice(error) {
            Some(advice) => format!("{error}\n{advice}"),
            None => error.to_string(),
        };
        let mut failed: Vec<Annotation> = self
            .failed
            .iter()
            .map(|(item, error)| Annotation {
                title: format!("{} failed", item.change.user),
                message: on_line(error),
                line: item.change.line,
                column: None,
            })
            .collect();
        failed.extend(conflicts.iter().map(|conflict| self.conflict(conflict)));
        failed.sort_by_key(|annotation| annotation.line);
        let level = match is_complete(self.recheck, summary) {
            true => Level::Notice,
            false => Level::Error,
        };
        let counts = closing_counts(self.recheck, summary);
        let message = format!("{counts}. Account {}, plan {digest}", plan.account);
        let mut text = remark(level, "Permissions boundaries", &message);
        if let Some(error) = &self.stopped_by {
            text.push_str(&remark(Level::Warning, "Stopped early", &on_line(error)));
        }
        // The first message is an error, too, where any of these is.
        text.push_str(&annotations(
            SHOWN - 1,
            Level::Error,
            &plan.file,
            "user",
            failed.into_iter(),
        ));
        text
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

impl<W: Write> Listener for ApplyGithub<'_, W> {
    fn on(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started { .. } | Event::Retrying { .. } => {}
            Event::Ended(item) => {
                if let Outcome::Failed { error, .. } = &item.outcome {
                    self.failed.push((item.clone(), error.clone()));
                }
            }
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
