//! The documents of managed policies that are on no account page.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::call_executor::CallExecutor;
use super::error::CallFailure;
use super::policies::POLICY;
use super::reader::{MAX_READS_IN_FLIGHT, Reader, concurrently};
use crate::iam::PolicyArn;
use crate::inventory::{ApiError, ErrorClass, PolicyText, PolicyTexts};

const VERSION: &str = "iam:GetPolicyVersion";

impl Reader {
    /// The documents of the default versions of managed policies, with two calls each.
    ///
    /// # Errors
    /// Only errors that concern every call. A single policy that cannot be read is an error in the result.
    pub(super) async fn documents(
        &self,
        arns: &BTreeSet<&PolicyArn>,
    ) -> Result<PolicyTexts, ApiError> {
        let [policies, versions] =
            &[POLICY, VERSION].map(|action| self.executor(action, MAX_READS_IN_FLIGHT, arns.len()));
        let documents = arns.iter().map(|&arn| async move {
            match self.document(policies, versions, arn).await {
                Err(error) if error.class == ErrorClass::Credentials => Err(error),
                read => Ok((arn.clone(), read)),
            }
        });
        concurrently(documents).await
    }

    async fn document(
        &self,
        policies: &CallExecutor,
        versions: &CallExecutor,
        arn: &PolicyArn,
    ) -> PolicyText {
        let get = || async {
            let sent = self.iam.get_policy().policy_arn(arn.as_str()).send().await;
            sent.map_err(|error| CallFailure::from_sdk(POLICY, error))
        };
        let policy = self.call(policies, get).await?;
        let policy = policy.policy().filter(|policy| policy.arn() == Some(arn.as_str()));
        let id = policy.and_then(|policy| policy.default_version_id()).ok_or_else(|| {
            ApiError::unreadable(POLICY, "the response has no default version of the policy")
        })?;
        let get = || async {
            let request = self.iam.get_policy_version().policy_arn(arn.as_str()).version_id(id);
            request.send().await.map_err(|error| CallFailure::from_sdk(VERSION, error))
        };
        let response = self.call(versions, get).await?;
        let version = response.policy_version().filter(|it| it.version_id() == Some(id));
        let document = version.and_then(|version| version.document());
        document.map(Arc::from).ok_or_else(|| {
            ApiError::unreadable(VERSION, "the response has no document of the requested version")
        })
    }
}
