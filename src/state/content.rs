//! Everything that a state directory can contain. The manual page is made from this list.

/// A file or a directory that a state directory can contain.
#[derive(Debug, Clone, Copy)]
pub struct StateEntry {
    /// The path in the state directory, with placeholders in capital letters. That of a directory ends with `/`.
    pub path: &'static str,
    /// What it is, in sentences.
    pub purpose: &'static str,
}

/// The names of the files and directories whose names are always the same.
pub(super) const LOCK: &str = "lock";
pub(super) const UNFINISHED: &str = "unfinished.json";
pub(super) const MEASURED_RATES: &str = "measured-rates.json";
pub(super) const FLEETS: &str = "fleets";
/// The beginning of the names of files that are being written.
pub(super) const TEMPORARY: &str = ".iam-boundaries-";

/// What a state directory can contain.
pub const STATE_ENTRIES: &[StateEntry] = &[
    StateEntry {
        path: "ACCOUNT/",
        purpose: "The state of an account. The directory and the one above it must have mode 0700.",
    },
    StateEntry {
        path: "ACCOUNT/DATE-DIGEST.jsonl",
        purpose: "The journal of a run, for `rollback`: DATE is when the run began, and DIGEST is the beginning of the \
                  digest of the plan. The tool never deletes it.",
    },
    StateEntry {
        path: "ACCOUNT/lock",
        purpose: "The lock that allows one run at a time, with the process ID of the last run. The file stays after \
                  the run.",
    },
    StateEntry {
        path: "ACCOUNT/unfinished.json",
        purpose: "Names the journal of a run in progress, or of one that did not finish. The next run reads it and \
                  reports the changes whose outcome is unknown. Do not delete it.",
    },
    StateEntry {
        path: "ACCOUNT/measured-rates.json",
        purpose: "The rates that IAM sustained, at which the next run starts. It can be deleted.",
    },
    StateEntry {
        path: "fleets/",
        purpose: "The state of the runs on fleets. The directory must have mode 0700.",
    },
    StateEntry {
        path: "fleets/DATE-DIGEST/",
        purpose: "A run on a fleet, for `rollback`. The tool never deletes it.",
    },
    StateEntry {
        path: "fleets/DATE-DIGEST/fleet.json",
        purpose: "The record of the run: its accounts, and whether it ended.",
    },
    StateEntry {
        path: "fleets/DATE-DIGEST/ACCOUNT.jsonl",
        purpose: "The journal of the run on an account.",
    },
    StateEntry {
        path: "fleets/unfinished-KEY.json",
        purpose: "Names the directory of a run in progress, or of one that did not finish, on the fleet with this KEY. \
                  The next run on the fleet reads it. Do not delete it.",
    },
    StateEntry {
        path: "fleets/unfinished-KEY.lock",
        purpose: "The lock that shows whether the run is in progress. The file stays after the run.",
    },
    StateEntry {
        path: ".iam-boundaries-*",
        purpose: "In any of these directories: a file that was being written when the process was killed. It can be \
                  deleted if no run is in progress.",
    },
];
