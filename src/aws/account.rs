use std::collections::{BTreeMap, BTreeSet};

use aws_config::SdkConfig;

use super::call_context::CallContext;
use super::limiter::LimiterOptions;
use super::policy_collector::PolicyCollector;
use super::reader::Reader;
use super::retry_policy::RetryPolicy;
use super::trail::Trail;
use super::waits::Waits;
use super::write::Writer;
use crate::iam::{AccountAlias, PolicyArn, Principal, PrincipalKind, Printable, Rate};
use crate::inventory::{
    AccountPolicies, ApiError, CallCount, CallerIdentity, ClockDifference, EveryPrincipal,
    EveryPrincipalError, Inventory, LastUsed, PolicyState, PolicyTexts, Wait,
};

/// An account whose caller identity is confirmed: it can be read and written to.
#[derive(Debug)]
pub struct Account {
    iam: aws_sdk_iam::Client,
    identity: CallerIdentity,
    reader: Reader,
    context: CallContext,
    /// The settings of the clients of other services.
    config: SdkConfig,
}

impl Account {
    pub(super) fn new(
        iam: aws_sdk_iam::Client,
        identity: CallerIdentity,
        context: CallContext,
        config: SdkConfig,
    ) -> Self {
        let reader = Reader::new(iam.clone(), context.clone());
        Account { iam, identity, reader, context, config }
    }

    /// The caller identity.
    pub fn identity(&self) -> &CallerIdentity {
        &self.identity
    }

    /// Reads with this retry policy instead of [`RetryPolicy::default`].
    pub fn reading_with(mut self, policy: RetryPolicy) -> Account {
        self.reader.policy = policy;
        self
    }

    /// Reads the present boundary of each of the `listed` principals.
    ///
    /// # Errors
    /// If the account cannot be read. A single principal that cannot be read is
    /// [`Reading::Unreadable`](crate::inventory::Reading::Unreadable) in the inventory.
    pub async fn inventory<'a>(
        &self,
        listed: impl IntoIterator<Item = &'a Principal>,
    ) -> Result<Inventory, ApiError> {
        self.reader.inventory(listed).await
    }

    /// Reads the present boundary of each of the `listed` principals by account pages, whatever their number: 5,000
    /// principals need five calls. A principal that is on no page is read by a call of its own.
    ///
    /// # Errors
    /// If the account pages cannot be read. A single principal that cannot be read is
    /// [`Reading::Unreadable`](crate::inventory::Reading::Unreadable) in the inventory.
    pub async fn inventory_by_pages<'a>(
        &self,
        listed: impl IntoIterator<Item = &'a Principal>,
    ) -> Result<Inventory, ApiError> {
        let listed: Vec<&Principal> = listed.into_iter().collect();
        let read = self.reader.by_pages(&listed).await?;
        self.reader.with_missing(&listed, read).await
    }

    /// Reads principals with one `GetUser` or `GetRole` call each. Where account pages and these calls contradict each
    /// other, this is the better source: some emulators of IAM leave boundaries out of the pages.
    ///
    /// # Errors
    /// If the caller may read neither the first user nor the first role, or the credentials are unusable.
    pub async fn inventory_singly<'a>(
        &self,
        listed: impl IntoIterator<Item = &'a Principal>,
    ) -> Result<Inventory, ApiError> {
        self.reader.singly(listed).await
    }

    /// Reads every principal of these `kinds`, and the `listed` ones, which can be of other kinds, too. All that are read
    /// by account pages are read from the same pages.
    ///
    /// 10,000 principals need ten pages and one `GetAccountSummary` call, if no principal was created in the last minutes.
    /// If the caller is not allowed to read pages, the names are listed, and each principal is read by a call of its own.
    /// These calls do not show groups and attached policies.
    ///
    /// # Errors
    /// If the account cannot be read, or has a principal with a name that is not valid. No principal is left out
    /// silently: one whose response cannot be used is [`Reading::Unreadable`](crate::inventory::Reading::Unreadable), and
    /// a role that AWS manages is [`Reading::Unmodifiable`](crate::inventory::Reading::Unmodifiable).
    pub async fn whole_inventory<'a>(
        &self,
        kinds: &BTreeSet<PrincipalKind>,
        listed: impl IntoIterator<Item = &'a Principal>,
    ) -> Result<Inventory, EveryPrincipalError> {
        self.reader.whole_inventory(kinds, listed).await
    }

    /// Reads every principal of these kinds with its boundary, without roles that AWS manages.
    ///
    /// # Errors
    /// If the account or a single principal cannot be read. The result is never incomplete.
    pub async fn every_principal(
        &self,
        kinds: &BTreeSet<PrincipalKind>,
    ) -> Result<EveryPrincipal, EveryPrincipalError> {
        self.whole_inventory(kinds, []).await?.every_principal()
    }

    /// Reads whether each of the policies `arns` exists and can be set as a boundary, with one `GetPolicy` call
    /// each.
    ///
    /// # Errors
    /// If the credentials are unusable. A single policy that cannot be read is [`PolicyState::Unreadable`].
    pub async fn policies<'a>(
        &self,
        arns: impl IntoIterator<Item = &'a PolicyArn>,
    ) -> Result<BTreeMap<PolicyArn, PolicyState>, ApiError> {
        self.reader.policies(arns).await
    }

    /// Collects the policies on the account pages that are read from now on: identity-based policies and the default
    /// versions of managed policies. The pages are then read to the end.
    pub fn collect_policies(&mut self) {
        self.reader.policies = Some(PolicyCollector::default());
    }

    /// The policies on the account pages that were read since [`Account::collect_policies`].
    pub fn collected_policies(&self) -> AccountPolicies {
        self.reader.policies.as_ref().map(PolicyCollector::collected).unwrap_or_default()
    }

    /// Those of the documents on these pages that belong to these policies.
    pub fn collected_documents(&self, arns: &BTreeSet<PolicyArn>) -> PolicyTexts {
        let collector = self.reader.policies.as_ref();
        collector.map(|it| it.documents_of(arns)).unwrap_or_default()
    }

    /// The documents of the default versions of managed policies, with one `GetPolicy` and one `GetPolicyVersion` call
    /// each.
    ///
    /// # Errors
    /// If the credentials are unusable. A single policy that cannot be read is an error in the result.
    pub async fn policy_documents(
        &self,
        arns: &BTreeSet<&PolicyArn>,
    ) -> Result<PolicyTexts, ApiError> {
        self.reader.documents(arns).await
    }

    /// What each of these principals used last, by its ARN: a job and its report, with at least two calls each. The jobs
    /// change nothing in the account.
    ///
    /// # Errors
    /// If the credentials are unusable. A report that cannot be read is an error in the result.
    pub async fn last_used(&self, arns: &[(Principal, Printable)]) -> Result<LastUsed, ApiError> {
        self.reader.last_used(arns).await
    }

    /// The number of principals of this kind in the account, from `GetAccountSummary`. Roles that AWS manages are
    /// counted, too. No call is made if an earlier reading determined the number. Principals created or deleted since
    /// then are not considered.
    ///
    /// # Errors
    /// If the call fails. The caller may not be allowed to make it.
    pub async fn count_of(&self, kind: PrincipalKind) -> Result<usize, ApiError> {
        self.reader.count_of(kind).await
    }

    /// The number of principals of this kind in the account, as [`count_of`](Account::count_of) returns it, if an
    /// earlier reading determined it. No call is made.
    pub fn known_count(&self, kind: PrincipalKind) -> Option<usize> {
        self.reader.count(kind)
    }

    /// The alias of the account, with one `ListAccountAliases` call; `None` if it has none.
    ///
    /// # Errors
    /// If the call fails. The caller may not be allowed to make it.
    pub async fn alias(&self) -> Result<Option<AccountAlias>, ApiError> {
        self.reader.account_alias().await
    }

    /// The events of the account in CloudTrail. No call is made.
    pub fn trail(&self) -> Trail {
        Trail::new(&self.config, self.identity.partition, &self.context)
    }

    /// What the calls of this account have waited for longest, and at least [`Waits::NOTICE_AFTER`].
    pub fn longest_wait(&self) -> Option<Wait> {
        self.context.waits.longest(Waits::NOTICE_AFTER)
    }

    /// The difference between the clock of this machine and that of AWS, if it is so large that AWS would reject a signature
    /// with the time of this machine. No call is made.
    pub fn clock_difference(&self) -> Option<ClockDifference> {
        self.context.clock.difference()
    }

    /// The number of calls made so far for the caller identity and for reading.
    pub fn calls(&self) -> CallCount {
        self.context.counter.calls()
    }

    /// A writer for this account, with at most `max_rate` calls per second; `None` sets no maximum.
    pub fn writer(
        &self,
        options: LimiterOptions,
        max_rate: Option<Rate>,
        policy: RetryPolicy,
    ) -> Writer {
        Writer::new(self.iam.clone(), options, max_rate, policy, &self.context)
    }
}
