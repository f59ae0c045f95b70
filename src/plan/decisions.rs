//! Decides about many principals: thousands of them share the same few paths, groups and tags.

use std::collections::HashMap;

use super::decision::{AttributeCondition, Decision, Held, NameCondition};
use crate::config::{ByKind, Config, Entry, Rule};
use crate::iam::{Principal, PrincipalKind, PrincipalName, Printable};
use crate::inventory::Attributes;

/// What the files decide about each principal.
///
/// A condition on a path, a group or a tag is evaluated once for each of their values, and the result is kept.
pub struct Decisions<'c, 'l> {
    config: &'c Config,
    /// The entries by the names in lowercase: IAM names are case-insensitive.
    folded: HashMap<(PrincipalKind, String), &'c Entry>,
    rules: RulesByKind<'c, 'l>,
}

impl<'c, 'l> Decisions<'c, 'l> {
    /// The decisions of `config`.
    pub fn new(config: &'c Config) -> Self {
        let folded = config.entries().map(|(principal, entry)| (principal.folded(), entry));
        Decisions { config, folded: folded.collect(), rules: RulesByKind::new(&config.rules) }
    }

    /// Whether an entry names `principal`, in any case.
    pub(super) fn lists(&self, principal: &Principal) -> bool {
        self.folded.contains_key(&principal.folded())
    }

    /// The decision about `principal`, which has these `attributes`; `None` if nothing is known of it.
    pub fn of(
        &mut self,
        principal: &Principal,
        attributes: Option<&'l Attributes>,
    ) -> Decision<'c> {
        if let Some(entry) = self.config.entry(principal) {
            return Decision::Entry(entry);
        }
        if let Some(entry) = self.folded.get(&principal.folded()) {
            return Decision::OtherCase(entry);
        }
        match self.rules.matching(principal, attributes).next() {
            Some((rule, Held::Unknown)) => Decision::Unknown(rule),
            Some((rule, _)) => Decision::Rule(rule),
            None => Decision::Unlisted,
        }
    }

    /// The rules that match the principal, whether or not an entry names it, by [`RulesByKind::matching`].
    pub(super) fn matching<'a>(
        &'a mut self,
        principal: &'a Principal,
        attributes: Option<&'l Attributes>,
    ) -> impl Iterator<Item = (&'c Rule, Held)> + use<'a, 'c, 'l> {
        self.rules.matching(principal, attributes)
    }
}

/// Rules for users and for roles.
pub(super) struct RulesByKind<'c, 'l>(ByKind<Rules<'c, 'l>>);

impl<'c, 'l> RulesByKind<'c, 'l> {
    /// These rules, in the order in which they are tried.
    pub(super) fn new(rules: impl IntoIterator<Item = &'c Rule> + Clone) -> Self {
        let of = |kind| Rules::new(rules.clone().into_iter().filter(|rule| rule.kind == kind));
        RulesByKind(ByKind { users: of(PrincipalKind::User), roles: of(PrincipalKind::Role) })
    }

    /// The rules that match the principal, in order, also those of which that is not known: [`Held::Unknown`].
    pub(super) fn matching<'a>(
        &'a mut self,
        principal: &'a Principal,
        attributes: Option<&'l Attributes>,
    ) -> impl Iterator<Item = (&'c Rule, Held)> + use<'a, 'c, 'l> {
        self.0.of_mut(principal.kind).matching(&principal.name, attributes)
    }
}

/// The rules for principals of one kind.
struct Rules<'c, 'l> {
    rules: Vec<&'c Rule>,
    /// The conditions on attributes.
    subjects: Vec<Subject<'c, 'l>>,
    /// The results for the present principal.
    results: Results,
}

/// The conditions that depend on the same: the path, the groups, or the value of one tag.
struct Subject<'c, 'l> {
    /// The conditions, at least one, each with the position of its rule.
    conditions: Vec<(usize, AttributeCondition<'c>)>,
    /// The results for each value of the principals until now.
    known: HashMap<Option<&'l [Printable]>, Results>,
}

impl<'c, 'l> Rules<'c, 'l> {
    fn new(rules: impl Iterator<Item = &'c Rule>) -> Self {
        let rules: Vec<&Rule> = rules.collect();
        let mut subjects: Vec<Subject<'_, '_>> = Vec::new();
        for (n, rule) in rules.iter().enumerate() {
            for condition in AttributeCondition::of(rule) {
                let is_same =
                    |it: &&mut Subject<'_, '_>| it.conditions[0].1.has_same_subject(&condition);
                match subjects.iter_mut().find(is_same) {
                    Some(subject) => subject.conditions.push((n, condition)),
                    None => subjects
                        .push(Subject { conditions: vec![(n, condition)], known: HashMap::new() }),
                }
            }
        }
        let results = Results::new(rules.len());
        Rules { rules, subjects, results }
    }

    fn matching<'a>(
        &'a mut self,
        name: &'a PrincipalName,
        attributes: Option<&'l Attributes>,
    ) -> impl Iterator<Item = (&'c Rule, Held)> + use<'a, 'c, 'l> {
        self.results.clear();
        for subject in &mut self.subjects {
            let (_, first) = subject.conditions[0];
            let found = first.found(attributes);
            let results = subject.known.entry(found).or_insert_with(|| {
                let mut results = Results::new(self.rules.len());
                for (n, condition) in &subject.conditions {
                    results.add(*n, condition.holds(found));
                }
                results
            });
            self.results.merge(results);
        }
        let possible = self.results.possible(self.rules.len());
        possible
            .map(|(n, held)| (self.rules[n], held))
            .filter(|(rule, _)| NameCondition::of(rule).all(|condition| condition.holds(name)))
    }
}

/// Sets of rules as bits, by position: whether their conditions hold. A rule in no set has only conditions that hold.
struct Results {
    /// Those with a condition that does not hold.
    fail: Box<[u64]>,
    /// Those with a condition of which it is not known whether it holds.
    unknown: Box<[u64]>,
}

impl Results {
    fn new(rules: usize) -> Self {
        let none = vec![0; rules.div_ceil(64)].into_boxed_slice();
        Results { fail: none.clone(), unknown: none }
    }

    fn clear(&mut self) {
        self.fail.fill(0);
        self.unknown.fill(0);
    }

    /// Adds the result of a condition of the rule at position `n`.
    fn add(&mut self, n: usize, held: Held) {
        let bit = 1 << (n % 64);
        match held {
            Held::Yes => {}
            Held::No => self.fail[n / 64] |= bit,
            Held::Unknown => self.unknown[n / 64] |= bit,
        }
    }

    /// Adds the results of other conditions.
    fn merge(&mut self, other: &Results) {
        for (bits, others) in self.fail.iter_mut().zip(&other.fail) {
            *bits |= others;
        }
        for (bits, others) in self.unknown.iter_mut().zip(&other.unknown) {
            *bits |= others;
        }
    }

    /// The positions of the rules of which no condition is known not to hold.
    fn possible(&self, rules: usize) -> impl Iterator<Item = (usize, Held)> {
        let words = self.fail.iter().zip(&self.unknown).enumerate();
        let possible = words.flat_map(|(word, (fail, unknown))| {
            let mut left = !fail;
            std::iter::from_fn(move || {
                let n = left.trailing_zeros();
                let bit = 1_u64.checked_shl(n)?;
                left &= !bit;
                let held = if unknown & bit == 0 { Held::Yes } else { Held::Unknown };
                Some((word * 64 + n as usize, held))
            })
        });
        possible.take_while(move |(n, _)| *n < rules)
    }
}
