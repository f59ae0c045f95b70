use crate::config::SourceFile;
use crate::iam::{Digest, Principal, Printable};

/// What a plan is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanSource {
    /// Boundaries files, compared with the account.
    Files {
        /// The files, in the order in which they are layered: at least one.
        files: Vec<SourceFile>,
        /// The earlier version of the files, if the plan was compared with one.
        base: Option<Base>,
    },
    /// The journal of a run that the plan rolls back.
    Rollback {
        /// The journal.
        journal: SourceFile,
        /// The digest of the plan that the run carried out.
        plan: Digest,
        /// Whether the journal records the end of the run: otherwise, changes may be missing from it. `None`
        /// in a plan whose format does not record it.
        run_ended: Option<bool>,
        /// The principals of the changes that the run may not have made, in order: the journal does not show who set
        /// the present boundary.
        unconfirmed: Vec<Principal>,
    },
}

/// What a plan keeps of the earlier version of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The digest of that version's bytes.
    pub digest: Digest,
    /// The principals that it listed and the plan's file does not, in order.
    pub no_longer_listed: Vec<Principal>,
}

impl PlanSource {
    /// One boundaries file without a base.
    pub fn file(path: Printable, digest: Digest) -> Self {
        PlanSource::Files { files: vec![SourceFile { path, digest }], base: None }
    }

    /// The paths of the files, as a message names them.
    pub fn path(&self) -> String {
        match self {
            PlanSource::Files { files, .. } => {
                files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>().join(", ")
            }
            PlanSource::Rollback { journal, .. } => journal.path.to_string(),
        }
    }

    /// The earlier version of the files, if the plan was compared with one.
    pub fn base(&self) -> Option<&Base> {
        match self {
            PlanSource::Files { base, .. } => base.as_ref(),
            PlanSource::Rollback { .. } => None,
        }
    }

    /// The principals of the changes that the run may not have made, if the plan rolls back a run.
    pub fn unconfirmed(&self) -> &[Principal] {
        match self {
            PlanSource::Files { .. } => &[],
            PlanSource::Rollback { unconfirmed, .. } => unconfirmed,
        }
    }

    /// The digest of the plan whose run this plan rolls back.
    pub fn rolls_back(&self) -> Option<Digest> {
        match self {
            PlanSource::Files { .. } => None,
            PlanSource::Rollback { plan, .. } => Some(*plan),
        }
    }
}
