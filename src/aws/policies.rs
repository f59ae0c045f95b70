use std::collections::{BTreeMap, BTreeSet};

use super::reader::{READS_AT_ONCE, Reader, many_at_once};
use super::retry::Caller;
use crate::iam::PolicyArn;
use crate::inventory::{ApiError, ErrorClass, PolicyState};

const POLICY: &str = "iam:GetPolicy";

impl Reader {
    /// Asks for each of the policies, once.
    pub(super) async fn policies<'a>(
        &self,
        arns: impl IntoIterator<Item = &'a PolicyArn>,
    ) -> Result<BTreeMap<PolicyArn, PolicyState>, ApiError> {
        let arns: BTreeSet<&PolicyArn> = arns.into_iter().collect();
        let caller = &self.caller(POLICY, READS_AT_ONCE, arns.len());
        let states = arns
            .into_iter()
            .cloned()
            .map(|arn| async move { self.policy(caller, &arn).await.map(|state| (arn, state)) });
        many_at_once(states).await
    }

    async fn policy(&self, caller: &Caller, arn: &PolicyArn) -> Result<PolicyState, ApiError> {
        let get = || async {
            self.iam
                .get_policy()
                .policy_arn(arn.as_str())
                .send()
                .await
                .map_err(|error| ApiError::from_sdk(POLICY, error))
        };
        let unreadable = |what| Ok(PolicyState::Unreadable(ApiError::unreadable(POLICY, what)));
        let answer = match self.ask(caller, get).await {
            Ok(answer) => answer,
            Err(error) if error.class == ErrorClass::Credentials => return Err(error),
            Err(error) if error.class == ErrorClass::NotFound => {
                return Ok(PolicyState::NoSuchPolicy);
            }
            Err(error) => return Ok(PolicyState::Unreadable(error)),
        };
        match answer.policy() {
            None => unreadable("the answer has no policy in it"),
            Some(policy) if policy.arn() != Some(arn.as_str()) => {
                unreadable("the answer is about another policy than was asked for")
            }
            Some(policy) if policy.is_attachable() && !arn.is_for_service_linked_role() => {
                Ok(PolicyState::Attachable)
            }
            Some(_) => Ok(PolicyState::NotAttachable),
        }
    }
}
