use iam_boundaries::aws::{ApiError, ErrorClass, Inventory, Reading};
use iam_boundaries::config::{Config, Entry, FileErrors};
use iam_boundaries::iam::{AccountId, Partition, PolicyArn, PrincipalName};
use iam_boundaries::plan::Plan;
use iam_boundaries::report::{
    check_github, check_json, check_markdown, check_text, mistakes_github, mistakes_json,
    mistakes_markdown,
};

use super::reports::{commands, comment, inert, json, of_plan, reads_back, without_colours};

const FILE: &str = "boundaries.toml";

/// Reads any text as `boundaries.toml`. Returns whether it is a valid file.
pub fn file(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    match (Config::parse(FILE, &text), Config::parse(FILE, &text)) {
        (Ok(config), Ok(again)) => {
            assert_eq!(format!("{config:?}"), format!("{again:?}"));
            valid_file(&text, &config);
            true
        }
        (Err(errors), Err(again)) => {
            for (one, other) in errors.diagnostics().iter().zip(again.diagnostics()) {
                assert_eq!(one, other);
            }
            assert_eq!(errors.diagnostics().len(), again.diagnostics().len());
            invalid_file(&text, &errors);
            false
        }
        _ => panic!("two checks of the same text have different results"),
    }
}

fn valid_file(text: &str, config: &Config) {
    let account = config.account.as_ref();
    let id = account.map(|account| (account.line, account.column));
    let users = config.users.values().map(|entry| (entry.line, entry.column));
    id.into_iter().chain(users).for_each(|place| assert_exists(text, place));
    inert(&check_text(config));
    json(&check_json(config));
    comment(&check_markdown(config));
    commands(&check_github(config));
    let account = account.map(|account| account.value).or(config.policy_account());
    let account =
        account.unwrap_or_else(|| "123456789012".parse().expect("an account ID has 12 digits"));
    for live in [nobody(config), everybody(account, config)] {
        let plan = Plan::between(account, config, &live);
        assert_eq!(plan.listed(), config.users.len());
        for plan in [plan.clone(), plan.since(config, config)] {
            reads_back(&plan);
            of_plan(&plan);
        }
    }
}

fn invalid_file(text: &str, errors: &FileErrors) {
    assert!(!errors.diagnostics().is_empty());
    for diagnostic in errors.diagnostics() {
        assert_exists(text, (diagnostic.line, diagnostic.column));
    }
    let plain = errors.render(false);
    inert(&plain);
    inert(&without_colours(&errors.render(true)));
    json(&mistakes_json(errors));
    comment(&mistakes_markdown(errors));
    commands(&mistakes_github(errors));
}

/// Asserts that an editor can go to the position: at a character of the line, or directly after the last.
fn assert_exists(text: &str, (line, column): (usize, usize)) {
    let found = text.split('\n').nth(line.wrapping_sub(1));
    let Some(found) = found else { panic!("line {line} does not exist") };
    let end = found.chars().count() + 1;
    assert!((1..=end).contains(&column), "line {line} has no column {column}: {found:?}");
}

/// An account without any of the users.
fn nobody(config: &Config) -> Inventory {
    let missing =
        |user: &PrincipalName| (user.clone(), Reading::NoSuchUser { differs_by_case: None });
    Inventory::of(config.users.keys().map(missing).collect())
}

/// An account in which the users have boundaries, other boundaries or errors, in turn.
fn everybody(account: AccountId, config: &Config) -> Inventory {
    let partition = config.partition().unwrap_or(Partition::Aws);
    let other = |owner: &str| -> PolicyArn {
        let arn = format!("arn:{partition}:iam::{owner}:policy/teams/Other");
        arn.parse().expect("the ARN is valid")
    };
    let (other, of_aws) = (other(account.as_str()), other("aws"));
    let reading = |(n, (user, entry)): (usize, (&PrincipalName, &Entry))| {
        let reading = match n % 6 {
            0 => Reading::Boundary(None),
            1 => Reading::Boundary(Some(other.clone())),
            2 => Reading::Boundary(Some(of_aws.clone())),
            3 => Reading::Boundary(entry.boundary.clone()),
            4 => Reading::NoSuchUser { differs_by_case: in_other_case(user) },
            _ => Reading::Unreadable(ApiError {
                action: "iam:GetUser".into(),
                class: ErrorClass::Denied,
                code: "AccessDenied".to_owned(),
                message: "`|</details> <!-- ::error::x %0A @octocat \\u{1b}[2J".to_owned(),
                request_id: Some("0f1e2d3c".to_owned()),
            }),
        };
        (user.clone(), reading)
    };
    Inventory::of(config.users.iter().enumerate().map(reading).collect())
}

fn in_other_case(user: &PrincipalName) -> Option<PrincipalName> {
    let name = user.as_str();
    let other = [name.to_ascii_uppercase(), name.to_ascii_lowercase()];
    let other = other.iter().find(|other| *other != name)?;
    Some(other.parse().expect("a name is valid in any case"))
}
