use super::access::{one_account, reject_with_fleet};
use super::args::{Args, CheckArgs, Format};
use super::exit_code::Exit;
use super::failure::Failure;
use super::fleet;
use super::output::Output;
use crate::iam::Printable;
use crate::ops;
use crate::report::{Headline, render_check, render_file_errors};

pub(super) fn run(args: &Args, command: &CheckArgs, output: &Output) -> Result<Exit, Failure> {
    let format = command.format;
    if let Some(file) = &args.fleet {
        reject_with_fleet(args, None, "")?;
        return fleet::check(file, format, output);
    }
    let account = one_account(args)?;
    match ops::check(&args.files(), account).map_err(Failure::from) {
        Ok(config) => {
            let file = Printable::new(&config.path());
            output.conclude(|| Headline::of_check(&file, config.warnings.len()));
            output.result(format, &render_check(&config, format.into(), output.out))?;
            Ok(Exit::Done)
        }
        Err(Failure::File(errors)) if format == Format::Json => {
            output.result(format, &render_file_errors(&errors, format.into(), output.out))?;
            Err(Failure::File(errors))
        }
        Err(failure) => Err(write_to_review(failure, format, output)?),
    }
}

/// Writes the errors of a file to standard output, too, if the format is for a review. Returns the failure.
pub(super) fn write_to_review(
    failure: Failure,
    format: Format,
    output: &Output,
) -> Result<Failure, Failure> {
    if let Failure::File(errors) = &failure {
        match format {
            // Standard output contains a plan or nothing.
            Format::Text | Format::Json => {}
            Format::Markdown | Format::Html | Format::Github => {
                output.result(format, &render_file_errors(errors, format.into(), output.out))?;
            }
        }
    }
    Ok(failure)
}
