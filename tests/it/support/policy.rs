//! Evaluates the policies that the tool makes, as IAM does.

use std::collections::BTreeMap;

use serde_json::Value;

/// A call to AWS, as IAM evaluates it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// With its service: `iam:GetUser`.
    pub action: String,
    /// The ARN of the resource; `*` for an action without resources.
    pub resource: String,
    /// The condition keys, with their values.
    pub context: BTreeMap<String, String>,
}

impl Call {
    pub fn new(action: &str, resource: &str) -> Call {
        Call { action: action.into(), resource: resource.into(), context: BTreeMap::new() }
    }

    pub fn with(mut self, key: &str, value: &str) -> Call {
        self.context.insert(key.into(), value.into());
        self
    }
}

/// Whether these policies together allow the call.
pub fn allow(policies: &[Value], call: &Call) -> bool {
    let statements = || policies.iter().flat_map(|policy| list(&policy["Statement"]));
    let applies = |effect: &'static str| {
        statements().any(|statement| statement["Effect"] == effect && matches(statement, call))
    };
    applies("Allow") && !applies("Deny")
}

/// Whether this service control policy denies the call.
pub fn denies(policy: &Value, call: &Call) -> bool {
    list(&policy["Statement"]).iter().any(|it| it["Effect"] == "Deny" && matches(it, call))
}

/// The actions that these policies allow.
pub fn actions(policies: &[Value]) -> Vec<String> {
    let statements = policies.iter().flat_map(|policy| list(&policy["Statement"]));
    let allowed = statements.filter(|statement| statement["Effect"] == "Allow");
    allowed.flat_map(|statement| texts(&statement["Action"])).collect()
}

fn matches(statement: &Value, call: &Call) -> bool {
    texts(&statement["Action"]).contains(&call.action)
        && texts(&statement["Resource"]).iter().any(|it| is_like(it, &call.resource))
        && conditions(statement).all(|(operator, key, values)| {
            let value = call.context.get(key);
            let is_any = |test: fn(&str, &str) -> bool| {
                value.is_some_and(|value| values.iter().any(|it| test(it, value)))
            };
            match operator {
                "StringEquals" => is_any(|pattern, value| unescaped(pattern) == value),
                "StringLike" => is_any(is_like),
                "ArnNotLike" => !is_any(|pattern, value| {
                    let [pattern, value] =
                        [pattern, value].map(|it| it.splitn(6, ':').collect::<Vec<_>>());
                    pattern.len() == value.len()
                        && pattern
                            .iter()
                            .zip(&value)
                            .all(|(pattern, value)| is_like(pattern, value))
                }),
                other => panic!("unknown operator {other}"),
            }
        })
}

fn conditions(statement: &Value) -> impl Iterator<Item = (&str, &str, Vec<String>)> {
    let operators = statement["Condition"].as_object().into_iter().flatten();
    operators.flat_map(|(operator, keys)| {
        let keys = keys.as_object().unwrap();
        keys.iter().map(move |(key, values)| (operator.as_str(), key.as_str(), texts(values)))
    })
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn texts(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    value.as_array().map_or_else(|| vec![text(value)], |list| list.iter().map(text).collect())
}

fn unescaped(pattern: &str) -> String {
    ["*", "?", "$"].iter().fold(pattern.to_owned(), |text, c| text.replace(&format!("${{{c}}}"), c))
}

/// Whether the text matches a pattern with `*`, `?` and `${*}`.
fn is_like(pattern: &str, text: &str) -> bool {
    let literal = ["${*}", "${?}", "${$}"]
        .iter()
        .find_map(|it| pattern.strip_prefix(it).map(|rest| (&it[2..3], rest)));
    if let Some((c, rest)) = literal {
        return text.strip_prefix(c).is_some_and(|text| is_like(rest, text));
    }
    let Some(first) = pattern.chars().next() else { return text.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    match first {
        '*' => (0..=text.len()).any(|n| text.is_char_boundary(n) && is_like(rest, &text[n..])),
        '?' => text.chars().next().is_some_and(|c| is_like(rest, &text[c.len_utf8()..])),
        c => text.strip_prefix(c).is_some_and(|text| is_like(rest, text)),
    }
}
