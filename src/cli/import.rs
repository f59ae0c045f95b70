use std::path::{Path, PathBuf};

use super::access::{access, reject_file};
use super::args::{Args, ImportArgs};
use super::exit_code::Exit;
use super::failure::Failure;
use super::gate::Content;
use super::output::Output;
use crate::iam::{Printable, grouped};
use crate::ops::{self, ImportOptions, Imported};
use crate::report::counted;

pub(super) async fn run(
    args: &Args,
    command: &ImportArgs,
    output: &Output,
) -> Result<Exit, Failure> {
    reject_file(args, "import", "to write that file, specify --out FILE")?;
    let waits = output.wait_display();
    let (access, _sandbox) = access(args, &waits).await?;
    let options = ImportOptions {
        access,
        account: args.account,
        out: command.out.clone(),
        force: command.force,
    };
    let imported = ops::import(&options, &mut |wait| waits.show(wait)).await?;
    let Imported { account, text, with_boundary, without_boundary } = &imported;
    let out = command.out.as_deref();
    if out.is_none() {
        output.result(Content::Data, text)?;
    }
    let name = out.map_or_else(|| Printable::new("standard output"), Printable::path);
    output.remark(&format!(
        "{name}: account {account}, {} with a boundary, {} without a boundary (commented out)",
        counted(*with_boundary, "user"),
        grouped(*without_boundary)
    ));
    if *with_boundary == 0 {
        output.remark(
            "No user has a boundary yet: assign boundaries in the file before you run plan.",
        );
    }
    if let Some(schema) = out.map(schema_beside).filter(|schema| !schema.exists()) {
        let schema = Printable::path(&schema);
        output
            .remark(&format!("For validation in an editor, run: iam-boundaries schema > {schema}"));
    }
    Ok(Exit::Done)
}

/// The path of the schema, which the first line of the file names.
fn schema_beside(file: &Path) -> PathBuf {
    file.with_file_name("boundaries.schema.json")
}
