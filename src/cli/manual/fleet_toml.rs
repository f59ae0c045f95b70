//! fleet.toml(5).

use roff::Roff;

use super::text::Block::{Paragraph, Subsection, Term, Verbatim};
use super::text::{Block, page, section};

const SECTIONS: &[(&str, &[Block])] = &[
    (
        "NAME",
        &[Paragraph("fleet.toml - accounts whose permissions boundaries iam-boundaries keeps")],
    ),
    (
        "DESCRIPTION",
        &[
            Paragraph(
                "A boundaries file, `boundaries.toml`(5), says which permissions boundaries users and roles must have. \
                 A fleet file says in which accounts: it has the accounts, the boundaries files of each account, and \
                 the credentials for it. `iam-boundaries --fleet FILE` reads a fleet file, in place of `-f`.",
            ),
            Paragraph(
                "The file is a TOML document in UTF-8. Unknown tables and keys are errors. `iam-boundaries schema \
                 fleet` prints its JSON Schema. It is not read from standard input, because the paths in it are \
                 relative to it.",
            ),
        ],
    ),
    (
        "KEYS",
        &[
            Paragraph(
                "These keys are at the top of the file. They apply to each account that does not set the key itself.",
            ),
            Term(
                "files = [\"PATH\", ...]",
                "The boundaries files, which are layered. The paths are relative to the fleet file.",
            ),
            Term(
                "assume_role = \"role/ROLE\" or \"ARN\"",
                "The role that the base credentials assume. `role/ROLE` is the role of this name in each account. The \
                 base credentials are those that the tool is run with.",
            ),
            Term(
                "external_id = \"ID\"",
                "The external ID that the trust policy of the role requires.",
            ),
            Term("session_name = \"NAME\"", "The name of the session, which CloudTrail records."),
            Term(
                "duration = \"DURATION\"",
                "The duration of the session, from `15m` to `12h`. The default is 1 hour.",
            ),
        ],
    ),
    (
        "TABLES",
        &[
            Subsection("[accounts]"),
            Term(
                "NAME = \"ACCOUNT\" or { id = \"ACCOUNT\", ... }",
                "The account with this 12-digit ID, which has the name NAME in messages and reports: 1 to 50 printable \
                 ASCII characters that are not only digits. A table can also have the keys above and `profile`.",
            ),
            Term(
                "assume_role = false",
                "In the table of an account: the base credentials belong to this account.",
            ),
            Term(
                "profile = \"PROFILE\"",
                "In the table of an account: a profile of the AWS configuration files, in place of the base credentials \
                 and the role.",
            ),
            Subsection("[organization]"),
            Paragraph(
                "Optional. Accounts from AWS Organizations, besides those of [accounts]. They use the keys at the top \
                 of the file, which must have `files` and `assume_role`.",
            ),
            Term(
                "units = [\"UNIT\", ...]",
                "The IDs of the organizational units, or of the root, whose accounts belong to the fleet, with those of \
                 all units below them. Required.",
            ),
            Term("except = [\"ACCOUNT\", ...]", "The accounts that do not belong to the fleet."),
            Subsection("[guard]"),
            Paragraph(
                "Optional. Guard rails for all accounts together. The guard rails of the boundaries files also apply, \
                 to each account.",
            ),
            Term(
                "max_changes = N or \"P%\"",
                "The maximum number of users and roles that a plan may change in all accounts together.",
            ),
            Term(
                "max_accounts_changed = N or \"P%\"",
                "The maximum number of accounts in which a plan may change something.",
            ),
            Term(
                "max_accounts_failed = N",
                "After N accounts failed or were refused, `apply` begins no further account.",
            ),
        ],
    ),
    ("EXAMPLES", &[Paragraph("Three accounts and an organizational unit:"), Verbatim(EXAMPLE)]),
    ("SEE ALSO", &[Paragraph("`iam-boundaries`(1), `boundaries.toml`(5)")]),
];

const EXAMPLE: &str = r#"assume_role = "role/iam-boundaries"
files = ["baseline.toml"]

[accounts]
payments-prod = { id = "111111111111", files = ["payments.toml"] }
payments-dev = "222222222222"
legacy = { id = "444444444444", profile = "legacy" }

[organization]
units = ["ou-ab12-workloads"]
except = ["333333333333"]

[guard]
max_changes = "5%"
max_accounts_failed = 3
"#;

pub(super) fn render() -> String {
    let mut roff = Roff::new();
    for (heading, blocks) in SECTIONS {
        section(&mut roff, heading, blocks);
    }
    page("fleet.toml", "5", &roff.render())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Fleet, fleet_schema};

    #[test]
    fn the_example_is_a_valid_file() {
        Fleet::parse("fleet.toml", EXAMPLE).unwrap();
    }

    #[test]
    fn every_key_of_the_schema_is_documented() {
        let page = render().replace("\\-", "-");
        let schema = fleet_schema().to_value();
        for (key, value) in schema["properties"].as_object().unwrap() {
            if value["type"] != "object" {
                assert!(page.contains(&format!("\\fB{key} = ")), "{key}");
                continue;
            }
            assert!(page.contains(&format!(".SS [{key}]")), "{key}");
            for key in value["properties"].as_object().into_iter().flatten().map(|(key, _)| key) {
                assert!(page.contains(&format!("\\fB{key} = ")), "{key}");
            }
        }
    }
}
