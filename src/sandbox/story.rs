use super::account::Account;
use super::account_ids::ACCOUNT;
use super::documents;
use super::last_used::{Days, LastUsed};
use super::policy::Policies;
use crate::iam::PrincipalKind;

/// The customer managed policies of [`Seed::Story`](super::Seed::Story), with their paths.
pub(super) const POLICIES: [(&str, &str); 4] =
    [("/", "Developer"), ("/", "DataScientist"), ("/", "Contractor"), ("/ci/", "Deployer")];

/// The users of the sample company: path, name and boundary.
///
/// `examples/missing-user.toml` also lists `oliver.brandt`, who is not one of them.
const USERS: [(&str, &str, Option<&str>); 19] = [
    ("/engineering/", "alice", Some("Developer")),
    ("/engineering/", "bob", Some("Developer")),
    ("/engineering/", "chen.wei", None),
    ("/engineering/", "dana", None),
    ("/engineering/", "emeka", Some("Contractor")),
    ("/engineering/", "fatima", Some("Developer")),
    ("/engineering/", "john.doe", Some("PowerUserAccess")),
    ("/data/", "grace", Some("DataScientist")),
    ("/data/", "hiro", Some("Developer")),
    ("/data/", "ines", None),
    ("/contractors/", "jo@agency.example", Some("Contractor")),
    ("/contractors/", "kim@agency.example", None),
    ("/service/", "ci-deploy", Some("Deployer")),
    ("/service/", "ci-preview", Some("Developer")),
    ("/service/", "metrics+export", Some("ReadOnlyAccess")),
    ("/service/", "legacy-backup", Some("Contractor")),
    ("/", "legacy-admin", None),
    ("/", "break-glass", None),
    ("/", "auditor", Some("ReadOnlyAccess")),
];

/// The roles of the sample company: path, name and boundary. AWS manages the last two.
const ROLES: [(&str, &str, Option<&str>); 8] = [
    ("/service/", "ci-deploy", Some("Deployer")),
    ("/service/", "image-resizer", Some("Developer")),
    ("/service/", "nightly-report", None),
    ("/data/", "data-pipeline", Some("DataScientist")),
    ("/", "auditor", Some("ReadOnlyAccess")),
    ("/", "break-glass", None),
    ("/aws-service-role/support.amazonaws.com/", "AWSServiceRoleForSupport", None),
    (
        "/aws-reserved/sso.amazonaws.com/eu-central-1/",
        "AWSReservedSSO_AdministratorAccess_1a2b3c4d5e6f7081",
        None,
    ),
];

/// The groups: name and users.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Admins", &["legacy-admin", "break-glass"]),
    ("Agency", &["kim@agency.example"]),
    ("Contractors", &["emeka", "jo@agency.example", "kim@agency.example"]),
    ("DataScientists", &["grace", "hiro", "ines"]),
    ("Engineers", &["alice", "bob", "chen.wei", "dana", "emeka", "fatima", "john.doe"]),
];

/// The tags: key, value, and the users and roles that have it. Their keys differ in case, and a value can be empty.
const TAGS: [(&str, &str, &[&str]); 9] = [
    ("team", "payments", &["alice", "bob", "emeka", "jo@agency.example"]),
    ("team", "search", &["chen.wei", "dana", "kim@agency.example", "image-resizer"]),
    ("Team", "search", &["fatima"]),
    ("team", "data", &["grace", "hiro", "ines", "data-pipeline", "nightly-report"]),
    ("team", "platform", &["ci-deploy", "ci-preview", "metrics+export"]),
    ("cost-center", "4011", &["alice", "bob", "chen.wei", "grace"]),
    ("contract-end", "2027-03-31", &["jo@agency.example", "kim@agency.example"]),
    ("on-leave", "", &["hiro"]),
    ("owner", "security@example.com", &["break-glass", "auditor"]),
];

/// The policies of the groups: name of the group, AWS managed policies that are attached, inline policies.
const GROUP_POLICIES: [(&str, &[&str], &[&str]); 5] = [
    ("Admins", &["AdministratorAccess"], &[]),
    ("Agency", &[], &["design-assets"]),
    ("Contractors", &["ReadOnlyAccess"], &["code-review"]),
    ("DataScientists", &["AmazonS3ReadOnlyAccess"], &["analytics", "own-credentials"]),
    ("Engineers", &["PowerUserAccess"], &["own-credentials"]),
];

/// The inline policies: name, and the users and roles that have it.
const INLINE: [(&str, &[&str]); 7] = [
    ("backup", &["legacy-backup"]),
    ("metrics", &["metrics+export"]),
    ("on-call", &["alice", "fatima"]),
    ("pipeline", &["data-pipeline"]),
    ("previews", &["ci-preview"]),
    ("report", &["nightly-report"]),
    ("resize", &["image-resizer"]),
];

/// What users and roles last used: kind, name, services and actions with the number of days before the start of the
/// sandbox.
///
/// The boundary `Developer` of `boundaries.toml` would deny one of them: `dana` has no boundary and creates buckets.
const USED: [(PrincipalKind, &str, Days); 15] = [
    (PrincipalKind::User, "alice", &[("codecommit", 0), ("lambda:UpdateFunctionCode", 1)]),
    (PrincipalKind::User, "bob", &[("codecommit", 2), ("logs:DescribeLogGroups", 2)]),
    (PrincipalKind::User, "chen.wei", &[("lambda:UpdateFunctionCode", 1), ("sqs:ListQueues", 6)]),
    (
        PrincipalKind::User,
        "dana",
        &[("dynamodb:CreateTable", 1), ("ec2:DescribeInstances", 20), ("s3:CreateBucket", 3)],
    ),
    (PrincipalKind::User, "emeka", &[("codecommit", 1), ("ecr:DescribeRepositories", 5)]),
    (
        PrincipalKind::User,
        "john.doe",
        &[("cloudwatch:PutMetricAlarm", 9), ("ecs:UpdateService", 1)],
    ),
    (PrincipalKind::User, "hiro", &[("athena:StartQueryExecution", 41), ("s3", 41)]),
    (PrincipalKind::User, "ines", &[("athena:StartQueryExecution", 2), ("s3:GetObject", 2)]),
    (PrincipalKind::User, "kim@agency.example", &[("s3:GetObject", 12)]),
    (PrincipalKind::User, "ci-deploy", &[("cloudformation:UpdateStack", 0), ("s3:PutObject", 0)]),
    (PrincipalKind::User, "metrics+export", &[("cloudwatch:GetMetricData", 0)]),
    (PrincipalKind::User, "legacy-backup", &[("s3:PutObject", 370)]),
    (PrincipalKind::Role, "ci-deploy", &[("cloudformation:UpdateStack", 0), ("sts", 0)]),
    (PrincipalKind::Role, "image-resizer", &[("logs:PutLogEvents", 0), ("s3:PutObject", 0)]),
    (PrincipalKind::Role, "data-pipeline", &[("glue:StartJobRun", 1), ("s3:PutObject", 1)]),
];

/// The AWS managed policies that are attached: name, and the users and roles that have it.
const ATTACHED: [(&str, &[&str]); 4] = [
    (
        "AdministratorAccess",
        &["break-glass", "AWSReservedSSO_AdministratorAccess_1a2b3c4d5e6f7081"],
    ),
    ("IAMFullAccess", &["legacy-admin"]),
    ("PowerUserAccess", &["john.doe", "ci-deploy"]),
    ("SecurityAudit", &["auditor"]),
];

/// Adds the users, roles and groups to the account.
pub(super) fn put(account: &mut Account) {
    let users = USERS.map(|user| (PrincipalKind::User, user));
    let roles = ROLES.map(|role| (PrincipalKind::Role, role));
    for (group, attached, inline) in GROUP_POLICIES {
        account.put_group(group, "/").policies = policies(attached, inline);
    }
    for (kind, (path, name, boundary)) in users.into_iter().chain(roles) {
        let entity = account.put(kind, name, path, boundary.map(arn).as_deref());
        for (key, value, _) in TAGS.iter().filter(|(.., with)| with.contains(&name)) {
            entity.tag(key, value);
        }
        entity.policies = policies(&those_of(name, &ATTACHED), &those_of(name, &INLINE));
        let used = USED.iter().find(|(of, who, _)| (*of, *who) == (kind, name));
        entity.last_used = used.map(|(.., used)| LastUsed::days(used)).unwrap_or_default();
        if kind == PrincipalKind::User {
            let groups = GROUPS.iter().filter(|(_, users)| users.contains(&name));
            entity.groups = groups.map(|(group, _)| (*group).to_owned()).collect();
        }
    }
}

/// The policies of a table that the user or role has.
fn those_of(name: &str, table: &[(&'static str, &[&str])]) -> Vec<&'static str> {
    table.iter().filter(|(_, with)| with.contains(&name)).map(|(policy, _)| *policy).collect()
}

fn policies(attached: &[&str], inline: &[&str]) -> Policies {
    Policies {
        attached: attached.iter().map(|name| arn(name)).collect(),
        inline: documents::inline(inline),
    }
}

/// The ARN of a policy of the company or of AWS.
fn arn(name: &str) -> String {
    match POLICIES.iter().find(|(_, policy)| *policy == name) {
        Some((path, name)) => customer(path, name),
        None => format!("arn:aws:iam::aws:policy/{name}"),
    }
}

/// The ARN of a customer managed policy.
pub(super) fn customer(path: &str, name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:policy{path}{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_the_tables_is_that_of_a_user_or_role_and_every_group_has_policies() {
        let names: Vec<&str> = USERS.iter().chain(&ROLES).map(|(_, name, _)| *name).collect();
        let tagged = TAGS.iter().flat_map(|(.., with)| *with);
        let attached = ATTACHED.iter().flat_map(|(_, with)| *with);
        let inline = INLINE.iter().flat_map(|(_, with)| *with);
        let members = GROUPS.iter().flat_map(|(_, users)| *users);
        let used = USED.iter().map(|(_, name, _)| name);
        for name in tagged.chain(attached).chain(inline).chain(members).chain(used) {
            assert!(names.contains(name), "{name}");
        }
        assert_eq!(GROUPS.map(|(group, _)| group), GROUP_POLICIES.map(|(group, ..)| group));
    }
}
