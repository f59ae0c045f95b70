//! What a change of a boundary gives and takes, in words.

use std::collections::{BTreeMap, HashMap};

use super::words::{at_most, counted, counted_more, grouped, names};
use super::{Closing, Document, Section, Severity, Text, Tone};
use crate::iam::{BoundaryChange, Principal};
use crate::impact::{
    AccessLevel, ActionSet, Actions, Catalog, ComparedDocuments, Comparison, Direction, Folded,
    ServiceTally, Summary, Tally, folded, services,
};
use crate::plan::{
    Change, Effect, ExplainedImpact, Origin, Plan, PlanImpact, UsedPermission, UsedPermissions,
    UsedResult,
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
            parts: vec![(tone(comparison.direction()), summary(&Summary::of(comparison, actions)))],
        }),
        coverage: None,
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
    let statements = vec![
        Text::ours(NOT_CONSIDERED),
        Text::ours("actions of AWS services as of ").and_sentence(date),
    ];
    statements_section("Limits of the comparison", Severity::Detail, statements)
}

/// What a change gives and takes, as one line.
pub(super) fn summary(summary: &Summary) -> Text<'static> {
    let Summary { gives, extends, takes, reduces, can_allow_more, can_allow_less, .. } = summary;
    let mut parts = Vec::new();
    let mut part = |verb: &str, tally: &Tally, rest: &str| {
        if tally.actions > 0 {
            parts.push(format!("{verb} {}{rest}", described(tally)));
        }
    };
    part("gives", gives, "");
    part("extends", extends, " to all resources and conditions");
    part("can allow more of", can_allow_more, "");
    part("takes", takes, "");
    part("reduces", reduces, " to some resources or conditions");
    part("can allow less of", can_allow_less, "");
    match (summary.can_deny(), summary.can_allow()) {
        (false, false) => return no_effect(),
        (true, false) => parts.push("gives none".to_owned()),
        (false, true) => parts.push("takes none".to_owned()),
        (true, true) => {}
    }
    Text::sentence(parts.join("; "))
}

fn no_effect() -> Text<'static> {
    let date = Catalog::current().date.clone();
    Text::ours("the same requests are allowed before and after, for the actions of ")
        .and_sentence(date)
}

/// `9,214 actions of 181 services such as iam, kms and s3 (210 permissions management, 3,102 write)`, or the names of
/// few actions.
fn described(tally: &Tally) -> String {
    if tally.names_actions() {
        return tally.main.join(", ");
    }
    let services = match (tally.services, &tally.main[..]) {
        (1, [only]) => only.clone(),
        (2, [one, two]) => format!("{one} and {two}"),
        (count, main) => format!("{} such as {}", counted(count, "service"), main.join(", ")),
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
        (!set.is_empty()).then(|| statements_section(heading, severity, by_service(set, actions)))
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
        section("Keeps, of the same services", Severity::Detail, &comparison.kept(actions)),
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
    for ServiceTally { service, .. } in services(set, actions) {
        let (clause, patterns) = match folded(set, service, actions) {
            Folded::Every => {
                whole.push(service.to_owned());
                continue;
            }
            Folded::Only(patterns) => (": ", patterns),
            Folded::Except(patterns) => (": every action except ", patterns),
        };
        let patterns = names(patterns, MAX_PATTERNS, "action");
        statements.push(Text::name(service.to_owned()).and(clause).and_text(patterns));
    }
    let mut statements = at_most(statements, MAX_SERVICES, |more| {
        Text::ours("actions of ").and_sentence(counted_more(more, "service"))
    });
    if !whole.is_empty() {
        let heading = match whole.len() {
            1 => Text::ours("every action of "),
            count => {
                Text::ours("every action of ").and_sentence(counted(count, "service")).and(": ")
            }
        };
        statements.insert(0, heading.and_text(names(whole, MAX_SERVICES, "service")));
    }
    statements
}

/// The text of each change of a plan about what it gives and takes.
pub(super) struct ImpactNotes<'a> {
    impact: Option<&'a PlanImpact>,
    by_principal: HashMap<&'a Principal, usize>,
}

impl<'a> ImpactNotes<'a> {
    pub(super) fn of(plan: &'a Plan) -> Self {
        let impact = plan.impact.as_ref();
        let by_principal = impact.map(PlanImpact::by_principal).unwrap_or_default();
        ImpactNotes { impact, by_principal }
    }

    /// What the change of this principal gives and takes. If it is the same as for others, it is said once, for the first of
    /// them.
    pub(super) fn of_change(&self, principal: &Principal) -> Option<Text<'a>> {
        let effect = self.impact?.effects.get(*self.by_principal.get(principal)?)?;
        let first = effect.principals.first()?;
        Some(match first == principal {
            true => result(effect),
            false => Text::ours("as for ").and_name(first.to_string()),
        })
    }
}

fn result(effect: &Effect) -> Text<'_> {
    match &effect.result {
        Ok(summary_of) => summary(summary_of),
        Err(why) => Text::ours("what it gives and takes is not known: ").and_quote(why.as_str()),
    }
}

/// The most effects that a plan lists before its other sections.
const MAX_EFFECTS: usize = 10;
/// The most principals that are named for one effect.
const MAX_PRINCIPALS: usize = 5;

/// What is used and would be taken, and the different effects of a plan, the most important first.
pub(super) fn impact_sections(plan: &Plan) -> Vec<Section<'_>> {
    let Some(PlanImpact { effects, used, .. }) = &plan.impact else { return Vec::new() };
    if effects.is_empty() {
        return Vec::new();
    }
    let changes: HashMap<&Principal, &Change> =
        plan.changes.iter().map(|change| (&change.principal, change)).collect();
    let can_allow = |effect: &&Effect| effect.result.as_ref().is_ok_and(Summary::can_allow);
    let (widening, others): (Vec<&Effect>, Vec<&Effect>) = effects.iter().partition(can_allow);
    let (unknown, others): (Vec<&Effect>, Vec<&Effect>) =
        others.into_iter().partition(|effect| effect.result.is_err());
    let can_deny = |effect: &&Effect| effect.result.as_ref().is_ok_and(Summary::can_deny);
    let (narrowing, without): (Vec<&Effect>, Vec<&Effect>) = others.into_iter().partition(can_deny);
    [
        used.as_ref().and_then(used_section),
        used.as_ref().and_then(unknown_use_section),
        effects_section("Gives permissions", Severity::Warning, widening, &changes),
        effects_section("Impact not known", Severity::Warning, unknown, &changes),
        effects_section("Takes permissions", Severity::Notice, narrowing, &changes),
        effects_section("Has no effect on permissions", Severity::Notice, without, &changes),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The most used permissions that are named.
const MAX_USED: usize = 20;

/// What principals used and would lose.
fn used_section(used: &UsedPermissions) -> Option<Section<'_>> {
    let statements = at_most(used.taken.iter().map(used_text).collect(), MAX_USED, |more| {
        Text::sentence(counted_more(more, "used permission"))
    });
    if statements.is_empty() && used.unknown.is_empty() {
        let days = counted(used.days as usize, "day");
        let none = Text::ours("nothing of what is taken was used in the last ").and_sentence(days);
        return Some(statements_section("Used permissions", Severity::Detail, vec![none]));
    }
    let heading = "Used permissions that would be taken";
    (!statements.is_empty()).then_some(statements_section(heading, Severity::Warning, statements))
}

/// `user dana used s3:PutObject 3 days ago; it would be denied`.
fn used_text(used: &UsedPermission) -> Text<'_> {
    let UsedPermission { kind, name, permission, days_ago, result, .. } = used;
    let ago = match days_ago {
        0 => "in the last 24 hours".to_owned(),
        days => format!("{} ago", counted(*days as usize, "day")),
    };
    let is_service = !permission.contains(':');
    let text = Text::ours(kind.noun())
        .and(" ")
        .and_name(name.as_str())
        .and(if is_service { " used the service " } else { " used " })
        .and_name(permission.as_str())
        .and(" ")
        .and_sentence(ago);
    text.and(match (result, is_service) {
        (UsedResult::Denied, false) => "; it would be denied",
        (UsedResult::Denied, true) => "; every action of it would be denied",
        (UsedResult::Limited, _) => {
            "; it would be allowed only on some resources or under some conditions"
        }
        (UsedResult::PartlyDenied, _) => {
            "; some of its actions would be denied, and IAM does not report which were used"
        }
    })
}

fn unknown_use_section(used: &UsedPermissions) -> Option<Section<'_>> {
    let mut by_reason: BTreeMap<&str, Vec<&Principal>> = BTreeMap::new();
    for (principal, why) in &used.unknown {
        by_reason.entry(why.as_str()).or_default().push(principal);
    }
    let statements: Vec<Text<'_>> = by_reason
        .into_iter()
        .take(MAX_EFFECTS)
        .map(|(why, principals)| named_principals(principals).and(": ").and_quote(why))
        .collect();
    let heading = "It is not known what these used";
    (!statements.is_empty()).then_some(statements_section(heading, Severity::Warning, statements))
}

/// `alice, bob and 3 more principals`.
fn named_principals<'p>(principals: impl IntoIterator<Item = &'p Principal>) -> Text<'static> {
    names(principals.into_iter().map(ToString::to_string), MAX_PRINCIPALS, "principal")
}

fn effects_section<'a>(
    heading: &'static str,
    severity: Severity,
    effects: Vec<&'a Effect>,
    changes: &HashMap<&Principal, &Change>,
) -> Option<Section<'a>> {
    let statements = effects.into_iter().map(|effect| of_principals(effect, changes)).collect();
    let statements =
        at_most(statements, MAX_EFFECTS, |more| Text::sentence(counted_more(more, "effect")));
    (!statements.is_empty()).then_some(statements_section(heading, severity, statements))
}

/// `user/alice, user/bob and 3 more principals: takes s3:PutObject; gives none`.
/// `legacy (boundary removed, from this change): gives 12 actions of s3`.
fn of_principals<'a>(effect: &'a Effect, changes: &HashMap<&Principal, &Change>) -> Text<'a> {
    let text = named_principals(&effect.principals);
    let changes: Vec<&Change> =
        effect.principals.iter().filter_map(|it| changes.get(it).copied()).collect();
    let is_removal = |change: &&Change| matches!(change.boundary, BoundaryChange::Remove { .. });
    let is_of = |origin| changes.iter().all(|change| change.origin == Some(origin));
    let qualifiers: Vec<&str> = [
        (changes.iter().all(is_removal), "boundary removed"),
        (is_of(Origin::ThisChange), "from this change"),
        (is_of(Origin::Drift), "drift"),
    ]
    .into_iter()
    .filter_map(|(is_so, text)| is_so.then_some(text))
    .collect();
    let text = match qualifiers.is_empty() {
        true => text,
        false => text.and(" (").and_sentence(qualifiers.join(", ")).and(")"),
    };
    text.and(": ").and_text(result(effect))
}

fn statements_section<'a>(
    heading: &'static str,
    severity: Severity,
    statements: Vec<Text<'a>>,
) -> Section<'a> {
    Section::of_statements(Text::ours(heading), severity, statements)
}

/// What the change of one principal does, service by service.
pub(super) fn explained_sections(impact: &ExplainedImpact) -> Vec<Section<'_>> {
    let ExplainedImpact { actions, result } = impact;
    let heading = "What the change gives and takes";
    match result {
        Err(why) => {
            let statement = Text::ours("not known: ").and_quote(why.as_str());
            vec![statements_section(heading, Severity::Warning, vec![statement])]
        }
        Ok(comparison) => {
            let line = summary(&Summary::of(comparison, actions));
            let first = statements_section(heading, severity(comparison), vec![line]);
            let mut sections = vec![first];
            sections.extend(self::sections(comparison, actions));
            sections.push(about_the_method());
            sections
        }
    }
}
