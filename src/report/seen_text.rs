use std::collections::BTreeMap;
use std::fmt;

use super::failures::wrapped;
use super::seen::{
    ABOUT_LEFT_OPEN, ABOUT_NOT_AS_WRITTEN, ABOUT_UNREAD, Unread, lost_answer, written_and_found,
};
use super::{Paint, advice, counted};
use crate::apply::{ApiError, Item};
use crate::iam::PrincipalName;
use crate::plan::Plan;

/// What reading back showed that IAM's answers did not say, grouped.
#[derive(Default)]
pub(super) struct Seen {
    /// With what was written and what is there.
    not_as_written: BTreeMap<PrincipalName, (String, String)>,
    done_all_the_same: Vec<PrincipalName>,
    /// By the code of the error.
    unreadable: BTreeMap<String, (ApiError, Vec<PrincipalName>)>,
    stopped: Vec<PrincipalName>,
}

impl Seen {
    pub(super) fn add(&mut self, plan: &Plan, item: &Item) {
        let user = item.change.user.clone();
        if let Some(words) = written_and_found(plan, item) {
            self.not_as_written.insert(user.clone(), words);
        }
        if lost_answer(item).is_some() {
            self.done_all_the_same.push(user.clone());
        }
        match Unread::of(item) {
            Some(Unread::Failed(error)) => {
                let group = self.unreadable.entry(error.code.clone());
                group.or_insert_with(|| (error.clone(), Vec::new())).1.push(user);
            }
            Some(Unread::Stopped) => self.stopped.push(user),
            None => {}
        }
    }

    pub(super) fn write(&self, to: &mut impl fmt::Write, paint: Paint) -> fmt::Result {
        let what_to_do = paint.strong("What to do:");
        if !self.not_as_written.is_empty() {
            let users = counted(self.not_as_written.len(), "user");
            writeln!(to, "\n{}", paint.bad(format!("Not as written: {users}")))?;
            for (user, (written, found)) in &self.not_as_written {
                let user = paint.strong(user);
                writeln!(to, "  {user}: it was to be {written}, and there is {found}")?;
            }
            writeln!(to, "  {what_to_do} {ABOUT_NOT_AS_WRITTEN}")?;
        }
        for (error, users) in self.unreadable.values() {
            let title = format!("Could not be read back: {}", counted(users.len(), "user"));
            writeln!(to, "\n{}", paint.bad(title))?;
            write_names(to, users)?;
            writeln!(to, "  {error}")?;
            let advice = advice(error).map(|advice| format!(" {advice}")).unwrap_or_default();
            writeln!(to, "  {what_to_do} {ABOUT_UNREAD}{advice}")?;
        }
        if !self.stopped.is_empty() {
            let users = counted(self.stopped.len(), "user");
            let title = format!("Not seen to be done when the run was stopped: {users}");
            writeln!(to, "\n{}", paint.careful(title))?;
            write_names(to, &self.stopped)?;
            writeln!(to, "  {what_to_do} {ABOUT_LEFT_OPEN}")?;
        }
        if !self.done_all_the_same.is_empty() {
            let users = counted(self.done_all_the_same.len(), "user");
            let title =
                format!("Applied, as reading back showed, though no answer said so: {users}");
            writeln!(to, "\n{}", paint.good(title))?;
            write_names(to, &self.done_all_the_same)?;
            writeln!(to, "  {what_to_do} nothing.")?;
        }
        Ok(())
    }
}

fn write_names(to: &mut impl fmt::Write, users: &[PrincipalName]) -> fmt::Result {
    let mut users: Vec<&str> = users.iter().map(PrincipalName::as_str).collect();
    users.sort_unstable();
    wrapped(&users, 96).iter().try_for_each(|line| writeln!(to, "  {line}"))
}
