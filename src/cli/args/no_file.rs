use std::path::PathBuf;

/// The global option `-f`, for the commands that do not use the boundaries file: their help does not list it. They
/// reject it with a message of their own, because it is valid before the name of any command.
#[derive(Debug, clap::Args)]
pub(super) struct NoFile {
    #[arg(short, long, global = true, hide = true)]
    file: Option<PathBuf>,
}
