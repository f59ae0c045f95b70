//! Measures the cost of the journal: `cargo bench --bench journal`.
//!
//! Applies the same changes with and without a journal, alternately, against a sandbox limited to 500 calls
//! per second. Also writes only the journal, with the concurrency of `apply`. The journal is in the target
//! directory, because the time of a sync depends on the disk.
//!
//!     cargo bench --bench journal -- [--writes N] [--rounds N]
#![allow(clippy::print_stdout, reason = "a bench prints its table")]

use std::error::Error;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use iam_boundaries::apply::{Run, RunOptions, Summary, apply};
use iam_boundaries::aws::{Access, Account, Connection, LimiterOptions, RetryPolicy, StopSwitch};
use iam_boundaries::config::Config;
use iam_boundaries::iam::{PrincipalName, Rate, Timestamp};
use iam_boundaries::inventory::CallOutcome;
use iam_boundaries::journal::{Intent, Journal, Outcome, RunRecord};
use iam_boundaries::plan::{Plan, PlanContext, Preflight};
use iam_boundaries::sandbox::{
    ACCESS_KEY_ID, LimitModel, Options, RateLimit, SECRET_ACCESS_KEY, Sandbox, Throttle,
};

/// The maximum time of `apply` with a journal, as a multiple of the time without one.
const GOAL: f64 = 1.05;
const RATE: f64 = 500.0;
const LATENCY: Duration = Duration::from_millis(50);
/// The default concurrency of `apply`.
const CONCURRENCY: usize = 64;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut writes, mut rounds) = (4_000, 5);
    let mut given = std::env::args().skip(1).filter(|name| name != "--bench");
    while let Some(name) = given.next() {
        let value = given.next().ok_or_else(|| format!("{name} needs a value"))?.parse()?;
        match name.as_str() {
            "--writes" => writes = value,
            "--rounds" => rounds = value,
            _ => return Err(format!("unknown argument {name}").into()),
        }
    }
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        only_journal(folder.path(), writes).await?;
        paired(folder.path(), writes, rounds).await
    })
}

/// Measures how many intents and outcomes per second are written, without calls to IAM.
async fn only_journal(folder: &Path, items: usize) -> Result<(), Box<dyn Error>> {
    let company = Company::of(items).await?;
    println!("\n{:40} {:>9} {:>12}", "only the journal", "items", "items/s");
    for at_once in [1, 16, CONCURRENCY, 256] {
        let journal = company.journal(&folder.join(format!("only-{at_once}.jsonl")))?;
        let applied = CallOutcome::Applied { attempts: 1, request_id: Some("0123456789ab".into()) };
        let began = Instant::now();
        let mut written = stream::iter(&company.preflight.plan.changes)
            .map(async |change| {
                let intended = journal.record_intent(&Intent::from(change)).await;
                journal.record_outcome(&change.principal, &applied);
                intended
            })
            .buffer_unordered(at_once);
        while let Some(intended) = written.next().await {
            intended?;
        }
        let rate = items as f64 / began.elapsed().as_secs_f64();
        println!("{:40} {items:>9} {rate:>12.0}", format!("  {at_once} at once"));
    }
    Ok(())
}

/// Runs with and without a journal, and swaps the order after each round.
async fn paired(folder: &Path, writes: usize, rounds: usize) -> Result<(), Box<dyn Error>> {
    let burst = RATE;
    let ideal = (writes as f64 - burst).max(0.0) / RATE;
    println!(
        "\n{:40} {:>9} {:>9} {:>9} {:>8}",
        format!("{writes} writes at {RATE} calls/s"),
        "without",
        "with",
        "ideal",
        "ratio"
    );
    let mut ratios = Vec::new();
    for round in 1..=rounds {
        let path = folder.join(format!("paired-{round}.jsonl"));
        let company = Company::of(writes).await?;
        let (without, with) = if round % 2 == 0 {
            let with = company.apply(Some(&path)).await?;
            (Company::of(writes).await?.apply(None).await?, with)
        } else {
            let without = Company::of(writes).await?.apply(None).await?;
            (without, company.apply(Some(&path)).await?)
        };
        let record = RunRecord::read(&path)?;
        assert_eq!((record.count(Outcome::Applied), record.unfinished().count()), (writes, 0));
        let ratio = with.as_secs_f64() / without.as_secs_f64();
        ratios.push(ratio);
        println!(
            "{:40} {:>7.2} s {:>7.2} s {ideal:>7.2} s {ratio:>8.3}",
            format!("  round {round}"),
            without.as_secs_f64(),
            with.as_secs_f64(),
        );
    }
    ratios.sort_by(f64::total_cmp);
    if let Some(median) = ratios.get(ratios.len() / 2) {
        let met = if *median <= GOAL { "reached" } else { "missed" };
        println!("{:40} ×{median:.3}, goal ×{GOAL}: {met}", "  median");
    }
    Ok(())
}

/// An account whose users have no boundary, and a plan that adds one to each user.
struct Company {
    _sandbox: Sandbox,
    account: Account,
    preflight: Preflight,
}

impl Company {
    async fn of(users: usize) -> Result<Company, Box<dyn Error>> {
        let rate = Rate::per_second(RATE)?;
        let limit = RateLimit::new(rate, LimitModel::Continuous { burst: None });
        let actions = [("PutUserPermissionsBoundary".parse()?, limit)].into();
        let throttle = Throttle { actions, ..Throttle::default() };
        let sandbox =
            Sandbox::start(Options { latency: LATENCY, throttle, ..Options::default() }).await?;
        let boundary = sandbox.put_policy("Developer");
        let mut file = "[users]\n".to_owned();
        for n in 0..users {
            let user: PrincipalName = format!("user-{n:06}").parse()?;
            sandbox.put_user(&user, None);
            file.push_str(&format!("{user} = \"{boundary}\"\n"));
        }
        let access = Access::Sandbox {
            endpoint_url: sandbox.endpoint_url(),
            access_key_id: ACCESS_KEY_ID,
            secret_access_key: SECRET_ACCESS_KEY,
        };
        let account = Connection::open(&access).await.identify().await?;
        let config = Config::parse("boundaries.toml", &file).map_err(|_| "the file has errors")?;
        let listed: Vec<_> = config.entries().map(|(principal, _)| principal).collect();
        let live = account.inventory(&listed).await?;
        let plan = Plan::between(
            &PlanContext::of(account.identity(), Timestamp::now().expect("the clock is right")),
            &config,
            &live,
        );
        Ok(Company { _sandbox: sandbox, account, preflight: Preflight::fresh(plan) })
    }

    fn journal(&self, path: &Path) -> Result<Journal, Box<dyn Error>> {
        let header = self.preflight.header(self.account.identity(), Timestamp::now()?);
        Ok(Journal::create(path, &header)?)
    }

    /// Applies the plan and returns the duration, including the start and end of the journal.
    async fn apply(&self, path: Option<&PathBuf>) -> Result<Duration, Box<dyn Error>> {
        let limiter = LimiterOptions {
            max_in_flight: CONCURRENCY,
            expected_calls: self.preflight.plan.changes.len(),
        };
        let writer = self.account.writer(limiter, None, RetryPolicy::default());
        let concurrency = NonZeroUsize::new(CONCURRENCY).ok_or("the concurrency is zero")?;
        let options = RunOptions { concurrency, verify_for: Duration::ZERO };
        let (account, switch) = (&self.account, &StopSwitch::new());
        let began = Instant::now();
        let journal = path.map(|path| self.journal(path)).transpose()?;
        let run = Run {
            preflight: &self.preflight,
            account,
            writer: &writer,
            options,
            switch,
            journal: journal.as_ref(),
            events: &|_| {},
        };
        let summary: Summary = apply(run).await;
        if let Some(journal) = journal {
            journal.finish(&summary.end()).await?;
        }
        assert_eq!(summary.applied, self.preflight.plan.changes.len());
        Ok(began.elapsed())
    }
}
