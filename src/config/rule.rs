use super::Position;
use crate::iam::{
    GroupPattern, NamePattern, PathPattern, PolicyRef, PrincipalKind, TagKey, TagPattern,
};

/// A rule: the boundary of the principals of one kind that have no entry and for which all conditions hold.
///
/// A condition with several patterns holds if one of them matches. An empty list of patterns is no condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The kind of principals that the rule is for.
    pub kind: PrincipalKind,
    /// The path matches one of these.
    pub paths: Vec<PathPattern>,
    /// The user is in a group that matches one of these.
    pub groups: Vec<GroupPattern>,
    /// The principal has each of these tags.
    pub tags: Vec<TagCondition>,
    /// The name matches one of these.
    pub names: Vec<NamePattern>,
    /// The name matches none of these.
    pub except: Vec<NamePattern>,
    /// The boundary that the principals must have.
    pub boundary: PolicyRef,
    /// The position of the rule.
    pub position: Position,
}

/// A condition on a tag: the principal has a tag with this key, and its value matches one of the patterns.
#[derive(Debug, Clone, PartialEq)]
pub struct TagCondition {
    /// The key of the tag.
    pub key: TagKey,
    /// Patterns of the value, at least one.
    pub values: Vec<TagPattern>,
}

impl Rule {
    /// Whether a condition needs the groups of a user. Only account pages have them.
    pub fn needs_groups(&self) -> bool {
        !self.groups.is_empty()
    }

    /// Why the conditions can never hold together: a statement without a period.
    pub fn never_holds(&self) -> Option<String> {
        if self.kind == PrincipalKind::Role && !self.groups.is_empty() {
            return Some("roles are in no group".to_owned());
        }
        let paths: Vec<_> = self.paths.iter().map(|path| (path, path.never_matches())).collect();
        if let Some((path, Some(why))) = paths.first()
            && paths.iter().all(|(_, never)| never.is_some())
        {
            return Some(format!("the path \"{path}\" {why}"));
        }
        let excluded = |name: &NamePattern| self.except.iter().find(|except| except.covers(name));
        let any = "*".parse().expect("* is a valid pattern");
        let names = if self.names.is_empty() { std::slice::from_ref(&any) } else { &self.names };
        if let Some(except) = names.first().and_then(excluded)
            && names.iter().all(|name| excluded(name).is_some())
        {
            return Some(format!("except \"{except}\" excludes every name"));
        }
        None
    }

    /// Whether every principal that `other` matches is also matched by this rule, as far as that follows from the
    /// patterns only. Then `other` can decide nothing after this rule.
    pub fn hides(&self, other: &Rule) -> bool {
        let has_tag = |tag: &TagCondition| {
            let of_key = |it: &&TagCondition| it.key == tag.key;
            other
                .tags
                .iter()
                .filter(of_key)
                .any(|it| covers(&tag.values, &it.values, TagPattern::covers))
        };
        self.kind == other.kind
            && covers(&self.paths, &other.paths, PathPattern::covers)
            && covers(&self.groups, &other.groups, GroupPattern::covers)
            && covers(&self.names, &other.names, NamePattern::covers)
            && self.tags.iter().all(has_tag)
            && self.except.iter().all(|it| other.except.iter().any(|except| except.covers(it)))
    }
}

/// Whether each of the patterns `others` is covered by one of `patterns`. An empty list matches everything.
fn covers<P>(patterns: &[P], others: &[P], covers: impl Fn(&P, &P) -> bool) -> bool {
    patterns.is_empty()
        || (!others.is_empty()
            && others.iter().all(|other| patterns.iter().any(|pattern| covers(pattern, other))))
}
