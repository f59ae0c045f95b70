//! Properties of rules, for files and accounts drawn at random: they are compared with a second, naive implementation.

use std::collections::{BTreeMap, BTreeSet};

use iam_boundaries::config::Config;
use iam_boundaries::iam::{PolicyArn, Principal, PrincipalKind};
use iam_boundaries::inventory::{Attributes, Inventory, Reading, Tag};
use iam_boundaries::plan::{Explanation, Held, Plan};
use proptest::prelude::*;

use crate::support::plans::{arn, context, found, name};

const PATHS: [&str; 5] = ["/", "/a/", "/a/b/", "/b/", "/contractors/acme/"];
const PATH_PATTERNS: [&str; 6] = ["/a/*", "/a/", "*", "/?/", "/b/", "/contractors/*"];
const NAMES: [&str; 6] = ["alice", "bob", "svc-a", "SVC-b", "svc-legacy-1", "carol"];
const NAME_PATTERNS: [&str; 6] = ["svc-*", "*", "alice", "?ob", "*LEGACY*", "carol"];
const GROUPS: [&str; 3] = ["Dev", "Ops", "dev-eu"];
const VALUES: [&str; 3] = ["", "web", "data"];
const POLICIES: [&str; 3] = ["A", "B", "C"];

#[derive(Debug, Clone)]
struct DrawnRule {
    kind: PrincipalKind,
    paths: Vec<&'static str>,
    groups: Vec<&'static str>,
    tag: Option<(&'static str, Vec<&'static str>)>,
    names: Vec<&'static str>,
    except: Vec<&'static str>,
    policy: &'static str,
}

#[derive(Debug, Clone)]
struct DrawnPrincipal {
    path: &'static str,
    groups: Option<BTreeSet<&'static str>>,
    tag: Option<&'static str>,
    boundary: Option<&'static str>,
}

fn any_of(from: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(from), 0..=most)
}

fn kind() -> impl Strategy<Value = PrincipalKind> {
    prop::sample::select(PrincipalKind::ALL.to_vec())
}

fn rule() -> impl Strategy<Value = DrawnRule> {
    let tag = (
        prop::sample::select(vec!["team", "Team", "TEAM"]),
        prop::collection::vec(prop::sample::select(&VALUES[..]), 1..3),
    );
    (
        kind(),
        any_of(&PATH_PATTERNS, 2),
        any_of(&GROUPS, 1),
        prop::option::of(tag),
        any_of(&NAME_PATTERNS, 2),
        any_of(&NAME_PATTERNS, 1),
        prop::sample::select(&POLICIES[..]),
    )
        .prop_map(|(kind, paths, groups, tag, names, except, policy)| DrawnRule {
            kind,
            paths,
            groups,
            tag,
            names,
            except,
            policy,
        })
}

fn principals() -> impl Strategy<Value = BTreeMap<(PrincipalKind, &'static str), DrawnPrincipal>> {
    let principal = (
        prop::sample::select(&PATHS[..]),
        prop::option::weighted(
            0.9,
            prop::collection::btree_set(prop::sample::select(&GROUPS[..]), 0..3),
        ),
        prop::option::of(prop::sample::select(&VALUES[..])),
        prop::option::of(prop::sample::select(&POLICIES[..])),
    )
        .prop_map(|(path, groups, tag, boundary)| DrawnPrincipal {
            path,
            groups,
            tag,
            boundary,
        });
    prop::collection::btree_map((kind(), prop::sample::select(&NAMES[..])), principal, 0..10)
}

impl DrawnRule {
    fn text(&self) -> String {
        let list = |key: &str, patterns: &[&str]| match patterns {
            [] => String::new(),
            patterns => format!("{key} = {patterns:?}\n"),
        };
        let tag =
            self.tag.as_ref().map(|(key, values)| format!("tag = {{ {key} = {values:?} }}\n"));
        format!(
            "[[rules]]\nfor = \"{}\"\n{}{}{}{}{}boundary = \"policy/{}\"\n",
            self.kind.plural(),
            list("path", &self.paths),
            list("group", &self.groups),
            tag.unwrap_or_default(),
            list("name", &self.names),
            list("except", &self.except),
            self.policy
        )
    }

    /// Whether the rule matches; `None` if that depends on groups that are not known.
    fn matches(&self, name: &str, principal: &DrawnPrincipal) -> Option<bool> {
        let any = |patterns: &[&str], text: &str| patterns.iter().any(|it| naive(it, text));
        let lower = |texts: &[&str]| texts.iter().map(|it| it.to_lowercase()).collect::<Vec<_>>();
        let named =
            |patterns: &[&str]| lower(patterns).iter().any(|it| naive(it, &name.to_lowercase()));
        let others = (self.paths.is_empty() || any(&self.paths, principal.path))
            && (self.names.is_empty() || named(&self.names))
            && !named(&self.except)
            && self.tag.as_ref().is_none_or(|(_, values)| {
                principal.tag.is_some_and(|value| values.contains(&value))
            });
        if !others || self.groups.is_empty() {
            return Some(others);
        }
        if self.kind == PrincipalKind::Role {
            return Some(false);
        }
        let groups = principal.groups.as_ref()?;
        let wanted = lower(&self.groups);
        Some(groups.iter().any(|group| wanted.contains(&group.to_lowercase())))
    }
}

fn known(held: Held) -> Option<bool> {
    match held {
        Held::Yes => Some(true),
        Held::No => Some(false),
        Held::Unknown => None,
    }
}

/// Matches by trying every split.
fn naive(pattern: &str, text: &str) -> bool {
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('*') => (0..=text.len()).any(|at| naive(&pattern[1..], &text[at..])),
        Some('?') => !text.is_empty() && naive(&pattern[1..], &text[1..]),
        Some(c) => text.starts_with(c) && naive(&pattern[1..], &text[1..]),
    }
}

fn inventory(principals: &BTreeMap<(PrincipalKind, &'static str), DrawnPrincipal>) -> Inventory {
    let (mut readings, mut attributes) = (BTreeMap::new(), BTreeMap::new());
    for ((kind, text), drawn) in principals {
        let principal = Principal { kind: *kind, name: name(text) };
        let groups = match kind {
            PrincipalKind::User => {
                drawn.groups.as_ref().map(|groups| groups.iter().map(|it| (*it).into()).collect())
            }
            PrincipalKind::Role => Some(Vec::new()),
        };
        let tag = |value: &str| Tag { key: "tEAM".into(), value: value.into() };
        let has = Attributes {
            path: Some(drawn.path.into()),
            tags: drawn.tag.map(tag).into_iter().collect(),
            groups,
            is_administrator: None,
            created: None,
        };
        readings.insert(principal.clone(), found(drawn.boundary.map(arn)));
        attributes.insert(principal, has);
    }
    Inventory::whole(PrincipalKind::ALL, readings, attributes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_plan_is_what_the_first_matching_rule_says_and_touches_no_one_else(
        rules in prop::collection::vec(rule(), 1..7),
        principals in principals(),
        listed in prop::option::of(prop::sample::select(&NAMES[..])),
    ) {
        let entry = listed.map(|user| format!("[users]\n{user} = \"policy/Listed\"\n")).unwrap_or_default();
        let text = entry + &rules.iter().map(DrawnRule::text).collect::<String>();
        let config = Config::parse("f.toml", &text).unwrap();
        let live = inventory(&principals);
        let plan = Plan::between(&context(), &config, &live);
        let mut unlisted = 0;
        for ((kind, text), drawn) in &principals {
            let principal = Principal { kind: *kind, name: name(text) };
            let change = plan.changes.iter().find(|change| change.principal == principal);
            let problem = plan.problems.iter().any(|problem| problem.principal == principal);
            let to = change.map(|change| change.boundary.to().map(PolicyArn::name));
            if *kind == PrincipalKind::User && Some(*text) == listed {
                prop_assert_eq!(to, Some(Some("Listed")));
                continue;
            }
            let explained = Explanation::of(&principal, &context(), &config, &live);
            let matches: Vec<Option<bool>> = explained.rules.iter().map(|rule| known(rule.matches)).collect();
            let of_kind = rules.iter().filter(|rule| rule.kind == *kind);
            let expected: Vec<Option<bool>> = of_kind.map(|rule| rule.matches(text, drawn)).collect();
            prop_assert_eq!(explained.deciding_rule, expected.iter().position(|it| *it != Some(false)));
            prop_assert_eq!(matches, expected);
            let mut of_kind = rules.iter().filter(|rule| rule.kind == *kind);
            let first = of_kind.find(|rule| rule.matches(text, drawn) != Some(false));
            match first.map(|rule| (rule, rule.matches(text, drawn))) {
                None => {
                    unlisted += 1;
                    prop_assert!(to.is_none() && !problem, "an unlisted principal is untouched");
                }
                Some((_, None)) => prop_assert!(to.is_none() && problem),
                Some((rule, _)) => {
                    prop_assert!(!problem);
                    let expected = (drawn.boundary != Some(rule.policy)).then_some(Some(rule.policy));
                    prop_assert_eq!(to, expected);
                }
            }
        }
        let counted = [&plan.unlisted.users, &plan.unlisted.roles].map(|it| it.as_ref().unwrap().count);
        prop_assert_eq!(counted.iter().sum::<usize>(), unlisted);
        prop_assert!(plan.changes.iter().all(|change| change.boundary.to().is_some()), "a rule removes nothing");
        prop_assert_eq!(Plan::from_json(plan.to_json().as_bytes()).unwrap(), plan);
    }

    #[test]
    fn a_rule_that_is_said_to_be_hidden_or_impossible_never_decides(
        rules in prop::collection::vec(rule(), 1..6),
        principals in principals(),
    ) {
        let text = rules.iter().map(DrawnRule::text).collect::<String>();
        let config = Config::parse("f.toml", &text).unwrap();
        let plan = Plan::between(&context(), &config, &inventory(&principals));
        for change in &plan.changes {
            let line = change.provenance.line;
            prop_assert!(config.warnings.iter().all(|warning| warning.line != line), "{}", text);
        }
    }
}

#[test]
fn of_hundreds_of_rules_the_first_that_matches_decides() {
    // The rules of each kind are more than the bits of two machine words, and not a multiple of them.
    const RULES: usize = 300;
    let rule = |n: usize| {
        let kind = PrincipalKind::ALL[n % 2].plural();
        let conditions = match n % 3 {
            0 => format!("path = \"/p{n}/\"\n"),
            1 => format!("tag = {{ n = \"{n}\" }}\nexcept = \"x-*\"\n"),
            _ => format!("name = \"n-{n}-*\"\npath = [\"/p*/\", \"/\"]\n"),
        };
        format!("[[rules]]\nfor = \"{kind}\"\n{conditions}boundary = \"policy/P{n}\"\n")
    };
    let config = Config::parse("f.toml", &(0..RULES).map(rule).collect::<String>()).unwrap();
    let (mut readings, mut attributes) = (BTreeMap::new(), BTreeMap::new());
    for n in 0..RULES {
        // A later rule matches half of the principals, too.
        let later = if n % 4 < 2 { n + 4 } else { 1_000 };
        let (path, tag, name) = match n % 3 {
            0 => (format!("/p{n}/"), later, format!("n-x-{n}")),
            1 => ("/".to_owned(), n, format!("n-{later}-{n}")),
            _ => (format!("/p{later}/"), 1_000, format!("n-{n}-{n}")),
        };
        let principal = Principal { kind: PrincipalKind::ALL[n % 2], name: name.parse().unwrap() };
        let tags = vec![Tag { key: "N".into(), value: tag.to_string().into() }];
        let has = Attributes { path: Some(path.into()), tags, ..Attributes::default() };
        readings.insert(principal.clone(), found(None));
        attributes.insert(principal, has);
    }
    let plan = Plan::between(
        &context(),
        &config,
        &Inventory::whole(PrincipalKind::ALL, readings, attributes),
    );
    assert_eq!((plan.changes.len(), plan.warnings.len()), (RULES, 0));
    for change in &plan.changes {
        let (_, n) = change.principal.name.as_str().rsplit_once('-').unwrap();
        assert_eq!(change.boundary.to(), Some(&arn(&format!("P{n}"))), "{}", change.principal);
    }
}

#[test]
fn a_reading_that_is_not_whole_makes_no_rule_decide_about_others() {
    let config =
        Config::parse("f.toml", "[users]\na = \"policy/A\"\n[[rules]]\nboundary = \"policy/B\"\n")
            .unwrap();
    let readings: BTreeMap<Principal, Reading> = [(Principal::user(name("a")), found(None))].into();
    let plan = Plan::between(&context(), &config, &Inventory::of(readings));
    assert_eq!(plan.changes.len(), 1);
    assert_eq!(plan.unlisted.users, None);
}
