use super::guard::{OptionOf, violations_section};
use super::plan::{change_row, problem_sections, problems};
use super::run::{already_done, blocked, conflicts, preflight_counts, section};
use super::words::{account, add_counts, grouped, is_layered};
use super::{Body, Closing, Document, RUN_MARKER, Section, Severity, Text, Tone};
use crate::apply::Summary;
use crate::plan::{Preflight, Refused};

/// A refused plan: none of its changes was made.
pub(in crate::report) fn refused<'a>(preflight: &'a Preflight, why: &'a Refused) -> Document<'a> {
    let Preflight { plan, digest, .. } = preflight;
    let mut sections: Vec<Section<'a>> = Vec::new();
    if let Refused::GuardRails(violations) = why {
        sections.push(violations_section(
            plan,
            violations,
            "nothing was changed",
            OptionOf::ThisCommand,
        ));
    }
    sections.extend(conflicts(preflight));
    sections.extend(blocked(preflight));
    sections.extend(problem_sections(problems(plan), is_layered(plan)));
    sections.extend(already_done(preflight));
    let rows = preflight.ready().map(|change| change_row(plan, change)).collect();
    sections.extend(section("Not attempted", Severity::Detail, "not attempted", Body::Group(rows)));
    let mut counts = format!("{} not attempted", grouped(preflight.ready().count()));
    add_counts(&mut counts, &preflight_counts(preflight, &Summary::default()));
    Document {
        marker: RUN_MARKER,
        severity: Severity::Error,
        title: Text::ours("Permissions boundaries of account ")
            .and_text(account(plan))
            .and(": refused"),
        introduction: None,
        counts: Vec::new(),
        sections,
        closing: Some(Closing {
            label: "Refused",
            parts: vec![
                (Tone::Bad, Text::ours("nothing was changed")),
                (Tone::Neutral, Text::sentence(counts)),
            ],
        }),
        coverage: None,
        account: Some(account(plan)),
        digest: Some(("Plan digest", *digest)),
    }
}
