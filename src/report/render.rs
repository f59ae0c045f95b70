use std::io::{self, Write};

use super::view::{Document, Run};
use super::{Format, RunReporter, Style, github, json, markdown, text, view};
use crate::apply::Event;
use crate::config::{Config, FileErrors};
use crate::plan::{Plan, Preflight, Refused};

/// A plan in a format.
pub fn render_plan(plan: &Plan, format: Format, style: Style) -> String {
    match format {
        Format::Text => text::document(&view::plan(plan), style),
        Format::Json => plan.to_json(),
        Format::Markdown => markdown::document(&view::plan(plan)),
        Format::Github => github::document(&view::plan(plan)),
    }
}

/// A file without mistakes, in a format.
pub fn render_check(config: &Config, format: Format, style: Style) -> String {
    match format {
        Format::Text => text::document(&view::check(config), style),
        Format::Json => json::check(config),
        Format::Markdown => markdown::document(&view::check(config)),
        Format::Github => github::document(&view::check(config)),
    }
}

/// The mistakes of a file, in a format. The text shows each mistake in its line of the file.
pub fn render_mistakes(errors: &FileErrors, format: Format, style: Style) -> String {
    match format {
        Format::Text => errors.render(style.colour),
        Format::Json => json::mistakes(errors),
        Format::Markdown => markdown::document(&view::mistakes(errors)),
        Format::Github => github::document(&view::mistakes(errors)),
    }
}

/// A plan that was refused as a whole, in a format: nothing of it was applied.
pub fn render_refused(
    preflight: &Preflight,
    why: &Refused,
    format: Format,
    style: Style,
) -> String {
    match format {
        // It follows the text of the plan.
        Format::Text => "\n".to_owned() + &text::document(&view::refused(preflight, why), style),
        Format::Json => json::refused(preflight, why),
        Format::Markdown => markdown::document(&view::refused(preflight, why)),
        Format::Github => github::document(&view::refused(preflight, why)),
    }
}

/// A reporter of the run of `preflight` that writes to `to`. Text has a line for each change as it is
/// answered, and JSON an object for each change when its outcome is final; the other formats are written at
/// the end of the run.
pub fn run_reporter<'a>(
    preflight: &'a Preflight,
    format: Format,
    style: Style,
    to: impl Write + 'a,
) -> Box<dyn RunReporter + 'a> {
    match format {
        Format::Text => Box::new(text::TextRun::new(preflight, style, to)),
        Format::Json => Box::new(json::JsonRun::new(preflight, to)),
        Format::Markdown => Box::new(AtEnd::new(preflight, markdown::document, to)),
        Format::Github => Box::new(AtEnd::new(preflight, github::document, to)),
    }
}

/// A reporter that writes the whole run at its end.
struct AtEnd<'a, W> {
    run: Run<'a>,
    render: fn(&Document<'_>) -> String,
    to: W,
}

impl<'a, W: Write> AtEnd<'a, W> {
    fn new(preflight: &'a Preflight, render: fn(&Document<'_>) -> String, to: W) -> Self {
        AtEnd { run: Run::new(preflight), render, to }
    }
}

impl<W: Write> RunReporter for AtEnd<'_, W> {
    fn on(&mut self, event: &Event) -> io::Result<()> {
        self.run.on(event);
        if let Event::Finished(summary) = event {
            let text = (self.render)(&self.run.document(summary));
            self.to.write_all(text.as_bytes())?;
            self.to.flush()?;
        }
        Ok(())
    }
}
