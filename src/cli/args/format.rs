use clap::ValueEnum;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
    /// Text for people
    Text,
    /// JSON: one object per line from `apply`, one document from other commands
    Json,
    /// Markdown for a pull request comment, at most 65,536 characters
    Markdown,
    /// GitHub Actions workflow commands, which annotate lines of the boundaries file
    Github,
}
