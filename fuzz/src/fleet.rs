use std::collections::BTreeSet;

use iam_boundaries::config::{AccountCredentials, Fleet, FleetAccount};

use super::reports::{exists, inert, without_colors};

/// A fleet file: any text.
pub fn fleet(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    match (Fleet::parse("fleet.toml", &text), Fleet::parse("fleet.toml", &text)) {
        (Ok(fleet), Ok(again)) => {
            assert_eq!(format!("{fleet:?}"), format!("{again:?}"));
            without_errors(&text, &fleet);
            true
        }
        (Err(errors), Err(again)) => {
            assert_eq!(format!("{errors:?}"), format!("{again:?}"));
            assert!(!errors.diagnostics().is_empty());
            for error in errors.diagnostics() {
                exists(&text, (error.line, error.column));
            }
            inert(&errors.render(false, None));
            inert(&without_colors(&errors.render(true, Some(60))));
            false
        }
        _ => panic!("two parses of the same text differ"),
    }
}

/// No account is listed twice, each has files, and its credentials can be recorded. At most one account uses the base
/// credentials, and a role is one of the account itself.
fn without_errors(text: &str, fleet: &Fleet) {
    assert!(!fleet.accounts.is_empty() || fleet.organization.is_some());
    let ids: BTreeSet<_> = fleet.accounts.iter().map(|account| account.id).collect();
    assert_eq!(ids.len(), fleet.accounts.len());
    let name = |it: &FleetAccount| it.name.as_str().to_ascii_lowercase();
    let names: BTreeSet<_> = fleet.accounts.iter().map(name).collect();
    assert_eq!(names.len(), fleet.accounts.len());
    let is_base =
        |account: &&FleetAccount| account.settings.credentials == AccountCredentials::Base;
    assert!(fleet.accounts.iter().filter(is_base).count() <= 1);
    for account in &fleet.accounts {
        exists(text, (account.position.line, account.position.column));
        assert!(!account.settings.files.is_empty());
        let credentials = &account.settings.credentials;
        let json = serde_json::to_string(credentials).expect("credentials are JSON");
        inert(&json);
        let again: AccountCredentials = serde_json::from_str(&json).expect("they are read again");
        assert_eq!(again, *credentials);
        if let AccountCredentials::Role(role) = credentials {
            assert!(role.role.arn().is_none_or(|arn| arn.account() == account.id));
        }
    }
    if let Some(scope) = &fleet.organization {
        exists(text, (scope.position.line, scope.position.column));
        assert!(!scope.units.is_empty() && scope.except.is_disjoint(&ids));
        assert!(!fleet.default.files.is_empty());
        assert!(matches!(fleet.default.credentials, AccountCredentials::Role(_)));
    }
}
