use crate::config::Config;
use crate::iam::{
    AccountId, DateOrTime, Partition, Principal, PrincipalKind, PrincipalPattern, Timestamp,
};
use crate::inventory::CallerIdentity;

/// What a plan depends on besides the files and the account's principals.
#[derive(Debug, Clone)]
pub struct PlanContext {
    /// The account.
    pub account: AccountId,
    /// The partition of the account.
    pub partition: Partition,
    /// The time at which entries are expired or not.
    pub now: Timestamp,
    /// The plan names the entries that expire within this number of days.
    pub expiring_within: u32,
    /// The principals to plan for; `None` for all.
    pub only: Option<Vec<PrincipalPattern>>,
}

impl PlanContext {
    /// The number of days in [`PlanContext::expiring_within`] unless it is specified.
    pub const EXPIRING_WITHIN: u32 = 14;

    /// A plan for all principals.
    pub fn new(account: AccountId, partition: Partition, now: Timestamp) -> Self {
        let expiring_within = Self::EXPIRING_WITHIN;
        PlanContext { account, partition, now, expiring_within, only: None }
    }

    /// A plan for all principals of the account of the caller.
    pub fn of(identity: &CallerIdentity, now: Timestamp) -> Self {
        PlanContext::new(identity.account, identity.partition, now)
    }

    /// Whether the plan is for this principal.
    pub fn is_for(&self, principal: &Principal) -> bool {
        let only = self.only.as_ref();
        only.is_none_or(|only| only.iter().any(|pattern| pattern.matches(principal)))
    }

    /// Whether the plan is for a principal of this kind.
    pub fn concerns(&self, kind: PrincipalKind) -> bool {
        let only = self.only.as_ref();
        only.is_none_or(|only| only.iter().any(|pattern| pattern.kind == kind))
    }

    /// Whether the plan is limited to principals of this kind that it names: then each of them is read.
    pub fn names_each(&self, kind: PrincipalKind) -> bool {
        let mut of_kind = self.only.iter().flatten().filter(|pattern| pattern.kind == kind);
        self.only.is_some()
            && self.concerns(kind)
            && of_kind.all(|pattern| pattern.principal().is_some())
    }

    /// The date, or the time if an entry expires at a time of a day; `None` if no entry expires. The same files, account
    /// and date give the same plan.
    pub(super) fn as_of(&self, config: &Config) -> Option<DateOrTime> {
        let mut ends = config.expirations().map(|expiration| expiration.until).peekable();
        ends.peek()?;
        Some(match ends.all(DateOrTime::is_date) {
            true => DateOrTime::date_of(self.now),
            false => DateOrTime::time(self.now),
        })
    }
}
