//! The JSON Schema of `boundaries.toml`.
//!
//! The types in this module only describe the file. [`check`](super::check) reads it, and reports the line, the
//! column and the fix of every error. Tests compare both with the same files.
//! The doc comments become descriptions in the schema, which editors show to the author of a file.
#![allow(dead_code, reason = "only the schemas of these types are used")]

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, json_schema};

use crate::iam::{
    AccountId, NAME_CHAR_PATTERN, NamePattern, PolicyArn, PrincipalName, Threshold, schema_as_text,
};

/// The JSON Schema of `boundaries.toml`, for editors and other checkers.
///
/// JSON Schema cannot express every check. Only `iam-boundaries check` finds a short name that is not
/// defined in `[boundaries]`, ARNs of several accounts or partitions, and user names that differ only in
/// case.
pub fn schema() -> Schema {
    // Draft 7 and no references: TOML editors support no later draft, and hide descriptions next to `$ref`.
    SchemaSettings::draft07()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<File>()
}

/// The permissions boundaries that IAM users of an AWS account must have. Users that are not listed are
/// left unchanged.
#[derive(JsonSchema)]
#[schemars(title = "boundaries.toml of iam-boundaries", deny_unknown_fields)]
struct File {
    /// The account that the file is for. iam-boundaries refuses to use the file with any other account.
    #[schemars(default, with = "Account")]
    account: Option<Account>,
    /// Short names for policy ARNs: name = "ARN".
    #[schemars(default, with = "BTreeMap<ShortName, PolicyArn>")]
    boundaries: Option<BTreeMap<ShortName, PolicyArn>>,
    /// Guard rails: what a plan must not do without an override. If a plan violates a guard rail, nothing is
    /// changed.
    #[schemars(default, with = "Guard")]
    guard: Option<Guard>,
    /// The boundary that each user must have: user = "short name", user = "ARN", or user = false if the user
    /// must have no boundary. Put a user name in quotes if it contains one of +=,.@
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
    /// The maximum number of users that a plan may change, removals included: a number, or a percentage of
    /// the account's users in quotes. Without it, apply --auto-approve allows 10 users or 25%, whichever is
    /// more.
    #[schemars(default, with = "Threshold", extend("examples" = ["10%", 50]))]
    max_changes: Option<Threshold>,
    /// The maximum number of users whose boundary a plan may remove. Without it, apply --auto-approve
    /// allows 5 users or 5%, whichever is more.
    #[schemars(default, with = "Threshold", extend("examples" = ["1%", 0]))]
    max_removals: Option<Threshold>,
    /// Users whose boundary must not be changed, such as break-glass users: names, or patterns in which *
    /// matches any text and ? matches one character.
    #[schemars(default, with = "Vec<NamePattern>")]
    protected: Option<Vec<NamePattern>>,
    /// Whether the user whose credentials run iam-boundaries may change its own boundary.
    #[schemars(default, with = "bool")]
    allow_own_boundary: Option<bool>,
}

struct ShortName;

schema_as_text!(
    ShortName,
    "Short name of a boundary",
    "A short name that is defined in [boundaries].",
    format!("^{NAME_CHAR_PATTERN}{{1,128}}$"),
    ["developer"]
);

/// The user's boundary: a short name from [boundaries], the ARN of a managed policy, or false if the user
/// must have no boundary. Only false removes a boundary.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Boundary {
    ShortName(ShortName),
    Arn(PolicyArn),
    None(NoBoundary),
}

struct NoBoundary;

impl JsonSchema for NoBoundary {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "NoBoundary".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> Schema {
        json_schema!({
            "title": "No boundary",
            "description": "The user must have no boundary. An existing boundary is removed.",
            "const": false,
        })
    }
}
