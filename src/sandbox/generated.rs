use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::account::{Account, Entity};
use super::documents;
use super::last_used::{Days, LastUsed};
use super::policy::Policies;
use crate::iam::PrincipalKind;

/// The part of a company to which a generated user or role belongs.
#[derive(Clone, Copy)]
struct Department {
    /// The path of its users and roles.
    path: &'static str,
    /// The group of its users; `None` if they are in none.
    group: Option<&'static str>,
    /// The value of the tag `team`.
    team: &'static str,
    /// What its users and roles last used, with the number of days before the start of the sandbox.
    used: Days,
}

/// What engineers last used. `Developer` denies some of it.
const ENGINEERS: Days = &[
    ("cloudformation:UpdateStack", 30),
    ("codecommit", 1),
    ("ec2:DescribeInstances", 2),
    ("lambda:UpdateFunctionCode", 4),
    ("s3:GetObject", 1),
];
const SEARCH: Days = &[("s3:CreateBucket", 3), ("sqs:CreateQueue", 90)];
const DATA: Days = &[("athena:StartQueryExecution", 1), ("s3:PutObject", 1)];
const CONTRACTORS: Days = &[("codecommit", 0), ("logs:DescribeLogGroups", 12)];
const SERVICES: Days = &[("logs:PutLogEvents", 0), ("s3:PutObject", 0), ("sts", 0)];

/// Of every 50 users and roles, five belong to each of these.
const DEPARTMENTS: [Department; 10] = [
    Department {
        path: "/engineering/",
        group: Some("Engineers"),
        team: "payments",
        used: ENGINEERS,
    },
    Department {
        path: "/engineering/",
        group: Some("Engineers"),
        team: "payments",
        used: ENGINEERS,
    },
    Department { path: "/engineering/", group: Some("Engineers"), team: "search", used: SEARCH },
    Department {
        path: "/engineering/mobile/",
        group: Some("Engineers"),
        team: "mobile",
        used: ENGINEERS,
    },
    Department { path: "/data/", group: Some("DataScientists"), team: "data", used: DATA },
    Department { path: "/data/", group: Some("DataScientists"), team: "data", used: DATA },
    Department {
        path: "/contractors/acme/",
        group: Some("Contractors"),
        team: "payments",
        used: CONTRACTORS,
    },
    Department {
        path: "/contractors/globex/",
        group: Some("Contractors"),
        team: "search",
        used: CONTRACTORS,
    },
    Department { path: "/service/", group: None, team: "platform", used: SERVICES },
    Department { path: "/", group: None, team: "", used: &[] },
];

static LAST_USED: LazyLock<[LastUsed; DEPARTMENTS.len()]> =
    LazyLock::new(|| DEPARTMENTS.map(|department| LastUsed::days(department.used)));

/// The groups of the departments, and the group of every 50th user: name, AWS managed policy that is attached, inline
/// policies.
const GROUPS: [(&str, Option<&str>, &[&str]); 4] = [
    ("Contractors", Some("arn:aws:iam::aws:policy/ReadOnlyAccess"), &["code-review"]),
    (
        "DataScientists",
        Some("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"),
        &["analytics", "own-credentials"],
    ),
    ("Engineers", Some(POWER_USER), &["own-credentials"]),
    ("OnCall", None, &["on-call"]),
];

/// Every eighth user and every fourth role has the inline policy at its number.
const INLINE: [&str; 5] = ["backup", "metrics", "previews", "report", "resize"];

const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const POWER_USER: &str = "arn:aws:iam::aws:policy/PowerUserAccess";

/// Adds the groups to the account.
pub(super) fn put_groups(account: &mut Account) {
    for (name, attached, inline) in GROUPS {
        account.put_group(name, "/").policies = Policies {
            attached: attached.into_iter().map(str::to_owned).collect(),
            inline: documents::inline(inline),
        };
    }
}

/// The user or role with this number.
pub(super) fn entity(kind: PrincipalKind, n: usize, boundary: Option<&str>) -> Entity {
    // The boundary depends on `n % 5`, and each department has users with every boundary.
    let number = n / 5 % DEPARTMENTS.len();
    let department = &DEPARTMENTS[number];
    let mut entity = Entity::new(department.path, boundary);
    entity.tags = tags(n, department);
    // Some have not used anything for longer than IAM keeps the data.
    if !n.is_multiple_of(11) {
        entity.last_used = LAST_USED[number].clone();
    }
    if kind == PrincipalKind::User {
        let on_call = (n % 50 == 7).then_some("OnCall");
        let groups = department.group.into_iter().chain(on_call);
        entity.groups = groups.map(str::to_owned).collect();
    }
    entity.policies.attached = match n % 200 {
        5 => BTreeSet::from([ADMINISTRATOR.to_owned()]),
        n if n % 4 == 1 => BTreeSet::from([POWER_USER.to_owned()]),
        _ => BTreeSet::new(),
    };
    let every = match kind {
        PrincipalKind::User => 8,
        PrincipalKind::Role => 4,
    };
    if n.is_multiple_of(every) {
        entity.policies.inline = documents::inline(&[INLINE[n / every % INLINE.len()]]);
    }
    entity
}

/// The tags: in the account of a company that grew, not all are complete, and their keys differ in case.
fn tags(n: usize, department: &Department) -> BTreeMap<String, String> {
    let key = if n % 10 == 3 { "Team" } else { "team" };
    let mut tags = BTreeMap::new();
    if !department.team.is_empty() {
        tags.insert(key.to_owned(), department.team.to_owned());
    }
    if n.is_multiple_of(3) {
        tags.insert("cost-center".to_owned(), format!("{}", 4_000 + n % 30));
    }
    if n.is_multiple_of(25) {
        tags.insert("on-leave".to_owned(), String::new());
    }
    tags
}
