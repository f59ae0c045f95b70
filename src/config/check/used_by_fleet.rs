//! Checks of boundaries files that a fleet uses for its accounts.

use super::Checker;
use crate::config::consistency::LocatedArn;
use crate::config::diagnostic::escaped;
use crate::config::{Diagnostic, FleetAccount, Position};
use crate::iam::{AccountId, PolicyOwner, grouped};

/// The accounts that a fleet uses layered files for: at least one, or those of the organization.
#[derive(Debug, Default)]
pub(in crate::config) struct FleetUse<'f> {
    pub(in crate::config) accounts: Vec<&'f FleetAccount>,
    /// The position in the fleet file, if the files are used for the accounts of the organization.
    pub(in crate::config) organization: Option<&'f Position>,
}

impl FleetUse<'_> {
    /// How the fleet uses a file for another account than this one; `None` if it does not.
    fn beyond(&self, account: AccountId) -> Option<String> {
        let others: Vec<_> = self.accounts.iter().filter(|other| other.id != account).collect();
        let (position, whom) = match (&*others, self.organization) {
            ([], None) => return None,
            ([], Some(position)) => (position, "the accounts of the organization".to_owned()),
            ([first, more @ ..], _) => {
                let first_name = format!("{} ({})", first.name, first.id);
                let whom = match more.len() {
                    0 => first_name,
                    1 => format!("{first_name} and 1 more account"),
                    more => format!("{first_name} and {} more accounts", grouped(more)),
                };
                (&first.position, whom)
            }
        };
        let Position { file, line, column } = position;
        Some(format!("{}:{line}:{column} uses the file for {whom}", escaped(file)))
    }
}

/// Reports files that are for one account and used for another one, and roles, which the fleet file specifies.
pub(super) fn files(used: &FleetUse<'_>, checkers: &[Checker<'_>]) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for checker in checkers {
        let role = checker.assume_role.as_ref().map(|(span, _)| span);
        if let Some(span) = role {
            let message = "a boundaries file of a fleet cannot have assume_role".to_owned();
            let help = "remove the key, and set assume_role in the fleet file";
            diagnostics.push(checker.at(span.clone(), message).help(help));
        }
        if let Some((span, id)) = checker.account.as_ref().filter(|(span, _)| Some(span) != role)
            && let Some(beyond) = used.beyond(*id)
        {
            let message = format!("this file is for account {id}, but {beyond}");
            let help = format!("remove [account], or name the file only for account {id}");
            diagnostics.push(checker.at(span.clone(), message).help(help));
        }
    }
    diagnostics
}

/// Reports customer managed policies of another account than those that the files are used for.
pub(super) fn policies(used: &FleetUse<'_>, arns: &[LocatedArn]) -> Vec<Diagnostic> {
    let foreign = arns.iter().filter_map(|located| {
        let PolicyOwner::Account(owner) = located.arn.owner() else { return None };
        let message =
            format!("this policy belongs to account {owner}, but {}", used.beyond(owner)?);
        let (_, policy) = located.arn.as_str().rsplit_once(':')?;
        let help = format!(
            "write \"{policy}\", which is the policy of this name in each account, or name the file only for account \
             {owner}"
        );
        let diagnostic = Diagnostic::at(&located.source, located.span.clone(), message);
        Some(diagnostic.help(help))
    });
    foreign.collect()
}
