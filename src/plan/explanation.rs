//! What decides the boundary of one principal, with every rule and condition.

use super::content::Plan;
use super::context::PlanContext;
use super::decision::{AttributeCondition, Condition, Decision, Held, NameCondition};
use super::decisions::Decisions;
use super::impact::ExplainedImpact;
use crate::config::{Config, Expiration, Position, Rule};
use crate::iam::{PolicyArn, PolicyRef, Principal, Printable};
use crate::inventory::{Attributes, Inventory, Reading};

/// What decides the boundary of one principal.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The principal.
    pub principal: Principal,
    /// What IAM returned for it.
    pub reading: Reading,
    /// Its path, tags and groups; `None` if it does not exist or could not be read.
    pub attributes: Option<Attributes>,
    /// The entry that names it.
    pub entry: Option<ExplainedEntry>,
    /// The rules for principals of its kind, in the order in which they are tried.
    pub rules: Vec<ExplainedRule>,
    /// The position in `rules` of the rule that decides; `None` if an entry decides, or nothing.
    pub deciding_rule: Option<usize>,
    /// The plan for this principal only.
    pub plan: Plan,
    /// What the change of the plan does to each action; `None` without a change, or if it was not computed.
    pub impact: Option<ExplainedImpact>,
}

/// An entry that names the principal.
#[derive(Debug, Clone)]
pub struct ExplainedEntry {
    /// The position of the entry.
    pub position: Position,
    /// The boundary that it asks for; `None` for none.
    pub boundary: Option<PolicyRef>,
    /// Its reason.
    pub reason: Option<Printable>,
    /// When it expires.
    pub expiration: Option<Expiration>,
}

/// A rule, and whether it matches the principal.
#[derive(Debug, Clone)]
pub struct ExplainedRule {
    /// The position of the rule.
    pub position: Position,
    /// The boundary that it asks for.
    pub boundary: PolicyRef,
    /// The ARN of that boundary in the account.
    pub arn: PolicyArn,
    /// Whether all conditions hold.
    pub matches: Held,
    /// The conditions; none for a rule that matches every principal of its kind.
    pub conditions: Vec<ExplainedCondition>,
}

/// A condition, and whether it holds for the principal.
#[derive(Debug, Clone)]
pub struct ExplainedCondition {
    /// The key of the condition in the file: `path`, `group`, `name`, `except`, or `tag KEY`.
    pub key: Printable,
    /// The patterns, at least one.
    pub patterns: Vec<Printable>,
    /// Whether the condition holds.
    pub holds: Held,
    /// What the principal has; `None` if it is not known. Empty if it has nothing of this kind.
    pub found: Option<Vec<Printable>>,
}

impl Explanation {
    /// Explains what `config` asks for about `principal`, which `live` contains. `context` is not limited to other
    /// principals.
    pub fn of(
        principal: &Principal,
        context: &PlanContext,
        config: &Config,
        live: &Inventory,
    ) -> Explanation {
        let attributes = live.attributes(principal);
        let mut decisions = Decisions::new(config);
        let matching: Vec<_> = decisions.matching(principal, attributes).collect();
        let rule = |rule: &Rule| ExplainedRule {
            position: rule.position.clone(),
            boundary: rule.boundary.clone(),
            arn: rule.boundary.in_account(context.account, context.partition),
            matches: matching
                .iter()
                .find(|(it, _)| std::ptr::eq(*it, rule))
                .map_or(Held::No, |(_, held)| *held),
            conditions: Condition::of(rule)
                .map(|condition| ExplainedCondition::of(condition, principal, attributes))
                .collect(),
        };
        let (entry, deciding_rule) = match decisions.of(principal, attributes) {
            Decision::Entry(entry) | Decision::OtherCase(entry) => (Some(entry), None),
            Decision::Rule(deciding) | Decision::Unknown(deciding) => {
                let is_it = |rule: &Rule| std::ptr::eq(rule, deciding);
                (None, config.rules_of(principal.kind).position(is_it))
            }
            Decision::Unlisted => (None, None),
        };
        // No rule applies to a role that AWS manages.
        let is_unmodifiable = matches!(live.reading(principal), Reading::Unmodifiable { .. });
        let deciding_rule = deciding_rule.filter(|_| !is_unmodifiable);
        let entry = entry.map(|entry| ExplainedEntry {
            position: entry.position.clone(),
            boundary: entry.boundary.clone(),
            reason: entry.reason.clone(),
            expiration: entry.expiration.clone(),
        });
        Explanation {
            principal: principal.clone(),
            reading: live.reading(principal).clone(),
            attributes: attributes.cloned(),
            entry,
            rules: config.rules_of(principal.kind).map(rule).collect(),
            deciding_rule,
            plan: Plan::between(context, config, live),
            impact: None,
        }
    }
}

impl ExplainedCondition {
    fn of(
        condition: Condition<'_>,
        principal: &Principal,
        attributes: Option<&Attributes>,
    ) -> ExplainedCondition {
        fn texts<P: ToString>(patterns: &[P]) -> Vec<Printable> {
            patterns.iter().map(|pattern| pattern.to_string().into()).collect()
        }
        let name = || Some(vec![principal.name.as_str().into()]);
        let (key, patterns, found) = match condition {
            Condition::OfName(condition) => {
                let (key, patterns) = match condition {
                    NameCondition::Name(rule) => ("name", &rule.names),
                    NameCondition::Except(rule) => ("except", &rule.except),
                };
                (key.into(), texts(patterns), name())
            }
            Condition::OfAttributes(condition) => {
                let (key, patterns) = match condition {
                    AttributeCondition::Path(rule) => ("path".into(), texts(&rule.paths)),
                    AttributeCondition::Group(rule) => ("group".into(), texts(&rule.groups)),
                    AttributeCondition::Tag(tag) => {
                        (format!("tag {}", tag.key).into(), texts(&tag.values))
                    }
                };
                (key, patterns, condition.found(attributes).map(<[Printable]>::to_vec))
            }
        };
        let holds = condition.holds(&principal.name, attributes);
        ExplainedCondition { key, patterns, holds, found }
    }
}
