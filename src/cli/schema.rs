use super::args::{SchemaArgs, SchemaOf};
use super::exit_code::Exit;
use super::failure::Failure;
use super::gate::Content;
use super::output::Output;
use crate::config;
use crate::plan::saved;

pub(super) fn run(command: &SchemaArgs, output: &Output) -> Result<Exit, Failure> {
    let schema = match command.of {
        SchemaOf::Boundaries => config::schema().to_value(),
        SchemaOf::Fleet => config::fleet_schema().to_value(),
        SchemaOf::Plan => saved::schema(),
        SchemaOf::FleetPlan => saved::fleet_schema(),
    };
    output.result(Content::Own, &format!("{schema:#}\n"))?;
    Ok(Exit::Done)
}
