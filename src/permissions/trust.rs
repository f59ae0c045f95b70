//! Who can assume a role.

use std::fmt;
use std::str::FromStr;

use super::breadth::{TRUST_POLICY, TooLong, checked};
use super::document::{PolicyDocument, Statement};
use super::place::without_variables;
use crate::iam::{AccountId, ExternalId, Partition, Printable, RoleArn};

const WEB_IDENTITY: &str = "sts:AssumeRoleWithWebIdentity";
const GITHUB: &str = "token.actions.githubusercontent.com";

/// A repository on GitHub: `OWNER/NAME`, or `OWNER@ID/NAME@ID` with immutable IDs, as GitHub writes it in the subject of
/// the tokens of its workflows
/// ([OpenID Connect](https://docs.github.com/en/actions/reference/security/oidc)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GithubRepository(String);

/// The error for a text that is not a valid [`GithubRepository`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a repository is OWNER/NAME, or OWNER@ID/NAME@ID with the IDs of both")]
pub struct GithubRepositoryError;

/// A project on GitLab: `GROUP/NAME` or `GROUP/SUBGROUP/NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitlabProject(String);

/// The error for a text that is not a valid [`GitlabProject`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a project is its path without wildcards: GROUP/NAME or GROUP/SUBGROUP/NAME")]
pub struct GitlabProjectError;

/// The host of a GitLab instance, such as `gitlab.com`, with its port and path if it has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidcHost(String);

/// The error for a text that is not a valid [`OidcHost`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write the host without https://, such as gitlab.example.com")]
pub struct OidcHostError;

/// The ARN of a role, a user or an account (`arn:aws:iam::ACCOUNT:root`) that can assume a role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrustedArn(String);

/// The error for a text that is not a valid [`TrustedArn`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write an ARN without wildcards: arn:aws:iam::ACCOUNT:role/NAME, …:user/NAME or …:root")]
pub struct TrustedArnError;

/// For which jobs of a repository GitHub issues a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GithubClaim {
    /// Jobs that use this environment.
    Environment(Printable),
    /// Jobs for this branch, without an environment.
    Branch(Printable),
    /// Jobs for pull requests, without an environment.
    PullRequest,
}

/// For which jobs of a project GitLab issues a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GitlabClaim {
    /// Jobs for this branch.
    Branch(Printable),
    /// Jobs for this tag.
    Tag(Printable),
}

/// The tokens that a role trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OidcTrust {
    /// Tokens of GitHub Actions.
    Github {
        /// The repository.
        repository: GithubRepository,
        /// The jobs, at least one.
        claims: Vec<GithubClaim>,
    },
    /// Tokens of GitLab CI/CD.
    Gitlab {
        /// The instance.
        host: OidcHost,
        /// The project.
        project: GitlabProject,
        /// The jobs, at least one.
        claims: Vec<GitlabClaim>,
    },
}

impl OidcTrust {
    /// The host of the identity provider, which is its name in IAM.
    fn host(&self) -> &str {
        match self {
            OidcTrust::Github { .. } => GITHUB,
            OidcTrust::Gitlab { host, .. } => &host.0,
        }
    }

    /// The audience unless another one is specified. For GitHub, it is that of the action `configure-aws-credentials`; for
    /// GitLab, that of its documentation
    /// ([AWS](https://docs.gitlab.com/ci/cloud_services/aws/)).
    fn audience(&self) -> String {
        match self {
            OidcTrust::Github { .. } => "sts.amazonaws.com".to_owned(),
            OidcTrust::Gitlab { host, .. } => format!("https://{}", host.0),
        }
    }

    /// The subjects of the tokens
    /// ([GitHub](https://docs.github.com/en/actions/reference/security/oidc),
    /// [GitLab](https://docs.gitlab.com/ci/secrets/id_token_authentication/)).
    fn subjects(&self) -> Vec<String> {
        match self {
            OidcTrust::Github { repository, claims } => {
                let subject = |claim: &GithubClaim| match claim {
                    // GitHub encodes colons, which separate the parts.
                    GithubClaim::Environment(name) => {
                        format!("environment:{}", name.as_str().replace(':', "%3A"))
                    }
                    GithubClaim::Branch(name) => format!("ref:refs/heads/{name}"),
                    GithubClaim::PullRequest => "pull_request".to_owned(),
                };
                claims.iter().map(|it| format!("repo:{}:{}", repository.0, subject(it))).collect()
            }
            OidcTrust::Gitlab { project, claims, .. } => {
                let subject = |claim: &GitlabClaim| match claim {
                    GitlabClaim::Branch(name) => format!("branch:ref:{name}"),
                    GitlabClaim::Tag(name) => format!("tag:ref:{name}"),
                };
                let start = format!("project_path:{}:ref_type", project.0);
                claims.iter().map(|it| format!("{start}:{}", subject(it))).collect()
            }
        }
    }
}

/// The trust policy of a role that jobs of GitHub Actions or GitLab CI/CD assume. The identity provider is in `account`.
/// `audience` replaces the default audience of the tokens.
///
/// # Errors
/// If it is too long.
pub fn oidc_trust(
    trust: &OidcTrust,
    account: AccountId,
    partition: Partition,
    audience: Option<&str>,
) -> Result<PolicyDocument, TooLong> {
    let host = trust.host();
    let audience = audience.map_or_else(|| trust.audience(), str::to_owned);
    let provider = format!("arn:{partition}:iam::{account}:oidc-provider/{host}");
    let subjects = trust.subjects();
    let statement = Statement::allow("TrustJobs", &[WEB_IDENTITY])
        .for_principal("Federated", [provider])
        .when("StringEquals", format!("{host}:aud"), [without_variables(&audience)])
        .when(
            "StringEquals",
            format!("{host}:sub"),
            subjects.iter().map(|it| without_variables(it)),
        );
    short_enough(statement)
}

/// The trust policy of a role that these roles and users assume. If `external_id` is set, only with this external ID.
///
/// # Errors
/// If it is too long.
pub fn role_trust(
    trusted: &[TrustedArn],
    external_id: Option<&ExternalId>,
) -> Result<PolicyDocument, TooLong> {
    let statement = Statement::allow("TrustBaseIdentity", &["sts:AssumeRole"])
        .for_principal("AWS", trusted.iter().map(|it| it.0.as_str()));
    short_enough(match external_id {
        Some(id) => statement.when("StringEquals", "sts:ExternalId", [id.as_str()]),
        None => statement,
    })
}

fn short_enough(statement: Statement) -> Result<PolicyDocument, TooLong> {
    let document = PolicyDocument::new(vec![statement]);
    checked("trust policy", document.size(), TRUST_POLICY)?;
    Ok(document)
}

impl FromStr for GithubRepository {
    type Err = GithubRepositoryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_name = |text: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        let is_id = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
        let is_valid = match text.split_once('/') {
            None => false,
            Some((owner, name)) => match (owner.split_once('@'), name.split_once('@')) {
                (None, None) => is_name(owner) && is_name(name),
                (Some((owner, owner_id)), Some((name, id))) => {
                    is_name(owner) && is_name(name) && is_id(owner_id) && is_id(id)
                }
                _ => false,
            },
        };
        if is_valid { Ok(GithubRepository(text.to_owned())) } else { Err(GithubRepositoryError) }
    }
}

impl GithubRepository {
    /// Whether it has the immutable IDs.
    pub fn has_ids(&self) -> bool {
        self.0.contains('@')
    }
}

impl FromStr for GitlabProject {
    type Err = GitlabProjectError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_part = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        let is_valid = text.contains('/') && text.split('/').all(is_part);
        if is_valid { Ok(GitlabProject(text.to_owned())) } else { Err(GitlabProjectError) }
    }
}

impl FromStr for OidcHost {
    type Err = OidcHostError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-._:/".contains(c);
        let is_valid = text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(is_allowed)
            && !text.contains("//")
            && !text.ends_with('/');
        if is_valid { Ok(OidcHost(text.to_owned())) } else { Err(OidcHostError) }
    }
}

impl FromStr for TrustedArn {
    type Err = TrustedArnError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_wild = text.contains(['*', '?', '$']);
        let as_role = match text.splitn(6, ':').last() {
            Some("root") => text.strip_suffix("root").map(|start| format!("{start}role/root")),
            // Users have the same paths and names as roles.
            Some(user) if user.starts_with("user/") => Some(text.replacen(":user/", ":role/", 1)),
            _ => Some(text.to_owned()),
        };
        match as_role.and_then(|role| role.parse::<RoleArn>().ok()) {
            Some(_) if !is_wild => Ok(TrustedArn(text.to_owned())),
            _ => Err(TrustedArnError),
        }
    }
}

impl fmt::Display for TrustedArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_valid<T: FromStr>(text: &str) -> bool {
        text.parse::<T>().is_ok()
    }

    #[test]
    fn repositories_and_projects_have_no_wildcards() {
        for text in ["octo-org/repo.x", "octo-org@1/repo@22"] {
            assert!(is_valid::<GithubRepository>(text), "{text}");
        }
        for text in ["", "repo", "a/b/c", "a/*", "a@1/b", "a@x/b@1", "a/b:ref", "a/${x}"] {
            assert!(!is_valid::<GithubRepository>(text), "{text}");
        }
        assert!(is_valid::<GitlabProject>("a/b/c") && !is_valid::<GitlabProject>("a/*"));
        assert!(!is_valid::<GitlabProject>("a//b") && !is_valid::<GitlabProject>("a"));
        assert!(is_valid::<OidcHost>("gitlab.example.com:8443/gitlab"));
        for text in ["https://gitlab.com", "gitlab.com/", "", "*.gitlab.com"] {
            assert!(!is_valid::<OidcHost>(text), "{text}");
        }
    }

    #[test]
    fn a_trusted_arn_is_a_role_a_user_or_an_account() {
        for end in ["role/a", "role/ops/a", "user/a", "root"] {
            assert!(is_valid::<TrustedArn>(&format!("arn:aws:iam::123456789012:{end}")), "{end}");
        }
        for text in [
            "*",
            "123456789012",
            "arn:aws:iam::123456789012:role/*",
            "arn:aws:iam::*:root",
            "arn:aws:iam::123456789012:group/a",
            "arn:aws:sts::123456789012:assumed-role/a/b",
            "arn:aws:iam::123456789012:rootx",
        ] {
            assert!(!is_valid::<TrustedArn>(text), "{text}");
        }
    }
}
