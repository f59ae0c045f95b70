use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar};

use super::bar::{bar_on_terminal, message_style};
use super::progress::Progress;
use super::screen::Screen;
use super::view::grouped;
use crate::apply::{AccountEnd, FleetEvent, FleetStage};
use crate::iam::AccountId;

/// The progress of the work on a fleet on standard error: on a terminal, a bar for the fleet and a line for each account in
/// flight; otherwise a line every 10 seconds.
pub struct FleetProgress {
    stage: FleetStage,
    began: Instant,
    shown: Instant,
    accounts: usize,
    ended: usize,
    failed: usize,
    changes: usize,
    running: BTreeMap<AccountId, Account>,
    bars: Option<(MultiProgress, ProgressBar)>,
    screen: Screen,
    lines: Box<dyn Write + Send>,
}

/// An account in flight.
struct Account {
    name: String,
    began: Instant,
    progress: Option<Progress>,
    wait: Option<String>,
    line: Option<ProgressBar>,
}

/// The time between two lines if standard error is not a terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(10);
/// The maximum number of lines for accounts on a terminal; the bar counts the others.
const MAX_LINES: usize = 16;

impl FleetProgress {
    /// A display on `screen` of work that begins now. Without a terminal, the lines go to `lines`.
    pub fn new(screen: &Screen, lines: Box<dyn Write + Send>) -> Self {
        FleetProgress::with(bar_on_terminal("{bar:30} {pos}/{len}  {wide_msg}"), screen, lines)
    }

    /// A display that shows nothing.
    pub fn hidden() -> Self {
        FleetProgress::with(None, &Screen::default(), Box::new(std::io::sink()))
    }

    fn with(bar: Option<ProgressBar>, screen: &Screen, lines: Box<dyn Write + Send>) -> Self {
        let bars = bar.map(|bar| {
            let bars = screen.bars();
            let bar = bars.add(bar);
            (bars, bar)
        });
        let now = Instant::now();
        FleetProgress {
            stage: FleetStage::Planning,
            began: now,
            shown: now,
            accounts: 0,
            ended: 0,
            failed: 0,
            changes: 0,
            running: BTreeMap::new(),
            bars,
            screen: screen.clone(),
            lines,
        }
    }

    /// Processes the next event.
    pub fn on(&mut self, event: &FleetEvent) {
        let screen = self.screen.clone();
        let _drawing = screen.drawing();
        match event {
            FleetEvent::RunBegins(_) => {}
            FleetEvent::Started { stage, accounts } => {
                (self.stage, self.accounts) = (*stage, *accounts);
                (self.ended, self.failed, self.changes) = (0, 0, 0);
                self.began = Instant::now();
                if let Some((_, bar)) = &self.bars {
                    bar.set_length(*accounts as u64);
                }
            }
            FleetEvent::Begun(account) => {
                let line = self.line();
                let (name, began) = (account.name.to_string(), Instant::now());
                let account_in_flight = Account { name, began, progress: None, wait: None, line };
                self.running.insert(account.id, account_in_flight);
            }
            FleetEvent::Waiting(account, wait) => {
                if let Some(running) = self.running.get_mut(account) {
                    running.wait = wait.as_ref().map(|wait| format!("waiting for {wait}"));
                }
            }
            FleetEvent::Running(account, _) => {
                if let Some(running) = self.running.get_mut(&account.id) {
                    running.progress = Some(Progress::default());
                }
            }
            FleetEvent::Run(account, event) => {
                let running = self.running.get_mut(account);
                if let Some(progress) = running.and_then(|it| it.progress.as_mut()) {
                    progress.on(event);
                }
            }
            FleetEvent::Finished(_) => self.remove(),
            FleetEvent::Planned(account, planned) => self.end(*account, planned.is_err()),
            FleetEvent::Applied(run) => {
                if let AccountEnd::Completed { summary, .. } = &run.end {
                    self.changes += summary.applied;
                }
                if self.running.contains_key(&run.account.id) {
                    self.end(run.account.id, run.is_failed());
                }
            }
        }
    }

    fn end(&mut self, account: AccountId, is_failed: bool) {
        self.ended += 1;
        self.failed += usize::from(is_failed);
        if let Some(line) = self.running.remove(&account).and_then(|it| it.line) {
            line.finish_and_clear();
        }
    }

    /// The line of an account that begins; `None` without a terminal, or if there are enough.
    fn line(&self) -> Option<ProgressBar> {
        let (bars, _) = self.bars.as_ref()?;
        let shown = self.running.values().filter(|it| it.line.is_some()).count();
        (shown < MAX_LINES)
            .then(|| bars.add(ProgressBar::new_spinner().with_style(message_style())))
    }

    /// Updates the bars, or writes a line if the last one is old enough.
    pub fn tick(&mut self) {
        let screen = self.screen.clone();
        let _drawing = screen.drawing();
        match &self.bars {
            Some((_, bar)) => {
                bar.set_position(self.ended as u64);
                bar.set_message(self.remark());
                for account in self.running.values() {
                    if let Some(line) = &account.line {
                        line.set_message(format!("  {}", account.message()));
                    }
                }
            }
            None if self.shown.elapsed() >= BETWEEN_LINES && self.accounts > 0 => {
                self.shown = Instant::now();
                let line = self.text();
                // A closed standard error must not end the run.
                let _ = writeln!(self.lines, "{line}");
            }
            None => {}
        }
    }

    /// Removes the bars from the terminal.
    pub fn finish(&mut self) {
        let screen = self.screen.clone();
        let _drawing = screen.drawing();
        self.remove();
    }

    fn remove(&self) {
        for account in self.running.values() {
            account.line.iter().for_each(ProgressBar::finish_and_clear);
        }
        if let Some((_, bar)) = &self.bars {
            bar.finish_and_clear();
        }
    }

    /// Calls `write` while the bars are hidden.
    pub fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        let _drawing = self.screen.drawing();
        match &self.bars {
            Some((bars, _)) => bars.suspend(write),
            None => write(),
        }
    }

    fn remark(&self) -> String {
        let what = match self.stage {
            FleetStage::Planning => "accounts read",
            FleetStage::Applying => "accounts applied",
            FleetStage::PlanningAndApplying => "accounts planned and applied",
        };
        let mut remark = what.to_owned();
        if self.changes > 0 {
            remark += &format!(", {} changes", grouped(self.changes));
        }
        if self.failed > 0 {
            remark += &format!(", {} failed", grouped(self.failed));
        }
        remark + &format!(", {} s", self.began.elapsed().as_secs())
    }

    /// One line for a log: `fleet: 12 of 200 accounts read, 10 s; longest: payments-prod, waiting for …`.
    fn text(&self) -> String {
        let ended = format!("{} of {}", grouped(self.ended), grouped(self.accounts));
        let line = format!("fleet: {ended} {}", self.remark());
        match self.running.values().min_by_key(|account| account.began) {
            Some(longest) => format!("{line}; longest: {}", longest.message()),
            None => line,
        }
    }
}

impl Account {
    fn message(&self) -> String {
        let elapsed = self.began.elapsed();
        let what = match (&self.progress, &self.wait) {
            (_, Some(wait)) => wait.clone(),
            (Some(progress), None) => progress.remark(elapsed),
            (None, None) => format!("reading, {} s", elapsed.as_secs()),
        };
        format!("{}: {what}", self.name)
    }
}

impl fmt::Debug for FleetProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetProgress").field("ended", &self.ended).finish_non_exhaustive()
    }
}
