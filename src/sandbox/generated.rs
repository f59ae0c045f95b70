use std::collections::{BTreeMap, BTreeSet};

use super::account::{Account, Entity};
use super::documents;
use super::policy::Policies;
use crate::iam::PrincipalKind;

/// The part of a company to which a generated user or role belongs.
struct Department {
    /// The path of its users and roles.
    path: &'static str,
    /// The group of its users; `None` if they are in none.
    group: Option<&'static str>,
    /// The value of the tag `team`.
    team: &'static str,
}

/// Of every 50 users and roles, five belong to each of these.
const DEPARTMENTS: [Department; 10] = [
    Department { path: "/engineering/", group: Some("Engineers"), team: "payments" },
    Department { path: "/engineering/", group: Some("Engineers"), team: "payments" },
    Department { path: "/engineering/", group: Some("Engineers"), team: "search" },
    Department { path: "/engineering/mobile/", group: Some("Engineers"), team: "mobile" },
    Department { path: "/data/", group: Some("DataScientists"), team: "data" },
    Department { path: "/data/", group: Some("DataScientists"), team: "data" },
    Department { path: "/contractors/acme/", group: Some("Contractors"), team: "payments" },
    Department { path: "/contractors/globex/", group: Some("Contractors"), team: "search" },
    Department { path: "/service/", group: None, team: "platform" },
    Department { path: "/", group: None, team: "" },
];

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
    let department = &DEPARTMENTS[n / 5 % DEPARTMENTS.len()];
    let mut entity = Entity::new(department.path, boundary);
    entity.tags = tags(n, department);
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
