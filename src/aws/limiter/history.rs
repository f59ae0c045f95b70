/// The responses of IAM, ordered by the time at which each call was sent, in seconds.
///
/// Most calls are accepted. Consecutive accepted calls are stored as one entry, so that thousands of calls take
/// little memory and little time to replay.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    entries: Vec<Entry>,
    /// The latest responses, ordered by the time of sending: responses may arrive out of order.
    latest: Vec<(f64, bool)>,
    /// Whether older entries were dropped. The level of IAM's bucket at the first entry is then unknown. Without
    /// dropped entries, the bucket is full at the first entry.
    is_truncated: bool,
}

/// Consecutive calls with the same response.
#[derive(Debug, Clone, Copy)]
pub(super) enum Entry {
    /// `count` calls were accepted, evenly spaced from the first to the last.
    Accepted { first: f64, last: f64, count: f64 },
    /// One call was throttled.
    Throttled { at: f64 },
}

/// The number of responses kept in `latest`: the response to an earlier call may still arrive.
const UNSETTLED: usize = 32;
/// The maximum number of calls in one entry. Few calls are spaced evenly enough.
const LONGEST_RUN: f64 = 8.0;
/// More entries take time to replay and do not improve the estimate.
const MOST_ENTRIES: usize = 500;
/// If none of this many entries is a throttled call, the older half is dropped.
const MOST_ENTRIES_UNTHROTTLED: usize = 2_000;

impl Entry {
    pub(super) fn first(self) -> f64 {
        match self {
            Entry::Accepted { first, .. } => first,
            Entry::Throttled { at } => at,
        }
    }

    pub(super) fn last(self) -> f64 {
        match self {
            Entry::Accepted { last, .. } => last,
            Entry::Throttled { at } => at,
        }
    }

    /// The number of accepted calls.
    pub(super) fn accepted(self) -> f64 {
        match self {
            Entry::Accepted { count, .. } => count,
            Entry::Throttled { .. } => 0.0,
        }
    }

    fn is_throttled(self) -> bool {
        matches!(self, Entry::Throttled { .. })
    }
}

impl History {
    /// Adds the response to the call that was sent at `sent`.
    pub(super) fn add(&mut self, sent: f64, accepted: bool) {
        let at = self.latest.iter().rposition(|(other, _)| *other <= sent).map_or(0, |at| at + 1);
        self.latest.insert(at, (sent, accepted));
        if self.latest.len() > UNSETTLED {
            let (sent, accepted) = self.latest.remove(0);
            append(&mut self.entries, sent, accepted);
            self.limit_length();
        }
    }

    /// All entries, in the order of sending.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let mut entries = self.entries.clone();
        for &(sent, accepted) in &self.latest {
            append(&mut entries, sent, accepted);
        }
        entries
    }

    /// Whether the first entry is the very first call, so the bucket was full before it.
    pub(super) fn starts_full(&self) -> bool {
        !self.is_truncated
    }

    /// Drops the first `count` of [`History::entries`].
    pub(super) fn truncate_front(&mut self, count: usize) {
        let settled = count.min(self.entries.len());
        self.entries.drain(..settled);
        self.is_truncated = true;
    }

    /// Drops old entries up to a throttled call if there is one: after it the bucket is known to be empty.
    fn limit_length(&mut self) {
        while self.entries.len() > MOST_ENTRIES {
            let throttled = self.entries.iter().skip(1).position(|entry| entry.is_throttled());
            match throttled {
                Some(at) => self.truncate_front(at + 1),
                None if self.entries.len() > MOST_ENTRIES_UNTHROTTLED => {
                    self.truncate_front(MOST_ENTRIES_UNTHROTTLED / 2);
                }
                None => return,
            }
        }
    }
}

/// The number of entries up to and including the first throttled call of the later half. The entries after it
/// start with an empty bucket.
pub(super) fn older_half(entries: &[Entry]) -> Option<usize> {
    let middle = entries.len() / 2;
    let at = entries[middle..].iter().position(|entry| entry.is_throttled())?;
    Some(middle + at + 1)
}

/// The number of throttled calls.
pub(super) fn throttled(entries: &[Entry]) -> usize {
    entries.iter().filter(|entry| entry.is_throttled()).count()
}

fn append(entries: &mut Vec<Entry>, sent: f64, accepted: bool) {
    if accepted
        && let Some(Entry::Accepted { first, last, count }) = entries.last_mut()
        && *count < LONGEST_RUN
    {
        // A pause starts a new entry: the bucket may have filled up.
        let longest_gap =
            if *count < 2.0 { 0.05 } else { 2.0 * (*last - *first) / (*count - 1.0) + 0.001 };
        if (0.0..=longest_gap).contains(&(sent - *last)) {
            *last = sent;
            *count += 1.0;
            return;
        }
    }
    entries.push(if accepted {
        Entry::Accepted { first: sent, last: sent, count: 1.0 }
    } else {
        Entry::Throttled { at: sent }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_that_arrive_out_of_order_are_sorted_by_the_time_of_sending() {
        let mut history = History::default();
        for sent in [0.0, 0.3, 0.1, 0.2] {
            history.add(sent, sent != 0.2);
        }
        let entries = history.entries();
        assert!(entries.windows(2).all(|pair| pair[0].last() <= pair[1].first()), "{entries:?}");
        assert_eq!(throttled(&entries), 1);
    }

    #[test]
    fn thousands_of_accepted_calls_take_hundreds_of_entries() {
        let mut history = History::default();
        for n in 0..4_000 {
            history.add(f64::from(n) * 0.002, true);
        }
        let entries = history.entries();
        assert!(entries.len() < 600, "{}", entries.len());
        assert_eq!(entries.iter().map(|entry| entry.accepted()).sum::<f64>(), 4_000.0);
        assert!(history.starts_full());
    }

    #[test]
    fn a_long_history_is_truncated_up_to_a_throttled_call() {
        let mut history = History::default();
        for n in 0..20_000 {
            history.add(f64::from(n) * 0.02, n % 200 != 0);
        }
        assert!(history.entries().len() < 600);
        assert!(!history.starts_full());
        assert!(history.entries()[0].is_throttled());
    }
}
