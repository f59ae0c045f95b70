use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::xml::{Xml, shared};

/// A policy document. Copies share the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(super) struct Document {
    text: Arc<str>,
    /// The text in the encoding of responses.
    encoded: Arc<str>,
}

impl Document {
    /// A document that is not checked.
    pub(super) fn unchecked(text: &str) -> Document {
        Document { text: text.into(), encoded: percent_encoded(text).into() }
    }

    /// A document of the sandbox without the whitespace between its tokens, so that pages are short.
    pub(super) fn compact(text: &str) -> Document {
        let (mut is_string, mut is_escaped) = (false, false);
        let is_significant = |c: &char| {
            match c {
                '"' if !is_escaped => is_string = !is_string,
                _ if !is_string => return !c.is_ascii_whitespace(),
                _ => {}
            }
            is_escaped = *c == '\\' && !is_escaped;
            true
        };
        Document::unchecked(&text.chars().filter(is_significant).collect::<String>())
    }

    /// The document of a request, for an identity-based policy or a boundary.
    ///
    /// The checks are some of IAM's: the grammar down to the elements of a statement, but no names of actions,
    /// resources or conditions.
    ///
    /// The error is IAM's message.
    pub(super) fn parse(text: &str) -> Result<Document, &'static str> {
        check(text)?;
        Ok(Document::unchecked(text))
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The length that counts for the quotas: IAM does not count whitespace
    /// ([quotas](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)).
    pub(super) fn size(&self) -> usize {
        self.text.chars().filter(|c| !c.is_whitespace()).count()
    }

    /// An element with the encoded document.
    pub(super) fn field(&self, name: &'static str) -> Xml {
        shared(name, self.encoded.clone())
    }
}

impl From<String> for Document {
    fn from(text: String) -> Self {
        Document::unchecked(&text)
    }
}

impl From<Document> for String {
    fn from(document: Document) -> Self {
        document.text.as_ref().to_owned()
    }
}

const SYNTAX: &str = "Syntax errors in policy.";

/// Source: the [grammar of the policy language][grammar]. The messages are IAM's.
///
/// [grammar]: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
fn check(text: &str) -> Result<(), &'static str> {
    let document: Map<String, Value> = serde_json::from_str(text).map_err(|_| SYNTAX)?;
    match document.get("Version") {
        None => {}
        Some(Value::String(version)) if matches!(&**version, "2012-10-17" | "2008-10-17") => {}
        Some(_) => return Err("The policy must contain a valid version string."),
    }
    if document.keys().any(|key| !matches!(&**key, "Version" | "Id" | "Statement")) {
        return Err(SYNTAX);
    }
    match document.get("Statement") {
        Some(Value::Object(statement)) => check_statement(statement),
        Some(Value::Array(statements)) if !statements.is_empty() => {
            statements.iter().try_for_each(|it| check_statement(it.as_object().ok_or(SYNTAX)?))
        }
        _ => Err(SYNTAX),
    }
}

fn check_statement(statement: &Map<String, Value>) -> Result<(), &'static str> {
    if ["Principal", "NotPrincipal"].iter().any(|key| statement.contains_key(*key)) {
        return Err("Policy document should not specify a principal.");
    }
    if !matches!(statement.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny")) {
        return Err(SYNTAX);
    }
    // A statement has an element or its negation, not both.
    let one = |names: [&str; 2], missing| match names.map(|name| statement.get(name)) {
        [Some(value), None] | [None, Some(value)] if is_text_or_texts(value) => Ok(()),
        [None, None] => Err(missing),
        _ => Err(SYNTAX),
    };
    one(["Action", "NotAction"], "Policy statement must contain actions.")?;
    one(["Resource", "NotResource"], "Policy statement must contain resources.")?;
    match statement.get("Condition") {
        None | Some(Value::Object(_)) => Ok(()),
        Some(_) => Err(SYNTAX),
    }
}

fn is_text_or_texts(value: &Value) -> bool {
    match value {
        Value::String(_) => true,
        Value::Array(values) => values.iter().all(Value::is_string),
        _ => false,
    }
}

/// A policy as IAM returns it, encoded as in RFC 3986
/// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html>).
pub(super) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_encoded_as_in_rfc_3986() {
        assert_eq!(
            percent_encoded("{\"a\": [b-c.d_~]}é"),
            "%7B%22a%22%3A%20%5Bb-c.d_~%5D%7D%C3%A9"
        );
    }

    #[test]
    fn a_compact_document_has_whitespace_only_in_strings() {
        let document = Document::compact("{\n  \"a b\\\" c\": [ \"\\\\\", 1 ]\n}\n");
        assert_eq!(document.text(), r#"{"a b\" c":["\\",1]}"#);
    }

    #[test]
    fn a_document_is_an_object_with_statements_of_iams_grammar() {
        let statement = r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}"#;
        let deny =
            r#"{"Effect": "Deny", "NotAction": ["s3:*"], "NotResource": ["*"], "Condition": {}}"#;
        for good in [
            format!(r#"{{"Statement": {statement}}}"#),
            format!(
                r#"{{"Version": "2012-10-17", "Id": "x", "Statement": [{statement}, {deny}]}}"#
            ),
            format!(r#"{{"Version": "2008-10-17", "Statement": [{deny}]}}"#),
        ] {
            assert_eq!(check(&good), Ok(()), "{good}");
        }
        let with = |change: (&str, &str)| {
            format!(r#"{{"Statement": [{}]}}"#, statement.replace(change.0, change.1))
        };
        for (bad, why) in [
            (String::new(), "Syntax"),
            ("[]".into(), "Syntax"),
            ("{}".into(), "Syntax"),
            (r#"{"Statement": []}"#.into(), "Syntax"),
            (r#"{"Statement": ["Allow"]}"#.into(), "Syntax"),
            (format!(r#"{{"Statement": {statement}, "Other": 1}}"#), "Syntax"),
            (format!(r#"{{"Version": "2012", "Statement": {statement}}}"#), "version string"),
            (with(("Allow", "allow")), "Syntax"),
            (with(("\"s3:*\"", "1")), "Syntax"),
            (with(("\"Action\"", "\"Actions\"")), "must contain actions"),
            (with(("Resource", "Condition")), "must contain resources"),
            (with(("\"Action\"", "\"NotAction\": [], \"Action\"")), "Syntax"),
            (with(("\"Action\"", "\"Principal\": \"*\", \"Action\"")), "a principal"),
            (with(("\"Action\"", "\"Condition\": [], \"Action\"")), "Syntax"),
        ] {
            assert!(check(&bad).is_err_and(|message| message.contains(why)), "{bad}: {why}");
        }
    }
}
