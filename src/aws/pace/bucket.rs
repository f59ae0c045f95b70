use super::record::{Entry, Record, older_half, throttled};

/// The token bucket that explains IAM's answers best.
///
/// A bucket holds at most `burst` tokens and gets `rate` new ones a second; an accepted call takes one,
/// a throttled call found less than one and takes none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bucket {
    /// Tokens a second.
    pub(super) rate: f64,
    /// The least rate that explains the answers as well.
    pub(super) least: f64,
    /// The highest rate that explains the answers as well.
    pub(super) most: f64,
    /// How many it holds; none where only calls were seen that do not tell.
    pub(super) burst: Option<f64>,
    /// Tokens that were left after the last answered call.
    pub(super) level: f64,
    /// When that call was sent.
    pub(super) at: f64,
}

/// The rates that are tried at first, over the whole range of those that could be.
const STEPS: i32 = 160;
/// Valleys of the first try that are looked into more closely.
const VALLEYS: usize = 8;
/// An explanation is as good as another when they differ by less, in tokens.
const AS_GOOD: f64 = 0.08;
/// A bucket that never overflows, for records that cannot tell how much it holds.
const BOTTOMLESS: f64 = 10_000.0;
/// No sensible limit is higher, in calls a second.
const HIGHEST_RATE: f64 = 5_000.0;
/// Just after a throttled call there is some part of one token left: half, for want of knowledge.
const LEFT_WHEN_THROTTLED: f64 = 0.5;

impl Bucket {
    /// How far apart the rates are that explain the answers equally well: 1 is certainty.
    pub(super) fn spread(&self) -> f64 {
        self.most / self.least
    }

    /// Finds the bucket that explains `record`, if it can tell anything yet.
    ///
    /// `burst` is what is known of it from an earlier time. Where no single limit explains the record,
    /// the limit has changed, and the older part of the record is forgotten.
    pub(super) fn explaining(record: &mut Record, burst: Option<f64>) -> Option<Bucket> {
        let mut entries = record.entries();
        loop {
            let known = if record.begins_full() { None } else { Some(burst.unwrap_or(BOTTOMLESS)) };
            let fit = Fit::of(&entries, known)?;
            // Clocks and networks are not exact: each throttled call may be wrong by a little.
            let tolerated = 2.0 + throttled(&entries) as f64 * (0.1 + 0.5e-3 * fit.bucket.rate);
            match older_half(&entries) {
                Some(count) if fit.cost > tolerated && entries.len() - count >= 6 => {
                    record.forget(count);
                    entries.drain(..count);
                }
                _ => return Some(fit.bucket),
            }
        }
    }
}

struct Fit {
    bucket: Bucket,
    cost: f64,
}

impl Fit {
    /// Tries rates: the whole range coarsely, then the best valleys finely.
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
        let bucket = Bucket {
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

/// Goes down from a rate to where its neighbours are no better.
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

/// How far a rate can be moved before it explains the answers less well.
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

/// The answers as a bucket of a certain rate would have given them.
///
/// What a bucket lacks to be full depends on its rate alone, not on how much it holds. So the burst need
/// not be tried: it is the deepest deficit at which a call was still accepted.
struct Replay {
    /// The deepest deficit at which a call was accepted, with that call's token.
    deepest: f64,
    /// What is lacking after the last call.
    deficit: f64,
    /// By how many tokens the answers are not as they should be.
    cost: f64,
}

impl Replay {
    fn of(entries: &[Entry], rate: f64, burst: Option<f64>) -> Replay {
        // What a timer or a network may be late by costs nothing.
        let tolerance = 0.01 + 0.3e-3 * rate;
        // A record that has lost its beginning goes on from a throttled call.
        let mut deficit = burst.map_or(0.0, |burst| burst - LEFT_WHEN_THROTTLED);
        let mut deepest = burst.unwrap_or(1.0);
        let mut refused = Vec::new();
        let mut before = entries.first().map_or(0.0, |entry| entry.first());
        for &entry in entries {
            // Below zero: the bucket has been full for a while.
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
        // One wild answer is not worth more than two tokens.
        let wrongly_refused = |needed: &f64| (holds - needed - tolerance).clamp(0.0, 2.0);
        let cost = wrongly_accepted + refused.iter().map(wrongly_refused).sum::<f64>();
        Replay { deepest, deficit, cost }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The record of calls sent `every` so many seconds to a bucket.
    fn record_of(rate: f64, burst: f64, every: f64, calls: u32) -> Record {
        let mut record = Record::default();
        let mut level = burst;
        for n in 0..calls {
            level = (level + if n > 0 { rate * every } else { 0.0 }).min(burst);
            let accepted = level >= 1.0;
            if accepted {
                level -= 1.0;
            }
            record.add(f64::from(n) * every, accepted);
        }
        record
    }

    #[test]
    fn rate_and_burst_are_found_from_a_burst_that_ran_out() {
        for (rate, burst, every, calls) in
            [(50.0, 20.0, 0.01, 60), (5.0, 200.0, 0.02, 260), (500.0, 100.0, 0.001, 400)]
        {
            let bucket =
                Bucket::explaining(&mut record_of(rate, burst, every, calls), None).unwrap();
            assert!((bucket.rate / rate - 1.0).abs() < 0.1, "{rate}: {bucket:?}");
            assert!(bucket.least <= rate * 1.01 && bucket.most >= rate * 0.99, "{bucket:?}");
            assert!((bucket.burst.unwrap() - burst).abs() < 3.0, "{burst}: {bucket:?}");
        }
    }

    #[test]
    fn a_bucket_of_one_is_told_from_a_larger_one() {
        let bucket = Bucket::explaining(&mut record_of(50.0, 1.0, 0.003, 100), None).unwrap();
        assert!(bucket.burst.unwrap() < 1.5, "{bucket:?}");
        assert!(bucket.least < 50.0 && bucket.most > 50.0, "{bucket:?}");
        assert!((bucket.rate / 50.0 - 1.0).abs() < 0.1, "{bucket:?}");
    }

    #[test]
    fn what_an_older_limit_explains_is_forgotten() {
        let mut record = record_of(50.0, 20.0, 0.01, 200);
        let mut level: f64 = 0.0;
        for n in 0..200 {
            level += 10.0 * 0.02;
            let accepted = level >= 1.0;
            if accepted {
                level -= 1.0;
            }
            record.add(2.0 + f64::from(n) * 0.02, accepted);
        }
        let bucket = Bucket::explaining(&mut record, Some(20.0)).unwrap();
        assert!((bucket.rate / 10.0 - 1.0).abs() < 0.1, "{bucket:?}");
        assert!(!record.begins_full());
    }

    #[test]
    fn one_answer_tells_nothing() {
        let mut record = Record::default();
        record.add(0.0, true);
        assert_eq!(Bucket::explaining(&mut record, None), None);
    }
}
