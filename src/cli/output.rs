use std::io::{self, Write};

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use tracing_subscriber::filter::LevelFilter;

use super::args::Color;
use super::exit::Failure;
use super::exit_code::Exit;
use crate::report::Paint;

/// Standard output and standard error.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    /// The colours of standard output.
    pub(super) out: Paint,
    /// The colours of standard error.
    pub(super) err: Paint,
    verbose: u8,
}

impl Output {
    pub(super) fn new(color: Color, verbose: u8) -> Self {
        Output { out: paint(color, &io::stdout()), err: paint(color, &io::stderr()), verbose }
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
            .with_ansi(self.err == Paint::Coloured)
            .with_target(false)
            .without_time()
            .with_filter(ours);
        tracing_subscriber::registry().with(layer).init();
    }

    /// Writes a result to standard output.
    pub(super) fn result(&self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()?;
        Ok(())
    }

    /// Writes a message to standard error. A closed standard error must not end the run.
    pub(super) fn remark(&self, text: &str) {
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// Reports why a command failed, and returns the exit code.
    pub(super) fn fail(&self, failure: &Failure) -> Exit {
        match failure {
            Failure::File(errors) => {
                self.remark(errors.render(self.err == Paint::Coloured).trim_end());
                Exit::NothingDone
            }
            Failure::Message { message, advice, exit } => {
                self.remark(&format!("{} {message}", self.err.error("error:")));
                if let Some(advice) = advice {
                    self.remark(&format!("  {advice}"));
                }
                *exit
            }
            Failure::ReaderGone => Exit::NothingDone,
        }
    }
}

/// `--color` takes precedence over the environment. Without it, NO_COLOR, CLICOLOR_FORCE, CLICOLOR, TERM and
/// the kind of stream decide, in this order, as they do for the output of clap.
fn paint(color: Color, stream: &impl RawStream) -> Paint {
    let coloured = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => AutoStream::choice(stream) != ColorChoice::Never,
    };
    if coloured { Paint::Coloured } else { Paint::Plain }
}
