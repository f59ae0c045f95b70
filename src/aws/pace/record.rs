/// What IAM answered, by the time at which each call was sent, in seconds.
///
/// Most of it is long rows of accepted calls; they are kept as runs, so that thousands of calls take
/// little room and little time to replay.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    entries: Vec<Entry>,
    /// The latest answers, by the time of sending: answers may overtake each other.
    latest: Vec<(f64, bool)>,
    /// Entries of an earlier time were dropped, so it is not known any more how full IAM's bucket was
    /// when the first entry was sent. Before the first call of all, it is full.
    has_lost_its_beginning: bool,
}

/// Calls that followed each other with the same answer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Entry {
    /// This many were accepted, evenly spaced from the first to the last.
    Accepted { first: f64, last: f64, count: f64 },
    /// One was throttled.
    Throttled { at: f64 },
}

/// Answers that may still be overtaken by one to an earlier call.
const UNSETTLED: usize = 32;
/// Runs stay short, so that the spacing within one is even enough.
const LONGEST_RUN: f64 = 8.0;
/// More are not replayed: it would cost time and bring nothing.
const MOST_ENTRIES: usize = 500;
/// Where nothing at all was throttled in so long a time, the older half goes.
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

    /// How many calls were accepted.
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

impl Record {
    /// Takes the answer to the call that was sent at `sent`.
    pub(super) fn add(&mut self, sent: f64, accepted: bool) {
        let at = self.latest.iter().rposition(|(other, _)| *other <= sent).map_or(0, |at| at + 1);
        self.latest.insert(at, (sent, accepted));
        if self.latest.len() > UNSETTLED {
            let (sent, accepted) = self.latest.remove(0);
            append(&mut self.entries, sent, accepted);
            self.bound();
        }
    }

    /// Everything that is known, in the order of sending.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let mut entries = self.entries.clone();
        for &(sent, accepted) in &self.latest {
            append(&mut entries, sent, accepted);
        }
        entries
    }

    /// Whether the first entry is the first call of all, to which the bucket was full.
    pub(super) fn begins_full(&self) -> bool {
        !self.has_lost_its_beginning
    }

    /// Forgets the first `count` of [`Record::entries`], which another limit explains better.
    pub(super) fn forget(&mut self, count: usize) {
        let settled = count.min(self.entries.len());
        self.entries.drain(..settled);
        self.has_lost_its_beginning = true;
    }

    /// Goes on from a throttled call where it can: then the bucket is known to be empty.
    fn bound(&mut self) {
        while self.entries.len() > MOST_ENTRIES {
            let throttled = self.entries.iter().skip(1).position(|entry| entry.is_throttled());
            match throttled {
                Some(at) => self.forget(at + 1),
                None if self.entries.len() > MOST_ENTRIES_UNTHROTTLED => {
                    self.forget(MOST_ENTRIES_UNTHROTTLED / 2);
                }
                None => return,
            }
        }
    }
}

/// The number of entries up to the first throttled one in the later half, if there is one: what is left
/// without them begins just after an empty bucket.
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
        // A pause ends a run: the bucket may have filled up in it.
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
    fn answers_that_overtake_each_other_are_put_back_in_order() {
        let mut record = Record::default();
        for sent in [0.0, 0.3, 0.1, 0.2] {
            record.add(sent, sent != 0.2);
        }
        let entries = record.entries();
        assert!(entries.windows(2).all(|pair| pair[0].last() <= pair[1].first()), "{entries:?}");
        assert_eq!(throttled(&entries), 1);
    }

    #[test]
    fn thousands_of_accepted_calls_take_hundreds_of_entries() {
        let mut record = Record::default();
        for n in 0..4_000 {
            record.add(f64::from(n) * 0.002, true);
        }
        let entries = record.entries();
        assert!(entries.len() < 600, "{}", entries.len());
        assert_eq!(entries.iter().map(|entry| entry.accepted()).sum::<f64>(), 4_000.0);
        assert!(record.begins_full());
    }

    #[test]
    fn a_long_record_goes_on_from_a_throttled_call() {
        let mut record = Record::default();
        for n in 0..20_000 {
            record.add(f64::from(n) * 0.02, n % 200 != 0);
        }
        assert!(record.entries().len() < 600);
        assert!(!record.begins_full());
        assert!(record.entries()[0].is_throttled());
    }
}
