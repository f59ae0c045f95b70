//! What each format says about who made the changes that a plan would undo.

use iam_boundaries::inventory::{BoundaryAction, RecordedIdentity, RecordedRequest};
use iam_boundaries::plan::{BlamedChange, Cause, OwnRun, Plan, PlanBlame};
use iam_boundaries::report::{Format, Style, render_plan};

use crate::corpus::properties::page::read;
use crate::formats::{check_github, rendered};
use crate::support::html::MARKUP;
use crate::support::plans::{Case, HOSTILE};

/// A plan whose changes were made by an identity, from an address, with a tool and in a run with this text as their
/// names.
fn hostile_plan(text: &str) -> Plan {
    let mut plan = Case::of(6, 0).plan();
    let request = || {
        Box::new(RecordedRequest {
            action: BoundaryAction::Set,
            time: "2026-11-27T09:14:00Z".parse().unwrap(),
            by: RecordedIdentity {
                kind: text.into(),
                arn: None,
                name: Some(text.into()),
                account: Some(text.into()),
                session_issuer: Some(text.into()),
                source_identity: Some(text.into()),
                invoked_by: Some(text.into()),
            },
            address: Some(text.into()),
            user_agent: Some(text.into()),
            request_id: Some(text.into()),
            event_id: Some(text.into()),
        })
    };
    let began = "2026-11-27T09:14:00Z".parse().unwrap();
    let run = || OwnRun { began, journal: text.into() };
    let cause = |n: usize| match n % 5 {
        0 => Cause::Request { request: request(), run: None },
        1 => Cause::Request { request: request(), run: Some(run()) },
        2 => Cause::NotFound { newest: Some(request()) },
        3 => Cause::NotLookedUp { why: text.into() },
        _ => Cause::NotFound { newest: None },
    };
    let principals = plan.changes.iter().map(|change| change.principal.clone()).enumerate();
    plan.blame = Some(PlanBlame {
        region: text.into(),
        times: ("2026-08-30T12:00:00Z".parse().unwrap(), "2026-11-28T12:00:00Z".parse().unwrap()),
        unusable: 1,
        changes: principals
            .map(|(n, principal)| BlamedChange { principal, cause: cause(n) })
            .collect(),
    });
    plan
}

#[test]
fn hostile_text_of_an_event_is_text_in_every_format() {
    for text in [HOSTILE, MARKUP, "\u{1b}]0;title\u{7}\u{202e}x\r\n::error::y"] {
        let plan = hostile_plan(text);
        let show = |format| render_plan(&plan, format, Style::PLAIN);
        for format in [Format::Text, Format::Markdown, Format::Github, Format::Html, Format::Json] {
            let shown = show(format);
            let is_unsafe = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!shown.contains(is_unsafe), "{shown}");
        }
        rendered(&show(Format::Markdown));
        check_github(&show(Format::Github));
        let page = show(Format::Html);
        let (visible, tags) = read(&page);
        assert!(visible.contains("Looked up in CloudTrail"), "{visible}");
        assert!(tags.iter().all(|tag| tag.name != "img"), "{page}");
        assert_eq!(Plan::from_json(show(Format::Json).as_bytes()).unwrap(), plan);
    }
}

#[test]
fn the_words_about_every_kind_of_cause() {
    let plan = hostile_plan("X");
    let shown = [Format::Text, Format::Markdown, Format::Github]
        .map(|format| render_plan(&plan, format, Style::PLAIN));
    insta::assert_snapshot!(shown.join("\n----\n"));
}
