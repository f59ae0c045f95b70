use super::context::PlanContext;
use super::decision::Decision;
use crate::config::{ByKind, Config, OnUnlisted};
use crate::iam::{PolicyArn, Principal, PrincipalKind};
use crate::inventory::{Inventory, Reading};

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

impl Unlisted {
    /// The unlisted principals of each kind; `None` for a kind of which not every principal was read.
    pub(super) fn of(
        config: &Config,
        live: &Inventory,
        context: &PlanContext,
    ) -> ByKind<Option<Unlisted>> {
        let of = |kind| live.is_whole(kind).then(|| Unlisted::of_kind(kind, config, live, context));
        ByKind { users: of(PrincipalKind::User), roles: of(PrincipalKind::Role) }
    }

    fn of_kind(
        kind: PrincipalKind,
        config: &Config,
        live: &Inventory,
        context: &PlanContext,
    ) -> Unlisted {
        let action = config.unlisted.of(kind).as_ref().map_or(OnUnlisted::Ignore, |it| it.value);
        let mut principals = Vec::new();
        let readings = live.iter().filter(|(principal, _)| principal.kind == kind);
        for (principal, reading) in readings.filter(|(principal, _)| context.is_for(principal)) {
            let Reading::Found { boundary, .. } = reading else { continue };
            let attributes = live.attributes(principal);
            if matches!(Decision::of(config, principal, attributes), Decision::Unlisted) {
                principals.push(UnlistedPrincipal {
                    principal: principal.clone(),
                    boundary: boundary.clone(),
                    is_administrator: attributes.and_then(|it| it.is_administrator) == Some(true),
                });
            }
        }
        principals.sort_by_key(|it| (it.boundary.is_some(), !it.is_administrator));
        let (count, without_boundary) =
            (principals.len(), principals.iter().filter(|it| it.boundary.is_none()).count());
        if action == OnUnlisted::Ignore {
            principals.clear();
        }
        Unlisted { action, count, without_boundary: Some(without_boundary), principals }
    }

    /// Whether the principals make the plan incomplete.
    pub fn is_error(&self) -> bool {
        self.action == OnUnlisted::Error && self.count > 0
    }
}
