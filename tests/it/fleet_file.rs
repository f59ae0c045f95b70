//! The fleet file: its content and its errors.

use std::collections::BTreeSet;
use std::sync::Arc;

use iam_boundaries::config::{AccountCredentials, Config, Fleet, FleetAccount, FleetConfigs};

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

/// Fleet files with one error each, or several that belong together.
const WRONG: &[&str] = &[
    "",
    "[accounts]\n",
    "accounts = []\n",
    "file = [\"b.toml\"]\n[accounts]\na = \"111111111111\"\n",
    "prod = \"111111111111\"\nfiles = [\"b.toml\"]\n[accounts]\na = \"222222222222\"\n",
    "files = \"b.toml\"\n[accounts]\na = \"111111111111\"\n",
    "files = [\"b.toml\", 1, \"b.toml\", \"-\"]\n[accounts]\na = \"111111111111\"\n",
    "files = []\n[accounts]\na = \"111111111111\"\n",
    "[accounts]\na = \"111111111111\"\nb = { id = \"222222222222\", profile = \"p\" }\n",
    "files = [\"b.toml\"]\n[accounts]\na = \"11111111111\"\nb = 1\nc = { files = [\"c.toml\"] }\n",
    "files = [\"b.toml\"]\n[accounts]\n111111111111 = \"prod\"\n\"\" = \"222222222222\"\n",
    "files = [\"b.toml\"]\n[accounts]\npayments.prod = \"111111111111\"\n[accounts.payments.dev]\nid = \"222222222222\"\n",
    "[accounts]\nassume_role = \"role/x\"\nfiles = [\"b.toml\"]\n",
    "assume_role = \"role/x\"\nfiles = [\"b.toml\"]\n[accounts]\na = \"111111111111\"\nb = { id = \"111111111111\" }\nA = \"222222222222\"\n",
    "assume_role = \"x\"\nfiles = [\"b.toml\"]\n[accounts]\na = \"111111111111\"\n",
    "assume_role = false\nexternal_id = \"a b\"\nsession_name = 7\nduration = \"1s\"\nfiles = [\"b.toml\"]\n[accounts]\na = \"111111111111\"\n",
    "external_id = \"abc\"\nfiles = [\"b.toml\"]\n[accounts]\na = { id = \"111111111111\", session_name = \"xx\" }\n",
    "assume_role = \"role/x\"\nfiles = [\"b.toml\"]\n[accounts]\na = { id = \"111111111111\", assume_role = false, duration = \"1h\" }\n",
    "files = [\"b.toml\"]\n[accounts]\na = { id = \"111111111111\", profile = \"p\", assume_role = \"role/x\" }\nb = { id = \"222222222222\", profile = \"p\", external_id = \"abc\" }\n",
    "files = [\"b.toml\"]\n[accounts]\na = { id = \"111111111111\", profile = \"\" }\nb = { id = \"222222222222\", profile = \"a\\u001b\" }\n",
    "files = [\"b.toml\"]\n[accounts]\na = { id = \"111111111111\", assume_role = \"arn:aws:iam::222222222222:role/x\" }\n",
    "assume_role = \"arn:aws:iam::111111111111:role/x\"\nfiles = [\"b.toml\"]\n[accounts]\na = \"111111111111\"\nb = \"222222222222\"\n",
    "assume_role = \"arn:aws:iam::111111111111:role/x\"\nfiles = [\"b.toml\"]\n[accounts]\na = \"222222222222\"\n",
    "assume_role = \"arn:aws:iam::111111111111:role/x\"\nfiles = [\"b.toml\"]\n[organization]\nunits = [\"r-ab12\"]\n",
    "files = [\"b.toml\"]\n[accounts]\na = \"111111111111\"\nb = \"222222222222\"\nc = \"333333333333\"\n",
    "[organization]\nunits = [\"r-ab12\"]\n",
    "assume_role = \"role/x\"\nfiles = [\"b.toml\"]\n[organization]\nunits = []\n",
    "assume_role = \"role/x\"\nfiles = [\"b.toml\"]\n[organization]\nexcept = [\"111111111111\"]\n",
    "assume_role = \"role/x\"\nfiles = [\"b.toml\"]\n[accounts]\na = \"111111111111\"\n[organization]\nunits = [\"r-ab12\", \"r-ab12\", \"Workloads\"]\nexcept = [\"111111111111\", 2]\nunit = 1\n",
    "files = [\"b.toml\"]\n[accounts]\na = \"111111111111\"\n[guard]\nmax_changes = \"5\"\nmax_accounts_changed = \"101%\"\nmax_accounts_failed = 0\nmax_removals = 1\nmax_account = 1\n",
    "files = [\"b.toml\"]\n[accounts]\na = \"111111111111\nb = \"222222222222\"\n",
];

#[test]
fn each_error_of_a_fleet_file_has_its_position_and_a_help() {
    let mut shown = String::new();
    for text in WRONG {
        let errors = Fleet::parse("fleet.toml", text).expect_err(text);
        for error in errors.diagnostics() {
            assert!(error.help.is_some(), "no help at {error:?}");
        }
        shown.push_str(&format!("{errors}\n"));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn an_account_takes_each_key_that_it_does_not_have_from_the_top() {
    let fleet = fleet(
        "external_id = \"all\"\nduration = \"1h\"\nfiles = [\"/etc/b.toml\"]\n[accounts]\n\
         a = { id = \"111111111111\", assume_role = \"role/x\", external_id = \"own\" }\nb = \"222222222222\"\n",
    );
    assert_eq!(
        credentials(&fleet.accounts[0]),
        r#"{"assume_role":{"role":"role/x","external_id":"own","duration":"1h"}}"#
    );
    assert_eq!(credentials(&fleet.accounts[1]), r#""base""#);
    assert_eq!(files(&fleet.accounts[1]), ["/etc/b.toml"]);
}

#[test]
fn a_file_of_the_other_kind_names_the_option_to_use() {
    let fleet = Config::parse("fleet.toml", WHOLE).unwrap_err();
    assert_eq!(fleet.diagnostics().len(), 1, "{fleet}");
    assert!(fleet.to_string().contains("specify it with --fleet FILE"), "{fleet}");
    let boundaries = errors("[account]\nid = \"111111111111\"\n[users]\na = false\n");
    assert!(boundaries.contains("specify it with -f FILE"), "{boundaries}");
    assert!(boundaries.contains("1 error in"), "{boundaries}");
}

#[test]
fn a_fleet_file_is_not_read_from_standard_input_and_a_missing_one_is_an_error() {
    let errors = Fleet::read("-").unwrap_err().to_string();
    assert!(errors.contains("a fleet file cannot be read from standard input"), "{errors}");
    let errors = Fleet::read("/nonexistent/fleet.toml").unwrap_err().to_string();
    assert!(errors.contains("cannot read /nonexistent/fleet.toml: file not found"), "{errors}");
    assert!(errors.contains("--fleet FILE"), "{errors}");
}

/// Loads `fleet.toml` and other files in a directory. Messages do not name the directory.
fn load(files: &[(&str, &str)]) -> Result<(Fleet, FleetConfigs), String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let fleet = Fleet::read(folder.path().join("fleet.toml")).unwrap();
    let root = format!("{}/", folder.path().display());
    match fleet.load() {
        Ok(configs) => Ok((fleet, configs)),
        Err(errors) => Err(errors.to_string().replace(&root, "")),
    }
}

#[test]
fn two_thousand_accounts_with_one_list_of_files_share_one_content() {
    let accounts: String = (0..2_000).map(|n| format!("a{n} = \"{n:012}\"\n")).collect();
    let fleet = format!("assume_role = \"role/x\"\nfiles = [\"b.toml\"]\n[accounts]\n{accounts}");
    let other = "last = { id = \"999999999999\", files = [\"b.toml\", \"c.toml\"] }\n";
    let base = "[boundaries]\nd = \"policy/D\"\n[users]\na = \"d\"\n[[rules]]\nboundary = \"d\"\n[[rules]]\nboundary = \"d\"\n";
    let (fleet, configs) = load(&[
        ("fleet.toml", &(fleet + other)),
        ("b.toml", base),
        ("c.toml", "[users]\nb = \"arn:aws:iam::999999999999:policy/E\"\n"),
    ])
    .unwrap();
    assert_eq!((fleet.accounts.len(), configs.accounts.len()), (2_001, 2_001));
    assert_eq!(configs.distinct.len(), 2);
    let shared = &configs.accounts[0];
    assert!(configs.accounts[..2_000].iter().all(|config| Arc::ptr_eq(config, shared)));
    assert_eq!(configs.accounts[2_000].users.len(), 2);
    assert!(configs.organization.is_none());
    assert_eq!(configs.warnings().len(), 1, "the warning about b.toml appears once");
}

#[test]
fn the_errors_of_all_boundaries_files_are_reported_together_and_once() {
    let fleet = "assume_role = \"role/x\"\nfiles = [\"base.toml\"]\n[accounts]\na = \"111111111111\"\n\
                 b = { id = \"222222222222\", files = [\"base.toml\", \"b.toml\"] }\n\
                 c = { id = \"333333333333\", files = [\"base.toml\", \"c.toml\"] }\n";
    let errors = load(&[
        ("fleet.toml", fleet),
        ("base.toml", "[users]\na = 1\n"),
        ("b.toml", "[account]\nid = \"999999999999\"\n"),
        ("c.toml", "[account]\nassume_role = \"arn:aws:iam::333333333333:role/x\"\n"),
    ])
    .unwrap_err();
    insta::assert_snapshot!(errors);
    let missing = load(&[("fleet.toml", fleet), ("base.toml", "[users]\na = false\n")]);
    insta::assert_snapshot!(missing.unwrap_err());
}

#[test]
fn a_boundaries_file_for_one_account_is_an_error_for_the_others() {
    let fleet = "assume_role = \"role/x\"\nfiles = [\"base.toml\"]\n[accounts]\na = \"111111111111\"\n\
                 b = \"222222222222\"\nc = \"333333333333\"\nd = { id = \"444444444444\", files = [\"d.toml\"] }\n\
                 [organization]\nunits = [\"r-ab12\"]\n";
    let d =
        "[account]\nid = \"444444444444\"\n[users]\na = \"arn:aws:iam::444444444444:policy/D\"\n";
    let errors = load(&[
        ("fleet.toml", fleet),
        ("d.toml", d),
        ("base.toml", "[users]\na = \"arn:aws:iam::111111111111:policy/ci/D\"\n"),
    ]);
    insta::assert_snapshot!(errors.unwrap_err());
    let only_organization = "assume_role = \"role/x\"\nfiles = [\"d.toml\"]\n[accounts]\nd = \"444444444444\"\n\
                             [organization]\nunits = [\"r-ab12\"]\n";
    let errors = load(&[("fleet.toml", only_organization), ("d.toml", d)]).unwrap_err();
    assert!(errors.contains("uses the file for the accounts of the organization"), "{errors}");
    let policies = d.split_once("[users]").unwrap().1;
    let policies =
        load(&[("fleet.toml", only_organization), ("d.toml", &format!("[users]{policies}"))]);
    assert!(policies.unwrap_err().contains("this policy belongs to account 444444444444, but"));
}

#[test]
fn the_example_of_a_fleet_is_valid() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/fleet/fleet.toml");
    let fleet = Fleet::read(path).unwrap_or_else(|errors| panic!("{errors}"));
    let configs = fleet.load().unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!((configs.distinct.len(), configs.warnings().len()), (2, 0));
    assert!(configs.organization.is_some());
}

fn with_account(account: &str) -> String {
    format!("[account]\n{account}\n[users]\na = false\n")
}

#[test]
fn the_account_of_a_boundaries_file_can_have_a_role_to_assume() {
    let parse = |account: &str| Config::parse("b.toml", &with_account(account)).unwrap();
    let config = parse(
        "id = \"111111111111\"\nassume_role = \"role/x\"\nexternal_id = \"abc\"\nsession_name = \"s1\"\nduration = \"90m\"",
    );
    let role = config.assume_role.unwrap();
    assert_eq!(
        serde_json::to_string(&role).unwrap(),
        r#"{"role":"role/x","external_id":"abc","session_name":"s1","duration":"1h 30m"}"#
    );
    // The ARN of a role names the account.
    let config = parse("assume_role = \"arn:aws:iam::222222222222:role/x\"");
    assert_eq!(config.account.unwrap().value.as_str(), "222222222222");
    assert!(parse("id = \"111111111111\"").assume_role.is_none());

    let base = "[account]\nid = \"111111111111\"\n[users]\na = false\n";
    let layer = "[account]\nassume_role = \"role/x\"\n";
    let config = Config::parse_layers(&[("a.toml", base), ("b.toml", layer)]).unwrap();
    assert_eq!(config.assume_role.unwrap().role.to_string(), "role/x");
    let other = "[account]\nid = \"111111111111\"\nassume_role = \"role/y\"\n";
    let config = Config::parse_layers(&[("a.toml", base), ("b.toml", layer), ("c.toml", other)]);
    assert_eq!(config.unwrap().assume_role.unwrap().role.to_string(), "role/y");
}

#[test]
fn each_error_of_a_role_to_assume_has_its_position_and_a_help() {
    let mut shown = String::new();
    for account in [
        "assume_role = \"role/x\"",
        "id = \"111111111111\"\nexternal_id = \"abc\"\nduration = \"1h\"",
        "id = \"111111111111\"\nassume_role = \"arn:aws:iam::222222222222:role/x\"",
        "id = \"111111111111\"\nassume_role = false\nexternal_id = 1\nsession_name = \"a b\"\nduration = \"13h\"",
        "id = \"111111111111\"\nasume_role = \"role/x\"",
        "session_name = \"abc\"",
    ] {
        shown.push_str(&format!(
            "{}\n",
            Config::parse("b.toml", &with_account(account)).unwrap_err()
        ));
    }
    let base = "[account]\nid = \"111111111111\"\n[users]\na = false\n";
    let layer = "[account]\nassume_role = \"arn:aws:iam::222222222222:role/x\"\n";
    let layers = Config::parse_layers(&[("a.toml", base), ("b.toml", layer)]).unwrap_err();
    shown.push_str(&layers.to_string());
    insta::assert_snapshot!(shown);
}
