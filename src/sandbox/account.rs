use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// The account of every access key ID that is not an account ID.
pub const ACCOUNT: &str = "123456789012";

/// All accounts of the sandbox, by account ID.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Accounts(BTreeMap<String, Account>);

/// The users and policies of one account.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(from = "SavedAccount")]
pub(super) struct Account {
    /// The alias of the account; `None` if it has none.
    #[serde(skip)]
    pub(super) alias: Option<String>,
    users: BTreeMap<String, User>,
    policies: BTreeMap<String, Policy>,
    /// The number of deleted users by name. Unique IDs depend on it.
    deletions: BTreeMap<String, u64>,
    /// The user names in lowercase: IAM user names are case-insensitive.
    #[serde(skip)]
    folded: BTreeSet<String>,
}

#[derive(Deserialize)]
struct SavedAccount {
    users: BTreeMap<String, User>,
    policies: BTreeMap<String, Policy>,
    /// Missing from the files of versions that did not count deletions.
    #[serde(default)]
    deletions: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct User {
    pub(super) path: String,
    /// The current boundary. Reads may still return the previous one.
    pub(super) boundary: Option<String>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
    #[serde(skip)]
    stale: Option<Stale>,
}

/// The boundary that reads return until a time after a write.
#[derive(Debug, Clone)]
struct Stale {
    boundary: Option<String>,
    until: Instant,
}

impl User {
    pub(super) fn new(path: &str, boundary: Option<&str>) -> Self {
        let (path, boundary) = (path.to_owned(), boundary.map(str::to_owned));
        User { path, boundary, tags: BTreeMap::new(), stale: None }
    }

    /// Sets the boundary. Reads return it after `staleness`.
    pub(super) fn set_boundary(&mut self, boundary: Option<&str>, staleness: Duration) {
        let now = Instant::now();
        let before = self.visible_boundary(now).map(str::to_owned);
        self.boundary = boundary.map(str::to_owned);
        let until = now + staleness;
        self.stale = (!staleness.is_zero()).then_some(Stale { boundary: before, until });
    }

    /// The boundary that reads return.
    pub(super) fn visible_boundary(&self, now: Instant) -> Option<&str> {
        let stale = self.stale.as_ref().filter(|stale| now < stale.until);
        stale.map_or(&self.boundary, |stale| &stale.boundary).as_deref()
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Policy {
    pub(super) path: String,
    pub(super) name: String,
}

impl From<SavedAccount> for Account {
    fn from(SavedAccount { users, policies, deletions }: SavedAccount) -> Self {
        let folded = users.keys().map(|name| name.to_ascii_lowercase()).collect();
        Account { alias: None, users, policies, deletions, folded }
    }
}

impl Accounts {
    pub(super) fn account(&mut self, id: &str) -> &mut Account {
        self.0.entry(id.to_owned()).or_default()
    }

    /// The account to which the seed and tests add users.
    pub(super) fn home(&mut self) -> &mut Account {
        self.account(ACCOUNT)
    }
}

impl Account {
    pub(super) fn user(&self, name: &str) -> Option<&User> {
        self.users.get(name)
    }

    pub(super) fn user_mut(&mut self, name: &str) -> Option<&mut User> {
        self.users.get_mut(name)
    }

    /// Whether a user has this name in any case.
    pub(super) fn has_user_ignoring_case(&self, name: &str) -> bool {
        self.folded.contains(&name.to_ascii_lowercase())
    }

    pub(super) fn put_user(&mut self, name: &str, path: &str, boundary: Option<&str>) {
        self.users.insert(name.to_owned(), User::new(path, boundary));
        self.folded.insert(name.to_ascii_lowercase());
    }

    /// Returns whether the user existed.
    pub(super) fn remove_user(&mut self, name: &str) -> bool {
        let is_removed = self.users.remove(name).is_some();
        if is_removed {
            self.folded.remove(&name.to_ascii_lowercase());
            *self.deletions.entry(name.to_owned()).or_default() += 1;
        }
        is_removed
    }

    /// The number of users of this name that were deleted from the account.
    pub(super) fn deletions_of(&self, name: &str) -> u64 {
        self.deletions.get(name).copied().unwrap_or_default()
    }

    pub(super) fn policy(&self, arn: &str) -> Option<&Policy> {
        self.policies.get(arn)
    }

    pub(super) fn put_policy(&mut self, arn: &str, path: &str, name: &str) {
        let policy = Policy { path: path.to_owned(), name: name.to_owned() };
        self.policies.insert(arn.to_owned(), policy);
    }

    pub(super) fn remove_policy(&mut self, arn: &str) {
        self.policies.remove(arn);
    }

    pub(super) fn policies(&self) -> impl ExactSizeIterator<Item = (&String, &Policy)> {
        self.policies.iter()
    }

    pub(super) fn user_count(&self) -> usize {
        self.users.len()
    }

    /// The number of users whose boundary is the policy.
    pub(super) fn boundary_count(&self, arn: &str) -> usize {
        self.users.values().filter(|user| user.boundary.as_deref() == Some(arn)).count()
    }

    /// The users after `last`, by name. A marker contains a name and not a position, so pages do not shift while
    /// users are created and deleted.
    pub(super) fn users_after<'a>(
        &'a self,
        last: Option<&str>,
    ) -> impl Iterator<Item = (&'a String, &'a User)> {
        let from = last.map_or(Bound::Unbounded, |last| Bound::Excluded(last.to_owned()));
        self.users.range((from, Bound::Unbounded))
    }

    /// The users up to and including `last`, in reverse order.
    pub(super) fn users_until<'a>(
        &'a self,
        last: &str,
    ) -> impl Iterator<Item = (&'a String, &'a User)> {
        self.users.range(..=last.to_owned()).rev()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_return_the_previous_boundary_until_the_staleness_is_over() {
        let mut user = User::new("/", Some("first"));
        let hour = Duration::from_secs(3_600);
        user.set_boundary(Some("second"), hour);
        user.set_boundary(None, hour);
        let now = Instant::now();
        assert_eq!((user.visible_boundary(now), user.boundary.as_deref()), (Some("first"), None));
        assert_eq!(user.visible_boundary(now + hour), None);
        user.set_boundary(Some("third"), Duration::ZERO);
        assert_eq!(user.visible_boundary(now), Some("third"));
    }
}
