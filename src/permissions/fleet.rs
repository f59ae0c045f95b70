//! The policies for a fleet.

use std::collections::{BTreeMap, BTreeSet};

use super::account::{Purpose, WriteScope, account_policy};
use super::breadth::{Breadth, Fitted, TooLong, fitted};
use super::document::{PolicyDocument, Statement};
use super::place::{Place, literal};
use super::trust::{TrustedArn, role_trust};
use crate::config::{AccountCredentials, Config, Fleet, FleetConfigs};
use crate::iam::{AccountName, AssumeRole, ExternalId, Partition, RoleRef, UnitId};

/// What the policies for a fleet allow.
#[derive(Debug, Clone, Default)]
pub struct FleetScope {
    /// What `apply` may write; `None` if the fleet is only read.
    pub writes: Option<WriteScope>,
    /// Whether the roles of a fleet that is only read can look up who changed boundaries.
    pub blame: bool,
    /// Who can assume the roles; empty for no trust policies.
    pub trusted: Vec<TrustedArn>,
}

/// The policies for a fleet.
#[derive(Debug, Clone)]
pub struct FleetPolicies {
    /// The policies by name. `base` is for the base identity, `account` for what reads and changes each account, `trust` for
    /// the role in each account, and `trust-NAME` for the role in account NAME and all others with its external ID.
    pub policies: BTreeMap<String, Fitted>,
    /// The accounts that no role is assumed for. Their credentials need the policy `account`.
    pub without_role: Vec<AccountName>,
}

/// The policies for all accounts of a fleet.
///
/// # Errors
/// If a policy is too long.
pub fn fleet_policies(
    fleet: &Fleet,
    configs: &FleetConfigs,
    partition: Partition,
    scope: &FleetScope,
) -> Result<FleetPolicies, TooLong> {
    let roles = Roles { fleet, partition };
    let mut policies = BTreeMap::new();
    let base =
        fitted("policy of the base identity", Breadth::Exact, |breadth| roles.base(breadth))?;
    if !base.document.is_empty() {
        policies.insert("base".to_owned(), base);
    }
    let account = match (&*fleet.accounts, &fleet.organization) {
        ([one], None) => Some(one.id),
        _ => None,
    };
    let files: Vec<&Config> = configs.distinct.iter().map(|config| &**config).collect();
    let purpose = match &scope.writes {
        None => Purpose::Plan { blame: scope.blame },
        Some(writes) => {
            let own_roles = roles.each().map(|role| role.role.clone()).collect();
            Purpose::Apply(WriteScope { own_roles, ..writes.clone() })
        }
    };
    let in_account = account_policy(&files, Place { partition, account }, true, &purpose)?;
    if !in_account.document.is_empty() {
        policies.insert("account".to_owned(), in_account);
    }
    if !scope.trusted.is_empty() {
        for (name, external_id) in roles.external_ids() {
            let document = role_trust(&scope.trusted, external_id)?;
            policies.insert(name, Fitted { document, broadened: Vec::new() });
        }
    }
    let without_role = fleet.accounts.iter().filter(|it| role(&it.settings.credentials).is_none());
    Ok(FleetPolicies { policies, without_role: without_role.map(|it| it.name.clone()).collect() })
}

impl FleetPolicies {
    /// An object with each policy by its name, as indented JSON.
    pub fn to_json(&self) -> String {
        let documents: BTreeMap<&str, &PolicyDocument> =
            self.policies.iter().map(|(name, it)| (name.as_str(), &it.document)).collect();
        serde_json::to_string_pretty(&documents).expect("policies are JSON")
    }
}

/// The roles in the accounts of a fleet.
struct Roles<'f> {
    fleet: &'f Fleet,
    partition: Partition,
}

impl<'f> Roles<'f> {
    /// The role of the accounts of the organization; `None` without `[organization]`.
    fn of_organization(&self) -> Option<&'f AssumeRole> {
        self.fleet.organization.as_ref().and_then(|_| role(&self.fleet.default.credentials))
    }

    fn each(&self) -> impl Iterator<Item = &'f AssumeRole> {
        let listed = self.fleet.accounts.iter().filter_map(|it| role(&it.settings.credentials));
        self.of_organization().into_iter().chain(listed)
    }

    fn base(&self, breadth: Breadth) -> PolicyDocument {
        let mut statements = Vec::new();
        let roles = self.patterns(breadth);
        if !roles.is_empty() {
            statements.push(Statement::allow("AssumeRoles", &["sts:AssumeRole"]).on(roles));
        }
        if let Some(organization) = &self.fleet.organization {
            let units = organization.units.iter().flat_map(|unit| self.at_or_below(unit));
            let units: BTreeSet<String> = units.collect();
            let of_unit = [
                "organizations:ListAccountsForParent",
                "organizations:ListOrganizationalUnitsForParent",
            ];
            statements
                .push(Statement::allow("ListAccounts", &["organizations:ListAccounts"]).on(["*"]));
            statements.push(Statement::allow("ListUnits", &of_unit).on(units));
        }
        PolicyDocument::new(statements)
    }

    /// The ARNs of the roles. The accounts of the organization are not known.
    fn patterns(&self, breadth: Breadth) -> BTreeSet<String> {
        let any_account = Place { partition: self.partition, account: None };
        let in_any = |role: &RoleRef| match role {
            RoleRef::Arn(arn) => literal(arn.as_str()),
            RoleRef::Relative(relative) => any_account.arn(&literal(relative)),
        };
        let mut patterns: BTreeSet<String> =
            self.of_organization().map(|it| in_any(&it.role)).into_iter().collect();
        for account in &self.fleet.accounts {
            let Some(AssumeRole { role, .. }) = role(&account.settings.credentials) else {
                continue;
            };
            let pattern = in_any(role);
            if breadth >= Breadth::Accounts || patterns.contains(&pattern) {
                patterns.insert(pattern);
            } else {
                patterns.insert(literal(role.in_account(account.id, self.partition).as_str()));
            }
        }
        patterns
    }

    /// The ARNs of a unit and of all units below it, which a fleet file does not name. The IDs of all units contain the ID
    /// of their root
    /// ([OrganizationalUnit](https://docs.aws.amazon.com/organizations/latest/APIReference/API_OrganizationalUnit.html)).
    fn at_or_below(&self, unit: &UnitId) -> Vec<String> {
        let start = format!("arn:{}:organizations::*:", self.partition);
        let mut parts = unit.as_str().split('-');
        let (of_type, root) = (parts.next(), parts.next().unwrap_or_default());
        let below = format!("{start}ou/o-*/ou-{root}-*");
        match of_type {
            Some("r") => vec![format!("{start}root/o-*/{}", unit.as_str()), below],
            _ => vec![below],
        }
    }

    /// The names of the trust policies, each with its external ID.
    fn external_ids(&self) -> Vec<(String, Option<&'f ExternalId>)> {
        let mut known: Vec<(String, Option<&ExternalId>)> = Vec::new();
        let of_accounts = self.fleet.accounts.iter().filter_map(|account| {
            Some((account.name.as_str(), role(&account.settings.credentials)?))
        });
        let of_default = role(&self.fleet.default.credentials).map(|role| ("", role));
        let is_used = self.fleet.organization.is_some()
            || of_accounts.clone().any(|(_, it)| {
                of_default.is_some_and(|(_, role)| role.external_id == it.external_id)
            });
        for (name, role) in of_default.filter(|_| is_used).into_iter().chain(of_accounts) {
            let id = role.external_id.as_ref();
            if !known.iter().any(|(_, it)| *it == id) {
                let name = match known.is_empty() {
                    true => "trust".to_owned(),
                    false => format!("trust-{name}"),
                };
                known.push((name, id));
            }
        }
        known
    }
}

/// The role that is assumed with these credentials; `None` if none is.
fn role(credentials: &AccountCredentials) -> Option<&AssumeRole> {
    match credentials {
        AccountCredentials::Role(role) => Some(role),
        AccountCredentials::Base | AccountCredentials::Profile(_) => None,
    }
}
