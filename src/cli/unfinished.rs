use crate::iam::Principal;
use crate::journal::{Outcome, ReadError, RunRecord};
use crate::state::UnfinishedRun;

/// The number of principals that are named; the journal names all.
const NAMED: usize = 20;

/// What an earlier run left open, for a person.
pub(super) fn message(run: &UnfinishedRun) -> String {
    match run {
        UnfinishedRun::Recorded { began, journal, record } => format!(
            "The run of {} did not end. Its journal is {}. {} This run reads the account again and plans \
             what is left to do; `iam-boundaries rollback JOURNAL` shows everything that the journal records.",
            began.to_the_minute(),
            journal.display(),
            left_open(record)
        ),
        UnfinishedRun::Unrecorded { began, journal, error } => {
            let why = match error {
                ReadError::Unreadable(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    "does not exist any more".to_owned()
                }
                other => format!("cannot be used: {other}"),
            };
            let (began, journal) = (began.to_the_minute(), journal.display());
            unknown(&format!("the run began on {began}, and its journal {journal} {why}"))
        }
        UnfinishedRun::Unreadable { file, error } => {
            let file = file.display();
            unknown(&match error {
                Some(error) => format!("{file} cannot be read: {error}"),
                None => format!("{file} does not name its journal"),
            })
        }
    }
}

fn unknown(why: &str) -> String {
    format!(
        "An earlier run did not end, and what it left open is not known: {why}. This run reads the account \
         again and plans what is left to do."
    )
}

fn left_open(record: &RunRecord) -> String {
    let open: Vec<&Principal> = record.unfinished().collect();
    let (applied, failed) = (record.count(Outcome::Applied), record.count(Outcome::Failed));
    let recorded = format!("{applied} changes were applied and {failed} failed");
    match open.len() {
        0 => format!("{recorded}; no outcome is missing."),
        1 => format!("{recorded}; the outcome of 1 change is not known: {}.", open[0]),
        many => {
            format!("{recorded}; the outcome of {many} changes is not known: {}.", listed(&open))
        }
    }
}

fn listed(principals: &[&Principal]) -> String {
    let names: Vec<String> = principals.iter().take(NAMED).map(ToString::to_string).collect();
    match principals.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}
