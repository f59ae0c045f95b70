//! What a saved plan says about expiring entries, unlisted principals and the limits of the plan. Each part is missing if
//! it says nothing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::ProvenanceDocument;
use crate::config::{ByKind, OnUnlisted, Position, ProvenanceKind};
use crate::iam::{
    DateOrTime, PolicyArn, Principal, PrincipalCounts, PrincipalKind, PrincipalName,
    PrincipalPattern, Printable, not_empty, not_null, present,
};
use crate::plan::change::{Expiring, Severity};
use crate::plan::content::{Only, Plan};
use crate::plan::unlisted::{Unlisted, UnlistedPrincipal};
use crate::plan::warning::Warning;

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(super) struct CoverageDocument {
    /// The date or time at which entries are expired or not; missing if no entry expires.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    #[schemars(with = "DateOrTime")]
    as_of: Option<DateOrTime>,
    /// The entries that expire soon, sorted by principal; missing if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "not_empty")]
    #[schemars(length(min = 1))]
    expiring: Vec<ExpiringDocument>,
    /// The users without an entry and a matching rule; missing if not every user was read.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    #[schemars(with = "UnlistedDocument")]
    unlisted_users: Option<UnlistedDocument>,
    /// The roles without an entry and a matching rule, except those that AWS manages; missing if not every role was read.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    #[schemars(with = "UnlistedDocument")]
    unlisted_roles: Option<UnlistedDocument>,
    /// What is probably not intended in the files; missing if there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "not_empty")]
    #[schemars(length(min = 1))]
    warnings: Vec<WarningDocument>,
    /// The principals that the plan is limited to; missing if it is for all.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    #[schemars(with = "OnlyDocument")]
    only: Option<OnlyDocument>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct ExpiringDocument {
    /// The kind of the principal.
    kind: PrincipalKind,
    /// The name of the principal.
    name: PrincipalName,
    /// When the entry expires.
    until: DateOrTime,
    /// What applies from then on.
    then: ThenDocument,
    /// The position of the entry.
    provenance: ProvenanceDocument,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(inline)]
enum ThenDocument {
    /// The principal must have this boundary.
    Boundary {
        /// The ARN; null for none.
        #[serde(deserialize_with = "present")]
        arn: Option<PolicyArn>,
    },
    /// The file does not specify it: the principal can no longer be planned.
    Problem,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct UnlistedDocument {
    /// What the files specify about them.
    action: ActionDocument,
    /// Their number.
    count: usize,
    /// The number of those without a boundary; null if it is not known.
    #[serde(deserialize_with = "present")]
    without_boundary: Option<usize>,
    /// The principals: first those without a boundary and with administrative policies, then those without a boundary.
    /// Empty if the action is ignore.
    principals: Vec<UnlistedPrincipalDocument>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum ActionDocument {
    /// Only their number is reported.
    Ignore,
    /// They are reported as a warning.
    Warn,
    /// They make the plan incomplete.
    Error,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct UnlistedPrincipalDocument {
    /// The name of the principal.
    name: PrincipalName,
    /// The boundary; null for none.
    #[serde(deserialize_with = "present")]
    boundary: Option<PolicyArn>,
    /// Whether AdministratorAccess or IAMFullAccess is attached to it.
    administrator: bool,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct WarningDocument {
    /// The path of the file as specified on the command line.
    #[schemars(with = "String")]
    file: Printable,
    /// The line, from 1.
    #[schemars(range(min = 1))]
    line: usize,
    /// The column, from 1, in characters.
    #[schemars(range(min = 1))]
    column: usize,
    /// The statement.
    #[schemars(with = "String")]
    message: Printable,
    /// The instruction; null if there is none.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<String>")]
    help: Option<Printable>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct OnlyDocument {
    /// The patterns of the principals.
    #[schemars(length(min = 1))]
    patterns: Vec<PrincipalPattern>,
    /// The number of other users that an entry names or a rule matches, as far as they were read.
    other_users: usize,
    /// The number of other roles that an entry names or a rule matches, as far as they were read.
    other_roles: usize,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(super) enum SeverityDocument {
    /// The file considers it a warning.
    Warning,
}

impl SeverityDocument {
    pub(super) fn of(severity: Severity) -> Option<Self> {
        match severity {
            Severity::Warning => Some(SeverityDocument::Warning),
            Severity::Error => None,
        }
    }

    pub(super) fn into_severity(self) -> Severity {
        match self {
            SeverityDocument::Warning => Severity::Warning,
        }
    }
}

impl CoverageDocument {
    pub(super) fn of(plan: &Plan) -> Self {
        let unlisted = |kind| plan.unlisted.of(kind).as_ref().map(UnlistedDocument::of);
        CoverageDocument {
            as_of: plan.as_of,
            expiring: plan.expiring.iter().map(ExpiringDocument::of).collect(),
            unlisted_users: unlisted(PrincipalKind::User),
            unlisted_roles: unlisted(PrincipalKind::Role),
            warnings: plan.warnings.iter().map(WarningDocument::of).collect(),
            only: plan.only.as_ref().map(|only| OnlyDocument {
                patterns: only.patterns.clone(),
                other_users: only.others.users,
                other_roles: only.others.roles,
            }),
        }
    }

    /// Adds these parts to `plan`.
    ///
    /// # Errors
    /// Says what is not consistent.
    pub(super) fn into_plan(self, plan: &mut Plan) -> Result<(), String> {
        let CoverageDocument { as_of, expiring, unlisted_users, unlisted_roles, warnings, only } =
            self;
        let has_expired = plan.changes.iter().any(|change| change.expired.is_some());
        if as_of.is_none() && (has_expired || !expiring.is_empty()) {
            return Err("it has entries that expire, and no date".to_owned());
        }
        let unlisted = |kind, document: Option<UnlistedDocument>| {
            document.map(|document| document.into_unlisted(kind)).transpose()
        };
        plan.as_of = as_of;
        plan.expiring =
            expiring.into_iter().map(ExpiringDocument::into_expiring).collect::<Result<_, _>>()?;
        plan.unlisted = ByKind {
            users: unlisted(PrincipalKind::User, unlisted_users)?,
            roles: unlisted(PrincipalKind::Role, unlisted_roles)?,
        };
        plan.warnings =
            warnings.into_iter().map(WarningDocument::into_warning).collect::<Result<_, _>>()?;
        plan.only = match only {
            Some(only) if only.patterns.is_empty() => {
                return Err("it is limited to no one".to_owned());
            }
            Some(OnlyDocument { patterns, other_users, other_roles }) => {
                let others = PrincipalCounts { users: other_users, roles: other_roles };
                Some(Only { patterns, others })
            }
            None => None,
        };
        Ok(())
    }
}

impl ExpiringDocument {
    fn of(expiring: &Expiring) -> Self {
        let Expiring { principal, until, then, provenance } = expiring;
        ExpiringDocument {
            kind: principal.kind,
            name: principal.name.clone(),
            until: *until,
            then: match then {
                Some(arn) => ThenDocument::Boundary { arn: arn.clone() },
                None => ThenDocument::Problem,
            },
            provenance: ProvenanceDocument::of(provenance),
        }
    }

    fn into_expiring(self) -> Result<Expiring, String> {
        let principal = Principal { kind: self.kind, name: self.name };
        let mut shared = Printable::new("");
        let provenance = self.provenance.into_provenance(&mut shared);
        if provenance.kind != ProvenanceKind::Entry || provenance.line == 0 {
            return Err(format!("the end of the entry of {principal} has no position"));
        }
        let then = match self.then {
            ThenDocument::Boundary { arn } => Some(arn),
            ThenDocument::Problem => None,
        };
        Ok(Expiring { principal, until: self.until, then, provenance })
    }
}

impl UnlistedDocument {
    fn of(unlisted: &Unlisted) -> Self {
        let principal = |it: &UnlistedPrincipal| UnlistedPrincipalDocument {
            name: it.principal.name.clone(),
            boundary: it.boundary.clone(),
            administrator: it.is_administrator,
        };
        UnlistedDocument {
            action: match unlisted.action {
                OnUnlisted::Ignore => ActionDocument::Ignore,
                OnUnlisted::Warn => ActionDocument::Warn,
                OnUnlisted::Error => ActionDocument::Error,
            },
            count: unlisted.count,
            without_boundary: unlisted.without_boundary,
            principals: unlisted.principals.iter().map(principal).collect(),
        }
    }

    fn into_unlisted(self, kind: PrincipalKind) -> Result<Unlisted, String> {
        let action = match self.action {
            ActionDocument::Ignore => OnUnlisted::Ignore,
            ActionDocument::Warn => OnUnlisted::Warn,
            ActionDocument::Error => OnUnlisted::Error,
        };
        let principal = |it: UnlistedPrincipalDocument| UnlistedPrincipal {
            principal: Principal { kind, name: it.name },
            boundary: it.boundary,
            is_administrator: it.administrator,
        };
        let principals: Vec<_> = self.principals.into_iter().map(principal).collect();
        let without = principals.iter().filter(|it| it.boundary.is_none()).count();
        let is_complete = principals.len() == self.count && self.without_boundary == Some(without);
        if !(is_complete || action == OnUnlisted::Ignore && principals.is_empty()) {
            return Err(format!("its number of unlisted {} is not right", kind.plural()));
        }
        let (count, without_boundary) = (self.count, self.without_boundary);
        Ok(Unlisted { action, count, without_boundary, principals })
    }
}

impl WarningDocument {
    fn of(warning: &Warning) -> Self {
        let Warning { position: Position { file, line, column }, message, help } = warning.clone();
        WarningDocument { file, line, column, message, help }
    }

    fn into_warning(self) -> Result<Warning, String> {
        let WarningDocument { file, line, column, message, help } = self;
        if line == 0 || column == 0 || file.is_empty() {
            return Err("a warning has no position".to_owned());
        }
        Ok(Warning { position: Position { file, line, column }, message, help })
    }
}
