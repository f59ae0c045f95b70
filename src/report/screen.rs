use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::{MultiProgress, ProgressDrawTarget};

use super::bar::stderr_target;

/// What is drawn on the terminal, and whether a person is asked there. Nothing is drawn over a question. Clones share
/// it.
#[derive(Debug, Clone, Default)]
pub struct Screen(Arc<Mutex<Drawn>>);

#[derive(Debug, Default)]
pub(super) struct Drawn {
    is_asking: bool,
    /// The bars that are hidden while a person is asked.
    bars: Option<MultiProgress>,
}

impl Screen {
    /// Whether a person is asked.
    pub fn is_asking(&self) -> bool {
        self.drawing().is_asking
    }

    /// Hides what is drawn, and draws nothing until [`Screen::end_question`].
    pub(super) fn begin_question(&self) {
        let mut drawn = self.drawing();
        drawn.is_asking = true;
        if let Some(bars) = &drawn.bars {
            // A closed standard error must not end the command.
            let _ = bars.clear();
            bars.set_draw_target(ProgressDrawTarget::hidden());
        }
    }

    /// The question is answered: the bars appear again when they change.
    pub(super) fn end_question(&self) {
        let mut drawn = self.drawing();
        drawn.is_asking = false;
        if let Some(bars) = &drawn.bars {
            bars.set_draw_target(stderr_target());
        }
    }

    /// Bars on the terminal, instead of earlier ones.
    pub(super) fn bars(&self) -> MultiProgress {
        let mut drawn = self.drawing();
        let target = match drawn.is_asking {
            true => ProgressDrawTarget::hidden(),
            false => stderr_target(),
        };
        drawn.bars.insert(MultiProgress::with_draw_target(target)).clone()
    }

    /// Calls `write`, which writes to the terminal. What is drawn is removed before and drawn again after that.
    pub fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        let bars = self.drawing().bars.clone();
        match bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }

    /// No question begins or ends until the value is dropped.
    pub(super) fn drawing(&self) -> MutexGuard<'_, Drawn> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
