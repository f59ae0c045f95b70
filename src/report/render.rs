use std::io::{self, Write};

use super::view::{Document, Run};
use super::{
    Format, RunReporter, Style, github, html, json, json_check, json_explanation, json_impact,
    markdown, text, view,
};
use crate::apply::Event;
use crate::config::{Config, FileErrors, Fleet, FleetConfigs, render_warnings};
use crate::impact::ComparedDocuments;
use crate::plan::{Explanation, Plan, Preflight, Refused};

type Renderer = fn(&Document<'_>, Style) -> String;

/// The renderer of a format that is made from the view; `None` for JSON, which has documented fields.
fn renderer(format: Format) -> Option<Renderer> {
    match format {
        Format::Text => Some(text::document),
        Format::Json => None,
        Format::Markdown => Some(markdown::document),
        Format::Html => Some(html::document),
        Format::Github => Some(github::document),
    }
}

/// Renders a plan.
pub fn render_plan(plan: &Plan, format: Format, style: Style) -> String {
    match renderer(format) {
        Some(render) => render(&view::plan(plan), style),
        None => plan.to_json(),
    }
}

/// Renders what decides the boundary of one principal.
pub fn render_explanation(explanation: &Explanation, format: Format, style: Style) -> String {
    match renderer(format) {
        Some(render) => render(&view::explanation(explanation), style),
        None => json_explanation::explanation(explanation),
    }
}

/// Renders what a change from one boundary document to another does.
pub fn render_impact(compared: &ComparedDocuments, format: Format, style: Style) -> String {
    match renderer(format) {
        Some(render) => render(&view::impact(compared), style),
        None => json_impact::compared(compared),
    }
}

/// Renders a plan as text for a run, which itself reports violations of guard rails.
pub fn render_review(plan: &Plan, style: Style) -> String {
    text::document(&view::review(plan), style)
}

/// Renders the result of the check of a file without errors. The text format shows each warning with its line of the
/// file.
pub fn render_check(config: &Config, format: Format, style: Style) -> String {
    match renderer(format) {
        Some(_) if format == Format::Text => {
            let document = Document { sections: Vec::new(), ..view::check(config) };
            render_warnings(&config.warnings, style.color, style.message_width())
                + &text::document(&document, style)
        }
        Some(_) if format == Format::Html => html::check(&view::check(config), &config.warnings),
        Some(render) => render(&view::check(config), style),
        None => json_check::check(config),
    }
}

/// Renders the result of the check of a fleet file and its boundaries files without errors, like [`render_check`].
pub fn render_fleet_check(
    fleet: &Fleet,
    configs: &FleetConfigs,
    format: Format,
    style: Style,
) -> String {
    let warnings = configs.warnings();
    match renderer(format) {
        Some(_) if format == Format::Text => {
            let document =
                Document { sections: Vec::new(), ..view::check_fleet(fleet, configs, &warnings) };
            render_warnings(&warnings, style.color, style.message_width())
                + &text::document(&document, style)
        }
        Some(render) => render(&view::check_fleet(fleet, configs, &warnings), style),
        None => json_check::check_fleet(fleet, configs, &warnings),
    }
}

/// Renders the errors of a file. The text format shows each error with its line of the file.
pub fn render_file_errors(errors: &FileErrors, format: Format, style: Style) -> String {
    match renderer(format) {
        Some(_) if format == Format::Text => errors.render(style.color, style.message_width()),
        Some(_) if format == Format::Html => {
            html::check(&view::file_errors(errors), errors.diagnostics())
        }
        Some(render) => render(&view::file_errors(errors), style),
        None => json_check::file_errors(errors),
    }
}

/// Renders a refused plan, none of whose changes was made. The text format begins with an empty line, because
/// it follows the text of the plan.
pub fn render_refused(
    preflight: &Preflight,
    why: &Refused,
    format: Format,
    style: Style,
) -> String {
    let separator = if format == Format::Text { "\n" } else { "" };
    match renderer(format) {
        Some(render) => separator.to_owned() + &render(&view::refused(preflight, why), style),
        None => json::refused(preflight, why),
    }
}

/// A reporter of the run of `preflight` that writes to `to`. Text has a line for each change as soon as IAM
/// responds, and JSON an object for each change as soon as its outcome is final. The other formats are
/// written at the end of the run.
pub fn run_reporter<'a>(
    preflight: &'a Preflight,
    format: Format,
    style: Style,
    to: impl Write + 'a,
) -> Box<dyn RunReporter + 'a> {
    match renderer(format) {
        Some(_) if format == Format::Text => Box::new(text::TextRun::new(preflight, style, to)),
        Some(render) => Box::new(AtEnd { run: Run::new(preflight), render, style, to }),
        None => Box::new(json::JsonRun::new(preflight, to)),
    }
}

/// A reporter that writes the whole report at the end of the run.
struct AtEnd<'a, W> {
    run: Run<'a>,
    render: Renderer,
    style: Style,
    to: W,
}

impl<W: Write> RunReporter for AtEnd<'_, W> {
    fn on(&mut self, event: &Event) -> io::Result<()> {
        self.run.on(event);
        if let Event::Finished(summary) = event {
            let text = (self.render)(&self.run.document(summary), self.style);
            self.to.write_all(text.as_bytes())?;
            self.to.flush()?;
        }
        Ok(())
    }
}
