use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use serde::{Deserialize, Serialize};

use super::ACCOUNT;

/// The accounts that the sandbox has, each with its users and policies.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Accounts(BTreeMap<String, Account>);

/// One account.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub(super) struct Account {
    users: BTreeMap<String, User>,
    policies: BTreeMap<String, Policy>,
    /// The users' names in lower case: no two may be equal.
    #[serde(skip)]
    folded: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Stored {
    users: BTreeMap<String, User>,
    policies: BTreeMap<String, Policy>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct User {
    pub(super) path: String,
    pub(super) boundary: Option<String>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Policy {
    pub(super) path: String,
    pub(super) name: String,
}

impl From<Stored> for Account {
    fn from(Stored { users, policies }: Stored) -> Self {
        let folded = users.keys().map(|name| name.to_ascii_lowercase()).collect();
        Account { users, policies, folded }
    }
}

impl Accounts {
    pub(super) fn account(&mut self, id: &str) -> &mut Account {
        self.0.entry(id.to_owned()).or_default()
    }

    /// The account that tests and the seed fill.
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

    /// Whether a user has this name, in whatever case.
    pub(super) fn has_user_like(&self, name: &str) -> bool {
        self.folded.contains(&name.to_ascii_lowercase())
    }

    pub(super) fn put_user(&mut self, name: &str, path: &str, boundary: Option<&str>) {
        let boundary = boundary.map(str::to_owned);
        let user = User { path: path.to_owned(), boundary, tags: BTreeMap::new() };
        self.users.insert(name.to_owned(), user);
        self.folded.insert(name.to_ascii_lowercase());
    }

    pub(super) fn remove_user(&mut self, name: &str) -> bool {
        self.folded.remove(&name.to_ascii_lowercase());
        self.users.remove(name).is_some()
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

    /// How many users have the policy as their boundary.
    pub(super) fn boundary_count(&self, arn: &str) -> usize {
        self.users.values().filter(|user| user.boundary.as_deref() == Some(arn)).count()
    }

    /// The users after `last`, by name: pages stay whole while users come and go.
    pub(super) fn users_after<'a>(
        &'a self,
        last: Option<&str>,
    ) -> impl Iterator<Item = (&'a String, &'a User)> {
        let from = last.map_or(Bound::Unbounded, |last| Bound::Excluded(last.to_owned()));
        self.users.range((from, Bound::Unbounded))
    }
}
