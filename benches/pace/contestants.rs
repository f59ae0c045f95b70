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
use iam_boundaries::iam::{PolicyArn, PrincipalName, Timestamp};
use iam_boundaries::plan::{Plan, PlanContext, Preflight};
use iam_boundaries::sandbox::{ACCESS_KEY_ID, ActionCalls, Options, SECRET_ACCESS_KEY, Sandbox};
use tokio::time::MissedTickBehavior;

use super::rows::{FREE_THROTTLED, LONGEST, Row, TimeGoal, put_action};

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
    /// Whether the run ended by itself.
    is_complete: bool,
    /// The number of items that were not written.
    lost: usize,
    calls: u64,
    throttled: u64,
    /// The time from the end of a time in which every call is throttled until the limit's rate is reached.
    back_after: Option<f64>,
}

/// The number of accepted calls at a time in seconds since the first call.
struct Sample {
    at: f64,
    accepted: u64,
}

/// The time between two samples.
const SAMPLING: Duration = Duration::from_millis(50);
/// The limit's rate is reached when this share of it is accepted for [`AT_RATE_FOR`] seconds.
const AT_RATE: f64 = 0.9;
const AT_RATE_FOR: f64 = 2.0;

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
        let (more, lost) = if self.is_complete { ("", "lost") } else { (">", "left") };
        format!(
            "{more}×{:.3} {:>5} {lost} {:>6} ({share:.1}%)",
            self.took.as_secs_f64() / row.ideal,
            self.lost,
            self.throttled
        )
    }

    pub fn brief(&self, row: &Row) -> String {
        let back =
            self.back_after.map_or(String::new(), |time| format!(", back after {time:.1} s"));
        format!("{} in {:.1} s{back}", self.text(row), self.took.as_secs_f64())
    }

    /// The goals of the row, and those that the run misses.
    pub fn against_goals(&self, row: &Row) -> String {
        let mut missed = Vec::new();
        if self.is_complete && self.lost > 0 {
            missed.push(format!("{} lost", self.lost));
        }
        let (time, is_in_time) = match row.goal.time {
            TimeGoal::Ratio(ratio) => {
                (format!("×{ratio:.2}"), self.took.as_secs_f64() <= ratio * row.ideal)
            }
            TimeGoal::BackWithin(time) => {
                let seconds = time.as_secs_f64();
                let back = self.back_after;
                let after = back.map_or("never".to_owned(), |back| format!("after {back:.1} s"));
                (
                    format!("back within {seconds} s ({after})"),
                    back.is_some_and(|back| back <= seconds),
                )
            }
        };
        if !is_in_time {
            missed.push("time".to_owned());
        }
        let share = row.goal.throttled_share;
        let free = if share > 0.0 { FREE_THROTTLED } else { 0 };
        if self.throttled > free.max((share * self.calls as f64) as u64) {
            missed.push("throttled".to_owned());
        }
        let throttled =
            if free > 0 { format!("{:.0}% or {free}", 100.0 * share) } else { "0".to_owned() };
        let result = if missed.is_empty() {
            "reached".to_owned()
        } else {
            format!("missed: {}", missed.join(", "))
        };
        format!("{time}, {throttled}: {result}")
    }
}

fn user(n: usize) -> PrincipalName {
    format!("user-{n:06}").parse().expect("letters, digits and - are a user name")
}

/// Runs one contestant against its own sandbox, whose limits start with the first write.
pub async fn run(contestant: Contestant, row: &Row) -> Run {
    let (latency, latency_spread) = (row.latency, row.latency_spread);
    let throttle = row.throttle.clone();
    let options = Options { latency, latency_spread, throttle, ..Options::default() };
    let sandbox = Sandbox::start(options).await.expect("a port on loopback is free");
    let boundary = sandbox.put_policy("Developer");
    for n in 0..row.items {
        sandbox.put_user(&user(n), None);
    }
    let longest = Duration::from_secs_f64(LONGEST * row.ideal);
    let work = async {
        match contestant {
            Contestant::Ours => ours(&sandbox, row, &boundary).await,
            Contestant::Standard => theirs(&sandbox, row, &boundary, RetryConfig::standard()).await,
            Contestant::Adaptive => theirs(&sandbox, row, &boundary, RetryConfig::adaptive()).await,
            Contestant::Fixed => fixed(&sandbox, row, &boundary).await,
        }
    };
    let mut samples = Vec::new();
    let finished = tokio::select! {
        finished = tokio::time::timeout(longest, work) => finished.ok(),
        () = sample(&sandbox, row, &mut samples) => None,
    };
    let written =
        (0..row.items).filter(|&n| sandbox.boundary_of(&user(n)).flatten().is_some()).count();
    let (took, lost) = finished.unwrap_or((longest, row.items - written));
    assert_eq!(written + lost, row.items, "an item was reported as applied and is not");
    Run {
        took,
        is_complete: finished.is_some(),
        lost,
        calls: count(sandbox.calls()),
        throttled: count(sandbox.throttled_calls()),
        back_after: row.throttled_until.and_then(|until| back_after(&samples, until, row.rate)),
    }
}

/// The number of writes.
fn count(calls: ActionCalls) -> u64 {
    calls.get(&put_action().to_string()).copied().unwrap_or_default()
}

/// Records the number of accepted writes until it is dropped.
async fn sample(sandbox: &Sandbox, row: &Row, samples: &mut Vec<Sample>) {
    if row.throttled_until.is_none() {
        return std::future::pending().await;
    }
    let mut first = None;
    loop {
        tokio::time::sleep(SAMPLING).await;
        let (calls, throttled) = (count(sandbox.calls()), count(sandbox.throttled_calls()));
        if calls > 0 {
            let first = *first.get_or_insert_with(Instant::now);
            let accepted = calls.saturating_sub(throttled);
            samples.push(Sample { at: first.elapsed().as_secs_f64(), accepted });
        }
    }
}

/// The time after `until` from which on calls are accepted at about `rate`. `None` if they never are.
fn back_after(samples: &[Sample], until: f64, rate: f64) -> Option<f64> {
    let after = samples.iter().skip_while(|sample| sample.at < until);
    let mut pairs = after.filter_map(|sample| {
        let later = samples.iter().find(|later| later.at >= sample.at + AT_RATE_FOR)?;
        Some((sample, later))
    });
    let (sample, _) = pairs.find(|(sample, later)| {
        let passed = later.at - sample.at;
        (later.accepted - sample.accepted) as f64 >= AT_RATE * rate * passed
    })?;
    Some(sample.at - until)
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
    let plan = Plan::between(
        &PlanContext::of(account.identity(), Timestamp::now().expect("the clock is right")),
        &config,
        &live,
    );
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
                    if row.has_limit() {
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
