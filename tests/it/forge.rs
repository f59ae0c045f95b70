//! Simulates GitHub and GitLab for the example scripts: a repository, comments and artifacts.

use std::cell::RefCell;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::tools::program;
use crate::support::{self, Binary, Ran, Served};

pub const GITHUB: &str = "examples/ci/github-actions.yml";
pub const GITLAB: &str = "examples/ci/gitlab-ci.yml";

pub fn yaml(file: &str) -> Value {
    let text = std::fs::read_to_string(file).expect("the example exists");
    serde_saphyr::from_str(&text).expect("the example is YAML")
}

/// A job of the examples.
#[derive(Clone, Copy)]
pub enum Job {
    Plan,
    Comment,
    Apply,
    Drift,
    DriftIssue,
}

/// An issue of the forge.
#[derive(Debug, PartialEq, Eq)]
pub struct Issue {
    pub title: String,
    pub body: String,
    pub is_open: bool,
    pub comments: Vec<String>,
}

/// A directory with a Git repository, a sandbox, and a forge that keeps its state in files.
pub struct Forge {
    name: &'static str,
    binary: Binary,
    iam: Served,
    /// The outputs of earlier steps and jobs: expressions and their values.
    outputs: RefCell<Vec<(String, String)>>,
}

/// The commit that is merged.
const MERGED: &str = "mergedsha";

impl Forge {
    /// Starts `github` or `gitlab`. Reports that the running test is skipped if a program is missing.
    pub fn start(name: &'static str) -> Option<Forge> {
        for (tool, install) in [
            ("bash", "apt-get install bash"),
            ("git", "apt-get install git"),
            ("jq", "apt-get install jq"),
        ] {
            program(tool, install)?;
        }
        let binary =
            Binary::with_file("[users]\nalice = \"arn:aws:iam::123456789012:policy/Developer\"\n");
        let forge = Forge {
            name,
            binary,
            iam: support::serve(&["--port", "0"]),
            outputs: RefCell::default(),
        };
        std::fs::create_dir_all(forge.path("forge/artifacts")).unwrap();
        for file in ["comments", "issues", "pulls"] {
            forge.write(&format!("forge/{file}.json"), "[]");
        }
        forge.write("forge/pull.json", &json!({ "head": { "sha": "headsha" } }).to_string());
        forge.write("forge/runs.json", &json!({ "workflow_runs": [] }).to_string());
        for arguments in
            [&["init", "-q"][..], &["add", "boundaries.toml"], &["commit", "-qm", "base"]]
        {
            forge.git(arguments);
        }
        Some(forge)
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.binary.folder().join(name)
    }

    pub fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path(file), text).unwrap();
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).unwrap()
    }

    fn git(&self, arguments: &[&str]) -> String {
        let identity =
            ["-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false"];
        let mut git = Command::new("git");
        git.args(identity).args(arguments).current_dir(self.binary.folder());
        let ran = Ran::of(git.output().expect("git runs"));
        assert_eq!(ran.code, 0, "{ran}");
        ran.out.trim().to_owned()
    }

    /// Checks out the file of a pull request as CI does: one commit on top of the base.
    pub fn propose(&self, file: &str) {
        self.write("boundaries.toml", file);
        let base = self.git(&["rev-list", "--max-parents=0", "HEAD"]);
        self.git(&["reset", "-q", "--soft", &base]);
        self.git(&["commit", "-qam", "proposed"]);
    }

    /// Merges pull request 7 and keeps the artifacts of its run.
    pub fn merge(&self) {
        let merged = match self.name {
            "github" => {
                json!([{ "number": 7, "merged_at": "2026-11-24", "merge_commit_sha": MERGED }])
            }
            _ => json!([{ "iid": 7, "state": "merged", "merge_commit_sha": MERGED }]),
        };
        self.write("forge/pulls.json", &merged.to_string());
        self.write("forge/runs.json", &json!({ "workflow_runs": [{ "id": 99 }] }).to_string());
        self.put_artifact(&self.read("plan.json"));
        // The job for the merged commit starts with a clean checkout.
        for file in ["plan.json", "plan.md"] {
            std::fs::remove_file(self.path(file)).unwrap();
        }
    }

    /// The path at which the forge stores the plan of the pull request.
    fn artifact(&self) -> &'static str {
        if self.name == "github" {
            "forge/artifacts/99/plan-7/plan.json"
        } else {
            "forge/artifacts/plan.json"
        }
    }

    pub fn put_artifact(&self, plan: &str) {
        std::fs::create_dir_all(self.path(self.artifact()).parent().unwrap()).unwrap();
        self.write(self.artifact(), plan);
    }

    /// Removes the artifact and returns its text.
    pub fn remove_artifact(&self) -> String {
        let text = self.read(self.artifact());
        let path = self.path(self.artifact());
        std::fs::remove_file(&path).unwrap();
        if self.name == "github" {
            std::fs::remove_dir(path.parent().unwrap()).unwrap();
        }
        text
    }

    pub fn comments(&self) -> Vec<String> {
        let comments: Vec<Value> = serde_json::from_str(&self.read("forge/comments.json")).unwrap();
        comments.iter().map(|comment| comment["body"].as_str().unwrap().to_owned()).collect()
    }

    pub fn issues(&self) -> Vec<Issue> {
        let issues: Vec<Value> = serde_json::from_str(&self.read("forge/issues.json")).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let issue = |issue: &Value| Issue {
            title: text(&issue["title"]),
            body: text(issue.get("body").unwrap_or(&issue["description"])),
            is_open: issue["state"] == "open",
            comments: issue["comments"].as_array().into_iter().flatten().map(text).collect(),
        };
        issues.iter().map(issue).collect()
    }

    pub fn comment_of_someone_else(&self, body: &str) {
        let comment = json!([{ "id": 1, "user": { "login": "mallory" }, "author": { "id": 1 }, "body": body }]);
        self.write("forge/comments.json", &comment.to_string());
    }

    pub fn digest(&self) -> String {
        let plan: Value = serde_json::from_str(&self.read("plan.json")).unwrap();
        plan["digest"].as_str().unwrap().to_owned()
    }

    /// The line that identifies the tool's comment.
    pub fn marker(&self) -> String {
        self.read("plan.md").lines().next().unwrap().to_owned()
    }

    /// A plan of the file for the current state of the sandbox.
    pub fn live_plan(&self) -> Value {
        let plan = self.tool(&["plan", "--format", "json"]);
        serde_json::from_str(&plan.out).unwrap_or_else(|error| panic!("{error}: {plan}"))
    }

    pub fn change_boundary(&self, user: &str, arn: &str) {
        self.write(
            "other.toml",
            &format!("[account]\nid = \"123456789012\"\n[users]\n{user} = \"{arn}\"\n"),
        );
        let applied = self.tool(&["-f", "other.toml", "apply", "--auto-approve"]);
        assert_eq!(applied.code, 0, "{applied}");
    }

    fn tool(&self, arguments: &[&str]) -> Ran {
        let mut command = self.binary.command(arguments);
        Ran::of(command.envs(self.aws()).output().expect("the binary runs"))
    }

    fn aws(&self) -> [(&'static str, &str); 3] {
        [
            ("AWS_ACCESS_KEY_ID", "any"),
            ("AWS_SECRET_ACCESS_KEY", "any"),
            ("AWS_ENDPOINT_URL", &self.iam.url),
        ]
    }

    /// Runs the scripts of a job in order until one fails. Returns the last run.
    pub fn run(&self, job: Job) -> Ran {
        let name = match job {
            Job::Plan => "plan",
            Job::Comment => "comment",
            Job::Apply => "apply",
            Job::Drift => "drift",
            Job::DriftIssue => "drift-issue",
        };
        if self.name == "github" { self.run_github(name) } else { self.run_gitlab(name) }
    }

    fn run_github(&self, job: &str) -> Ran {
        let workflow = yaml(GITHUB);
        let code = "${{ steps.plan.outputs.code }}";
        let has_code = self.outputs.borrow().iter().any(|(output, _)| output == code);
        assert!(
            job != "comment" || has_code,
            "without the plan's exit code, GitHub skips this job"
        );
        let mut last = None;
        for step in workflow["jobs"][job]["steps"].as_array().expect("there are steps") {
            // The tool is already on PATH.
            let Some(script) =
                step["run"].as_str().filter(|_| step["name"] != "Install iam-boundaries")
            else {
                continue;
            };
            self.write("forge/output", "");
            let mut variables = vec![
                ("GITHUB_OUTPUT".to_owned(), self.path("forge/output").display().to_string()),
                (
                    "GITHUB_STEP_SUMMARY".to_owned(),
                    self.path("forge/summary").display().to_string(),
                ),
                ("GITHUB_ACTIONS".to_owned(), "true".to_owned()),
                ("GITHUB_REPOSITORY".to_owned(), "org/repo".to_owned()),
                ("GITHUB_SHA".to_owned(), MERGED.to_owned()),
            ];
            for env in [&workflow["env"], &step["env"]] {
                for (name, value) in env.as_object().into_iter().flatten() {
                    variables.push((name.clone(), self.expanded(value)));
                }
            }
            let ran = self.bash(script, &variables);
            for line in self.read("forge/output").lines() {
                let (name, value) = line.split_once('=').expect("an output has a value");
                let id = step["id"].as_str().expect("a step with outputs has an id");
                let expression = format!("${{{{ steps.{id}.outputs.{name} }}}}");
                self.outputs.borrow_mut().push((expression.clone(), value.to_owned()));
                // The outputs of the job, for the jobs that need it.
                for (output, of) in
                    workflow["jobs"][job]["outputs"].as_object().into_iter().flatten()
                {
                    if *of == expression {
                        let expression = format!("${{{{ needs.{job}.outputs.{output} }}}}");
                        self.outputs.borrow_mut().push((expression, value.to_owned()));
                    }
                }
            }
            if ran.code != 0 {
                return ran;
            }
            last = Some(ran);
        }
        last.expect("the job has a script")
    }

    /// The value of a variable, with its expressions evaluated.
    fn expanded(&self, value: &Value) -> String {
        let mut text = value.as_str().expect("a variable is text").to_owned();
        let known = [
            ("${{ github.token }}", "token"),
            ("${{ github.event.pull_request.number }}", "7"),
            ("${{ github.server_url }}", "https://github.test"),
            ("${{ github.repository }}", "org/repo"),
            ("${{ github.run_id }}", "99"),
        ];
        for (expression, value) in known {
            text = text.replace(expression, value);
        }
        for (expression, value) in self.outputs.borrow().iter().rev() {
            text = text.replace(expression, value);
        }
        assert!(!text.contains("${{"), "unknown expression: {text}");
        text
    }

    fn run_gitlab(&self, job: &str) -> Ran {
        let pipeline = yaml(GITLAB);
        let mut variables: Vec<(String, String)> = [
            ("CI_API_V4_URL", "https://gitlab.test/api/v4"),
            ("CI_PROJECT_ID", "5"),
            ("CI_MERGE_REQUEST_IID", "7"),
            ("CI_COMMIT_SHA", MERGED),
            ("CI_PIPELINE_URL", "https://gitlab.test/org/repo/-/pipelines/99"),
            ("AWS_ID_TOKEN", "id-token"),
            ("NOTES_TOKEN", "notes-token"),
            ("PLAN_ROLE_ARN", "arn:aws:iam::123456789012:role/plan"),
            ("APPLY_ROLE_ARN", "arn:aws:iam::123456789012:role/apply"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let base = self.git(&["rev-list", "--max-parents=0", "HEAD"]);
        variables.push(("CI_MERGE_REQUEST_DIFF_BASE_SHA".to_owned(), base));
        let token = self.path("forge/aws-id-token").display().to_string();
        variables.push(("AWS_WEB_IDENTITY_TOKEN_FILE".to_owned(), token));
        let template = &pipeline[pipeline[job]["extends"].as_str().unwrap_or_default()];
        let lines = [&template["before_script"], &pipeline[job]["script"]];
        let script: Vec<&str> = lines
            .iter()
            .flat_map(|part| part.as_array().into_iter().flatten())
            .filter_map(Value::as_str)
            .collect();
        self.bash(&script.join("\n"), &variables)
    }

    /// Runs bash with the options of both forges: an error, even in a pipeline, ends the script.
    fn bash(&self, script: &str, variables: &[(String, String)]) -> Ran {
        // The stubs of gh and curl, and the tool, come first.
        let stand_ins = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ci");
        let tool = Path::new(env!("CARGO_BIN_EXE_iam-boundaries")).parent().expect("a folder");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = [stand_ins.as_path(), tool].map(Path::to_owned);
        let path = std::env::join_paths(folders.into_iter().chain(std::env::split_paths(&path)));
        let output = Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
            .current_dir(self.binary.folder())
            .env_clear()
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .envs(self.aws())
            .env("PATH", path.expect("no folder has a colon"))
            .env("HOME", self.binary.folder())
            .env("FORGE", self.path("forge"))
            .stdin(Stdio::null())
            .output();
        Ran::of(output.expect("bash runs"))
    }
}

impl Ran {
    /// Asserts the exit code.
    pub fn ends(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "{self}");
        self
    }
}
