use crate::iam::{Principal, Printable, counted, grouped};
use crate::journal::{Outcome, ReadError, RunRecord};
use crate::state::UnfinishedRun;

/// The maximum number of principals or accounts that are named; the journals contain all of them.
const MAX_NAMES: usize = 20;

/// The message about an earlier run that did not finish.
pub(super) fn message(run: &UnfinishedRun) -> String {
    match run {
        UnfinishedRun::ReadableJournal { began, journal, record } => format!(
            "The run of {} did not finish. Its journal is {}. {} {CONTINUES} To plan a rollback of the \
             unfinished run, use `iam-boundaries rollback JOURNAL`.",
            began.to_the_minute(),
            Printable::path(journal),
            known_outcomes(record)
        ),
        UnfinishedRun::UnreadableJournal { began, journal, error } => {
            let why = match error {
                ReadError::Unreadable(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    "no longer exists".to_owned()
                }
                other => format!("cannot be used: {other}"),
            };
            let (began, journal) = (began.to_the_minute(), Printable::path(journal));
            unknown(&format!("the run began at {began}, and its journal {journal} {why}"))
        }
        UnfinishedRun::UnreadableMarker { file, error } => {
            let file = Printable::path(file);
            unknown(&match error {
                Some(error) => format!("{file} cannot be read: {error}"),
                None => format!("{file} does not name its journal"),
            })
        }
    }
}

const CONTINUES: &str =
    "This run reads the account again, so changes that were made are not repeated.";

fn unknown(why: &str) -> String {
    format!(
        "An earlier run did not finish, and its unfinished changes are unknown: {why}. {CONTINUES}"
    )
}

fn known_outcomes(record: &RunRecord) -> String {
    let open: Vec<&Principal> = record.unfinished().collect();
    let (applied, failed) = (record.count(Outcome::Applied), record.count(Outcome::Failed));
    let were = if applied == 1 { "was" } else { "were" };
    let known =
        format!("{} {were} applied and {} failed", counted(applied, "change"), grouped(failed));
    match open.len() {
        0 => format!("{known}; every outcome is known."),
        many => {
            let changes = counted(many, "change");
            format!("{known}; the outcome of {changes} is unknown: {}.", listed(&open))
        }
    }
}

/// The names in a sentence: at most [`MAX_NAMES`], and the number of the others.
pub(super) fn listed<N: ToString>(names: &[N]) -> String {
    let named: Vec<String> = names.iter().take(MAX_NAMES).map(ToString::to_string).collect();
    match names.len().saturating_sub(MAX_NAMES) {
        0 => named.join(", "),
        more => format!("{} and {} more", named.join(", "), grouped(more)),
    }
}
