//! The JSON Schema of fleet files.
//!
//! Like those of boundaries files, the types in this module only describe the file: the parser reads it. Tests compare
//! both on the same files. The doc comments become the descriptions in the schema, which editors show.
#![allow(dead_code, reason = "only the schemas of these types are used")]

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, json_schema};

use crate::iam::{
    AccountId, AccountName, ExternalId, RoleRef, SessionDuration, SessionName, Threshold, UnitId,
    schema_as_text,
};

/// The JSON Schema of fleet files, for editors and other checkers.
///
/// JSON Schema cannot express every check. Only the parser finds, for example, an account that is listed twice, and a role
/// of another account.
pub fn fleet_schema() -> Schema {
    // Draft 7 and no references: TOML editors support no later draft, and hide descriptions next to `$ref`.
    SchemaSettings::draft07()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<File>()
}

/// The accounts whose permissions boundaries iam-boundaries keeps, with their boundaries files and credentials.
#[derive(JsonSchema)]
#[schemars(title = "Fleet file of iam-boundaries", deny_unknown_fields, extend("anyOf" = has_accounts()))]
struct File {
    /// The role that the base credentials assume in each account: role/NAME, which is the role of this name in each account.
    #[schemars(default, with = "RoleRef")]
    assume_role: Option<RoleRef>,
    /// The external ID for the roles.
    #[schemars(default, with = "ExternalId")]
    external_id: Option<ExternalId>,
    /// The name of the sessions.
    #[schemars(default, with = "SessionName")]
    session_name: Option<SessionName>,
    /// The duration of the sessions.
    #[schemars(default, with = "SessionDuration")]
    duration: Option<SessionDuration>,
    /// The boundaries files of accounts that name no others. Each is layered over those before it. The paths are relative
    /// to the fleet file.
    #[schemars(default, with = "Files")]
    files: Option<Files>,
    /// The accounts by name: name = "ID", or a table with the ID and with files or credentials of its own.
    #[schemars(default, with = "BTreeMap<AccountName, Account>")]
    accounts: Option<BTreeMap<AccountName, Account>>,
    /// The accounts that AWS Organizations lists, besides those of [accounts].
    #[schemars(default, with = "Organization")]
    organization: Option<Organization>,
    /// Guard rails for all accounts together. Those of the boundaries files also apply, to each account.
    #[schemars(default, with = "Guard")]
    guard: Option<Guard>,
}

/// A fleet has accounts of its own, or those of the organization, which need the files and the role at the top.
fn has_accounts() -> serde_json::Value {
    let listed = serde_json::json!({
        "required": ["accounts"],
        "properties": { "accounts": { "minProperties": 1 }, "organization": false },
    });
    let of_organization =
        serde_json::json!({ "required": ["organization", "files", "assume_role"] });
    [listed, of_organization].into()
}

/// An account.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Account {
    Id(AccountId),
    Table(AccountTable),
}

/// An account with files or credentials of its own.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("not" = profile_and_role()))]
struct AccountTable {
    /// The ID of the account.
    id: AccountId,
    /// The boundaries files, in place of those at the top.
    #[schemars(default, with = "Files")]
    files: Option<Files>,
    /// A profile of the AWS configuration files, in place of the base credentials and the role.
    #[schemars(default, with = "Profile")]
    profile: Option<Profile>,
    /// The role to assume, in place of the one at the top, or false if the base credentials belong to this account.
    #[schemars(default, with = "Role")]
    assume_role: Option<Role>,
    /// The external ID for the role.
    #[schemars(default, with = "ExternalId")]
    external_id: Option<ExternalId>,
    /// The name of the session.
    #[schemars(default, with = "SessionName")]
    session_name: Option<SessionName>,
    /// The duration of the session.
    #[schemars(default, with = "SessionDuration")]
    duration: Option<SessionDuration>,
}

/// Keys that contradict each other: a profile or `assume_role = false`, and how a role is assumed.
fn profile_and_role() -> serde_json::Value {
    let parameters: Vec<_> = ["external_id", "session_name", "duration"]
        .map(|key| serde_json::json!({ "required": [key] }))
        .into();
    let mut role = parameters.clone();
    role.push(serde_json::json!({ "required": ["assume_role"] }));
    serde_json::json!({
        "anyOf": [
            { "required": ["profile"], "anyOf": role },
            {
                "required": ["assume_role"],
                "properties": { "assume_role": { "const": false } },
                "anyOf": parameters,
            },
        ],
    })
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Role {
    Role(RoleRef),
    None(NoRole),
}

struct NoRole;

impl JsonSchema for NoRole {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "NoRole".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> Schema {
        json_schema!({
            "title": "No role",
            "description": "The base credentials belong to this account.",
            "const": false,
        })
    }
}

struct Profile;

schema_as_text!(
    Profile,
    "Profile",
    "The name of a profile of the AWS configuration files.",
    r"\S",
    ["legacy"]
);

/// Paths of boundaries files.
struct Files;

impl JsonSchema for Files {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Files".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> Schema {
        json_schema!({
            "title": "Boundaries files",
            "type": "array",
            "items": { "type": "string", "pattern": r"\S", "not": { "const": "-" } },
            "minItems": 1,
            "uniqueItems": true,
            "examples": [["baseline.toml", "payments.toml"]],
        })
    }
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Organization {
    /// The organizational units and roots whose accounts belong to the fleet, with those of all units below them.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    units: Vec<UnitId>,
    /// The accounts that do not belong to the fleet.
    #[schemars(default, with = "Vec<AccountId>", extend("uniqueItems" = true))]
    except: Option<Vec<AccountId>>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Guard {
    /// The maximum number of users and roles that a plan may change in all accounts together: a number, or in quotes a
    /// percentage of the users and roles in the plans of all accounts.
    #[schemars(default, with = "Threshold", extend("examples" = ["5%", 50]))]
    max_changes: Option<Threshold>,
    /// The maximum number of accounts in which a plan may change something: a number, or in quotes a percentage of the
    /// accounts.
    #[schemars(default, with = "Threshold", extend("examples" = ["20%", 10]))]
    max_accounts_changed: Option<Threshold>,
    /// After this number of accounts failed, apply begins no further account.
    #[schemars(default, with = "usize", range(min = 1), extend("examples" = [3]))]
    max_accounts_failed: Option<usize>,
}
