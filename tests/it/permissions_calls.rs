//! `permissions` allows every call that a run makes, and nothing that no run makes.

use std::collections::BTreeSet;

use iam_boundaries::iam::{Principal, PrincipalPattern};
use iam_boundaries::sandbox::{Options, Organization, Sandbox, Seed, account_ids};
use serde_json::Value;

use crate::support::fixture::{Fixture, run, user};
use crate::support::plans::arn;
use crate::support::policy::{Call, actions, allow};
use crate::support::recorder::Recorder;
use crate::support::{Binary, Ran};

/// A file, and the commands that are run with it. All fixtures have 60 users and 4 roles, half of them with a path.
struct Scenario {
    file: &'static str,
    /// The arguments of `permissions`: one set of policies for all commands.
    permissions: &'static [&'static str],
    /// The commands, in this order.
    commands: &'static [&'static str],
}

const PATHS: [(&str, &str); 4] = [
    ("user/user-0001", "/contractors/"),
    ("user/user-0002", "/contractors/eu/"),
    ("user/user-0003", "/ci/"),
    ("role/user-0001", "/service/"),
];

const APPLY: &str =
    "apply --account 123456789012 --auto-approve --max-changes 100% --max-removals 100%";

const APPLY_WITH_JOURNAL: &str =
    "apply --account 123456789012 --auto-approve --journal j.jsonl --max-changes 100%";

const SCENARIOS: &[Scenario] = &[
    // Few entries, of which one does not exist.
    Scenario {
        file: "[users]\nuser-0001 = \"policy/Developer\"\nnobody = \"policy/Developer\"\n",
        permissions: &["apply"],
        commands: &["plan", APPLY, "plan"],
    },
    Scenario {
        file: "[roles]\nuser-0001 = \"policy/Developer\"\n",
        permissions: &["apply"],
        commands: &["plan", APPLY],
    },
    // Both kinds, a removal, and an expired entry without a boundary.
    Scenario {
        file: "[account]\nid = \"123456789012\"\n[users]\nuser-0000 = \"policy/Developer\"\nuser-0002 = false\n\
               user-0003 = \"policy/Other\"\nuser-0004 = { boundary = \"policy/Developer\", until = 2020-01-01, then = false }\n\
               [roles]\nuser-0001 = false\nuser-0002 = \"arn:aws:iam::aws:policy/ReadOnlyAccess\"\n",
        permissions: &["apply --rollback-to policy/Earlier"],
        commands: &[
            "plan --out p.json",
            "show p.json",
            "apply p.json --auto-approve --journal j.jsonl --max-changes 100% --max-removals 100%",
            "rollback j.jsonl --out r.json",
            "apply r.json --auto-approve --max-changes 100% --max-removals 100%",
        ],
    },
    // Rules, whose principals have no entry.
    Scenario {
        file: "[[rules]]\npath = \"/contractors/*\"\nname = \"user-*\"\nboundary = \"policy/Developer\"\n\
               [[rules]]\nfor = \"roles\"\npath = \"/service/\"\nboundary = \"policy/Other\"\n\
               [unlisted]\nusers = \"warn\"\n",
        permissions: &["apply --rollback-to policy/Earlier"],
        commands: &[
            "plan --format json",
            "plan --only user/user-0001",
            "plan --explain user/user-0003",
            APPLY_WITH_JOURNAL,
            "rollback j.jsonl --out r.json",
            "apply r.json --auto-approve --max-changes 100% --max-removals 100%",
        ],
    },
    // Guard rails that read documents, and what was used.
    Scenario {
        file: "[guard]\nwidening = \"refuse\"\ntaking_used = \"30d\"\nprotected = [\"user-0009\"]\n\
               [users]\nuser-0004 = \"policy/Other\"\nuser-0005 = \"policy/Other\"\nuser-0006 = \"policy/Other\"\n",
        permissions: &["apply"],
        commands: &[
            "plan",
            "apply --account 123456789012 --auto-approve --allow-widening user/* --max-changes 100%",
        ],
    },
    // A plan of many entries, with its impact.
    Scenario {
        file: "[users]\nuser-0002 = \"policy/Other\"\nuser-0004 = \"arn:aws:iam::aws:policy/ReadOnlyAccess\"\n",
        permissions: &["plan", "impact --last-used"],
        commands: &["plan --impact", "plan --last-used 30"],
    },
    // Who made the changes that the plan would undo.
    Scenario {
        file: "[users]\nuser-0002 = \"policy/Other\"\n[roles]\nuser-0001 = \"policy/Other\"\n",
        permissions: &["plan --blame"],
        commands: &["plan --blame"],
    },
    // A pinned document of a policy that the account has.
    Scenario {
        file: "[boundaries]\nearlier = { arn = \"policy/Earlier\", document = \"Earlier.json\" }\n\
               other = \"policy/Other\"\n[users]\nuser-0002 = \"other\"\n",
        permissions: &["plan"],
        commands: &["plan"],
    },
];

/// The account and the recorder of its calls.
async fn start(file: &str) -> (Fixture, Recorder) {
    let fixture = Fixture::users(60).roles(4).file(file).start().await;
    let sandbox = &fixture.sandbox;
    sandbox.put_policy("Earlier");
    for policy in ["Developer", "Earlier", "Other"] {
        let allowed = if policy == "Other" { "s3:Get*" } else { "s3:*" };
        let document = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"{allowed}","Resource":"*"}}}}"#
        );
        sandbox.put_document(&arn(policy), &document);
        std::fs::write(fixture.folder().join(format!("{policy}.json")), document).unwrap();
    }
    for n in [2, 4, 5] {
        sandbox.put_user(&user(n), Some(&arn("Earlier")));
        let user = Principal::user(user(n));
        sandbox.attach_policy(&user, &arn("Developer"));
    }
    sandbox.put_role(&user(1), "/service/", Some(&arn("Earlier")));
    for (name, path) in PATHS {
        let pattern: PrincipalPattern = name.parse().unwrap();
        sandbox.put_path(&pattern.principal().unwrap(), path);
    }
    let recorder = Recorder::start(sandbox, &PATHS);
    let fixture = fixture.env("AWS_ENDPOINT_URL", &recorder.url());
    (fixture, recorder)
}

fn split(command: &str) -> Vec<&str> {
    command.split(' ').collect()
}

/// The policy that `permissions` prints.
fn policy(ran: &Ran) -> Value {
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(ran.err, "", "{ran}");
    serde_json::from_str(&ran.out).unwrap()
}

#[tokio::test]
async fn each_call_of_a_run_is_allowed_and_each_allowed_action_is_called() {
    let (mut called, mut allowed) = (BTreeSet::new(), BTreeSet::new());
    for Scenario { file, permissions, commands } in SCENARIOS {
        let (fixture, recorder) = start(file).await;
        let mut policies = Vec::new();
        for arguments in *permissions {
            let arguments = [vec!["permissions"], split(arguments)].concat();
            policies.push(policy(&fixture.run(&arguments).await));
        }
        assert_eq!(recorder.take(false), [], "permissions makes no calls");
        for command in *commands {
            let ran = fixture.run(&split(command)).await;
            let is_expected = ran.code == 0 || (ran.code == 3 && file.contains("nobody"));
            assert!(is_expected, "{command}: {ran}");
            let calls = recorder.take(false);
            assert!(!calls.is_empty() || command.starts_with("show"), "{command}");
            for call in calls {
                assert!(allow(&policies, &call), "{command}: {call:?}\n{policies:#?}");
                called.insert(call.action);
            }
        }
        allowed.extend(actions(&policies));
    }
    assert_eq!(allowed, called);
}

#[tokio::test]
async fn each_call_of_a_fleet_is_allowed_and_each_allowed_action_is_called() {
    let organization = Some(Organization::of_accounts(8));
    let options = Options { accounts: 8, organization, seed: Seed::Story, ..Options::default() };
    let sandbox = Sandbox::start(options).await.unwrap();
    let recorder = Recorder::start(&sandbox, &[]);
    let ids = account_ids(8);
    let file = "[users]\nanyone = { boundary = \"policy/Developer\", missing = \"warn\" }\ndana = \"policy/Developer\"\n\
                [roles]\nanyone = { boundary = \"policy/Developer\", missing = \"warn\" }\n\
                [[rules]]\nfor = \"roles\"\npath = \"/ci/*\"\nboundary = \"policy/Developer\"\n";
    let binary = Binary::with_file(file)
        .env("AWS_ACCESS_KEY_ID", "any")
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ENDPOINT_URL", &recorder.url());
    for (organization, in_units) in [
        ("", false),
        ("[organization]\nunits = [\"ou-sbox-workloads1\"]\n", true),
        ("[organization]\nunits = [\"r-sbox\"]\n", true),
    ] {
        let fleet = format!(
            "assume_role = \"role/boundaries\"\nfiles = [\"boundaries.toml\"]\n[accounts]\n\
             one = {{ id = \"{}\", assume_role = \"role/ops/other\", external_id = \"a-b\" }}\ntwo = \"{}\"\n{organization}",
            ids[1], ids[2]
        );
        std::fs::write(binary.folder().join("fleet.toml"), fleet).unwrap();
        let print = ["--fleet", "fleet.toml", "permissions", "fleet"];
        let printed = policy(&binary.run(&print));
        let [base, account] = ["base", "account"].map(|name| vec![printed[name].clone()]);
        let ran = run(binary.command(&["--fleet", "fleet.toml", "plan", "--out", "p.json"])).await;
        assert_eq!(ran.code, 0, "{ran}");
        let (calls, of_sessions) = (recorder.take(false), recorder.take(true));
        let reads = actions(&account).into_iter().filter(|it| !it.starts_with("iam:Put"));
        let of_roles = of_sessions.iter().map(|call| call.action.clone());
        assert_eq!(BTreeSet::from_iter(reads), of_roles.collect());
        for call in &calls {
            assert!(allow(&base, call), "{call:?}\n{base:#?}");
        }
        for call in &of_sessions {
            assert!(allow(&account, call), "{call:?}\n{account:#?}");
        }
        let called: BTreeSet<String> = calls.into_iter().map(|call| call.action).collect();
        assert_eq!(BTreeSet::from_iter(actions(&base)), called);
        assert_eq!(called.contains("organizations:ListAccounts"), in_units);
        assert!(of_sessions.iter().any(|call| call.action == "iam:GetAccountAuthorizationDetails"));
        let elsewhere = Call::new("sts:AssumeRole", "arn:aws:iam::999999999999:role/other");
        assert!(!allow(&base, &elsewhere));
        let in_another = Call::new("sts:AssumeRole", "arn:aws:iam::999999999999:role/boundaries");
        assert_eq!(allow(&base, &in_another), in_units);
    }
}
