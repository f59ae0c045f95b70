use std::io::{self, Write};

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use tracing_subscriber::filter::LevelFilter;

use super::args::Color;
use super::exit_code::Exit;
use super::failure::Failure;
use super::gate::{Content, Gate, Gated, StreamWriter};
use super::log_line::LogLine;
use super::quiet::Quiet;
use crate::aws::THROTTLING;
use crate::config::wrapped;
use crate::iam::is_unsafe;
use crate::report::{FleetProgress, Headline, ProgressDisplay, Screen, Style, WaitDisplay};

/// The number of `-v` options that shows the causes of an error.
const VERBOSE_CAUSES: u8 = 2;

/// Writes results to standard output and messages to standard error, each in its style.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    /// For standard output.
    pub(super) out: Style,
    /// For standard error.
    pub(super) err: Style,
    out_gate: Gate,
    err_gate: Gate,
    /// What is drawn on standard error.
    screen: &'static Screen,
    verbose: u8,
    /// `None` if the command is not quiet.
    quiet: Option<&'static Quiet>,
}

/// A writer of messages beside what is drawn on the terminal.
struct OnScreen<W> {
    screen: &'static Screen,
    to: W,
}

impl<W: Write> Write for OnScreen<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.screen.suspend(|| self.to.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.screen.suspend(|| self.to.flush())
    }
}

impl Output {
    /// The output of a process, which has one.
    pub(super) fn new(color: Color, verbose: u8, quiet: Option<Quiet>) -> Self {
        let quiet: Option<&'static Quiet> = quiet.map(|quiet| &*Box::leak(Box::new(quiet)));
        let held = quiet.map(|quiet| &quiet.held);
        let style = |color: bool, width: Option<usize>| Style {
            color,
            width: width.unwrap_or(Style::DEFAULT_WIDTH),
            is_terminal: width.is_some(),
        };
        #[expect(clippy::disallowed_methods, reason = "it is not written to")]
        let (out, err) = (io::stdout(), io::stderr());
        let (out_color, err_color) = (is_colored(color, &out), is_colored(color, &err));
        Output {
            out: style(out_color, width_of(out)),
            err: style(err_color, width_of(err)),
            out_gate: Gate { held, ..Gate::new(out_color) },
            err_gate: Gate { held, ..Gate::new(err_color) },
            screen: Box::leak(Box::default()),
            verbose,
            quiet,
        }
    }

    /// Logs this crate's messages only: the SDK's can contain signed requests and key IDs.
    pub(super) fn start_logging(&self) {
        use tracing_subscriber::layer::SubscriberExt;
        use tracing_subscriber::util::SubscriberInitExt;
        use tracing_subscriber::{Layer, filter};
        let level = match self.verbose {
            0 => LevelFilter::WARN,
            1 => LevelFilter::INFO,
            _ => LevelFilter::DEBUG,
        };
        let Output { err_gate: gate, screen, quiet, .. } = *self;
        let mut ours = filter::Targets::new().with_target(env!("CARGO_CRATE_NAME"), level);
        if quiet.is_some() {
            // A slow reading is not a problem.
            ours = ours.with_target(THROTTLING, LevelFilter::OFF);
        }
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(move || {
                if let Some(quiet) = quiet {
                    quiet.held.record_problem();
                }
                OnScreen { screen, to: gate.stderr() }
            })
            .with_ansi(self.err.color)
            .event_format(LogLine { style: self.err })
            .with_filter(ours);
        tracing_subscriber::registry().with(layer).init();
    }

    /// Writes a result to standard output.
    pub(super) fn result(&self, content: impl Into<Content>, text: &str) -> Result<(), Failure> {
        self.print(content, text).map_err(Failure::output)
    }

    /// Writes to standard output.
    pub(super) fn print(&self, content: impl Into<Content>, text: &str) -> io::Result<()> {
        let mut out = self.stdout(content);
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// A writer to standard output.
    pub(super) fn stdout(&self, content: impl Into<Content>) -> Gated<StreamWriter> {
        self.out_gate.stdout(content.into())
    }

    /// A writer to standard error.
    pub(super) fn stderr(&self) -> Gated<StreamWriter> {
        self.err_gate.stderr()
    }

    /// Shows on standard error what a command waits for.
    pub(super) fn wait_display(&self) -> WaitDisplay {
        match self.quiet {
            None => WaitDisplay::new(self.screen, Box::new(self.stderr())),
            Some(_) => WaitDisplay::hidden(),
        }
    }

    /// Shows on standard error the progress of a run.
    pub(super) fn run_progress(&self) -> ProgressDisplay {
        match self.quiet {
            None => ProgressDisplay::new(Box::new(self.stderr())),
            Some(_) => ProgressDisplay::hidden(),
        }
    }

    /// Shows on standard error the progress of the work on a fleet.
    pub(super) fn fleet_progress(&self, screen: &Screen) -> FleetProgress {
        match self.quiet {
            None => FleetProgress::new(screen, Box::new(self.stderr())),
            Some(_) => FleetProgress::hidden(),
        }
    }

    /// Records the result of the command, which decides whether a quiet command writes anything.
    pub(super) fn conclude(&self, headline: impl FnOnce() -> Headline) {
        if let Some(quiet) = self.quiet {
            quiet.conclude(headline());
        }
    }

    /// Writes the output of a quiet command that ends with `exit`, after one line about it, unless all is well. Returns
    /// the exit code of the process.
    pub(super) fn release(&self, exit: Exit) -> Exit {
        let Some(quiet) = self.quiet else { return exit };
        let Some((stream, line)) = quiet.first_line(exit) else { return exit };
        let line = self.err_gate.escaped(&line) + "\n";
        match quiet.held.release((stream, line.into_bytes())) {
            Ok(()) => exit,
            Err(error) => quiet.unwritten(exit, self.fail(&Failure::output(error))),
        }
    }

    /// Writes a question to standard error. The user types the answer on the same line.
    pub(super) fn prompt(&self, question: &str) {
        let mut err = self.stderr();
        let _ = write!(err, "\n{question} ");
        let _ = err.flush();
    }

    /// Writes a message about a problem to standard error, which a quiet command does not discard.
    pub(super) fn warn(&self, text: &str) {
        if let Some(quiet) = self.quiet {
            quiet.held.record_problem();
        }
        self.remark(text);
    }

    /// Writes a message to standard error. A closed standard error must not end the run.
    pub(super) fn remark(&self, text: &str) {
        let _ = self.screen.suspend(|| writeln!(self.stderr(), "{text}"));
    }

    /// Writes a sentence to standard error. It wraps at the width of a terminal, and does not wrap elsewhere.
    pub(super) fn note(&self, text: &str) {
        self.remark(
            &self.err.message_width().map_or(text.to_owned(), |width| wrapped(text, width)),
        );
    }

    /// Writes the message of clap: a help text, or an error in the arguments, which it repeats.
    pub(super) fn usage(&self, error: &clap::Error) -> io::Result<()> {
        let is_safe = |argument: std::ffi::OsString| {
            argument.to_str().is_some_and(|argument| !argument.chars().any(is_unsafe))
        };
        // Without the style, clap removes what looks like a style in the arguments, too.
        let is_plain = !std::env::args_os().all(is_safe);
        let text = |color: bool| match error.render() {
            text if color && !is_plain => text.ansi().to_string(),
            text => text.to_string(),
        };
        match error.use_stderr() {
            true => {
                let mut err = self.stderr();
                err.write_all(text(self.err.color).as_bytes())?;
                err.flush()
            }
            false => self.print(Content::Text, &text(self.out.color)),
        }
    }

    /// Writes a message after a label. It wraps at the width of a terminal, and does not wrap elsewhere.
    fn labeled(&self, plain: &str, label: String, message: &str) {
        let Some(width) = self.err.message_width() else {
            return self.remark(&format!("{label} {message}"));
        };
        let indent = plain.len() + 1;
        let message = wrapped(message, width.saturating_sub(indent));
        let message = message.replace('\n', &format!("\n{:indent$}", ""));
        self.remark(&format!("{label} {message}"));
    }

    /// Reports why a command failed, and returns the exit code.
    pub(super) fn fail(&self, failure: &Failure) -> Exit {
        if let Some(quiet) = self.quiet {
            quiet.fail(failure);
        }
        match failure {
            Failure::File(errors) => {
                self.remark(errors.render(self.err.color, self.err.message_width()).trim_end());
                Exit::NothingDone
            }
            Failure::Message { message, help, causes, exit } => {
                self.labeled("error:", self.err.error("error:"), message);
                if self.verbose >= VERBOSE_CAUSES {
                    for cause in causes {
                        self.labeled("caused by:", self.err.help("caused by:"), cause);
                    }
                }
                if let Some(help) = help {
                    self.labeled("help:", self.err.help("help:"), help);
                }
                *exit
            }
            Failure::BrokenPipe => Exit::NothingDone,
        }
    }
}

/// `--color` takes precedence over the environment. Without it, NO_COLOR, CLICOLOR_FORCE, CLICOLOR, TERM and
/// the kind of stream decide, in this order, as they do for the output of clap.
fn is_colored(color: Color, stream: &impl RawStream) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => AutoStream::choice(stream) != ColorChoice::Never,
    }
}

/// The width of a terminal, in columns; `None` if the stream is not a terminal.
fn width_of(
    #[cfg(unix)] stream: impl std::os::fd::AsFd,
    #[cfg(windows)] stream: impl std::os::windows::io::AsHandle,
) -> Option<usize> {
    let (terminal_size::Width(width), _) = terminal_size::terminal_size_of(stream)?;
    Some(usize::from(width))
}
