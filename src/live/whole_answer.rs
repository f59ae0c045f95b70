use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// Makes an error of an answer that says 200 and is not IAM's, or breaks off.
///
/// The SDK looks at the status alone where an action has no result, as the two that write boundaries: a
/// proxy's page would read as a boundary that was set.
#[derive(Debug)]
pub(super) struct WholeAnswers;

impl Intercept for WholeAnswers {
    fn name(&self) -> &'static str {
        "WholeAnswers"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let answer = context.response();
        let Some(action) = config.load::<Metadata>().map(Metadata::name) else { return Ok(()) };
        let body = answer.body().bytes().unwrap_or_default();
        if answer.status().is_success() && !is_whole(action, body) {
            return Err(format!("the answer does not end as IAM's to {action}").into());
        }
        Ok(())
    }
}

/// `<ActionResponse …>…</ActionResponse>`, as the query protocol has it
/// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html>).
fn is_whole(action: &str, body: &[u8]) -> bool {
    body.trim_ascii_end().ends_with(format!("</{action}Response>").as_bytes())
}
