use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man;

use super::args::{Args, ManArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;

pub(super) fn run(command: &ManArgs, output: &Output) -> Result<Exit, Failure> {
    match &command.out {
        None => {
            let mut page = Vec::new();
            // The pages leave the command help out, too.
            Man::new(Args::command().disable_help_subcommand(true))
                .render(&mut page)
                .map_err(Failure::output)?;
            output.result(&String::from_utf8_lossy(&page))?;
        }
        Some(folder) => write_pages(folder).map_err(|error| {
            Failure::new(format!("cannot write the pages to {}: {error}", folder.display()))
        })?,
    }
    Ok(Exit::Done)
}

fn write_pages(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Args::command(), folder)
}
