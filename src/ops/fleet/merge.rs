use std::path::PathBuf;

use super::super::error::Error;
use super::super::saved_plan::{write_fleet_plan, written_input};
use super::super::saved_plan_error::ReadPlanError;
use crate::files::{MaxSize, read_input};
use crate::iam::Printable;
use crate::plan::saved::{is_fleet_plan, is_plan_like};
use crate::plan::{FleetPlan, MergeError};

/// Options of [`merge`].
#[derive(Debug, Clone)]
pub struct MergeOptions {
    /// The saved plans or the run reports of the parts of a fleet; `-` is standard input. At least one.
    pub files: Vec<PathBuf>,
    /// Where to save the merged plan.
    pub out: Option<PathBuf>,
}

/// What the files of [`merge`] are.
#[derive(Debug)]
pub enum Merged {
    /// Plans, which are merged and saved.
    Plan(Box<FleetPlan>),
    /// No plans, so they can be run reports: each file with its content. Nothing was saved.
    Reports(Vec<(Printable, Vec<u8>)>),
}

/// Merges the saved plans of the parts of a fleet, or reads their run reports. Connects to nothing.
///
/// # Errors
/// If a file cannot be read or is not usable, the plans are not those of different parts of one fleet, or the merged plan
/// cannot be saved.
pub fn merge(options: &MergeOptions) -> Result<Merged, Error> {
    let (mut plans, mut reports) = (Vec::new(), Vec::new());
    for path in &options.files {
        let file = written_input(path);
        let unusable = |source| Error::ReadPlan { path: file.clone(), source };
        let text = read_input(path, MaxSize::FLEET_PLAN)
            .map_err(|error| unusable(ReadPlanError::Unreadable(error)))?;
        if is_fleet_plan(&text) {
            let plan = FleetPlan::from_json(&text).map_err(|error| unusable(error.into()))?;
            plans.push((file, plan));
        } else if is_plan_like(&text) {
            return Err(MergeError::OneAccount { file }.into());
        } else {
            reports.push((file, text));
        }
    }
    match (plans.first(), reports.first()) {
        (Some((plan, _)), Some((report, _))) => {
            Err(MergeError::Mixed { plan: plan.clone(), report: report.clone() }.into())
        }
        (Some(_), None) => {
            let plan = FleetPlan::merge(plans)?;
            if let Some(path) = &options.out {
                write_fleet_plan(&plan, path)?;
            }
            Ok(Merged::Plan(Box::new(plan)))
        }
        (None, _) => Ok(Merged::Reports(reports)),
    }
}
