use super::history::{Entry, History, older_half, throttled};

/// The token bucket that explains IAM's responses best.
///
/// A bucket holds at most `burst` tokens and is refilled with `rate` tokens per second. An accepted call takes
/// one token. A throttled call finds less than one token and takes none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct FittedBucket {
    /// The refill rate, in tokens per second.
    pub(super) rate: f64,
    /// The lowest rate that explains the responses equally well.
    pub(super) least: f64,
    /// The highest rate that explains the responses equally well.
    pub(super) most: f64,
    /// The capacity in tokens; `None` if the history does not determine it.
    pub(super) burst: Option<f64>,
    /// The number of tokens left after the last entry.
    pub(super) level: f64,
    /// The time at which the last call of the history was sent, in seconds.
    pub(super) at: f64,
}

/// The number of rates of the coarse search, over the whole range of possible rates.
const STEPS: i32 = 160;
/// The number of local minima of the coarse search that are refined.
const VALLEYS: usize = 8;
/// Two rates explain the responses equally well if their costs differ by at most this number of tokens.
const AS_GOOD: f64 = 0.08;
/// The capacity of a bucket that never overflows, for a history that does not determine the capacity.
const BOTTOMLESS: f64 = 10_000.0;
/// The highest plausible limit, in calls per second.
const HIGHEST_RATE: f64 = 5_000.0;
/// After a throttled call, a part of one token is left. Its size is unknown: half a token is assumed.
const LEFT_WHEN_THROTTLED: f64 = 0.5;

impl FittedBucket {
    /// The ratio of the highest to the lowest rate that explain the responses equally well; 1 is certainty.
    pub(super) fn spread(&self) -> f64 {
        self.most / self.least
    }

    /// Fits a bucket to `history`; `None` if the history is too short.
    ///
    /// `burst` is the capacity known from an earlier fit. If no single bucket explains the history, the limit has
    /// changed. The older part of the history is then dropped.
    pub(super) fn fit(history: &mut History, burst: Option<f64>) -> Option<FittedBucket> {
        let mut entries = history.entries();
        loop {
            let known =
                if history.starts_full() { None } else { Some(burst.unwrap_or(BOTTOMLESS)) };
            let fit = Fit::of(&entries, known)?;
            // Clocks and networks are not exact: each throttled call may deviate a little.
            let tolerated = 2.0 + throttled(&entries) as f64 * (0.1 + 0.5e-3 * fit.bucket.rate);
            match older_half(&entries) {
                Some(count) if fit.cost > tolerated && entries.len() - count >= 6 => {
                    history.truncate_front(count);
                    entries.drain(..count);
                }
                _ => return Some(fit.bucket),
            }
        }
    }
}

struct Fit {
    bucket: FittedBucket,
    cost: f64,
}

impl Fit {
    /// Searches the whole range of rates coarsely, then refines the best local minima.
    fn of(entries: &[Entry], burst: Option<f64>) -> Option<Fit> {
        let [first, .., last] = entries else { return None };
        let span = (last.last() - first.first()).max(1e-4);
        let accepted: f64 = entries.iter().map(|entry| entry.accepted()).sum();
        let top = ((accepted + 2.0) / span * 1.5).min(HIGHEST_RATE);
        let bottom = (0.02 / span).max(0.02).min(top / 10.0);
        let step = (top / bottom).powf(1.0 / f64::from(STEPS));
        let cost = |rate: f64| Replay::of(entries, rate, burst).cost;

        let tried: Vec<(f64, f64)> =
            (0..=STEPS).map(|n| bottom * step.powi(n)).map(|rate| (rate, cost(rate))).collect();
        let is_valley = |at: usize| {
            (at == 0 || tried[at].1 <= tried[at - 1].1)
                && tried.get(at + 1).is_none_or(|next| tried[at].1 <= next.1)
        };
        let mut valleys: Vec<_> =
            (0..tried.len()).filter(|&at| is_valley(at)).map(|at| tried[at]).collect();
        valleys.sort_by(|one, other| one.1.total_cmp(&other.1));
        let (rate, cost_of_best) = valleys
            .into_iter()
            .take(VALLEYS)
            .map(|valley| descend(valley, step, &cost))
            .min_by(|one, other| one.1.total_cmp(&other.1))?;

        let is_as_good = |rate: f64| {
            (bottom..=2.0 * top).contains(&rate) && cost(rate) <= cost_of_best + AS_GOOD
        };
        let least = reach(rate, |rate, factor| rate / factor, is_as_good);
        let most = reach(rate, |rate, factor| rate * factor, is_as_good);
        let middle = (least * most).sqrt();
        let rate = if is_as_good(middle) { middle } else { rate };
        let replay = Replay::of(entries, rate, burst);
        let holds = burst.unwrap_or(replay.deepest);
        let bucket = FittedBucket {
            rate,
            least,
            most,
            burst: (holds < BOTTOMLESS && accepted > 0.0).then_some(holds),
            level: (holds - replay.deficit).max(0.0),
            at: last.last(),
        };
        Some(Fit { bucket, cost: cost_of_best })
    }
}

/// Descends from a rate to a local minimum of the cost.
fn descend(from: (f64, f64), step: f64, cost: &impl Fn(f64) -> f64) -> (f64, f64) {
    let mut best = from;
    let mut width = step;
    for _ in 0..6 {
        let middle = best.0;
        for n in -4..=4 {
            let rate = middle * width.powf(f64::from(n) / 4.0);
            let cost = cost(rate);
            if cost < best.1 {
                best = (rate, cost);
            }
        }
        width = width.powf(0.3);
    }
    best
}

/// The last rate, moved away from `from`, that explains the responses equally well.
fn reach(from: f64, moved: impl Fn(f64, f64) -> f64, is_as_good: impl Fn(f64) -> bool) -> f64 {
    let mut rate = from;
    let mut stride = 0.002;
    for _ in 0..60 {
        let further = moved(rate, 1.0 + stride);
        if is_as_good(further) {
            rate = further;
            stride *= 1.6;
        } else if stride > 0.003 {
            stride /= 4.0;
        } else {
            break;
        }
    }
    rate
}

/// A replay of the history against a bucket with a given refill rate.
///
/// The deficit of a bucket (the number of tokens that it lacks to be full) depends only on its refill rate, not
/// on its capacity. The capacity therefore needs no search: it is the deepest deficit at which a call was still
/// accepted.
struct Replay {
    /// The deepest deficit at which a call was accepted, including the token of that call.
    deepest: f64,
    /// The deficit after the last call.
    deficit: f64,
    /// The sum of the deviations from the expected responses, in tokens.
    cost: f64,
}

impl Replay {
    fn of(entries: &[Entry], rate: f64, burst: Option<f64>) -> Replay {
        // Jitter of timers and networks costs nothing.
        let tolerance = 0.01 + 0.3e-3 * rate;
        // A truncated history starts after a throttled call.
        let mut deficit = burst.map_or(0.0, |burst| burst - LEFT_WHEN_THROTTLED);
        let mut deepest = burst.unwrap_or(1.0);
        let mut refused = Vec::new();
        let mut before = entries.first().map_or(0.0, |entry| entry.first());
        for &entry in entries {
            // Below zero, the bucket has been full for a while.
            let reached = deficit - rate * (entry.first() - before);
            before = entry.last();
            match entry {
                Entry::Accepted { first, last, count } => {
                    deficit = reached.max(0.0) + 1.0;
                    deepest = deepest.max(deficit);
                    if count > 1.0 {
                        deficit = (deficit + count - 1.0 - rate * (last - first)).max(1.0);
                        deepest = deepest.max(deficit);
                    }
                }
                Entry::Throttled { .. } => {
                    refused.push(reached + 1.0);
                    deficit = reached.max(0.0);
                }
            }
        }
        let holds = burst.unwrap_or(deepest);
        let wrongly_accepted = (deepest - holds - tolerance).max(0.0);
        // One outlier costs at most two tokens.
        let wrongly_refused = |needed: &f64| (holds - needed - tolerance).clamp(0.0, 2.0);
        let cost = wrongly_accepted + refused.iter().map(wrongly_refused).sum::<f64>();
        Replay { deepest, deficit, cost }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The history of calls that are sent to a bucket at an interval of `every` seconds.
    fn history_of(rate: f64, burst: f64, every: f64, calls: u32) -> History {
        let mut history = History::default();
        let mut level = burst;
        for n in 0..calls {
            level = (level + if n > 0 { rate * every } else { 0.0 }).min(burst);
            let accepted = level >= 1.0;
            if accepted {
                level -= 1.0;
            }
            history.add(f64::from(n) * every, accepted);
        }
        history
    }

    #[test]
    fn rate_and_burst_are_measured_when_the_bucket_becomes_empty() {
        for (rate, burst, every, calls) in
            [(50.0, 20.0, 0.01, 60), (5.0, 200.0, 0.02, 260), (500.0, 100.0, 0.001, 400)]
        {
            let bucket =
                FittedBucket::fit(&mut history_of(rate, burst, every, calls), None).unwrap();
            assert!((bucket.rate / rate - 1.0).abs() < 0.1, "{rate}: {bucket:?}");
            assert!(bucket.least <= rate * 1.01 && bucket.most >= rate * 0.99, "{bucket:?}");
            assert!((bucket.burst.unwrap() - burst).abs() < 3.0, "{burst}: {bucket:?}");
        }
    }

    #[test]
    fn a_bucket_of_one_token_is_distinguished_from_a_larger_one() {
        let bucket = FittedBucket::fit(&mut history_of(50.0, 1.0, 0.003, 100), None).unwrap();
        assert!(bucket.burst.unwrap() < 1.5, "{bucket:?}");
        assert!(bucket.least < 50.0 && bucket.most > 50.0, "{bucket:?}");
        assert!((bucket.rate / 50.0 - 1.0).abs() < 0.1, "{bucket:?}");
    }

    #[test]
    fn the_part_of_the_history_before_a_change_of_the_limit_is_dropped() {
        let mut history = history_of(50.0, 20.0, 0.01, 200);
        let mut level: f64 = 0.0;
        for n in 0..200 {
            level += 10.0 * 0.02;
            let accepted = level >= 1.0;
            if accepted {
                level -= 1.0;
            }
            history.add(2.0 + f64::from(n) * 0.02, accepted);
        }
        let bucket = FittedBucket::fit(&mut history, Some(20.0)).unwrap();
        assert!((bucket.rate / 10.0 - 1.0).abs() < 0.1, "{bucket:?}");
        assert!(!history.starts_full());
    }

    #[test]
    fn one_response_is_not_enough_to_fit_a_bucket() {
        let mut history = History::default();
        history.add(0.0, true);
        assert_eq!(FittedBucket::fit(&mut history, None), None);
    }
}
