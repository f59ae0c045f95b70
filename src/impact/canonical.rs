use serde_json::Value;

use super::document::{DocumentError, decoded, json_error};
use crate::iam::Digest;

/// A policy document in a form that is equal if two documents say the same: the order of keys, and of the values in
/// `Action`, `Resource` and conditions does not matter, and neither does white space. A single value is a list with one
/// value. The order of statements and the case of letters matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalDocument(Value);

/// The elements of a statement that are a value or a list of values.
const LISTS: [&str; 4] = ["Action", "NotAction", "Resource", "NotResource"];

impl CanonicalDocument {
    /// Parses a document. It can be percent-encoded (RFC 3986), as IAM's responses have it. It can have elements that
    /// this tool does not evaluate.
    ///
    /// # Errors
    /// If the text is not JSON.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let mut document: Value =
            serde_json::from_str(&decoded(text)?).map_err(|error| json_error(&error))?;
        if let Some(statements) = document.get_mut("Statement") {
            if !statements.is_array() {
                *statements = Value::Array(vec![statements.take()]);
            }
            statements.as_array_mut().into_iter().flatten().for_each(normalize);
        }
        document.sort_all_objects();
        Ok(CanonicalDocument(document))
    }

    /// The SHA-256 of the canonical form, as JSON with sorted keys and no spaces.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.to_string())
    }

    /// The canonical form as JSON with indentation. It ends with a line end.
    pub fn pretty(&self) -> String {
        format!("{:#}\n", self.0)
    }
}

fn normalize(statement: &mut Value) {
    for (name, value) in statement.as_object_mut().into_iter().flatten() {
        if LISTS.contains(&name.as_str()) {
            sorted_list(value);
        } else if name == "Condition" {
            let operators = value.as_object_mut().into_iter().flatten();
            let keys = operators.filter_map(|(_, keys)| keys.as_object_mut()).flatten();
            keys.for_each(|(_, values)| sorted_list(values));
        }
    }
}

/// Makes the value a list, sorts it, and removes equal values.
fn sorted_list(value: &mut Value) {
    match value {
        Value::Array(values) => {
            values.sort_by_cached_key(Value::to_string);
            values.dedup();
        }
        one => *one = Value::Array(vec![one.take()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> CanonicalDocument {
        CanonicalDocument::parse(text).unwrap()
    }

    const DOCUMENT: &str = r#"{ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": ["s3:Get*", "ec2:*"], "Resource": "*",
        "Condition": { "StringLike": { "aws:PrincipalTag/team": ["a", "b"] } } }] }"#;

    #[test]
    fn the_form_of_the_json_does_not_matter() {
        let same = r#"{"Statement":{"Condition":{"StringLike":{"aws:PrincipalTag/team":["b","a"]}},
            "Resource":["*"],"Action":["ec2:*","s3:Get*","ec2:*"],"Effect":"Allow"},"Version":"2012-10-17"}"#;
        assert_eq!(canonical(DOCUMENT), canonical(same));
        assert_eq!(canonical(DOCUMENT).digest(), canonical(same).digest());
        let encoded =
            percent_encoding::utf8_percent_encode(same, percent_encoding::NON_ALPHANUMERIC);
        assert_eq!(canonical(DOCUMENT), canonical(&encoded.to_string()));
        assert_eq!(canonical(&canonical(DOCUMENT).pretty()), canonical(DOCUMENT));
    }

    #[test]
    fn each_difference_of_the_content_matters() {
        for (from, to) in [
            ("s3:Get*", "s3:*"),
            ("Allow", "Deny"),
            ("\"Action\"", "\"NotAction\""),
            ("\"*\"", "\"arn:aws:s3:::b/*\""),
            ("2012-10-17", "2008-10-17"),
            ("\"b\"", "\"c\""),
            ("StringLike", "StringEquals"),
            ("aws:PrincipalTag/team", "aws:PrincipalTag/Team"),
        ] {
            let other = canonical(&DOCUMENT.replace(from, to));
            assert_ne!(canonical(DOCUMENT), other, "{from} → {to}");
            assert_ne!(canonical(DOCUMENT).digest(), other.digest(), "{from} → {to}");
        }
    }

    #[test]
    fn a_text_that_is_not_json_is_an_error_with_its_position() {
        let error = CanonicalDocument::parse("{\n  \"Version\": ,\n}").unwrap_err();
        assert_eq!((error.line, error.column), (2, 14));
        assert!(CanonicalDocument::parse("%FF").is_err());
    }
}
