//! Computes what the changes of a plan give and take.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::change::Change;
use super::content::Plan;
use super::impact::{Effect, ExplainedImpact, PlanImpact};
use super::used::UsedPermissions;
use crate::iam::{PolicyArn, Principal, Printable, Timestamp};
use crate::impact::{
    Actions, Catalog, Comparison, Document, DocumentError, Permissions, Step, Summary,
};
use crate::inventory::{AccountPolicies, IdentityPolicies, LastUsed, policy_text};

impl Plan {
    /// The policies that are needed for the impact of this plan, and of which `policies` does not have the documents.
    pub fn missing_documents<'a>(
        &'a self,
        policies: &'a AccountPolicies,
    ) -> BTreeSet<&'a PolicyArn> {
        let mut missing = policies.missing_of(self.changes.iter().map(|it| &it.principal));
        let boundaries =
            self.changes.iter().flat_map(|it| [it.boundary.from(), it.boundary.to()]).flatten();
        missing.extend(boundaries.filter(|arn| !policies.managed.contains_key(*arn)));
        missing
    }

    /// What the changes give and take, for these policies of the account.
    pub fn impact_with(&self, policies: &AccountPolicies) -> PlanImpact {
        let mut analysis = Analysis::of(&self.changes, policies);
        let mut effects: HashMap<Result<Summary, Printable>, Vec<Principal>> = HashMap::new();
        for change in &self.changes {
            effects.entry(analysis.summary(change)).or_default().push(change.principal.clone());
        }
        let mut effects: Vec<Effect> =
            effects.into_iter().map(|(result, principals)| Effect { principals, result }).collect();
        effects.sort_by_cached_key(|it| (it.importance(), it.principals.first().cloned()));
        PlanImpact { catalog_date: Catalog::current().date.clone(), effects, used: None }
    }

    /// What the principals that can lose permissions by `impact` used in the `days` before `now`, and the changes take.
    pub fn used_with(
        &self,
        impact: &PlanImpact,
        policies: &AccountPolicies,
        last_used: &LastUsed,
        days: u32,
        now: Timestamp,
    ) -> UsedPermissions {
        let losing: BTreeSet<&Principal> = impact.losing().collect();
        let mut analysis = Analysis::of(&self.changes, policies);
        let mut used = UsedPermissions::none(days);
        for change in self.changes.iter().filter(|it| losing.contains(&it.principal)) {
            match analysis.comparison(change) {
                Ok(comparison) => {
                    used.add(change, (&comparison, &analysis.actions), last_used, now);
                }
                Err(why) => used.unknown.push((change.principal.clone(), why)),
            }
        }
        used.sort();
        used
    }

    /// What the only change of this plan does to each action; `None` without a change.
    pub fn explained_impact(&self, policies: &AccountPolicies) -> Option<ExplainedImpact> {
        let mut analysis = Analysis::of(&self.changes, policies);
        let result = analysis.comparison(self.changes.first()?).map(Box::new);
        Some(ExplainedImpact { actions: Arc::new(analysis.actions), result })
    }
}

/// The documents, and what was computed for them. Each document and each combination is evaluated once.
struct Analysis<'a> {
    policies: &'a AccountPolicies,
    actions: Actions,
    documents: HashMap<&'a str, Result<Document, Printable>>,
    permissions: HashMap<&'a str, Permissions>,
    steps: HashMap<(Option<&'a PolicyArn>, Option<&'a PolicyArn>), Step>,
    summaries: HashMap<Combination<'a>, Summary>,
}

/// The identity-based policies of a principal, and its boundaries before and after.
type Combination<'a> = (BTreeSet<&'a str>, Option<&'a PolicyArn>, Option<&'a PolicyArn>);

impl<'a> Analysis<'a> {
    fn of(changes: &[Change], policies: &'a AccountPolicies) -> Self {
        let mut texts: BTreeSet<&'a str> = BTreeSet::new();
        for change in changes {
            texts.extend(identity(policies, &change.principal).into_iter().flatten());
            let boundaries = [change.boundary.from(), change.boundary.to()].into_iter().flatten();
            texts.extend(
                boundaries
                    .filter_map(|arn| policy_text(&policies.managed, arn).ok().map(|(_, it)| it)),
            );
        }
        let parsed = |text: &'a str| {
            let unreadable = |error: DocumentError| {
                Printable::from(format!("a policy document cannot be evaluated: {error}"))
            };
            (text, Document::parse(text).map_err(unreadable))
        };
        let documents: HashMap<_, _> = texts.into_iter().map(parsed).collect();
        Analysis {
            policies,
            actions: Actions::of(documents.values().flatten()),
            documents,
            permissions: HashMap::new(),
            steps: HashMap::new(),
            summaries: HashMap::new(),
        }
    }

    fn summary(&mut self, change: &Change) -> Result<Summary, Printable> {
        let combination = self.combination(change)?;
        if let Some(known) = self.summaries.get(&combination) {
            return Ok(known.clone());
        }
        let summary = Summary::of(&self.comparison(change)?, &self.actions);
        self.summaries.insert(combination, summary.clone());
        Ok(summary)
    }

    fn comparison(&mut self, change: &Change) -> Result<Comparison, Printable> {
        let (identity, from, to) = self.combination(change)?;
        let mut permissions = Permissions::none(&self.actions);
        for text in identity {
            if !self.permissions.contains_key(text) {
                let new = Permissions::of(self.document(text)?, &self.actions);
                self.permissions.insert(text, new);
            }
            permissions.add(&self.permissions[text]);
        }
        if !self.steps.contains_key(&(from, to)) {
            let step = Step::new(self.boundary(from)?, self.boundary(to)?, &self.actions);
            self.steps.insert((from, to), step);
        }
        Ok(self.steps[&(from, to)].compare(&permissions))
    }

    fn combination(&self, change: &Change) -> Result<Combination<'a>, Printable> {
        let identity = identity(self.policies, &change.principal)?;
        let key = |arn: Option<&PolicyArn>| {
            arn.map(|arn| policy_text(&self.policies.managed, arn).map(|(arn, _)| arn)).transpose()
        };
        Ok((identity, key(change.boundary.from())?, key(change.boundary.to())?))
    }

    fn document(&self, text: &str) -> Result<&Document, Printable> {
        let known = self.documents.get(text);
        known.map_or_else(
            || Err("a policy document was not read".into()),
            |it| it.as_ref().map_err(Clone::clone),
        )
    }

    fn boundary(&self, arn: Option<&PolicyArn>) -> Result<Option<&Document>, Printable> {
        let Some(arn) = arn else { return Ok(None) };
        let (_, text) = policy_text(&self.policies.managed, arn)?;
        self.document(text).map(Some).map_err(|why| format!("{arn}: {why}").into())
    }
}

/// The documents of the identity-based policies of a principal, with those of its groups.
fn identity<'a>(
    policies: &'a AccountPolicies,
    principal: &Principal,
) -> Result<BTreeSet<&'a str>, Printable> {
    let own = policies.principals.get(principal).ok_or_else(|| {
        let noun = principal.kind.noun();
        Printable::from(format!(
            "the policies of the {noun} were not read: only account pages have them"
        ))
    })?;
    let mut documents = BTreeSet::new();
    add(&mut documents, policies, own)?;
    for name in &own.groups {
        let group = policies.groups.get(name).ok_or_else(|| {
            Printable::from(format!("the policies of the group {name:?} were not read"))
        })?;
        add(&mut documents, policies, group)?;
    }
    Ok(documents)
}

fn add<'a>(
    documents: &mut BTreeSet<&'a str>,
    policies: &'a AccountPolicies,
    of: &'a IdentityPolicies,
) -> Result<(), Printable> {
    if let Some(why) = &of.unreadable {
        return Err(why.clone());
    }
    documents.extend(of.inline.iter().map(|text| &**text));
    for arn in &of.attached {
        documents.insert(policy_text(&policies.managed, arn)?.1);
    }
    Ok(())
}
