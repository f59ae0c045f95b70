/// A role of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Role {
    /// The profile, for messages.
    pub(super) profile: String,
    pub(super) arn: String,
    pub(super) external_id: Option<String>,
    pub(super) session_name: Option<String>,
    /// In seconds.
    pub(super) duration: Option<i32>,
    pub(super) mfa_serial: Option<String>,
}
