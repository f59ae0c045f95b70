use clap::ValueEnum;

use crate::report;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
    /// Human-readable text
    Text,
    /// JSON: one object per line from `apply`, one document from other commands
    Json,
    /// Markdown for a pull request comment, at most 65,536 characters
    Markdown,
    /// One HTML page for a browser, such as an artifact of a CI job
    Html,
    /// GitHub Actions workflow commands that annotate lines of the boundaries file
    Github,
}

impl From<Format> for report::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Text => report::Format::Text,
            Format::Json => report::Format::Json,
            Format::Markdown => report::Format::Markdown,
            Format::Html => report::Format::Html,
            Format::Github => report::Format::Github,
        }
    }
}
