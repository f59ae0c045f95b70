//! The JSON Schema of `boundaries.toml`.
//!
//! The types in this module describe the file, and nothing is deserialized into them: [`check`](super::check)
//! reads the file and reports every error with its line and column. Tests compare both on the same files.
//! The doc comments become the descriptions in the schema, which editors show.
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
/// defined in `[boundaries]`, ARNs of several accounts or partitions, and names that differ only in case.
pub fn schema() -> Schema {
    // Draft 7 and no references: TOML editors support no later draft, and hide descriptions next to `$ref`.
    SchemaSettings::draft07()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<File>()
}

/// The permissions boundaries that the IAM users and roles of an AWS account must have. Those that are not listed are
/// not changed.
#[derive(JsonSchema)]
#[schemars(
    title = "boundaries.toml of iam-boundaries",
    deny_unknown_fields,
    extend("anyOf" = lists_someone())
)]
struct File {
    /// The account that the file is for. iam-boundaries refuses to work on any other account.
    #[schemars(default, with = "Account")]
    account: Option<Account>,
    /// Short names for policy ARNs: name = "ARN".
    #[schemars(default, with = "BTreeMap<ShortName, PolicyArn>")]
    boundaries: Option<BTreeMap<ShortName, PolicyArn>>,
    /// Guard rails: limits on every plan. If a plan violates a guard rail, apply changes nothing and names the
    /// option that overrides it.
    #[schemars(default, with = "Guard")]
    guard: Option<Guard>,
    /// The boundary that each user must have: user = "short name", user = "ARN", or user = false if the user
    /// must have no boundary. Put a user name in quotes if it contains one of +=,.@
    #[schemars(default, with = "BTreeMap<PrincipalName, Boundary>")]
    users: Option<BTreeMap<PrincipalName, Boundary>>,
    /// The boundary that each role must have, like in [users]. AWS manages service-linked roles and the roles of IAM
    /// Identity Center: they cannot be listed.
    #[schemars(default, with = "BTreeMap<RoleName, Boundary>")]
    roles: Option<BTreeMap<RoleName, Boundary>>,
}

/// A file lists at least one user or role.
fn lists_someone() -> serde_json::Value {
    let one_of = |table: &str| serde_json::json!({ "required": [table], "properties": { table: { "minProperties": 1 } } });
    [one_of("users"), one_of("roles")].into()
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Account {
    id: AccountId,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Guard {
    /// The maximum number of users and roles that a plan may change, removals included: a number, or in quotes a
    /// percentage of the account's users and of its roles. Without this key, apply --auto-approve allows 10 users or
    /// 25% of the account's users, whichever is more, and the same for roles.
    #[schemars(
        default,
        skip_serializing_if = "Option::is_none",
        with = "Threshold",
        extend("examples" = ["10%", 50])
    )]
    max_changes: Option<Threshold>,
    /// The maximum number of users and roles whose boundary a plan may remove: a number, or in quotes a percentage of
    /// the account's users and of its roles. Without this key, apply --auto-approve allows 5 users or 5% of the
    /// account's users, whichever is more, and the same for roles.
    #[schemars(
        default,
        skip_serializing_if = "Option::is_none",
        with = "Threshold",
        extend("examples" = ["1%", 0])
    )]
    max_removals: Option<Threshold>,
    /// Users that are never changed, such as break-glass users: names, or patterns in which * matches any text
    /// and ? matches one character. Case is ignored.
    #[schemars(default, skip_serializing_if = "Option::is_none", with = "Vec<NamePattern>")]
    protected: Option<Vec<NamePattern>>,
    /// Roles that are never changed, such as break-glass roles: names or patterns, like in protected.
    #[schemars(default, skip_serializing_if = "Option::is_none", with = "Vec<NamePattern>")]
    protected_roles: Option<Vec<NamePattern>>,
    /// Whether a plan may change the boundary of the IAM user or role whose credentials run iam-boundaries.
    #[schemars(default)]
    allow_own_boundary: bool,
}

struct ShortName;

schema_as_text!(
    ShortName,
    "Short name of a boundary",
    "A short name that is defined in [boundaries].",
    format!("^{NAME_CHAR_PATTERN}{{1,128}}$"),
    ["developer"]
);

struct RoleName;

schema_as_text!(
    RoleName,
    "IAM role name",
    "The name of an IAM role without its path, in the same case as in IAM: 1 to 64 ASCII letters, digits and _+=,.@-",
    format!("^(?!AWSServiceRoleFor|AWSReservedSSO_){NAME_CHAR_PATTERN}{{1,64}}$"),
    ["deploy"]
);

/// The boundary: a short name from [boundaries], the ARN of a managed policy, or false if the user or role must have
/// no boundary. Only false removes a boundary.
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
            "description": "The user or role must have no boundary. An existing boundary is removed.",
            "const": false,
        })
    }
}
