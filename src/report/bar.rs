use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Progress;
use crate::apply::Event;

/// The progress of a run on standard error: a bar on a terminal, otherwise a line every 10 seconds.
pub struct ProgressDisplay {
    progress: Progress,
    began: Instant,
    shown: Instant,
    bar: Option<ProgressBar>,
    lines: Box<dyn Write + Send>,
}

/// The time between two lines if standard error is not a terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

impl ProgressDisplay {
    /// The interval at which to call [`ProgressDisplay::tick`].
    pub const TICK: Duration = Duration::from_millis(250);

    /// A display of a run that begins now. Without a terminal, the lines go to `lines`.
    pub fn new(lines: Box<dyn Write + Send>) -> Self {
        let bar = bar_on_terminal("{bar:30} {pos}/{len}  {wide_msg}");
        if let Some(bar) = &bar {
            bar.set_length(0);
        }
        let now = Instant::now();
        ProgressDisplay { progress: Progress::default(), began: now, shown: now, bar, lines }
    }

    /// A display that shows nothing.
    pub fn hidden() -> Self {
        let now = Instant::now();
        let lines = Box::new(io::sink());
        ProgressDisplay { progress: Progress::default(), began: now, shown: now, bar: None, lines }
    }

    /// Processes the next event.
    pub fn on(&mut self, event: &Event) {
        self.progress.on(event);
        match (&self.bar, event) {
            (Some(bar), Event::Started { changes }) => bar.set_length(changes.total() as u64),
            (Some(bar), Event::Finished(_)) => bar.finish_and_clear(),
            _ => {}
        }
    }

    /// Updates the bar, or writes a line if the last one is old enough.
    pub fn tick(&mut self) {
        let elapsed = self.began.elapsed();
        if let Some(bar) = &self.bar {
            bar.set_position(self.progress.attempted() as u64);
            bar.set_message(self.progress.bar_remark(elapsed));
        } else if self.shown.elapsed() >= BETWEEN_LINES {
            self.shown = Instant::now();
            // A closed standard error must not end the run.
            let _ = writeln!(self.lines, "{}", self.progress.line(elapsed));
        }
    }

    /// A handle with which any thread can write other output.
    pub fn bar_handle(&self) -> BarHandle {
        BarHandle(self.bar.clone())
    }
}

/// A bar with this template on standard error; `None` if that is not a terminal.
pub(super) fn bar_on_terminal(template: &str) -> Option<ProgressBar> {
    #[expect(
        clippy::disallowed_methods,
        reason = "bars contain numbers, words of this program and escaped text"
    )]
    io::stderr().is_terminal().then(|| {
        let bar = ProgressBar::with_draw_target(None, stderr_target());
        let style =
            ProgressStyle::with_template(template).expect("the template is a valid constant");
        bar.with_style(style.progress_chars("=> "))
    })
}

/// Standard error, for bars.
pub(super) fn stderr_target() -> ProgressDrawTarget {
    ProgressDrawTarget::stderr()
}

/// The style of a line of text.
pub(super) fn message_style() -> ProgressStyle {
    ProgressStyle::with_template("{wide_msg}").expect("the template is a valid constant")
}

/// Hides the bar of a [`ProgressDisplay`] while other output is written.
#[derive(Debug, Clone)]
pub struct BarHandle(Option<ProgressBar>);

impl BarHandle {
    /// The handle of no bar.
    pub fn none() -> BarHandle {
        BarHandle(None)
    }

    /// Calls `write` while the bar is hidden.
    pub fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

impl std::fmt::Debug for ProgressDisplay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProgressDisplay").field("progress", &self.progress).finish_non_exhaustive()
    }
}
