//! What a saved plan says about the content of policies. Each part is missing if it says nothing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::problem::ErrorDocument;
use crate::iam::{Digest, PolicyArn, PrincipalCounts, Printable};
use crate::plan::content::Plan;
use crate::plan::drifted::DriftedPolicy;
use crate::plan::source::PlanSource;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct PolicyDigestDocument {
    /// The ARN of the policy.
    policy: PolicyArn,
    /// The SHA-256 of the document of its default version, in canonical form, as JSON with sorted keys and no spaces.
    digest: Digest,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct DriftedPolicyDocument {
    /// The ARN of the policy.
    policy: PolicyArn,
    /// The path of the pinned document.
    #[schemars(with = "String", length(min = 1))]
    document: Printable,
    /// The number of users in the scope of the plan that have the policy.
    users: usize,
    /// The number of roles in the scope of the plan that have the policy.
    roles: usize,
    #[serde(flatten)]
    found: FoundDocument,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum FoundDocument {
    /// The lines of the difference from the pinned document to the policy.
    Difference(#[schemars(with = "Vec<String>", length(min = 1))] Vec<Printable>),
    /// Why the policy could not be read.
    Error(ErrorDocument),
}

/// The digests of the policies that the changes set.
pub(super) fn digests(plan: &Plan) -> Vec<PolicyDigestDocument> {
    let document = |(policy, digest): (&PolicyArn, &Digest)| PolicyDigestDocument {
        policy: policy.clone(),
        digest: *digest,
    };
    plan.documents.iter().map(document).collect()
}

/// The pinned policies that differ.
pub(super) fn drifted(plan: &Plan) -> Vec<DriftedPolicyDocument> {
    let document = |drifted: &DriftedPolicy| {
        let DriftedPolicy { policy, document, holders, difference } = drifted.clone();
        DriftedPolicyDocument {
            policy,
            document,
            users: holders.users,
            roles: holders.roles,
            found: match difference {
                Ok(lines) => FoundDocument::Difference(lines),
                Err(error) => FoundDocument::Error(ErrorDocument::of(error)),
            },
        }
    };
    plan.drifted.iter().map(document).collect()
}

/// Adds these parts to `plan`.
///
/// # Errors
/// Says what is not consistent.
pub(super) fn into_plan(
    digests: Vec<PolicyDigestDocument>,
    drifted: Vec<DriftedPolicyDocument>,
    plan: &mut Plan,
) -> Result<(), String> {
    let set = plan.policies();
    if let Some(other) = digests.iter().find(|it| !set.contains(&it.policy)) {
        return Err(format!("it has the digest of {}, which no change sets", other.policy));
    }
    if !drifted.is_empty() && !matches!(plan.source, PlanSource::Files { .. }) {
        return Err("it has pinned policies, and is not made from files".to_owned());
    }
    plan.documents = digests.into_iter().map(|it| (it.policy, it.digest)).collect();
    plan.drifted =
        drifted.into_iter().map(DriftedPolicyDocument::into_drifted).collect::<Result<_, _>>()?;
    match plan.drifted.is_sorted_by(|a, b| a.policy < b.policy) {
        true => Ok(()),
        false => Err("its pinned policies are not sorted".to_owned()),
    }
}

impl DriftedPolicyDocument {
    fn into_drifted(self) -> Result<DriftedPolicy, String> {
        let DriftedPolicyDocument { policy, document, users, roles, found } = self;
        let difference = match found {
            FoundDocument::Difference(lines) if lines.is_empty() => {
                return Err(format!("the pinned policy {policy} has no difference"));
            }
            // Reports show the lines in a block that no other line can end.
            FoundDocument::Difference(lines) if !lines.iter().all(is_line_of_difference) => {
                return Err(format!("the difference of the pinned policy {policy} is not one"));
            }
            FoundDocument::Difference(lines) => Ok(lines),
            FoundDocument::Error(error) => Err(error.into_error()),
        };
        if document.is_empty() {
            return Err(format!("the pinned document of {policy} has no path"));
        }
        if users.checked_add(roles).is_none() {
            return Err("its number of principals is too large".to_owned());
        }
        let holders = PrincipalCounts { users, roles };
        Ok(DriftedPolicy { policy, document, holders, difference })
    }
}

fn is_line_of_difference(line: &Printable) -> bool {
    line.starts_with([' ', '+', '-', '@'])
}
