use iam_boundaries::config::{Config, Entry, FileErrors, render_warnings};
use iam_boundaries::iam::{AccountId, Partition, PolicyArn, Principal, PrincipalName};
use iam_boundaries::inventory::{ApiError, ErrorClass, Inventory, Reading};
use iam_boundaries::plan::{Plan, PlanContext};
use iam_boundaries::report::{Format, Style, render_check, render_file_errors};

use super::page;
use super::reports::{
    commands, comment, exists, found, inert, json, of_plan, reads_back, without_colors,
};

const FILE: &str = "boundaries.toml";

/// `boundaries.toml`: any text.
pub fn file(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    match (Config::parse(FILE, &text), Config::parse(FILE, &text)) {
        (Ok(config), Ok(again)) => {
            assert_eq!(format!("{config:?}"), format!("{again:?}"));
            without_errors(&text, &config);
            true
        }
        (Err(errors), Err(again)) => {
            for (one, other) in errors.diagnostics().iter().zip(again.diagnostics()) {
                assert_eq!(format!("{one:?}"), format!("{other:?}"));
            }
            assert_eq!(errors.diagnostics().len(), again.diagnostics().len());
            with_errors(&text, &errors);
            false
        }
        _ => panic!("two parses of the same text differ"),
    }
}

fn without_errors(text: &str, config: &Config) {
    let account = config.account.as_ref();
    let account_place = account.map(|account| &account.position);
    let entries = config.entries().map(|(_, entry)| &entry.position);
    let rules = config.rules.iter().map(|rule| &rule.position);
    let names = config.unused_names.iter().map(|name| &name.position);
    let places = account_place.into_iter().chain(entries).chain(rules).chain(names);
    places.for_each(|place| exists(text, (place.line, place.column)));
    let warnings = config.warnings.iter();
    warnings.for_each(|warning| exists(text, (warning.line, warning.column)));
    inert(&render_warnings(&config.warnings, false, None));
    let check = |format| render_check(config, format, Style::PLAIN);
    inert(&check(Format::Text));
    json(&check(Format::Json));
    comment(&check(Format::Markdown));
    page::read(&check(Format::Html));
    commands(&check(Format::Github));
    let account = account.map(|account| account.value).or(config.policy_account());
    let account = account.unwrap_or_else(|| "123456789012".parse().expect("it has 12 digits"));
    for live in [nobody(config), everybody(account, config)] {
        let now = "2026-11-25T00:12:03Z".parse().expect("it is a time");
        let partition = config.partition().unwrap_or(Partition::Aws);
        let context = PlanContext::new(account, partition, now);
        let plan = Plan::between(&context, config, &live);
        assert_eq!(plan.listed(), config.listed());
        for plan in [plan.clone(), plan.since(config, config, &live, &context)] {
            reads_back(&plan);
            of_plan(&plan);
        }
    }
}

fn with_errors(text: &str, errors: &FileErrors) {
    assert!(!errors.diagnostics().is_empty());
    for error in errors.diagnostics() {
        exists(text, (error.line, error.column));
    }
    let plain = errors.render(false, None);
    inert(&plain);
    inert(&without_colors(&errors.render(true, Some(60))));
    let rendered = |format| render_file_errors(errors, format, Style::PLAIN);
    json(&rendered(Format::Json));
    comment(&rendered(Format::Markdown));
    page::read(&rendered(Format::Html));
    commands(&rendered(Format::Github));
}

/// An account without any of the users.
fn nobody(config: &Config) -> Inventory {
    let missing = |(principal, _)| (principal, Reading::NotFound { differs_by_case: None });
    Inventory::of(config.entries().map(missing).collect())
}

/// An account that covers every kind of match and mismatch with the file.
fn everybody(account: AccountId, config: &Config) -> Inventory {
    let partition = config.partition().unwrap_or(Partition::Aws);
    let other = |owner: &str| -> PolicyArn {
        let arn = format!("arn:{partition}:iam::{owner}:policy/teams/Other");
        arn.parse().expect("it is a policy's ARN")
    };
    let (other, of_aws) = (other(account.as_str()), other("aws"));
    let reading = |(n, (principal, listed)): (usize, (Principal, &Entry))| {
        let reading = match n % 6 {
            0 => found(None),
            1 => found(Some(&other)),
            2 => found(Some(&of_aws)),
            3 => {
                found(listed.boundary.as_ref().map(|it| it.in_account(account, partition)).as_ref())
            }
            4 => Reading::NotFound { differs_by_case: in_other_case(&principal.name) },
            _ => Reading::Unreadable(ApiError {
                action: "iam:GetUser".into(),
                class: ErrorClass::Denied,
                code: "AccessDenied".into(),
                message: "`|</details> <!-- ::error::x %0A @octocat \\u{1b}[2J".into(),
                request_id: Some("0f1e2d3c".into()),
            }),
        };
        (principal, reading)
    };
    Inventory::of(config.entries().enumerate().map(reading).collect())
}

fn in_other_case(user: &PrincipalName) -> Option<PrincipalName> {
    let name = user.as_str();
    let other = [name.to_ascii_uppercase(), name.to_ascii_lowercase()];
    let other = other.iter().find(|other| *other != name)?;
    Some(other.parse().expect("case makes no difference to what a name may have"))
}
