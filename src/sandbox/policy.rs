use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::document::Document;
use super::documents;

/// The maximum number of versions of a managed policy
/// ([quotas](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)).
pub(super) const MAX_VERSIONS: usize = 5;

/// A customer managed policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "SavedPolicy")]
pub(super) struct Policy {
    pub(super) path: String,
    pub(super) name: String,
    /// In the order of their numbers, at least one.
    versions: Vec<Version>,
    /// The number of the default version, which is in force.
    default_version: u32,
    /// The number of the version that was created last. IAM never reuses a number.
    last_version: u32,
}

/// A version of a managed policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Version {
    pub(super) number: u32,
    pub(super) document: Document,
}

/// A policy as the state file has it.
#[derive(Deserialize)]
struct SavedPolicy {
    path: String,
    name: String,
    /// Missing from the files of versions without documents. The same applies to the other fields.
    #[serde(default)]
    versions: Vec<Version>,
    #[serde(default)]
    default_version: u32,
    #[serde(default)]
    last_version: u32,
}

impl From<SavedPolicy> for Policy {
    fn from(saved: SavedPolicy) -> Self {
        let SavedPolicy { path, name, versions, default_version, last_version } = saved;
        match versions.is_empty() {
            true => {
                let document = documents::of_policy(&name);
                Policy::new(&path, &name, document)
            }
            false => Policy { path, name, versions, default_version, last_version },
        }
    }
}

impl Version {
    pub(super) fn id(&self) -> String {
        format!("v{}", self.number)
    }
}

impl Policy {
    pub(super) fn new(path: &str, name: &str, document: Document) -> Self {
        Policy {
            path: path.to_owned(),
            name: name.to_owned(),
            versions: vec![Version { number: 1, document }],
            default_version: 1,
            last_version: 1,
        }
    }

    /// The versions, the newest first.
    pub(super) fn versions(&self) -> impl ExactSizeIterator<Item = &Version> {
        self.versions.iter().rev()
    }

    pub(super) fn version(&self, id: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.id() == id)
    }

    pub(super) fn default_version_id(&self) -> String {
        format!("v{}", self.default_version)
    }

    pub(super) fn is_default(&self, version: &Version) -> bool {
        version.number == self.default_version
    }

    /// The document of the default version.
    pub(super) fn document(&self) -> Option<&Document> {
        self.versions.iter().find(|version| self.is_default(version)).map(|it| &it.document)
    }

    /// Adds a version and returns its number.
    pub(super) fn add_version(&mut self, document: Document) -> u32 {
        self.last_version += 1;
        self.versions.push(Version { number: self.last_version, document });
        self.last_version
    }

    /// Makes this version the default one.
    pub(super) fn set_default(&mut self, number: u32) {
        self.default_version = number;
    }

    /// Removes a version that is not the default one.
    pub(super) fn remove_version(&mut self, number: u32) {
        self.versions.retain(|version| version.number != number);
    }
}

/// The identity-based policies of a user, role or group.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Policies {
    /// The ARNs of the managed policies that are attached.
    #[serde(default, rename = "policies", skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) attached: BTreeSet<String>,
    /// The inline policies by name.
    #[serde(default, rename = "inline_policies", skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) inline: BTreeMap<String, Document>,
}

/// A group of users.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "SavedGroup")]
pub(super) struct Group {
    pub(super) path: String,
    #[serde(flatten)]
    pub(super) policies: Policies,
}

/// A group as the state file has it.
#[derive(Deserialize)]
#[serde(untagged)]
enum SavedGroup {
    /// In the files of versions whose groups have no policies: the path.
    Path(String),
    Group {
        path: String,
        #[serde(flatten)]
        policies: Policies,
    },
}

impl From<SavedGroup> for Group {
    fn from(saved: SavedGroup) -> Self {
        match saved {
            SavedGroup::Path(path) => Group { path, policies: Policies::default() },
            SavedGroup::Group { path, policies } => Group { path, policies },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_groups_and_policies_of_earlier_state_files_are_read() {
        let group: Group = serde_json::from_str("\"/teams/\"").unwrap();
        assert_eq!((group.path.as_str(), group.policies.attached.len()), ("/teams/", 0));
        let text = r#"{"path": "/", "name": "Developer"}"#;
        let policy: Policy = serde_json::from_str(text).unwrap();
        assert_eq!(policy.default_version_id(), "v1");
        assert_eq!(policy.document(), Some(&documents::of_policy("Developer")));
    }

    #[test]
    fn the_number_of_a_version_is_never_used_again() {
        let document = || Document::unchecked("{}");
        let mut policy = Policy::new("/", "P", document());
        assert_eq!(policy.add_version(document()), 2);
        policy.remove_version(2);
        assert_eq!(policy.add_version(document()), 3);
        policy.set_default(3);
        policy.remove_version(1);
        let text = serde_json::to_string(&policy).unwrap();
        let mut policy: Policy = serde_json::from_str(&text).unwrap();
        assert_eq!(policy.versions().map(Version::id).collect::<Vec<_>>(), ["v3"]);
        assert_eq!(
            (policy.default_version_id().as_str(), policy.add_version(document())),
            ("v3", 4)
        );
    }
}
