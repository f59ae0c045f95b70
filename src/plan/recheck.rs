use super::{Change, Plan, Violation};
use crate::aws::{Inventory, Reading};
use crate::iam::Digest;

/// A plan held against the account as it is now, just before it is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recheck {
    /// The plan with those of its changes that can be carried out: each user has the boundary that the
    /// plan saw.
    pub plan: Plan,
    /// Users who have another boundary than the plan saw, and not the one that it wants.
    pub conflicts: Vec<Conflict>,
    /// Changes whose users have what the plan wants already.
    pub already_done: Vec<Change>,
    /// The guard rails that stand against the plan: if there are any, nothing of it is carried out.
    pub violations: Vec<Violation>,
    /// The digest of the plan as it was reviewed, all of its changes included.
    pub digest: Digest,
}

/// A change that must not be carried out, because the account is not as the plan saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The change. What was expected is where it comes [from](super::BoundaryChange::from).
    pub change: Change,
    /// What is there instead.
    pub found: Reading,
}

impl Recheck {
    /// A plan that was made a moment ago, from the account as it is.
    pub fn unneeded(plan: Plan) -> Recheck {
        let digest = plan.digest();
        Recheck {
            plan,
            conflicts: Vec::new(),
            already_done: Vec::new(),
            violations: Vec::new(),
            digest,
        }
    }

    /// A plan that guard rails refuse: the account is not looked at again.
    pub fn refused(plan: Plan, violations: Vec<Violation>) -> Recheck {
        Recheck { violations, ..Recheck::unneeded(plan) }
    }

    /// Every change of `plan` is in exactly one of the three lists afterwards.
    ///
    /// # Panics
    /// When `live` was not asked for every user whom `plan` changes: that is a mistake of the caller,
    /// and going on would write what nobody looked at.
    pub fn of(plan: Plan, live: &Inventory) -> Recheck {
        let mut recheck = Recheck::unneeded(plan);
        for change in std::mem::take(&mut recheck.plan.changes) {
            let found =
                live.reading(&change.user).expect("the snapshot has every user of the plan");
            match found {
                Reading::Boundary(now) if now.as_ref() == change.action.from() => {
                    recheck.plan.changes.push(change);
                }
                Reading::Boundary(now) if now.as_ref() == change.action.to() => {
                    recheck.already_done.push(change);
                }
                _ => recheck.conflicts.push(Conflict { found: found.clone(), change }),
            }
        }
        recheck
    }
}
