//! The plans and runs of a fleet in each format.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use super::json::{JsonRun, refused_in_fleet};
use super::json_fleet::HashedLines;
use super::merged_runs::MergedRuns;
use super::text::TextRun;
use super::text_fleet::account_heading;
use super::view::{
    FleetDocument, FleetEvents, FleetRunView, fleet_plan, fleet_review, merged_runs,
};
use super::{Format, RunReporter, Style, github, html, json_fleet, markdown_fleet, text_fleet};
use crate::apply::{AccountEnd, AccountRun, Event, FleetEvent, FleetRun};
use crate::iam::{AccountId, AccountName};
use crate::plan::{FleetPlan, Preflight};

type Renderer = fn(&FleetDocument<'_>, Style) -> String;

/// The renderer of a format that is made from the view; `None` for JSON.
fn renderer(format: Format) -> Option<Renderer> {
    match format {
        Format::Text => Some(text_fleet::fleet),
        Format::Json => None,
        Format::Markdown => Some(markdown_fleet::fleet),
        Format::Github => Some(github::fleet),
        Format::Html => Some(html::fleet),
    }
}

/// Renders the plans of a fleet.
pub fn render_fleet_plan(plan: &FleetPlan, format: Format, style: Style) -> String {
    match renderer(format) {
        Some(render) => render(&fleet_plan(plan), style),
        None => plan.to_json(),
    }
}

/// Renders the plans of a fleet as text for a run, which itself reports violations of the fleet's guard rails.
pub fn render_fleet_review(plan: &FleetPlan, style: Style) -> String {
    text_fleet::fleet(&fleet_review(plan), style)
}

/// Renders the merged run reports of the parts of a fleet. JSON consists of their lines, between one first line and one
/// summary; the other formats summarize the accounts.
pub fn render_merged_runs(runs: &MergedRuns, format: Format, style: Style) -> String {
    match renderer(format) {
        Some(render) => render(&merged_runs(runs), style),
        None => json_fleet::merged(runs),
    }
}

/// Writes the report of a run on a fleet.
pub trait FleetReporter {
    /// Processes the next event.
    ///
    /// # Errors
    /// Returns the error of the writer if the report cannot be written. The run continues.
    fn on(&mut self, event: &FleetEvent) -> io::Result<()>;
}

/// A reporter of a run on a fleet that writes to `to`. Text has the changes of each account as soon as its run is over,
/// and JSON an object for each change as soon as its outcome is final. The other formats are written at the end.
pub fn fleet_reporter<'a>(
    format: Format,
    style: Style,
    to: impl Write + 'a,
) -> Box<dyn FleetReporter + 'a> {
    match renderer(format) {
        Some(_) if format == Format::Text => Box::new(TextFleet::new(style, to)),
        Some(render) => Box::new(AtEnd { events: BTreeMap::new(), render, style, to }),
        None => Box::new(JsonFleet::new(to)),
    }
}

/// Text: the lines of each account together.
struct TextFleet<W> {
    /// The events of the accounts whose runs are not over.
    running: BTreeMap<AccountId, Vec<Event>>,
    /// The final events of the others.
    ended: FleetEvents,
    style: Style,
    to: W,
}

impl<W: Write> TextFleet<W> {
    fn new(style: Style, to: W) -> Self {
        TextFleet { running: BTreeMap::new(), ended: BTreeMap::new(), style, to }
    }

    fn account(&mut self, run: &AccountRun) -> io::Result<()> {
        let events = self.running.remove(&run.account.id).unwrap_or_default();
        let AccountEnd::Completed { preflight, .. } = &run.end else { return Ok(()) };
        if events.is_empty() {
            return Ok(());
        }
        let mut text = account_heading(&run.account.label(), self.style).into_bytes();
        let mut reporter = TextRun::new(preflight, self.style, &mut text);
        events.iter().try_for_each(|event| reporter.on(event))?;
        text.push(b'\n');
        self.ended.insert(run.account.id, events.into_iter().filter(is_final).collect());
        self.to.write_all(&text)?;
        self.to.flush()
    }
}

impl<W: Write> FleetReporter for TextFleet<W> {
    fn on(&mut self, event: &FleetEvent) -> io::Result<()> {
        match event {
            FleetEvent::Run(account, event) => {
                // A retry and a wait are shown by the progress only.
                if !matches!(**event, Event::Retrying { .. } | Event::Waiting(_)) {
                    self.running.entry(*account).or_default().push(Event::clone(event));
                }
                Ok(())
            }
            FleetEvent::Applied(run) => self.account(run),
            FleetEvent::Finished(run) => self.end(run),
            _ => Ok(()),
        }
    }
}

impl<W: Write> TextFleet<W> {
    fn end(&mut self, run: &FleetRun) -> io::Result<()> {
        let view = FleetRunView::new(run, &self.ended);
        let mut document = view.document();
        // The details of each run are written already.
        document.accounts.retain(|it| !self.ended.contains_key(&it.account.id));
        self.to.write_all(text_fleet::fleet(&document, self.style).as_bytes())?;
        self.to.flush()
    }
}

/// JSON Lines.
struct JsonFleet<W> {
    /// The accounts whose runs are not over.
    running: BTreeMap<AccountId, (AccountName, Arc<Preflight>)>,
    to: HashedLines<W>,
}

impl<W: Write> JsonFleet<W> {
    fn new(to: W) -> Self {
        JsonFleet { running: BTreeMap::new(), to: HashedLines::new(to) }
    }
}

impl<W: Write> FleetReporter for JsonFleet<W> {
    fn on(&mut self, event: &FleetEvent) -> io::Result<()> {
        match event {
            FleetEvent::RunBegins(header) => json_fleet::write_begin(&mut self.to, header),
            FleetEvent::Running(account, preflight) => {
                let running = (account.name.clone(), preflight.clone());
                self.running.insert(account.id, running);
                Ok(())
            }
            FleetEvent::Run(account, event) => match self.running.get(account) {
                Some((name, preflight)) => {
                    JsonRun::in_fleet(preflight, name, &mut self.to).on(event)
                }
                None => Ok(()),
            },
            FleetEvent::Applied(run) => {
                let is_written = self.running.remove(&run.account.id).is_some();
                let name = &run.account.name;
                match &run.end {
                    AccountEnd::Completed { preflight, summary, .. } if !is_written => {
                        let mut reporter = JsonRun::in_fleet(preflight, name, &mut self.to);
                        reporter.on(&Event::Started { changes: Default::default() })?;
                        reporter.on(&Event::Finished(summary.clone()))?;
                        json_fleet::write_account(&mut self.to, run)
                    }
                    AccountEnd::Refused { preflight, why } => {
                        refused_in_fleet(&mut self.to, preflight, name, why)
                    }
                    _ => json_fleet::write_account(&mut self.to, run),
                }
            }
            FleetEvent::Finished(run) => json_fleet::write_end(&mut self.to, run),
            _ => Ok(()),
        }
    }
}

/// A reporter that writes the whole report at the end of the run.
struct AtEnd<W> {
    events: FleetEvents,
    render: Renderer,
    style: Style,
    to: W,
}

impl<W: Write> FleetReporter for AtEnd<W> {
    fn on(&mut self, event: &FleetEvent) -> io::Result<()> {
        match event {
            FleetEvent::Run(account, event) if is_final(event) => {
                self.events.entry(*account).or_default().push(Event::clone(event));
                Ok(())
            }
            FleetEvent::Finished(run) => {
                let view = FleetRunView::new(run, &self.events);
                let text = (self.render)(&view.document(), self.style);
                self.to.write_all(text.as_bytes())?;
                self.to.flush()
            }
            _ => Ok(()),
        }
    }
}

/// Whether the report after the end of a run needs the event.
fn is_final(event: &Event) -> bool {
    matches!(event, Event::Ended(_) | Event::StoppedBy(_))
}
