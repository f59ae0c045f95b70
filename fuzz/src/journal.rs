use std::collections::BTreeSet;

use iam_boundaries::iam::{Digest, PolicyArn};
use iam_boundaries::inventory::{Inventory, Reading};
use iam_boundaries::journal::{Entry, Outcome, RunRecord};
use iam_boundaries::plan::{Plan, Problem, ProblemKind, changed_principals, rollback};
use serde_json::Value;

use super::reports::{found, inert, of_plan, reads_back};

const FILE: &str = "run.jsonl";

/// The journal of a run: any bytes.
pub fn journal(input: &[u8]) -> bool {
    let is_read = read(input);
    // A fuzzer cannot guess a digest, so the journal is also read with the correct digest.
    let mended = with_right_digest(input).is_some_and(|mended| read(&mended));
    is_read || mended
}

/// The journal with the correct digest in its last line, computed as described in `docs/journal-format.md`.
fn with_right_digest(input: &[u8]) -> Option<Vec<u8>> {
    let text = input.strip_suffix(b"\n").unwrap_or(input);
    let (before, last) = text.split_at(text.iter().rposition(|&byte| byte == b'\n')? + 1);
    let mut last: Value = serde_json::from_slice(last).ok()?;
    last.get("lines")?;
    last["lines"] = Digest::of(before).to_string().into();
    Some([before, last.to_string().as_bytes()].concat())
}

fn read(input: &[u8]) -> bool {
    let record = RunRecord::parse(input);
    assert_eq!(record, RunRecord::parse(input));
    match record {
        Ok(record) => {
            is_consistent(&record);
            can_be_truncated(input, &record);
            can_be_rolled_back(&record);
            true
        }
        Err(error) => {
            inert(&error.to_string());
            false
        }
    }
}

fn is_consistent(record: &RunRecord) {
    let RunRecord { header, entries, .. } = record;
    assert!(entries.len() <= header.changes, "more entries than changes");
    assert!(entries.is_sorted_by(|a, b| a.line < b.line), "the entries are not sorted");
    let users: BTreeSet<_> = entries.iter().map(|entry| entry.intent.principal.folded()).collect();
    assert_eq!(users.len(), entries.len(), "a user has two entries");
    let classes = [Outcome::Applied, Outcome::NotAsWritten, Outcome::Failed, Outcome::NotAttempted];
    let ended: usize = classes.into_iter().map(|class| record.count(class)).sum();
    assert_eq!(
        ended + record.unfinished().count(),
        entries.len(),
        "an entry has no outcome and is not unfinished"
    );
}

/// A crash can truncate the journal, even in the middle of a line. The rest is still a journal, and agrees
/// with the complete one.
fn can_be_truncated(input: &[u8], record: &RunRecord) {
    let ends = input.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    let ends: Vec<usize> = ends.collect();
    let Some((&header, others)) = ends.split_first() else { return };
    // In a long journal, only some of the lines are tested, because each test reads all lines before it.
    let some = others.iter().step_by(others.len() / 8 + 1);
    for end in [header].iter().chain(some) {
        let earlier =
            RunRecord::parse(&input[..*end]).expect("the beginning of a journal is a journal");
        let torn = [&input[..*end], br#"{"type":"intent","kind":"user","name":"al"#].concat();
        match RunRecord::parse(&torn) {
            Ok(torn) => assert_eq!((&torn.entries, torn.end), (&earlier.entries, None)),
            Err(_) => assert!(earlier.end.is_some(), "an incomplete last line is ignored"),
        }
        assert!(earlier.entries.len() <= record.entries.len());
        for (earlier, later) in earlier.entries.iter().zip(&record.entries) {
            assert_eq!((&earlier.intent, earlier.line), (&later.intent, later.line));
            assert!(earlier.outcome.is_none() || earlier.outcome == later.outcome);
            assert!(earlier.correction.is_none() || earlier.correction == later.correction);
        }
    }
}

/// The rollback of the run is a valid plan for every state of the account.
fn can_be_rolled_back(record: &RunRecord) {
    let with = |entry: &Entry, boundary: Option<&PolicyArn>| match &entry.intent.unique_id {
        Some(unique_id) => {
            Reading::Found { unique_id: unique_id.clone(), boundary: boundary.cloned() }
        }
        None => found(boundary),
    };
    let as_left = |entry: &Entry| with(entry, entry.intent.boundary.to());
    let as_before = |entry: &Entry| with(entry, entry.intent.boundary.from());
    let gone = |_: &Entry| Reading::NotFound { differs_by_case: None };
    let left = rolled_back(record, as_left);
    // IAM can report a policy of another account, which cannot be set.
    let foreign =
        |problem: &Problem| matches!(problem.kind, ProblemKind::PolicyNotAttachable { .. });
    assert!(left.problems.iter().all(foreign), "{:?}", left.problems);
    assert_eq!(left.changes.len() + left.problems.len(), changed_principals(record).count());
    let before = rolled_back(record, as_before);
    assert_eq!(before.in_sync.total(), changed_principals(record).count());
    let gone = rolled_back(record, gone);
    assert_eq!(gone.problems.len(), changed_principals(record).count());
}

fn rolled_back(record: &RunRecord, reading: impl Fn(&Entry) -> Reading) -> Plan {
    let readings =
        record.entries.iter().map(|entry| (entry.intent.principal.clone(), reading(entry)));
    let plan = rollback(record, &FILE.into(), &Inventory::of(readings.collect()));
    reads_back(&plan);
    of_plan(&plan);
    plan
}
