use std::io::{self, Write};

use super::conflict::expected_and_found;
use super::markdown::{Page, Part, clipped, code, words};
use super::outcomes::{closing_counts, is_complete, why_stopped};
use super::plan_markdown::{change_line, problem_line};
use super::seen::{Unread, lost_answer, written_and_found};
use super::{Listener, allowing, refusal};
use crate::apply::{CallOutcome, Event, Item, Outcome, StopError, Summary};
use crate::plan::{Conflict, Recheck};

/// Kept free for each part that follows.
const RESERVE: usize = 2_000;
const COLUMNS: &str = "| | user | from | to | line |";

/// A run as Markdown, for a comment or a job's summary, when it is over: the counts, what is not done
/// and why, and what is done, folded.
pub struct ApplyMarkdown<'a, W> {
    recheck: &'a Recheck,
    items: Vec<Item>,
    stopped_by: Option<StopError>,
    to: W,
}

impl<'a, W: Write> ApplyMarkdown<'a, W> {
    /// Writes the run of `recheck` to `to`.
    pub fn new(recheck: &'a Recheck, to: W) -> Self {
        ApplyMarkdown { recheck, items: Vec::new(), stopped_by: None, to }
    }

    fn text(&self, summary: &Summary) -> String {
        let Recheck { plan, conflicts, already_done, violations, digest } = self.recheck;
        let word = if is_complete(self.recheck, summary) { "done" } else { "not all done" };
        let account = code(plan.account.as_str());
        let counts = closing_counts(self.recheck, summary);
        let mut whole =
            format!("### Permissions boundaries of account {account}: {word}\n\n{counts}.\n");
        if !violations.is_empty() {
            whole.push_str("\n**Guard rails refused this plan, and nothing was changed:**\n\n");
            for why in refusal(plan, violations) {
                whole.push_str(&format!("- {}\n", words(&why)));
            }
            whole.push_str(&format!("\n{}.\n", words(&allowing(plan, violations))));
        }
        if let Some(error) = &self.stopped_by {
            whole.push_str(&format!("\n**Stopped early:** {}\n", clipped(&why_stopped(error))));
        }
        whole.push_str(&format!("\nDigest of the plan: `{digest}`\n"));
        let mut page = Page::begin("iam-boundaries apply", &whole);
        let list = |line: &dyn Fn(&Item) -> Option<String>| -> Vec<String> {
            let line = |item: &Item| {
                Some(format!("- {}: {}", code(item.change.user.as_str()), line(item)?))
            };
            self.items.iter().filter_map(line).collect()
        };
        let failed = list(&|item| match &item.answer {
            CallOutcome::Failed { error, .. } if item.class() == Outcome::Failed => {
                Some(clipped(&error.to_string()))
            }
            _ => None,
        });
        page.part(&Part::list("Failed", failed, "user"), RESERVE * 8);
        let otherwise = list(&|item| {
            let (written, found) = written_and_found(plan, item)?;
            Some(format!("it was to be {}, and there is {}", code(&written), clipped(&found)))
        });
        page.part(&Part::list("Not as written", otherwise, "user"), RESERVE * 7);
        let unread = list(&|item| match Unread::of(item)? {
            Unread::Failed(error) => Some(clipped(&error.to_string())),
            Unread::Stopped => {
                Some("it was not seen to be done when the run was stopped".to_owned())
            }
        });
        page.part(&Part::list("Not read back", unread, "user"), RESERVE * 6);
        let lost = list(&|item| {
            let error = clipped(&lost_answer(item)?.to_string());
            Some(format!("reading back showed it, after {error}"))
        });
        page.part(&Part::list("Applied, though no answer said so", lost, "user"), RESERVE * 5);
        let conflicts = conflicts.iter().map(|conflict| self.conflict(conflict)).collect();
        page.part(&Part::list("In conflict, not written", conflicts, "user"), RESERVE * 4);
        let problems = plan.problems.iter().map(problem_line);
        page.part(&Part::list("Cannot be planned", problems.collect(), "problem"), RESERVE * 3);
        let of = |class: Outcome| -> Vec<String> {
            let items = self.items.iter().filter(|item| item.class() == class);
            items.map(|item| change_line(plan, &item.change)).collect()
        };
        let not_attempted = of(Outcome::NotAttempted);
        page.part(&Part::table("Not attempted", COLUMNS, not_attempted, "user"), RESERVE * 2);
        page.part(&Part::table("Applied", COLUMNS, of(Outcome::Applied), "user"), RESERVE);
        let done = already_done.iter().map(|change| change_line(plan, change)).collect();
        page.part(&Part::table("Already done", COLUMNS, done, "user"), 0);
        page.into_text()
    }

    fn conflict(&self, conflict: &Conflict) -> String {
        let (expected, found) = expected_and_found(&self.recheck.plan, conflict);
        let user = code(conflict.change.user.as_str());
        format!("- {user}: the plan expected {}, and there is {}", code(&expected), clipped(&found))
    }
}

impl<W: Write> Listener for ApplyMarkdown<'_, W> {
    fn on(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started { .. }
            | Event::Retrying { .. }
            | Event::Answered { .. }
            | Event::ReadingBack { .. } => {}
            Event::Ended(item) => self.items.push(item.clone()),
            Event::StoppedBy(error) => self.stopped_by = Some(error.clone()),
            Event::Finished(summary) => {
                self.items.sort_by(|a, b| a.change.user.cmp(&b.change.user));
                let text = self.text(summary);
                self.to.write_all(text.as_bytes())?;
                self.to.flush()?;
            }
        }
        Ok(())
    }
}
