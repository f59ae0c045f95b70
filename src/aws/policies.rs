use std::collections::{BTreeMap, BTreeSet};

use super::call_executor::CallExecutor;
use super::error::CallFailure;
use super::reader::{MAX_READS_IN_FLIGHT, Reader, concurrently};
use crate::iam::PolicyArn;
use crate::inventory::{ApiError, ErrorClass, PolicyState};

pub(super) const POLICY: &str = "iam:GetPolicy";

impl Reader {
    /// Reads the state of each policy, with one call each.
    pub(super) async fn policies<'a>(
        &self,
        arns: impl IntoIterator<Item = &'a PolicyArn>,
    ) -> Result<BTreeMap<PolicyArn, PolicyState>, ApiError> {
        let arns: BTreeSet<&PolicyArn> = arns.into_iter().collect();
        let executor = &self.executor(POLICY, MAX_READS_IN_FLIGHT, arns.len());
        let states = arns
            .into_iter()
            .cloned()
            .map(|arn| async move { self.policy(executor, &arn).await.map(|state| (arn, state)) });
        concurrently(states).await
    }

    async fn policy(
        &self,
        executor: &CallExecutor,
        arn: &PolicyArn,
    ) -> Result<PolicyState, ApiError> {
        let get = || async {
            self.iam
                .get_policy()
                .policy_arn(arn.as_str())
                .send()
                .await
                .map_err(|error| CallFailure::from_sdk(POLICY, error))
        };
        let unreadable =
            |message| Ok(PolicyState::Unreadable(ApiError::unreadable(POLICY, message)));
        let response = match self.call(executor, get).await {
            Ok(response) => response,
            Err(error) if error.class == ErrorClass::Credentials => return Err(error),
            Err(error) if error.class == ErrorClass::NotFound => {
                return Ok(PolicyState::NoSuchPolicy);
            }
            Err(error) => return Ok(PolicyState::Unreadable(error)),
        };
        match response.policy() {
            None => unreadable("the response contains no policy"),
            Some(policy) if policy.arn() != Some(arn.as_str()) => {
                unreadable("the response contains another policy than requested")
            }
            Some(policy) if policy.is_attachable() && !arn.is_for_service_linked_role() => {
                Ok(PolicyState::Attachable)
            }
            Some(_) => Ok(PolicyState::NotAttachable),
        }
    }
}
