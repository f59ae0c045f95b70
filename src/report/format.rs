/// The formats of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people at a terminal.
    Text,
    /// For machines: one document for a plan or a file check, JSON Lines for a run.
    Json,
    /// For a comment in a pull request: at most 65,536 characters.
    Markdown,
    /// For a browser: one page that needs no network.
    Html,
    /// GitHub Actions workflow commands, which annotate lines of the file in a review.
    Github,
}
