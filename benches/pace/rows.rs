use std::error::Error;
use std::time::Duration;

use iam_boundaries::iam::Rate;
use iam_boundaries::sandbox::{Burst, Competitor, LimitModel, RateChange, RateLimit};

/// A rate limit and the number of items to write.
#[derive(Debug, Clone)]
pub struct Row {
    pub name: String,
    /// `None` if no call is throttled.
    pub limit: Option<RateLimit>,
    /// The rate of the fixed limiter, in calls per second.
    pub rate: f64,
    pub latency: Duration,
    pub items: usize,
    /// The shortest possible time, in seconds.
    pub ideal: f64,
    /// The maximum number of writes in flight.
    pub concurrency: usize,
    pub changes: bool,
}

/// The goal of this tool in a row.
pub struct Goal {
    pub time: f64,
    pub throttled: u64,
}

impl Row {
    /// At most 1.05 times the ideal time, or 1.10 if the limit changes or there is none. At most 2 % of the calls
    /// throttled, or 12.
    pub fn goal(&self) -> Goal {
        let time = if self.changes || self.limit.is_none() { 1.10 } else { 1.05 };
        Goal { time, throttled: (self.items as u64 / 50).max(12) }
    }
}

const CONCURRENCY: usize = 256;

/// All rows, with items for `seconds` seconds at the limit.
pub fn all(seconds: f64) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut rows = Vec::new();
    for rate in [5.0, 50.0, 500.0] {
        for burst in [1.0, 20.0, 200.0] {
            for latency in [5, 50, 200] {
                rows.push(Row {
                    name: format!("{rate}/s, burst {burst}, {latency} ms"),
                    limit: Some(limit(rate, burst)?),
                    rate,
                    latency: Duration::from_millis(latency),
                    items: (rate * seconds + burst) as usize,
                    ideal: seconds,
                    concurrency: CONCURRENCY,
                    changes: false,
                });
            }
        }
    }
    let half = seconds / 2.0;
    let middle = Duration::from_secs_f64(half);
    for rate in [50.0, 500.0] {
        let changed = |name: &str, after: f64, limit: RateLimit| Row {
            name: format!("{rate}/s, burst 20, 50 ms, {name}"),
            limit: Some(limit),
            rate,
            latency: Duration::from_millis(50),
            items: ((rate + after) * half + 20.0) as usize,
            ideal: seconds,
            concurrency: CONCURRENCY,
            changes: true,
        };
        let change = |rate| -> Result<Vec<RateChange>, Box<dyn Error>> {
            Ok(vec![RateChange { after: middle, rate: Rate::per_second(rate)? }])
        };
        let (less, more) = (rate / 2.0, rate * 2.0);
        let halved = RateLimit { changes: change(less)?, ..limit(rate, 20.0)? };
        let doubled = RateLimit { changes: change(more)?, ..limit(rate, 20.0)? };
        let competitor = Competitor::new(Rate::per_second(less)?, middle, None)?;
        let shared = RateLimit { competitor: Some(competitor), ..limit(rate, 20.0)? };
        rows.push(changed("then half", less, halved));
        rows.push(changed("then double", more, doubled));
        rows.push(changed("then shared", less, shared));
    }
    for concurrency in [32, 64, 128] {
        rows.push(Row {
            name: format!("no limit, 50 ms, {concurrency} at once"),
            limit: None,
            rate: 600.0,
            latency: Duration::from_millis(50),
            items: 5_000,
            ideal: 5_000.0 * 0.05 / concurrency as f64,
            concurrency,
            changes: false,
        });
    }
    Ok(rows)
}

fn limit(rate: f64, burst: f64) -> Result<RateLimit, Box<dyn Error>> {
    let model = LimitModel::Continuous { burst: Some(Burst::of(burst)?) };
    Ok(RateLimit::new(Rate::per_second(rate)?, model))
}
