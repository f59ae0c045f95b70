use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::iam::{ActionPattern, ActionPatternError, Printable, not_null, serde_message};

/// A policy document, as IAM evaluates it
/// ([JSON policy elements](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html)).
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    pub(super) statements: Vec<Statement>,
    /// Whether `${aws:username}` is a variable, as in version 2012-10-17 of the language. It is text in version 2008-10-17,
    /// which is also that of a document without a version
    /// ([Version](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html)).
    pub(super) has_variables: bool,
}

/// The error for a text that is not a policy document, or not one that this tool can evaluate. It contains no text of the
/// document: a boundaries file can name any file, also one with secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {message}")]
pub struct DocumentError {
    /// What is wrong.
    pub message: Printable,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1.
    pub column: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Statement {
    pub(super) effect: Effect,
    pub(super) actions: Selector<ActionPattern>,
    pub(super) resources: Selector<String>,
    /// The conditions as JSON with sorted keys and values; `None` if there are none.
    pub(super) condition: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) enum Effect {
    Allow,
    Deny,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Selector<T> {
    Only(Vec<T>),
    Except(Vec<T>),
}

impl Document {
    /// Parses a document. It can be percent-encoded (RFC 3986), as IAM's responses have it.
    ///
    /// # Errors
    /// If the text is not JSON, or has an element that identity-based policies and boundaries do not have.
    pub fn parse(text: &str) -> Result<Document, DocumentError> {
        let raw: Object<RawDocument> =
            serde_json::from_str(&decoded(text)?).map_err(|error| json_error(&error))?;
        let Object(raw) = raw;
        let has_variables = matches!(raw.version, Some(Version::V2012));
        Ok(Document { statements: raw.statement.0, has_variables })
    }

    /// The patterns of actions that the document has.
    pub(super) fn patterns(&self) -> impl Iterator<Item = &ActionPattern> {
        self.statements.iter().flat_map(|statement| match &statement.actions {
            Selector::Only(patterns) | Selector::Except(patterns) => patterns,
        })
    }
}

/// The JSON of a document, which can be percent-encoded.
pub(super) fn decoded(text: &str) -> Result<Cow<'_, str>, DocumentError> {
    if !text.trim_start().starts_with('%') {
        return Ok(text.into());
    }
    percent_encoding::percent_decode_str(text).decode_utf8().map_err(|_| DocumentError {
        message: "the decoded text is not valid UTF-8".into(),
        line: 1,
        column: 1,
    })
}

pub(super) fn json_error(error: &serde_json::Error) -> DocumentError {
    DocumentError {
        message: without_text(&serde_message(error)).into(),
        line: error.line().max(1),
        column: error.column().max(1),
    }
}

/// The message of serde without the text of the document: `unknown field, expected one of …`. What was expected is text of
/// this module, and follows the last `, expected`.
fn without_text(message: &str) -> String {
    let kinds = ["unknown variant", "unknown field", "invalid type", "invalid value"];
    let Some(kind) = kinds.into_iter().find(|kind| message.starts_with(kind)) else {
        return message.to_owned();
    };
    // The type of the value is before the value.
    let found = match message[kind.len()..].split(['"', '`', ',']).next() {
        Some(found) if kind == "invalid type" => found.trim_end(),
        _ => "",
    };
    let expected = message.rsplit_once(", expected ").map(|(_, expected)| expected);
    format!("{kind}{found}, expected {}", expected.unwrap_or("another one"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RawDocument {
    #[serde(default, deserialize_with = "not_null")]
    version: Option<Version>,
    #[serde(default, rename = "Id", deserialize_with = "not_null")]
    _id: Option<String>,
    statement: OneOrMany<Statement>,
}

#[derive(Deserialize)]
enum Version {
    #[serde(rename = "2008-10-17")]
    V2008,
    #[serde(rename = "2012-10-17")]
    V2012,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RawStatement {
    #[serde(default, rename = "Sid", deserialize_with = "not_null")]
    _sid: Option<String>,
    effect: Effect,
    #[serde(default, deserialize_with = "not_null")]
    action: Option<OneOrMany<String>>,
    #[serde(default, deserialize_with = "not_null")]
    not_action: Option<OneOrMany<String>>,
    #[serde(default, deserialize_with = "not_null")]
    resource: Option<OneOrMany<String>>,
    #[serde(default, deserialize_with = "not_null")]
    not_resource: Option<OneOrMany<String>>,
    #[serde(default, deserialize_with = "not_null")]
    condition: Option<Unique<Unique<serde_json::Value>>>,
}

impl<'de> Deserialize<'de> for Statement {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Object(raw) = Object::<RawStatement>::deserialize(from)?;
        let condition = raw.condition.filter(|condition| !condition.0.is_empty()).map(canonical);
        let parse = |text: String| {
            text.parse::<ActionPattern>().map_err(|error| {
                D::Error::custom(match error {
                    ActionPatternError::NoService => {
                        "a statement has an action that is not valid: an action is * or has a service and a colon, such as \
                         s3:GetObject"
                    }
                    ActionPatternError::Character(_) => {
                        "a statement has an action with a character that no action has"
                    }
                })
            })
        };
        let actions =
            match selector("Action", raw.action, raw.not_action).map_err(D::Error::custom)? {
                Selector::Only(texts) => {
                    Selector::Only(texts.into_iter().map(parse).collect::<Result<_, _>>()?)
                }
                Selector::Except(texts) => {
                    Selector::Except(texts.into_iter().map(parse).collect::<Result<_, _>>()?)
                }
            };
        let resources =
            selector("Resource", raw.resource, raw.not_resource).map_err(D::Error::custom)?;
        Ok(Statement { effect: raw.effect, actions, resources, condition })
    }
}

/// The one of two elements that a statement has.
fn selector(
    name: &str,
    only: Option<OneOrMany<String>>,
    except: Option<OneOrMany<String>>,
) -> Result<Selector<String>, String> {
    let selector = match (only, except) {
        (Some(only), None) => Selector::Only(only.0),
        (None, Some(except)) => Selector::Except(except.0),
        (None, None) => return Err(format!("a statement has neither {name} nor Not{name}")),
        (Some(_), Some(_)) => return Err(format!("a statement has both {name} and Not{name}")),
    };
    match &selector {
        Selector::Only(values) | Selector::Except(values) if values.is_empty() => {
            Err(format!("{name} or Not{name} of a statement is an empty list"))
        }
        _ => Ok(selector),
    }
}

/// The conditions as text that is equal if they are: one value is a list with one value, and the order of keys and values
/// does not matter. Operators and condition keys are case-insensitive.
fn canonical(condition: Unique<Unique<serde_json::Value>>) -> String {
    fn sorted<T: Ord>(keys: Unique<T>) -> Vec<(String, T)> {
        let mut pairs: Vec<_> =
            keys.0.into_iter().map(|(key, value)| (key.to_ascii_lowercase(), value)).collect();
        pairs.sort();
        pairs
    }
    let values = |value: serde_json::Value| match value {
        serde_json::Value::Array(list) => {
            let mut texts: Vec<String> = list.iter().map(ToString::to_string).collect();
            texts.sort();
            texts.dedup();
            texts
        }
        one => vec![one.to_string()],
    };
    let operators = condition.0.into_iter().map(|(operator, keys)| {
        let keys = keys.0.into_iter().map(|(key, value)| (key, values(value))).collect();
        (operator, sorted(Unique(keys)))
    });
    format!("{:?}", sorted(Unique(operators.collect())))
}

/// A structure that is read from an object only. Serde also reads a structure from a list.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// The keys of an object, each of which is there once.
struct Unique<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Unique<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(UniqueVisitor(PhantomData))
    }
}

struct UniqueVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for UniqueVisitor<T> {
    type Value = Unique<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut keys: Vec<(String, T)> = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, T>()? {
            if keys.iter().any(|(known, _)| *known == key) {
                return Err(A::Error::custom("duplicate key in Condition"));
            }
            keys.push((key, value));
        }
        Ok(Unique(keys))
    }
}

/// A value, or a list of values.
struct OneOrMany<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OneOrManyVisitor(PhantomData))
    }
}

struct OneOrManyVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrManyVisitor<T> {
    type Value = OneOrMany<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or a list of values")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(OneOrMany(vec![T::deserialize(StrDeserializer::new(text))?]))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Ok(OneOrMany(vec![T::deserialize(MapAccessDeserializer::new(map))?]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(OneOrMany(values))
    }
}
