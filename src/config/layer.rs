use std::collections::BTreeMap;

use super::guard::GuardKeys;
use super::{ByKind, Config, Entry, Located, OnMissing, OnUnlisted, Rule, ShortNames};
use crate::iam::{AccountId, AssumeRole, PrincipalName};

/// The content of one file, as far as it is valid.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) account: Option<Located<AccountId>>,
    pub(super) assume_role: Option<AssumeRole>,
    pub(super) guard: GuardKeys,
    pub(super) users: BTreeMap<PrincipalName, Entry>,
    pub(super) roles: BTreeMap<PrincipalName, Entry>,
    pub(super) rules: Vec<Rule>,
    pub(super) unlisted: ByKind<Option<Located<OnUnlisted>>>,
    pub(super) missing: ByKind<Option<OnMissing>>,
}

impl Layer {
    /// This layer over an `earlier` one: the keys of this one apply, and its rules are tried first. An entry replaces the
    /// whole earlier entry of the same principal.
    pub(super) fn over(self, earlier: Layer) -> Layer {
        let mut layer = earlier;
        layer.account = self.account.or(layer.account);
        layer.assume_role = self.assume_role.or(layer.assume_role);
        layer.guard = self.guard.over(layer.guard);
        layer.users.extend(self.users);
        layer.roles.extend(self.roles);
        layer.rules.splice(0..0, self.rules);
        let unlisted = self.unlisted;
        layer.unlisted.users = unlisted.users.or(layer.unlisted.users);
        layer.unlisted.roles = unlisted.roles.or(layer.unlisted.roles);
        layer.missing.users = self.missing.users.or(layer.missing.users);
        layer.missing.roles = self.missing.roles.or(layer.missing.roles);
        layer
    }

    /// The content of this layer as that of a file.
    pub(super) fn into_config(self, names: ShortNames) -> Config {
        let Layer { account, assume_role, guard, users, roles, rules, unlisted, missing } = self;
        let (guard, protected) = guard.into_guard();
        Config {
            account,
            assume_role,
            names,
            guard,
            protected,
            users,
            roles,
            rules,
            unlisted,
            missing,
            ..Config::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::Position;

    fn position(line: usize) -> Position {
        Position { file: "f.toml".into(), line, column: 1 }
    }

    fn entry(line: usize) -> Entry {
        Entry {
            boundary: None,
            reason: None,
            expiration: None,
            missing: None,
            position: position(line),
        }
    }

    fn rule(line: usize) -> Rule {
        Rule {
            kind: crate::iam::PrincipalKind::User,
            paths: Vec::new(),
            groups: Vec::new(),
            tags: Vec::new(),
            names: Vec::new(),
            except: Vec::new(),
            boundary: "policy/P".parse().unwrap(),
            position: position(line),
        }
    }

    /// A layer whose values are told apart by their lines.
    fn layer() -> impl Strategy<Value = Layer> {
        let names = || prop::collection::btree_map("[a-d]", 1..1000_usize, 0..4);
        let lines = prop::collection::vec(1..1000_usize, 0..3);
        let count = || prop::option::of(0..100_usize);
        (names(), names(), lines, count(), count(), any::<Option<bool>>()).prop_map(
            |(users, roles, rules, changes, unlisted, own)| {
                let entries = |names: BTreeMap<String, usize>| {
                    names
                        .into_iter()
                        .map(|(name, line)| (name.parse().unwrap(), entry(line)))
                        .collect()
                };
                let located = |line| Located { value: OnUnlisted::Warn, position: position(line) };
                Layer {
                    guard: GuardKeys {
                        max_changes: changes.map(crate::iam::Threshold::Count),
                        allow_own_boundary: own,
                        ..GuardKeys::default()
                    },
                    users: entries(users),
                    roles: entries(roles),
                    rules: rules.into_iter().map(rule).collect(),
                    unlisted: ByKind { users: unlisted.map(located), roles: None },
                    ..Layer::default()
                }
            },
        )
    }

    fn copy(layer: &Layer) -> Layer {
        Layer {
            account: layer.account.clone(),
            assume_role: layer.assume_role.clone(),
            guard: layer.guard.clone(),
            users: layer.users.clone(),
            roles: layer.roles.clone(),
            rules: layer.rules.clone(),
            unlisted: layer.unlisted.clone(),
            missing: layer.missing,
        }
    }

    proptest! {
        #[test]
        fn layers_are_associative(a in layer(), b in layer(), c in layer()) {
            let first = copy(&c).over(copy(&b)).over(copy(&a));
            let last = c.over(b.over(a));
            prop_assert_eq!(format!("{first:?}"), format!("{last:?}"));
        }
    }
}
