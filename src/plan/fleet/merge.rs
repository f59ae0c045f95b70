//! Merging the plans of the parts of a fleet. It assumes nothing: a part that is missing stays named in the result.

use std::collections::BTreeMap;

use super::content::{FleetPlan, FleetSource};
use crate::config::SourceFile;
use crate::iam::{AccountId, Digest, Printable, Shard};
use crate::plan::source::PlanSource;

/// Why files are not the results of the parts of one fleet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// One file is a plan, and another a run report.
    #[error(
        "{plan} is a saved plan, and {report} is not: plans and run reports are merged separately"
    )]
    Mixed {
        /// The plan.
        plan: Printable,
        /// The other file.
        report: Printable,
    },
    /// The file is the plan of a single account.
    #[error("{file} is the plan of one account, not of a part of a fleet")]
    OneAccount {
        /// The file.
        file: Printable,
    },
    /// The file is not the result of a part: it is of the whole fleet, of some accounts, of a rollback, or already merged.
    #[error(
        "{file} is not of a part of a fleet: it was made without --shard, or is already merged"
    )]
    NotOfAShard {
        /// The file.
        file: Printable,
    },
    /// Two files are of different fleet files.
    #[error("{file} and {other} are of different fleet files, or of different versions of one")]
    OtherFleet {
        /// A file.
        file: Printable,
        /// The other one.
        other: Printable,
    },
    /// Two plans are made from different versions of a boundaries file.
    #[error("{file} and {other} are made from different versions of {path}")]
    OtherVersion {
        /// A file.
        file: Printable,
        /// The other one.
        other: Printable,
        /// The boundaries file.
        path: Printable,
    },
    /// The fleet was divided differently.
    #[error(
        "{file} is of shard {shard}, and {other} is of shard {other_shard}: the numbers of shards differ"
    )]
    OtherCount {
        /// A file.
        file: Printable,
        /// Its part.
        shard: Shard,
        /// The other one.
        other: Printable,
        /// The part of the other one.
        other_shard: Shard,
    },
    /// Two files are of the same part.
    #[error("{file} and {other} are both of shard {shard}")]
    Twice {
        /// A file.
        file: Printable,
        /// The other one.
        other: Printable,
        /// The part.
        shard: Shard,
    },
    /// An account is in the wrong part, so it could be in two.
    #[error("{file} is of shard {shard}, but its account {account} belongs to another shard")]
    OtherShard {
        /// The file.
        file: Printable,
        /// Its part.
        shard: Shard,
        /// The account.
        account: AccountId,
    },
}

/// The parts that are missing from `given`, each with the file that is its result, sorted; none if there is no file.
///
/// # Errors
/// [`MergeError::OtherCount`] and [`MergeError::Twice`].
pub fn missing_shards(given: &[(&Printable, Shard)]) -> Result<Vec<Shard>, MergeError> {
    let Some((first, shard_of_first)) = given.first() else { return Ok(Vec::new()) };
    let mut seen: BTreeMap<Shard, &Printable> = BTreeMap::new();
    for (file, shard) in given {
        if shard.count() != shard_of_first.count() {
            return Err(MergeError::OtherCount {
                file: (*first).clone(),
                shard: *shard_of_first,
                other: (*file).clone(),
                other_shard: *shard,
            });
        }
        if let Some(other) = seen.insert(*shard, file) {
            let (file, other) = (other.clone(), (*file).clone());
            return Err(MergeError::Twice { file, other, shard: *shard });
        }
    }
    Ok(shard_of_first.all().filter(|shard| !seen.contains_key(shard)).collect())
}

impl FleetPlan {
    /// The plan of a fleet from the plans of its parts, each with its file. If all parts are there, it is the plan that one
    /// run on the whole fleet makes, with the same digest. Otherwise, it says which are missing, and is incomplete.
    ///
    /// # Errors
    /// [`MergeError`] if the plans are not of different parts of one fleet, made from the same files.
    ///
    /// # Panics
    /// If there is no plan.
    pub fn merge(plans: Vec<(Printable, FleetPlan)>) -> Result<FleetPlan, MergeError> {
        let mut parts = Vec::with_capacity(plans.len());
        for (file, plan) in plans {
            let source = match (&plan.source, plan.shard, plan.part_of) {
                (FleetSource::File(source), Some(shard), None) => (source.digest, shard),
                _ => return Err(MergeError::NotOfAShard { file }),
            };
            parts.push((file, source, plan));
        }
        let given: Vec<(&Printable, Shard)> =
            parts.iter().map(|(file, (_, shard), _)| (file, *shard)).collect();
        let missing_shards = missing_shards(&given)?;
        // The order of the arguments is not significant.
        parts.sort_by_key(|(_, (_, shard), _)| *shard);
        check_sources(&parts)?;
        let mut parts = parts.into_iter().map(|(_, _, plan)| plan);
        let mut merged = parts.next().expect("there is a plan");
        for part in parts {
            merged.accounts.extend(part.accounts);
            merged.uncovered.extend(part.uncovered);
        }
        merged
            .accounts
            .sort_by(|a, b| (&a.account.name, a.account.id).cmp(&(&b.account.name, b.account.id)));
        merged.uncovered.sort();
        Ok(FleetPlan { shard: None, missing_shards, ..merged })
    }
}

/// A plan with its file, the digest of its fleet file and its part.
type Part = (Printable, (Digest, Shard), FleetPlan);

/// Checks that the parts are made from the same files, and that no account can be in two of them.
fn check_sources(parts: &[Part]) -> Result<(), MergeError> {
    let mut versions: BTreeMap<&Printable, (Digest, &Printable)> = BTreeMap::new();
    for (file, (digest, shard), plan) in parts {
        if let Some((other, (other_digest, _), _)) = parts.first()
            && other_digest != digest
        {
            return Err(MergeError::OtherFleet { file: other.clone(), other: file.clone() });
        }
        if let Some(account) = plan.accounts.iter().find(|it| !shard.contains(it.account.id)) {
            let (file, shard, account) = (file.clone(), *shard, account.account.id);
            return Err(MergeError::OtherShard { file, shard, account });
        }
        for SourceFile { path, digest } in plan.accounts.iter().flat_map(|it| {
            it.plan.as_ref().map_or(&[][..], |plan| match &plan.source {
                PlanSource::Files { files, .. } => files,
                PlanSource::Rollback { .. } => &[],
            })
        }) {
            let (version, other) = *versions.entry(path).or_insert((*digest, file));
            if version != *digest {
                let (file, other, path) = (other.clone(), file.clone(), path.clone());
                return Err(MergeError::OtherVersion { file, other, path });
            }
        }
    }
    Ok(())
}
