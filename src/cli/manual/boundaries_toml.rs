//! boundaries.toml(5).

use roff::Roff;

use super::text::Block::{Paragraph, Subsection, Term, Verbatim};
use super::text::{Block, page, section};

const SECTIONS: &[(&str, &[Block])] = &[
    ("NAME", &[Paragraph("boundaries.toml - permissions boundaries of AWS IAM users and roles")]),
    (
        "DESCRIPTION",
        &[
            Paragraph(
                "`iam-boundaries`(1) reads this file and changes the permissions boundaries of IAM users \
                 and roles to match it. The file lists users and roles with the permissions boundary that each \
                 must have, and can have rules for the others. Users and roles that have no entry and \
                 match no rule are never changed.",
            ),
            Paragraph(
                "The file is a TOML document in UTF-8. Unknown tables and keys are errors. \
                 `iam-boundaries check` reports all errors of the file. `iam-boundaries schema` prints \
                 its JSON Schema. `iam-boundaries import` generates the file from an account.",
            ),
            Paragraph(
                "Several files can be layered: `iam-boundaries -f baseline.toml -f team.toml plan`. The keys of \
                 a later file replace those of earlier ones. An entry and a list, such as `protected`, are \
                 replaced as a whole. The rules of later files are tried first. The files share \
                 their short names, and must be for the same account.",
            ),
        ],
    ),
    (
        "TABLES",
        &[
            Subsection("[account]"),
            Paragraph("Optional."),
            Term(
                "id = \"ACCOUNT\"",
                "The 12-digit ID of the account, in quotes. `iam-boundaries` refuses to work on any other \
                 account.",
            ),
            Term(
                "assume_role = \"role/ROLE\" or \"ARN\"",
                "The role that the credentials assume to read and change the account. `role/ROLE` is the role of \
                 this name in the account `id`. An ARN must belong to that account; without `id`, it says which \
                 account the file is for.",
            ),
            Term(
                "external_id = \"ID\"",
                "The external ID that the trust policy of the role requires. Needs `assume_role`.",
            ),
            Term(
                "session_name = \"NAME\"",
                "The name of the session, which CloudTrail records. Needs `assume_role`.",
            ),
            Term(
                "duration = \"DURATION\"",
                "The duration of the session, from `15m` to `12h`. The default is 1 hour. Needs `assume_role`.",
            ),
            Subsection("[boundaries]"),
            Paragraph("Optional. Defines short names for managed policies."),
            Term(
                "NAME = \"ARN\"",
                "Defines the short name NAME for the managed policy ARN. The policy is a customer managed \
                 policy of the account, such as `arn:aws:iam::123456789012:policy/Developer`, or an AWS \
                 managed policy, such as `arn:aws:iam::aws:policy/PowerUserAccess`.",
            ),
            Term(
                "NAME = \"policy/POLICY\"",
                "Defines the short name NAME for the customer managed policy POLICY of the account that the file \
                 is used for, such as `policy/Developer` or `policy/ci/Deployer`. Entries and rules can also have \
                 this form instead of an ARN.",
            ),
            Term(
                "NAME = { arn = \"ARN\", document = \"PATH\" }",
                "Also pins the content of the policy: its default version must say what the JSON file at PATH says, \
                 which is relative to the boundaries file. The order of keys and of values does not matter. If the \
                 policy differs or cannot be read, changes that set it cannot be planned, and the exit code is 3. \
                 `import --documents` writes such files.",
            ),
            Subsection("[guard]"),
            Paragraph(
                "Optional. Guard rails limit what a plan can change. If a plan violates a guard rail, \
                 `apply` changes nothing and returns exit code 4. Each guard rail has an option of `apply` \
                 that overrides it for one run.",
            ),
            Term(
                "max_changes = N or \"P%\"",
                "The maximum number of users and roles that a plan may change, removals included, or the \
                 maximum percentage of the account's users and of its roles: a percentage limits each kind \
                 separately. The option is `--max-changes`. If the key is missing, the limit for `apply \
                 --auto-approve` is 10 users or 25% of the users, whichever is more, and the same for roles. \
                 Without `--auto-approve`, there is no default limit, but you must type the number of \
                 changes to confirm a plan that exceeds the default limit of `--auto-approve`.",
            ),
            Term(
                "max_removals = N or \"P%\"",
                "The maximum number or percentage of users and roles whose boundary a plan may remove. The \
                 option is `--max-removals`. If the key is missing, the limit for `apply --auto-approve` \
                 is 5 users or 5% of the users, whichever is more, and the same for roles. A boundary that \
                 allows everything counts as a removal.",
            ),
            Term(
                "protected = [\"PATTERN\", ...]",
                "Users that a plan must not change. `*` matches any text and `?` matches one character. \
                 Case is ignored. The option is `--allow-protected`.",
            ),
            Term(
                "protected_roles = [\"PATTERN\", ...]",
                "Roles that a plan must not change. The option is `--allow-protected-role`.",
            ),
            Term(
                "allow_own_boundary = true or false",
                "Whether a plan may change the boundary of the user whose credentials run \
                 `iam-boundaries`, or of the role that they belong to. The option is `--allow-own-boundary`. The default is `false`.",
            ),
            Term(
                "widening = \"allow\", \"permissions-management\" or \"refuse\"",
                "Whether a plan may set a boundary that allows more than the one before, or remove one. With \
                 `permissions-management`, it may not remove a boundary or allow more of the actions that manage \
                 permissions. If the boundaries cannot be compared, the plan is refused. The option is \
                 `--allow-widening`. The default is `allow`.",
            ),
            Term(
                "taking_used = \"DAYSd\"",
                "A plan must not take what users and roles used in this number of days. The option is \
                 `--allow-taking-used`.",
            ),
            Subsection("[users]"),
            Paragraph(
                "A file has at least one user, role or rule, or the table [unlisted]. An entry takes precedence \
                 over rules. IAM names are case-insensitive. TOML requires quotes around a name with characters other than letters, digits, `_` and `-`.",
            ),
            Term("USER = \"NAME\"", "The user must have the boundary with this short name."),
            Term("USER = \"ARN\"", "The user must have this managed policy as the boundary."),
            Term(
                "USER = false",
                "The user must have no boundary. Only `false` removes a boundary. If you delete a line \
                 from the file, and no rule matches the user, the boundary of that user stays as it is.",
            ),
            Term(
                "USER = { boundary = ..., KEY = ... }",
                "An entry with more keys: `boundary` is a short name, a policy or `false`, and is required. \
                 The other keys are optional.",
            ),
            Term(
                "reason = \"TEXT\"",
                "Why the user has this boundary, in at most 500 characters. Reports show the reason of each change.",
            ),
            Term(
                "until = DATE",
                "The date or time from which the entry is expired, without quotes: `2027-01-31` or \
                 `2027-01-31T12:00:00Z`. Without an offset, it is in UTC. A date begins at 00:00 UTC. `plan` \
                 names entries that expire within 14 days; the option is `--expiring-within`.",
            ),
            Term(
                "then = \"NAME\", \"POLICY\" or false",
                "The boundary that applies when the entry is expired. Without this key, an expired entry \
                 is a problem: the user is not changed, and the exit code is 3.",
            ),
            Term(
                "missing = \"error\" or \"warn\"",
                "What is reported if the user does not exist: a problem with exit code 3, or a warning. \
                 The default is what [missing] says.",
            ),
            Subsection("[roles]"),
            Paragraph(
                "Like [users], for IAM roles: the name of the role without its path, and its boundary. A \
                 role can have the name of a user. AWS manages service-linked roles and the roles of IAM \
                 Identity Center: they cannot be listed.",
            ),
            Term("ROLE = \"NAME\", \"ARN\", false or { boundary = ..., ... }", "As in [users]."),
            Subsection("[rules]"),
            Paragraph(
                "Optional. Each [[rules]] is a rule for users or roles without an entry. A rule decides if all of its \
                 conditions hold. A rule without conditions matches every user or role. The first rule \
                 that matches decides, in the order of the file. Roles that AWS manages are never matched.",
            ),
            Paragraph(
                "A condition is a pattern or an array of patterns, of which one must match. `*` matches any text \
                 and `?` matches one character. Case is ignored for names, groups and tag keys. It matters \
                 for paths and tag values.",
            ),
            Term(
                "for = \"users\" or \"roles\"",
                "The kind of principals that the rule is for. The default is `users`.",
            ),
            Term(
                "path = \"PATTERN\" or [\"PATTERN\", ...]",
                "The path matches, such as `/contractors/*`. `*` also matches slashes.",
            ),
            Term(
                "group = \"PATTERN\" or [\"PATTERN\", ...]",
                "The user is in a group whose name matches. Only `iam:GetAccountAuthorizationDetails` returns \
                 groups. If it is denied, a user cannot be planned if a condition on groups decides.",
            ),
            Term(
                "tag = { KEY = \"PATTERN\" or [\"PATTERN\", ...], ... }",
                "The user or role has each of these tags, with a value that matches. An empty pattern matches only \
                 the empty value.",
            ),
            Term("name = \"PATTERN\" or [\"PATTERN\", ...]", "The name matches."),
            Term(
                "except = \"PATTERN\" or [\"PATTERN\", ...]",
                "The name matches none of the patterns.",
            ),
            Term(
                "boundary = \"NAME\" or \"POLICY\"",
                "The boundary that the users or roles must have. It is required, and never `false`: a rule \
                 never removes a boundary.",
            ),
            Subsection("[unlisted]"),
            Paragraph(
                "Optional. What `plan` reports about users and roles that have no entry and match no rule. They \
                 are never changed. `ignore` reports their number, if it is known. `warn` lists them. `error` lists \
                 them, and the exit code is 3. Roles that AWS manages do not count.",
            ),
            Term(
                "users = \"ignore\", \"warn\" or \"error\"",
                "About users. The default is `ignore`.",
            ),
            Term(
                "roles = \"ignore\", \"warn\" or \"error\"",
                "About roles. The default is `ignore`.",
            ),
            Subsection("[missing]"),
            Paragraph(
                "Optional. What `plan` reports about an entry whose user or role does not exist, unless the entry \
                 has the key `missing`.",
            ),
            Term(
                "users = \"error\" or \"warn\"",
                "About users. `error` is a problem with exit code 3, and the default. `warn` is a warning.",
            ),
            Term("roles = \"error\" or \"warn\"", "About roles."),
        ],
    ),
    (
        "EXAMPLES",
        &[
            Paragraph(
                "Two users and a role share a boundary, a user must have none, and a rule is for the contractors:",
            ),
            Verbatim(EXAMPLE),
        ],
    ),
    ("SEE ALSO", &[Paragraph("`iam-boundaries`(1), `iam-boundaries-plan`(1), `fleet.toml`(5)")]),
];

const EXAMPLE: &str = r#"#:schema ./boundaries.schema.json

[account]
id = "123456789012"

[boundaries]
developer = "arn:aws:iam::123456789012:policy/Developer"
contractor = "policy/Contractor"

[guard]
max_changes = "10%"
max_removals = 5
protected = ["break-glass", "emergency-*"]
protected_roles = ["break-glass"]

[users]
alice = "developer"
"john.doe" = "developer"
"metrics+export" = "arn:aws:iam::aws:policy/ReadOnlyAccess"
lee = { boundary = "contractor", until = 2027-01-31 }
"ana.ruiz" = { boundary = "developer", reason = "SEC-123" }
legacy-admin = false

[roles]
ci-deploy = "developer"

[[rules]]
path = "/contractors/*"
except = "svc-*"
boundary = "contractor"

[unlisted]
users = "warn"
"#;

pub(super) fn render() -> String {
    let mut roff = Roff::new();
    for (heading, blocks) in SECTIONS {
        section(&mut roff, heading, blocks);
    }
    page("boundaries.toml", "5", &roff.render())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Config};

    #[test]
    fn the_example_is_a_valid_file() {
        Config::parse("boundaries.toml", EXAMPLE).unwrap();
    }

    #[test]
    fn every_key_of_the_schema_is_documented() {
        let page = render().replace("\\-", "-");
        let schema = config::schema().to_value();
        for (table, keys) in schema["properties"].as_object().unwrap() {
            assert!(page.contains(&format!(".SS [{table}]")), "{table}");
            for key in keys["properties"].as_object().into_iter().flatten().map(|(key, _)| key) {
                assert!(page.contains(&format!("\\fB{key} = ")), "{table}.{key}");
            }
        }
    }
}
