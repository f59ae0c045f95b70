use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// When a user or role last used services and actions, such as `s3` and `s3:CreateBucket`. Copies share the map.
///
/// The times are in seconds before the start of the sandbox, so that they are the same in each run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, u64>", into = "BTreeMap<String, u64>")]
pub(super) struct LastUsed(Arc<BTreeMap<String, u64>>);

/// Services and actions, with the number of days before the start of the sandbox.
pub(super) type Days = &'static [(&'static str, u64)];

impl LastUsed {
    pub(super) fn days(used: Days) -> LastUsed {
        let second = |(name, days): &(&str, u64)| ((*name).to_owned(), days * 24 * 60 * 60);
        LastUsed(Arc::new(used.iter().map(second).collect()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets when the service or action was used.
    pub(super) fn put(&mut self, name: &str, ago: Duration) {
        Arc::make_mut(&mut self.0).insert(name.to_owned(), ago.as_secs());
    }

    /// The services and the names of the actions, if known, with the time before the start of the sandbox.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>, Duration)> {
        self.0.iter().map(|(name, seconds)| {
            let (service, action) = match name.split_once(':') {
                Some((service, action)) => (service, Some(action)),
                None => (name.as_str(), None),
            };
            (service, action, Duration::from_secs(*seconds))
        })
    }
}

impl From<BTreeMap<String, u64>> for LastUsed {
    fn from(used: BTreeMap<String, u64>) -> Self {
        LastUsed(Arc::new(used))
    }
}

impl From<LastUsed> for BTreeMap<String, u64> {
    fn from(LastUsed(used): LastUsed) -> Self {
        Arc::unwrap_or_clone(used)
    }
}
