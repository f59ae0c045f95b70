use crate::apply::Summary;
use crate::plan::Recheck;

/// The counts of a run, in words: what is always there first, and what seldom is only where it is.
pub(super) fn closing_counts(recheck: &Recheck, summary: &Summary) -> String {
    let Summary { applied, failed, not_attempted, .. } = summary;
    let mut counts = format!("{applied} applied, {failed} failed, {not_attempted} not attempted");
    for (count, what) in [
        (recheck.conflicts.len(), "in conflict"),
        (recheck.already_done.len(), "already done"),
        (recheck.plan.problems.len(), "cannot be planned"),
    ] {
        if count > 0 {
            counts.push_str(&format!(", {count} {what}"));
        }
    }
    counts
}

/// Whether all that the file asks for is so now.
pub(super) fn is_complete(recheck: &Recheck, summary: &Summary) -> bool {
    summary.is_complete() && recheck.conflicts.is_empty() && recheck.plan.problems.is_empty()
}
