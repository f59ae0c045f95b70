use super::context::PlanContext;
use crate::config::{ByKind, Config, OnUnlisted};
use crate::iam::{PolicyArn, Principal, PrincipalKind};
use crate::inventory::{Attributes, Inventory};

/// The principals of one kind that no entry and no rule concerns. Roles that AWS manages are not counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlisted {
    /// What the files say about them.
    pub action: OnUnlisted,
    /// Their number.
    pub count: usize,
    /// The number of those without any boundary; `None` if it is not known.
    pub without_boundary: Option<usize>,
    /// The principals, the worst first: those without a boundary and with administrative policies, those without a
    /// boundary, and the others; of these, by name. Empty if the files ignore them.
    pub principals: Vec<UnlistedPrincipal>,
}

/// A principal that no entry and no rule concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnlistedPrincipal {
    /// The principal.
    pub principal: Principal,
    /// Its boundary; `None` if it has none.
    pub boundary: Option<PolicyArn>,
    /// Whether an administrative policy is attached to it.
    pub is_administrator: bool,
}

/// The unlisted principals while a plan is made.
pub(super) struct UnlistedCollector(ByKind<Option<Unlisted>>);

impl UnlistedCollector {
    /// Collects the principals of the kinds of which every principal was read that the plan is for.
    pub(super) fn new(config: &Config, live: &Inventory, context: &PlanContext) -> Self {
        let none = |kind| {
            let action = config.unlisted.of(kind).as_ref().map(|action| action.value);
            (live.is_whole(kind) || context.names_each(kind)).then(|| Unlisted {
                action: action.unwrap_or(OnUnlisted::Ignore),
                count: 0,
                without_boundary: Some(0),
                principals: Vec::new(),
            })
        };
        UnlistedCollector(ByKind {
            users: none(PrincipalKind::User),
            roles: none(PrincipalKind::Role),
        })
    }

    /// Adds a principal that no entry and no rule concerns, and that can be changed.
    pub(super) fn add(
        &mut self,
        principal: &Principal,
        boundary: Option<&PolicyArn>,
        attributes: Option<&Attributes>,
    ) {
        let Some(unlisted) = self.0.of_mut(principal.kind) else { return };
        unlisted.count += 1;
        if let (None, Some(without)) = (boundary, &mut unlisted.without_boundary) {
            *without += 1;
        }
        if unlisted.action != OnUnlisted::Ignore {
            unlisted.principals.push(UnlistedPrincipal {
                principal: principal.clone(),
                boundary: boundary.cloned(),
                is_administrator: attributes.and_then(|it| it.is_administrator) == Some(true),
            });
        }
    }

    /// The principals, the worst first.
    pub(super) fn finish(mut self) -> ByKind<Option<Unlisted>> {
        for kind in PrincipalKind::ALL {
            if let Some(unlisted) = self.0.of_mut(kind) {
                // The sort is stable: they were added by name.
                unlisted.principals.sort_by_key(|it| (it.boundary.is_some(), !it.is_administrator));
            }
        }
        self.0
    }
}

impl Unlisted {
    /// Whether the principals make the plan incomplete.
    pub fn is_error(&self) -> bool {
        self.action == OnUnlisted::Error && self.count > 0
    }
}
