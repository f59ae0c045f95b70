use std::time::Duration;

use super::view::{add_counts, grouped};
use crate::apply::Event;
use crate::iam::{PrincipalCounts, Rate};
use crate::inventory::{CallOutcome, ErrorClass, Wait};
use crate::journal::Outcome;

/// The progress of a run. The elapsed time is an argument, so that tests can choose it.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    total: PrincipalCounts,
    ended: usize,
    failed: usize,
    not_attempted: usize,
    /// The number of changes that a check during the run found in conflict. They are not attempted either.
    conflicts: usize,
    throttled: usize,
    /// The principals that are being verified.
    verifying: PrincipalCounts,
    /// The measured rate that IAM sustains.
    rate: Option<Rate>,
    wait: Option<Wait>,
}

impl Progress {
    /// Processes the next event.
    pub fn on(&mut self, event: &Event) {
        match event {
            Event::Started { changes } => *self = Progress { total: *changes, ..Self::default() },
            Event::Retrying { retry, .. } if retry.error.class == ErrorClass::Throttled => {
                self.throttled += 1;
                self.rate = retry.measured_rate.or(self.rate);
            }
            Event::Answered { call, .. } => {
                self.ended += 1;
                self.failed += usize::from(matches!(call, CallOutcome::Failed { .. }));
            }
            // All others were counted when their last attempt ended.
            Event::Ended(item) if item.outcome() == Outcome::NotAttempted => {
                self.ended += 1;
                match item.conflict() {
                    Some(_) => self.conflicts += 1,
                    None => self.not_attempted += 1,
                }
            }
            Event::Verifying { principals } => self.verifying = *principals,
            Event::Waiting(wait) => self.wait = wait.clone(),
            Event::Ended(_) | Event::Retrying { .. } | Event::StoppedBy(_) | Event::Finished(_) => {
            }
        }
    }

    /// The number of changes whose last attempt has ended. Changes that are not attempted do not count.
    pub fn attempted(&self) -> usize {
        self.ended - self.not_attempted - self.conflicts
    }

    /// The text after the count: rate, time left, failures and throttling; during verification, the number
    /// of principals. At its end is what the run waits for.
    pub fn remark(&self, elapsed: Duration) -> String {
        match &self.wait {
            Some(wait) => format!("{}, waiting for {wait}", self.counts(elapsed)),
            None => self.counts(elapsed),
        }
    }

    /// The text after a bar, which is cut at the width of the terminal: the reason of a wait comes first.
    pub fn bar_remark(&self, elapsed: Duration) -> String {
        match &self.wait {
            Some(wait) => format!("{}, {}", wait.reason_first(), self.counts(elapsed)),
            None => self.counts(elapsed),
        }
    }

    fn counts(&self, elapsed: Duration) -> String {
        if self.verifying.total() > 0 {
            return format!("verifying {}", self.verifying);
        }
        let attempted = self.attempted();
        let rate = attempted as f64 / elapsed.as_secs_f64().max(1e-3);
        let mut remark = format!("{rate:.1}/s");
        let left = self.total.total() - self.ended;
        if left > 0 && attempted > 0 {
            let seconds = Duration::from_secs_f64((left as f64 / rate).ceil());
            remark.push_str(&format!(", about {} left", clock(seconds)));
        }
        add_counts(
            &mut remark,
            &[
                (self.failed, "failed"),
                (self.not_attempted, "not attempted"),
                (self.conflicts, "in conflict"),
            ],
        );
        if self.throttled > 0 {
            remark.push_str(&match self.rate {
                Some(rate) => format!(", IAM is throttling: sustaining {rate}"),
                None => ", IAM is throttling: measuring the sustainable rate".to_owned(),
            });
        }
        remark
    }

    /// One line for a log: `apply: 120 of 500 users, 24.0/s, about 16 s left`.
    pub fn line(&self, elapsed: Duration) -> String {
        let attempted = grouped(self.attempted());
        format!("apply: {attempted} of {}, {}", self.total, self.remark(elapsed))
    }
}

fn clock(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7_200 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{} h", seconds.div_ceil(3_600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::{Item, Verification};
    use crate::config::Provenance;
    use crate::iam::{BoundaryChange, Principal};
    use crate::inventory::Reading;
    use crate::plan::Change;

    #[test]
    fn the_line_says_how_many_how_fast_and_how_long() {
        let progress = Progress { total: users(500), ended: 120, ..Progress::default() };
        let line = progress.line(Duration::from_secs(5));
        assert_eq!(line, "apply: 120 of 500 users, 24.0/s, about 16 s left");
        let total = PrincipalCounts { users: 480, roles: 20 };
        let line = Progress { total, ..progress }.line(Duration::from_secs(5));
        assert_eq!(line, "apply: 120 of 480 users and 20 roles, 24.0/s, about 16 s left");
    }

    #[test]
    fn the_line_has_failures_throttling_and_the_measured_rate() {
        let mut progress = Progress {
            total: users(10),
            ended: 10,
            failed: 2,
            throttled: 7,
            ..Progress::default()
        };
        let remark = progress.remark(Duration::from_secs(10));
        assert_eq!(remark, "1.0/s, 2 failed, IAM is throttling: measuring the sustainable rate");
        progress.rate = Some(Rate::per_second(4.971).unwrap());
        let remark = progress.remark(Duration::from_secs(10));
        assert_eq!(remark, "1.0/s, 2 failed, IAM is throttling: sustaining 4.97 calls/s");
    }

    #[test]
    fn when_everything_is_written_the_line_says_how_many_users_are_verified() {
        let mut progress = Progress { total: users(10), ended: 10, ..Progress::default() };
        progress.on(&Event::Verifying { principals: users(9) });
        let line = progress.line(Duration::from_secs(10));
        assert_eq!(line, "apply: 10 of 10 users, verifying 9 users");
        progress.on(&Event::Verifying { principals: PrincipalCounts { users: 1, roles: 2 } });
        assert_eq!(progress.remark(Duration::from_secs(12)), "verifying 1 user and 2 roles");
    }

    #[test]
    fn the_line_says_what_the_run_waits_for_until_it_no_longer_waits() {
        let mut progress = Progress { total: users(10), ended: 10, ..Progress::default() };
        progress.on(&Event::Waiting(Some(Wait {
            what: "iam:GetUser".into(),
            is_call: true,
            endpoint: None,
            duration: Duration::from_secs(7),
            attempts: 1,
            error: None,
            progress: None,
        })));
        let remark = progress.remark(Duration::from_secs(10));
        let expected = "1.0/s, waiting for one call of iam:GetUser: no response for 7 seconds";
        assert_eq!(remark, expected);
        progress.on(&Event::Waiting(None));
        assert_eq!(progress.remark(Duration::from_secs(10)), "1.0/s");
    }

    #[test]
    fn changes_that_are_not_attempted_do_not_count_as_done() {
        let mut progress =
            Progress { total: users(200), ended: 32, failed: 4, ..Progress::default() };
        for n in 0..168 {
            let verification = match n {
                0 => Verification::Conflict(Reading::NotFound { differs_by_case: None }),
                _ => Verification::NotNeeded,
            };
            progress.on(&Event::Ended(not_attempted(n, verification)));
        }
        assert_eq!(progress.attempted(), 32);
        let line = progress.line(Duration::from_secs(16));
        let expected = "apply: 32 of 200 users, 2.0/s, 4 failed, 167 not attempted, 1 in conflict";
        assert_eq!(line, expected);
    }

    fn users(users: usize) -> PrincipalCounts {
        PrincipalCounts { users, roles: 0 }
    }

    fn not_attempted(n: usize, verification: Verification) -> Item {
        let to = "arn:aws:iam::123456789012:policy/Developer".parse().unwrap();
        let change = Change {
            principal: Principal::user(format!("user-{n}").parse().unwrap()),
            unique_id: None,
            boundary: BoundaryChange::Add { to },
            provenance: Provenance::entry(&"boundaries.toml".into(), n + 2, None),
            reason: None,
            expired: None,
            origin: None,
            widening: None,
        };
        Item { change, call: CallOutcome::NotAttempted, verification }
    }

    #[test]
    fn before_the_first_response_no_time_left_is_estimated() {
        let progress = Progress { total: users(10), ..Progress::default() };
        assert_eq!(progress.remark(Duration::ZERO), "0.0/s");
        assert_eq!(clock(Duration::from_secs(3_601)), "61 min");
    }
}
