use std::path::{Path, PathBuf};

use super::access::{access, one_account, reject_file, reject_fleet};
use super::args::{Args, CheckFormat, ImportArgs, ImportMode};
use super::exit_code::Exit;
use super::failure::Failure;
use super::gate::Content;
use super::output::Output;
use crate::iam::{Printable, counted, grouped};
use crate::ops::{
    self, CompareOptions, Compared, FromCsv, FromCsvOptions, ImportOptions, Imported, UpdateOptions,
};
use crate::report::{
    ComparedFile, Headline, render_comparison, render_comparison_json, render_update,
};

pub(super) async fn run(
    args: &Args,
    command: &ImportArgs,
    output: &Output,
) -> Result<Exit, Failure> {
    reject_fleet(args, "import")?;
    match command.mode() {
        ImportMode::New => new_file(args, command, output).await,
        ImportMode::Update(file) => {
            let files = existing_files(args, file, "--update")?;
            match &*files {
                [file] => update(args, command, file, output).await,
                _ => Err(Failure::new("several files cannot be updated together")
                    .help("specify one file with --update FILE, without -f")),
            }
        }
        ImportMode::Check(file) => {
            check(args, command, existing_files(args, file, "--check")?, output).await
        }
        ImportMode::FromCsv(csv) => from_csv(args, command, csv, output),
    }
}

/// The files to update or to check: the value of the option, or of `-f`.
fn existing_files(args: &Args, file: Option<&Path>, option: &str) -> Result<Vec<PathBuf>, Failure> {
    match file {
        None => Ok(args.files()),
        Some(file) => {
            let name = Printable::path(file);
            let help = format!("specify the file once: -f FILE, or {option} {name}");
            reject_file(args, &format!("{option} {name}"), &help)?;
            Ok(vec![file.to_owned()])
        }
    }
}

async fn new_file(args: &Args, command: &ImportArgs, output: &Output) -> Result<Exit, Failure> {
    reject_file(
        args,
        "import",
        "to write that file, specify --out FILE; to change or compare it, --update or --check",
    )?;
    let waits = output.wait_display();
    let (access, _sandbox) = access(args, &waits).await?;
    let options = ImportOptions {
        access,
        account: one_account(args)?,
        out: command.out.clone(),
        documents: command.documents.clone(),
        force: command.force,
        kinds: command.kinds(),
        timeout: command.timeout,
    };
    let imported = ops::import(&options, &mut |wait| waits.show(wait)).await?;
    let Imported { account, text, documents, with_boundary, without_boundary } = &imported;
    let name = write_text(command, text, output)?;
    let (all, without) = (*with_boundary + *without_boundary, without_boundary.total());
    let without = match (all.roles, without) {
        (0, _) | (_, 0) => grouped(without),
        _ => without_boundary.to_string(),
    };
    output.note(&format!(
        "{name}: account {account}, {with_boundary} with a boundary, {without} without a boundary (commented out)"
    ));
    if let Some(directory) = &command.documents {
        let (directory, documents) = (Printable::path(directory), counted(*documents, "document"));
        output.note(&format!("{directory}: {documents}, which the file pins"));
    }
    if with_boundary.total() == 0 {
        let noun = all.noun();
        output.note(&format!(
            "No {noun} has a boundary yet: assign boundaries in the file before you run plan."
        ));
    }
    name_schema(command, output);
    Ok(Exit::Done)
}

async fn update(
    args: &Args,
    command: &ImportArgs,
    file: &Path,
    output: &Output,
) -> Result<Exit, Failure> {
    let waits = output.wait_display();
    let (access, _sandbox) = access(args, &waits).await?;
    let kinds = command.kinds();
    let options = UpdateOptions {
        access,
        account: one_account(args)?,
        file: file.to_owned(),
        kinds,
        timeout: command.timeout,
    };
    let updated = ops::update(&options, &mut |wait| waits.show(wait)).await?;
    let text = render_update(&compared_file(&updated), &updated.comparison, output.out);
    output.result(Content::Text, &text)?;
    Ok(Exit::Done)
}

async fn check(
    args: &Args,
    command: &ImportArgs,
    files: Vec<PathBuf>,
    output: &Output,
) -> Result<Exit, Failure> {
    let waits = output.wait_display();
    let (access, _sandbox) = access(args, &waits).await?;
    let kinds = command.kinds();
    let options = CompareOptions {
        access,
        account: one_account(args)?,
        files,
        kinds,
        timeout: command.timeout,
    };
    let compared = ops::compare(&options, &mut |wait| waits.show(wait)).await?;
    let comparison = &compared.comparison;
    output.conclude(|| Headline::of_comparison(comparison, compared.account));
    let file = compared_file(&compared);
    match command.format {
        CheckFormat::Text => {
            output.result(Content::Text, &render_comparison(&file, comparison, output.out))?;
        }
        CheckFormat::Json => {
            output.result(Content::Data, &render_comparison_json(&file, comparison))?;
        }
    }
    Ok(if comparison.is_match() { Exit::Done } else { Exit::Changes })
}

fn compared_file(compared: &Compared) -> ComparedFile<'_> {
    let file = Printable::new(&compared.config.path());
    ComparedFile { account: compared.account, file, names: &compared.names }
}

fn from_csv(
    args: &Args,
    command: &ImportArgs,
    csv: &Path,
    output: &Output,
) -> Result<Exit, Failure> {
    reject_file(args, "import --from-csv", "to write that file, specify --out FILE")?;
    let options = FromCsvOptions {
        csv: csv.to_owned(),
        account: one_account(args)?,
        out: command.out.clone(),
        force: command.force,
    };
    let FromCsv { text, with_boundary, without_boundary } = ops::from_csv(&options)?;
    let name = write_text(command, &text, output)?;
    let without = match without_boundary.total() {
        0 => String::new(),
        _ => format!(", {without_boundary} that must have none"),
    };
    output.note(&format!("{name}: {with_boundary} with a boundary{without}"));
    name_schema(command, output);
    Ok(Exit::Done)
}

/// Writes the text to standard output, unless it was written to a file. Returns the name of what has the text.
fn write_text(command: &ImportArgs, text: &str, output: &Output) -> Result<Printable, Failure> {
    match &command.out {
        Some(out) => Ok(Printable::path(out)),
        None => {
            output.result(Content::Data, text)?;
            Ok(Printable::new("standard output"))
        }
    }
}

/// Says how to write the schema, which the first line of a new file names, if it is missing.
fn name_schema(command: &ImportArgs, output: &Output) {
    let schema = command.out.as_deref().map(schema_beside).filter(|schema| !schema.exists());
    if let Some(schema) = schema {
        let schema = Printable::path(&schema);
        output.note(&format!("For validation in an editor, run: iam-boundaries schema > {schema}"));
    }
}

/// The path of the schema beside a file.
fn schema_beside(file: &Path) -> PathBuf {
    file.with_file_name("boundaries.schema.json")
}
