use std::sync::{Mutex, MutexGuard, PoisonError};

use super::args::{Command, Format, ReportCommand};
use super::exit_code::Exit;
use super::failure::Failure;
use super::held::Held;
use super::stream::Stream;
use crate::report::Headline;

/// A command with `--quiet`: its output, which is discarded if all is well, and the line that begins it otherwise.
#[derive(Debug)]
pub(super) struct Quiet {
    pub(super) held: Held,
    command: &'static str,
    /// Where the first line goes. In a format for machines, standard output contains only the document.
    first: Stream,
    results: Mutex<Results>,
}

#[derive(Debug, Default)]
struct Results {
    /// The result, if the command came to one.
    headline: Option<Headline>,
    /// The first line about the failure, if the command failed.
    failure: Option<String>,
}

impl Quiet {
    /// The command, if it is quiet.
    pub(super) fn of(command: &Command) -> Option<Quiet> {
        let (command, is_quiet, is_text) = match command {
            Command::Check(it) => ("check", it.quiet, it.format == Format::Text),
            Command::Plan(it) => ("plan", it.to.quiet, it.to.format == Format::Text),
            Command::Apply(it) => ("apply", it.quiet, it.format == Format::Text),
            Command::Rollback(it) => ("rollback", it.to.quiet, it.to.format == Format::Text),
            Command::Import(it) => ("import", it.quiet, it.is_text()),
            Command::Report(ReportCommand::Merge(it)) => {
                ("report merge", it.quiet, it.format == Format::Text)
            }
            _ => return None,
        };
        let first = if is_text { Stream::Stdout } else { Stream::Stderr };
        let (held, results) = (Held::default(), Mutex::default());
        is_quiet.then_some(Quiet { held, command, first, results })
    }

    /// Records the result.
    pub(super) fn conclude(&self, headline: Headline) {
        self.results().headline = Some(headline);
    }

    /// Records why the command failed.
    pub(super) fn fail(&self, failure: &Failure) {
        let Some(message) = failure.statement() else { return };
        let mut results = self.results();
        let line = Headline::failed(self.command, results.headline.as_ref(), &message);
        results.failure.get_or_insert(line);
    }

    /// The line that begins the output of a command that ends with `exit`; `None` if all is well.
    pub(super) fn first_line(&self, exit: Exit) -> Option<(Stream, String)> {
        let results = self.results();
        let headline = results.headline.as_ref();
        let line = match (&results.failure, exit) {
            (Some(failure), _) => failure.clone(),
            (None, Exit::Interrupted) => Headline::interrupted(self.command, headline),
            (None, _) => match headline {
                Some(headline) if exit != Exit::Done || headline.needs_attention() => {
                    headline.line(self.command)
                }
                _ if self.held.has_problem() => Headline::with_warnings(self.command, headline),
                _ if exit != Exit::Done => {
                    format!("iam-boundaries {}: exit code {}", self.command, exit.code())
                }
                _ => return None,
            },
        };
        Some((self.first, line))
    }

    /// The exit code of a command that would end with `exit`, but whose output cannot be written.
    pub(super) fn unwritten(&self, exit: Exit, error: Exit) -> Exit {
        match (self.command, exit) {
            // The account may be changed.
            ("apply", Exit::Done) => Exit::SomeFailed,
            ("apply", other) => other,
            _ => error,
        }
    }

    fn results(&self) -> MutexGuard<'_, Results> {
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
