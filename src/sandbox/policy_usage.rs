use std::collections::HashMap;

use super::account::Account;

/// How often each policy of an account is used.
pub(super) struct PolicyUsage<'a>(HashMap<&'a str, PolicyCounts>);

/// How often a policy is used.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PolicyCounts {
    /// The number of users, roles and groups to which it is attached.
    pub(super) attachments: usize,
    /// The number of users and roles whose boundary it is.
    pub(super) boundaries: usize,
}

impl<'a> PolicyUsage<'a> {
    pub(super) fn of(account: &'a Account) -> Self {
        let mut counts: HashMap<&str, PolicyCounts> = HashMap::new();
        let of_entities = account.entities().values().map(|it| &it.policies);
        for policies in of_entities.chain(account.groups().values().map(|it| &it.policies)) {
            for arn in &policies.attached {
                counts.entry(arn).or_default().attachments += 1;
            }
        }
        for arn in account.entities().values().filter_map(|it| it.boundary.as_deref()) {
            counts.entry(arn).or_default().boundaries += 1;
        }
        PolicyUsage(counts)
    }

    pub(super) fn counts(&self, arn: &str) -> PolicyCounts {
        self.0.get(arn).copied().unwrap_or_default()
    }
}
