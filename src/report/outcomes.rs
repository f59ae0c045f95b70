use crate::apply::{ApiError, ErrorClass, StopError, Summary};
use crate::plan::Recheck;

/// The counts of what was carried out, in words: what is always there first, and what seldom is only
/// where it is.
pub fn summary_counts(summary: &Summary) -> String {
    let Summary { applied, failed, not_attempted, .. } = summary;
    let mut counts = format!("{applied} applied, {failed} failed, {not_attempted} not attempted");
    add_seldom(
        &mut counts,
        &[(summary.not_as_written, "not as written"), (summary.not_read_back, "not read back")],
    );
    counts
}

/// The counts of a run, in words.
pub(super) fn closing_counts(recheck: &Recheck, summary: &Summary) -> String {
    let mut counts = summary_counts(summary);
    add_seldom(
        &mut counts,
        &[
            (recheck.conflicts.len(), "in conflict"),
            (recheck.already_done.len(), "already done"),
            (recheck.plan.problems.len(), "cannot be planned"),
        ],
    );
    counts
}

fn add_seldom(counts: &mut String, seldom: &[(usize, &str)]) {
    for (count, what) in seldom.iter().filter(|(count, _)| *count > 0) {
        counts.push_str(&format!(", {count} {what}"));
    }
}

/// Whether all that the file asks for is so now, and was seen to be.
pub(super) fn is_complete(recheck: &Recheck, summary: &Summary) -> bool {
    summary.is_complete() && recheck.conflicts.is_empty() && recheck.plan.problems.is_empty()
}

/// Why a run stops early.
pub(super) fn why_stopped(error: &StopError) -> String {
    match error {
        StopError::Call(ApiError { class: ErrorClass::Denied, .. }) => format!(
            "every user so far was denied, with each boundary of the plan, and nothing was accepted: {error}"
        ),
        StopError::Call(_) | StopError::Journal(_) => error.to_string(),
    }
}
