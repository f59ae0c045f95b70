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
                 and roles to match it. The file lists each user and role with the permissions boundary \
                 that it must have. Users and roles that the file does not list are never changed.",
            ),
            Paragraph(
                "The file is a TOML document in UTF-8. Unknown tables and keys are errors. \
                 `iam-boundaries check` reports all errors of the file. `iam-boundaries schema` prints \
                 its JSON Schema. `iam-boundaries import` generates the file from an account.",
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
            Subsection("[boundaries]"),
            Paragraph("Optional. Defines short names for managed policies."),
            Term(
                "NAME = \"ARN\"",
                "Defines the short name NAME for the managed policy ARN. The policy is a customer managed \
                 policy of the account, such as `arn:aws:iam::123456789012:policy/Developer`, or an AWS \
                 managed policy, such as `arn:aws:iam::aws:policy/PowerUserAccess`.",
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
                 is 5 users or 5% of the users, whichever is more, and the same for roles.",
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
            Subsection("[users]"),
            Paragraph(
                "A file lists at least one user or role. IAM names are case-insensitive. TOML requires \
                 quotes around a name with characters other than letters, digits, `_` and `-`.",
            ),
            Term("USER = \"NAME\"", "The user must have the boundary with this short name."),
            Term("USER = \"ARN\"", "The user must have this managed policy as the boundary."),
            Term(
                "USER = false",
                "The user must have no boundary. Only `false` removes a boundary. If you delete a line \
                 from the file, the boundary of that user stays as it is.",
            ),
            Subsection("[roles]"),
            Paragraph(
                "Like [users], for IAM roles: the name of the role without its path, and its boundary. A \
                 role can have the name of a user. AWS manages service-linked roles and the roles of IAM \
                 Identity Center: they cannot be listed.",
            ),
            Term("ROLE = \"NAME\", \"ARN\" or false", "As in [users]."),
        ],
    ),
    (
        "EXAMPLES",
        &[
            Paragraph("Two users and a role share a boundary, and a user must have none:"),
            Verbatim(EXAMPLE),
        ],
    ),
    ("SEE ALSO", &[Paragraph("`iam-boundaries`(1), `iam-boundaries-plan`(1)")]),
];

const EXAMPLE: &str = r#"#:schema ./boundaries.schema.json

[account]
id = "123456789012"

[boundaries]
developer = "arn:aws:iam::123456789012:policy/Developer"

[guard]
max_changes = "10%"
max_removals = 5
protected = ["break-glass", "emergency-*"]
protected_roles = ["break-glass"]

[users]
alice = "developer"
"john.doe" = "developer"
"metrics+export" = "arn:aws:iam::aws:policy/ReadOnlyAccess"
legacy-admin = false

[roles]
ci-deploy = "developer"
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
