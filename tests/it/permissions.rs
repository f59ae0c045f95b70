//! What `permissions` prints. `permissions_calls.rs` compares it with the calls of runs.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use iam_boundaries::impact::Actions;
use serde_json::Value;

use crate::support::Binary;
use crate::support::policy::{Call, actions, allow, denies};
use crate::support::tools::program;

const ACCOUNT: &str = "arn:aws:iam::123456789012:";

fn print(binary: &Binary, arguments: &[&str]) -> Value {
    let ran = binary.run(&[&["permissions"], arguments].concat());
    assert_eq!(ran.code, 0, "{ran}");
    serde_json::from_str(&ran.out).unwrap()
}

fn put(resource: &str, policy: &str) -> Call {
    let kind = if resource.starts_with("user") { "User" } else { "Role" };
    let call =
        Call::new(&format!("iam:Put{kind}PermissionsBoundary"), &format!("{ACCOUNT}{resource}"));
    call.with("iam:PermissionsBoundary", &format!("{ACCOUNT}policy/{policy}"))
}

/// Removes the boundary of a principal that has this policy.
fn delete(resource: &str, policy: &str) -> Call {
    let Call { resource, context, action } = put(resource, policy);
    Call { action: action.replace("Put", "Delete"), resource, context }
}

const FILE: &str = "[account]\nid = \"123456789012\"\n[boundaries]\nunused = \"policy/Unused\"\n\
                    [guard]\nprotected = [\"break-glass-*\"]\n\
                    [users]\nalice = \"policy/Developer\"\nbreak-glass-1 = \"policy/Developer\"\nbob = false\n\
                    [[rules]]\nfor = \"roles\"\npath = \"/ci/*\"\nname = \"svc-*\"\nboundary = \"policy/Deployer\"\n";

#[test]
fn only_the_boundaries_of_the_file_can_be_set_and_only_on_its_principals() {
    let binary = Binary::with_file(FILE);
    let policy = [print(&binary, &["apply"])];
    let rollback = [print(&binary, &["apply", "--rollback-to", "policy/Earlier"])];
    let any = [print(&binary, &["apply", "--any-principal"])];
    let is_allowed = |call: &Call| [&policy, &rollback, &any].map(|policy| allow(policy, call));
    for (call, expected) in [
        (put("user/alice", "Developer"), [true, true, true]),
        (put("user/a/b/alice", "Developer"), [true, true, true]),
        (put("user/carol", "Developer"), [false, false, true]),
        (put("user/xalice", "Developer"), [false, false, true]),
        (put("user/alice", "Unused"), [false, false, false]),
        (put("user/alice", "Earlier"), [false, true, false]),
        // Only roles get this one.
        (put("user/alice", "Deployer"), [false, false, false]),
        (put("role/ci/svc-a", "Deployer"), [true, true, true]),
        (put("role/ci/eu/svc-a", "Deployer"), [true, true, true]),
        (put("role/ci/a-svc-a", "Deployer"), [false, false, true]),
        (put("role/svc-a", "Deployer"), [false, false, true]),
        (put("user/break-glass-1", "Developer"), [false, false, false]),
        (put("user/x/break-glass-2", "Developer"), [false, false, false]),
        (put("user/bob", "Earlier"), [false, true, false]),
        (delete("user/bob", "Any"), [true, true, true]),
        (delete("user/alice", "Developer"), [false, true, true]),
        (delete("user/alice", "Unused"), [false, false, true]),
        (delete("role/ci/svc-a", "Deployer"), [false, true, false]),
    ] {
        assert_eq!(is_allowed(&call), expected, "{call:?}");
    }
}

#[test]
fn a_plan_writes_nothing_and_impact_adds_only_what_it_reads() {
    let binary = Binary::with_file(FILE);
    let plan = print(&binary, &["plan"]);
    let impact = print(&binary, &["impact"]);
    assert_eq!(actions(std::slice::from_ref(&impact)), ["iam:GetPolicy", "iam:GetPolicyVersion"]);
    let other = Call::new("iam:GetPolicyVersion", &format!("{ACCOUNT}policy/Other"));
    assert!(!allow(std::slice::from_ref(&plan), &other) && allow(&[impact], &other));
    let reads = |action: &String| action.starts_with("iam:Get") || action.starts_with("iam:List");
    assert!(actions(&[plan]).iter().all(reads));
}

#[test]
fn only_with_the_option_the_policy_allows_looking_up_events_on_every_resource() {
    let binary = Binary::with_file(FILE);
    let lookup = Call::new("cloudtrail:LookupEvents", "*");
    let [plain, blame] = [&["plan"][..], &["plan", "--blame"]].map(|it| [print(&binary, it)]);
    assert_eq!([allow(&plain, &lookup), allow(&blame, &lookup)], [false, true]);
    let added: Vec<String> =
        actions(&blame).into_iter().filter(|it| !actions(&plain).contains(it)).collect();
    assert_eq!(added, ["cloudtrail:LookupEvents"]);
}

/// A file with this many users and as many boundaries.
fn many(users: usize, boundaries: usize) -> String {
    let user = |n: usize| format!("user-{n:04} = \"policy/Boundary-{:04}\"\n", n % boundaries);
    format!("[users]\n{}", (0..users).map(user).collect::<String>())
}

#[test]
fn a_policy_that_would_be_too_long_is_broader_and_says_so() {
    let broader = |users, boundaries| {
        let binary = Binary::with_file(&many(users, boundaries));
        let ran = binary.run(&["permissions", "apply"]);
        assert_eq!(ran.code, 0, "{ran}");
        let policy: Value = serde_json::from_str(&ran.out).unwrap();
        assert!(policy.to_string().len() <= 6_144, "{}", policy.to_string().len());
        let says = ran.err.lines().map(|line| {
            let (_, rest) = line.split_once("warning: the policy allows ").unwrap();
            rest.split([',', ':']).next().unwrap().to_owned()
        });
        (says.collect::<Vec<_>>(), policy)
    };
    let principals = "changes of every user or role of a kind";
    let reading = "reading every policy";
    let boundaries = "setting every policy of the same owner as a boundary";
    assert_eq!(broader(40, 1).0, [""; 0]);
    let (says, policy) = broader(500, 1);
    assert_eq!(says, [principals]);
    assert!(!allow(std::slice::from_ref(&policy), &put("user/user-0001", "Other")));
    assert!(allow(&[policy], &put("user/user-0001", "Boundary-0000")));
    assert_eq!(broader(500, 80).0, [principals, reading]);
    assert_eq!(broader(500, 200).0, [principals, reading, boundaries]);
    // What is protected cannot be left out.
    let names: Vec<String> = (0..300).map(|n| format!("\"user-{n:04}\"")).collect();
    let file = format!("[guard]\nprotected = [{}]\n{}", names.join(", "), many(1, 1));
    let ran = Binary::with_file(&file).run(&["permissions", "apply"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran}");
    assert!(ran.err.starts_with("error: the policy has "), "{ran}");
    assert!(ran.err.contains("AWS allows 6144") && ran.err.contains("help: "), "{ran}");
}

#[test]
fn the_policies_of_a_fleet_have_names_and_each_external_id_has_a_trust_policy() {
    let binary = Binary::with_file("[users]\nalice = \"policy/Developer\"\n");
    let fleet = "assume_role = \"role/ops/tool\"\nexternal_id = \"one\"\nfiles = [\"boundaries.toml\"]\n[accounts]\n\
                 a = \"111111111111\"\nb = { id = \"222222222222\", external_id = \"two\" }\n\
                 c = { id = \"333333333333\", assume_role = false }\n";
    std::fs::write(binary.folder().join("fleet.toml"), fleet).unwrap();
    let run = |arguments: &str| {
        let arguments = format!("--fleet fleet.toml permissions fleet {arguments}");
        binary.run(&arguments.split_whitespace().collect::<Vec<_>>())
    };
    let hub = "--trusted-by arn:aws:iam::999999999999:role/hub";
    let all = run(hub);
    assert_eq!(all.code, 0, "{all}");
    assert!(all.err.starts_with("note: no role is assumed in c: "), "{all}");
    let all: Value = serde_json::from_str(&all.out).unwrap();
    let names: Vec<&str> = all.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["account", "base", "trust", "trust-b"]);
    for (name, id) in [("trust", "one"), ("trust-b", "two")] {
        let statement = &all[name]["Statement"][0];
        assert_eq!(statement["Condition"]["StringEquals"]["sts:ExternalId"], id);
        assert_eq!(statement["Principal"]["AWS"], "arn:aws:iam::999999999999:role/hub");
        let only: Value = serde_json::from_str(&run(&format!("{hub} --only {name}")).out).unwrap();
        assert_eq!(only, all[name]);
    }
    let assumed = &all["base"]["Statement"][0]["Resource"];
    let roles =
        ["111111111111", "222222222222"].map(|id| format!("arn:aws:iam::{id}:role/ops/tool"));
    assert_eq!(*assumed, Value::from(roles.to_vec()));
    // The role does not change its own boundary.
    let file = "[[rules]]\nfor = \"roles\"\npath = \"*\"\nboundary = \"policy/Developer\"\n";
    std::fs::write(binary.folder().join("boundaries.toml"), file).unwrap();
    let account = [serde_json::from_str(&run("--only account").out).unwrap()];
    assert!(allow(&account, &put("role/other", "Developer")));
    assert!(!allow(&account, &put("role/ops/tool", "Developer")));
    assert!(!run("--read-only").out.contains("PermissionsBoundary"));
    let missing = run("--only trust");
    assert_eq!(missing.code, 1);
    assert!(
        missing.err.contains("no policy \"trust\"") && missing.err.contains("--trusted-by"),
        "{missing}"
    );
}

#[test]
fn the_service_control_policy_leaves_only_the_named_roles() {
    let binary = Binary::with_file("");
    let one = "arn:aws:iam::222222222222:role/ops/*";
    let policy = print(&binary, &["scp", "--except-role", "role/tool", "--except-role", one]);
    let by = |call: Call, arn: &str| denies(&policy, &call.with("aws:PrincipalArn", arn));
    for (arn, is_denied) in [
        ("arn:aws:iam::123456789012:role/tool", false),
        ("arn:aws:iam::222222222222:role/ops/x", false),
        ("arn:aws:iam::111111111111:role/ops/x", true),
        ("arn:aws:iam::123456789012:role/x/tool", true),
        ("arn:aws:iam::123456789012:user/tool", true),
        ("arn:aws:iam::123456789012:root", true),
    ] {
        for resource in ["user/alice", "role/ci"] {
            assert_eq!(by(put(resource, "A"), arn), is_denied, "{arn}");
            assert_eq!(by(delete(resource, "A"), arn), is_denied, "{arn}");
        }
        let create = Call::new("iam:CreateUser", &format!("{ACCOUNT}user/alice"));
        assert!(!by(create, arn));
    }
}

#[test]
fn jobs_are_trusted_by_their_repository_and_branch_or_environment() {
    let binary = Binary::with_file("");
    let condition = |arguments: &str| {
        let arguments = format!("{arguments} --account 123456789012");
        let policy = print(&binary, &arguments.split_whitespace().collect::<Vec<_>>());
        let statement = &policy["Statement"][0];
        assert_eq!(statement["Action"], "sts:AssumeRoleWithWebIdentity");
        let provider = statement["Principal"]["Federated"].as_str().unwrap();
        let host = provider.strip_prefix(&format!("{ACCOUNT}oidc-provider/")).unwrap();
        let keys = &statement["Condition"]["StringEquals"];
        assert_eq!(keys.as_object().unwrap().len(), 2);
        [&keys[format!("{host}:aud")], &keys[format!("{host}:sub")]].map(Value::clone)
    };
    let github = "trust-github --repository octo@1/iam@22";
    let subject = |rest: &str| Value::from(format!("repo:octo@1/iam@22:{rest}"));
    let audience = Value::from("sts.amazonaws.com");
    for (options, rest) in [
        ("--environment prod", "environment:prod"),
        ("--environment eu:prod", "environment:eu%3Aprod"),
        ("--branch release/1", "ref:refs/heads/release/1"),
        ("--pull-request", "pull_request"),
    ] {
        assert_eq!(condition(&format!("{github} {options}")), [audience.clone(), subject(rest)]);
    }
    let both = condition(&format!("{github} --environment a --branch ${{x}} --audience b"));
    let subjects = Value::from(vec![subject("environment:a"), subject("ref:refs/heads/${$}{x}")]);
    assert_eq!(both, ["b".into(), subjects]);
    let gitlab = "trust-gitlab --project a/b/c";
    let subject = |rest: &str| Value::from(format!("project_path:a/b/c:ref_type:{rest}"));
    let branch = condition(&format!("{gitlab} --branch main"));
    assert_eq!(branch, ["https://gitlab.com".into(), subject("branch:ref:main")]);
    let tag = condition(&format!("{gitlab} --tag v1 --host git.example.com:8443"));
    assert_eq!(tag, ["https://git.example.com:8443".into(), subject("tag:ref:v1")]);
    let named =
        "permissions trust-github --account 123456789012 --branch main --repository octo/iam";
    let named = binary.run(&named.split(' ').collect::<Vec<_>>());
    assert!(
        named.code == 0 && named.err.starts_with("note: ") && named.err.contains("OWNER@ID"),
        "{named}"
    );
}

#[test]
fn a_command_without_what_it_needs_says_what_to_do() {
    let binary =
        Binary::with_file("[account]\nid = \"123456789012\"\n[unlisted]\nusers = \"ignore\"\n");
    for (arguments, message, help) in [
        ("permissions plan", "makes no calls that need permissions", "add users, roles or rules"),
        (
            "--account 999999999999 permissions plan",
            "wrong account: --account is 999999999999",
            "omit --account",
        ),
        ("--fleet fleet.toml permissions apply", "--fleet cannot be used", "run permissions fleet"),
        ("permissions fleet", "needs a fleet file", "--fleet FILE"),
        ("permissions trust-gitlab --project a/b --branch c", "needs the account", "--account ID"),
        ("-f x.toml permissions scp --except-role role/a", "-f x.toml cannot be used", "omit it"),
        (
            "--region mars-1 permissions scp --except-role role/a",
            "no partition has a region",
            "eu-central-1",
        ),
        ("permissions scp --except-role role/*", "matches every role", ""),
        ("permissions scp", "--except-role <ROLE>", ""),
        ("permissions trust-github --repository a/b", "--environment <NAME>", ""),
        ("permissions trust-github --repository a/* --branch c", "a repository is OWNER/NAME", ""),
        ("permissions apply --rollback-to Developer", "invalid value 'Developer'", ""),
    ] {
        let ran = binary.run(&arguments.split(' ').collect::<Vec<_>>());
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{arguments}: {ran}");
        assert!(ran.err.contains(message) && ran.err.contains(help), "{arguments}: {ran}");
    }
}

#[test]
fn the_partition_is_that_of_the_files_or_of_the_region() {
    let resource = |file: &str, region: &str| {
        let policy = print(&Binary::with_file(file), &["--region", region, "plan"]);
        policy["Statement"][1]["Resource"].as_str().unwrap().to_owned()
    };
    let relative = "[users]\na = \"policy/A\"\n";
    assert_eq!(resource(relative, "eu-central-1"), "arn:aws:iam::*:user/*");
    assert_eq!(resource(relative, "cn-north-1"), "arn:aws-cn:iam::*:user/*");
    let absolute = "[users]\na = \"arn:aws-us-gov:iam::123456789012:policy/A\"\n";
    assert_eq!(resource(absolute, "cn-north-1"), "arn:aws-us-gov:iam::123456789012:user/*");
}

/// Every identity-based policy and service control policy of a file with all features.
fn every_policy() -> Vec<Value> {
    let guards = "[guard]\nprotected = [\"x\"]\nprotected_roles = [\"y-*\"]\n";
    let file = FILE.replace("[guard]\nprotected = [\"break-glass-*\"]\n", guards);
    let binary = Binary::with_file(&file);
    let all = format!("{file}[unlisted]\nroles = \"warn\"\n")
        .replace("[guard]\n", "[guard]\nwidening = \"refuse\"\ntaking_used = \"30d\"\n");
    let fleet = "assume_role = \"role/tool\"\nfiles = [\"fleet-file.toml\"]\n[accounts]\na = \"111111111111\"\n\
                 [organization]\nunits = [\"r-ab12\"]\n";
    let files = [
        ("all.toml", &*all),
        ("fleet.toml", fleet),
        ("fleet-file.toml", "[users]\na = \"policy/A\"\n"),
    ];
    for (name, text) in files {
        std::fs::write(binary.folder().join(name), text).unwrap();
    }
    let mut policies: Vec<Value> = [
        "plan",
        "apply --rollback-to policy/Earlier",
        "impact --last-used",
        "-f all.toml plan",
        "scp --except-role role/a",
        "--fleet fleet.toml fleet --only base",
        "--fleet fleet.toml fleet --only account",
    ]
    .iter()
    .map(|arguments| print(&binary, &arguments.split(' ').collect::<Vec<_>>()))
    .collect();
    policies.push(print(&Binary::with_own_file(), &["apply", "--rollback"]));
    policies
}

#[test]
fn every_action_exists_and_is_documented() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/permissions.md"))
        .unwrap();
    let known = Actions::of([]);
    let known = (0..known.len()).map(|n| known.get(n));
    let known: BTreeSet<String> =
        known.map(|it| format!("{}:{}", it.service(), it.operation())).collect();
    for action in actions(&every_policy()) {
        assert!(known.contains(&action), "{action}");
        assert!(page.contains(&format!("`{action}`")), "{action}");
    }
}

#[test]
fn parliament_finds_no_error_in_the_policies() {
    let install = "pip install parliament";
    for policy in every_policy() {
        let Some(mut parliament) = program("parliament", install) else { return };
        let json = format!("{policy:#}");
        let ran =
            parliament.args(["--json", "--string", &json]).stdin(Stdio::null()).output().unwrap();
        let findings = String::from_utf8(ran.stdout).unwrap();
        let has_run = ran.status.success() || !findings.is_empty();
        assert!(has_run, "{}", String::from_utf8_lossy(&ran.stderr));
        let findings = findings.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let unexpected: Vec<Value> = findings.filter(|it| !is_false_alarm(it)).collect();
        assert!(unexpected.is_empty(), "{unexpected:#?}\n{policy:#}");
    }
}

/// Findings that are not errors: what parliament does not know.
fn is_false_alarm(finding: &Value) -> bool {
    match finding["issue"].as_str().unwrap() {
        // The account of the policies of AWS is `aws`.
        "INVALID_ARN" => {
            finding["location"]["string"].as_str().unwrap().starts_with("arn:aws:iam::aws:policy/")
        }
        // AWS documents the operators for texts for `iam:PermissionsBoundary`, and they compare ARNs, too.
        "MISMATCHED_TYPE_BUT_USABLE" => true,
        // A report is about one user, role, group or policy. parliament requires a resource of each type.
        "RESOURCE_MISMATCH" => {
            let details = finding["detail"].as_array().unwrap();
            details.iter().all(|it| it["action"] == "iam:GenerateServiceLastAccessedDetails")
        }
        _ => false,
    }
}

#[test]
fn the_command_connects_to_nothing() {
    let binary = Binary::with_file(FILE).env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let mut command: Command = binary.command(&["permissions", "apply"]);
    assert!(command.output().unwrap().status.success());
}

#[test]
fn a_file_with_a_role_says_for_whom_the_policy_is() {
    let with_role = FILE.replacen("[account]\n", "[account]\nassume_role = \"role/it\"\n", 1);
    for command in ["plan", "apply"] {
        let without = Binary::with_file(FILE).run(&["permissions", command]);
        let ran = Binary::with_file(&with_role).run(&["permissions", command]);
        assert_eq!((ran.code, &ran.out), (0, &without.out), "{ran}");
        assert!(
            ran.err.starts_with("note: the policy is for role/it, which the files name"),
            "{ran}"
        );
        assert!(ran.err.contains("sts:AssumeRole") && without.err.is_empty(), "{ran}");
    }
}
