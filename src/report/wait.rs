use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::bar::bar_on_terminal;
use super::screen::Screen;
use crate::iam::Printable;
use crate::inventory::Wait;

/// What a command waits for, on standard error: a line that is updated on a terminal, otherwise a line at first and
/// then every 30 seconds. Clones share it.
#[derive(Clone)]
pub struct WaitDisplay {
    display: Arc<Mutex<Display>>,
    screen: Screen,
}

struct Display {
    is_terminal: bool,
    bar: Option<ProgressBar>,
    lines: Box<dyn Write + Send>,
    /// What the last line is about, and when it was written.
    last: Option<(Printable, Instant)>,
}

/// The time between two lines about the same wait if standard error is not a terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(30);

impl WaitDisplay {
    /// A display on `screen` that shows nothing yet. Without a terminal, the lines go to `lines`.
    pub fn new(screen: &Screen, lines: Box<dyn Write + Send>) -> WaitDisplay {
        WaitDisplay { screen: screen.clone(), ..WaitDisplay::with(bar().is_some(), lines) }
    }

    /// A display that shows nothing.
    pub fn hidden() -> WaitDisplay {
        WaitDisplay::with(false, Box::new(std::io::sink()))
    }

    fn with(is_terminal: bool, lines: Box<dyn Write + Send>) -> WaitDisplay {
        let display = Display { is_terminal, bar: None, lines, last: None };
        WaitDisplay { display: Arc::new(Mutex::new(display)), screen: Screen::default() }
    }

    /// Shows `wait`; `None` removes its line from a terminal.
    pub fn show(&self, wait: Option<&Wait>) {
        let mut display = self.display();
        match wait {
            None => {
                if let Some(bar) = display.bar.take() {
                    bar.finish_and_clear();
                }
            }
            Some(_) if display.is_terminal && self.screen.is_asking() => {}
            Some(wait) if display.is_terminal => {
                display.bar = display.bar.take().or_else(bar);
                if let Some(bar) = &display.bar {
                    bar.set_message(format!("Waiting, {}", wait.reason_first()));
                }
            }
            Some(wait) => display.write_line(wait),
        }
    }

    /// Removes the line from a terminal, before something else is written.
    pub fn hide(&self) {
        self.show(None);
    }

    /// Calls `ask`, which asks a person on the terminal. Nothing is drawn there until it returns.
    pub fn ask<T>(&self, ask: impl FnOnce() -> T) -> T {
        self.screen.begin_question();
        self.hide();
        let answer = ask();
        self.screen.end_question();
        answer
    }

    /// The terminal on which the line is drawn.
    pub fn screen(&self) -> &Screen {
        &self.screen
    }

    fn display(&self) -> MutexGuard<'_, Display> {
        self.display.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Display {
    fn write_line(&mut self, wait: &Wait) {
        let is_recent =
            |(what, at): &(Printable, Instant)| *what == wait.what && at.elapsed() < BETWEEN_LINES;
        if !self.last.as_ref().is_some_and(is_recent) {
            self.last = Some((wait.what.clone(), Instant::now()));
            // A closed standard error must not end the command.
            let _ = writeln!(self.lines, "Waiting for {wait}");
        }
    }
}

fn bar() -> Option<ProgressBar> {
    bar_on_terminal("{wide_msg}")
}

impl fmt::Debug for WaitDisplay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WaitDisplay")
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn without_a_terminal_each_wait_has_one_line_in_thirty_seconds() {
        let lines = Lines::default();
        let display = WaitDisplay::with(false, Box::new(lines.clone()));
        let wait = |what: &str, seconds| Wait {
            what: what.into(),
            is_call: true,
            endpoint: None,
            duration: Duration::from_secs(seconds),
            attempts: 1,
            error: None,
            progress: None,
        };
        for seconds in 5..10 {
            display.show(Some(&wait("iam:GetUser", seconds)));
            display.hide();
        }
        display.show(Some(&wait("iam:GetPolicy", 5)));
        let written = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let expected = "Waiting for one call of iam:GetUser: no response for 5 seconds\n\
                        Waiting for one call of iam:GetPolicy: no response for 5 seconds\n";
        assert_eq!(written, expected);
    }
}
