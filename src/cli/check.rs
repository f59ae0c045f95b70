use super::args::{Args, CheckArgs, Format};
use super::exit::{Exit, Failure};
use super::output::Output;
use crate::config::{Config, FileErrors};
use crate::report::{render_check, render_mistakes};

pub(super) fn run(args: &Args, command: &CheckArgs, output: &Output) -> Result<Exit, Failure> {
    let config = match Config::read(args.file()) {
        Ok(config) => config,
        Err(errors) => {
            if command.format == Format::Json {
                output.result(&render_mistakes(&errors, command.format.into(), output.out))?;
            }
            return Err(in_review(errors, command.format, output)?);
        }
    };
    output.result(&render_check(&config, command.format.into(), output.out))?;
    Ok(Exit::Done)
}

/// Writes a file's mistakes where a reviewer reads them, besides standard error.
pub(super) fn in_review(
    errors: FileErrors,
    format: Format,
    output: &Output,
) -> Result<Failure, Failure> {
    match format {
        // Where a plan was asked for, there is a plan or nothing.
        Format::Text | Format::Json => {}
        Format::Markdown | Format::Github => {
            output.result(&render_mistakes(&errors, format.into(), output.out))?;
        }
    }
    Ok(errors.into())
}
