//! The JSON Schema of `boundaries.toml`.
//!
//! The types in this module describe the file, and nothing is deserialized into them: [`check`](super::check)
//! reads the file and reports every error with its line and column. Tests compare both on the same files.
//! The doc comments become the descriptions in the schema, which editors show.
#![allow(dead_code, reason = "only the schemas of these types are used")]

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, json_schema};

use super::guard::WideningGuard;
use crate::iam::{
    AccountId, Days, ExternalId, GroupPattern, NAME_CHAR_PATTERN, NamePattern, PathPattern,
    PolicyArn, PrincipalName, RoleRef, SessionDuration, SessionName, Threshold, policy_pattern,
    schema_as_text,
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
    /// Short names for policies: name = "ARN", or name = "policy/NAME" for the policy of this name in the account that
    /// the file is used for. A table also pins the content of the policy: name = { arn = "policy/NAME", document =
    /// "policies/NAME.json" }.
    #[schemars(default, with = "BTreeMap<ShortName, NamedBoundary>")]
    boundaries: Option<BTreeMap<ShortName, NamedBoundary>>,
    /// Guard rails: limits on every plan. If a plan violates a guard rail, apply changes nothing and names the
    /// option that overrides it.
    #[schemars(default, with = "Guard")]
    guard: Option<Guard>,
    /// The boundary that each user must have: user = "short name", user = "ARN", or user = false if the user
    /// must have no boundary. A table adds a reason and an end: user = { boundary = "short name", reason = "SEC-123" }.
    /// Put a user name in quotes if it contains one of +=,.@
    #[schemars(default, with = "BTreeMap<PrincipalName, Entry>")]
    users: Option<BTreeMap<PrincipalName, Entry>>,
    /// The boundary that each role must have, like in [users]. AWS manages service-linked roles and the roles of IAM
    /// Identity Center: they cannot be listed.
    #[schemars(default, with = "BTreeMap<RoleName, Entry>")]
    roles: Option<BTreeMap<RoleName, Entry>>,
    /// The boundaries of users and roles without an entry. The first rule that matches decides. A principal without an
    /// entry that no rule matches is unlisted: it is not changed.
    #[schemars(default, with = "Vec<Rule>")]
    rules: Option<Vec<Rule>>,
    /// What a plan reports about users and roles that have no entry and match no rule.
    #[schemars(default, with = "Unlisted")]
    unlisted: Option<Unlisted>,
    /// What a plan reports about listed users and roles that do not exist.
    #[schemars(default, with = "Missing")]
    missing: Option<Missing>,
}

/// A single file lists at least one user or role, or concerns those that it does not list. Files that are layered can
/// have other parts only.
fn lists_someone() -> serde_json::Value {
    let one_of = |table: &str| serde_json::json!({ "required": [table], "properties": { table: { "minProperties": 1 } } });
    let has = |table: &str| serde_json::json!({ "required": [table] });
    [one_of("users"), one_of("roles"), has("rules"), has("unlisted")].into()
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("anyOf" = names_account(), "dependencies" = role_parameters()))]
struct Account {
    /// The ID of the account. Without it, the account is that of the ARN in assume_role.
    #[schemars(default, with = "AccountId")]
    id: Option<AccountId>,
    /// The role of the account that reads and changes it: role/NAME, or the ARN of the role. The credentials assume it.
    #[schemars(default, with = "RoleRef")]
    assume_role: Option<RoleRef>,
    /// The external ID that the trust policy of the role requires.
    #[schemars(default, with = "ExternalId")]
    external_id: Option<ExternalId>,
    /// The name of the session, which CloudTrail records.
    #[schemars(default, with = "SessionName")]
    session_name: Option<SessionName>,
    /// The duration of the session: 1 hour without this key.
    #[schemars(default, with = "SessionDuration")]
    duration: Option<SessionDuration>,
}

/// One of the keys that name the account. A role that is not an ARN needs the ID, which can be in another layer.
fn names_account() -> serde_json::Value {
    ["id", "assume_role"].map(|key| serde_json::json!({ "required": [key] })).into()
}

/// The keys that need a role.
fn role_parameters() -> serde_json::Value {
    let keys = ["external_id", "session_name", "duration"];
    keys.into_iter()
        .map(|key| (key.to_owned(), ["assume_role"].into()))
        .collect::<serde_json::Map<_, _>>()
        .into()
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
    /// Whether a plan may set boundaries that allow more than those before. A removal allows more. With
    /// permissions-management, boundaries must not allow more of the actions that manage permissions.
    #[schemars(default)]
    widening: WideningGuard,
    /// A plan must not take actions that users and roles used in this number of days, such as 90d.
    #[schemars(default, skip_serializing_if = "Option::is_none", with = "Days")]
    taking_used: Option<Days>,
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

struct RelativePolicy;

schema_as_text!(
    RelativePolicy,
    "Policy of the account",
    "policy/NAME or policy/PATH/NAME: the customer managed policy of this name in the account that the file is used for.",
    format!("^{}$", policy_pattern()),
    ["policy/Developer"]
);

/// A managed policy.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Policy {
    Arn(PolicyArn),
    Relative(RelativePolicy),
}

/// A managed policy, or a table with the policy and its document.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum NamedBoundary {
    Arn(PolicyArn),
    Relative(RelativePolicy),
    Pinned(PinnedPolicy),
}

/// A policy whose content is pinned.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct PinnedPolicy {
    /// The policy.
    arn: Policy,
    /// The file with the policy document that the default version of the policy must have.
    document: DocumentPath,
}

struct DocumentPath;

schema_as_text!(
    DocumentPath,
    "Path of a policy document",
    "The path of a JSON file with a policy document, relative to the boundaries file.",
    "^[^/]",
    ["policies/developer.json"]
);

/// A policy, or its short name from [boundaries].
#[derive(JsonSchema)]
#[schemars(untagged)]
enum NamedPolicy {
    ShortName(ShortName),
    Arn(PolicyArn),
    Relative(RelativePolicy),
}

/// The boundary: a short name from [boundaries], a managed policy, or false if the user or role must have no boundary.
/// Only false removes a boundary.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Boundary {
    ShortName(ShortName),
    Arn(PolicyArn),
    Relative(RelativePolicy),
    None(NoBoundary),
}

/// The boundary: a short name from [boundaries], a managed policy, false if the user or role must have no boundary, or
/// a table with the boundary, a reason and an end. Only false removes a boundary.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Entry {
    ShortName(ShortName),
    Arn(PolicyArn),
    Relative(RelativePolicy),
    None(NoBoundary),
    Table(EntryTable),
}

/// An entry with a reason or an end.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct EntryTable {
    /// The boundary until the entry expires.
    boundary: Boundary,
    /// Why the user or role has this boundary: one line. Plans, reports and the journal repeat it.
    #[schemars(default, with = "Reason")]
    reason: Option<Reason>,
    /// The date or time from which the entry is expired, without quotes. Without an offset, it is in UTC.
    #[schemars(default, with = "Until")]
    until: Option<Until>,
    /// What applies when the entry is expired. Without this key, an expired entry is a problem.
    #[schemars(default, with = "Boundary")]
    then: Option<Boundary>,
    /// What a plan reports if the user or role does not exist. Without this key, [missing] applies.
    #[schemars(default, with = "OnMissing")]
    missing: Option<OnMissing>,
}

struct Reason;

schema_as_text!(
    Reason,
    "Reason",
    "Why the user or role has this boundary, in at most 500 characters.",
    r"^(?=[\s\S]*\S)[\s\S]{1,500}$",
    ["SEC-123"]
);

/// A date or a time. JSON has none, so checkers see a string.
struct Until;

impl JsonSchema for Until {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Until".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> Schema {
        json_schema!({
            "title": "Date or time",
            "description": "A TOML date or date-time without quotes, such as 2027-01-31.",
            "type": "string",
            "anyOf": [{ "format": "date" }, { "format": "date-time" }, { "format": "partial-date-time" }],
        })
    }
}

/// A rule: the boundary of users or roles that have no entry and for which all conditions hold.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Rule {
    /// The kind of principals that the rule is for.
    #[serde(rename = "for")]
    #[schemars(default, with = "For")]
    for_kind: Option<For>,
    /// The path matches the pattern, or one of them.
    #[schemars(default, with = "Patterns<PathPattern>")]
    path: Option<Patterns<PathPattern>>,
    /// The user is in a group that matches the pattern, or one of them.
    #[schemars(default, with = "Patterns<GroupPattern>")]
    group: Option<Patterns<GroupPattern>>,
    /// The principal has each of these tags, and its value matches the pattern, or one of them. Case matters in values,
    /// and not in keys.
    #[schemars(default, with = "Tags")]
    tag: Option<Tags>,
    /// The name matches the pattern, or one of them. Case is ignored.
    #[schemars(default, with = "Patterns<NamePattern>")]
    name: Option<Patterns<NamePattern>>,
    /// The rule does not match names that match the pattern, or one of them.
    #[schemars(default, with = "Patterns<NamePattern>")]
    except: Option<Patterns<NamePattern>>,
    /// The boundary: a short name from [boundaries], or a managed policy. It is never false: a rule removes no boundary.
    boundary: NamedPolicy,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Patterns<P> {
    One(P),
    AnyOf(#[schemars(length(min = 1))] Vec<P>),
}

/// Tags by key.
struct Tags;

impl JsonSchema for Tags {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Tags".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> Schema {
        let value = json_schema!({ "type": "string", "maxLength": 256 });
        json_schema!({
            "title": "Tags",
            "type": "object",
            "minProperties": 1,
            "propertyNames": { "minLength": 1, "maxLength": 128 },
            "additionalProperties": {
                "anyOf": [value, { "type": "array", "minItems": 1, "items": value }],
            },
        })
    }
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum For {
    /// IAM users, as without this key.
    Users,
    /// IAM roles. AWS manages service-linked roles and the roles of IAM Identity Center: no rule matches them.
    Roles,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Unlisted {
    /// What a plan reports about unlisted users.
    #[schemars(default, with = "OnUnlisted")]
    users: Option<OnUnlisted>,
    /// What a plan reports about unlisted roles.
    #[schemars(default, with = "OnUnlisted")]
    roles: Option<OnUnlisted>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum OnUnlisted {
    /// Only their number, as without this key.
    Ignore,
    /// A warning with each of them.
    Warn,
    /// An error with each of them: the exit code is 3.
    Error,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Missing {
    /// What a plan reports about listed users that do not exist.
    #[schemars(default, with = "OnMissing")]
    users: Option<OnMissing>,
    /// What a plan reports about listed roles that do not exist.
    #[schemars(default, with = "OnMissing")]
    roles: Option<OnMissing>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum OnMissing {
    /// A problem, as without this key: the exit code is 3.
    Error,
    /// A warning: the exit code does not change.
    Warn,
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
