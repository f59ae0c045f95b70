use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::coverage::{drifted, missing, unlisted_part, unlisted_sections};
use super::coverage_view::{CoverageView, RunCounts, of_changes, of_run};
use super::plan::{change_row, changed_principals, problem_sections, problems};
use super::problem::problem_row;
use super::same::{Keyed, SectionKind};
use super::words::{
    account, add_counts, counted, found_clause, grouped, is_layered, named, recreated_clause,
    summary_counts,
};
use super::{
    Body, Closing, Document, RUN_MARKER, Row, Section, Severity, Text, Tone, advice,
    advice_on_failed, advice_on_stop, principals,
};
use crate::apply::{Event, Item, StopError, Summary, Verification};
use crate::iam::{PrincipalCounts, PrincipalKind};
use crate::inventory::{ApiError, CallOutcome, ErrorClass, Reading, StopReason};
use crate::journal::Outcome;
use crate::plan::{Change, Plan, Preflight};

/// A run: the result of preflight, and the events so far.
pub(in crate::report) struct Run<'p> {
    preflight: &'p Preflight,
    items: Vec<Item>,
    stopped_by: Option<StopError>,
}

/// A change whose last attempt has ended.
pub(in crate::report) struct Attempted<'a> {
    /// One word of at most seven letters.
    pub(in crate::report) label: &'static str,
    pub(in crate::report) severity: Severity,
    /// The change, with a message if it failed.
    pub(in crate::report) row: Row<'a>,
    pub(in crate::report) attempts: u32,
}

/// A change whose last attempt has ended; `None` if it is not attempted.
pub(in crate::report) fn attempted<'a>(
    plan: &'a Plan,
    change: &'a Change,
    call: &'a CallOutcome,
) -> Option<Attempted<'a>> {
    let row = change_row(plan, change);
    match call {
        CallOutcome::NotAttempted | CallOutcome::ThrottledUntilStop { .. } => None,
        CallOutcome::Applied { attempts, .. } => Some(Attempted {
            label: "applied",
            severity: Severity::Notice,
            row,
            attempts: *attempts,
        }),
        CallOutcome::Failed { attempts, error, may_be_done } => {
            let (label, severity) = match may_be_done {
                true => ("unknown", Severity::Warning),
                false => ("failed", Severity::Error),
            };
            let after = match attempts {
                0 | 1 => String::new(),
                many => format!("after {many} attempts: "),
            };
            let message = Text::sentence(after).and_quote(error.to_string());
            let row = Row { message, ..row };
            Some(Attempted { label, severity, row, attempts: *attempts })
        }
    }
}

impl<'p> Run<'p> {
    pub(in crate::report) fn new(preflight: &'p Preflight) -> Self {
        Run { preflight, items: Vec::new(), stopped_by: None }
    }

    pub(in crate::report) fn plan(&self) -> &'p Plan {
        &self.preflight.plan
    }

    /// Processes the next event.
    pub(in crate::report) fn on(&mut self, event: &Event) {
        match event {
            Event::Ended(item) => self.items.push(item.clone()),
            Event::StoppedBy(error) => self.stopped_by = Some(error.clone()),
            Event::Started { .. }
            | Event::Retrying { .. }
            | Event::Answered { .. }
            | Event::Waiting(_)
            | Event::Verifying { .. }
            | Event::Finished(_) => {}
        }
    }

    /// The rows of every change that is ready.
    pub(in crate::report) fn rows(&self) -> Vec<Row<'p>> {
        self.preflight.ready().map(|change| change_row(self.plan(), change)).collect()
    }

    /// The report of the whole run, after its end.
    pub(in crate::report) fn document(&self, summary: &Summary) -> Document<'_> {
        let (plan, is_complete) = (self.plan(), self.is_complete(summary));
        let result = if is_complete { "complete" } else { "incomplete" };
        let mut sections: Vec<Section<'_>> = self.stop().into_iter().collect();
        sections.extend(self.outcomes(summary));
        sections.extend(conflicts(self.preflight));
        sections.extend(blocked(self.preflight));
        sections.extend(problem_sections(problems(plan), is_layered(plan)));
        sections.extend(drifted(plan));
        sections.extend(unlisted_sections(plan));
        sections.extend(missing(plan));
        sections.extend(already_done(self.preflight));
        sections.extend(self.applied());
        Document {
            marker: RUN_MARKER,
            severity: if is_complete { Severity::Notice } else { Severity::Error },
            title: Text::ours("Permissions boundaries of account ")
                .and_text(account(plan))
                .and(": ")
                .and(result),
            introduction: None,
            counts: Vec::new(),
            sections,
            closing: Some(self.closing(summary)),
            coverage: Some(self.coverage()),
            account: Some(account(plan)),
            digest: Some(("Plan digest", self.preflight.digest)),
        }
    }

    /// What every principal of the plan has after the run.
    fn coverage(&self) -> CoverageView {
        let of = |outcome| of_changes(self.items_of(outcome).map(|item| &item.change));
        let conflicts = of_changes(self.preflight.conflicts().map(|(change, _)| change));
        let blocked = of_changes(self.preflight.blocked().map(|(change, _)| change));
        let problems = problems(self.plan());
        let counts = RunCounts {
            applied: of(Outcome::Applied),
            failed: of(Outcome::Failed) + of(Outcome::NotAsWritten),
            not_made: of(Outcome::NotAttempted) + conflicts + blocked,
            already_done: of_changes(self.preflight.already_done()),
            problems: PrincipalCounts::of(problems.map(|(principal, ..)| principal.kind)),
        };
        of_run(self.plan(), &counts)
    }

    /// The results of preflight, without the problems of the plan.
    pub(in crate::report) fn before(&self) -> Vec<Section<'p>> {
        let mut sections = conflicts(self.preflight);
        sections.extend(blocked(self.preflight));
        sections.extend(already_done(self.preflight));
        sections
    }

    /// The error that stopped the run.
    pub(in crate::report) fn stop(&self) -> Option<Section<'_>> {
        let error = self.stopped_by.as_ref()?;
        let statement = match error {
            StopError::Call(ApiError { class: ErrorClass::Denied, .. }) => Text::ours(
                "IAM denied every change so far, including one for each boundary of the plan: ",
            ),
            StopError::Call(ApiError { class: ErrorClass::Throttled, .. }) => {
                Text::ours("IAM has throttled every change for minutes: ")
            }
            StopError::Call(error) if error.is_timeout() => {
                Text::ours("IAM did not respond to several changes in a row: ")
            }
            StopError::Call(_) | StopError::Journal(_) => Text::default(),
        };
        Some(Section {
            heading: Some(Text::ours("Stopped early")),
            severity: Severity::Warning,
            label: "stopped early",
            noun: "error",
            body: Body::Statements(vec![statement.and_quote(error.to_string())]),
            message: None,
            help: advice_on_stop(error).map(Text::sentence),
        })
    }

    /// The outcomes, without the complete list of applied changes.
    pub(in crate::report) fn outcomes(&self, summary: &Summary) -> Vec<Section<'_>> {
        let mut sections = self.failed();
        sections.extend(self.not_as_written());
        sections.extend(self.conflicts());
        sections.extend(self.could_not_be_verified());
        sections.extend(self.not_verified());
        sections.extend(self.confirmed());
        sections.extend(self.by_single_read());
        sections.extend(self.not_attempted(summary));
        sections
    }

    /// Failed changes, grouped by error, help and kind; the largest group is first.
    fn failed(&self) -> Vec<Section<'_>> {
        // `NoSuchEntity` is the error for missing users and for missing policies; the help differs.
        let mut groups: BTreeMap<(&str, Option<String>, PrincipalKind), Vec<Row<'_>>> =
            BTreeMap::new();
        for item in self.items_of(Outcome::Failed) {
            let CallOutcome::Failed { error, .. } = &item.call else { continue };
            let help = advice_on_failed(error, &item.verification);
            let row = Row { message: Text::quote(error.to_string()), ..self.row(item) };
            let group = (&*error.code, help, item.change.principal.kind);
            groups.entry(group).or_default().push(row);
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|((_, _, kind), rows)| (Reverse(rows.len()), *kind));
        let section = |((code, help, _), rows): ((_, Option<String>, _), _)| Section {
            heading: Some(Text::ours("Failed with ").and_name(code)),
            help: help.map(Text::sentence),
            ..Section::new("", Severity::Error, "failed", Body::Group(rows))
        };
        groups.into_iter().map(section).collect()
    }

    fn not_as_written(&self) -> Option<Section<'_>> {
        let plan = self.plan();
        let rows = self.items_of(Outcome::NotAsWritten).filter_map(|item| {
            let Verification::Otherwise(found) = &item.verification else { return None };
            let written = match item.change.boundary.to() {
                None => Text::ours("the boundary was removed, but "),
                to => {
                    Text::ours("the boundary was set to ").and_text(named(plan, to)).and(", but ")
                }
            };
            let message = written.and_text(match (&item.change.unique_id, found) {
                (Some(planned), Reading::Found { unique_id, .. }) if planned != unique_id => {
                    recreated_clause(item.change.principal.kind, planned, unique_id)
                }
                _ => found_clause(plan, item.change.principal.kind, found),
            });
            Some(Row { message, change: None, ..self.row(item) })
        });
        let body = Body::Rows(rows.collect());
        let section = section("Not as written", Severity::Error, "not as written", body)?;
        Some(section.with_help(
            "run plan to see the current boundary; another client may have changed it, or IAM may take \
             longer than --read-back to return it",
        ))
    }

    /// Changes that were not made because a check during the run found their principals in conflict.
    fn conflicts(&self) -> Vec<Section<'_>> {
        let conflicts = self.items.iter().filter_map(|item| Some((&item.change, item.conflict()?)));
        conflict_sections("In conflict during the run, not changed", self.plan(), conflicts)
    }

    /// Changes whose principals could not be read, grouped by their kind and by the error's code and action.
    fn could_not_be_verified(&self) -> Vec<Section<'_>> {
        let mut groups: BTreeMap<(PrincipalKind, &str, &str), (&ApiError, Vec<Row<'_>>)> =
            BTreeMap::new();
        for item in &self.items {
            let Verification::Failed(error) = &item.verification else { continue };
            let message = Text::quote(error.to_string());
            let row = Row { message, place: None, change: None, ..self.row(item) };
            let kind = item.change.principal.kind;
            let group = (kind, &*error.code, &*error.action);
            groups.entry(group).or_insert((error, Vec::new())).1.push(row);
        }
        let group = |(error, rows): (&ApiError, _)| {
            let help = advice(error).map(|advice| format!("; {advice}")).unwrap_or_default();
            section("Could not be verified", Severity::Error, "not verified", Body::Group(rows))
                .map(|section| section.with_help(RUN_PLAN.to_owned() + &help))
        };
        groups.into_values().filter_map(group).collect()
    }

    /// Changes whose outcome is unknown because the run was stopped. A success that IAM reported counts,
    /// unless verification showed something else.
    fn not_verified(&self) -> Option<Section<'_>> {
        let is_open = |item: &&Item| {
            matches!(
                (&item.verification, &item.call),
                (Verification::Stopped { last: Some(_) }, _)
                    | (Verification::Stopped { .. }, CallOutcome::Failed { .. })
            )
        };
        let row = |item| Row { place: None, change: None, ..self.row(item) };
        let rows = self.items.iter().filter(is_open).map(row).collect();
        let section = section("Not verified", Severity::Error, "not verified", Body::Group(rows))?;
        let message = Text::ours("the run was stopped before verification showed the change");
        Some(Section { message: Some(message), ..section.with_help(RUN_PLAN) })
    }

    /// Changes that verification showed to be applied although their requests failed.
    fn confirmed(&self) -> Option<Section<'_>> {
        let row = |item: &'_ Item| match (&item.call, &item.verification) {
            (
                CallOutcome::Failed { error, .. },
                Verification::AsWritten | Verification::AsWrittenBySingleRead(_),
            ) => Some(error.to_string()),
            _ => None,
        };
        let rows = self.items.iter().filter_map(|item| {
            let message = Text::quote(row(item)?);
            Some(Row { message, place: None, change: None, ..self.row(item) })
        });
        let heading = "Applied, confirmed by verification (the request had failed)";
        section(heading, Severity::Notice, "applied", Body::Group(rows.collect()))
    }

    /// Changes that one source shows and the other does not.
    fn by_single_read(&self) -> Option<Section<'_>> {
        let is_one =
            |item: &&Item| matches!(item.verification, Verification::AsWrittenBySingleRead(_));
        let row = |item| Row { place: None, change: None, ..self.row(item) };
        let rows: Vec<Row<'_>> = self.items.iter().filter(is_one).map(row).collect();
        let heading = match principals(&rows) {
            PrincipalCounts { roles: 0, .. } => "Verified by iam:GetUser only",
            PrincipalCounts { users: 0, .. } => "Verified by iam:GetRole only",
            _ => "Verified by iam:GetUser and iam:GetRole only",
        };
        let section = section(heading, Severity::Warning, "applied", Body::Group(rows))?;
        let message =
            Text::ours("iam:GetAccountAuthorizationDetails does not show the new boundary");
        let section = Section { message: Some(message), ..section };
        Some(section.with_help(
            "plan reads account pages, too, if it has more than two principals to read; check --endpoint-url: some \
             emulators of IAM leave boundaries out of these pages",
        ))
    }

    /// Changes for which nothing was sent, and changes that IAM throttled until the run was stopped.
    fn not_attempted(&self, summary: &Summary) -> impl Iterator<Item = Section<'_>> {
        let why = match summary.stopped {
            Some(StopReason::Deadline) => Some("the time limit of --timeout was reached"),
            Some(StopReason::Interrupted) => Some("the run was interrupted"),
            Some(StopReason::Journal) => Some("the journal could not be written"),
            Some(StopReason::Error) | None => None,
        };
        let (mut unsent, mut throttled, mut requests) = (Vec::new(), Vec::new(), 0);
        for item in self.items_of(Outcome::NotAttempted).filter(|it| it.conflict().is_none()) {
            match item.call {
                CallOutcome::ThrottledUntilStop { attempts, .. } => {
                    requests += attempts as usize;
                    throttled.push(self.row(item));
                }
                _ => unsent.push(self.row(item)),
            }
        }
        // A stopped run can have thousands of them, so a review does not show them.
        let section = |heading, rows, message| {
            let section = section(heading, Severity::Detail, "not attempted", Body::Group(rows))?;
            Some(Section { message, ..section })
        };
        let until = format!(
            "IAM throttled {} for these changes until {}",
            counted(requests, "request"),
            why.unwrap_or("the run was stopped")
        );
        let throttled = section("Not attempted, throttled", throttled, Some(Text::sentence(until)));
        throttled.into_iter().chain(section("Not attempted", unsent, why.map(Text::ours)))
    }

    fn applied(&self) -> Option<Section<'_>> {
        let rows = self.items_of(Outcome::Applied).map(|item| self.row(item)).collect();
        section("Applied", Severity::Detail, "applied", Body::Changes(rows))
    }

    /// The items with this outcome.
    fn items_of(&self, outcome: Outcome) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(move |item| item.outcome() == outcome)
    }

    fn row<'a>(&'a self, item: &'a Item) -> Row<'a> {
        change_row(self.plan(), &item.change)
    }

    fn closing(&self, summary: &Summary) -> Closing<'static> {
        let mut counts = summary_counts(summary);
        add_counts(&mut counts, &preflight_counts(self.preflight, summary));
        let (label, tone) = match self.is_complete(summary) {
            true => ("Apply complete", Tone::Good),
            false => ("Incomplete", Tone::Bad),
        };
        let mut calls = counted(summary.calls.made as usize, "call");
        if summary.calls.throttled > 0 {
            calls.push_str(&format!(" ({} throttled)", grouped(summary.calls.throttled as usize)));
        }
        calls.push_str(&format!(" in {:.1}s", summary.write_duration.as_secs_f64()));
        let mut parts = vec![(tone, Text::sentence(counts))];
        let principals = changed_principals(self.plan());
        if principals.roles > 0 {
            parts.push((Tone::Neutral, Text::sentence(principals.to_string())));
        }
        parts.push((Tone::Neutral, Text::sentence(calls)));
        parts.extend(unlisted_part(self.plan()));
        Closing { label, parts }
    }

    /// Whether every change of the plan is made and verified.
    fn is_complete(&self, summary: &Summary) -> bool {
        let Preflight { plan, .. } = self.preflight;
        summary.is_complete() && !plan.is_incomplete() && self.preflight.is_all_possible()
    }
}

const RUN_PLAN: &str = "run plan to check whether the changes are in effect";

/// The counts of what preflight found, and the checks during the run, with their labels.
pub(super) fn preflight_counts(
    preflight: &Preflight,
    summary: &Summary,
) -> [(usize, &'static str); 4] {
    [
        (summary.all_conflicts(preflight), "in conflict"),
        (preflight.already_done().count(), "already done"),
        (preflight.blocked().count(), "blocked"),
        (problems(&preflight.plan).count(), "cannot be planned"),
    ]
}

/// The changes that are not made because their principals differ from the plan.
pub(super) fn conflicts(preflight: &Preflight) -> Vec<Section<'_>> {
    conflict_sections("In conflict, not changed", &preflight.plan, preflight.conflicts())
}

fn conflict_sections<'a>(
    heading: &'static str,
    plan: &'a Plan,
    conflicts: impl Iterator<Item = (&'a Change, &'a Reading)>,
) -> Vec<Section<'a>> {
    let rows = conflicts.map(|(change, found)| {
        let message = conflict(plan, change, found);
        Keyed::by_message(Row { message, change: None, ..change_row(plan, change) })
    });
    let kind = SectionKind {
        heading,
        severity: Severity::Error,
        label: "in conflict",
        noun: None,
        help: Some("plan again"),
    };
    kind.sections(rows)
}

fn conflict<'a>(plan: &'a Plan, change: &'a Change, found: &'a Reading) -> Text<'a> {
    match (&change.unique_id, found) {
        (Some(planned), Reading::Found { unique_id, .. }) if planned != unique_id => {
            recreated_clause(change.principal.kind, planned, unique_id)
        }
        _ => Text::ours("the plan expected ")
            .and_text(named(plan, change.boundary.from()))
            .and(", but ")
            .and_text(found_clause(plan, change.principal.kind, found)),
    }
}

/// The changes that preflight found already done.
pub(super) fn already_done(preflight: &Preflight) -> Option<Section<'_>> {
    let rows = preflight.already_done().map(|change| change_row(&preflight.plan, change));
    section("Already done", Severity::Detail, "already done", Body::Group(rows.collect()))
}

/// The changes whose policies can no longer be used as boundaries.
pub(super) fn blocked(preflight: &Preflight) -> Vec<Section<'_>> {
    let is_layered = is_layered(&preflight.plan);
    let rows = preflight
        .blocked()
        .map(|(change, why)| problem_row((&change.principal, &change.provenance, why), is_layered));
    let kind = SectionKind {
        heading: "Blocked, not changed",
        severity: Severity::Error,
        label: "blocked",
        noun: None,
        help: None,
    };
    kind.sections(rows)
}

/// A section about principals; `None` without rows.
pub(super) fn section<'a>(
    heading: &'static str,
    severity: Severity,
    label: &'static str,
    body: Body<'a>,
) -> Option<Section<'a>> {
    let section = Section::new(heading, severity, label, body);
    (section.len() > 0).then_some(section)
}

impl<'a> Section<'a> {
    fn new(
        heading: &'static str,
        severity: Severity,
        label: &'static str,
        mut body: Body<'a>,
    ) -> Self {
        if let Body::Changes(rows) | Body::Rows(rows) | Body::Group(rows) = &mut body {
            rows.sort_by_key(|row| row.principal);
        }
        let heading = Some(Text::ours(heading));
        let mut section =
            Section { heading, severity, label, noun: "", body, message: None, help: None };
        section.noun = principals(section.rows()).noun();
        section
    }

    pub(super) fn with_help(self, help: impl AsRef<str>) -> Self {
        Section { help: Some(Text::sentence(help)), ..self }
    }
}
