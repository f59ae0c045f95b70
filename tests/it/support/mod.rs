//! Runs the binary like a user.
#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod fixture;
pub mod fleet;
pub mod html;
pub mod http;
pub mod kept;
pub mod plans;
pub mod policy;
pub mod query;
pub mod recorder;
pub mod run;
pub mod sdk;
pub mod tampered;
#[cfg(unix)]
pub mod terminal;
pub mod tools;

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// The binary in its own directory, with only the environment variables that the test sets.
pub struct Binary {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// The result of a run.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Binary {
    /// Uses this `boundaries.toml`.
    pub fn with_file(text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("boundaries.toml"), text).expect("the file is written");
        Binary { folder, variables: Vec::new() }
    }

    /// Uses the `boundaries.toml` of the project.
    pub fn with_own_file() -> Self {
        Self::with_file(include_str!("../../../boundaries.toml"))
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The value of an environment variable that the test sets.
    pub fn variable(&self, name: &str) -> &str {
        let found = self.variables.iter().find(|(variable, _)| variable == name);
        &found.unwrap_or_else(|| panic!("{name} is not set")).1
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_iam-boundaries"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().expect("the binary runs"))
    }
}

impl Ran {
    pub fn of(output: Output) -> Self {
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).expect("output is UTF-8"),
            err: String::from_utf8(output.stderr).expect("output is UTF-8"),
        }
    }

    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        self.out
            .lines()
            .map(|line| serde_json::from_str(line).expect("each line is JSON"))
            .collect()
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit code {}\n{}\n{}", self.code, self.out, self.err)
    }
}

/// A running `sandbox serve`, which ends on drop.
pub struct Served {
    pub url: String,
    process: Child,
}

pub fn serve(arguments: &[&str]) -> Served {
    let mut process = Command::new(env!("CARGO_BIN_EXE_iam-boundaries"))
        .args(["sandbox", "serve"])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the sandbox starts");
    let mut line = String::new();
    let out = process.stdout.take().expect("its output is piped");
    BufReader::new(out).read_line(&mut line).expect("it says where it is");
    let url = line.split_whitespace().last().expect("it says where it is").to_owned();
    Served { url, process }
}

impl Served {
    /// Interrupts the process like Ctrl-C. Returns its standard error.
    #[cfg(unix)]
    pub fn interrupt(mut self) -> String {
        let killed = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status();
        assert!(killed.expect("kill runs").success());
        let mut written = String::new();
        let mut err = self.process.stderr.take().expect("it is piped");
        err.read_to_string(&mut written).expect("it is UTF-8");
        assert!(self.process.wait().expect("it ends").success());
        written
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
