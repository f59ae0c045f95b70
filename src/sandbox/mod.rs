//! A local server that implements the parts of IAM, STS, AWS Organizations and CloudTrail that the tool uses, for trials,
//! tests and benchmarks without an AWS account. It listens only on the loopback interface.
//!
//! The sandbox does not verify signatures. The credentials of `AssumeRole` select the account of the role. An access key
//! ID of 12 digits selects the account with that ID. Any other access key ID selects [`ACCOUNT`].

mod account;
mod account_details;
mod account_ids;
mod action;
mod attributes;
mod calls;
mod chaos;
mod checks;
mod cloudtrail;
mod content;
mod document;
mod documents;
mod entities;
mod error;
mod fault;
mod generated;
mod groups;
mod iam;
mod identity_policies;
mod injector;
mod jobs;
mod last_accessed;
mod last_used;
mod latency;
mod limit_model;
mod limit_state;
mod localizer;
mod managed;
mod options;
mod organization;
mod organizations;
mod page;
mod policies;
mod policy;
mod policy_lists;
mod policy_usage;
mod request;
mod seed;
mod server;
mod services;
mod session;
mod shared;
mod state;
mod storm;
mod story;
mod sts;
mod template;
mod throttle;
mod throttler;
mod time_span;
mod trail;
mod unique_id;
mod xml;

pub use account_ids::{ACCOUNT, account_ids};
pub use action::{Action, UnknownAction};
pub use calls::ActionCalls;
pub use chaos::{Chaos, ChaosKind, UnknownChaosKind};
pub use error::SandboxError;
pub use fault::{Fault, FaultScope, Faults};
pub use latency::{BadLatencySpread, LatencySpread};
pub use limit_model::{BadBurst, BadLimitModel, BadWindowLength, Burst, LimitModel, WindowLength};
pub use options::Options;
pub use organization::{AccountState, MemberAccount, Organization, OrganizationalUnit, ROOT_ID};
pub use seed::{Seed, awkward_name};
pub use session::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};
pub use state::reset;
pub use throttle::{BadCompetitor, BadRateChange, Competitor, RateChange, RateLimit, Throttle};
pub use throttler::Throttler;
pub use time_span::{BadTimeSpan, TimeSpan};

use std::collections::HashSet;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::iam::{Partition, PolicyArn, Principal, PrincipalKind, PrincipalName};
use account::{Accounts, Entity};
use document::Document;
use shared::Shared;

/// A running sandbox. Dropping it stops it.
pub struct Sandbox {
    shared: Arc<Shared>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Sandbox {
    /// Starts a sandbox on 127.0.0.1 with the accounts of the state file. The others have the content of the seed.
    ///
    /// # Errors
    /// Returns an error if the port or the state file cannot be used.
    pub async fn start(options: Options) -> Result<Sandbox, SandboxError> {
        let saved = options.state.as_deref().map(state::load).transpose()?;
        let mut ids: HashSet<String> = account_ids(options.accounts.max(1)).into_iter().collect();
        ids.extend(options.organization.iter().flat_map(Organization::account_ids));
        let accounts = Accounts::new(options.seed.content(), ids, saved.unwrap_or_default());
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
        let listen = |error| SandboxError::Listen { address, error };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let shared = Arc::new(Shared::new(options, accounts));
        let task = tokio::spawn(server::serve(listener, shared.clone()));
        Ok(Sandbox { shared, address, task })
    }

    /// The address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL for the option `--endpoint-url` of AWS clients.
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The faults to inject into the next calls.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Replaces the organization. Accounts that the sandbox did not have are added.
    pub fn set_organization(&self, organization: Option<Organization>) {
        self.shared.accounts().add(organization.iter().flat_map(Organization::account_ids));
        *self.shared.organization() = organization;
    }

    /// The number of calls received so far.
    pub fn calls(&self) -> ActionCalls {
        self.shared.calls.counts()
    }

    /// The number of calls of an account received so far. `AssumeRole` counts for the account of the role, and every other
    /// action for the account of the credentials.
    pub fn calls_of(&self, account: &str) -> ActionCalls {
        self.shared.calls_by_account.counts(account)
    }

    /// The number of calls throttled so far by rate limits and storms, but not by a [`Fault`].
    pub fn throttled_calls(&self) -> ActionCalls {
        self.shared.throttled.counts()
    }

    /// Replaces the rate limits. The times of a limit that changes count from now. A token bucket keeps its tokens
    /// up to the new burst, and a window begins anew.
    pub fn set_throttle(&self, throttle: Throttle) {
        self.shared.throttler().set_throttle(throttle, Instant::now());
    }

    /// Adds a user to [`ACCOUNT`], or sets the boundary of the user of this name. The policy of the boundary does not
    /// have to exist.
    pub fn put_user(&self, user: &PrincipalName, boundary: Option<&PolicyArn>) {
        let boundary = boundary.map(PolicyArn::as_str);
        self.shared.accounts().home().put(PrincipalKind::User, user.as_str(), "/", boundary);
    }

    /// Adds a role to [`ACCOUNT`], or sets the path and the boundary of the role of this name. The path begins and ends
    /// with a slash. The policy of the boundary does not have to exist.
    pub fn put_role(&self, role: &PrincipalName, path: &str, boundary: Option<&PolicyArn>) {
        let boundary = boundary.map(PolicyArn::as_str);
        let accounts = &mut self.shared.accounts();
        let role = accounts.home().put(PrincipalKind::Role, role.as_str(), path, boundary);
        role.path = path.to_owned();
    }

    /// Sets the path of a user or role of [`ACCOUNT`]. It begins and ends with a slash. The unique ID stays the same.
    ///
    /// # Panics
    /// Panics if the user or role does not exist. The same applies to the other functions that change one.
    pub fn put_path(&self, principal: &Principal, path: &str) {
        self.change(principal, |entity| entity.path = path.to_owned());
    }

    /// Sets a tag of a user or role of [`ACCOUNT`]. It replaces a tag whose key differs only in case.
    pub fn tag(&self, principal: &Principal, key: &str, value: &str) {
        self.change(principal, |entity| entity.tag(key, value));
    }

    /// Removes the tag with this key, in any case, of a user or role of [`ACCOUNT`].
    pub fn untag(&self, principal: &Principal, key: &str) {
        self.change(principal, |entity| entity.untag(key));
    }

    /// Adds a user of [`ACCOUNT`] to a group, which is created if it does not exist.
    pub fn add_to_group(&self, user: &PrincipalName, group: &str) {
        self.shared.accounts().home().put_group(group, "/");
        let user = Principal::user(user.clone());
        self.change(&user, |entity| entity.groups.extend([group.to_owned()]));
    }

    /// Attaches a managed policy to a user or role of [`ACCOUNT`]. The policy does not have to exist.
    pub fn attach_policy(&self, principal: &Principal, policy: &PolicyArn) {
        self.change(principal, |entity| entity.policies.attached.extend([policy.to_string()]));
    }

    fn change(&self, Principal { kind, name }: &Principal, change: impl FnOnce(&mut Entity)) {
        let accounts = &mut self.shared.accounts();
        let entity = accounts.home().entity_mut(*kind, name.as_str());
        change(entity.expect("the user or role exists"));
    }

    /// Makes every caller without credentials of `AssumeRole` a session of this role. Without it, such a caller is a user.
    pub fn assume_role(&self, role: &PrincipalName) {
        *self.shared.assumed_role() = Some(role.to_string());
    }

    /// Sets the alias of [`ACCOUNT`].
    pub fn set_alias(&self, alias: &str) {
        self.shared.accounts().home().alias = Some(alias.to_owned());
    }

    /// Adds a policy to [`ACCOUNT`], with the document of the sample company's policy of this name. Any other policy
    /// allows everything except the management of identities.
    ///
    /// # Panics
    /// Panics if the name is not a valid policy name.
    pub fn put_policy(&self, name: &str) -> PolicyArn {
        let arn = format!("arn:aws:iam::{ACCOUNT}:policy/{name}");
        let document = documents::of_policy(name);
        self.shared.accounts().home().put_policy(&arn, "/", name, document);
        arn.parse().expect("the argument is a valid policy name")
    }

    /// Adds a default version with this document to a policy of [`ACCOUNT`]. The document does not have to be valid, and
    /// the number of versions is not limited.
    ///
    /// # Panics
    /// Panics if the policy does not exist.
    pub fn put_document(&self, policy: &PolicyArn, document: &str) {
        let mut accounts = self.shared.accounts();
        let policy = accounts.home().policy_mut(policy.as_str()).expect("the policy exists");
        let number = policy.add_version(Document::unchecked(document));
        policy.set_default(number);
    }

    /// The document of the default version of a customer managed policy of [`ACCOUNT`], if the policy exists.
    pub fn document(&self, policy: &PolicyArn) -> Option<String> {
        let accounts = self.shared.accounts();
        let document = accounts.read(ACCOUNT).policy(policy.as_str())?.document()?;
        Some(document.text().to_owned())
    }

    /// Sets an inline policy of a user or role of [`ACCOUNT`]. The document does not have to be valid.
    pub fn put_inline_policy(&self, principal: &Principal, name: &str, document: &str) {
        let document = Document::unchecked(document);
        self.change(principal, |entity| {
            entity.policies.inline.insert(name.to_owned(), document);
        });
    }

    /// Sets when a user or role of [`ACCOUNT`] last used a service, such as `s3`, or an action, such as
    /// `s3:CreateBucket`: a time before the start of the sandbox. Reports have actions only of some services, and not
    /// those of the data plane, such as `s3:PutObject`. The service of an action is always used, too.
    pub fn put_last_used(&self, principal: &Principal, name: &str, ago: Duration) {
        self.change(principal, |entity| entity.last_used.put(name, ago));
    }

    /// Adds an event to CloudTrail of [`ACCOUNT`]: a record of an action of IAM, whose missing fields are those of a
    /// successful request. Its time is `eventTime`, or the present time.
    pub fn put_event(&self, record: serde_json::Map<String, serde_json::Value>) {
        let mut event = cloudtrail::common(ACCOUNT, Partition::Aws.home_region());
        event.extend(record);
        self.shared.accounts().home().trail.add(event);
    }

    /// Sets the creation date of a user or role of [`ACCOUNT`], in the form of RFC 3339. Without it, the date is that of
    /// the seed.
    pub fn put_creation_date(&self, principal: &Principal, date: &str) {
        self.change(principal, |entity| entity.created = Some(date.to_owned()));
    }

    /// Removes a policy from [`ACCOUNT`], even if it is the boundary of a user or role.
    pub fn remove_policy(&self, name: &str) {
        let arn = format!("arn:aws:iam::{ACCOUNT}:policy/{name}");
        self.shared.accounts().home().remove_policy(&arn);
    }

    /// Removes a user from [`ACCOUNT`].
    pub fn remove_user(&self, user: &PrincipalName) {
        self.remove(&Principal::user(user.clone()));
    }

    /// Removes a user or role from [`ACCOUNT`].
    pub fn remove(&self, Principal { kind, name }: &Principal) {
        self.shared.accounts().home().remove(*kind, name.as_str());
    }

    /// The boundary of a user of [`ACCOUNT`]; the outer `None` means that the user does not exist.
    pub fn boundary_of(&self, user: &PrincipalName) -> Option<Option<String>> {
        self.boundary(&Principal::user(user.clone()))
    }

    /// The boundary of a user or role of [`ACCOUNT`]; the outer `None` means that it does not exist.
    pub fn boundary(&self, Principal { kind, name }: &Principal) -> Option<Option<String>> {
        let accounts = self.shared.accounts();
        let entity = accounts.read(ACCOUNT).entity(*kind, name.as_str())?;
        Some(entity.boundary.clone())
    }

    /// The unique ID (IAM's `UserId`) of a user of [`ACCOUNT`], if the user exists. A user that is deleted and
    /// created again has a different unique ID.
    pub fn unique_id_of(&self, user: &PrincipalName) -> Option<String> {
        self.unique_id(&Principal::user(user.clone()))
    }

    /// The unique ID (IAM's `UserId` or `RoleId`) of a user or role of [`ACCOUNT`], if it exists. One that is deleted
    /// and created again has a different unique ID.
    pub fn unique_id(&self, Principal { kind, name }: &Principal) -> Option<String> {
        let accounts = self.shared.accounts();
        let (home, name) = (accounts.read(ACCOUNT), name.as_str());
        home.entity(*kind, name)?;
        Some(unique_id::of(*kind, ACCOUNT, name, home.deletions_of(*kind, name)))
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.task.abort();
    }
}
