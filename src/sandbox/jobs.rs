use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

/// A job that generates a last accessed report. Jobs are in memory only.
#[derive(Debug, Clone)]
pub(super) struct Job {
    /// Whether the report has actions.
    pub(super) is_action_level: bool,
    pub(super) created: SystemTime,
    pub(super) completes: Instant,
    /// The time from the creation to the completion.
    pub(super) job_time: Duration,
    /// Whether it ends without a report.
    pub(super) has_failed: bool,
    /// The services by namespace.
    pub(super) report: BTreeMap<String, UsedService>,
}

/// The last use: the time before the start of the sandbox, and the ARN of the user or role.
pub(super) type UsedAction = (Duration, String);

/// A service of a report.
#[derive(Debug, Clone, Default)]
pub(super) struct UsedService {
    /// `None` if it was not used.
    pub(super) last: Option<UsedAction>,
    /// The number of users and roles that used it.
    pub(super) entities: usize,
    /// The actions that were used, by name.
    pub(super) actions: BTreeMap<String, UsedAction>,
}
