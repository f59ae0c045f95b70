//! The JSON Schema of `boundaries.toml`.
//!
//! The types here stand for the file as it is written, and nothing is ever read into them: reading is
//! [`check`](super::check)'s part, which says line, column and remedy of every mistake. Tests hold both
//! to the same files. The doc comments are what an editor shows, so they speak to who writes a file.
#![allow(dead_code, reason = "only the schema of these types is used")]

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, json_schema};

use crate::values::{AccountId, NAME_CHAR_PATTERN, PolicyArn, UserName, schema_as_text};

/// The JSON Schema of `boundaries.toml`, for editors and other checkers.
///
/// It says what JSON Schema can say. Only `check` sees whether a short name stands in `[boundaries]`,
/// whether all ARNs are of one account and partition, and whether two users differ by case alone.
pub fn schema() -> Schema {
    // Draft 7, and no references: TOML editors know no later draft, and show no text beside one.
    SchemaSettings::draft07()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<File>()
}

/// Which permissions boundary each IAM user of an AWS account shall have. Users whom the file does not
/// name are left as they are.
#[derive(JsonSchema)]
#[schemars(title = "boundaries.toml of iam-boundaries", deny_unknown_fields)]
struct File {
    /// The account that the file is for: the tool refuses to work on any other.
    #[schemars(default, with = "Account")]
    account: Option<Account>,
    /// Short names for policies, so that an ARN stands in one place only: name = "ARN".
    #[schemars(default, with = "BTreeMap<ShortName, PolicyArn>")]
    boundaries: Option<BTreeMap<ShortName, PolicyArn>>,
    /// What each user shall have: user = "short name", or "ARN", or false for "must have none". A name
    /// with a dot, an @ or the like stands in quotes.
    #[schemars(extend("minProperties" = 1))]
    users: BTreeMap<UserName, Boundary>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Account {
    id: AccountId,
}

struct ShortName;

schema_as_text!(
    ShortName,
    "Short name of a boundary",
    "A short name that stands in [boundaries].",
    format!("^{NAME_CHAR_PATTERN}{{1,128}}$"),
    ["developer"]
);

/// The user's boundary: a short name of [boundaries], the ARN of a managed policy, or false for "must
/// have none". Only false ever removes a boundary.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Boundary {
    ShortName(ShortName),
    Arn(PolicyArn),
    None(MustHaveNone),
}

struct MustHaveNone;

impl JsonSchema for MustHaveNone {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "MustHaveNone".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> Schema {
        json_schema!({
            "title": "No boundary",
            "description": "The user must have no boundary: one that is there is removed.",
            "const": false,
        })
    }
}
