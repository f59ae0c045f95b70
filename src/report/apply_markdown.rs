use std::io::{self, Write};

use super::Listener;
use super::conflict::expected_and_found;
use super::markdown::{Page, Part, clipped, code};
use super::outcomes::{closing_counts, is_complete};
use super::plan_markdown::{change_line, problem_line};
use crate::apply::{CallError, Event, Item, Outcome, Summary};
use crate::plan::{Conflict, Recheck};

/// Kept free for each part that follows.
const RESERVE: usize = 2_000;
const COLUMNS: &str = "| | user | from | to | line |";

/// A run as Markdown, for a comment or a job's summary, when it is over: the counts, what is not done
/// and why, and what is done, folded.
pub struct ApplyMarkdown<'a, W> {
    recheck: &'a Recheck,
    items: Vec<Item>,
    stopped_by: Option<CallError>,
    to: W,
}

impl<'a, W: Write> ApplyMarkdown<'a, W> {
    /// Writes the run of `recheck` to `to`.
    pub fn new(recheck: &'a Recheck, to: W) -> Self {
        ApplyMarkdown { recheck, items: Vec::new(), stopped_by: None, to }
    }

    fn text(&self, summary: &Summary) -> String {
        let Recheck { plan, conflicts, already_done, digest } = self.recheck;
        let word = if is_complete(self.recheck, summary) { "done" } else { "not all done" };
        let account = code(plan.account.as_str());
        let counts = closing_counts(self.recheck, summary);
        let mut whole =
            format!("### Permissions boundaries of account {account}: {word}\n\n{counts}.\n");
        if let Some(error) = &self.stopped_by {
            whole.push_str(&format!("\n**Stopped early:** {}\n", clipped(&error.to_string())));
        }
        whole.push_str(&format!("\nDigest of the plan: `{digest}`\n"));
        let mut page = Page::begin("iam-boundaries apply", &whole);
        let failed = self.items.iter().filter_map(|item| match &item.outcome {
            Outcome::Failed { error, .. } => {
                let error = clipped(&error.to_string());
                Some(format!("- {}: {error}", code(item.change.user.as_str())))
            }
            _ => None,
        });
        page.part(&Part::list("Failed", failed.collect(), "user"), RESERVE * 5);
        let conflicts = conflicts.iter().map(|conflict| self.conflict(conflict)).collect();
        page.part(&Part::list("In conflict, not written", conflicts, "user"), RESERVE * 4);
        let problems = plan.problems.iter().map(problem_line);
        page.part(&Part::list("Cannot be planned", problems.collect(), "problem"), RESERVE * 3);
        let with = |is: fn(&Outcome) -> bool| -> Vec<String> {
            let items = self.items.iter().filter(|item| is(&item.outcome));
            items.map(|item| change_line(plan, &item.change)).collect()
        };
        let not_attempted = with(|outcome| matches!(outcome, Outcome::NotAttempted));
        page.part(&Part::table("Not attempted", COLUMNS, not_attempted, "user"), RESERVE * 2);
        let applied = with(|outcome| matches!(outcome, Outcome::Applied { .. }));
        page.part(&Part::table("Applied", COLUMNS, applied, "user"), RESERVE);
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
            Event::Started { .. } | Event::Retrying { .. } => {}
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
