use super::args::{Args, CheckArgs, Format};
use super::exit::{Exit, Failure};
use super::output::Output;
use crate::config::{Config, FileErrors};
use crate::report::{
    check_github, check_json, check_markdown, check_text, mistakes_github, mistakes_json,
    mistakes_markdown,
};

pub(super) fn run(args: &Args, command: &CheckArgs, output: &Output) -> Result<Exit, Failure> {
    let config = match Config::read(args.file()) {
        Ok(config) => config,
        Err(errors) => {
            if command.format == Format::Json {
                output.result(&mistakes_json(&errors))?;
            }
            return Err(in_review(errors, command.format, output)?);
        }
    };
    output.result(&match command.format {
        Format::Text => check_text(&config),
        Format::Json => check_json(&config),
        Format::Markdown => check_markdown(&config),
        Format::Github => check_github(&config),
    })?;
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
        Format::Markdown => output.result(&mistakes_markdown(&errors))?,
        Format::Github => output.result(&mistakes_github(&errors))?,
    }
    Ok(errors.into())
}
