//! A file that people keep, and accounts of the sandbox that differ from it.

use serde_json::{Value, json};

use super::Binary;

pub const DEVELOPER: &str = "arn:aws:iam::123456789012:policy/Developer";
pub const CONTRACTOR: &str = "arn:aws:iam::123456789012:policy/Contractor";
pub const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

/// A file as people keep it.
pub const KEPT: &str = "\
# Boundaries of the platform team. Ask #iam before you change this.
[account]
id = '123456789012'

[boundaries]
developer  = 'arn:aws:iam::123456789012:policy/Developer'   # the usual one

[guard]
max_changes = \"10%\"

[roles]
ci-deploy = 'developer'

[users]   # alphabetical, except for alice
zed   = \"developer\" # stays
# mara left in May
alice = 'developer'\t\t# on the move
\"b.c\" = false     # never one

# end of the list
";

/// A directory with this file and an account of the sandbox with these users and roles.
pub fn account(file: &str, users: Value, roles: Value) -> Binary {
    let binary = Binary::with_file(file);
    let state = json!({
        "format": "iam-boundaries/sandbox",
        "format_version": 1,
        "accounts": { "123456789012": { "users": users, "roles": roles, "policies": {} } },
    });
    std::fs::create_dir(binary.folder().join(".iam-boundaries")).unwrap();
    std::fs::write(binary.folder().join(".iam-boundaries/sandbox.json"), state.to_string())
        .unwrap();
    binary
}

pub fn with(boundary: &str) -> Value {
    json!({ "path": "/", "boundary": boundary })
}

pub fn without() -> Value {
    json!({ "path": "/", "boundary": null })
}

/// An account that differs from [`KEPT`] in every way.
pub fn drifted(file: &str) -> Binary {
    let tagged = json!({
        "path": "/engineering/", "boundary": DEVELOPER, "tags": { "team": "payments", "evil": "a\n[users]\nx" },
    });
    account(
        file,
        json!({
            "zed": with(DEVELOPER), "alice": with(CONTRACTOR), "b.c": with(READ_ONLY),
            "tagged": tagged, "a.new": with(CONTRACTOR), "nobody": without(),
        }),
        json!({ "ci-new": with(DEVELOPER), "plain": without() }),
    )
}

pub fn read(binary: &Binary) -> String {
    std::fs::read_to_string(binary.folder().join("boundaries.toml")).unwrap()
}
