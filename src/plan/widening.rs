//! Whether the boundaries that a plan sets allow more than those before.

use std::collections::{BTreeSet, HashMap};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::content::Plan;
use super::guard::{Overrides, Supervision, WideningGuard};
use crate::iam::{BoundaryChange, PolicyArn, Printable};
use crate::impact::{AccessLevel, Actions, Document, Step, Summary};
use crate::inventory::AccountPolicies;

/// Whether a boundary allows more than the one that it replaces. The boundaries themselves are compared: it does not
/// matter what the principal is allowed besides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Widening {
    /// It allows no more.
    No,
    /// It can allow more actions, or more of their requests, but none that manages permissions.
    Actions,
    /// It can allow more of the actions that manage permissions.
    PermissionsManagement,
    /// It allows everything. This is as if the boundary were removed.
    Everything,
    /// This is not known: the reason.
    Unknown(#[schemars(with = "String")] Printable),
}

impl Widening {
    /// What is known of a change without the documents of its boundaries.
    pub(super) fn known(change: &BoundaryChange) -> Option<Widening> {
        match change {
            BoundaryChange::Change { to, .. } if to.is_administrator_access() => {
                Some(Widening::Everything)
            }
            _ => None,
        }
    }

    fn of(step: &Step, actions: &Actions) -> Widening {
        if step.ends_in_everything() {
            return Widening::Everything;
        }
        let summary = Summary::of(&step.compare_boundaries(actions), actions);
        // An action that the catalog does not have can manage permissions.
        let levels = [AccessLevel::PermissionsManagement, AccessLevel::Unknown];
        match summary.can_allow() {
            false => Widening::No,
            true if levels.iter().any(|level| summary.gains_of(*level) > 0) => {
                Widening::PermissionsManagement
            }
            true => Widening::Actions,
        }
    }

    /// Whether the guard rail refuses it.
    pub(super) fn is_refused_by(&self, guard: WideningGuard) -> bool {
        match (guard, self) {
            (WideningGuard::Allow, _) | (_, Widening::No) => false,
            (WideningGuard::PermissionsManagement, Widening::Actions) => false,
            (WideningGuard::PermissionsManagement | WideningGuard::Refuse, _) => true,
        }
    }
}

impl Plan {
    /// The policies whose documents the guard rails depend on, and that were not compared yet.
    pub fn documents_for_guard(&self, overrides: &Overrides) -> BTreeSet<&PolicyArn> {
        let guards_widening = self.guard.widening != WideningGuard::Allow;
        if !guards_widening && !self.can_exceed_removals(overrides) {
            return BTreeSet::new();
        }
        let unknown = self.changes.iter().filter(|change| change.widening.is_none());
        let mut documents = BTreeSet::new();
        for change in unknown {
            if let BoundaryChange::Change { from, to } = &change.boundary {
                documents.insert(to);
                if guards_widening {
                    documents.insert(from);
                }
            }
        }
        documents
    }

    /// Whether there would be too many removals if every boundary that was not compared allowed everything.
    fn can_exceed_removals(&self, overrides: &Overrides) -> bool {
        let mut worst = self.clone();
        for change in &mut worst.changes {
            if matches!(change.boundary, BoundaryChange::Change { .. }) {
                change.widening.get_or_insert(Widening::Everything);
            }
        }
        let [_, removals] = worst.excesses(worst.thresholds(overrides), Supervision::Unattended);
        !removals.is_empty()
    }

    /// Compares the boundaries of each change whose documents are in `policies`.
    pub fn compare_boundaries(&mut self, policies: &AccountPolicies) {
        let parsed = |arn: &PolicyArn| match policies.managed.get(arn) {
            None => Err(Printable::from(format!("policy {arn} was not read"))),
            Some(Err(error)) => Err(format!("cannot read policy {arn}: {error}").into()),
            Some(Ok(text)) => Document::parse(text).map_err(|error| {
                format!("the document of policy {arn} cannot be evaluated: {error}").into()
            }),
        };
        let documents: HashMap<PolicyArn, Result<Document, Printable>> =
            policies.managed.keys().map(|arn| (arn.clone(), parsed(arn))).collect();
        let actions = Actions::of(documents.values().flatten());
        let mut known: HashMap<BoundaryChange, Widening> = HashMap::new();
        for change in self.changes.iter_mut().filter(|it| it.widening.is_none()) {
            let BoundaryChange::Change { from, to } = &change.boundary else { continue };
            let Some(after) = documents.get(to) else { continue };
            let compare = || {
                let after = match after {
                    Ok(after) => after,
                    Err(why) => return Some(Widening::Unknown(why.clone())),
                };
                match documents.get(from) {
                    Some(Ok(before)) => Some(Widening::of(
                        &Step::new(Some(before), Some(after), &actions),
                        &actions,
                    )),
                    Some(Err(why)) => Some(Widening::Unknown(why.clone())),
                    // Only the new boundary was read: whether it allows everything.
                    None => {
                        let step = Step::new(Some(after), Some(after), &actions);
                        step.ends_in_everything().then_some(Widening::Everything)
                    }
                }
            };
            match known.get(&change.boundary) {
                Some(widening) => change.widening = Some(widening.clone()),
                None => {
                    change.widening = compare();
                    if let Some(widening) = &change.widening {
                        known.insert(change.boundary.clone(), widening.clone());
                    }
                }
            }
        }
    }
}
