use clap::Subcommand;

use super::example::{self, Example};
use super::value::printable;
use crate::iam::{PolicyRef, Printable};
use crate::permissions::{
    GithubClaim, GithubRepository, GitlabClaim, GitlabProject, OidcHost, RolePattern, TrustedArn,
    WriteScope,
};

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        purpose: "Create the policy of a role that applies boundaries.toml",
        commands: &[
            "iam-boundaries permissions apply > apply.json",
            "aws iam create-policy --policy-name iam-boundaries-apply \\",
            "    --policy-document file://apply.json",
        ],
    },
    Example {
        purpose: "Let only one role of each account change boundaries",
        commands: &["iam-boundaries permissions scp --except-role role/iam-boundaries"],
    },
];

pub(super) const PLAN_EXAMPLES: &[Example] = &[Example {
    purpose: "Print the policy of a role that makes plans for account 123456789012",
    commands: &["iam-boundaries permissions plan --account 123456789012"],
}];

pub(super) const APPLY_EXAMPLES: &[Example] = &[
    Example {
        purpose: "Print the policy of a role that applies boundaries.toml",
        commands: &["iam-boundaries permissions apply"],
    },
    Example {
        purpose: "Keep the policy valid when users and roles are added to the file",
        commands: &["iam-boundaries permissions apply --any-principal"],
    },
    Example {
        purpose: "Also allow rolling back to an earlier boundary",
        commands: &["iam-boundaries permissions apply --rollback-to policy/Legacy"],
    },
];

pub(super) const IMPACT_EXAMPLES: &[Example] = &[Example {
    purpose: "Print what plan --impact --last-used 90 needs in addition to plan",
    commands: &["iam-boundaries permissions impact --last-used"],
}];

pub(super) const FLEET_EXAMPLES: &[Example] = &[
    Example {
        purpose: "Print all policies of a fleet, with the trust policy of its roles",
        commands: &[
            "iam-boundaries --fleet fleet.toml permissions fleet \\",
            "    --trusted-by arn:aws:iam::123456789012:role/hub",
        ],
    },
    Example {
        purpose: "Print only the policy of the base identity",
        commands: &["iam-boundaries --fleet fleet.toml permissions fleet --only base"],
    },
];

pub(super) const GITHUB_EXAMPLES: &[Example] = &[Example {
    purpose: "Trust the jobs of one repository that use the environment production",
    commands: &[
        "iam-boundaries permissions trust-github --account 123456789012 \\",
        "    --repository octo-org@1234/iam@5678 --environment production",
    ],
}];

pub(super) const GITLAB_EXAMPLES: &[Example] = &[Example {
    purpose: "Trust the jobs of one project for the branch main",
    commands: &[
        "iam-boundaries permissions trust-gitlab --account 123456789012 \\",
        "    --project platform/iam --branch main",
    ],
}];

pub(super) const SCP_EXAMPLES: &[Example] = &[Example {
    purpose: "Let only one role of each account change boundaries",
    commands: &["iam-boundaries permissions scp --except-role role/iam-boundaries"],
}];

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum PermissionsCommand {
    /// Print the policy for plan and rollback, which only read
    ///
    /// The policy allows what the features that the files use read. `plan --impact` needs that of `permissions impact`,
    /// too.
    #[command(after_help = example::help(PLAN_EXAMPLES))]
    Plan {
        /// Also allow what plan --blame reads: the events of CloudTrail
        #[arg(long)]
        blame: bool,
    },
    /// Print the policy for apply: reads and writes
    ///
    /// Only the policies that the files name can be set as boundaries, and only the boundaries of users and roles that
    /// entries and rules can match can be changed. Removing a boundary is allowed only where the files require it.
    #[command(after_help = example::help(APPLY_EXAMPLES))]
    Apply(WriteArgs),
    /// Print the additional policy for plan --impact
    ///
    /// Attach it beside the policy for plan or apply.
    #[command(after_help = example::help(IMPACT_EXAMPLES))]
    Impact {
        /// Also allow what --last-used reads
        #[arg(long)]
        last_used: bool,
    },
    /// Print the policies for a fleet
    ///
    /// Prints a JSON object. `base` is the policy of the base identity, `account` that of the role in each account, and
    /// `trust` its trust policy. `trust-NAME` is the trust policy of accounts with another external ID: account NAME, and
    /// those that have the same.
    #[command(after_help = example::help(FLEET_EXAMPLES))]
    Fleet(FleetPermissionsArgs),
    /// Print the trust policy of a role that GitHub Actions assumes
    ///
    /// The account must have the identity provider token.actions.githubusercontent.com.
    #[command(after_help = example::help(GITHUB_EXAMPLES))]
    TrustGithub(GithubArgs),
    /// Print the trust policy of a role that GitLab CI/CD assumes
    ///
    /// The account must have an identity provider for the GitLab instance.
    #[command(after_help = example::help(GITLAB_EXAMPLES))]
    TrustGitlab(GitlabArgs),
    /// Print a service control policy that lets only some roles change boundaries
    ///
    /// The policy denies setting, replacing and removing the boundary of existing users and roles to everyone else. It
    /// affects neither the management account nor a boundary that is set when a user or role is created.
    #[command(after_help = example::help(SCP_EXAMPLES))]
    Scp {
        /// Role that can change boundaries, as role/NAME in each account or as an ARN, with the wildcards * and ?; can be
        /// repeated
        #[arg(long, value_name = "ROLE", required = true)]
        except_role: Vec<RolePattern>,
    },
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct WriteArgs {
    /// Allow changes of every user and role of the kinds in the files, so that the policy remains valid when entries are
    /// added
    #[arg(long)]
    any_principal: bool,
    /// Also allow what rolling back a run writes: removing the boundaries of the files, and setting them on users and roles
    /// whose boundary the files remove
    #[arg(long)]
    rollback: bool,
    /// Boundary from before a run that a rollback can restore; implies --rollback; can be repeated
    #[arg(long, value_name = "POLICY")]
    rollback_to: Vec<PolicyRef>,
}

impl WriteArgs {
    /// What is written besides what the files require.
    pub(in crate::cli) fn scope(&self) -> WriteScope {
        WriteScope {
            any_principal: self.any_principal,
            rollback: self.rollback || !self.rollback_to.is_empty(),
            earlier: self.rollback_to.clone(),
            ..WriteScope::default()
        }
    }
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct FleetPermissionsArgs {
    /// Allow only what plan, check and rollback read
    #[arg(long, conflicts_with_all = ["any_principal", "rollback", "rollback_to"])]
    pub(in crate::cli) read_only: bool,
    /// Also allow what plan --blame reads in each account: the events of CloudTrail
    #[arg(long, requires = "read_only")]
    pub(in crate::cli) blame: bool,
    #[command(flatten)]
    pub(in crate::cli) writes: WriteArgs,
    /// Role or user that assumes the roles, or account, as an ARN; can be repeated. Without it, no trust policy is
    /// printed
    #[arg(long, value_name = "ARN")]
    pub(in crate::cli) trusted_by: Vec<TrustedArn>,
    /// Print only the policy with this name: base, account, trust or trust-NAME
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) only: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct GithubArgs {
    /// Repository, as OWNER/NAME or, if its subject claims are immutable, as OWNER@ID/NAME@ID
    #[arg(long, value_name = "REPOSITORY")]
    pub(in crate::cli) repository: GithubRepository,
    /// Trust the jobs that use this environment; can be repeated
    #[arg(long, value_name = "NAME", value_parser = printable, required_unless_present_any = ["branch", "pull_request"])]
    environment: Vec<Printable>,
    /// Trust the jobs for this branch that use no environment; can be repeated
    #[arg(long, value_name = "NAME", value_parser = printable)]
    branch: Vec<Printable>,
    /// Trust the jobs for pull requests that use no environment, whoever opens them: only for a role that reads
    #[arg(long)]
    pull_request: bool,
    /// Audience of the tokens
    #[arg(long, default_value = "sts.amazonaws.com", value_parser = printable)]
    pub(in crate::cli) audience: Printable,
}

impl GithubArgs {
    pub(in crate::cli) fn claims(&self) -> Vec<GithubClaim> {
        let environments = self.environment.iter().cloned().map(GithubClaim::Environment);
        let branches = self.branch.iter().cloned().map(GithubClaim::Branch);
        let pull_requests = self.pull_request.then_some(GithubClaim::PullRequest);
        environments.chain(branches).chain(pull_requests).collect()
    }
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct GitlabArgs {
    /// Project, as GROUP/NAME or GROUP/SUBGROUP/NAME
    #[arg(long)]
    pub(in crate::cli) project: GitlabProject,
    /// Trust the jobs for this branch; can be repeated
    #[arg(long, value_name = "NAME", value_parser = printable, required_unless_present = "tag")]
    branch: Vec<Printable>,
    /// Trust the jobs for this tag; can be repeated
    #[arg(long, value_name = "NAME", value_parser = printable)]
    tag: Vec<Printable>,
    /// Host of the GitLab instance
    #[arg(long, default_value = "gitlab.com")]
    pub(in crate::cli) host: OidcHost,
    /// Audience of the tokens, which the job sets with id_tokens [default: https://HOST]
    #[arg(long, value_parser = printable)]
    pub(in crate::cli) audience: Option<Printable>,
}

impl GitlabArgs {
    pub(in crate::cli) fn claims(&self) -> Vec<GitlabClaim> {
        let branches = self.branch.iter().cloned().map(GitlabClaim::Branch);
        branches.chain(self.tag.iter().cloned().map(GitlabClaim::Tag)).collect()
    }
}
