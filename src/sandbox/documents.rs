use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::document::Document;

/// A row of [`COMPANY`].
macro_rules! company {
    ($name:literal) => {
        ($name, include_str!(concat!("documents/company/", $name, ".json")))
    };
}

/// The documents of the policies of a small company: its boundaries, and inline policies.
const COMPANY: [(&str, &str); 15] = [
    company!("Contractor"),
    company!("DataScientist"),
    company!("Deployer"),
    company!("Developer"),
    company!("analytics"),
    company!("backup"),
    company!("code-review"),
    company!("design-assets"),
    company!("metrics"),
    company!("on-call"),
    company!("own-credentials"),
    company!("pipeline"),
    company!("previews"),
    company!("report"),
    company!("resize"),
];

/// The document of a policy that is created without one: everything except the management of identities.
const DEFAULT: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":["iam:*","organizations:*","account:*"],"Resource":"*"}]}"#;

static DOCUMENTS: LazyLock<BTreeMap<&str, Document>> =
    LazyLock::new(|| COMPANY.map(|(name, text)| (name, Document::compact(text))).into());
static DEFAULT_DOCUMENT: LazyLock<Document> = LazyLock::new(|| Document::compact(DEFAULT));

/// Inline policies of the company by name.
pub(super) fn inline(names: &[&str]) -> BTreeMap<String, Document> {
    names.iter().map(|name| ((*name).to_owned(), of_policy(name))).collect()
}

/// The document of the company's policy with this name, or that of a policy without one.
pub(super) fn of_policy(name: &str) -> Document {
    DOCUMENTS.get(name).unwrap_or(&DEFAULT_DOCUMENT).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_is_valid() {
        for text in COMPANY.iter().map(|(_, text)| *text).chain([DEFAULT]) {
            assert_eq!(Document::parse(text).err(), None, "{text}");
        }
        assert_ne!(of_policy("Developer"), of_policy("unknown"));
    }
}
