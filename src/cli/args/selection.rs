use std::path::PathBuf;

use super::value::days;
use crate::iam::PrincipalPattern;
use crate::ops::Selection;
use crate::plan::PlanContext;

/// The options that select what is planned.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct SelectionArgs {
    /// Plan only the users or roles that match, such as user/alice or role/ci-*; can be repeated
    ///
    /// The other principals of the file are counted, and are not changed.
    #[arg(long, value_name = "PATTERN")]
    pub(in crate::cli) only: Vec<PrincipalPattern>,
    /// Name the entries that expire within this number of days, such as 30d [default: 14d]
    #[arg(long, value_name = "DAYS", value_parser = days)]
    expiring_within: Option<u32>,
}

impl SelectionArgs {
    /// What is planned of these boundaries files.
    pub(in crate::cli) fn of(&self, files: Vec<PathBuf>) -> Selection {
        Selection {
            only: (!self.only.is_empty()).then(|| self.only.clone()),
            expiring_within: self.expiring_within.unwrap_or(PlanContext::EXPIRING_WITHIN),
            ..Selection::of_files(files)
        }
    }

    /// Whether an option is set.
    pub(in crate::cli) fn is_set(&self) -> bool {
        !self.only.is_empty() || self.expiring_within.is_some()
    }
}
