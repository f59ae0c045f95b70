use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The unique ID that IAM assigns to a principal, such as `AIDAJQABLZS4A3QDU576Q`.
///
/// IAM never reuses one: a principal that was deleted and created again has the same name and another ID
/// ([IAM identifiers](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids)).
/// It has 16 to 128 characters of `[A-Za-z0-9_]`
/// ([User](https://docs.aws.amazon.com/IAM/latest/APIReference/API_User.html), `UserId`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UniqueId(Arc<str>);

/// A text that is not a valid [`UniqueId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a unique ID has 16 to 128 characters, all of them letters, digits or _")]
pub struct UniqueIdError;

impl UniqueId {
    /// The ID as it was parsed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UniqueId {
    type Err = UniqueIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let is_valid = (16..=128).contains(&text.len()) && text.bytes().all(is_word);
        if is_valid { Ok(UniqueId(text.into())) } else { Err(UniqueIdError) }
    }
}

impl fmt::Display for UniqueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for UniqueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UniqueId({})", self.0)
    }
}

super::serde_as_text!(UniqueId);
super::schema_as_text!(
    UniqueId,
    "Unique ID",
    "The unique ID of an IAM principal.",
    "^[A-Za-z0-9_]{16,128}$",
    ["AIDAJQABLZS4A3QDU576Q"]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_of_iams_form_are_accepted() {
        for text in ["AIDAJQABLZS4A3QDU576Q", "A_0123456789abcd", &"x".repeat(128)] {
            assert_eq!(text.parse::<UniqueId>().unwrap().as_str(), text);
        }
        for text in ["", "AIDA", "AIDAJQABLZS4A3QDU576 ", &"x".repeat(129)] {
            assert_eq!(text.parse::<UniqueId>(), Err(UniqueIdError), "{text}");
        }
    }
}
