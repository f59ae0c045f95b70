//! The least IAM policies for what the tool does with boundaries files and fleets: policies of the identity that runs it,
//! trust policies of its role, and a service control policy for everyone else. This module is pure.

mod account;
mod boundaries;
mod breadth;
mod document;
mod fleet;
mod place;
mod principals;
mod scp;
mod trust;

pub use account::{Purpose, WriteScope, account_policy};
pub use breadth::{Breadth, Fitted, TooLong};
pub use document::PolicyDocument;
pub use fleet::{FleetPolicies, FleetScope, fleet_policies};
pub use place::Place;
pub use scp::{RolePattern, RolePatternError, service_control_policy};
pub use trust::{
    GithubClaim, GithubRepository, GithubRepositoryError, GitlabClaim, GitlabProject,
    GitlabProjectError, OidcHost, OidcHostError, OidcTrust, TrustedArn, TrustedArnError,
    oidc_trust, role_trust,
};
