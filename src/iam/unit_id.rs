use std::fmt;
use std::str::FromStr;

/// The ID of an organizational unit or of the root of an organization in AWS Organizations: `ou-ab12-c3d4e5f6` or
/// `r-ab12`.
///
/// The patterns are those of
/// [ListAccountsForParent](https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccountsForParent.html).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitId(String);

/// The error for a text that is not a valid [`UnitId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a unit is the ID of an organizational unit, such as ou-ab12-c3d4e5f6, or of a root, such as r-ab12"
)]
pub struct UnitIdError;

impl UnitId {
    /// The ID as it was parsed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UnitId {
    type Err = UnitIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_part = |text: &str, min: usize| {
            let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            (min..=32).contains(&text.len()) && text.bytes().all(is_allowed)
        };
        let parts: Vec<&str> = text.split('-').collect();
        let is_valid = match *parts {
            ["r", root] => is_part(root, 4),
            ["ou", root, unit] => is_part(root, 4) && is_part(unit, 8),
            _ => false,
        };
        if is_valid { Ok(UnitId(text.to_owned())) } else { Err(UnitIdError) }
    }
}

impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

super::serde_as_text!(UnitId);
super::schema_as_text!(
    UnitId,
    "Organizational unit",
    "The ID of an organizational unit or of the root of an organization.",
    "^(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32})$",
    ["ou-ab12-c3d4e5f6"]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_has_the_id_of_an_organizational_unit_or_of_a_root() {
        for id in ["r-ab12", "ou-ab12-workloads", "ou-ab12-c3d4e5f6"] {
            assert_eq!(id.parse::<UnitId>().unwrap().as_str(), id);
        }
        for text in [
            "",
            "r-",
            "r-abc",
            "ou-ab12",
            "ou-ab12-short",
            "ou-AB12-c3d4e5f6",
            "x-ab12",
            "Workloads",
        ] {
            assert_eq!(text.parse::<UnitId>(), Err(UnitIdError), "{text:?}");
        }
    }
}
