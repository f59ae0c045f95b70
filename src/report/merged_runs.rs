//! The run reports of the parts of a fleet, merged to one.

use super::fleet_lines::{FleetCountsJson, FleetFileJson, SummaryJson};
use super::shard_report::{ReportedAccount, ShardReport, ShardReportError};
use crate::apply::FleetResult;
use crate::iam::{Printable, Shard};
use crate::plan::{MergeError, missing_shards};

/// The run reports of the parts of a fleet.
#[derive(Debug)]
pub struct MergedRuns {
    pub(super) fleet: FleetFileJson,
    /// The reports, sorted by their parts.
    pub(super) reports: Vec<ShardReport>,
    /// The parts without a report.
    pub(super) missing: Vec<Shard>,
    /// The files of runs that did not begin. They are of parts that are missing.
    pub(super) empty: Vec<Printable>,
}

impl MergedRuns {
    /// Merges run reports, which `apply --format json` wrote, each with its file. A part without a report, or whose run did
    /// not end, stays named in the result.
    ///
    /// # Errors
    /// [`ShardReportError`] if a file is damaged, or they are not of different parts of one fleet.
    pub fn merge(files: Vec<(Printable, Vec<u8>)>) -> Result<MergedRuns, ShardReportError> {
        let (mut reports, mut empty) = (Vec::new(), Vec::new());
        for (file, text) in files {
            match ShardReport::read(file.clone(), &text)? {
                Some(report) => reports.push(report),
                None => empty.push(file),
            }
        }
        let given: Vec<(&Printable, Shard)> =
            reports.iter().map(|report| (&report.file, report.shard)).collect();
        let missing = missing_shards(&given)?;
        reports.sort_by_key(|report| report.shard);
        let Some((first, fleet)) =
            reports.first().and_then(|report| Some((report, report.started.fleet.clone()?)))
        else {
            return Err(ShardReportError::Empty(empty));
        };
        let is_other = |report: &&ShardReport| {
            report.started.fleet.as_ref().is_none_or(|it| it.digest != fleet.digest)
        };
        if let Some(other) = reports.iter().find(is_other) {
            let (file, other) = (first.file.clone(), other.file.clone());
            return Err(MergeError::OtherFleet { file, other }.into());
        }
        Ok(MergedRuns { fleet, reports, missing, empty })
    }

    /// How the runs ended together: complete only if the runs of all parts are there, ended and complete.
    pub fn result(&self) -> FleetResult {
        let summaries: Option<Vec<&SummaryJson>> =
            self.reports.iter().map(|report| report.summary.as_ref()).collect();
        let Some(summaries) =
            summaries.filter(|_| self.missing.is_empty() && self.empty.is_empty())
        else {
            return FleetResult::Incomplete;
        };
        let is_complete = |it: &&SummaryJson| it.result == FleetResult::Complete;
        let is_interrupted = |it: &&SummaryJson| it.result == FleetResult::Interrupted;
        let is_unchanged = |it: &&SummaryJson| match it.result {
            FleetResult::Refused => true,
            FleetResult::Complete => it.counts.applied == 0,
            FleetResult::Incomplete | FleetResult::Interrupted => false,
        };
        if summaries.iter().all(is_complete) {
            FleetResult::Complete
        } else if summaries.iter().any(is_interrupted) {
            FleetResult::Interrupted
        } else if summaries.iter().all(is_unchanged) {
            FleetResult::Refused
        } else {
            FleetResult::Incomplete
        }
    }

    /// The parts whose run began and did not end.
    pub(super) fn not_ended(&self) -> impl Iterator<Item = &ShardReport> {
        self.reports.iter().filter(|report| report.summary.is_none())
    }

    /// What the lines say about each account.
    pub(super) fn accounts(&self) -> impl Iterator<Item = &ReportedAccount> {
        self.reports.iter().flat_map(|report| report.accounts.values())
    }

    /// The sums over all parts. Those of a run that did not end are as far as its lines show them: none of its accounts
    /// counts as complete.
    pub(super) fn counts(&self) -> FleetCountsJson {
        let mut sum = FleetCountsJson::default();
        for report in &self.reports {
            sum += report.summary.as_ref().map_or_else(|| report.counts(), |it| it.counts);
        }
        sum
    }
}
