use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

/// A policy document that this tool makes: an identity-based policy, a trust policy or a service control policy
/// ([JSON policy elements](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyDocument {
    version: &'static str,
    statement: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Statement {
    sid: &'static str,
    effect: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<BTreeMap<&'static str, Values>>,
    action: Values,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<Values>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    condition: BTreeMap<&'static str, BTreeMap<String, Values>>,
}

/// A list of values. A single one is written without the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Values(Vec<String>);

impl PolicyDocument {
    pub(super) fn new(statement: Vec<Statement>) -> PolicyDocument {
        PolicyDocument { version: "2012-10-17", statement }
    }

    /// Whether the document has no statement. IAM rejects such a document.
    pub fn is_empty(&self) -> bool {
        self.statement.is_empty()
    }

    /// The number of characters without white space between the elements. IAM counts no white space for managed policies
    /// ([quotas](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)).
    pub fn size(&self) -> usize {
        let text = serde_json::to_string(self).expect("texts and lists of texts are JSON");
        text.chars().count()
    }

    /// The document as indented JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("texts and lists of texts are JSON")
    }
}

impl Statement {
    pub(super) fn allow(sid: &'static str, actions: &[&str]) -> Statement {
        Statement {
            sid,
            effect: "Allow",
            principal: None,
            action: Values::of(actions.iter().copied()),
            resource: None,
            condition: BTreeMap::new(),
        }
    }

    pub(super) fn deny(sid: &'static str, actions: &[&str]) -> Statement {
        Statement { effect: "Deny", ..Statement::allow(sid, actions) }
    }

    pub(super) fn on<T: Into<String>>(self, resources: impl IntoIterator<Item = T>) -> Statement {
        Statement { resource: Some(Values::of(resources)), ..self }
    }

    /// For a trust policy: the principals of this type, `AWS` or `Federated`.
    pub(super) fn for_principal<T: Into<String>>(
        self,
        of_type: &'static str,
        principals: impl IntoIterator<Item = T>,
    ) -> Statement {
        Statement { principal: Some([(of_type, Values::of(principals))].into()), ..self }
    }

    pub(super) fn when<T: Into<String>>(
        mut self,
        operator: &'static str,
        key: impl Into<String>,
        values: impl IntoIterator<Item = T>,
    ) -> Statement {
        self.condition.entry(operator).or_default().insert(key.into(), Values::of(values));
        self
    }
}

impl Values {
    fn of<T: Into<String>>(values: impl IntoIterator<Item = T>) -> Values {
        Values(values.into_iter().map(Into::into).collect())
    }
}

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &*self.0 {
            [one] => one.serialize(serializer),
            several => several.serialize(serializer),
        }
    }
}
