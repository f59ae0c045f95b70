use super::args::{SchemaArgs, SchemaOf};
use super::exit::{Exit, Failure};
use super::output::Output;
use crate::desired;

pub(super) fn run(command: &SchemaArgs, output: &Output) -> Result<Exit, Failure> {
    let schema = match command.of {
        SchemaOf::Boundaries => desired::schema(),
    };
    output.result(&format!("{:#}\n", schema.to_value()))?;
    Ok(Exit::Done)
}
