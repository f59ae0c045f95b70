use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use similar::TextDiff;

use super::change::{Change, ProblemKind};
use super::content::Plan;
use super::context::PlanContext;
use super::decision::Decision;
use super::decisions::Decisions;
use super::drifted::DriftedPolicy;
use crate::config::{Config, PinnedDocument};
use crate::iam::{Digest, PolicyArn, PrincipalCounts, Printable};
use crate::impact::CanonicalDocument;
use crate::inventory::{ApiError, ErrorClass, Inventory, PolicyText, PolicyTexts, Reading};

/// The documents of the default versions of policies, as they were read.
pub type PolicyDocuments = BTreeMap<PolicyArn, Result<Arc<CanonicalDocument>, ApiError>>;

/// The policies whose content the files pin, and the principals of the plan that have them.
#[derive(Debug, Clone, Default)]
pub struct PinnedPolicies<'c> {
    documents: BTreeMap<PolicyArn, Vec<&'c PinnedDocument>>,
    holders: BTreeMap<PolicyArn, PrincipalCounts>,
}

/// The number of equal lines that a difference has before and after each change.
const CONTEXT: usize = 3;

/// The documents in the responses of IAM.
pub fn policy_documents(texts: &PolicyTexts) -> PolicyDocuments {
    let document = |text: &PolicyText| {
        let text = text.as_ref().map_err(ApiError::without_request_id)?;
        CanonicalDocument::parse(text).map(Arc::new).map_err(|error| {
            let message = format!("the response has no valid policy document: {error}");
            unread("UnreadableResponse", &message)
        })
    };
    texts.iter().map(|(arn, text)| (arn.clone(), document(text))).collect()
}

impl<'c> PinnedPolicies<'c> {
    /// The pinned policies of `config`, and who of those that an entry or a rule of `config` concerns has them.
    pub fn of(config: &'c Config, context: &PlanContext, live: &Inventory) -> Self {
        let mut pinned = PinnedPolicies::default();
        for (policy, document) in config.names.pinned_by_arn(context.account, context.partition) {
            pinned.documents.entry(policy).or_default().push(document);
        }
        if pinned.documents.is_empty() {
            return pinned;
        }
        let mut decisions = Decisions::new(config);
        for (principal, reading) in live.iter() {
            let Reading::Found { boundary: Some(policy), .. } = reading else { continue };
            let is_pinned = pinned.documents.contains_key(policy) && context.is_for(principal);
            let mut decision = || decisions.of(principal, live.attributes(principal));
            if is_pinned && matches!(decision(), Decision::Entry(_) | Decision::Rule(_)) {
                pinned.holders.entry(policy.clone()).or_default().count(principal.kind);
            }
        }
        pinned
    }

    /// The pinned policies that principals have, or that changes of `plan` set.
    pub fn needed<'p>(&'p self, plan: &'p Plan) -> BTreeSet<&'p PolicyArn> {
        let set = plan.policies().into_iter().filter(|arn| self.documents.contains_key(*arn));
        self.holders.keys().chain(set).collect()
    }

    /// The first pinned document from which the policy differs, or the error if it is not known whether it does.
    fn difference(
        &self,
        policy: &PolicyArn,
        live: &PolicyDocuments,
    ) -> Option<(&'c PinnedDocument, Result<Arc<CanonicalDocument>, ApiError>)> {
        let documents = self.documents.get(policy)?;
        let live = live.get(policy).cloned().unwrap_or_else(|| Err(not_read()));
        let differs = |pinned: &&&PinnedDocument| live.as_ref().ok() != Some(&pinned.document);
        documents.iter().find(differs).map(|pinned| (*pinned, live.clone()))
    }

    fn blocking(&self, change: &Change, live: &PolicyDocuments) -> Option<ProblemKind> {
        let policy = change.boundary.to()?.clone();
        let (pinned, live) = self.difference(&policy, live)?;
        Some(match live {
            Ok(_) => ProblemKind::PolicyDiffers { policy, document: pinned.path.clone() },
            Err(error) => ProblemKind::PolicyDocumentUnreadable { policy, error },
        })
    }

    fn drifted(&self, policy: &PolicyArn, live: &PolicyDocuments) -> Option<DriftedPolicy> {
        let (pinned, live) = self.difference(policy, live)?;
        let holders = self.holders.get(policy).copied().unwrap_or_default();
        let difference = match live {
            Ok(live) => Ok(difference(&pinned.document, &live)),
            // The changes that set the policy are problems with the same error.
            Err(_) if holders.total() == 0 => return None,
            Err(error) => Err(error),
        };
        let (policy, document) = (policy.clone(), pinned.path.clone());
        Some(DriftedPolicy { policy, document, holders, difference })
    }
}

impl Plan {
    /// Replaces each change to a policy that is not as it is pinned with a problem, and notes the policies that differ.
    ///
    /// A policy that could not be read is never assumed to be as it is pinned.
    pub fn checked_against_pinned(
        mut self,
        pinned: &PinnedPolicies<'_>,
        live: &PolicyDocuments,
    ) -> Plan {
        let needed: Vec<PolicyArn> = pinned.needed(&self).into_iter().cloned().collect();
        self.drifted = needed.iter().filter_map(|policy| pinned.drifted(policy, live)).collect();
        self.without_changes(|change| pinned.blocking(change, live))
    }

    /// Records the digests of the documents of the policies that the changes set, as far as they were read.
    pub fn record_documents(&mut self, live: &PolicyDocuments) {
        let read = |arn: &PolicyArn| Some((arn.clone(), live.get(arn)?.as_ref().ok()?.digest()));
        self.documents = self.policies().into_iter().filter_map(read).collect();
    }
}

/// Why a change whose policy has this recorded digest cannot be made any more.
pub(super) fn changed_since(
    policy: &PolicyArn,
    recorded: Digest,
    live: &PolicyDocuments,
) -> Option<ProblemKind> {
    let policy = policy.clone();
    match live.get(&policy) {
        Some(Ok(document)) if document.digest() == recorded => None,
        Some(Ok(_)) => Some(ProblemKind::PolicyChanged { policy }),
        Some(Err(error)) => {
            Some(ProblemKind::PolicyDocumentUnreadable { policy, error: error.clone() })
        }
        None => Some(ProblemKind::PolicyDocumentUnreadable { policy, error: not_read() }),
    }
}

fn not_read() -> ApiError {
    unread("NotRead", "the policy document was not read")
}

fn unread(code: &str, message: &str) -> ApiError {
    ApiError {
        action: "iam:GetPolicyVersion".into(),
        class: ErrorClass::Rejected,
        code: code.into(),
        message: message.into(),
        request_id: None,
    }
}

/// The lines that differ, with `-` for those of the pinned document and `+` for those of the policy.
fn difference(pinned: &CanonicalDocument, live: &CanonicalDocument) -> Vec<Printable> {
    let (pinned, live) = (pinned.pretty(), live.pretty());
    let diff = TextDiff::from_lines(&pinned, &live);
    let mut unified = diff.unified_diff();
    let text = unified.context_radius(CONTEXT).to_string();
    text.lines().map(Printable::exact).collect()
}
