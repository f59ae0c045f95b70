use std::io::Read as _;
use std::sync::LazyLock;

use flate2::read::DeflateDecoder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The catalog as the build script compressed it.
const COMPRESSED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/catalog.txt.deflate"));

/// The actions of all AWS services, as the
/// [Service Authorization Reference](https://docs.aws.amazon.com/service-authorization/latest/reference/) has them.
#[derive(Debug)]
pub struct Catalog {
    /// The date of the data, such as `2026-09-26`.
    pub date: String,
    /// By name in lower case.
    pub(super) actions: Vec<CatalogAction>,
}

/// An action of the catalog.
#[derive(Debug)]
pub(super) struct CatalogAction {
    /// Service and name, such as `s3:GetObject`.
    pub(super) name: Box<str>,
    /// The same in lower case.
    pub(super) lower: Box<str>,
    pub(super) level: AccessLevel,
}

/// The access level of an action
/// ([access levels](https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_understand-policy-summary-access-level-summaries.html)).
/// The order is that in which reports name them.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::EnumIter,
)]
pub enum AccessLevel {
    /// Grants or changes permissions.
    #[serde(rename = "Permissions management")]
    PermissionsManagement,
    /// Creates, deletes or changes resources.
    Write,
    /// Changes only tags.
    Tagging,
    /// Reads the content of resources.
    Read,
    /// Lists resources.
    List,
    /// The catalog does not have the action.
    Unknown,
}

impl AccessLevel {
    /// The number of access levels.
    pub(super) const COUNT: usize = AccessLevel::Unknown as usize + 1;

    /// The name that AWS uses.
    pub fn name(self) -> &'static str {
        match self {
            AccessLevel::PermissionsManagement => "Permissions management",
            AccessLevel::Write => "Write",
            AccessLevel::Tagging => "Tagging",
            AccessLevel::Read => "Read",
            AccessLevel::List => "List",
            AccessLevel::Unknown => "Unknown",
        }
    }

    /// The letter of the level in the catalog.
    fn of_letter(letter: &str) -> Option<AccessLevel> {
        Some(match letter {
            "P" => AccessLevel::PermissionsManagement,
            "W" => AccessLevel::Write,
            "T" => AccessLevel::Tagging,
            "R" => AccessLevel::Read,
            "L" => AccessLevel::List,
            _ => return None,
        })
    }
}

impl Catalog {
    /// The catalog of this version of the tool.
    pub fn current() -> &'static Catalog {
        static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
            let mut text = String::new();
            DeflateDecoder::new(COMPRESSED)
                .read_to_string(&mut text)
                .expect("the build script compressed the catalog");
            Catalog::parse(&text).expect("a test parses the catalog of this version")
        });
        &CATALOG
    }

    /// Parses `catalog.txt`: a line with the date, and then lines of a service, the letter of a level, and names.
    fn parse(text: &str) -> Option<Catalog> {
        let (date, lines) = text.split_once('\n')?;
        let mut actions = Vec::with_capacity(24_000);
        for line in lines.lines() {
            let mut words = line.split(' ');
            let (service, level) = (words.next()?, AccessLevel::of_letter(words.next()?)?);
            actions.extend(words.map(|name| {
                let name = format!("{service}:{name}");
                CatalogAction { lower: name.to_ascii_lowercase().into(), name: name.into(), level }
            }));
        }
        actions.sort_unstable_by(|a, b| a.lower.cmp(&b.lower));
        Some(Catalog { date: date.to_owned(), actions })
    }

    /// The number of actions.
    pub fn len(&self) -> usize {
        self.actions.len()
    }

    /// Whether the catalog has no action. It always has some.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }
}
