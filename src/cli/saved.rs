//! Plans in files, and what to say where one cannot be read or written.

use std::io;
use std::path::Path;

use super::args::Args;
use super::exit::Failure;
use super::output::Output;
use crate::plan::Plan;
use crate::plan::saved::{self, ReadError, SavedPlanError, WriteError};

/// The plan in `path`.
pub(super) fn read(args: &Args, path: &Path) -> Result<Plan, Failure> {
    if let Some(file) = &args.file {
        let file = file.display();
        return Err(Failure::new(format!("-f {file} has no meaning with a saved plan"))
            .advise("leave it out: the plan holds what its file said"));
    }
    saved::read(path).map_err(|error| {
        let advice = match &error {
            ReadError::Unreadable(_) => "save one with plan --out PLAN",
            ReadError::NoPlan(SavedPlanError::NotAPlan) => {
                "name a file that plan --out has written; a boundaries file is given with -f"
            }
            ReadError::NoPlan(SavedPlanError::Newer(_)) => {
                "use the version of iam-boundaries that made the plan, or plan again with this one"
            }
            ReadError::NoPlan(SavedPlanError::Older(_)) => "plan again with this version",
            ReadError::NoPlan(_) => "plan again: nothing of this plan is carried out",
        };
        let path =
            if path.as_os_str() == "-" { "standard input" } else { &*path.to_string_lossy() };
        let why = match &error {
            ReadError::Unreadable(error) => unreadable(error),
            other => other.to_string(),
        };
        Failure::new(format!("cannot use {path}: {why}")).advise(advice)
    })
}

/// Saves `plan` in `path`, and says so.
pub(super) fn write(plan: &Plan, path: &Path, output: &Output) -> Result<(), Failure> {
    let shown = path.display();
    saved::write(plan, path).map_err(|error| {
        let advice = match &error {
            WriteError::Unwritable(_) => {
                "look at the folder, its rights, and the space on the disk"
            }
            WriteError::OtherFile | WriteError::NotAFile => {
                "name a new file, or an earlier plan: nothing else is written over"
            }
            WriteError::NotReadable(_) => "give the file that it is made from a plain path",
        };
        Failure::new(format!("cannot save the plan in {shown}: {error}")).advise(advice)
    })?;
    output.remark(&format!("saved in {shown}, digest {}", plan.digest()));
    Ok(())
}

/// Why a file cannot be read.
pub(super) fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        _ => error.to_string(),
    }
}
