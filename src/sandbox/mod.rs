//! A local server that implements the parts of IAM and STS that the tool uses, to try, test and measure it without
//! an AWS account. It listens on the loopback interface only.
//!
//! The sandbox does not verify signatures. An access key id of 12 digits selects the account with that id; any other
//! selects [`ACCOUNT`].

mod account;
mod action;
mod calls;
mod chaos;
mod fault;
mod iam;
mod injector;
mod managed;
mod request;
mod seed;
mod server;
mod state;
mod storm;
mod sts;
mod throttle;
mod token_bucket;
mod unique_id;
mod xml;

pub use action::{Action, UnknownAction};
pub use calls::ActionCalls;
pub use chaos::{Chaos, ChaosKind, UnknownChaosKind};
pub use fault::{Fault, Faults};
pub use seed::{Seed, awkward_name};
pub use state::reset;
pub use throttle::{
    BadBurst, BadCompetitor, BadRateChange, Burst, Competitor, RateChange, RateLimit, Throttle,
};

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, io};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::iam::{PolicyArn, PrincipalName};
use injector::{FaultInjector, Injection};
use request::Request;

/// The account of every access key id that is not an account id.
pub const ACCOUNT: &str = "123456789012";
/// An access key id for [`ACCOUNT`]. It is not a secret.
pub const ACCESS_KEY_ID: &str = "SANDBOX-KEY-ID";
/// The secret access key for [`ACCESS_KEY_ID`]. It is not a secret.
pub const SECRET_ACCESS_KEY: &str = "sandbox-key-that-opens-nothing";

/// Whether the limit of all actions and random faults leave an action out: they simulate IAM, and this action is
/// STS's.
fn is_exempt(action: &str) -> bool {
    action == Action::GET_CALLER_IDENTITY.name()
}

/// The options of a sandbox.
#[derive(Debug, Clone)]
pub struct Options {
    /// The port on 127.0.0.1; 0 selects a free one.
    pub port: u16,
    /// The initial content of [`ACCOUNT`].
    pub seed: Seed,
    /// The latency of each response.
    pub latency: Duration,
    /// The most items on a page, from 1 to 1,000. A page of IAM may also have fewer items than requested.
    pub page_size: usize,
    /// The rate limits. A call above its limit does nothing and is answered with `Throttling`.
    pub throttle: Throttle,
    /// How long reads return a user's boundary from before a write.
    pub staleness: Duration,
    /// Random faults, in addition to [`Sandbox::faults`].
    pub chaos: Option<Chaos>,
    /// The file that keeps the accounts between runs; without it, they are in memory only.
    pub state: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            port: 0,
            seed: Seed::Empty,
            latency: Duration::ZERO,
            page_size: 1_000,
            throttle: Throttle::default(),
            staleness: Duration::ZERO,
            chaos: None,
            state: None,
        }
    }
}

/// The sandbox cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The port is in use or not permitted.
    #[error("the sandbox cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The state file cannot be read.
    #[error("cannot read the sandbox's state {}: {error}", file.display())]
    State {
        /// The file.
        file: PathBuf,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The state file has another format.
    #[error(
        "{} is not the state of a sandbox ({why}); remove it with `iam-boundaries sandbox reset`",
        file.display()
    )]
    ForeignState {
        /// The file.
        file: PathBuf,
        /// The difference from the expected format.
        why: String,
    },
}

/// A running sandbox. Dropping it stops it.
pub struct Sandbox {
    shared: Arc<Shared>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

/// The state that all connections share.
struct Shared {
    options: Options,
    accounts: Mutex<account::Accounts>,
    faults: Faults,
    injector: Option<Mutex<FaultInjector>>,
    calls: calls::Counter,
    buckets: Mutex<token_bucket::TokenBuckets>,
    throttled: calls::Counter,
}

impl Shared {
    fn accounts(&self) -> MutexGuard<'_, account::Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn buckets(&self) -> MutexGuard<'_, token_bucket::TokenBuckets> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn injector(&self) -> Option<MutexGuard<'_, FaultInjector>> {
        let injector = self.injector.as_ref()?;
        Some(injector.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts a call that arrives now. Returns false if the call is throttled.
    fn admit(&self, account: &str, action: &str) -> bool {
        self.calls.count(action);
        let now = Instant::now();
        let is_in_storm =
            self.injector().is_some_and(|mut injector| injector.count_call(account, action, now));
        let is_admitted = !is_in_storm && self.buckets().take(account, action, now);
        if !is_admitted {
            self.throttled.count(action);
        }
        is_admitted
    }

    /// What to inject into a call that is admitted. [`Sandbox::faults`] take precedence over random ones.
    fn inject(&self, request: &Request) -> Injection {
        let injection = self.injector().map(|mut injector| injector.inject(request));
        let mut injection = injection.unwrap_or_default();
        if let Some(fault) = self.faults.take(&request.action, request.get("UserName")) {
            injection.fault = Some(fault);
        }
        injection
    }
}

impl Sandbox {
    /// Starts a sandbox on 127.0.0.1, with the accounts of the state file or, if there is none, of the seed.
    ///
    /// # Errors
    /// If the port or the state file cannot be used.
    pub async fn start(options: Options) -> Result<Sandbox, SandboxError> {
        let accounts = match &options.state {
            Some(file) => state::load(file)?,
            None => None,
        };
        let accounts = accounts.unwrap_or_else(|| options.seed.accounts());
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
        let listen = |error| SandboxError::Listen { address, error };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let shared = Arc::new(Shared {
            buckets: Mutex::new(token_bucket::TokenBuckets::new(options.throttle.clone())),
            throttled: calls::Counter::default(),
            injector: options.chaos.clone().map(|chaos| Mutex::new(FaultInjector::new(chaos))),
            options,
            accounts: Mutex::new(accounts),
            faults: Faults::default(),
            calls: calls::Counter::default(),
        });
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

    /// The calls received so far.
    pub fn calls(&self) -> ActionCalls {
        self.shared.calls.counts()
    }

    /// The calls throttled so far by rate limits and storms, without those throttled by a [`Fault`].
    pub fn throttled_calls(&self) -> ActionCalls {
        self.shared.throttled.counts()
    }

    /// Replaces the rate limits. A bucket whose limit changes keeps its tokens up to the new burst, and the times
    /// of its new limit count from now.
    pub fn set_throttle(&self, throttle: Throttle) {
        self.shared.buckets().set_throttle(throttle, Instant::now());
    }

    /// Adds a user to [`ACCOUNT`], or replaces the user of this name and keeps its unique id. The policy need not
    /// exist.
    pub fn put_user(&self, user: &PrincipalName, boundary: Option<&PolicyArn>) {
        self.shared.accounts().home().put_user(user.as_str(), "/", boundary.map(PolicyArn::as_str));
    }

    /// Adds a policy to [`ACCOUNT`].
    ///
    /// # Panics
    /// If the name is not a valid policy name.
    pub fn put_policy(&self, name: &str) -> PolicyArn {
        let arn = format!("arn:aws:iam::{ACCOUNT}:policy/{name}");
        self.shared.accounts().home().put_policy(&arn, "/", name);
        arn.parse().expect("the caller passes a valid policy name")
    }

    /// Removes a policy from [`ACCOUNT`], even if it is the boundary of a user.
    pub fn remove_policy(&self, name: &str) {
        let arn = format!("arn:aws:iam::{ACCOUNT}:policy/{name}");
        self.shared.accounts().home().remove_policy(&arn);
    }

    /// Removes a user from [`ACCOUNT`].
    pub fn remove_user(&self, user: &PrincipalName) {
        self.shared.accounts().home().remove_user(user.as_str());
    }

    /// The boundary of a user of [`ACCOUNT`]; the outer `None` means that the user does not exist.
    pub fn boundary_of(&self, user: &PrincipalName) -> Option<Option<String>> {
        let accounts = &mut self.shared.accounts();
        accounts.home().user(user.as_str()).map(|user| user.boundary.clone())
    }

    /// The unique id (IAM's `UserId`) of a user of [`ACCOUNT`], if the user exists. A user that is deleted and
    /// created again has another unique id.
    pub fn unique_id_of(&self, user: &PrincipalName) -> Option<String> {
        let accounts = &mut self.shared.accounts();
        let (home, name) = (accounts.home(), user.as_str());
        home.user(name).map(|_| unique_id::of_user(ACCOUNT, name, home.deletions_of(name)))
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
