use std::path::{Path, PathBuf};

use super::access::{access, reject_file};
use super::args::{Args, ImportArgs};
use super::exit_code::Exit;
use super::failure::Failure;
use super::gate::Content;
use super::output::Output;
use crate::iam::{Printable, grouped};
use crate::ops::{self, ImportOptions, Imported};

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
        kinds: command.kinds(),
    };
    let imported = ops::import(&options, &mut |wait| waits.show(wait)).await?;
    let Imported { account, text, with_boundary, without_boundary } = &imported;
    let out = command.out.as_deref();
    if out.is_none() {
        output.result(Content::Data, text)?;
    }
    let name = out.map_or_else(|| Printable::new("standard output"), Printable::path);
    let (all, without) = (*with_boundary + *without_boundary, without_boundary.total());
    let without = match (all.roles, without) {
        (0, _) | (_, 0) => grouped(without),
        _ => without_boundary.to_string(),
    };
    output.remark(&format!(
        "{name}: account {account}, {with_boundary} with a boundary, {without} without a boundary (commented out)"
    ));
    if with_boundary.total() == 0 {
        let noun = all.noun();
        output.remark(&format!(
            "No {noun} has a boundary yet: assign boundaries in the file before you run plan."
        ));
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
