//! The policies of the identity that reads and changes an account.

use std::collections::BTreeSet;

use super::boundaries::{condition, pinned, settable};
use super::breadth::{Breadth, Fitted, TooLong, fitted};
use super::document::{PolicyDocument, Statement};
use super::place::{Place, literal};
use super::principals::{Principals, arns};
use crate::config::{Config, WideningGuard};
use crate::iam::{PolicyRef, PrincipalKind, RoleRef};

/// The condition key of the boundary that a request sets, or that the principal of a request has.
const BOUNDARY: &str = "iam:PermissionsBoundary";
const GENERATE: &str = "iam:GenerateServiceLastAccessedDetails";
const GET_REPORT: &str = "iam:GetServiceLastAccessedDetails";
const POLICIES: [&str; 2] = ["iam:GetPolicy", "iam:GetPolicyVersion"];

/// What a policy is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// `plan`: reading what the files need.
    Plan {
        /// Also what `--blame` reads.
        blame: bool,
    },
    /// `apply`: as `plan`, and writing what the files can require.
    Apply(WriteScope),
    /// Only what `plan --impact` reads beyond `plan`.
    Impact {
        /// Also what `--last-used` reads.
        last_used: bool,
    },
}

/// What `apply` may write besides what the files require.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteScope {
    /// Users and roles that are not in the files can get the boundaries of the files, too.
    pub any_principal: bool,
    /// A plan of `rollback` can be applied, as far as the boundaries from before the run are known.
    pub rollback: bool,
    /// The boundaries from before a run, besides those of the files.
    pub earlier: Vec<PolicyRef>,
    /// The roles that apply the files, as far as they are known. They must not change their own boundaries.
    pub own_roles: BTreeSet<RoleRef>,
}

/// The policy for all these files, of one account or, with `is_of_fleet`, of the accounts of a fleet.
///
/// # Errors
/// If it is too long.
pub fn account_policy(
    configs: &[&Config],
    place: Place,
    is_of_fleet: bool,
    purpose: &Purpose,
) -> Result<Fitted, TooLong> {
    let least = match purpose {
        Purpose::Apply(writes) if writes.any_principal => Breadth::Principals,
        _ => Breadth::Exact,
    };
    fitted("policy", least, |breadth| {
        let account = AccountFiles { configs, place, is_of_fleet, breadth };
        PolicyDocument::new(match purpose {
            Purpose::Plan { blame } => {
                let mut statements = account.reads(&[]);
                statements.extend(blame.then(|| account.blame()).flatten());
                statements
            }
            Purpose::Apply(writes) => {
                let mut statements = account.reads(&writes.earlier);
                statements.extend(
                    PrincipalKind::ALL.into_iter().flat_map(|kind| account.writes(kind, writes)),
                );
                statements
            }
            Purpose::Impact { last_used } => account.impact(*last_used),
        })
    })
}

struct AccountFiles<'c> {
    configs: &'c [&'c Config],
    place: Place,
    is_of_fleet: bool,
    breadth: Breadth,
}

impl AccountFiles<'_> {
    fn reads(&self, earlier: &[PolicyRef]) -> Vec<Statement> {
        let kinds: Vec<PrincipalKind> =
            PrincipalKind::ALL.into_iter().filter(|&kind| self.concerns(kind)).collect();
        let takes_used = self.configs.iter().any(|it| it.guard.taking_used.is_some());
        let mut whole_account = Vec::new();
        if !kinds.is_empty() {
            whole_account.extend(["iam:GetAccountAuthorizationDetails", "iam:GetAccountSummary"]);
        }
        // A fleet names its accounts, so their aliases are not read.
        if !self.is_of_fleet && self.configs.iter().any(|config| !config.names_account()) {
            whole_account.push("iam:ListAccountAliases");
        }
        if takes_used {
            whole_account.push(GET_REPORT);
        }
        let mut statements = Vec::new();
        if !whole_account.is_empty() {
            statements.push(Statement::allow("ReadAccount", &whole_account).on(["*"]));
        }
        if !kinds.is_empty() {
            let actions: Vec<&str> = kinds.iter().map(|&kind| get(kind)).collect();
            let resources = kinds.iter().map(|kind| self.place.arn(&format!("{}/*", kind.noun())));
            statements.push(Statement::allow("ReadUsersAndRoles", &actions).on(resources));
        }
        let policies = self.read_policies(earlier);
        if !policies.is_empty() {
            statements.push(Statement::allow("ReadPolicies", &POLICIES).on(policies));
        }
        statements.extend(takes_used.then(|| self.last_used()).flatten());
        statements
    }

    /// The policies whose state and content a plan of the files depends on.
    fn read_policies(&self, earlier: &[PolicyRef]) -> BTreeSet<String> {
        // The boundaries that principals have now can be any policies.
        let compares_present = |config: &&Config| {
            config.guard.widening != WideningGuard::Allow || config.guard.taking_used.is_some()
        };
        if self.configs.iter().any(compares_present) {
            return self.place.every_policy().into();
        }
        let mut policies = pinned(self.configs);
        policies
            .extend(PrincipalKind::ALL.into_iter().flat_map(|kind| settable(self.configs, kind)));
        policies.extend(earlier.iter().cloned());
        let pattern = |policy: &PolicyRef| match self.breadth >= Breadth::ReadPolicies {
            true => self.place.every_policy_like(policy),
            false => self.place.policy(policy),
        };
        policies.iter().map(pattern).collect()
    }

    fn impact(&self, last_used: bool) -> Vec<Statement> {
        let read = Statement::allow("ReadPolicies", &POLICIES).on(self.place.every_policy());
        let mut statements = vec![read];
        if last_used {
            statements.extend(self.last_used());
            statements.push(Statement::allow("ReadLastUsedReports", &[GET_REPORT]).on(["*"]));
        }
        statements
    }

    /// Looking up events, which cannot be limited to some of them
    /// ([CloudTrail](https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudtrail.html)); `None` if
    /// there is nothing to plan.
    fn blame(&self) -> Option<Statement> {
        let has_any = PrincipalKind::ALL.into_iter().any(|kind| self.concerns(kind));
        has_any.then(|| Statement::allow("LookUpEvents", &["cloudtrail:LookupEvents"]).on(["*"]))
    }

    /// Generating the reports of those whose boundary the files can change; `None` if there are none.
    fn last_used(&self) -> Option<Statement> {
        let changed: Vec<String> = PrincipalKind::ALL
            .into_iter()
            .flat_map(|kind| arns(self.place, &self.principals(kind).changed()))
            .collect();
        (!changed.is_empty())
            .then(|| Statement::allow("GenerateLastUsedReports", &[GENERATE]).on(changed))
    }

    fn writes(&self, kind: PrincipalKind, writes: &WriteScope) -> Vec<Statement> {
        let names = Writes::of(kind);
        let principals = self.principals(kind);
        let own = settable(self.configs, kind);
        let arns = |resources: &BTreeSet<String>| arns(self.place, resources);
        let any_boundary = self.breadth >= Breadth::Boundaries;
        let mut statements = Vec::new();
        let (mut set, mut boundaries) = (principals.set.clone(), own.clone());
        if writes.rollback {
            // Restores also what the run removed.
            set = principals.changed();
            boundaries.extend(writes.earlier.iter().cloned());
        }
        let puts = !set.is_empty() && !boundaries.is_empty();
        if puts {
            let (operator, values) = condition(self.place, &boundaries, any_boundary);
            let put = Statement::allow(names.set_sid, &[names.put]).on(arns(&set));
            statements.push(put.when(operator, BOUNDARY, values));
        }
        if !principals.removed.is_empty() {
            let removed = arns(&principals.removed);
            statements.push(Statement::allow(names.remove_sid, &[names.delete]).on(removed));
        }
        let rolls_back = writes.rollback && !principals.set.is_empty();
        if rolls_back {
            let (operator, values) = condition(self.place, &own, any_boundary);
            let delete = Statement::allow(names.roll_back_sid, &[names.delete]);
            statements.push(delete.on(arns(&principals.set)).when(operator, BOUNDARY, values));
        }
        let mut protected = principals.protected;
        if kind == PrincipalKind::Role && !self.configs.iter().any(|it| it.guard.allow_own_boundary)
        {
            protected.extend(writes.own_roles.iter().map(role_resource));
        }
        let mut written = Vec::new();
        written.extend(puts.then_some(names.put));
        written.extend((rolls_back || !principals.removed.is_empty()).then_some(names.delete));
        if !written.is_empty() && !protected.is_empty() {
            statements.push(Statement::deny(names.protect_sid, &written).on(arns(&protected)));
        }
        statements
    }

    fn principals(&self, kind: PrincipalKind) -> Principals {
        Principals::of(self.configs, kind, self.breadth >= Breadth::Principals)
    }

    /// Whether a plan reads principals of this kind.
    fn concerns(&self, kind: PrincipalKind) -> bool {
        let concerns =
            |config: &&Config| !config.entries_of(kind).is_empty() || config.concerns_every(kind);
        self.configs.iter().any(concerns)
    }
}

/// The action that reads a principal of this kind.
fn get(kind: PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::User => "iam:GetUser",
        PrincipalKind::Role => "iam:GetRole",
    }
}

/// The last part of the ARN of a role.
fn role_resource(role: &RoleRef) -> String {
    let text = role.to_string();
    // A path can contain colons.
    literal(text.splitn(6, ':').last().unwrap_or_default())
}

/// The actions that write boundaries of principals of a kind, and the names of the statements about them.
struct Writes {
    put: &'static str,
    delete: &'static str,
    set_sid: &'static str,
    remove_sid: &'static str,
    roll_back_sid: &'static str,
    protect_sid: &'static str,
}

impl Writes {
    fn of(kind: PrincipalKind) -> Writes {
        match kind {
            PrincipalKind::User => Writes {
                put: "iam:PutUserPermissionsBoundary",
                delete: "iam:DeleteUserPermissionsBoundary",
                set_sid: "SetBoundariesOfUsers",
                remove_sid: "RemoveBoundariesOfUsers",
                roll_back_sid: "RollBackBoundariesOfUsers",
                protect_sid: "ProtectUsers",
            },
            PrincipalKind::Role => Writes {
                put: "iam:PutRolePermissionsBoundary",
                delete: "iam:DeleteRolePermissionsBoundary",
                set_sid: "SetBoundariesOfRoles",
                remove_sid: "RemoveBoundariesOfRoles",
                roll_back_sid: "RollBackBoundariesOfRoles",
                protect_sid: "ProtectRoles",
            },
        }
    }
}
