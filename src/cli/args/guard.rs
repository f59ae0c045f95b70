use crate::iam::{Principal, PrincipalName, PrincipalPattern, Threshold};
use crate::plan::Overrides;

/// The heading of the options that override guard rails.
const GUARD: &str = "Guard rails";

#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct LimitArgs {
    /// Maximum number or percentage of principals that the plan may change; overrides [guard] max_changes
    #[arg(long, value_name = "N|P%", help_heading = GUARD)]
    pub(in crate::cli) max_changes: Option<Threshold>,
    /// Maximum number or percentage of principals whose boundary the plan may remove; overrides [guard]
    /// max_removals
    #[arg(long, value_name = "N|P%", help_heading = GUARD)]
    pub(in crate::cli) max_removals: Option<Threshold>,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct OverrideArgs {
    #[command(flatten)]
    pub(in crate::cli) limits: LimitArgs,
    /// Allow the plan to change this user, even if [guard] protects it; can be repeated
    #[arg(long, value_name = "USER", help_heading = GUARD)]
    pub(in crate::cli) allow_protected: Vec<PrincipalName>,
    /// Allow the plan to change this role, even if [guard] protects it; can be repeated
    #[arg(long, value_name = "ROLE", help_heading = GUARD)]
    pub(in crate::cli) allow_protected_role: Vec<PrincipalName>,
    /// Allow the plan to change the caller's own boundary
    #[arg(long, help_heading = GUARD)]
    pub(in crate::cli) allow_own_boundary: bool,
    /// Allow wider boundaries for these users or roles, such as user/alice or role/ci-*, even if [guard] widening
    /// refuses them; can be repeated
    #[arg(long, value_name = "PATTERN", help_heading = GUARD)]
    pub(in crate::cli) allow_widening: Vec<PrincipalPattern>,
    /// Allow the plan to take from these users or roles what they used, even if [guard] taking_used refuses it; can be
    /// repeated
    #[arg(long, value_name = "PATTERN", help_heading = GUARD)]
    pub(in crate::cli) allow_taking_used: Vec<PrincipalPattern>,
}

impl OverrideArgs {
    pub(in crate::cli) fn overrides(&self) -> Overrides {
        let users = self.allow_protected.iter().cloned().map(Principal::user);
        let roles = self.allow_protected_role.iter().cloned().map(Principal::role);
        Overrides {
            max_changes: self.limits.max_changes,
            max_removals: self.limits.max_removals,
            allow_protected: users.chain(roles).collect(),
            allow_own_boundary: self.allow_own_boundary,
            allow_widening: self.allow_widening.clone(),
            allow_taking_used: self.allow_taking_used.clone(),
        }
    }
}
