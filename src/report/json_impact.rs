//! What a change of a boundary gives and takes, as JSON for machines. Its fields are documented, and their names do not
//! change.

use serde::Serialize;

use super::json_check::pretty;
use crate::iam::Printable;
use crate::impact::{
    AccessLevel, Actions, Catalog, ComparedDocuments, Comparison, Extent, Summary,
};
use crate::plan::ExplainedImpact;

/// A comparison of two boundary documents as one document.
pub(super) fn compared(compared: &ComparedDocuments) -> String {
    let ComparedDocuments { before, after, identity, actions, comparison } = compared;
    pretty(&ComparedJson {
        format: "iam-boundaries/impact",
        format_version: 1,
        catalog_date: &Catalog::current().date,
        before: before.as_ref(),
        after: after.as_ref(),
        identity,
        impact: Summary::of(comparison, actions),
        actions: differing(comparison, actions),
    })
}

#[derive(Serialize)]
struct ComparedJson<'a> {
    format: &'static str,
    format_version: u32,
    catalog_date: &'a str,
    /// Null for no boundary.
    before: Option<&'a Printable>,
    /// Null for no boundary.
    after: Option<&'a Printable>,
    identity: &'a [Printable],
    #[serde(flatten)]
    impact: Summary,
    actions: Vec<ActionJson<'a>>,
}

/// What the change of one principal does.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum ExplainedImpactJson<'a> {
    Known {
        catalog_date: &'a str,
        #[serde(flatten)]
        summary: Box<Summary>,
        actions: Vec<ActionJson<'a>>,
    },
    Unknown {
        unknown: &'a Printable,
    },
}

impl<'a> ExplainedImpactJson<'a> {
    pub(super) fn of(impact: &'a ExplainedImpact) -> Self {
        let ExplainedImpact { actions, result } = impact;
        match result {
            Err(unknown) => ExplainedImpactJson::Unknown { unknown },
            Ok(comparison) => ExplainedImpactJson::Known {
                catalog_date: &Catalog::current().date,
                summary: Box::new(Summary::of(comparison, actions)),
                actions: differing(comparison, actions),
            },
        }
    }
}

/// An action that is allowed to another extent, or whose limits are others.
#[derive(Serialize)]
pub(super) struct ActionJson<'a> {
    action: &'a str,
    access_level: AccessLevel,
    before: Extent,
    after: Extent,
}

fn differing<'a>(comparison: &Comparison, actions: &'a Actions) -> Vec<ActionJson<'a>> {
    let differing = comparison.gains().or(&comparison.losses());
    let action = |index| {
        let (before, after) = comparison.extents(index);
        let action = actions.get(index);
        ActionJson { action: action.name, access_level: action.level, before, after }
    };
    differing.iter().map(action).collect()
}
