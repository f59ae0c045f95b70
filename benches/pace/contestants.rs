use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use aws_sdk_iam::config::retry::RetryConfig;
use aws_sdk_iam::config::{BehaviorVersion, Region, SharedCredentialsProvider};
use aws_sdk_iam::error::ProvideErrorMetadata;
use futures::{StreamExt, stream};
use iam_boundaries::apply::{self, RunOptions};
use iam_boundaries::aws::{Access, Connection, LimiterOptions, RetryPolicy, StopSwitch};
use iam_boundaries::config::Config;
use iam_boundaries::iam::{PolicyArn, PrincipalName};
use iam_boundaries::plan::{Plan, Preflight};
use iam_boundaries::sandbox::{
    ACCESS_KEY_ID, Action, Options, SECRET_ACCESS_KEY, Sandbox, Throttle,
};
use tokio::time::MissedTickBehavior;

use super::rows::{Goal, Row};

/// A method of writing many boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contestant {
    Ours,
    Standard,
    Adaptive,
    Fixed,
}

/// The result of one contestant in one row.
#[derive(Debug, Clone)]
pub struct Run {
    took: Duration,
    lost: usize,
    calls: u64,
    throttled: u64,
}

impl Contestant {
    pub const ALL: [Contestant; 4] =
        [Contestant::Ours, Contestant::Standard, Contestant::Adaptive, Contestant::Fixed];

    pub fn name(self) -> &'static str {
        match self {
            Contestant::Ours => "ours",
            Contestant::Standard => "standard",
            Contestant::Adaptive => "adaptive",
            Contestant::Fixed => "fixed",
        }
    }
}

impl Run {
    pub fn text(&self, row: &Row) -> String {
        let share = 100.0 * self.throttled as f64 / self.calls.max(1) as f64;
        format!(
            "×{:.3} {:>5} lost {:>6} ({share:.1} %)",
            self.took.as_secs_f64() / row.ideal,
            self.lost,
            self.throttled
        )
    }

    pub fn brief(&self, row: &Row) -> String {
        format!("{} in {:.1} s", self.text(row), self.took.as_secs_f64())
    }

    pub fn against(&self, goal: &Goal, ideal: f64) -> String {
        let mut missed = Vec::new();
        if self.lost > 0 {
            missed.push("items lost".to_owned());
        }
        if self.took.as_secs_f64() > goal.time * ideal {
            missed.push(format!("slower than ×{:.2}", goal.time));
        }
        if self.throttled > goal.throttled {
            missed.push(format!("more than {} throttled", goal.throttled));
        }
        if missed.is_empty() { "reached".to_owned() } else { missed.join(", ") }
    }
}

fn user(n: usize) -> PrincipalName {
    format!("user-{n:06}").parse().expect("letters, digits and - are a user name")
}

fn put_action() -> Action {
    "PutUserPermissionsBoundary".parse().expect("the sandbox has this action")
}

/// Runs one contestant against its own sandbox, whose limit starts with the first write.
pub async fn run(contestant: Contestant, row: &Row) -> Run {
    let throttle = Throttle {
        actions: row.limit.iter().map(|limit| (put_action(), limit.clone())).collect(),
        ..Throttle::default()
    };
    let options = Options { latency: row.latency, throttle, ..Options::default() };
    let sandbox = Sandbox::start(options).await.expect("a port on loopback is free");
    let boundary = sandbox.put_policy("Developer");
    for n in 0..row.items {
        sandbox.put_user(&user(n), None);
    }
    let (took, lost) = match contestant {
        Contestant::Ours => ours(&sandbox, row, &boundary).await,
        Contestant::Standard => theirs(&sandbox, row, &boundary, RetryConfig::standard()).await,
        Contestant::Adaptive => theirs(&sandbox, row, &boundary, RetryConfig::adaptive()).await,
        Contestant::Fixed => fixed(&sandbox, row, &boundary).await,
    };
    let put = put_action();
    let count = |calls: std::collections::BTreeMap<String, u64>| {
        calls.get(&put.to_string()).copied().unwrap_or_default()
    };
    let written =
        (0..row.items).filter(|&n| sandbox.boundary_of(&user(n)).flatten().is_some()).count();
    assert_eq!(written + lost, row.items, "an item was reported as applied and is not");
    Run { took, lost, calls: count(sandbox.calls()), throttled: count(sandbox.throttled_calls()) }
}

async fn ours(sandbox: &Sandbox, row: &Row, boundary: &PolicyArn) -> (Duration, usize) {
    let access = Access::Sandbox {
        endpoint_url: sandbox.endpoint_url(),
        access_key_id: ACCESS_KEY_ID,
        secret_access_key: SECRET_ACCESS_KEY,
    };
    let account = Connection::open(&access).await.identify().await.expect("the sandbox answers");
    let mut file = "[users]\n".to_owned();
    for n in 0..row.items {
        file.push_str(&format!("{} = \"{boundary}\"\n", user(n)));
    }
    let config = Config::parse("boundaries.toml", &file).expect("the file is right");
    let listed: Vec<_> = config.entries().map(|(principal, _)| principal).collect();
    let live = account.inventory(&listed).await.expect("the sandbox responds");
    let plan = Plan::between(account.identity().account, &config, &live);
    let preflight = Preflight::fresh(plan);
    let limiter = LimiterOptions { max_in_flight: row.concurrency, expected_calls: row.items };
    let writer = account.writer(limiter, None, RetryPolicy::default());
    let concurrency = NonZeroUsize::new(row.concurrency).expect("above zero");
    let options = RunOptions { concurrency, verify_for: Duration::ZERO };
    let switch = StopSwitch::new();
    let run = apply::Run {
        preflight: &preflight,
        account: &account,
        writer: &writer,
        options,
        switch: &switch,
        journal: None,
        events: &|_| {},
    };
    let summary = apply::apply(run).await;
    (summary.write_duration, row.items - summary.applied)
}

fn client(sandbox: &Sandbox, retry: RetryConfig) -> aws_sdk_iam::Client {
    let keys = Credentials::from_keys(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None);
    let config = aws_sdk_iam::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .endpoint_url(sandbox.endpoint_url())
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(retry)
        .build();
    aws_sdk_iam::Client::from_conf(config)
}

/// Writes a boundary. The error is true if the call was throttled.
async fn put(iam: &aws_sdk_iam::Client, user: &PrincipalName, arn: &PolicyArn) -> Result<(), bool> {
    let put = iam
        .put_user_permissions_boundary()
        .user_name(user.as_str())
        .permissions_boundary(arn.as_str());
    put.send().await.map(|_| ()).map_err(|error| error.code() == Some("Throttling"))
}

/// The SDK's own retries, with their defaults.
async fn theirs(
    sandbox: &Sandbox,
    row: &Row,
    boundary: &PolicyArn,
    retry: RetryConfig,
) -> (Duration, usize) {
    let iam = client(sandbox, retry);
    let began = Instant::now();
    let lost = stream::iter(0..row.items)
        .map(|n| {
            let iam = &iam;
            async move { put(iam, &user(n), boundary).await.is_err() }
        })
        .buffer_unordered(row.concurrency)
        .filter(|lost| std::future::ready(*lost))
        .count()
        .await;
    (began.elapsed(), lost)
}

/// Evenly spaced attempts at the initial rate of the limit. Throttled calls are retried.
async fn fixed(sandbox: &Sandbox, row: &Row, boundary: &PolicyArn) -> (Duration, usize) {
    let iam = client(sandbox, RetryConfig::disabled());
    let mut interval = tokio::time::interval(Duration::from_secs_f64(1.0 / row.rate));
    interval.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let interval = tokio::sync::Mutex::new(interval);
    let began = Instant::now();
    let lost = stream::iter(0..row.items)
        .map(|n| {
            let (iam, interval) = (&iam, &interval);
            async move {
                loop {
                    if row.limit.is_some() {
                        interval.lock().await.tick().await;
                    }
                    match put(iam, &user(n), boundary).await {
                        Ok(()) => return false,
                        Err(true) => {}
                        Err(false) => return true,
                    }
                }
            }
        })
        .buffer_unordered(row.concurrency)
        .filter(|lost| std::future::ready(*lost))
        .count()
        .await;
    (began.elapsed(), lost)
}
