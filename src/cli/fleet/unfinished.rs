use super::super::unfinished::listed;
use crate::iam::{Principal, Printable, counted, grouped};
use crate::journal::{FleetRecordAccount, FleetRecordState, RunRecord};
use crate::ops::UnfinishedFleetRun;

/// The message about an earlier run on a fleet that did not finish: what it left open, account by account.
pub(super) fn message(run: &UnfinishedFleetRun) -> String {
    match run {
        UnfinishedFleetRun::Unknown(file, why) => format!(
            "An earlier run on this fleet did not finish, and what it left open is unknown: {file} cannot be used: \
             {why}. {CONTINUES}"
        ),
        UnfinishedFleetRun::Known { directory, record, states } => {
            let mut complete = 0;
            let (mut open, mut not_begun) = (Vec::new(), Vec::new());
            for (account, state) in record.accounts.iter().zip(states) {
                match state {
                    FleetRecordState::Begun(run) if run.end.is_some() => complete += 1,
                    // A run whose plans were not made before it began can have accounts without changes.
                    FleetRecordState::NotBegun => not_begun.push(account.label()),
                    FleetRecordState::Begun(run) => open.push(open_in(account, run)),
                    FleetRecordState::Unreadable(error) => {
                        let account = account.label();
                        open.push(format!("  {account}: the journal cannot be used: {error}"));
                    }
                }
            }
            let mut text = format!(
                "The run of {} on this fleet did not finish. {} of {} ended.\n",
                record.began.to_the_minute(),
                grouped(complete),
                counted(record.accounts.len(), "account"),
            );
            for line in &open {
                text += &format!("{line}\n");
            }
            if !not_begun.is_empty() {
                text += &format!("  Not begun: {}.\n", listed(&not_begun));
            }
            let directory = Printable::path(directory);
            text + &format!(
                "{CONTINUES} To plan a rollback of the unfinished run, use `iam-boundaries rollback {directory}`."
            )
        }
    }
}

const CONTINUES: &str =
    "This run reads the accounts again, so changes that were made are not repeated.";

fn open_in(account: &FleetRecordAccount, run: &RunRecord) -> String {
    let open: Vec<&Principal> = run.unfinished().collect();
    let recorded = run.entries.len() - open.len();
    let not_attempted = run.header.changes.saturating_sub(run.entries.len());
    let mut parts = vec![format!("the outcome of {} is recorded", counted(recorded, "change"))];
    if !open.is_empty() {
        let changes = counted(open.len(), "change");
        parts.push(format!("the outcome of {changes} is unknown: {}", listed(&open)));
    }
    if not_attempted > 0 {
        let verb = if not_attempted == 1 { "was" } else { "were" };
        parts.push(format!("{} {verb} not attempted", counted(not_attempted, "change")));
    }
    format!("  {}: {}", account.label(), parts.join("; "))
}
