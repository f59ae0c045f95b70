use super::account::Account;
use super::story::customer;
use super::{documents, generated, story};
use crate::iam::PrincipalKind;

/// The initial content of the sandbox's accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seed {
    /// No users, no roles and no policies.
    Empty,
    /// The users, roles and groups of a sample company. The `boundaries.toml` of this project lists most of them.
    Story,
    /// This many users and roles with [awkward names](awkward_name): users and roles have the same names. Of every
    /// five, one has no boundary, one has `Contractor`, and three have `Developer`. They have paths, tags, groups and
    /// policies like those of a company that grew, always the same for each number.
    Generated {
        /// The number of users.
        users: usize,
        /// The number of roles.
        roles: usize,
    },
}

impl Seed {
    /// The content of the account `ACCOUNT`. The other accounts have the same content.
    pub(super) fn content(self) -> Account {
        let mut account = Account::default();
        let home = &mut account;
        if self != Seed::Empty {
            for (path, name) in story::POLICIES {
                home.put_policy(&customer(path, name), path, name, documents::of_policy(name));
            }
        }
        match self {
            Seed::Empty => {}
            Seed::Story => story::put(home),
            Seed::Generated { users, roles } => {
                let (right, wrong) = (customer("/", "Developer"), customer("/", "Contractor"));
                generated::put_groups(home);
                let users = (0..users).map(|n| (PrincipalKind::User, n));
                let roles = (0..roles).map(|n| (PrincipalKind::Role, n));
                for (kind, n) in users.chain(roles) {
                    let boundary = match n % 5 {
                        0 => None,
                        1 => Some(wrong.as_str()),
                        _ => Some(right.as_str()),
                    };
                    *home.put(kind, &awkward_name(n), "/", None) =
                        generated::entity(kind, n, boundary);
                }
            }
        }
        account
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
