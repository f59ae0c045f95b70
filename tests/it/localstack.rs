//! Tests against LocalStack, an independent implementation of IAM: the workflow from plan to apply, and a
//! comparison of the responses of the sandbox and LocalStack.

use std::process::Command;

use crate::support::tools::skip;
use crate::support::{self, Binary, Ran};
use iam_boundaries::aws::{Access, Connection};
use iam_boundaries::iam::{Principal, PrincipalKind, Printable};

/// A running LocalStack, and a Python interpreter with boto3.
struct LocalStack {
    endpoint: String,
    python: String,
}

impl LocalStack {
    /// Reports that the running test is skipped if the environment does not specify a LocalStack endpoint.
    fn find() -> Option<LocalStack> {
        let endpoint = std::env::var("LOCALSTACK_ENDPOINT").ok();
        let python = std::env::var("LOCALSTACK_PYTHON").ok();
        let found = endpoint.zip(python).map(|(endpoint, python)| LocalStack { endpoint, python });
        if found.is_none() {
            skip(
                "localstack",
                "LocalStack is not running; start it with `tests/localstack/start DIR`, set \
                 LOCALSTACK_ENDPOINT to the URL that it prints and LOCALSTACK_PYTHON to \
                 DIR/venv/bin/python",
            );
        }
        found
    }

    fn python(&self, script: &str, account: &str) -> Command {
        let mut python = Command::new(&self.python);
        python.arg(script).args(["--account", account]);
        python
    }

    /// The binary with a new account of 60 users and a file that lists them.
    fn seeded(&self) -> Binary {
        self.seeded_with(0)
    }

    /// Like [`LocalStack::seeded`], with this many roles, too. A third of the users and roles are as listed.
    fn seeded_with(&self, roles: usize) -> Binary {
        self.seeded_account(60, roles)
    }

    /// Like [`LocalStack::seeded`], with this many users.
    fn seeded_users(&self, users: usize) -> Binary {
        self.seeded_account(users, 0)
    }

    fn seeded_account(&self, users: usize, roles: usize) -> Binary {
        let account = new_account();
        let seeded = self
            .python("tests/localstack/seed.py", &account)
            .args(["--endpoint", &self.endpoint])
            .args(["--users", &users.to_string(), "--roles", &roles.to_string()])
            .output();
        let seeded = Ran::of(seeded.expect("Python runs"));
        assert_eq!(seeded.code, 0, "{seeded}");
        Binary::with_file(&seeded.out)
            .env("AWS_ACCESS_KEY_ID", &account)
            .env("AWS_SECRET_ACCESS_KEY", "any")
            .env("AWS_ENDPOINT_URL", &self.endpoint)
    }
}

/// A random account ID, so that the account is empty.
fn new_account() -> String {
    format!("{:012}", fastrand::u64(1..1_000_000_000_000))
}

#[test]
fn an_imported_file_is_in_sync() {
    let Some(localstack) = LocalStack::find() else { return };
    let binary = localstack.seeded();
    let imported = binary.run(&["import", "--out", "imported.toml"]);
    assert_eq!(imported.code, 0, "{imported}");
    let plan = binary.run(&["-f", "imported.toml", "plan", "--detailed-exitcode"]);
    assert!(plan.code == 0 && plan.out.starts_with("In sync: "), "{plan}");
    // The file is not applied yet and differs from the account.
    let plan = binary.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, 2, "{plan}");
}

#[test]
fn plan_apply_plan_ends_in_sync() {
    let Some(localstack) = LocalStack::find() else { return };
    let binary = localstack.seeded();
    let plan = binary.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, 2, "{plan}");
    let applied =
        binary.run(&["apply", "--auto-approve", "--max-changes", "100%", "--format", "json"]);
    assert_eq!(applied.code, 0, "{applied}");
    let summary = applied.json_lines().pop().expect("the last line is the summary");
    assert!(summary["failed"] == 0 && summary["applied"] == 40, "{summary}");
    let again = binary.run(&["plan", "--detailed-exitcode"]);
    assert!(again.code == 0 && again.out.starts_with("In sync: "), "{again}");
}

#[test]
fn the_impact_follows_from_the_policies_of_the_account() {
    let Some(localstack) = LocalStack::find() else { return };
    let binary = localstack.seeded();
    let plan = binary.run(&["plan", "--impact", "--format", "json"]);
    assert_eq!(plan.code, 0, "{plan}");
    let plan: serde_json::Value = serde_json::from_str(&plan.out).unwrap();
    let effects = plan["impact"]["effects"].as_array().unwrap();
    let summaries: Vec<_> = effects.iter().map(|effect| &effect["summary"]).collect();
    let of = |direction: &str| {
        summaries.iter().find(|it| it["direction"] == direction).unwrap_or_else(|| panic!("{plan}"))
    };
    // Administrators: from Contractor to Developer, and from no boundary to Developer. The others have no policies.
    assert_eq!(of("widening")["gives"]["services"], 2);
    assert!(of("narrowing")["takes"]["actions"].as_u64().unwrap() > 10_000);
    assert_eq!(of("no_effect")["takes"]["actions"], 0);
    assert_eq!(summaries.len(), 3, "{plan}");
}

#[test]
fn users_and_roles_are_imported_applied_and_rolled_back() {
    let Some(localstack) = LocalStack::find() else { return };
    let binary = localstack.seeded_with(60);
    let imported = binary.run(&["import", "--out", "imported.toml"]);
    assert_eq!(imported.code, 0, "{imported}");
    let applied = binary.run(&["apply", "-y", "--max-changes", "100%", "--journal", "run.jsonl"]);
    assert_eq!(applied.code, 0, "{applied}");
    assert!(applied.out.contains("80 applied, 0 failed, 0 not attempted"), "{applied}");
    let again = binary.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, 0, "{again}");
    let all = "In sync: all 60 listed users and all 60 listed roles match boundaries.toml";
    assert!(again.out.starts_with(all), "{again}");

    let back = binary.run(&["rollback", "run.jsonl", "--out", "back.json"]);
    assert_eq!(back.code, 0, "{back}");
    let limits = ["--max-changes", "100%", "--max-removals", "100%"];
    let applied = binary.run(&[&["apply", "back.json", "-y"], &limits[..]].concat());
    assert_eq!(applied.code, 0, "{applied}");
    let plan = binary.run(&["-f", "imported.toml", "plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, 0, "{plan}");
}

#[test]
fn a_fleet_is_planned_applied_and_rolled_back_in_every_account_and_in_no_other() {
    const ACCOUNTS: usize = 6;
    let Some(localstack) = LocalStack::find() else { return };
    let seeded: Vec<Binary> = (0..=ACCOUNTS).map(|_| localstack.seeded_users(12)).collect();
    let id = |n: usize| seeded[n].variable("AWS_ACCESS_KEY_ID");
    let base = new_account();
    let binary = Binary::with_file("[users]\n")
        .env("AWS_ACCESS_KEY_ID", &base)
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .env("AWS_ENDPOINT_URL", &localstack.endpoint);
    let mut file = "assume_role = \"role/iam-boundaries\"\n[accounts]\n".to_owned();
    for (n, account) in seeded.iter().enumerate().take(ACCOUNTS) {
        let boundaries = account.folder().join("boundaries.toml");
        std::fs::copy(boundaries, binary.folder().join(format!("{n}.toml"))).unwrap();
        file += &format!("acct-{n} = {{ id = \"{}\", files = [\"{n}.toml\"] }}\n", id(n));
    }
    std::fs::write(binary.folder().join("fleet.toml"), file).unwrap();
    let plan = |out: &str| {
        binary.run(&["--fleet", "fleet.toml", "plan", "--detailed-exitcode", "--out", out])
    };
    let saved = |name: &str| std::fs::read_to_string(binary.folder().join(name)).unwrap();

    let planned = plan("plan.json");
    assert_eq!(planned.code, 2, "{planned}");
    let document: serde_json::Value = serde_json::from_str(&saved("plan.json")).unwrap();
    for account in document["accounts"].as_array().unwrap() {
        let changes = account["plan"]["changes"].as_array().unwrap();
        assert_eq!(changes.len(), 8, "{account}");
        let account = account["account"].as_str().unwrap();
        let is_of_account = |change: &serde_json::Value| {
            change["to"].as_str().unwrap().starts_with(&format!("arn:aws:iam::{account}:"))
        };
        assert!(changes.iter().all(is_of_account), "{changes:?}");
    }
    let limits = ["--auto-approve", "--max-changes", "100%", "--max-removals", "100%"];
    let apply = ["apply", "plan.json", "--journal", "run", "--format", "json"];
    let applied = binary.run(&[&apply[..], &limits].concat());
    assert_eq!(applied.code, 0, "{applied}");
    let summary = applied.json_lines().pop().expect("the last line is the summary");
    assert_eq!((&summary["accounts_complete"], &summary["applied"]), (&6.into(), &48.into()));
    assert_eq!(plan("again.json").code, 0);
    // Each account agrees, and the one that the fleet does not list is as it was.
    for (n, account) in seeded.iter().enumerate() {
        let own = account.run(&["plan", "--detailed-exitcode"]);
        assert_eq!(own.code, if n < ACCOUNTS { 0 } else { 2 }, "{n}: {own}");
    }

    let back = binary.run(&["rollback", "run", "--out", "back.json"]);
    assert_eq!(back.code, 0, "{back}");
    let applied = binary.run(&[&["apply", "back.json"], &limits[..]].concat());
    assert_eq!(applied.code, 0, "{applied}");
    assert_eq!(plan("restored.json").code, 2);
    assert_eq!(saved("restored.json"), saved("plan.json"));
}

#[test]
fn the_roles_that_aws_manages_are_left_alone() {
    let Some(localstack) = LocalStack::find() else { return };
    let binary = localstack.seeded();
    let created = localstack
        .python("tests/localstack/service_role.py", binary.variable("AWS_ACCESS_KEY_ID"))
        .args(["--endpoint", &localstack.endpoint])
        .output();
    let created = Ran::of(created.expect("Python runs"));
    assert_eq!(created.code, 0, "{created}");
    let imported = binary.run(&["import", "--kind", "role"]);
    assert!(imported.code == 1 && imported.err.contains("has no roles"), "{imported}");
    let file = format!("[roles]\n{} = false\n", created.out.trim());
    std::fs::write(binary.folder().join("roles.toml"), &file).unwrap();
    let checked = binary.run(&["-f", "roles.toml", "plan"]);
    assert!(checked.code == 1 && checked.err.contains("a service-linked role"), "{checked}");
}

#[tokio::test]
async fn the_attributes_of_every_user_and_role_are_read_by_pages_and_by_single_calls() {
    let Some(localstack) = LocalStack::find() else { return };
    let seeded = localstack.seeded_with(60);
    let access = Access::Sandbox {
        endpoint_url: localstack.endpoint.clone(),
        access_key_id: seeded.variable("AWS_ACCESS_KEY_ID").to_owned().leak(),
        secret_access_key: "any",
    };
    let account = Connection::open(&access).await.identify().await.unwrap();
    let pages = account.whole_inventory(&PrincipalKind::ALL.into(), []).await.unwrap();
    let listed: Vec<Principal> = pages.iter().map(|(principal, _)| principal.clone()).collect();
    assert_eq!(listed.len(), 120);
    let singly = account.inventory_singly(&listed).await.unwrap();
    for (inventory, is_from_pages) in [(&pages, true), (&singly, false)] {
        for principal in &listed {
            let attributes = inventory.attributes(principal).unwrap();
            let tag = |key: &str| {
                let tag = attributes.tags.iter().find(|tag| tag.key == key);
                tag.unwrap_or_else(|| panic!("{principal} has no {key}")).value.to_string()
            };
            assert_eq!(attributes.path.as_deref(), Some(&*tag("Path")), "{principal}");
            let is_administrator = tag("is administrator") == "true";
            assert_eq!(attributes.is_administrator, is_from_pages.then_some(is_administrator));
            let groups: Vec<Printable> = [tag("group")]
                .into_iter()
                .filter(|it| !it.is_empty())
                .map(Printable::from)
                .collect();
            let is_shown = is_from_pages || principal.kind == PrincipalKind::Role;
            assert_eq!(attributes.groups, is_shown.then_some(groups), "{principal}");
        }
    }
}

#[test]
fn the_sandbox_answers_as_localstack_does() {
    let Some(localstack) = LocalStack::find() else { return };
    let sandbox = support::serve(&["--port", "0", "--users", "0"]);
    let compared = localstack
        .python("tests/localstack/faithfulness.py", &new_account())
        .args(["--localstack", &localstack.endpoint, "--sandbox", &sandbox.url])
        .output();
    let compared = Ran::of(compared.expect("Python runs"));
    assert_eq!(compared.code, 0, "{compared}");
}
