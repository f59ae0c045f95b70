use super::{FleetAccount, Position};
use crate::iam::{AccountId, grouped};

/// The accounts that a fleet uses layered files for: at least one, or those of the organization.
#[derive(Debug, Default)]
pub(super) struct FleetUse<'f> {
    pub(super) accounts: Vec<&'f FleetAccount>,
    /// The position in the fleet file, if the files are used for the accounts of the organization.
    pub(super) organization: Option<&'f Position>,
}

impl FleetUse<'_> {
    /// How the fleet uses a file for another account than this one; `None` if it does not.
    pub(super) fn beyond(&self, account: AccountId) -> Option<String> {
        let others: Vec<_> = self.accounts.iter().filter(|other| other.id != account).collect();
        let (position, used_for) = match (&*others, self.organization) {
            ([], None) => return None,
            ([], Some(position)) => (position, "the accounts of the organization".to_owned()),
            ([first, more @ ..], _) => {
                let first_name = format!("{} ({})", first.name, first.id);
                let used_for = match more.len() {
                    0 => first_name,
                    1 => format!("{first_name} and 1 more account"),
                    more => format!("{first_name} and {} more accounts", grouped(more)),
                };
                (&first.position, used_for)
            }
        };
        let Position { file, line, column } = position;
        Some(format!("{file}:{line}:{column} uses the file for {used_for}"))
    }
}
