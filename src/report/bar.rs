use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Progress;
use crate::apply::Event;

/// How far a run is, on standard error: a bar on a terminal, a line now and then elsewhere.
#[derive(Debug)]
pub struct ProgressDisplay {
    progress: Progress,
    began: Instant,
    shown: Instant,
    bar: Option<ProgressBar>,
}

/// Between two lines where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

impl ProgressDisplay {
    /// How often [`ProgressDisplay::tick`] wants to be called.
    pub const TICK: Duration = Duration::from_millis(250);

    /// A display of a run that begins now.
    pub fn new() -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len}  {msg}")
                .expect("the template is a constant, and right");
            bar.set_style(style.progress_chars("=> "));
            bar
        });
        let now = Instant::now();
        ProgressDisplay { progress: Progress::default(), began: now, shown: now, bar }
    }

    /// Takes the next event.
    pub fn on(&mut self, event: &Event) {
        self.progress.on(event);
        match (&self.bar, event) {
            (Some(bar), Event::Started { changes }) => bar.set_length(*changes as u64),
            (Some(bar), Event::Finished(_)) => bar.finish_and_clear(),
            _ => {}
        }
    }

    /// Shows how far it is, if it is time to.
    pub fn tick(&mut self) {
        let elapsed = self.began.elapsed();
        if let Some(bar) = &self.bar {
            bar.set_position(self.progress.ended() as u64);
            bar.set_message(self.progress.remark(elapsed));
        } else if self.shown.elapsed() >= BETWEEN_LINES {
            self.shown = Instant::now();
            // Where nobody can read it, nothing is lost.
            let _ = writeln!(io::stderr(), "{}", self.progress.line(elapsed));
        }
    }

    /// Writes something else without the bar in its way.
    pub fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

impl Default for ProgressDisplay {
    fn default() -> Self {
        Self::new()
    }
}
