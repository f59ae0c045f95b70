//! The events of an account in CloudTrail.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The action of CloudTrail.
pub(super) const LOOKUP: &str = "LookupEvents";

/// The time for which CloudTrail keeps events
/// (<https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>).
const KEPT: Duration = Duration::from_secs(90 * 24 * 3_600);
/// The maximum number of events of an account. Older ones are lost.
const MAX_EVENTS: usize = 5_000;

/// The events of an account, in the order in which they were recorded.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Trail(VecDeque<Event>);

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Event {
    /// In seconds since the Unix epoch.
    pub(super) time: u64,
    /// The record, which a response has as a text.
    pub(super) record: Map<String, Value>,
}

impl Trail {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds an event. Its time is that of its record, or the present one.
    pub(super) fn add(&mut self, mut record: Map<String, Value>) {
        let time = record.get("eventTime").and_then(Value::as_str);
        let time = time.and_then(|text| humantime::parse_rfc3339(text).ok());
        let time = time.unwrap_or_else(SystemTime::now);
        record.insert(
            "eventTime".to_owned(),
            humantime::format_rfc3339_seconds(time).to_string().into(),
        );
        self.0.push_back(Event { time: seconds(time), record });
        if self.0.len() > MAX_EVENTS {
            self.0.pop_front();
        }
    }

    /// The events that CloudTrail still has, the newest first. Of events of the same second, the one that was recorded
    /// last comes first.
    pub(super) fn newest_first(&self) -> Vec<&Event> {
        let oldest = SystemTime::now().checked_sub(KEPT).map(seconds).unwrap_or_default();
        let mut events: Vec<&Event> = self.0.iter().rev().filter(|it| it.time >= oldest).collect();
        events.sort_by_key(|event| std::cmp::Reverse(event.time));
        events
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}
