use std::io::Read as _;

use flate2::read::DeflateDecoder;

use super::args::{SchemaArgs, SchemaOf};
use super::exit_code::Exit;
use super::failure::Failure;
use super::gate::Content;
use super::output::Output;

/// A published schema as the build script compressed it. The code that generates it is not needed at run time.
macro_rules! published {
    ($name:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".schema.json.deflate"))
    };
}

pub(super) fn run(command: &SchemaArgs, output: &Output) -> Result<Exit, Failure> {
    let compressed: &[u8] = match command.of {
        SchemaOf::Boundaries => published!("boundaries"),
        SchemaOf::Fleet => published!("fleet"),
        SchemaOf::Plan => published!("plan"),
        SchemaOf::FleetPlan => published!("fleet-plan"),
    };
    let mut schema = String::new();
    let read = DeflateDecoder::new(compressed).read_to_string(&mut schema);
    read.expect("the build script compressed text");
    output.result(Content::Own, &schema)?;
    Ok(Exit::Done)
}
