use std::error::Error;
use std::time::{Duration, Instant};

use iam_boundaries::iam::Rate;
use iam_boundaries::sandbox::{
    ACCOUNT, Action, Burst, Competitor, LatencySpread, LimitModel, RateChange, RateLimit, Throttle,
    Throttler, TimeSpan,
};

/// Rate limits and the number of items to write.
#[derive(Debug, Clone)]
pub struct Row {
    pub name: String,
    /// Without limits, no call is throttled.
    pub throttle: Throttle,
    /// The initial rate that the limits accept, in calls per second.
    pub rate: f64,
    pub latency: Duration,
    pub latency_spread: LatencySpread,
    pub items: usize,
    /// The shortest possible time, in seconds.
    pub ideal: f64,
    /// The maximum number of writes in flight.
    pub concurrency: usize,
    /// The end of the time in which every call is throttled, in seconds since the first call.
    pub throttled_until: Option<f64>,
    pub goal: Goal,
}

/// The goal of this tool in a row.
#[derive(Debug, Clone, Copy)]
pub struct Goal {
    pub time: TimeGoal,
    /// The maximum share of throttled calls. Up to [`FREE_THROTTLED`] calls are within the goal if it is not zero.
    pub throttled_share: f64,
}

#[derive(Debug, Clone, Copy)]
pub enum TimeGoal {
    /// The maximum time as a multiple of the ideal time.
    Ratio(f64),
    /// The maximum time from the end of a time in which every call is throttled until the limit's rate is reached.
    BackWithin(Duration),
}

/// This number of throttled calls is within the goal of every row with a limit.
pub const FREE_THROTTLED: u64 = 12;
/// A run that takes longer than this multiple of the ideal time is ended.
pub const LONGEST: f64 = 2.5;
/// The σ of the log-normal latencies.
const SIGMA: f64 = 0.6;
/// The goals for a log-normal latency are higher by this multiple of the ideal time.
const SPREAD_ALLOWANCE: f64 = 0.05;
/// The default of `apply`.
const CONCURRENCY: usize = 64;
const MS: u64 = 50;
/// The share of throttled calls that the goals permit.
const THROTTLED: f64 = 0.03;

type Built<T> = Result<T, Box<dyn Error>>;

impl Goal {
    fn ratio(ratio: f64) -> Self {
        Goal { time: TimeGoal::Ratio(ratio), throttled_share: THROTTLED }
    }
}

impl Row {
    /// Writes for `seconds` seconds to a limit with this burst and rate.
    fn new(name: String, limit: RateLimit, burst: f64, rate: f64, seconds: f64, goal: f64) -> Row {
        let throttle = Throttle { actions: [(put_action(), limit)].into(), ..Throttle::default() };
        Row {
            name,
            throttle,
            rate,
            latency: Duration::from_millis(MS),
            latency_spread: LatencySpread::default(),
            items: (rate * seconds + burst) as usize,
            ideal: seconds,
            concurrency: CONCURRENCY,
            throttled_until: None,
            goal: Goal::ratio(goal),
        }
    }

    fn latency(self, ms: u64) -> Row {
        let name = format!("{}, {ms} ms", self.name);
        Row { name, latency: Duration::from_millis(ms), ..self }
    }

    /// The ideal time is that of a client that knows the limit.
    fn with_ideal_of_the_limit(self) -> Row {
        Row { ideal: shortest_time(&self.throttle, self.items), ..self }
    }

    /// The same row with a log-normal latency.
    fn with_spread(&self) -> Built<Row> {
        let spread = LatencySpread::of(SIGMA)?;
        let mut row = Row {
            name: format!("{}, log-normal", self.name),
            latency_spread: spread,
            ..self.clone()
        };
        if let TimeGoal::Ratio(ratio) = &mut row.goal.time {
            *ratio += SPREAD_ALLOWANCE;
        }
        if !row.has_limit() {
            row.ideal *= spread.mean(row.latency).as_secs_f64() / row.latency.as_secs_f64();
        }
        Ok(row)
    }

    pub fn has_limit(&self) -> bool {
        !self.throttle.actions.is_empty()
    }
}

pub fn put_action() -> Action {
    "PutUserPermissionsBoundary".parse().expect("the sandbox has this action")
}

/// All rows, with items for `seconds` seconds at the limit.
pub fn all(seconds: f64) -> Built<Vec<Row>> {
    let mut rows = Vec::new();
    rows.extend(refilled_once_a_second(seconds)?);
    rows.extend(two_buckets(seconds)?);
    rows.extend(continuous(seconds)?);
    rows.extend(windows(seconds)?);
    for (name, model, burst) in
        [("per-second", per_second(100.0)?, 100.0), ("continuous", bucket(20.0)?, 20.0)]
    {
        rows.extend(changing(name, model, burst, seconds)?);
        rows.push(throttled_for_ten_seconds(name, model, burst, seconds)?);
    }
    rows.extend(without_limit());
    let mut all = Vec::new();
    for row in rows {
        let spread = row.with_spread()?;
        all.extend([row, spread]);
    }
    Ok(all)
}

fn refilled_once_a_second(seconds: f64) -> Built<Vec<Row>> {
    let mut rows = Vec::new();
    for rate in [5.0, 50.0, 200.0] {
        for burst in [rate, 4.0 * rate] {
            for ms in [20, 200] {
                let name = format!("per-second {rate}/s, burst {burst}");
                let limit = limit(rate, per_second(burst)?)?;
                rows.push(Row::new(name, limit, burst, rate, seconds, 1.05).latency(ms));
            }
        }
    }
    for (rate, burst) in [(50.0, 10.0), (200.0, 50.0)] {
        for ms in [20, 200] {
            let name = format!("per-second {rate}/s, burst {burst}");
            let limit = limit(rate, per_second(burst)?)?;
            // Each refill fills the bucket, so the burst is the rate.
            rows.push(Row::new(name, limit, burst, burst, seconds, 1.08).latency(ms));
        }
    }
    Ok(rows)
}

/// One bucket of the API and one of all writes. Both are refilled once a second, at different times.
fn two_buckets(seconds: f64) -> Built<Vec<Row>> {
    let mut rows = Vec::new();
    let limits: [[(f64, f64); 2]; 3] = [
        [(50.0, 50.0), (40.0, 40.0)],
        [(20.0, 20.0), (50.0, 100.0)],
        // The bucket of the API is empty first.
        [(50.0, 50.0), (40.0, 200.0)],
    ];
    for [(rate, burst), (shared_rate, shared_burst)] in limits {
        let name = format!("two: {rate}/s, {burst} and {shared_rate}/s, {shared_burst}");
        let model = per_second(burst)?;
        let writes = LimitModel::PerSecond {
            burst: Some(Burst::of(shared_burst)?),
            phase: Duration::from_millis(200),
        };
        let lower = rate.min(shared_rate);
        let row = Row::new(name, limit(rate, model)?, burst, lower, seconds, 1.05);
        let items = (rate * seconds + burst).min(shared_rate * seconds + shared_burst);
        let writes = Some(limit(shared_rate, writes)?);
        let throttle = Throttle { writes, ..row.throttle };
        rows.push(Row { throttle, items: items as usize, ..row }.latency(MS));
    }
    Ok(rows)
}

fn continuous(seconds: f64) -> Built<Vec<Row>> {
    let mut rows = Vec::new();
    for rate in [5.0, 50.0, 200.0] {
        for burst in [10.0, 200.0] {
            let name = format!("continuous {rate}/s, burst {burst}");
            let limit = limit(rate, bucket(burst)?)?;
            rows.push(Row::new(name, limit, burst, rate, seconds, 1.03).latency(MS));
        }
    }
    for rate in [5.0, 50.0] {
        let name = format!("continuous {rate}/s, burst 1");
        let limit = limit(rate, bucket(1.0)?)?;
        rows.push(Row::new(name, limit, 1.0, rate, seconds, 1.10).latency(MS));
    }
    Ok(rows)
}

fn windows(seconds: f64) -> Built<Vec<Row>> {
    let mut rows = Vec::new();
    for (model, length, goal) in [
        ("fixed-window:1", 1.0, 1.10),
        ("sliding-window:1", 1.0, 1.10),
        ("fixed-window:5", 5.0, 1.25),
    ] {
        for rate in [20.0, 80.0] {
            let name = format!("{model} {rate}/s");
            let limit = limit(rate, model.parse()?)?;
            let in_window = rate * length;
            let mut row = Row::new(name, limit, in_window, rate, seconds, goal)
                .with_ideal_of_the_limit()
                .latency(MS);
            if length > 1.0 {
                row.goal.throttled_share = 0.05;
            }
            rows.push(row);
        }
    }
    Ok(rows)
}

/// Limits that change in the middle.
fn changing(name: &str, model: LimitModel, burst: f64, seconds: f64) -> Built<Vec<Row>> {
    const RATE: f64 = 50.0;
    const HALF: f64 = RATE / 2.0;
    const DOUBLE: f64 = RATE * 2.0;
    let middle = Duration::from_secs_f64(seconds / 2.0);
    let change = |rate: f64| -> Built<Vec<RateChange>> {
        Ok(vec![RateChange { after: middle, rate: Rate::per_second(rate)? }])
    };
    let constant = limit(RATE, model)?;
    let rival = Some(Competitor::new(Rate::per_second(HALF)?, middle, None)?);
    let mut rows = Vec::new();
    for (change, after, limit) in [
        ("then half", HALF, RateLimit { changes: change(HALF)?, ..constant.clone() }),
        ("then double", DOUBLE, RateLimit { changes: change(DOUBLE)?, ..constant.clone() }),
        ("then a rival", HALF, RateLimit { competitor: rival, ..constant.clone() }),
    ] {
        let name = format!("{name} {RATE}/s, burst {burst}, {change}");
        let row = Row::new(name, limit, burst, RATE, seconds, 1.10);
        let items = ((RATE + after) * seconds / 2.0 + burst) as usize;
        rows.push(Row { items, ..row }.latency(MS));
    }
    Ok(rows)
}

/// A limit that throttles every call for ten seconds, after a third of the time.
fn throttled_for_ten_seconds(
    name: &str,
    model: LimitModel,
    burst: f64,
    seconds: f64,
) -> Built<Row> {
    const RATE: f64 = 50.0;
    let from = Duration::from_secs_f64(seconds / 3.0);
    let until = from + Duration::from_secs(10);
    let limit =
        RateLimit { throttle_all: vec![TimeSpan::new(from, until)?], ..limit(RATE, model)? };
    let name = format!("{name} {RATE}/s, burst {burst}, 10 s none");
    let goal =
        Goal { time: TimeGoal::BackWithin(Duration::from_secs(5)), throttled_share: THROTTLED };
    let row = Row::new(name, limit, burst, RATE, seconds, 1.0).with_ideal_of_the_limit();
    Ok(Row { throttled_until: Some(until.as_secs_f64()), goal, ..row }.latency(MS))
}

fn without_limit() -> impl Iterator<Item = Row> {
    const ITEMS: usize = 5_000;
    [32, 64, 128].into_iter().map(|concurrency| Row {
        name: format!("no limit, {concurrency} at once, {MS} ms"),
        throttle: Throttle::default(),
        rate: f64::from(super::MAX_TOTAL_RATE),
        latency: Duration::from_millis(MS),
        latency_spread: LatencySpread::default(),
        items: ITEMS,
        ideal: ITEMS as f64 * (MS as f64 / 1e3) / concurrency as f64,
        concurrency,
        throttled_until: None,
        goal: Goal { time: TimeGoal::Ratio(1.10), throttled_share: 0.0 },
    })
}

/// The time that a client needs that knows the limits and makes each call as early as possible, in seconds.
fn shortest_time(throttle: &Throttle, items: usize) -> f64 {
    let (mut throttler, action) = (Throttler::new(throttle.clone()), put_action().to_string());
    let (start, mut accepted) = (Instant::now(), 0);
    for millis in 0.. {
        let now = start + Duration::from_millis(millis);
        while accepted < items && throttler.admit(ACCOUNT, &action, now) {
            accepted += 1;
        }
        if accepted == items {
            return millis as f64 / 1e3;
        }
    }
    f64::INFINITY
}

fn per_second(burst: f64) -> Built<LimitModel> {
    // A burst is possible for every token bucket.
    LimitModel::PER_SECOND.with_burst(Burst::of(burst)?).ok_or_else(|| "no bucket".into())
}

fn bucket(burst: f64) -> Built<LimitModel> {
    Ok(LimitModel::Continuous { burst: Some(Burst::of(burst)?) })
}

fn limit(rate: f64, model: LimitModel) -> Built<RateLimit> {
    Ok(RateLimit::new(Rate::per_second(rate)?, model))
}
