use std::collections::BTreeMap;

use super::action_set::ActionSet;
use super::actions::{Actions, Selected};
use super::document::{Document, Effect, Selector, Statement};
use crate::iam::ActionPattern;

/// What policy documents allow and deny, for each action. Documents are added to each other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Permissions {
    /// Allowed on every resource and unconditionally.
    pub(super) allowed_fully: ActionSet,
    /// Allowed on some resources or under conditions, or fully.
    pub(super) allowed: ActionSet,
    /// Denied on every resource and unconditionally.
    pub(super) denied_fully: ActionSet,
    /// Denied on some resources or under conditions, or fully.
    pub(super) denied: ActionSet,
}

/// What a statement allows or denies actions on, and when. Two statements for which this is equal differ only in their
/// actions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Scope {
    pub(super) effect: Effect,
    resource: Resources,
    condition: Option<String>,
    /// Whether `${…}` is not just text. It does not matter if there is none.
    has_variables: bool,
    /// For actions that are patterns and of which a statement selects only a part: what selects it, in lower case.
    part: Option<Selector<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Resources {
    Every,
    Matching(String),
    /// Sorted.
    NotMatching(Vec<String>),
}

impl Permissions {
    /// No document: nothing is allowed.
    pub fn none(actions: &Actions) -> Permissions {
        let none = ActionSet::none(actions.len());
        Permissions {
            allowed_fully: none.clone(),
            allowed: none.clone(),
            denied_fully: none.clone(),
            denied: none,
        }
    }

    /// Everything is allowed: a principal without a boundary has this in place of one.
    pub fn everything(actions: &Actions) -> Permissions {
        let all = ActionSet::all(actions.len());
        Permissions { allowed_fully: all.clone(), allowed: all, ..Permissions::none(actions) }
    }

    /// What one document allows and denies.
    pub fn of(document: &Document, actions: &Actions) -> Permissions {
        let mut permissions = Permissions::none(actions);
        for statement in &document.statements {
            let selected = statement.selected(actions);
            let (some, fully) = match statement.effect {
                Effect::Allow => (&mut permissions.allowed, &mut permissions.allowed_fully),
                Effect::Deny => (&mut permissions.denied, &mut permissions.denied_fully),
            };
            some.add(&selected.touched);
            if statement.is_unlimited() {
                fully.add(&selected.covered);
            }
        }
        permissions
    }

    /// What several documents together allow and deny.
    pub fn of_all<'a>(
        documents: impl IntoIterator<Item = &'a Document>,
        actions: &Actions,
    ) -> Permissions {
        let mut all = Permissions::none(actions);
        documents.into_iter().for_each(|document| all.add(&Permissions::of(document, actions)));
        all
    }

    /// Adds what another document allows and denies.
    pub fn add(&mut self, other: &Permissions) {
        self.allowed_fully.add(&other.allowed_fully);
        self.allowed.add(&other.allowed);
        self.denied_fully.add(&other.denied_fully);
        self.denied.add(&other.denied);
    }

    /// Whether every action is allowed on every resource and unconditionally: as a boundary, this is as if there were
    /// none.
    pub fn is_everything(&self) -> bool {
        self.denied.is_empty() && self.fully().inverted().is_empty()
    }

    /// The actions that are allowed fully, and not denied at all.
    pub(super) fn fully(&self) -> ActionSet {
        self.allowed_fully.without(&self.denied)
    }
}

/// The actions of each scope of a document.
pub(super) fn scopes(document: &Document, actions: &Actions) -> BTreeMap<Scope, ActionSet> {
    let mut scopes: BTreeMap<Scope, ActionSet> = BTreeMap::new();
    let none = ActionSet::none(actions.len());
    let mut add = |scope: Scope, set: &ActionSet| {
        scopes.entry(scope).or_insert_with(|| none.clone()).add(set);
    };
    for statement in &document.statements {
        let selected = statement.selected(actions);
        for resource in statement.each_resource() {
            let condition = statement.condition.clone();
            let effect = statement.effect;
            let mut scope = Scope { effect, resource, condition, has_variables: true, part: None };
            scope.has_variables = document.has_variables || !scope.has_dollar();
            add(scope.clone(), &selected.covered);
            if selected.covered != selected.touched {
                for part in statement.parts() {
                    let Selected { covered, touched } = part.selected(actions);
                    let part = Some(part.actions.lower());
                    add(Scope { part, ..scope.clone() }, &touched.without(&covered));
                }
            }
        }
    }
    scopes
}

impl Scope {
    fn has_dollar(&self) -> bool {
        let resources = match &self.resource {
            Resources::Every => &[][..],
            Resources::Matching(one) => std::slice::from_ref(one),
            Resources::NotMatching(patterns) => patterns,
        };
        resources.iter().chain(&self.condition).any(|text| text.contains("${"))
    }
}

impl Statement {
    fn selected(&self, actions: &Actions) -> Selected {
        match &self.actions {
            Selector::Only(patterns) => actions.select(patterns),
            Selector::Except(patterns) => {
                let Selected { covered, touched } = actions.select(patterns);
                Selected { covered: touched.inverted(), touched: covered.inverted() }
            }
        }
    }

    /// Whether the statement is about every resource, and has no condition.
    fn is_unlimited(&self) -> bool {
        let is_about_everything = match &self.resources {
            Selector::Only(patterns) => patterns.iter().any(|pattern| is_every_resource(pattern)),
            Selector::Except(_) => false,
        };
        is_about_everything && self.condition.is_none()
    }

    /// The statement for each of its patterns.
    fn parts(&self) -> Vec<Statement> {
        match &self.actions {
            Selector::Except(_) => vec![self.clone()],
            Selector::Only(patterns) => patterns
                .iter()
                .map(|pattern| Statement {
                    actions: Selector::Only(vec![pattern.clone()]),
                    ..self.clone()
                })
                .collect(),
        }
    }

    fn each_resource(&self) -> Vec<Resources> {
        match &self.resources {
            Selector::Only(patterns) => patterns
                .iter()
                .map(|pattern| match is_every_resource(pattern) {
                    true => Resources::Every,
                    false => Resources::Matching(pattern.clone()),
                })
                .collect(),
            Selector::Except(patterns) => {
                let mut patterns = patterns.clone();
                patterns.sort();
                patterns.dedup();
                vec![Resources::NotMatching(patterns)]
            }
        }
    }
}

impl Selector<ActionPattern> {
    /// The patterns in lower case, sorted.
    fn lower(&self) -> Selector<String> {
        let sorted = |patterns: &[ActionPattern]| {
            let mut texts: Vec<_> = patterns.iter().map(|it| it.lower().to_owned()).collect();
            texts.sort();
            texts
        };
        match self {
            Selector::Only(patterns) => Selector::Only(sorted(patterns)),
            Selector::Except(patterns) => Selector::Except(sorted(patterns)),
        }
    }
}

fn is_every_resource(pattern: &str) -> bool {
    !pattern.is_empty() && pattern.bytes().all(|c| c == b'*')
}
