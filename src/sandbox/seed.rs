use super::account::{ACCOUNT, Accounts};
use crate::iam::PrincipalKind;

/// The initial content of the sandbox's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seed {
    /// No users, no roles and no policies.
    Empty,
    /// The users and roles of a sample company. The `boundaries.toml` of this project lists most of them.
    Story,
    /// This many users and roles with [awkward names](awkward_name): users and roles have the same names. Of every
    /// five, one has no boundary, one has `Contractor`, and three have `Developer`.
    Generated {
        /// The number of users.
        users: usize,
        /// The number of roles.
        roles: usize,
    },
}

/// The customer managed policies of [`Seed::Story`], with their paths.
const POLICIES: [(&str, &str); 4] =
    [("/", "Developer"), ("/", "DataScientist"), ("/", "Contractor"), ("/ci/", "Deployer")];

/// The users of [`Seed::Story`]: path, name and boundary.
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

/// The roles of [`Seed::Story`]: path, name and boundary. AWS manages the last two.
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

impl Seed {
    pub(super) fn accounts(self) -> Accounts {
        let mut accounts = Accounts::default();
        let home = accounts.home();
        let customer =
            |path: &str, name: &str| format!("arn:aws:iam::{ACCOUNT}:policy{path}{name}");
        if self != Seed::Empty {
            for (path, name) in POLICIES {
                home.put_policy(&customer(path, name), path, name);
            }
        }
        match self {
            Seed::Empty => {}
            Seed::Story => {
                let users = USERS.map(|user| (PrincipalKind::User, user));
                let roles = ROLES.map(|role| (PrincipalKind::Role, role));
                for (kind, (path, name, boundary)) in users.into_iter().chain(roles) {
                    let boundary = boundary.map(|name| {
                        match POLICIES.iter().find(|(_, policy)| *policy == name) {
                            Some((path, name)) => customer(path, name),
                            None => format!("arn:aws:iam::aws:policy/{name}"),
                        }
                    });
                    home.put(kind, name, path, boundary.as_deref());
                }
            }
            Seed::Generated { users, roles } => {
                let (right, wrong) = (customer("/", "Developer"), customer("/", "Contractor"));
                let users = (0..users).map(|n| (PrincipalKind::User, n));
                let roles = (0..roles).map(|n| (PrincipalKind::Role, n));
                for (kind, n) in users.chain(roles) {
                    let boundary = match n % 5 {
                        0 => None,
                        1 => Some(wrong.as_str()),
                        _ => Some(right.as_str()),
                    };
                    home.put(kind, &awkward_name(n), "/many/", boundary);
                }
            }
        }
        accounts
    }
}

/// A valid user or role name that is difficult for TOML, XML or a shell; distinct for each number.
pub fn awkward_name(n: usize) -> String {
    match n % 8 {
        0 => format!("user-{n:05}"),
        1 => format!("first.last{n}"),
        2 => format!("mail+{n}@example.com"),
        3 => format!("{n}"),
        4 => format!("a=b,c_{n}"),
        5 => format!("1e{n}"),
        6 => format!("-{n}-"),
        _ => format!("{n:x>64}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::iam::PrincipalName;

    #[test]
    fn every_awkward_name_is_valid_and_distinct() {
        let names: HashSet<String> = (0..5_000)
            .map(|n| awkward_name(n).parse::<PrincipalName>().unwrap().folded())
            .collect();
        assert_eq!(names.len(), 5_000);
    }
}
