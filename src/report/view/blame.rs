//! Who made the changes that a plan would undo, in words.

use std::collections::{BTreeSet, HashMap};

use super::words::{counted, plural};
use super::{Section, Severity, Text};
use crate::iam::{Principal, PrincipalKind, Printable};
use crate::inventory::{BoundaryAction, RecordedIdentity, RecordedRequest};
use crate::plan::{Cause, OwnRun, Plan, PlanBlame};

/// The maximum length of a user agent, in characters. Longer ones are truncated; the JSON format has them whole.
const MAX_USER_AGENT: usize = 120;

/// The text of each change of a plan about its cause.
pub(super) struct BlameNotes<'a>(HashMap<&'a Principal, &'a Cause>);

impl<'a> BlameNotes<'a> {
    pub(super) fn of(plan: &'a Plan) -> Self {
        let changes = plan.blame.iter().flat_map(|blame| &blame.changes);
        BlameNotes(changes.map(|change| (&change.principal, &change.cause)).collect())
    }

    /// Why the principal has the boundary that it has now. `None` if it was not looked up.
    pub(super) fn of_change(&self, principal: &Principal) -> Option<Text<'a>> {
        Some(match *self.0.get(principal)? {
            Cause::Request { request, run } => {
                done(request, principal.kind).and_text(made_by(request, run.as_ref()))
            }
            Cause::NotFound { newest: None } => Text::ours("not found in CloudTrail"),
            Cause::NotFound { newest: Some(newest) } => {
                Text::ours("not found in CloudTrail; an earlier request left another boundary: ")
                    .and_text(done(newest, principal.kind))
                    .and_text(made_by(newest, None))
            }
            Cause::NotLookedUp { .. } => Text::ours("not looked up in CloudTrail"),
        })
    }
}

/// `set on 2026-11-27 09:14 UTC`
fn done(request: &RecordedRequest, kind: PrincipalKind) -> Text<'static> {
    let verb = match (request.action, kind) {
        (BoundaryAction::Set, _) => "boundary set on ",
        (BoundaryAction::Remove, _) => "boundary removed on ",
        (BoundaryAction::Create, PrincipalKind::User) => "user created on ",
        (BoundaryAction::Create, PrincipalKind::Role) => "role created on ",
    };
    Text::ours(verb).and_sentence(request.time.to_the_minute())
}

/// ` by ARN from 203.0.113.7 with aws-cli/2.31.0`
fn made_by<'a>(request: &'a RecordedRequest, run: Option<&'a OwnRun>) -> Text<'a> {
    let RecordedRequest { by, address, user_agent, .. } = request;
    let mut text = Text::ours(" by ").and_text(identity(by));
    if let Some(source) = &by.source_identity {
        text = text.and(" (source identity ").and_name(source.as_str()).and(")");
    }
    if let Some(service) = by.invoked_by.as_ref().filter(|_| !is_service(by)) {
        text = text.and(" through ").and_name(service.as_str());
    }
    if let Some(address) = address {
        text = text.and(" from ").and_name(address.as_str());
    }
    match (run, user_agent) {
        (Some(OwnRun { began, journal }), _) => text
            .and(" with iam-boundaries (run of ")
            .and_sentence(began.to_the_minute())
            .and(", journal ")
            .and_name(journal.as_str())
            .and(")"),
        (None, Some(_)) if request.names_this_tool() => text.and(
            " with iam-boundaries, by its user agent; no journal on this machine has the request",
        ),
        (None, Some(agent)) => text.and(" with ").and_quote(truncated(agent)),
        (None, None) => text,
    }
}

fn truncated(agent: &Printable) -> String {
    match agent.char_indices().nth(MAX_USER_AGENT) {
        None => agent.to_string(),
        Some((end, _)) => format!("{}…", &agent[..end]),
    }
}

/// Whether the identity is an AWS service.
fn is_service(by: &RecordedIdentity) -> bool {
    by.kind == "AWSService"
}

/// The identity by its ARN, or else by what CloudTrail has.
fn identity(by: &RecordedIdentity) -> Text<'_> {
    let RecordedIdentity { kind, arn, name, account, invoked_by, .. } = by;
    match (kind.as_str(), arn, invoked_by, name) {
        ("Root", ..) => match account {
            Some(account) => Text::ours("the root user of account ").and_name(account.as_str()),
            None => Text::ours("the root user"),
        },
        ("AWSService", _, Some(service), _) => {
            Text::ours("the AWS service ").and_name(service.as_str())
        }
        (_, Some(arn), ..) => Text::name(arn.as_str()),
        (_, None, _, Some(name)) => {
            let text = Text::name(kind.as_str()).and(" ").and_name(name.as_str());
            match account {
                Some(account) => text.and(" of account ").and_name(account.as_str()),
                None => text,
            }
        }
        (_, None, _, None) => {
            Text::ours("an identity of the type ").and_name(kind.as_str()).and(" without a name")
        }
    }
}

/// What was looked up, what was not found, and why.
pub(super) fn blame_section(plan: &Plan) -> Option<Section<'_>> {
    let blame = plan.blame.as_ref().filter(|blame| !blame.changes.is_empty())?;
    let all = blame.changes.len();
    let found = blame.count(|cause| matches!(cause, Cause::Request { .. }));
    let not_found = blame.count(|cause| matches!(cause, Cause::NotFound { .. }));
    let failed = all - found - not_found;
    let first =
        Text::sentence(format!("{found} of {} found in the events of ", counted(all, "change")))
            .and_name(blame.region.as_str());
    let mut statements = vec![first];
    if not_found > 0 {
        let days = PlanBlame::DAYS;
        statements.push(Text::sentence(format!(
            "{} not found: CloudTrail keeps events for {days} days, and receives them about 5 minutes after a request on \
             average, which is not guaranteed",
            counted(not_found, "change")
        )));
    }
    if blame.unusable > 0 && not_found > 0 {
        let unusable = counted(blame.unusable, "event");
        let verb = plural(blame.unusable, "does", "do");
        statements.push(Text::sentence(format!(
            "{unusable} of CloudTrail {verb} not name a principal or a boundary, so one of them can be missing here"
        )));
    }
    for why in reasons(blame) {
        let failed = counted(failed, "change");
        statements.push(Text::sentence(format!("{failed} not looked up: ")).and_quote(why));
    }
    let severity = match (failed, not_found) {
        (0, 0) => Severity::Detail,
        (0, _) => Severity::Notice,
        _ => Severity::Warning,
    };
    let mut section =
        Section::of_statements(Text::ours("Looked up in CloudTrail"), severity, statements);
    section.help = (failed > 0).then(|| {
        Text::ours(
            "allow cloudtrail:LookupEvents on * if it is denied (permissions plan --blame prints the policy), or allow \
             more time with --timeout; the plan is complete without the lookup",
        )
    });
    Some(section)
}

/// The reasons why changes were not looked up.
fn reasons(blame: &PlanBlame) -> BTreeSet<&str> {
    let reasons = blame.changes.iter().filter_map(|change| match &change.cause {
        Cause::NotLookedUp { why } => Some(why.as_str()),
        Cause::Request { .. } | Cause::NotFound { .. } => None,
    });
    reasons.collect()
}
