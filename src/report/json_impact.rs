//! What a change of a boundary gives and takes, as JSON for machines. Its fields are documented, and their names do not
//! change.

use std::collections::BTreeMap;

use serde::Serialize;

use super::json_check::pretty;
use crate::iam::Printable;
use crate::impact::{
    AccessLevel, ActionSet, Actions, Catalog, ComparedDocuments, Comparison, Direction, Extent,
    Tally,
};

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
        impact: ImpactJson::of(comparison, actions),
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
    impact: ImpactJson,
    actions: Vec<ActionJson<'a>>,
}

/// What a change gives and takes, as numbers.
#[derive(Serialize)]
pub(super) struct ImpactJson {
    direction: Direction,
    gives: TallyJson,
    extends: TallyJson,
    takes: TallyJson,
    reduces: TallyJson,
    /// Limited before and after, and more can be allowed.
    can_allow_more: TallyJson,
    /// Limited before and after, and less can be allowed.
    can_allow_less: TallyJson,
}

#[derive(Serialize)]
struct TallyJson {
    actions: usize,
    services: usize,
    access_levels: BTreeMap<&'static str, usize>,
}

/// An action that is allowed to another extent, or whose limits are others.
#[derive(Serialize)]
struct ActionJson<'a> {
    action: &'a str,
    access_level: AccessLevel,
    before: Extent,
    after: Extent,
}

impl ImpactJson {
    pub(super) fn of(comparison: &Comparison, actions: &Actions) -> ImpactJson {
        let tally = |set: &ActionSet| {
            let Tally { actions, levels, services } = Tally::of(set, actions);
            let access_levels = levels.into_iter().map(|(level, n)| (level.name(), n)).collect();
            TallyJson { actions, services: services.len(), access_levels }
        };
        ImpactJson {
            direction: comparison.direction(),
            gives: tally(&comparison.given),
            extends: tally(&comparison.extended),
            takes: tally(&comparison.taken),
            reduces: tally(&comparison.reduced),
            can_allow_more: tally(&comparison.widened),
            can_allow_less: tally(&comparison.narrowed),
        }
    }
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
