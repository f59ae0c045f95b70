//! Compares the boundaries that a plan sets with those before, for the guard rails.

use std::collections::{BTreeSet, HashMap};

use super::content::Plan;
use super::guard::{Overrides, Supervision, WideningGuard};
use super::widening::Widening;
use crate::iam::{BoundaryChange, PolicyArn, Printable};
use crate::impact::{Actions, Document, Step};
use crate::inventory::AccountPolicies;

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
            Some(Err(error)) => {
                Err(format!("cannot read policy {arn}: {}", error.without_request_id()).into())
            }
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
