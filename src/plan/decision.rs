//! What the files say about a principal: an entry, a rule, or nothing.

use crate::config::{Config, Entry, Rule, TagCondition};
use crate::iam::Principal;
use crate::inventory::Attributes;

/// What decides the boundary of a principal.
#[derive(Debug, Clone, Copy)]
pub enum Decision<'c> {
    /// An entry names it.
    Entry(&'c Entry),
    /// No entry names it, and this rule is the first that matches.
    Rule(&'c Rule),
    /// No entry names it, and no rule matches.
    Unlisted,
    /// No entry names it, and whether this rule matches is not known. No earlier rule matches.
    Unknown(&'c Rule),
}

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// It holds.
    Yes,
    /// It does not hold.
    No,
    /// What was read of the principal does not show it.
    Unknown,
}

/// A condition of a rule.
#[derive(Debug, Clone, Copy)]
pub enum Condition<'c> {
    /// The path matches.
    Path(&'c Rule),
    /// A group matches.
    Group(&'c Rule),
    /// The principal has the tag, and its value matches.
    Tag(&'c TagCondition),
    /// The name matches.
    Name(&'c Rule),
    /// The name matches no exception.
    Except(&'c Rule),
}

impl<'c> Decision<'c> {
    /// The decision of `config` about `principal`, which has these `attributes`; `None` if nothing is known of it.
    pub fn of(
        config: &'c Config,
        principal: &Principal,
        attributes: Option<&Attributes>,
    ) -> Decision<'c> {
        match config.entry(principal) {
            Some(entry) => Decision::Entry(entry),
            None => Decision::by_rules(config.rules_of(principal.kind), principal, attributes),
        }
    }

    /// The decision of the `rules` for principals of its kind about a principal that no entry names.
    pub(super) fn by_rules(
        rules: impl IntoIterator<Item = &'c Rule>,
        principal: &Principal,
        attributes: Option<&Attributes>,
    ) -> Decision<'c> {
        for rule in rules {
            match matches(rule, principal, attributes) {
                Held::Yes => return Decision::Rule(rule),
                Held::Unknown => return Decision::Unknown(rule),
                Held::No => {}
            }
        }
        Decision::Unlisted
    }
}

/// Whether all conditions of a rule hold for a principal of its kind.
pub(super) fn matches(rule: &Rule, principal: &Principal, attributes: Option<&Attributes>) -> Held {
    let mut matches = Held::Yes;
    // The cheapest conditions first.
    for condition in conditions(rule) {
        match condition.holds(principal, attributes) {
            Held::No => return Held::No,
            Held::Unknown => matches = Held::Unknown,
            Held::Yes => {}
        }
    }
    matches
}

/// The conditions of a rule.
pub(super) fn conditions(rule: &Rule) -> impl Iterator<Item = Condition<'_>> {
    let some = |is_some: bool, condition| is_some.then_some(condition);
    let simple = [
        some(!rule.paths.is_empty(), Condition::Path(rule)),
        some(!rule.names.is_empty(), Condition::Name(rule)),
        some(!rule.except.is_empty(), Condition::Except(rule)),
        some(!rule.groups.is_empty(), Condition::Group(rule)),
    ];
    simple.into_iter().flatten().chain(rule.tags.iter().map(Condition::Tag))
}

impl Condition<'_> {
    /// Whether the condition holds for the principal with these attributes; `None` if nothing is known of it.
    pub fn holds(&self, principal: &Principal, attributes: Option<&Attributes>) -> Held {
        let known = |found: Option<bool>| match found {
            Some(true) => Held::Yes,
            Some(false) => Held::No,
            None => Held::Unknown,
        };
        let name = &principal.name;
        match self {
            Condition::Name(rule) => known(Some(rule.names.iter().any(|it| it.matches(name)))),
            Condition::Except(rule) => known(Some(!rule.except.iter().any(|it| it.matches(name)))),
            Condition::Path(rule) => {
                let path = attributes.and_then(|it| it.path.as_ref());
                known(path.map(|path| rule.paths.iter().any(|it| it.matches(path))))
            }
            Condition::Group(rule) => {
                let groups = attributes.and_then(|it| it.groups.as_ref());
                let is_in = |group: &str| rule.groups.iter().any(|it| it.matches(group));
                known(groups.map(|groups| groups.iter().any(|group| is_in(group))))
            }
            Condition::Tag(condition) => known(attributes.map(|it| {
                let tag = it.tags.iter().find(|tag| condition.key.is(&tag.key));
                tag.is_some_and(|tag| {
                    condition.values.iter().any(|value| value.matches(&tag.value))
                })
            })),
        }
    }
}
