use std::process::ExitCode;

use strum::VariantArray;

/// The exit codes. `--help` and the manual pages are generated from this enum, and a test compares it with the
/// table in the documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
pub(super) enum Exit {
    Done = 0,
    NothingDone = 1,
    Changes = 2,
    SomeFailed = 3,
    Refused = 4,
    ChangesAndProblems = 5,
    Interrupted = 130,
}

impl Exit {
    /// The process's exit code.
    pub(super) fn code(self) -> u8 {
        self as u8
    }

    /// The meaning of the exit code, in Markdown.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Exit::Done => "success",
            Exit::NothingDone => {
                "error, and nothing was changed: for example, invalid usage or file, missing \
                 credentials, wrong account, account locked by another run, confirmation declined"
            }
            Exit::Changes => {
                "`--detailed-exitcode` is set, and the plan has changes; or `import --check` found differences"
            }
            Exit::SomeFailed => {
                "incomplete: principals cannot be planned, a pinned policy differs, `[unlisted]` reports \
                 an error, changes were not made or not verified, a shard of a fleet is missing, or the \
                 journal, the run report or the metrics could not be written; `apply` made the other changes"
            }
            Exit::Refused => {
                "refused, and nothing was changed: the plan violates a guard rail, or `--strict` \
                 found conflicts"
            }
            Exit::ChangesAndProblems => {
                "`--detailed-exitcode` is set, and the plan has changes and is incomplete: codes 2 and 3 together"
            }
            Exit::Interrupted => {
                "interrupted: requests in flight had 10 seconds to finish, and all outcomes were recorded, except after a second \
                 Ctrl-C"
            }
        }
    }

    /// Every exit code with its meaning, as a section of `--help`.
    pub(super) fn help() -> String {
        let header = clap::builder::Styles::styled().get_header().to_owned();
        let rows = Exit::VARIANTS.iter().map(|exit| {
            let row = format!("  {:<3}  {}", exit.code(), plain(exit.meaning()));
            textwrap::fill(&row, textwrap::Options::new(80).subsequent_indent("       "))
        });
        format!("{header}Exit codes:{header:#}\n{}", rows.collect::<Vec<_>>().join("\n"))
    }
}

/// Without Markdown's backticks.
fn plain(text: &str) -> String {
    text.replace('`', "")
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The rows below the header `| exit code | meaning |`.
    fn rows<'a>(markdown: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
        let mut lines = markdown.lines().skip_while(|line| *line != "| exit code | meaning |");
        lines.next()?;
        let row = |line: &'a str| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | ");
        Some(lines.skip(1).map_while(row).collect())
    }

    #[test]
    fn the_table_in_the_documentation_has_each_exit_code_with_its_meaning() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let docs = std::fs::read_dir(root.join("docs")).unwrap();
        let mut pages: Vec<_> = docs.map(|entry| entry.unwrap().path()).collect();
        pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
        pages.push(root.join("README.md"));
        let mut tables = 0;
        for page in pages {
            let markdown = std::fs::read_to_string(&page).unwrap();
            let Some(rows) = rows(&markdown) else { continue };
            let codes: Vec<_> = Exit::VARIANTS.iter().map(|exit| exit.code().to_string()).collect();
            let expected: Vec<_> = codes
                .iter()
                .zip(Exit::VARIANTS)
                .map(|(code, exit)| (code.as_str(), exit.meaning()))
                .collect();
            assert_eq!(rows, expected, "{page:?}");
            tables += 1;
        }
        assert!(tables > 0, "no page has a table of exit codes");
    }
}
