//! Checks of boundaries files that a fleet uses for its accounts.

use super::Checker;
use crate::config::Diagnostic;
use crate::config::consistency::LocatedArn;
use crate::config::fleet_use::FleetUse;
use crate::iam::PolicyOwner;

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
