//! What the changes of a saved plan give and take. It is outside the digest: it does not decide what is applied.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::principal::PrincipalDocument;
use crate::iam::{Principal, PrincipalKind, PrincipalName, Printable, not_null};
use crate::impact::Summary;
use crate::plan::content::Plan;
use crate::plan::impact::{Effect, PlanImpact};
use crate::plan::used::{UsedPermission, UsedPermissions};

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct ImpactDocument {
    /// The date of the catalog of actions.
    #[schemars(with = "String")]
    catalog_date: Printable,
    /// The different effects, the most important first. Each principal that the plan changes has one.
    effects: Vec<EffectDocument>,
    /// What principals used of that which is taken; missing if it was not read.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    #[schemars(with = "UsedDocument")]
    used: Option<UsedDocument>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct UsedDocument {
    /// The number of days for which a use counts.
    days: u32,
    /// The permissions that principals used and the plan takes or limits, those first that were used last.
    taken: Vec<UsedPermission>,
    /// The principals of which it is not known what they used.
    unknown: Vec<UnknownDocument>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct UnknownDocument {
    /// What the principal is.
    kind: PrincipalKind,
    /// The name of the principal.
    name: PrincipalName,
    /// Why it is not known.
    #[schemars(with = "String")]
    why: Printable,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct EffectDocument {
    /// The principals, sorted.
    #[schemars(length(min = 1))]
    principals: Vec<PrincipalDocument>,
    #[serde(flatten)]
    result: ResultDocument,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum ResultDocument {
    /// What the changes give and take.
    Summary(Summary),
    /// Why this is not known.
    Unknown(#[schemars(with = "String")] Printable),
}

impl ImpactDocument {
    pub(super) fn of(impact: &PlanImpact) -> Self {
        let effect = |Effect { principals, result }: &Effect| EffectDocument {
            principals: principals.iter().map(Into::into).collect(),
            result: match result {
                Ok(summary) => ResultDocument::Summary(summary.clone()),
                Err(why) => ResultDocument::Unknown(why.clone()),
            },
        };
        ImpactDocument {
            catalog_date: impact.catalog_date.as_str().into(),
            effects: impact.effects.iter().map(effect).collect(),
            used: impact.used.as_ref().map(UsedDocument::of),
        }
    }

    /// The impact of `plan`.
    ///
    /// # Errors
    /// If it is not about exactly the principals that the plan changes.
    pub(super) fn into_impact(self, plan: &Plan) -> Result<PlanImpact, String> {
        let effect = |EffectDocument { principals, result }: EffectDocument| Effect {
            principals: principals
                .into_iter()
                .map(|PrincipalDocument { kind, name }| Principal { kind, name })
                .collect(),
            result: match result {
                ResultDocument::Summary(summary) => Ok(summary),
                ResultDocument::Unknown(why) => Err(why),
            },
        };
        let effects: Vec<Effect> = self.effects.into_iter().map(effect).collect();
        let count: usize = effects.iter().map(|it| it.principals.len()).sum();
        let principals: BTreeSet<_> = effects.iter().flat_map(|it| &it.principals).collect();
        let changed: BTreeSet<_> = plan.changes.iter().map(|it| &it.principal).collect();
        match count == changed.len() && principals == changed {
            true => {
                let used = self.used.map(UsedDocument::into_used);
                Ok(PlanImpact { catalog_date: self.catalog_date.to_string(), effects, used })
            }
            false => Err("its impact is not about the principals that it changes".to_owned()),
        }
    }
}

impl UsedDocument {
    fn of(used: &UsedPermissions) -> Self {
        let unknown = |(principal, why): &(Principal, Printable)| UnknownDocument {
            kind: principal.kind,
            name: principal.name.clone(),
            why: why.clone(),
        };
        UsedDocument {
            days: used.days,
            taken: used.taken.clone(),
            unknown: used.unknown.iter().map(unknown).collect(),
        }
    }

    fn into_used(self) -> UsedPermissions {
        let UsedDocument { days, taken, unknown } = self;
        let unknown = unknown
            .into_iter()
            .map(|UnknownDocument { kind, name, why }| (Principal { kind, name }, why));
        UsedPermissions { days, taken, unknown: unknown.collect() }
    }
}
