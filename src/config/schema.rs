//! The JSON Schema of `boundaries.toml`.
//!
//! The types here stand for the file as it is written, and nothing is ever read into them: reading is
//! [`check`](super::check)'s part, which says line, column and remedy of every mistake. Tests hold both
//! to the same files. The doc comments are what an editor shows, so they speak to who writes a file.
#![allow(dead_code, reason = "only the schema of these types is used")]

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, json_schema};

use crate::iam::{
    AccountId, NAME_CHAR_PATTERN, NamePattern, PolicyArn, PrincipalName, Threshold, schema_as_text,
};

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
    /// Guard rails: what no plan may do without a further word. Where one refuses, nothing is changed.
    #[schemars(default, with = "Guard")]
    guard: Option<Guard>,
    /// What each user shall have: user = "short name", or "ARN", or false for "must have none". A name
    /// with a dot, an @ or the like stands in quotes.
    #[schemars(extend("minProperties" = 1))]
    users: BTreeMap<PrincipalName, Boundary>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Account {
    id: AccountId,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Guard {
    /// The most users that one plan may change, removals included: a number, or a share of the account's
    /// users in quotes. Without it, apply --auto-approve takes up to 10 or 25%, whichever is more.
    #[schemars(default, with = "Threshold", extend("examples" = ["10%", 50]))]
    max_changes: Option<Threshold>,
    /// The most users who may lose their boundary in one plan. Without it, apply --auto-approve takes up
    /// to 5 or 5%, whichever is more.
    #[schemars(default, with = "Threshold", extend("examples" = ["1%", 0]))]
    max_removals: Option<Threshold>,
    /// Users whose boundary is never touched, such as break-glass users: names, or patterns in which *
    /// stands for any text and ? for one character.
    #[schemars(default, with = "Vec<NamePattern>")]
    protected: Option<Vec<NamePattern>>,
    /// Whether the user whose credentials run the tool may change the own boundary.
    #[schemars(default, with = "bool")]
    allow_own_boundary: Option<bool>,
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
