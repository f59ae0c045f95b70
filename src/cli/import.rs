use std::io;
use std::path::{Path, PathBuf};

use super::args::{Args, ImportArgs};
use super::exit::{Exit, Failure};
use super::output::Output;
use super::session;
use crate::aws::{Connection, Everyone, EveryoneError};
use crate::config::{Config, file_of};
use crate::plan::check_scope;
use crate::whole_file;

pub(super) async fn run(
    args: &Args,
    command: &ImportArgs,
    output: &Output,
) -> Result<Exit, Failure> {
    if let Some(file) = &args.file {
        let file = file.display();
        return Err(Failure::new(format!("-f {file} has no meaning with import"))
            .advise(format!("to write that file, give --out {file}")));
    }
    let out = command.out.as_deref();
    if let Some(file) = out.filter(|_| !command.force)
        && file.symlink_metadata().is_ok()
    {
        // Before the account is read, which may take a while.
        return Err(is_there(file));
    }
    let (access, _sandbox) = session::access(args, None).await?;
    let account = Connection::open(&access).await.identify().await?;
    let identity = account.identity();
    let users = account.everyone().await?;
    if users.is_empty() {
        let message = format!("IAM says that account {} has no users", identity.account);
        return Err(
            Failure::new(message).advise("is it the right account? there is nothing to write down")
        );
    }
    let text = file_of(identity.account, &users);
    let with_boundary = users.values().flatten().count();
    let name = out.map_or_else(|| "standard output".into(), Path::to_string_lossy);
    if with_boundary > 0 {
        // It is read back before anyone relies on it.
        let config = Config::parse("(not written)", &text)?;
        check_scope(&config, identity)?;
        if !says_the_same(&config, &users) {
            return Err(Failure::new("the file would say something else than IAM does")
                .advise("this is a mistake of iam-boundaries: please report it"));
        }
    }
    match out {
        None => output.result(&text)?,
        Some(file) => write(file, &text, command.force)?,
    }
    output.remark(&format!(
        "{name}: account {}, {with_boundary} users with a boundary and {} without, in comments",
        identity.account,
        users.len() - with_boundary,
    ));
    if with_boundary == 0 {
        output.remark(
            "Give a user a boundary before you plan: a file that lists nobody is a mistake.",
        );
    }
    if let Some(schema) = out.map(schema_beside).filter(|schema| !schema.exists()) {
        let schema = schema.display();
        output.remark(&format!("For editors: iam-boundaries schema > {schema}"));
    }
    Ok(Exit::Done)
}

fn says_the_same(config: &Config, users: &Everyone) -> bool {
    let listed = config.users.iter().map(|(user, listed)| (user, listed.boundary.as_ref()));
    let live = users.iter().map(|(user, boundary)| (user, boundary.as_ref()));
    listed.eq(live.filter(|(_, boundary)| boundary.is_some()))
}

/// Where the file's first line says that its schema is.
fn schema_beside(file: &Path) -> PathBuf {
    file.with_file_name("boundaries.schema.json")
}

/// The file is whole or not there at every moment, and one that came meanwhile is not overwritten.
fn write(file: &Path, text: &str, overwrite: bool) -> Result<(), Failure> {
    let cannot =
        |error: io::Error| Failure::new(format!("cannot write {}: {error}", file.display()));
    let new = whole_file::beside(file, text).map_err(cannot)?;
    let kept = if overwrite { new.persist(file) } else { new.persist_noclobber(file) };
    match kept {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(is_there(file)),
        Err(error) => Err(cannot(error.error)),
    }
}

fn is_there(file: &Path) -> Failure {
    Failure::new(format!("{} is there already, and was left as it is", file.display()))
        .advise("give another --out FILE, or --force to overwrite it")
}

impl From<EveryoneError> for Failure {
    fn from(error: EveryoneError) -> Self {
        match error {
            EveryoneError::Call(error) => error.into(),
            EveryoneError::Unreadable(_) => Failure::new(error.to_string())
                .advise("nothing was written: a file that leaves users out would look whole"),
        }
    }
}
