//! A repository on a forge, as far as the examples' scripts can see it.

use std::cell::RefCell;
use std::path::Path;
use std::process::{Command, Stdio};

use libtest_mimic::Failed;
use serde_json::{Value, json};

use super::support::{self, Binary, Ran, Served};
use super::{GITHUB, GITLAB, yaml};

/// A job of the examples.
#[derive(Clone, Copy)]
pub enum Job {
    Plan,
    Comment,
    Apply,
    Drift,
}

/// A folder with a git repository in it, an IAM of its own, and a forge in files.
pub struct Forge {
    pub name: &'static str,
    binary: Binary,
    iam: Served,
    /// What earlier steps and jobs have given: the expressions and what they stand for.
    outputs: RefCell<Vec<(String, String)>>,
}

/// The commit that is merged.
const MERGED: &str = "mergedsha";

impl Forge {
    pub fn new(name: &'static str) -> Forge {
        let binary =
            Binary::with_file("[users]\nalice = \"arn:aws:iam::123456789012:policy/Developer\"\n");
        let forge = Forge {
            name,
            binary,
            iam: support::serve(&["--port", "0"]),
            outputs: RefCell::default(),
        };
        std::fs::create_dir_all(forge.path("forge/artifacts")).unwrap();
        for file in ["comments", "pulls"] {
            forge.write(&format!("forge/{file}.json"), "[]");
        }
        forge.write("forge/pull.json", &json!({ "head": { "sha": "headsha" } }).to_string());
        forge.write("forge/runs.json", &json!({ "workflow_runs": [] }).to_string());
        for arguments in
            [&["init", "-q"][..], &["add", "boundaries.toml"], &["commit", "-qm", "base"]]
        {
            forge.git(arguments);
        }
        forge
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

    /// A pull request's file, checked out as CI does: one commit on top of the base.
    pub fn propose(&self, file: &str) {
        self.write("boundaries.toml", file);
        let base = self.git(&["rev-list", "--max-parents=0", "HEAD"]);
        self.git(&["reset", "-q", "--soft", &base]);
        self.git(&["commit", "-qam", "proposed"]);
    }

    /// The pull request 7 becomes the merged commit, and the artifacts of its run are kept.
    pub fn merge(&self) {
        let merged = match self.name {
            "github" => {
                json!([{ "number": 7, "merged_at": "2026-11-24", "merge_commit_sha": MERGED }])
            }
            _ => json!([{ "iid": 7, "state": "merged", "merge_commit_sha": MERGED }]),
        };
        self.write("forge/pulls.json", &merged.to_string());
        self.write("forge/runs.json", &json!({ "workflow_runs": [{ "id": 99 }] }).to_string());
        self.keep_plan(&self.read("plan.json"));
        // What is merged is checked out anew, with nothing beside it.
        for file in ["plan.json", "plan.md"] {
            std::fs::remove_file(self.path(file)).unwrap();
        }
    }

    fn kept(&self) -> &'static str {
        if self.name == "github" {
            "forge/artifacts/99/plan-7/plan.json"
        } else {
            "forge/artifacts/plan.json"
        }
    }

    pub fn keep_plan(&self, plan: &str) {
        std::fs::create_dir_all(self.path(self.kept()).parent().unwrap()).unwrap();
        self.write(self.kept(), plan);
    }

    /// Takes the kept artifact away, and gives it to `check`.
    pub fn put_aside_the_kept_plan(
        &self,
        check: impl FnOnce(&str) -> Result<(), Failed>,
    ) -> Result<(), Failed> {
        let kept = self.read(self.kept());
        let kept_path = self.path(self.kept());
        std::fs::remove_file(&kept_path)?;
        if self.name == "github" {
            std::fs::remove_dir(kept_path.parent().unwrap())?;
        }
        check(&kept)
    }

    pub fn comments(&self) -> Vec<String> {
        let comments: Vec<Value> = serde_json::from_str(&self.read("forge/comments.json")).unwrap();
        comments.iter().map(|comment| comment["body"].as_str().unwrap().to_owned()).collect()
    }

    pub fn comment_of_someone_else(&self, body: &str) {
        let comment = json!([{ "id": 1, "user": { "login": "mallory" }, "author": { "id": 1 }, "body": body }]);
        self.write("forge/comments.json", &comment.to_string());
    }

    pub fn digest(&self) -> String {
        let plan: Value = serde_json::from_str(&self.read("plan.json")).unwrap();
        plan["digest"].as_str().unwrap().to_owned()
    }

    /// The line by which a comment is known again.
    pub fn marker(&self) -> String {
        self.read("plan.md").lines().next().unwrap().to_owned()
    }

    /// What the file would change now.
    pub fn live_plan(&self) -> Value {
        let plan = self.tool(&["plan", "--format", "json"]);
        serde_json::from_str(&plan.out).unwrap_or_else(|error| panic!("{error}: {plan}"))
    }

    pub fn change_boundary(&self, user: &str, arn: &str) {
        self.write("other.toml", &format!("[users]\n{user} = \"{arn}\"\n"));
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

    /// Runs the scripts of a job one after the other, as the forge would, and gives what the last gave.
    pub fn run(&self, job: Job) -> Result<Ran, Failed> {
        let name = match job {
            Job::Plan => "plan",
            Job::Comment => "comment",
            Job::Apply => "apply",
            Job::Drift => "drift",
        };
        if self.name == "github" { self.run_github(name) } else { self.run_gitlab(name) }
    }

    fn run_github(&self, job: &str) -> Result<Ran, Failed> {
        let workflow = yaml(GITHUB);
        let code = "${{ steps.plan.outputs.code }}";
        if job == "comment" && !self.outputs.borrow().iter().any(|(output, _)| output == code) {
            return Err("the job plan gave no code, so this job would not run".into());
        }
        let mut last = None;
        for step in workflow["jobs"][job]["steps"].as_array().ok_or("no steps")? {
            // The tool is on the path already.
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
                ("GITHUB_REPOSITORY".to_owned(), "org/repo".to_owned()),
                ("GITHUB_SHA".to_owned(), MERGED.to_owned()),
            ];
            for env in [&workflow["env"], &step["env"]] {
                for (name, value) in env.as_object().into_iter().flatten() {
                    variables.push((name.clone(), self.expanded(value)?));
                }
            }
            let ran = self.bash(script, &variables)?;
            for line in self.read("forge/output").lines() {
                let (name, value) = line.split_once('=').ok_or("an output without a value")?;
                let id = step["id"].as_str().ok_or("a step with outputs has an id")?;
                let expression = format!("${{{{ steps.{id}.outputs.{name} }}}}");
                self.outputs.borrow_mut().push((expression, value.to_owned()));
            }
            if ran.code != 0 {
                return Ok(ran);
            }
            last = Some(ran);
        }
        Ok(last.ok_or("the job has no script")?)
    }

    /// A variable's value, with the expressions in it that these tests know.
    fn expanded(&self, value: &Value) -> Result<String, Failed> {
        let mut text = value.as_str().ok_or("a variable is text")?.to_owned();
        let known =
            [("${{ github.token }}", "token"), ("${{ github.event.pull_request.number }}", "7")];
        for (expression, value) in known {
            text = text.replace(expression, value);
        }
        for (expression, value) in self.outputs.borrow().iter().rev() {
            text = text.replace(expression, value);
        }
        if text.contains("${{") {
            Err(format!("unknown expression: {text}").into())
        } else {
            Ok(text)
        }
    }

    fn run_gitlab(&self, job: &str) -> Result<Ran, Failed> {
        let pipeline = yaml(GITLAB);
        let mut variables: Vec<(String, String)> = [
            ("CI_API_V4_URL", "https://gitlab.test/api/v4"),
            ("CI_PROJECT_ID", "5"),
            ("CI_MERGE_REQUEST_IID", "7"),
            ("CI_COMMIT_SHA", MERGED),
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

    /// As both forges run bash: an error ends the script, in a pipe, too.
    fn bash(&self, script: &str, variables: &[(String, String)]) -> Result<Ran, Failed> {
        // The stand-ins for gh and curl, and the tool, before all else.
        let stand_ins = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ci");
        let tool = Path::new(env!("CARGO_BIN_EXE_iam-boundaries")).parent().ok_or("no folder")?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = [stand_ins.as_path(), tool].map(Path::to_owned);
        let path = std::env::join_paths(folders.into_iter().chain(std::env::split_paths(&path)))?;
        let output = Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
            .current_dir(self.binary.folder())
            .env_clear()
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .envs(self.aws())
            .env("PATH", path)
            .env("HOME", self.binary.folder())
            .env("FORGE", self.path("forge"))
            .stdin(Stdio::null())
            .output()?;
        Ok(Ran::of(output))
    }
}

impl Ran {
    /// The run, if it ended with this exit code.
    pub fn ends(self, code: i32) -> Result<Ran, Failed> {
        if self.code == code { Ok(self) } else { Err(format!("not {code}, but {self}").into()) }
    }
}
