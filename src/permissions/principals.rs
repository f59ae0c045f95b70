//! Which users and roles boundaries files can name, as patterns of ARNs.

use std::collections::BTreeSet;

use super::place::{Place, without_variables};
use crate::config::{Config, Entry, Rule, Then};
use crate::iam::{NamePattern, PrincipalKind};

/// The principals of one kind that boundaries files are about, as the last part of ARNs.
#[derive(Debug, Clone, Default)]
pub(super) struct Principals {
    /// Those that can get a boundary.
    pub(super) set: BTreeSet<String>,
    /// Those whose boundary can be removed.
    pub(super) removed: BTreeSet<String>,
    /// Those whose boundary must not be changed.
    pub(super) protected: BTreeSet<String>,
}

impl Principals {
    /// Those of all these files. With `any`, entries and rules are not distinguished from other principals of the kind.
    pub(super) fn of(configs: &[&Config], kind: PrincipalKind, any: bool) -> Principals {
        let mut principals = Principals::default();
        let every = || BTreeSet::from([format!("{}/*", kind.noun())]);
        for config in configs {
            for (name, entry) in config.entries_of(kind) {
                let resources = named(kind, name.as_str());
                if sets(entry) {
                    principals.set.extend(resources.clone());
                }
                if removes(entry) {
                    principals.removed.extend(resources);
                }
            }
            principals.set.extend(config.rules_of(kind).flat_map(of_rule));
            let protected = config.guard.protected(kind).iter();
            principals.protected.extend(protected.flat_map(|it| of_name(kind, it)));
        }
        for resources in [&mut principals.set, &mut principals.removed] {
            if !resources.is_empty() && (any || !resources.is_disjoint(&every())) {
                *resources = every();
            }
        }
        principals
    }

    /// Those that can get a boundary or lose theirs.
    pub(super) fn changed(&self) -> BTreeSet<String> {
        let all: BTreeSet<String> = self.set.union(&self.removed).cloned().collect();
        // What covers one of the two covers both.
        let every = all.iter().find(|it| it.ends_with("/*") && it.matches('/').count() == 1);
        every.cloned().map_or(all.clone(), |every| [every].into())
    }
}

/// The ARNs of these resources.
pub(super) fn arns(place: Place, resources: &BTreeSet<String>) -> Vec<String> {
    resources.iter().map(|resource| place.arn(resource)).collect()
}

fn sets(entry: &Entry) -> bool {
    let then = entry.expiration.as_ref().map(|it| &it.then);
    entry.boundary.is_some() || matches!(then, Some(Then::Boundary(Some(_))))
}

fn removes(entry: &Entry) -> bool {
    let then = entry.expiration.as_ref().map(|it| &it.then);
    entry.boundary.is_none() || matches!(then, Some(Then::Boundary(None)))
}

/// A principal of this name with any path. A file does not name the path, which is a part of the ARN.
fn named(kind: PrincipalKind, name: &str) -> [String; 2] {
    let noun = kind.noun();
    [format!("{noun}/{name}"), format!("{noun}/*/{name}")]
}

/// The principals whose name matches, with any path.
fn of_name(kind: PrincipalKind, name: &NamePattern) -> Vec<String> {
    joined(kind, &any_path(), &name.to_string())
}

/// The principals that match the path and the name of a rule. Groups and tags are no part of an ARN.
fn of_rule(rule: &Rule) -> BTreeSet<String> {
    let names = match rule.names.is_empty() {
        true => vec!["*".to_owned()],
        false => rule.names.iter().map(ToString::to_string).collect(),
    };
    let paths = match rule.paths.is_empty() {
        true => vec![any_path()],
        false => rule.paths.iter().map(|path| paths(&path.to_string())).collect(),
    };
    let each = paths
        .iter()
        .flat_map(|paths| names.iter().flat_map(move |name| joined(rule.kind, paths, name)));
    each.collect()
}

/// Patterns that end with a slash and match together what a pattern of paths matches.
struct Paths(Vec<String>);

fn any_path() -> Paths {
    Paths(vec!["/".to_owned(), "/*/".to_owned()])
}

/// A path begins and ends with a slash, so a wildcard at the ends of the pattern is one or begins or ends with one.
fn paths(pattern: &str) -> Paths {
    let pattern = without_variables(pattern);
    let starts = match pattern.strip_prefix('?') {
        Some(rest) => vec![format!("/{rest}")],
        None => match pattern.strip_prefix('*').map(|rest| rest.trim_start_matches('*')) {
            None => vec![pattern],
            Some("") => return any_path(),
            // Only a path of one character can make a difference, and the pattern matches almost every path.
            Some(rest) if rest.starts_with('?') => return any_path(),
            Some(rest) if rest.starts_with('/') => vec![rest.to_owned(), format!("/*{rest}")],
            Some(rest) => vec![format!("/*{rest}")],
        },
    };
    let end = |start: String| match start.strip_suffix('?') {
        Some(rest) => vec![format!("{rest}/")],
        None if !start.ends_with('*') => vec![start],
        None => match start.trim_end_matches('*') {
            rest if rest.ends_with('/') => vec![rest.to_owned(), format!("{rest}*/")],
            rest => vec![format!("{rest}*/")],
        },
    };
    Paths(starts.into_iter().flat_map(end).collect())
}

fn joined(kind: PrincipalKind, paths: &Paths, name: &str) -> Vec<String> {
    let noun = kind.noun();
    // A wildcard at the beginning of the name also matches further parts of the path.
    let covered = |path: &str| {
        let shorter = path.strip_suffix("*/").map(str::to_owned);
        name.starts_with('*') && shorter.is_some_and(|shorter| paths.0.contains(&shorter))
    };
    let needed = paths.0.iter().filter(|path| !covered(path));
    needed.map(|path| format!("{noun}{path}{name}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The resources for the users of these rules and entries.
    fn set(text: &str) -> Vec<String> {
        let config = Config::parse("boundaries.toml", text).unwrap();
        Principals::of(&[&config], PrincipalKind::User, false).set.into_iter().collect()
    }

    fn of_rule(conditions: &str) -> Vec<String> {
        set(&format!("[[rules]]\n{conditions}\nboundary = \"policy/Developer\"\n"))
    }

    #[test]
    fn an_entry_is_a_name_with_any_path() {
        assert_eq!(set("[users]\nalice = \"policy/Developer\"\n"), ["user/*/alice", "user/alice"]);
    }

    #[test]
    fn a_rule_is_its_path_and_its_name() {
        for (conditions, expected) in [
            ("tag = { team = \"a\" }", &["user/*"][..]),
            ("path = \"*\"", &["user/*"]),
            ("path = \"/\"", &["user/*"]),
            ("path = \"/ci/*\"", &["user/ci/*"]),
            ("path = \"/ci/*\"\nname = \"svc-*\"", &["user/ci/*/svc-*", "user/ci/svc-*"]),
            ("path = \"/ci/*\"\nname = \"*-svc\"", &["user/ci/*-svc"]),
            ("path = \"/ci*\"", &["user/ci*/*"]),
            ("path = \"*/ci/\"\nname = \"a\"", &["user/*/ci/a", "user/ci/a"]),
            ("path = \"?ci?\"\nname = \"a\"", &["user/ci/a"]),
            ("name = \"svc-*\"", &["user/*/svc-*", "user/svc-*"]),
            ("path = \"/${a}/\"\nname = \"b\"", &["user/${$}{a}/b"]),
        ] {
            assert_eq!(of_rule(conditions), expected, "{conditions}");
        }
    }

    #[test]
    fn every_principal_covers_the_others() {
        let text = "[users]\nalice = \"policy/A\"\n[[rules]]\ntag = { team = \"a\" }\nboundary = \"policy/A\"\n";
        assert_eq!(set(text), ["user/*"]);
    }
}
