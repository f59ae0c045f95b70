use super::{ApiError, BoundaryChange, Change, Plan, Problem, ProblemKind};
use crate::aws::{Inventory, Reading};
use crate::config::Config;
use crate::iam::{AccountId, PolicyArn};

impl Plan {
    /// What leads from `live` to `config`. The same input gives the same plan, byte for byte.
    ///
    /// # Panics
    /// When `live` was not asked for every user that `config` lists: that is a mistake of the caller,
    /// and going on would leave users out in silence.
    pub fn between(account: AccountId, config: &Config, live: &Inventory) -> Plan {
        let mut plan = Plan {
            guard: config.guard.clone(),
            ..Plan::empty(account, config.file.clone(), config.digest)
        };
        for (user, listed) in &config.users {
            let reading = live.reading(user).expect("the snapshot has every listed user");
            match boundary(reading) {
                Ok(from) => match BoundaryChange::between(from, listed.boundary.as_ref()) {
                    None => plan.in_sync += 1,
                    Some(action) => {
                        plan.changes.push(Change {
                            user: user.clone(),
                            line: listed.line,
                            action,
                            origin: None,
                        });
                    }
                },
                Err(kind) => plan.problems.push(Problem {
                    user: user.clone(),
                    line: listed.line,
                    column: Some(listed.column),
                    kind,
                }),
            }
        }
        plan.names = plan
            .arns()
            .filter_map(|arn| Some((arn.clone(), config.names.name_of(arn)?.to_owned())))
            .collect();
        plan
    }
}

/// The boundary that was read, or why nothing can be planned for its user.
#[expect(clippy::result_large_err, reason = "it is kept where it is made, and handed no further")]
pub(crate) fn boundary(reading: &Reading) -> Result<Option<&PolicyArn>, ProblemKind> {
    match reading {
        Reading::Boundary(boundary) => Ok(boundary.as_ref()),
        Reading::NoSuchUser { differs_by_case } => {
            Err(ProblemKind::NoSuchUser { differs_by_case: differs_by_case.clone() })
        }
        // Without the request's id, which is another at each reading of the same account.
        Reading::Unreadable(error) => {
            Err(ProblemKind::Unreadable(ApiError { request_id: None, ..error.clone() }))
        }
    }
}
