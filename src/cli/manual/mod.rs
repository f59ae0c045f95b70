//! The manual pages: one for each command, boundaries.toml(5) and fleet.toml(5).

mod boundaries_toml;
mod command_page;
mod fleet_toml;
mod text;

use std::fs;
use std::io;
use std::path::Path;

use clap::CommandFactory;

use super::args::{Args, ManArgs};
use super::exit_code::Exit;
use super::failure::Failure;
use super::gate::Content;
use super::output::Output;
use crate::iam::Printable;

pub(super) fn run(command: &ManArgs, output: &Output) -> Result<Exit, Failure> {
    match &command.out {
        None => output.result(Content::Own, &command_page::render(definition()).1)?,
        Some(directory) => write_pages(directory).map_err(|error| {
            Failure::new(format!(
                "cannot write the pages to {}: {error}",
                Printable::path(directory)
            ))
        })?,
    }
    Ok(Exit::Done)
}

/// The command line without `help`, which has no page.
fn definition() -> clap::Command {
    let mut command = Args::command().disable_help_subcommand(true);
    command.build();
    command
}

fn write_pages(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    write_command_pages(definition(), directory)?;
    fs::write(directory.join("boundaries.toml.5"), boundaries_toml::render())?;
    fs::write(directory.join("fleet.toml.5"), fleet_toml::render())
}

fn write_command_pages(command: clap::Command, directory: &Path) -> io::Result<()> {
    for subcommand in command.get_subcommands().cloned() {
        write_command_pages(subcommand, directory)?;
    }
    let (name, page) = command_page::render(command);
    fs::write(directory.join(format!("{name}.1")), page)
}
