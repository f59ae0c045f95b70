use super::actions::Actions;
use super::comparison::{Comparison, Step};
use super::document::Document;
use super::permissions::Permissions;
use crate::iam::Printable;

/// What a change from one boundary document to another does, without an account.
#[derive(Debug)]
pub struct ComparedDocuments {
    /// The name of the boundary before the change; `None` for no boundary.
    pub before: Option<Printable>,
    /// The name of the boundary after the change; `None` for no boundary.
    pub after: Option<Printable>,
    /// The names of the identity-based policies. Without one, the principal is allowed everything, so that the
    /// boundaries themselves are compared.
    pub identity: Vec<Printable>,
    /// The actions of the comparison.
    pub actions: Actions,
    /// What the change does.
    pub comparison: Comparison,
}

/// A policy document with its name.
pub type Named = (Printable, Document);

impl ComparedDocuments {
    /// Compares two boundaries for a principal with these identity-based policies.
    pub fn of(
        before: Option<Named>,
        after: Option<Named>,
        identity: Vec<Named>,
    ) -> ComparedDocuments {
        let all = before.iter().chain(&after).chain(&identity);
        let actions = Actions::of(all.map(|(_, document)| document));
        let [old, new] = [&before, &after].map(|it| it.as_ref().map(|(_, document)| document));
        let step = Step::new(old, new, &actions);
        let comparison = match identity.is_empty() {
            true => step.compare_boundaries(&actions),
            false => {
                step.compare(&Permissions::of_all(identity.iter().map(|(_, it)| it), &actions))
            }
        };
        ComparedDocuments {
            before: before.map(|(name, _)| name),
            after: after.map(|(name, _)| name),
            identity: identity.into_iter().map(|(name, _)| name).collect(),
            actions,
            comparison,
        }
    }
}
