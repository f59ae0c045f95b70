use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::args::{Command, MetricsArgs};
use super::exit_code::Exit;
use super::failure::Failure;
use super::output::Output;
use super::signals::Signals;
use crate::iam::{Printable, Timestamp};
use crate::report::{AccountMetrics, Metrics};
use crate::state::replace_with;

/// The file of `--metrics`, and what the command has recorded for it.
pub(super) struct MetricsFile {
    path: Option<PathBuf>,
    command: &'static str,
    began: Instant,
    accounts: Mutex<Vec<AccountMetrics>>,
    /// The signals for the command, until it handles them itself.
    for_command: Mutex<Option<Signals>>,
}

impl MetricsFile {
    /// The file of a command that begins now.
    pub(super) fn of(command: &Command) -> MetricsFile {
        let (command, args) = match command {
            Command::Plan(it) => ("plan", Some(&it.to.metrics)),
            Command::Apply(it) => ("apply", Some(&it.metrics)),
            Command::Rollback(it) => ("rollback", Some(&it.to.metrics)),
            _ => ("", None),
        };
        MetricsFile {
            path: args.and_then(|MetricsArgs { metrics }| metrics.clone()),
            command,
            began: Instant::now(),
            accounts: Mutex::default(),
            for_command: Mutex::default(),
        }
    }

    /// Records the numbers of accounts, in place of earlier ones.
    pub(super) fn record(&self, accounts: impl FnOnce() -> Vec<AccountMetrics>) {
        if self.path.is_some() {
            *self.accounts.lock().unwrap_or_else(PoisonError::into_inner) = accounts();
        }
    }

    /// The signals from the beginning of the command: it handles them itself from now on.
    ///
    /// # Errors
    /// Those of [`Signals::receive`].
    pub(super) fn signals(&self) -> io::Result<Signals> {
        self.for_command().take().map_or_else(Signals::receive, Ok)
    }

    fn for_command(&self) -> std::sync::MutexGuard<'_, Option<Signals>> {
        self.for_command.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Completes `command`. A signal ends it while it does not handle signals itself: the metrics are written then, too,
    /// and the exit code is that of an interrupted command. Nothing was changed until then.
    pub(super) async fn unless_interrupted<T>(
        &self,
        command: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let (Ok(mut signals), Ok(for_command)) = (Signals::receive(), Signals::receive()) else {
            // Without a handler, a signal terminates the process.
            return command.await;
        };
        *self.for_command() = Some(for_command);
        let mut command = std::pin::pin!(command);
        tokio::select! {
            biased;
            ended = &mut command => return ended,
            () = signals.next() => {}
        }
        // The command has taken its signals, with this one, if it handles them.
        let handles_signals = self.for_command().is_none();
        match handles_signals {
            true => command.await,
            false => {
                Err(Failure::new("nothing was changed: interrupted").with_exit(Exit::Interrupted))
            }
        }
    }

    /// Writes the file after a command that ends with `exit`. Returns the exit code of the process.
    pub(super) fn write(&self, exit: Exit, output: &Output) -> Exit {
        let Some(path) = &self.path else { return exit };
        let is_success = matches!(exit, Exit::Done | Exit::Changes);
        let written = Timestamp::now().map_err(io::Error::other).and_then(|ended| {
            let accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner).clone();
            replace_with(path, |earlier| {
                let last_success = match is_success {
                    true => Some(ended.unix_seconds() as f64),
                    false => earlier.and_then(|text| Metrics::last_success_in(text, self.command)),
                };
                let metrics = Metrics {
                    command: self.command,
                    exit_code: exit.code(),
                    ended,
                    duration: self.began.elapsed(),
                    last_success,
                    accounts,
                };
                metrics.render()
            })
        });
        match written {
            Ok(()) => exit,
            Err(error) => {
                let message =
                    format!("cannot write the metrics in {}: {error}", Printable::path(path));
                let failure = Failure::new(message).help(match path.is_dir() {
                    true => "specify a file in the directory",
                    false => {
                        "create the directory, and check its permissions and the free disk space"
                    }
                });
                output.fail(&failure);
                match exit {
                    Exit::Done => Exit::SomeFailed,
                    Exit::Changes => Exit::ChangesAndProblems,
                    other => other,
                }
            }
        }
    }
}
