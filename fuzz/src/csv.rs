use iam_boundaries::config::{Config, FileErrors, Spreadsheet};
use iam_boundaries::iam::AccountId;

use super::reports::{exists, inert, without_colors};

const FILE: &str = "users.csv";

/// A spreadsheet of `import --from-csv`: any text, without an account and for an account.
///
/// Returns whether the spreadsheet is valid in one of the two cases.
pub fn csv(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    let account: AccountId = "123456789012".parse().expect("it has 12 digits");
    let [without_account, for_account] = [None, Some(account)].map(|it| is_valid(&text, it));
    without_account || for_account
}

fn is_valid(text: &str, account: Option<AccountId>) -> bool {
    match (Spreadsheet::parse(FILE, text, account), Spreadsheet::parse(FILE, text, account)) {
        (Ok(spreadsheet), Ok(again)) => {
            assert_eq!(format!("{spreadsheet:?}"), format!("{again:?}"));
            without_errors(&spreadsheet, account);
            true
        }
        (Err(errors), Err(again)) => {
            assert_eq!(format!("{errors:?}"), format!("{again:?}"));
            with_errors(text, &errors);
            false
        }
        _ => panic!("two parses of the same text differ"),
    }
}

/// The file is valid, and has the boundaries of the spreadsheet.
fn without_errors(spreadsheet: &Spreadsheet, account: Option<AccountId>) {
    let file = spreadsheet.to_file();
    inert(&file);
    let config = match Config::parse("boundaries.toml", &file) {
        Ok(config) => config,
        Err(errors) => panic!("{}\n{file}", errors.render(false, None)),
    };
    assert_eq!(config.account.as_ref().map(|account| account.value), account);
    let entries = config.entries().map(|(principal, entry)| {
        (principal, entry.boundary.as_ref().and_then(|boundary| boundary.arn()).cloned())
    });
    let expected = spreadsheet.boundaries.clone().into_iter();
    assert_eq!(entries.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

fn with_errors(text: &str, errors: &FileErrors) {
    assert!(!errors.diagnostics().is_empty());
    for error in errors.diagnostics() {
        exists(text, (error.line, error.column));
    }
    inert(&errors.render(false, None));
    inert(&without_colors(&errors.render(true, Some(60))));
}
