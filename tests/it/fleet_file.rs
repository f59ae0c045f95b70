//! The fleet file: its content and its errors.

use std::collections::BTreeSet;

use iam_boundaries::config::{AccountCredentials, Fleet, FleetAccount};

const WHOLE: &str = r#"
assume_role = "role/iam-boundaries"
session_name = "boundaries"
files = ["baseline.toml"]

[accounts]
payments-prod = { id = "111111111111", files = ["baseline.toml", "payments.toml"] }
payments-dev = "222222222222"
legacy = { id = "444444444444", profile = "legacy" }
hub = { id = "555555555555", assume_role = false }
dmz = { id = "666666666666", assume_role = "arn:aws:iam::666666666666:role/other", external_id = "abc", session_name = "x1", duration = "1h" }

[organization]
units = ["ou-ab12-workloads", "r-ab12"]
except = ["333333333333"]

[guard]
max_changes = "5%"
max_accounts_changed = "20%"
max_accounts_failed = 3
"#;

fn fleet(text: &str) -> Fleet {
    Fleet::parse("ops/fleet.toml", text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn errors(text: &str) -> String {
    Fleet::parse("fleet.toml", text).expect_err(text).to_string()
}

fn files(account: &FleetAccount) -> Vec<&str> {
    account.settings.files.iter().map(|file| file.to_str().unwrap()).collect()
}

fn credentials(account: &FleetAccount) -> String {
    serde_json::to_string(&account.settings.credentials).unwrap()
}

#[test]
fn every_key_of_a_fleet_file_is_read() {
    let fleet = fleet(WHOLE);
    assert_eq!(fleet.path.as_str(), "ops/fleet.toml");
    let of = |account: &FleetAccount| {
        let line = account.position.line;
        (account.name.to_string(), account.id.to_string(), line, credentials(account))
    };
    let accounts: Vec<_> = fleet.accounts.iter().map(of).collect();
    let expected = [
        (
            "payments-prod",
            "111111111111",
            7,
            r#"{"assume_role":{"role":"role/iam-boundaries","session_name":"boundaries"}}"#,
        ),
        (
            "payments-dev",
            "222222222222",
            8,
            r#"{"assume_role":{"role":"role/iam-boundaries","session_name":"boundaries"}}"#,
        ),
        ("legacy", "444444444444", 9, r#"{"profile":"legacy"}"#),
        ("hub", "555555555555", 10, r#""base""#),
        (
            "dmz",
            "666666666666",
            11,
            r#"{"assume_role":{"role":"arn:aws:iam::666666666666:role/other","external_id":"abc","session_name":"x1","duration":"1h"}}"#,
        ),
    ];
    let expected = expected.map(|(name, id, line, credentials)| {
        (name.to_owned(), id.to_owned(), line, credentials.to_owned())
    });
    assert_eq!(accounts, expected);
    assert_eq!(files(&fleet.accounts[0]), ["ops/baseline.toml", "ops/payments.toml"]);
    assert_eq!(files(&fleet.accounts[1]), ["ops/baseline.toml"]);
    for account in &fleet.accounts {
        let read: AccountCredentials = serde_json::from_str(&credentials(account)).unwrap();
        assert_eq!(read, account.settings.credentials);
    }

    let scope = fleet.organization.as_ref().unwrap();
    let units: Vec<_> = scope.units.iter().map(ToString::to_string).collect();
    assert_eq!(units, ["ou-ab12-workloads", "r-ab12"]);
    assert_eq!(scope.except, BTreeSet::from(["333333333333".parse().unwrap()]));
    assert_eq!((scope.position.line, scope.position.column), (14, 9));
    let guard = serde_json::to_string(&fleet.guard).unwrap();
    assert_eq!(
        guard,
        r#"{"max_changes":"5%","max_accounts_changed":"20%","max_accounts_failed":3}"#
    );

    let (name, id) = ("audit".parse().unwrap(), "777777777777".parse().unwrap());
    let listed = fleet.organization_account(name, id).unwrap();
    assert_eq!(listed.settings, fleet.default);
    assert_eq!(files(&listed), ["ops/baseline.toml"]);
    assert_eq!(credentials(&listed), credentials(&fleet.accounts[0]));
}
