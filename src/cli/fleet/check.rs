use std::path::Path;

use super::super::args::Format;
use super::super::check::write_to_review;
use super::super::exit_code::Exit;
use super::super::failure::Failure;
use super::super::output::Output;
use crate::ops;
use crate::report::{Headline, render_file_errors, render_fleet_check};

/// Checks a fleet file, and the boundaries files that it names.
pub(in crate::cli) fn check(file: &Path, format: Format, output: &Output) -> Result<Exit, Failure> {
    match ops::check_fleet(file).map_err(Failure::from) {
        Ok((fleet, configs)) => {
            output.conclude(|| Headline::of_check(&fleet.path, configs.warnings().len()));
            let text = render_fleet_check(&fleet, &configs, format.into(), output.out);
            output.result(format, &text)?;
            Ok(Exit::Done)
        }
        Err(Failure::File(errors)) if format == Format::Json => {
            output.result(format, &render_file_errors(&errors, format.into(), output.out))?;
            Err(Failure::File(errors))
        }
        Err(failure) => Err(write_to_review(failure, format, output)?),
    }
}
