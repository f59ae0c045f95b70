//! Preflight: the verdict on each change of a plan, based on the current state of the account.

use std::collections::BTreeMap;

use crate::support::plans::{Case, arn, found, unreadable};
use iam_boundaries::iam::{BoundaryChange, PolicyArn, UniqueId};
use iam_boundaries::inventory::{Inventory, Reading};
use iam_boundaries::plan::{Preflight, Verdict};

#[test]
fn a_change_is_ready_only_if_the_account_is_as_planned() {
    let plan = Case::of(400, 0).plan();
    let mut random = fastrand::Rng::with_seed(3);
    let readings = plan.changes.iter().map(|change| {
        let reading = match random.u8(..6) {
            0 => found(change.boundary.from().cloned()),
            1 => found(change.boundary.to().cloned()),
            2 => found(None),
            3 => found(Some(arn("Other"))),
            4 => Reading::NotFound { differs_by_case: None },
            _ => unreadable("no"),
        };
        (change.principal.clone(), reading)
    });
    let live: BTreeMap<_, _> = readings.collect();
    let preflight = Preflight::of(plan.clone(), &Inventory::of(live.clone()));
    let mut counts = BTreeMap::<&str, usize>::new();
    for (change, verdict) in preflight.changes() {
        let reading = &live[&change.principal];
        let kind = match verdict {
            Verdict::Ready => {
                assert_eq!(reading, &found(change.boundary.from().cloned()));
                "ready"
            }
            Verdict::AlreadyDone => {
                assert_eq!(reading, &found(change.boundary.to().cloned()));
                "already done"
            }
            Verdict::Conflict(seen) => {
                assert_eq!(reading, seen);
                "conflict"
            }
            Verdict::Blocked(why) => panic!("{why:?}"),
        };
        *counts.entry(kind).or_default() += 1;
    }
    assert!(counts.len() == 3 && counts.values().all(|count| *count > 50), "{counts:?}");
    assert_eq!(preflight.plan, plan);
    assert_eq!(preflight.digest, plan.digest());
}

#[test]
fn a_change_without_a_unique_id_gets_the_one_that_was_read_and_keeps_the_reviewed_digest() {
    let mut plan = Case::of(3, 0).plan();
    plan.changes.iter_mut().for_each(|change| change.unique_id = None);
    let ids = ["AIDA00000000000000001", "AIDA00000000000000002", "AIDA00000000000000003"];
    let readings = plan.changes.iter().zip(ids).map(|(change, id)| {
        let boundary = change.boundary.from().cloned();
        let reading = Reading::Found { unique_id: id.parse().unwrap(), boundary };
        (change.principal.clone(), reading)
    });
    let preflight = Preflight::of(plan.clone(), &Inventory::of(readings.collect()));
    let pinned: Vec<_> =
        preflight.ready().map(|it| it.unique_id.as_ref().unwrap().to_string()).collect();
    assert_eq!(pinned, ids);
    assert_eq!(preflight.digest, plan.digest());
}

#[test]
fn a_user_that_was_deleted_and_created_again_is_a_conflict() {
    let plan = Case::of(3, 0).plan();
    let unique_id: UniqueId = "AIDAZZZZZZZZZZZZZZZZZ".parse().unwrap();
    let recreated = |boundary: Option<&PolicyArn>| Reading::Found {
        unique_id: unique_id.clone(),
        boundary: boundary.cloned(),
    };
    for boundary in [BoundaryChange::from, BoundaryChange::to] {
        let readings = plan
            .changes
            .iter()
            .map(|change| (change.principal.clone(), recreated(boundary(&change.boundary))));
        let preflight = Preflight::of(plan.clone(), &Inventory::of(readings.collect()));
        assert_eq!(preflight.conflicts().count(), 3);
        assert_eq!(preflight.ready().count(), 0);
    }
}
