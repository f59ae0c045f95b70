use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize, Serializer};

use super::account_ids::ACCOUNT;
use super::document::Document;
use super::jobs::Job;
use super::last_used::LastUsed;
use super::policy::{Group, Policies, Policy};
use super::trail::Trail;
use crate::iam::PrincipalKind;

/// All accounts of the sandbox. Accounts without a write share the content of the seed, and have no content of their own.
///
/// The content of every account is that of [`ACCOUNT`]: its ARNs name that account.
/// [`Localizer`](super::localizer::Localizer) translates requests and responses.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    seed: Arc<Account>,
    /// The IDs of the accounts that begin with the seed. The others begin empty.
    seeded: HashSet<String>,
    empty: Arc<Account>,
    /// The content of the accounts with a write, by ID.
    own: BTreeMap<String, Account>,
}

/// The users, roles and policies of one account. Copies share the users and roles that do not differ.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "SavedAccount")]
pub(super) struct Account {
    /// The alias of the account; `None` if it has none.
    pub(super) alias: Option<String>,
    /// By name and kind: a user and a role can have the same name.
    entities: BTreeMap<Key, Arc<Entity>>,
    /// By name.
    groups: BTreeMap<String, Group>,
    /// The customer managed policies by ARN.
    policies: BTreeMap<String, Policy>,
    /// The number of deleted users and roles by name and kind. Unique IDs depend on it.
    deletions: BTreeMap<Key, u64>,
    /// The jobs of last accessed reports by ID.
    jobs: BTreeMap<String, Job>,
    /// The names in lowercase: IAM names are case-insensitive.
    folded: Arc<BTreeSet<Key>>,
    /// The events in CloudTrail.
    pub(super) trail: Trail,
}

/// The name and the kind of a user or role. Pages are in this order, so users and roles are mixed.
pub(super) type Key = (Arc<str>, PrincipalKind);

pub(super) fn key(kind: PrincipalKind, name: &str) -> Key {
    (name.into(), kind)
}

/// An account as the state file has it.
#[derive(Serialize, Deserialize)]
struct SavedAccount {
    users: BTreeMap<String, Entity>,
    /// Missing if there are none, as in the files of versions without roles.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    roles: BTreeMap<String, Entity>,
    /// Missing if there are none, as in the files of versions without groups.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    groups: BTreeMap<String, Group>,
    policies: BTreeMap<String, Policy>,
    /// Of users. Missing from the files of versions that did not count deletions.
    #[serde(default)]
    deletions: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    role_deletions: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "Trail::is_empty")]
    trail: Trail,
}

/// A user or a role: an IAM entity.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Entity {
    pub(super) path: String,
    /// The current boundary. Reads may still return the previous one.
    pub(super) boundary: Option<String>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
    /// The groups of a user.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) groups: BTreeSet<String>,
    #[serde(flatten)]
    pub(super) policies: Policies,
    /// The trust policy of a role; `None` for that of the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) trust_policy: Option<String>,
    #[serde(default, skip_serializing_if = "LastUsed::is_empty")]
    pub(super) last_used: LastUsed,
    /// The creation date; `None` for that of the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) created: Option<String>,
    #[serde(skip)]
    stale: Option<Stale>,
}

/// The boundary that reads return until a time after a write.
#[derive(Debug, Clone)]
struct Stale {
    boundary: Option<String>,
    until: Instant,
}

impl Entity {
    pub(super) fn new(path: &str, boundary: Option<&str>) -> Self {
        Entity {
            path: path.to_owned(),
            boundary: boundary.map(str::to_owned),
            tags: BTreeMap::new(),
            groups: BTreeSet::new(),
            policies: Policies::default(),
            trust_policy: None,
            last_used: LastUsed::default(),
            created: None,
            stale: None,
        }
    }

    /// Sets a tag. It replaces a tag whose key differs only in case
    /// ([tags](https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html)).
    pub(super) fn tag(&mut self, key: &str, value: &str) {
        self.untag(key);
        self.tags.insert(key.to_owned(), value.to_owned());
    }

    /// Removes the tag with this key in any case.
    pub(super) fn untag(&mut self, key: &str) {
        self.tags.retain(|other, _| other.to_lowercase() != key.to_lowercase());
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

impl From<SavedAccount> for Account {
    fn from(saved: SavedAccount) -> Self {
        let SavedAccount { users, roles, groups, policies, deletions, role_deletions, trail } =
            saved;
        let deletions = keyed(deletions, role_deletions);
        let entities = keyed(users, roles).into_iter();
        let entities: BTreeMap<_, _> = entities.map(|(key, it)| (key, Arc::new(it))).collect();
        let folded: BTreeSet<Key> =
            entities.keys().map(|(name, kind)| key(*kind, &name.to_ascii_lowercase())).collect();
        let folded = Arc::new(folded);
        let (alias, jobs) = (None, BTreeMap::new());
        Account { alias, entities, groups, policies, deletions, jobs, folded, trail }
    }
}

fn keyed<T>(users: BTreeMap<String, T>, roles: BTreeMap<String, T>) -> BTreeMap<Key, T> {
    let users = users.into_iter().map(|(name, value)| (key(PrincipalKind::User, &name), value));
    let roles = roles.into_iter().map(|(name, value)| (key(PrincipalKind::Role, &name), value));
    users.chain(roles).collect()
}

impl Serialize for Account {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        fn of<T, V>(
            all: &BTreeMap<Key, T>,
            kind: PrincipalKind,
            value: impl Fn(&T) -> V,
        ) -> BTreeMap<String, V> {
            let of_kind = all.iter().filter(|((_, it), _)| *it == kind);
            of_kind.map(|((name, _), it)| (name.as_ref().to_owned(), value(it))).collect()
        }
        let entities = |kind| of(&self.entities, kind, |entity| Entity::clone(entity));
        let deletions = |kind| of(&self.deletions, kind, |number| *number);
        let saved = SavedAccount {
            users: entities(PrincipalKind::User),
            roles: entities(PrincipalKind::Role),
            groups: self.groups.clone(),
            policies: self.policies.clone(),
            deletions: deletions(PrincipalKind::User),
            role_deletions: deletions(PrincipalKind::Role),
            trail: self.trail.clone(),
        };
        saved.serialize(to)
    }
}

impl Accounts {
    /// The accounts with these IDs begin with the seed, except those that have content of their own.
    pub(super) fn new(
        seed: Account,
        seeded: HashSet<String>,
        own: BTreeMap<String, Account>,
    ) -> Self {
        Accounts { seed: Arc::new(seed), seeded, empty: Arc::default(), own }
    }

    /// Lets more accounts begin with the seed.
    pub(super) fn add(&mut self, ids: impl IntoIterator<Item = String>) {
        self.seeded.extend(ids);
    }

    pub(super) fn exists(&self, id: &str) -> bool {
        self.seeded.contains(id)
    }

    /// The content that the account shares with others; `None` if it has content of its own.
    pub(super) fn shared(&self, id: &str) -> Option<&Arc<Account>> {
        match self.own.contains_key(id) {
            true => None,
            false => Some(self.initial(id)),
        }
    }

    fn initial(&self, id: &str) -> &Arc<Account> {
        if self.seeded.contains(id) { &self.seed } else { &self.empty }
    }

    /// The content of an account, for a read.
    pub(super) fn read(&self, id: &str) -> &Account {
        self.own.get(id).unwrap_or_else(|| self.initial(id))
    }

    /// The content of an account, for a write. From now on, it is the account's own.
    pub(super) fn account(&mut self, id: &str) -> &mut Account {
        if !self.own.contains_key(id) {
            let initial = Account::clone(self.initial(id));
            self.own.insert(id.to_owned(), initial);
        }
        self.own.get_mut(id).expect("the account is in the map")
    }

    /// The content of the accounts with a write, by ID.
    pub(super) fn own(&self) -> &BTreeMap<String, Account> {
        &self.own
    }

    /// The account to which tests add users and roles.
    pub(super) fn home(&mut self) -> &mut Account {
        self.account(ACCOUNT)
    }
}

impl Account {
    pub(super) fn entity(&self, kind: PrincipalKind, name: &str) -> Option<&Entity> {
        self.entities.get(&key(kind, name)).map(Arc::as_ref)
    }

    pub(super) fn entity_mut(&mut self, kind: PrincipalKind, name: &str) -> Option<&mut Entity> {
        self.entities.get_mut(&key(kind, name)).map(Arc::make_mut)
    }

    /// Whether a user or role of this kind has this name in any case.
    pub(super) fn has_ignoring_case(&self, kind: PrincipalKind, name: &str) -> bool {
        self.folded.contains(&key(kind, &name.to_ascii_lowercase()))
    }

    /// Adds a user or role, or sets the boundary of an existing one.
    pub(super) fn put(
        &mut self,
        kind: PrincipalKind,
        name: &str,
        path: &str,
        boundary: Option<&str>,
    ) -> &mut Entity {
        let folded = key(kind, &name.to_ascii_lowercase());
        if !self.folded.contains(&folded) {
            Arc::make_mut(&mut self.folded).insert(folded);
        }
        let new = || Arc::new(Entity::new(path, boundary));
        let entity = Arc::make_mut(self.entities.entry(key(kind, name)).or_insert_with(new));
        entity.set_boundary(boundary, Duration::ZERO);
        entity
    }

    /// The groups by name.
    pub(super) fn groups(&self) -> &BTreeMap<String, Group> {
        &self.groups
    }

    pub(super) fn group_mut(&mut self, name: &str) -> Option<&mut Group> {
        self.groups.get_mut(name)
    }

    /// The group with this name, which is added if it does not exist.
    pub(super) fn put_group(&mut self, name: &str, path: &str) -> &mut Group {
        let new = || Group { path: path.to_owned(), policies: Policies::default() };
        self.groups.entry(name.to_owned()).or_insert_with(new)
    }

    /// Returns whether the user or role existed.
    pub(super) fn remove(&mut self, kind: PrincipalKind, name: &str) -> bool {
        let is_removed = self.entities.remove(&key(kind, name)).is_some();
        if is_removed {
            Arc::make_mut(&mut self.folded).remove(&key(kind, &name.to_ascii_lowercase()));
            *self.deletions.entry(key(kind, name)).or_default() += 1;
        }
        is_removed
    }

    /// The number of users or roles of this name that were deleted from the account.
    pub(super) fn deletions_of(&self, kind: PrincipalKind, name: &str) -> u64 {
        self.deletions.get(&key(kind, name)).copied().unwrap_or_default()
    }

    pub(super) fn policy(&self, arn: &str) -> Option<&Policy> {
        self.policies.get(arn)
    }

    pub(super) fn policy_mut(&mut self, arn: &str) -> Option<&mut Policy> {
        self.policies.get_mut(arn)
    }

    /// Adds a policy with one version. It replaces the policy with this ARN.
    pub(super) fn put_policy(&mut self, arn: &str, path: &str, name: &str, document: Document) {
        self.policies.insert(arn.to_owned(), Policy::new(path, name, document));
    }

    pub(super) fn remove_policy(&mut self, arn: &str) {
        self.policies.remove(arn);
    }

    /// The customer managed policies by ARN.
    pub(super) fn policies(&self) -> &BTreeMap<String, Policy> {
        &self.policies
    }

    pub(super) fn count_of(&self, kind: PrincipalKind) -> usize {
        self.entities.keys().filter(|(_, it)| *it == kind).count()
    }

    pub(super) fn jobs(&self) -> &BTreeMap<String, Job> {
        &self.jobs
    }

    pub(super) fn put_job(&mut self, id: &str, job: Job) {
        self.jobs.insert(id.to_owned(), job);
    }

    /// The users and roles. The order is that of pages.
    pub(super) fn entities(&self) -> &BTreeMap<Key, Arc<Entity>> {
        &self.entities
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_replaces_one_whose_key_differs_only_in_case() {
        let mut user = Entity::new("/", None);
        user.tag("Team", "search");
        user.tag("team", "");
        assert_eq!(user.tags, BTreeMap::from([("team".to_owned(), String::new())]));
        user.untag("TEAM");
        assert!(user.tags.is_empty());
    }

    #[test]
    fn reads_return_the_previous_boundary_until_the_staleness_is_over() {
        let mut user = Entity::new("/", Some("first"));
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
