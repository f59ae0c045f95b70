/// A response that is not one of IAM or STS, although its HTTP status may say success.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadResponse {
    /// It is larger than any response to the action can be. The rest was not read.
    #[error("the response is larger than {0}, the maximum for this action")]
    TooLarge(&'static str),
    /// Its body is not a document of the action.
    #[error("{0}")]
    Malformed(String),
}
