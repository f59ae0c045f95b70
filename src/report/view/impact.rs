//! What a change of a boundary gives and takes, in words.

use super::words::{counted, counted_more, grouped};
use super::{Body, Closing, Document, Section, Severity, Text, Tone};
use crate::impact::{
    AccessLevel, ActionSet, Actions, Catalog, ComparedDocuments, Comparison, Direction, Folded,
    ServiceTally, Tally, folded,
};

/// The text that identifies a comparison among other documents.
const MARKER: &str = "iam-boundaries impact";
/// What a comparison does not consider, as one line.
const NOT_CONSIDERED: &str = "service control policies, resource control policies, resource-based policies and session policies are not considered";

/// A comparison of two boundary documents.
pub(in crate::report) fn impact(compared: &ComparedDocuments) -> Document<'_> {
    let ComparedDocuments { before, after, identity, actions, comparison } = compared;
    let boundary = |name: &'_ Option<_>| match name {
        Some(name) => Text::name(format!("{name}")),
        None => Text::ours("no boundary"),
    };
    let mut title = Text::ours("A change of the permissions boundary from ")
        .and_text(boundary(before))
        .and(" to ")
        .and_text(boundary(after));
    for (n, policy) in identity.iter().enumerate() {
        title = title.and(if n == 0 { ", for a principal with " } else { " and " });
        title = title.and_name(policy.as_str());
    }
    Document {
        marker: MARKER,
        severity: severity(comparison),
        introduction: Some(title.clone().and(":")),
        title,
        counts: Vec::new(),
        sections: sections(comparison, actions).into_iter().chain([about_the_method()]).collect(),
        closing: Some(Closing {
            label: word(comparison.direction()),
            parts: vec![(tone(comparison.direction()), summary(comparison, actions))],
        }),
        account: None,
        digest: None,
    }
}

/// How important a change is: gaining permissions is the dangerous direction.
pub(super) fn severity(comparison: &Comparison) -> Severity {
    match comparison.can_allow() {
        true => Severity::Warning,
        false => Severity::Notice,
    }
}

fn tone(direction: Direction) -> Tone {
    match direction {
        Direction::NoEffect => Tone::Good,
        Direction::Narrowing => Tone::Neutral,
        Direction::Widening | Direction::Mixed => Tone::Careful,
    }
}

fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::NoEffect => "No effect",
        Direction::Narrowing => "Narrowing",
        Direction::Widening => "Widening",
        Direction::Mixed => "Narrowing and widening",
    }
}

/// What the method does not consider, and the date of the catalog.
pub(super) fn about_the_method() -> Section<'static> {
    let date = Catalog::current().date.clone();
    Section {
        heading: Some(Text::ours("Limits of the comparison")),
        severity: Severity::Detail,
        label: "",
        noun: "statement",
        body: Body::Statements(vec![
            Text::ours(NOT_CONSIDERED),
            Text::ours("actions of AWS services as of ").and_sentence(date),
        ]),
        message: None,
        help: None,
    }
}

/// What a change gives and takes, as one line.
pub(super) fn summary(comparison: &Comparison, actions: &Actions) -> Text<'static> {
    let mut parts = Vec::new();
    let mut part = |verb: &str, set: &ActionSet, rest: &str| {
        if !set.is_empty() {
            parts.push(format!("{verb} {}{rest}", described(&Tally::of(set, actions))));
        }
    };
    part("gives", &comparison.given, "");
    part("extends", &comparison.extended, " to all resources and conditions");
    part("takes", &comparison.taken, "");
    part("reduces", &comparison.reduced, " to some resources or conditions");
    let differing = comparison.narrowed.or(&comparison.widened);
    if !differing.is_empty() {
        let can = match (comparison.widened.is_empty(), comparison.narrowed.is_empty()) {
            (false, true) => "can allow more of",
            (true, false) => "can allow less of",
            _ => "has other resources or conditions for",
        };
        parts.push(format!("{can} {}", described(&Tally::of(&differing, actions))));
    }
    if parts.is_empty() {
        return Text::ours("the same requests are allowed before and after");
    }
    if comparison.can_deny() && !comparison.can_allow() {
        parts.push("gives none".to_owned());
    }
    if comparison.can_allow() && !comparison.can_deny() {
        parts.push("takes none".to_owned());
    }
    Text::sentence(parts.join(", "))
}

/// `9,214 actions of 181 services (210 permissions management, 3,102 write)`.
fn described(tally: &Tally) -> String {
    let services = match &tally.services[..] {
        [only] => only.service.clone(),
        services => counted(services.len(), "service"),
    };
    let levels: Vec<String> = [
        (AccessLevel::PermissionsManagement, "permissions management"),
        (AccessLevel::Write, "write"),
    ]
    .into_iter()
    .filter(|(level, _)| tally.of_level(*level) > 0)
    .map(|(level, word)| format!("{} {word}", grouped(tally.of_level(level))))
    .collect();
    let levels = match levels.is_empty() {
        true => String::new(),
        false => format!(" ({})", levels.join(", ")),
    };
    format!("{} of {services}{levels}", counted(tally.actions, "action"))
}

/// A section for each kind of difference, with the services that matter first.
pub(super) fn sections(comparison: &Comparison, actions: &Actions) -> Vec<Section<'static>> {
    let section = |heading: &'static str, severity, set: &ActionSet| {
        (!set.is_empty()).then(|| Section {
            heading: Some(Text::ours(heading)),
            severity,
            label: "",
            noun: "service",
            body: Body::Statements(by_service(set, actions)),
            message: None,
            help: None,
        })
    };
    let differing = comparison.narrowed.or(&comparison.widened);
    [
        section("Gives", Severity::Warning, &comparison.given),
        section(
            "Extends from some resources or conditions to all",
            Severity::Warning,
            &comparison.extended,
        ),
        section("Takes", Severity::Notice, &comparison.taken),
        section("Reduces to some resources or conditions", Severity::Notice, &comparison.reduced),
        section(
            "Allowed on other resources or under other conditions",
            Severity::Notice,
            &differing,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The most services that share a statement, or that have one of their own, in each section.
const MAX_SERVICES: usize = 40;
/// The most patterns of one service.
const MAX_PATTERNS: usize = 30;

/// A statement for each service, those that matter most first: `iam: CreateUser, Delete*`. The services of which the set
/// has every action share one statement.
fn by_service(set: &ActionSet, actions: &Actions) -> Vec<Text<'static>> {
    let mut whole = Vec::new();
    let mut statements = Vec::new();
    for ServiceTally { service, .. } in Tally::of(set, actions).services {
        let (clause, patterns) = match folded(set, &service, actions) {
            Folded::Every => {
                whole.push(service);
                continue;
            }
            Folded::Only(patterns) => (": ", patterns),
            Folded::Except(patterns) => (": every action except ", patterns),
        };
        statements.push(listed(Text::name(service).and(clause), patterns, MAX_PATTERNS, "action"));
    }
    let more = statements.len().saturating_sub(MAX_SERVICES);
    if more > 0 {
        statements.truncate(MAX_SERVICES);
        statements.push(Text::ours("actions of ").and_sentence(counted_more(more, "service")));
    }
    if !whole.is_empty() {
        let heading = match whole.len() {
            1 => Text::ours("every action of "),
            count => {
                Text::ours("every action of ").and_sentence(counted(count, "service")).and(": ")
            }
        };
        statements.insert(0, listed(heading, whole, MAX_SERVICES, "service"));
    }
    statements
}

/// A list of names, of which the first ones are named and the others counted.
fn listed(heading: Text<'static>, names: Vec<String>, most: usize, noun: &str) -> Text<'static> {
    let more = names.len().saturating_sub(most);
    let mut text = heading;
    for (n, name) in names.into_iter().take(most).enumerate() {
        text = text.and(if n == 0 { "" } else { ", " }).and_name(name);
    }
    match more {
        0 => text,
        more => text.and(" and ").and_sentence(counted_more(more, noun)),
    }
}
