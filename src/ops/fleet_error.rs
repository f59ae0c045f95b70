use crate::config::Position;
use crate::iam::{AccountSelector, Printable, Share};
use crate::inventory::ApiError;

/// Why nothing can be done with a fleet.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// `--account` or `--first` names accounts that the fleet does not have.
    #[error("{origin} has no account {}", names(selectors, "or"))]
    NoSuchAccount {
        /// The selectors that select nothing.
        selectors: Vec<AccountSelector>,
        /// The fleet file, the plan or the directory.
        origin: Printable,
    },
    /// `--first` names accounts that `--account` does not select.
    #[error("--account does not select {}, which --first names", names(_0, "and"))]
    NotSelected(Vec<AccountSelector>),
    /// An account has a role, and the identity that assumes it was not opened. This is a bug.
    #[error("the base identity of the fleet was not opened")]
    NoBaseIdentity,
    /// No account of the fleet has the principals of `--only`.
    #[error("no account of the fleet has {}", list(patterns, "or"))]
    NoSuchSelection {
        /// The patterns that match nothing.
        patterns: Vec<String>,
    },
    /// A run changed nothing in the accounts to roll back.
    #[error("the run of {path} was not begun in these accounts, so there is nothing to roll back")]
    NothingBegun {
        /// The directory of the run.
        path: Printable,
    },
    /// The fleet has no accounts: its units have no active ones.
    #[error(
        "{fleet} has no accounts: the organizational units have no active accounts that except does not list"
    )]
    NoAccounts {
        /// The fleet file.
        fleet: Printable,
    },
    /// A unit of the fleet does not exist.
    #[error("cannot read units of {}:{}:{}: {error}", position.file, position.line, position.column)]
    NoSuchUnit {
        /// The position of the units in the fleet file.
        position: Position,
        /// The error of AWS Organizations.
        error: ApiError,
    },
    /// The number of changes that a share allows is not known before all plans are made.
    #[error("{0} of all principals is not known with --as-planned, before all plans are made")]
    ShareAsPlanned(Share),
    /// The directory of a run cannot be used.
    #[error("cannot use {path}: {why}")]
    Directory {
        /// The directory of a run.
        path: Printable,
        /// Why it cannot be used.
        why: Printable,
    },
}

fn names(selectors: &[AccountSelector], conjunction: &str) -> String {
    let names: Vec<String> = selectors.iter().map(ToString::to_string).collect();
    list(&names, conjunction)
}

/// `a, b or c`
fn list(names: &[String], conjunction: &str) -> String {
    match names {
        [] => String::new(),
        [name] => name.clone(),
        [others @ .., last] => format!("{} {conjunction} {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_several_names_has_a_conjunction() {
        let unknown = |names: &[&str]| {
            let selectors = names.iter().map(|name| name.parse().unwrap()).collect();
            FleetError::NoSuchAccount { selectors, origin: "fleet.toml".into() }.to_string()
        };
        assert_eq!(unknown(&["a"]), "fleet.toml has no account a");
        assert_eq!(unknown(&["a", "b"]), "fleet.toml has no account a or b");
        let expected = "fleet.toml has no account a, b or 200000000009";
        assert_eq!(unknown(&["a", "b", "200000000009"]), expected);
    }
}
