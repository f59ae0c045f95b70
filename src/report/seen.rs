//! What reading back showed, in words that all formats share.

use super::conflict::found_words;
use super::named;
use crate::apply::{ApiError, CallOutcome, Item, Outcome, ReadBack};
use crate::plan::Plan;

/// What a person does about users who were written and read otherwise.
pub(super) const ABOUT_NOT_AS_WRITTEN: &str = "Run plan to see what is there now: something else may have changed it, or IAM takes longer than \
     --read-back to show what was written.";
/// What a person does about users whom nobody saw.
pub(super) const ABOUT_UNREAD: &str = "Run plan to see whether they are as IAM's answers say.";
/// What a person does about users who were not seen to be as written when a run was stopped.
pub(super) const ABOUT_LEFT_OPEN: &str = "Run plan to see whether IAM has done it.";

/// What was written for an item, and what is there instead.
pub(super) fn written_and_found(plan: &Plan, item: &Item) -> Option<(String, String)> {
    match (item.class(), &item.read_back) {
        (Outcome::NotAsWritten, ReadBack::Otherwise(found)) => {
            let written = named(plan, item.change.action.to()).to_owned();
            Some((written, found_words(plan, found)))
        }
        _ => None,
    }
}

/// The error in place of an answer, if an item was seen to be done that IAM did not say is done.
pub(super) fn lost_answer(item: &Item) -> Option<&ApiError> {
    match (&item.answer, &item.read_back) {
        (CallOutcome::Failed { error, .. }, ReadBack::AsWritten) => Some(error),
        _ => None,
    }
}

/// Why an item that should have been read back was not.
pub(super) enum Unread<'a> {
    /// The run was stopped, and what IAM did is left open.
    Stopped,
    /// Reading failed.
    Failed(&'a ApiError),
}

impl Unread<'_> {
    /// What a person does about it.
    pub(super) fn what_to_do(&self) -> &'static str {
        match self {
            Unread::Stopped => ABOUT_LEFT_OPEN,
            Unread::Failed(_) => ABOUT_UNREAD,
        }
    }

    /// What is worth saying. After a stop, IAM's answers count, so only items without one are, and those
    /// who read otherwise so far.
    pub(super) fn of(item: &Item) -> Option<Unread<'_>> {
        match (&item.read_back, &item.answer) {
            (ReadBack::Failed(error), _) => Some(Unread::Failed(error)),
            (ReadBack::Stopped { last: Some(_) }, _)
            | (ReadBack::Stopped { .. }, CallOutcome::Failed { .. }) => Some(Unread::Stopped),
            _ => None,
        }
    }
}
