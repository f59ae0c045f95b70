//! What the files say about a principal: an entry, a rule, or nothing.

use crate::config::{Entry, Rule, TagCondition};
use crate::iam::{PrincipalName, Printable};
use crate::inventory::Attributes;

/// What decides the boundary of a principal.
#[derive(Debug, Clone, Copy)]
pub enum Decision<'c> {
    /// An entry names it.
    Entry(&'c Entry),
    /// An entry names it in another case. The entry is a problem, and nothing else decides.
    OtherCase(&'c Entry),
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
    /// It depends on the name.
    OfName(NameCondition<'c>),
    /// It depends on the attributes.
    OfAttributes(AttributeCondition<'c>),
}

/// A condition of a rule on the name of a principal.
#[derive(Debug, Clone, Copy)]
pub enum NameCondition<'c> {
    /// The name matches.
    Name(&'c Rule),
    /// The name matches no exception.
    Except(&'c Rule),
}

/// A condition of a rule on what many principals have in common.
#[derive(Debug, Clone, Copy)]
pub enum AttributeCondition<'c> {
    /// The path matches.
    Path(&'c Rule),
    /// A group matches.
    Group(&'c Rule),
    /// The principal has the tag, and its value matches.
    Tag(&'c TagCondition),
}

impl<'c> Condition<'c> {
    /// The conditions of a rule. All of them must hold.
    pub fn of(rule: &'c Rule) -> impl Iterator<Item = Condition<'c>> {
        let of_attributes = AttributeCondition::of(rule).map(Condition::OfAttributes);
        of_attributes.chain(NameCondition::of(rule).map(Condition::OfName))
    }

    /// Whether the condition holds for the principal with this name and these attributes; `None` if nothing is known of
    /// it.
    pub fn holds(&self, name: &PrincipalName, attributes: Option<&Attributes>) -> Held {
        match self {
            Condition::OfName(condition) if condition.holds(name) => Held::Yes,
            Condition::OfName(_) => Held::No,
            Condition::OfAttributes(condition) => condition.holds(condition.found(attributes)),
        }
    }
}

impl<'c> NameCondition<'c> {
    /// The conditions of a rule on the name.
    pub(super) fn of(rule: &'c Rule) -> impl Iterator<Item = NameCondition<'c>> {
        let name = (!rule.names.is_empty()).then_some(NameCondition::Name(rule));
        let except = (!rule.except.is_empty()).then_some(NameCondition::Except(rule));
        name.into_iter().chain(except)
    }

    /// Whether the condition holds for this name.
    pub fn holds(&self, name: &PrincipalName) -> bool {
        match self {
            NameCondition::Name(rule) => rule.names.iter().any(|it| it.matches(name)),
            NameCondition::Except(rule) => !rule.except.iter().any(|it| it.matches(name)),
        }
    }
}

impl<'c> AttributeCondition<'c> {
    /// The conditions of a rule on the attributes.
    pub(super) fn of(rule: &'c Rule) -> impl Iterator<Item = AttributeCondition<'c>> {
        let path = (!rule.paths.is_empty()).then_some(AttributeCondition::Path(rule));
        let group = (!rule.groups.is_empty()).then_some(AttributeCondition::Group(rule));
        let tags = rule.tags.iter().map(AttributeCondition::Tag);
        path.into_iter().chain(group).chain(tags)
    }

    /// What a principal with these attributes has: its path, its groups, or the value of the tag. `None` if it is not
    /// known, and empty if the principal has nothing of this kind.
    pub fn found<'l>(&self, attributes: Option<&'l Attributes>) -> Option<&'l [Printable]> {
        let attributes = attributes?;
        match self {
            AttributeCondition::Path(_) => attributes.path.as_ref().map(std::slice::from_ref),
            AttributeCondition::Group(_) => attributes.groups.as_deref(),
            AttributeCondition::Tag(condition) => {
                let tag = attributes.tags.iter().find(|tag| condition.key.is(&tag.key));
                Some(tag.map(|tag| std::slice::from_ref(&tag.value)).unwrap_or_default())
            }
        }
    }

    /// Whether the condition holds for a principal that has this, by [`AttributeCondition::found`].
    pub fn holds(&self, found: Option<&[Printable]>) -> Held {
        let matches = |text: &Printable| match self {
            AttributeCondition::Path(rule) => rule.paths.iter().any(|it| it.matches(text)),
            AttributeCondition::Group(rule) => rule.groups.iter().any(|it| it.matches(text)),
            AttributeCondition::Tag(condition) => {
                condition.values.iter().any(|it| it.matches(text))
            }
        };
        match found.map(|found| found.iter().any(matches)) {
            Some(true) => Held::Yes,
            Some(false) => Held::No,
            None => Held::Unknown,
        }
    }

    /// Whether the other condition depends on the same: then [`AttributeCondition::found`] returns the same for both.
    pub(super) fn has_same_subject(&self, other: &AttributeCondition<'_>) -> bool {
        match (self, other) {
            (AttributeCondition::Path(_), AttributeCondition::Path(_))
            | (AttributeCondition::Group(_), AttributeCondition::Group(_)) => true,
            (AttributeCondition::Tag(a), AttributeCondition::Tag(b)) => a.key == b.key,
            _ => false,
        }
    }
}
