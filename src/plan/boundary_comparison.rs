//! Compares the boundaries that a plan sets with those before, for the guard rails.

use std::collections::{BTreeSet, HashMap};

use super::content::Plan;
use super::guard::{Overrides, Supervision, WideningGuard};
use super::widening::Widening;
use crate::iam::{BoundaryChange, PolicyArn, Printable};
use crate::impact::{Actions, Document, Permissions, Step};
use crate::inventory::{PolicyTexts, policy_text};

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

    /// Compares the boundaries of each change whose documents are in `texts`. Equal changes are compared once.
    pub fn compare_boundaries(&mut self, texts: &PolicyTexts) {
        let parsed = |arn: &PolicyArn| {
            let (_, text) = policy_text(texts, arn)?;
            Document::parse(text).map_err(|error| {
                format!("the document of policy {arn} cannot be evaluated: {error}").into()
            })
        };
        let documents: Documents = texts.keys().map(|arn| (arn.clone(), parsed(arn))).collect();
        let actions = Actions::of(documents.values().flatten());
        let mut known: HashMap<BoundaryChange, Option<Widening>> = HashMap::new();
        for change in self.changes.iter_mut().filter(|it| it.widening.is_none()) {
            let compare = || widening(&change.boundary, &documents, &actions);
            change.widening = known.entry(change.boundary.clone()).or_insert_with(compare).clone();
        }
    }
}

/// The documents that were read; an error says why one is not known.
type Documents = HashMap<PolicyArn, Result<Document, Printable>>;

/// Whether the new boundary allows more; `None` if nothing is known of it. If only its own document was read, only
/// whether it allows everything.
fn widening(
    boundary: &BoundaryChange,
    documents: &Documents,
    actions: &Actions,
) -> Option<Widening> {
    let BoundaryChange::Change { from, to } = boundary else { return None };
    match (documents.get(from), documents.get(to)?) {
        (_, Err(why)) | (Some(Err(why)), _) => Some(Widening::Unknown(why.clone())),
        (Some(Ok(before)), Ok(after)) => {
            let step = Step::new(Some(before), Some(after), actions);
            Some(Widening::of(&step, actions))
        }
        (None, Ok(after)) => {
            Permissions::of(after, actions).is_everything().then_some(Widening::Everything)
        }
    }
}
