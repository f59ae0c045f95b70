//! The examples of a fleet on several machines: lints, least privilege, and their scripts run against the sandbox, one
//! shard after the other.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use iam_boundaries::sandbox::Fault;
use serde_json::{Value, json};

use crate::forge::yaml;
use crate::support::Ran;
use crate::support::fixture::run;
use crate::support::fleet::FleetFixture;
use crate::support::tools::{self, program};

const GITHUB: &str = "examples/fleet/github.yml";
const GITLAB: &str = "examples/fleet/gitlab-ci.yml";
const KUBERNETES: &str = "examples/fleet/kubernetes.yaml";
/// The number of shards in the examples.
const SHARDS: usize = 4;

#[test]
fn actionlint_finds_nothing() {
    tools::actionlint(GITHUB);
}

#[test]
fn zizmor_finds_nothing() {
    tools::zizmor(GITHUB);
}

#[test]
fn check_jsonschema_finds_nothing() {
    tools::check_pipeline(GITLAB);
}

#[test]
fn kubernetes_validate_finds_nothing() {
    tools::kubernetes_validate(KUBERNETES);
}

#[test]
fn shellcheck_finds_nothing_in_any_script() {
    let github = yaml(GITHUB)["jobs"].clone();
    let github = github.as_object().unwrap().keys().flat_map(|job| github_scripts(job));
    let gitlab = ["plan", "merge", "apply", "merge-runs"].map(gitlab_script);
    let kubernetes = jobs().into_iter().map(|(_, job)| script_of(&container(&job)));
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    let bash = github.map(|(_, script)| script).chain(gitlab).map(|script| ("bash", script));
    for (shell, script) in bash.chain(kubernetes.map(|script| ("sh", script))) {
        let file = folder.path().join(format!("{}.{shell}", files.len()));
        std::fs::write(&file, format!("#!/bin/{shell}\nset -eu\n{script}\n")).unwrap();
        files.push(file.display().to_string());
    }
    assert_eq!(files.len(), 18, "{files:?}");
    tools::shellcheck(&files);
}

#[test]
fn every_example_has_the_same_number_of_shards_everywhere() {
    let (github, gitlab) = (yaml(GITHUB), yaml(GITLAB));
    assert_eq!(github["env"]["SHARDS"], SHARDS.to_string());
    for job in ["plan", "apply"] {
        let all: Vec<usize> = (1..=SHARDS).collect();
        let strategy = &github["jobs"][job]["strategy"];
        assert_eq!(strategy, &json!({ "fail-fast": false, "matrix": { "shard": all } }));
        assert_eq!(gitlab[job]["parallel"], json!(SHARDS));
    }
    let indexed: Vec<Value> = jobs()
        .into_iter()
        .filter_map(|(_, job)| (job["completionMode"] == "Indexed").then_some(job))
        .collect();
    assert_eq!(indexed.len(), 2);
    for job in indexed {
        assert_eq!((&job["completions"], &job["parallelism"]), (&json!(SHARDS), &json!(SHARDS)));
        assert_eq!(variables(&container(&job))["SHARDS"], SHARDS.to_string());
    }
}

#[test]
fn each_job_has_the_permissions_that_it_needs_and_no_other() {
    let workflow = yaml(GITHUB);
    let mut granted = json!({ "": workflow["permissions"] });
    for (name, job) in workflow["jobs"].as_object().unwrap() {
        granted[name] = job["permissions"].clone();
    }
    let aws = json!({ "contents": "read", "id-token": "write" });
    let expected = json!({
        "": {},
        "plan": aws,
        "merge": {},
        "comment": { "pull-requests": "write" },
        "apply": aws,
        "merge-runs": {},
    });
    assert_eq!(granted, expected);
    assert_eq!(workflow["jobs"]["apply"]["environment"], "aws");
    for (job, role) in [("plan", "PLAN"), ("apply", "APPLY")] {
        let (github, gitlab) = (workflow["jobs"][job].to_string(), yaml(GITLAB)[job].to_string());
        assert!(github.contains(&format!("${{{{ vars.{role}_ROLE_ARN }}}}")), "{github}");
        assert!(gitlab.contains(&format!("${role}_ROLE_ARN")), "{gitlab}");
    }
    for (job, of) in workflow["jobs"].as_object().unwrap() {
        for step in of["steps"].as_array().unwrap() {
            assert!(!step["run"].to_string().contains("${{"), "{job}: {step}");
            let pin = step["uses"].as_str().map_or("", |uses| uses.split_once('@').unwrap().1);
            let is_commit = pin.len() == 40 && pin.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(step["uses"].is_null() || is_commit, "{job}: {step}");
        }
    }
}

#[test]
fn every_pod_runs_without_privileges_and_without_a_writable_root() {
    let jobs = jobs();
    assert_eq!(jobs.len(), 4);
    for (name, job) in jobs {
        let pod = &job["template"]["spec"];
        let of_pod = &pod["securityContext"];
        assert_eq!(of_pod["runAsNonRoot"], json!(true), "{name}");
        assert_ne!(of_pod["runAsUser"], json!(0), "{name}");
        assert_eq!(of_pod["seccompProfile"]["type"], "RuntimeDefault", "{name}");
        let expected = json!({
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": { "drop": ["ALL"] },
        });
        assert_eq!(container(&job)["securityContext"], expected, "{name}");
        assert_eq!(pod["serviceAccountName"], "iam-boundaries", "{name}");
        assert_eq!(pod["automountServiceAccountToken"], json!(false), "{name}");
    }
}

/// The scripts of a job of the workflow, with the names of their steps.
fn github_scripts(job: &str) -> Vec<(String, String)> {
    let steps = yaml(GITHUB)["jobs"][job]["steps"].clone();
    let steps = steps.as_array().unwrap().iter();
    steps
        .filter_map(|step| {
            Some((step["name"].as_str()?.to_owned(), step["run"].as_str()?.to_owned()))
        })
        .collect()
}

fn github_script(job: &str, step: &str) -> String {
    let scripts = github_scripts(job);
    scripts.into_iter().find(|(name, _)| name == step).expect("there is such a step").1
}

fn gitlab_script(job: &str) -> String {
    let lines = yaml(GITLAB)[job]["script"].clone();
    let lines = lines.as_array().unwrap().iter();
    lines.map(|line| line.as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

/// The Jobs, and those that the CronJobs create, with their names.
fn jobs() -> Vec<(String, Value)> {
    let text = std::fs::read_to_string(KUBERNETES).unwrap();
    let objects = text.split("\n---\n").map(|text| serde_saphyr::from_str::<Value>(text).unwrap());
    let job = |object: Value| {
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        match object["kind"].as_str().unwrap() {
            "Job" => Some((name, object["spec"].clone())),
            "CronJob" => Some((name, object["spec"]["jobTemplate"]["spec"].clone())),
            _ => None,
        }
    };
    objects.filter_map(job).collect()
}

fn container(job: &Value) -> Value {
    let containers = job["template"]["spec"]["containers"].as_array().unwrap();
    assert_eq!(containers.len(), 1);
    containers[0].clone()
}

fn script_of(container: &Value) -> String {
    assert_eq!(container["command"], json!(["/bin/sh", "-euc"]));
    container["args"][0].as_str().unwrap().to_owned()
}

fn variables(container: &Value) -> Value {
    let variables = container["env"].as_array().cloned().unwrap_or_default();
    variables
        .into_iter()
        .map(|it| (it["name"].as_str().unwrap().to_owned(), it["value"].clone()))
        .collect()
}

/// A fleet of 9 accounts, each with 5 users, and the directory in which the scripts run.
struct Machines {
    fleet: FleetFixture,
}

impl Machines {
    async fn start() -> Option<Machines> {
        program("bash", "apt-get install bash")?;
        let fleet = FleetFixture::accounts(9).start().await;
        for folder in ["fleet", "shards"] {
            std::fs::create_dir(fleet.folder().join(folder)).unwrap();
        }
        for file in ["fleet.toml", "baseline.toml"] {
            fleet.write(&format!("fleet/{file}"), &fleet.read(file));
        }
        Some(Machines { fleet })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.fleet.folder().join(name)
    }

    /// Runs a script with the options of GitHub and GitLab.
    async fn bash(&self, script: &str, variables: &[(&str, &str)]) -> Ran {
        self.shell(&["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"], script, variables)
            .await
    }

    async fn shell(&self, shell: &[&str], script: &str, variables: &[(&str, &str)]) -> Ran {
        let tool = PathBuf::from(env!("CARGO_BIN_EXE_iam-boundaries"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = [tool.parent().unwrap().to_owned()];
        let folders = folders.into_iter().chain(std::env::split_paths(&path));
        let mut command = Command::new(shell[0]);
        command
            .args(&shell[1..])
            .arg(script)
            .current_dir(self.fleet.folder())
            .env_clear()
            .env("HOME", self.fleet.folder())
            .env("PATH", std::env::join_paths(folders).unwrap())
            .env("AWS_ACCESS_KEY_ID", "any")
            .env("AWS_SECRET_ACCESS_KEY", "any")
            .env("AWS_ENDPOINT_URL", self.fleet.sandbox.endpoint_url())
            .env("FLEET", "fleet/fleet.toml")
            .envs(variables.iter().copied());
        run(command).await
    }

    /// Moves what a machine saved to where the job that merges finds it.
    fn collect(&self, file: &str) {
        std::fs::rename(self.path(file), self.path("shards").join(file)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_github_workflow_plans_merges_applies_and_merges_again() {
    let Some(machines) = Machines::start().await else { return };
    let summary = machines.path("summary").display().to_string();
    let output = machines.path("output").display().to_string();
    let files = [("GITHUB_STEP_SUMMARY", summary.as_str()), ("GITHUB_OUTPUT", output.as_str())];
    for shard in 1..=SHARDS {
        let shard = shard.to_string();
        let variables = [("SHARD", shard.as_str()), ("SHARDS", "4")];
        let ran = machines.bash(&github_script("plan", "Plan"), &variables).await;
        assert_eq!(ran.code, 0, "{ran}");
        machines.collect(&format!("plan-{shard}.json"));
    }
    let merge = github_script("merge", "Merge");
    let ran = machines.bash(&merge, &files).await;
    assert_eq!((ran.code, machines.fleet.read("output").as_str()), (0, "code=0\n"), "{ran}");
    let comment = machines.fleet.read("fleet-plan.md");
    assert!(comment.contains("18 changes in 9 accounts"), "{comment}");
    assert!(machines.fleet.read("summary").contains(&comment));
    assert!(machines.fleet.read("report.html").contains("18 changes in 9 accounts"));

    // The plan of a shard is missing: the comment is made, and the job fails.
    std::fs::rename(machines.path("shards/plan-3.json"), machines.path("plan-3.json")).unwrap();
    std::fs::remove_file(machines.path("output")).unwrap();
    let ran = machines.bash(&merge, &files).await;
    assert_eq!((ran.code, machines.fleet.read("output").as_str()), (0, "code=3\n"), "{ran}");
    assert!(machines.fleet.read("fleet-plan.md").contains("`shard 3/4`: nothing is known"));
    let fail = github_script("merge", "Fail if a shard is missing or something cannot be planned");
    assert_eq!(machines.bash(&fail, &[("CODE", "3")]).await.code, 3);
    assert_eq!(machines.fleet.all_writes(), 0);

    for shard in 1..=SHARDS {
        let shard = shard.to_string();
        let variables = [("SHARD", shard.as_str()), ("SHARDS", "4")];
        let ran = machines.bash(&github_script("apply", "Apply"), &variables).await;
        assert_eq!(ran.code, 0, "{ran}");
        machines.collect(&format!("report-{shard}.jsonl"));
    }
    let journals =
        (1..=SHARDS).filter(|shard| machines.path(&format!("journals-{shard}")).is_dir());
    assert!(journals.count() > 1);
    machines.fleet.check(|n| machines.fleet.all_with(n, "Developer")).await;
    let merge = github_script("merge-runs", "Merge");
    assert_eq!(machines.bash(&merge, &files).await.code, 0);
    assert!(machines.fleet.read("summary").contains("18 applied; 9 of 9 accounts complete"));
    std::fs::write(machines.path("shards/report-2.jsonl"), "").unwrap();
    let ran = machines.bash(&merge, &files).await;
    assert_eq!(ran.code, 3, "{ran}");
    assert!(machines.fleet.read("summary").contains("`shard 2/4`: no report"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gitlab_pipeline_plans_merges_applies_and_merges_again() {
    let Some(machines) = Machines::start().await else { return };
    machines.fleet.inject(4, "AssumeRole", Fault::access_denied());
    let node = |index: usize| {
        [("CI_NODE_INDEX", index.to_string()), ("CI_NODE_TOTAL", SHARDS.to_string())]
    };
    let mut codes = BTreeSet::new();
    for job in ["plan", "apply"] {
        for shard in 1..=SHARDS {
            let variables = node(shard);
            let variables = [0, 1].map(|n| (variables[n].0, variables[n].1.as_str()));
            let ran = machines.bash(&gitlab_script(job), &variables).await;
            codes.insert((job, ran.code));
        }
    }
    // A shard with a problem saves its plan, and its run fails.
    assert_eq!(codes, [("plan", 0), ("apply", 0), ("apply", 3)].into());
    let ran = machines.bash(&gitlab_script("merge"), &[]).await;
    assert_eq!(ran.code, 3, "{ran}");
    let html = machines.fleet.read("report.html");
    assert!(ran.out.contains("1 account cannot be planned") && html.contains("acct-004"), "{ran}");
    assert!(machines.fleet.read("fleet-plan.md").contains("16 changes in 8 accounts"));
    let ran = machines.bash(&gitlab_script("merge-runs"), &[]).await;
    assert_eq!(ran.code, 3, "{ran}");
    assert!(ran.out.contains("Incomplete: 16 applied; 8 of 9 accounts complete"), "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kubernetes_jobs_apply_merge_and_find_drift() {
    let Some(machines) = Machines::start().await else { return };
    let runs = machines.path("runs");
    std::fs::create_dir(&runs).unwrap();
    let local = |text: &str| {
        let text = text.replace("/runs", &runs.display().to_string());
        text.replace("/fleet/", &format!("{}/", machines.path("fleet").display()))
            .replace("RUN_NAME", "4f2a")
    };
    let pod = async |name: &str, index: usize| {
        let found = jobs().into_iter().find(|(it, _)| it == name);
        let container = container(&found.unwrap_or_else(|| panic!("there is no {name}")).1);
        let mut variables = vec![("JOB_COMPLETION_INDEX".to_owned(), index.to_string())];
        for (name, value) in variables_of(&container) {
            variables.push((name, local(&value)));
        }
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        machines.shell(&["/bin/sh", "-euc"], &local(&script_of(&container)), &variables).await
    };
    for index in 0..SHARDS {
        assert_eq!(pod("iam-boundaries-drift", index).await.code, 0);
    }
    let ran = pod("iam-boundaries-drift-merge", 0).await;
    assert!(ran.code == 2 && ran.out.contains("in 9 of 9 accounts"), "{ran}");
    for index in 0..SHARDS {
        let ran = pod("iam-boundaries-apply-RUN_NAME", index).await;
        assert_eq!(ran.code, 0, "{ran}");
    }
    let ran = pod("iam-boundaries-merge-RUN_NAME", 0).await;
    assert!(ran.code == 0 && ran.out.contains("18 applied; 9 of 9 accounts complete"), "{ran}");
    machines.fleet.check(|n| machines.fleet.all_with(n, "Developer")).await;
    assert!(runs.join("state-0/iam-boundaries/fleets").is_dir());
    std::fs::remove_file(runs.join("4f2a/report-3.jsonl")).unwrap();
    let ran = pod("iam-boundaries-merge-RUN_NAME", 0).await;
    assert!(ran.code == 3 && ran.out.contains("shard 4/4: no report"), "{ran}");
    for index in 1..SHARDS {
        assert_eq!(pod("iam-boundaries-drift", index).await.code, 0);
    }
    let ran = pod("iam-boundaries-drift-merge", 0).await;
    // The plan of the first shard is that of the first time: it is still there.
    assert_eq!(ran.code, 2, "{ran}");
    assert_eq!(pod("iam-boundaries-drift", 0).await.code, 0);
    let ran = pod("iam-boundaries-drift-merge", 0).await;
    assert_eq!(ran.code, 0, "{ran}");
}

fn variables_of(container: &Value) -> Vec<(String, String)> {
    let variables = variables(container);
    let variables = variables.as_object().unwrap().iter();
    variables.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policies_allow_what_a_run_on_a_fleet_calls() {
    let fleet = FleetFixture::accounts(3).start().await;
    assert_eq!(fleet.plan(&["--out", "plan.json"]).await.code, 0);
    assert_eq!(fleet.run(&["apply", "plan.json", "-y"]).await.code, 0);
    let policy = include_str!("../../examples/fleet/policies/account-permissions.json");
    let calls = fleet.sandbox.calls();
    let of_iam: BTreeSet<&str> = calls
        .keys()
        .map(String::as_str)
        .filter(|it| !["GetCallerIdentity", "AssumeRole"].contains(it))
        .collect();
    assert!(of_iam.len() >= 5, "{of_iam:?}");
    for action in of_iam {
        assert!(policy.contains(&format!("\"iam:{action}\"")), "iam:{action} is not allowed");
    }
    let base: Value =
        serde_json::from_str(include_str!("../../examples/fleet/policies/base-permissions.json"))
            .unwrap();
    let documented = include_str!("../../docs/permissions.md");
    let statements = base["Statement"].as_array().unwrap();
    let actions = statements.iter().flat_map(|it| match &it["Action"] {
        Value::Array(actions) => actions.clone(),
        action => vec![action.clone()],
    });
    let actions: Vec<String> = actions.map(|action| action.as_str().unwrap().to_owned()).collect();
    assert_eq!(actions.len(), 4);
    for action in &actions {
        assert!(documented.contains(&format!("| `{action}` |")), "{action}");
    }
    for entry in std::fs::read_dir("examples/fleet/policies").unwrap() {
        let path = entry.unwrap().path();
        let policy: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(policy["Version"], "2012-10-17", "{path:?}");
        for statement in policy["Statement"].as_array().unwrap() {
            assert_eq!(statement["Effect"], "Allow", "{path:?}");
            assert_ne!(statement["Principal"], json!("*"), "{path:?}");
        }
    }
}
