use std::io::{self, Write};

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use tracing_subscriber::filter::LevelFilter;

use super::args::Color;
use super::exit_code::Exit;
use super::failure::Failure;
use crate::report::Style;

/// The number of `-v` options that shows the causes of an error.
const VERBOSE_CAUSES: u8 = 2;

/// Writes results to standard output and messages to standard error, each in its style.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    /// For standard output.
    pub(super) out: Style,
    /// For standard error.
    pub(super) err: Style,
    verbose: u8,
}

impl Output {
    pub(super) fn new(color: Color, verbose: u8) -> Self {
        let style = |color: bool, width: Option<usize>| Style {
            color,
            width: width.unwrap_or(Style::DEFAULT_WIDTH),
        };
        Output {
            out: style(is_colored(color, &io::stdout()), width_of(io::stdout())),
            err: style(is_colored(color, &io::stderr()), width_of(io::stderr())),
            verbose,
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
        let ours = filter::Targets::new().with_target(env!("CARGO_CRATE_NAME"), level);
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(io::stderr)
            .with_ansi(self.err.color)
            .with_target(false)
            .without_time()
            .with_filter(ours);
        tracing_subscriber::registry().with(layer).init();
    }

    /// Writes a result to standard output.
    pub(super) fn result(&self, text: &str) -> Result<(), Failure> {
        self.print(text).map_err(Failure::output)
    }

    /// Writes to standard output.
    pub(super) fn print(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// Writes a question to standard error. The user types the answer on the same line.
    pub(super) fn prompt(&self, question: &str) {
        let _ = write!(io::stderr(), "\n{question} ");
    }

    /// Writes a message to standard error. A closed standard error must not end the run.
    pub(super) fn remark(&self, text: &str) {
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// Writes a message after a label. It wraps at the width of a terminal, and does not wrap elsewhere.
    fn labeled(&self, plain: &str, label: String, message: &str) {
        let Some(width) = width_of(io::stderr()) else {
            return self.remark(&format!("{label} {message}"));
        };
        let indent = " ".repeat(plain.len() + 1);
        let options = textwrap::Options::new(width)
            .initial_indent(&indent)
            .subsequent_indent(&indent)
            .break_words(false)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        let wrapped = textwrap::fill(message, options);
        self.remark(&format!("{label} {}", wrapped.trim_start()));
    }

    /// Reports why a command failed, and returns the exit code.
    pub(super) fn fail(&self, failure: &Failure) -> Exit {
        match failure {
            Failure::File(errors) => {
                self.remark(errors.render(self.err.color).trim_end());
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
