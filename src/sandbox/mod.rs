//! An IAM on this machine that speaks IAM's own wire protocol: to try the tool without an account, to
//! test it, to measure it. Listens on loopback only.
//!
//! Signatures are not verified. An access key id of 12 digits works on the account of that number; any
//! other works on [`ACCOUNT`].

mod account;
mod action;
mod bucket;
mod calls;
mod chaos;
mod faults;
mod iam;
mod lot;
mod managed;
mod request;
mod seed;
mod server;
mod state;
mod sts;
mod throttle;
mod unique_id;
mod xml;

pub use action::{Action, UnknownAction};
pub use calls::ActionCalls;
pub use chaos::{Chaos, ChaosKind, UnknownChaosKind};
pub use faults::{Fault, Faults};
pub use seed::{Seed, awkward_name};
pub use state::reset;
pub use throttle::{
    BadBurst, BadCompetitor, BadRateChange, Burst, Competitor, Limit, RateChange, Throttle,
};

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, io};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::iam::{PolicyArn, PrincipalName};
use lot::Met;
use request::Request;

/// The account of every access key id that is no account number.
pub const ACCOUNT: &str = "123456789012";
/// A key id that works on [`ACCOUNT`]. It is no secret, and good for nothing else.
pub const ACCESS_KEY_ID: &str = "SANDBOX-KEY-ID";
/// The key to [`ACCESS_KEY_ID`].
pub const SECRET_ACCESS_KEY: &str = "sandbox-key-that-opens-nothing";

/// How a sandbox behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// The port on 127.0.0.1; 0 for any that is free.
    pub port: u16,
    /// What is in [`ACCOUNT`] at first.
    pub seed: Seed,
    /// How long each answer takes.
    pub latency: Duration,
    /// The most items on a page, from 1 to 1,000. IAM's own pages may be short, too.
    pub page_size: usize,
    /// How many calls are let through: those above are answered with `Throttling`, and do nothing.
    pub throttle: Throttle,
    /// How long reads show a user's boundary from before a write.
    pub staleness: Duration,
    /// What goes wrong by chance, besides the [`Faults`] that are switched on.
    pub chaos: Option<Chaos>,
    /// Where the accounts are kept between runs; without it, in memory alone.
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

/// Why a sandbox cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The port is taken, or may not be used.
    #[error("the sandbox cannot listen on {address}: {error}")]
    Listen {
        /// Where it would have listened.
        address: SocketAddr,
        /// The system's reason.
        error: io::Error,
    },
    /// The kept accounts cannot be read or written.
    #[error("the sandbox cannot use its kept state {}: {error}", file.display())]
    State {
        /// The file.
        file: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// The kept accounts are not what a sandbox writes.
    #[error(
        "{} is not a sandbox's state ({why}): remove it with `iam-boundaries sandbox reset`",
        file.display()
    )]
    ForeignState {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// A running sandbox; it stops when it is dropped.
pub struct Sandbox {
    shared: Arc<Shared>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

/// What all connections share.
struct Shared {
    options: Options,
    accounts: Mutex<account::Accounts>,
    faults: Faults,
    lot: Option<Mutex<lot::Lot>>,
    calls: calls::Counter,
    buckets: Mutex<bucket::Buckets>,
    throttled: calls::Counter,
}

impl Shared {
    fn accounts(&self) -> MutexGuard<'_, account::Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn buckets(&self) -> MutexGuard<'_, bucket::Buckets> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lot(&self) -> Option<MutexGuard<'_, lot::Lot>> {
        self.lot.as_ref().map(|lot| lot.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts a call that has come just now, and says whether it is throttled.
    fn is_throttled(&self, account: &str, action: &str) -> bool {
        self.calls.count(action);
        let now = Instant::now();
        let is_storm = self.lot().is_some_and(|mut lot| lot.is_storm(account, action, now));
        let is_throttled = is_storm || !self.buckets().take(account, action, now);
        if is_throttled {
            self.throttled.count(action);
        }
        is_throttled
    }

    /// What goes wrong with a call that is not throttled. A fault that was switched on goes before chance.
    fn met(&self, request: &Request) -> Met {
        let mut met = self.lot().map(|mut lot| lot.met(request)).unwrap_or_default();
        if let Some(fault) = self.faults.take(&request.action, request.get("UserName")) {
            met.fault = Some(fault);
        }
        met
    }
}

impl Sandbox {
    /// Starts a sandbox on 127.0.0.1, with the accounts that it kept or else with its seed.
    ///
    /// # Errors
    /// When the port or the kept state cannot be used.
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
            buckets: Mutex::new(bucket::Buckets::new(options.throttle.clone())),
            throttled: calls::Counter::default(),
            lot: options.chaos.clone().map(|chaos| Mutex::new(lot::Lot::new(chaos))),
            options,
            accounts: Mutex::new(accounts),
            faults: Faults::default(),
            calls: calls::Counter::default(),
        });
        let task = tokio::spawn(server::serve(listener, shared.clone()));
        Ok(Sandbox { shared, address, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as AWS clients take it.
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its faults, to switch on.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// The calls that it was sent so far.
    pub fn calls(&self) -> ActionCalls {
        self.shared.calls.so_far()
    }

    /// The calls among them that its limits and storms throttled; a [`Fault`]'s are not counted here.
    pub fn throttled_calls(&self) -> ActionCalls {
        self.shared.throttled.so_far()
    }

    /// Other limits from now on. A bucket whose limit changes keeps the tokens that it has room for, and
    /// the times of its new limit count from now.
    pub fn set_throttle(&self, throttle: Throttle) {
        self.shared.buckets().set(throttle, Instant::now());
    }

    /// Adds a user to [`ACCOUNT`]; the policy need not exist. A user of that name is replaced, and the new
    /// one has its unique id.
    pub fn put_user(&self, user: &PrincipalName, boundary: Option<&PolicyArn>) {
        self.shared.accounts().home().put_user(user.as_str(), "/", boundary.map(PolicyArn::as_str));
    }

    /// Adds a policy of that name to [`ACCOUNT`].
    pub fn put_policy(&self, name: &str) -> PolicyArn {
        let arn = format!("arn:aws:iam::{ACCOUNT}:policy/{name}");
        self.shared.accounts().home().put_policy(&arn, "/", name);
        arn.parse().expect("the caller gives a policy name that IAM takes")
    }

    /// Takes the policy of that name out of [`ACCOUNT`], whoever has it as boundary.
    pub fn remove_policy(&self, name: &str) {
        let arn = format!("arn:aws:iam::{ACCOUNT}:policy/{name}");
        self.shared.accounts().home().remove_policy(&arn);
    }

    /// Takes a user out of [`ACCOUNT`].
    pub fn remove_user(&self, user: &PrincipalName) {
        self.shared.accounts().home().remove_user(user.as_str());
    }

    /// The boundary of a user of [`ACCOUNT`]; the outer none means that there is no such user.
    pub fn boundary_of(&self, user: &PrincipalName) -> Option<Option<String>> {
        let accounts = &mut self.shared.accounts();
        accounts.home().user(user.as_str()).map(|user| user.boundary.clone())
    }

    /// The unique id (IAM's `UserId`) of a user of [`ACCOUNT`]; none if there is no such user. A user that is
    /// deleted and created again has another one.
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
