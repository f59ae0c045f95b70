//! The parts of a fleet: each account belongs to one, and merged results say what is missing from them.

use std::collections::{BTreeMap, BTreeSet};

use iam_boundaries::apply::FleetResult;
use iam_boundaries::iam::{Digest, Printable};
use iam_boundaries::report::{Format, MergedRuns, Style, render_merged_runs};
use iam_boundaries::sandbox::{Fault, Options, Organization};
use serde_json::{Value, json};

use crate::support::Ran;
use crate::support::fixture::PUT;
use crate::support::fleet::{FleetFixture, account_name, lines_of, summary};

const FORMATS: [&str; 5] = ["text", "json", "markdown", "github", "html"];

fn plan_name(index: usize) -> String {
    format!("plan-{index}.json")
}

fn report_name(index: usize) -> String {
    format!("report-{index}.jsonl")
}

/// Saves the plan of each part, and returns the files.
async fn plans(fleet: &FleetFixture, count: usize) -> Vec<String> {
    let mut files = Vec::new();
    for index in 1..=count {
        let (shard, file) = (format!("{index}/{count}"), plan_name(index));
        let ran = fleet.plan(&["--shard", &shard, "--out", &file]).await;
        assert!([0, 3].contains(&ran.code), "{ran}");
        files.push(file);
    }
    files
}

/// Applies each part, and returns the files with the reports, and the runs.
async fn reports(fleet: &FleetFixture, count: usize, options: &[&str]) -> (Vec<String>, Vec<Ran>) {
    let (mut files, mut runs) = (Vec::new(), Vec::new());
    for index in 1..=count {
        let (shard, file) = (format!("{index}/{count}"), report_name(index));
        let shard = ["--shard", &shard, "--format", "json"];
        let ran = fleet.apply(&[&shard[..], options].concat()).await;
        fleet.write(&file, &ran.out);
        files.push(file);
        runs.push(ran);
    }
    (files, runs)
}

async fn merge(fleet: &FleetFixture, files: &[&str], options: &[&str]) -> Ran {
    fleet.run(&[&["report", "merge"], files, options].concat()).await
}

fn all(files: &[String]) -> Vec<&str> {
    files.iter().map(String::as_str).collect()
}

/// The number of the part of three that this account belongs to.
fn part(fleet: &FleetFixture, n: usize, count: u16) -> usize {
    let shard = |index: u16| format!("{index}/{count}").parse::<iam_boundaries::iam::Shard>();
    let account = fleet.id(n).parse().unwrap();
    (1..=count).find(|index| shard(*index).unwrap().contains(account)).unwrap().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn merged_plans_of_all_parts_are_the_plan_of_the_whole_fleet() {
    let fleet = FleetFixture::accounts(9).start().await;
    fleet.inject(4, "AssumeRole", Fault::access_denied());
    let (code, whole) = fleet.plan_json(&[]).await;
    assert_eq!(code, 3);
    for count in [1, 2, 5] {
        let files = plans(&fleet, count).await;
        let mut files = all(&files);
        files.reverse();
        let merged = merge(&fleet, &files, &["--out", "plan.json", "--format", "json"]).await;
        assert_eq!(merged.code, 3, "account 4 cannot be planned: {merged}");
        let document: Value = serde_json::from_str(&merged.out).unwrap();
        // The request ID is not part of a plan, so the plans are equal.
        assert_eq!(document, whole, "{count}");
        assert_eq!(fleet.read("plan.json"), merged.out);
        assert!(merged.err.contains(whole["digest"].as_str().unwrap()), "{merged}");
    }
    let applied = fleet.run(&["apply", "plan.json", "-y"]).await;
    assert_eq!(applied.code, 3, "{applied}");
    assert_eq!(fleet.written(), [0, 1, 2, 3, 5, 6, 7, 8]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_part_is_named_in_every_format_and_when_the_plan_is_applied() {
    let fleet = FleetFixture::accounts(9).start().await;
    let files = plans(&fleet, 3).await;
    let of_parts_1_and_3 = (0..9).filter(|n| part(&fleet, *n, 3) != 2).collect::<Vec<_>>();
    assert!((1..9).contains(&of_parts_1_and_3.len()), "{of_parts_1_and_3:?}");
    for format in FORMATS {
        let options = ["--out", "plan.json", "--format", format];
        let merged = merge(&fleet, &[&files[2], &files[0]], &options).await;
        assert_eq!(merged.code, 3, "{merged}");
        assert!(merged.out.contains("2/3"), "{format}: {merged}");
        let shown = fleet.run(&["show", "plan.json", "--format", format]).await;
        assert_eq!((shown.code, &shown.out), (0, &merged.out), "{shown}");
    }
    let merged = merge(&fleet, &[&files[2], &files[0]], &["--detailed-exitcode"]).await;
    assert_eq!(merged.code, 5, "{merged}");
    let document: Value = serde_json::from_str(&fleet.read("plan.json")).unwrap();
    assert_eq!((&document["missing_shards"], &document["shard"]), (&json!(["2/3"]), &json!(null)));
    let schema = serde_json::from_str(include_str!("../../schema/fleet-plan.schema.json")).unwrap();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&document));

    let ran = fleet.run(&["apply", "plan.json", "-y", "--format", "json"]).await;
    assert_eq!((ran.code, fleet.written()), (3, of_parts_1_and_3), "{ran}");
    let end = summary(&ran);
    assert_eq!((&end["result"], &end["missing_shards"]), (&json!("incomplete"), &json!(["2/3"])));
    let again = fleet.run(&["apply", "plan.json", "-y"]).await;
    assert!(again.code == 3 && again.out.contains("1 of 3 shards is missing"), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_part_is_not_in_sync() {
    let fleet = FleetFixture::accounts(6).start().await;
    assert_eq!(fleet.apply(&[]).await.code, 0);
    let files = plans(&fleet, 2).await;
    let merged = merge(&fleet, &[&files[0]], &[]).await;
    assert_eq!(merged.code, 3, "{merged}");
    assert!(merged.out.contains("\nIncomplete: "), "{merged}");
    assert!(!merged.out.contains("\nIn sync: "), "{merged}");
    let merged = merge(&fleet, &all(&files), &["--detailed-exitcode"]).await;
    assert_eq!(merged.code, 0, "{merged}");
    assert!(merged.out.starts_with("In sync: 6 of 6 accounts match"), "{merged}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guard_rails_of_the_fleet_hold_for_the_merged_plan() {
    let fleet = FleetFixture::accounts(6).tail("[guard]\nmax_changes = 11\n").start().await;
    // Each part makes fewer changes than that.
    let files = plans(&fleet, 3).await;
    for file in &files {
        let shown = fleet.run(&["show", file]).await;
        assert!(!shown.out.contains("Guard rail violated"), "{shown}");
    }
    let merged = merge(&fleet, &all(&files), &["--out", "plan.json"]).await;
    assert!(merged.out.contains("12 changes in the fleet, and max_changes allows 11"), "{merged}");
    let ran = fleet.run(&["apply", "plan.json", "-y"]).await;
    assert_eq!((ran.code, fleet.all_writes()), (4, 0), "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_not_the_parts_of_one_fleet_are_rejected_with_the_reason() {
    let fleet = FleetFixture::accounts(6).start().await;
    let files = plans(&fleet, 2).await;
    let of = |shard: &'static str, file: &'static str| ["--shard", shard, "--out", file];
    fleet.plan(&of("2/3", "third.json")).await;
    fleet.plan(&["--out", "whole.json"]).await;
    let account = (0..6).find(|n| part(&fleet, *n, 2) == 2).map(account_name).unwrap();
    let of_account = [&of("2/2", "account.json")[..], &["--account", &account]].concat();
    fleet.plan(&of_account).await;
    merge(&fleet, &[&files[0]], &["--out", "half.json"]).await;
    fleet.run(&["-f", "baseline.toml", "plan", "--out", "one.json"]).await;
    let (reports, _) = reports(&fleet, 2, &[]).await;
    // The boundaries files change, then the fleet file.
    fleet.write("baseline.toml", &(fleet.read("baseline.toml") + "\n# new\n"));
    fleet.plan(&of("2/2", "newer.json")).await;
    fleet.write("fleet.toml", &(fleet.read("fleet.toml") + "\n# new\n"));
    fleet.plan(&of("2/2", "newest.json")).await;
    let newer = fleet.apply(&["--shard", "1/2", "--format", "json"]).await;
    fleet.write("newest.jsonl", &newer.out);
    let one = ["-f", "baseline.toml", "--account", fleet.id(0), "apply", "-y", "--format", "json"];
    let one = fleet.run(&one).await;
    fleet.write("one.jsonl", &one.out);
    // An edit that keeps the line valid, and two that do not.
    let report = fleet.read(&reports[0]);
    fleet.write(
        "edited.jsonl",
        &report.replacen("\"applied\",\"attempts\"", "\"failed\",\"attempts\"", 1),
    );
    fleet.write("damaged.jsonl", &report.replacen("\"item\"", "\"itme\"", 1));
    let (first, rest) = report.split_once('\n').unwrap();
    fleet.write("headless.jsonl", rest);
    fleet.write("longer.jsonl", &format!("{report}{first}\n"));
    let other = fleet.read(&files[1]).replace("\"shard\": \"2/2\"", "\"shard\": \"1/2\"");
    fleet.write("edited.json", &other);
    let mine = files[0].as_str();
    for (file, message) in [
        (mine, "plan-1.json and plan-1.json are both of shard 1/2"),
        ("third.json", "is of shard 1/2, and third.json is of shard 2/3"),
        ("whole.json", "whole.json is not of a part of a fleet"),
        ("account.json", "account.json is not of a part of a fleet"),
        ("half.json", "half.json is not of a part of a fleet"),
        ("one.json", "one.json is the plan of one account"),
        (
            "newer.json",
            "plan-1.json and newer.json are made from different versions of baseline.toml",
        ),
        ("newest.json", "plan-1.json and newest.json are of different fleet files"),
        ("edited.json", "cannot use edited.json: "),
        ("report-2.jsonl", "plan-1.json is a saved plan, and report-2.jsonl is not"),
        ("fleet.toml", "plan-1.json is a saved plan, and fleet.toml is not"),
        ("nowhere.json", "cannot use nowhere.json"),
    ] {
        let ran = merge(&fleet, &[mine, file], &["--out", "never.json"]).await;
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{file}: {ran}");
        assert!(ran.err.contains(message), "{file}: {ran}");
        assert!(ran.err.contains("\nhelp: "), "{file}: {ran}");
        assert!(!fleet.folder().join("never.json").exists());
    }
    for (file, message) in [
        ("report-2.jsonl", "report-2.jsonl and report-2.jsonl are both of shard 2/2"),
        ("newest.jsonl", "are of different fleet files"),
        ("one.jsonl", "one.jsonl is the run report of one account"),
        ("edited.jsonl", "edited.jsonl was changed after it was written"),
        ("damaged.jsonl", "damaged.jsonl is damaged at line "),
        (
            "headless.jsonl",
            "headless.jsonl is damaged at line 1: the beginning of the report is missing",
        ),
        ("longer.jsonl", "longer.jsonl is damaged at line "),
        ("fleet.toml", "fleet.toml is not a saved plan and not the run report of a fleet"),
    ] {
        let ran = merge(&fleet, &["report-2.jsonl", file], &[]).await;
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{file}: {ran}");
        assert!(ran.err.contains(message) && ran.err.contains("\nhelp: "), "{file}: {ran}");
    }
    for options in [&["--out", "plan.json"][..], &["--account", "acct-000"], &["-f", "x.toml"]] {
        let ran = merge(&fleet, &all(&reports), options).await;
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn merged_reports_have_all_lines_and_one_summary_with_the_sums() {
    let fleet = FleetFixture::accounts(8).tail("[guard]\nmax_accounts_failed = 9\n").start().await;
    fleet.inject(2, "AssumeRole", Fault::access_denied());
    fleet.inject(5, PUT, Fault::access_denied());
    let (files, runs) = reports(&fleet, 3, &[]).await;
    let merged = merge(&fleet, &all(&files), &["--format", "json"]).await;
    assert_eq!((merged.code, merged.err.as_str()), (3, ""), "{merged}");
    let begins = lines_of(&merged, "fleet_started");
    assert_eq!((begins.len(), &begins[0]["accounts"]), (1, &json!(8)), "{merged}");
    let of_accounts = |ran: &Ran| -> Vec<String> {
        let lines = ran.out.lines().filter(|line| !line.contains("\"type\":\"fleet_"));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(of_accounts(&merged), runs.iter().flat_map(of_accounts).collect::<Vec<_>>());
    let end = summary(&merged);
    for field in ["accounts", "accounts_complete", "accounts_failed", "applied", "failed", "calls"]
    {
        let sum: u64 = runs.iter().map(|ran| summary(ran)[field].as_u64().unwrap()).sum();
        assert_eq!(end[field], sum, "{field}: {merged}");
    }
    let counts = ["accounts", "accounts_complete", "accounts_failed"].map(|it| end[it].clone());
    assert_eq!(counts, [json!(8), json!(6), json!(2)], "{merged}");
    assert_eq!((&end["result"], &end["digest"]), (&json!("incomplete"), &json!(null)));
    let before = merged.out.trim_end().rsplit_once('\n').unwrap().0.to_owned() + "\n";
    assert_eq!(end["lines"], json!(Digest::of(before)));

    let lines = [lines_of(&merged, "account_problem"), lines_of(&merged, "item")].concat();
    let advice = lines.iter().flat_map(|line| [&line["advice"], &line["error"]["advice"]]);
    let advice: Vec<&str> = advice.filter_map(Value::as_str).collect();
    assert!(advice.iter().any(|it| it.contains("the trust policy of the role")), "{advice:?}");
    assert!(advice.iter().any(|it| it.contains("allow iam:PutUser")), "{advice:?}");
    for format in ["text", "markdown", "github", "html"] {
        let ran = merge(&fleet, &all(&files), &["--format", format]).await;
        assert_eq!(ran.code, 3, "{ran}");
        for advice in &advice {
            let out: Vec<&str> = ran.out.split_whitespace().collect();
            assert!(out.join(" ").contains(advice), "{format} {advice}: {ran}");
        }
        // The failures of both accounts, with the messages of AWS.
        for text in ["acct-002 (", "sts:AssumeRole failed: AccessDenied", "acct-005 ("] {
            let out: Vec<&str> = ran.out.split_whitespace().collect();
            assert!(out.join(" ").contains(text), "{format} {text}: {ran}");
        }
        assert!(ran.out.contains("6 of 8 accounts complete"), "{format}: {ran}");
    }
    fleet.faults().clear();
    let (files, _) = reports(&fleet, 3, &[]).await;
    let merged = merge(&fleet, &all(&files), &[]).await;
    assert_eq!(merged.code, 0, "{merged}");
    assert!(
        merged.out.contains("\nApply complete: 4 applied; 8 of 8 accounts complete"),
        "{merged}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_an_end_or_a_report_is_named_in_every_format() {
    let fleet = FleetFixture::accounts(8).start().await;
    let (files, runs) = reports(&fleet, 4, &[]).await;
    assert!(runs.iter().all(|ran| ran.code == 0));
    let whole = fleet.read(&files[1]);
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let without_summary = lines[..lines.len() - 1].concat();
    let cut = &whole[..whole.len() - 10];
    let within_an_item = &whole[..lines[0].len() + 20];
    for truncated in [without_summary.as_str(), cut, within_an_item, lines[0]] {
        fleet.write("cut.jsonl", truncated);
        let parts = [&files[0], "cut.jsonl", &files[2], &files[3]];
        for format in FORMATS {
            let ran = merge(&fleet, &parts, &["--format", format]).await;
            assert_eq!(ran.code, 3, "{ran}");
            assert!(ran.out.contains("2/4"), "{format}: {ran}");
            if format == "json" {
                let end = summary(&ran);
                assert_eq!(end["shards_not_ended"], json!(["2/4"]), "{ran}");
                assert_eq!((&end["missing_shards"], &end["accounts"]), (&json!([]), &json!(8)));
                assert_eq!(end["result"], "incomplete");
            } else {
                assert!(ran.out.contains("did not end"), "{format}: {ran}");
            }
        }
    }
    // A run that did not begin leaves an empty file, or a part of the first line.
    for begun in ["", &lines[0][..40]] {
        fleet.write("empty.jsonl", begun);
        for format in FORMATS {
            let parts = [&files[0], "empty.jsonl", &files[2], &files[3]];
            let ran = merge(&fleet, &parts, &["--format", format]).await;
            assert_eq!(ran.code, 3, "{ran}");
            assert!(ran.out.contains("2/4"), "{format}: {ran}");
            assert!(format == "json" || ran.out.contains("empty.jsonl"), "{format}: {ran}");
        }
        let ran = merge(&fleet, &["empty.jsonl"], &[]).await;
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran}");
    }
    let ran = merge(&fleet, &[&files[3], &files[1]], &["--format", "json"]).await;
    assert_eq!((ran.code, &summary(&ran)["missing_shards"]), (3, &json!(["1/4", "3/4"])), "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn merged_runs_are_refused_only_if_nothing_was_changed() {
    let fleet = FleetFixture::accounts(6).tail("[guard]\nmax_accounts_changed = 0\n").start().await;
    let (files, runs) = reports(&fleet, 2, &[]).await;
    assert!(runs.iter().all(|ran| ran.code == 4), "{}", runs[0]);
    let merged = merge(&fleet, &all(&files), &[]).await;
    assert_eq!(merged.code, 4, "{merged}");
    assert!(merged.out.contains("shard 1/2: "), "{merged}");
    let allowed = ["--shard", "1/2", "--format", "json", "--max-accounts-changed", "6"];
    let ran = fleet.apply(&allowed).await;
    assert_eq!(ran.code, 0, "{ran}");
    fleet.write(&files[0], &ran.out);
    let merged = merge(&fleet, &all(&files), &[]).await;
    assert_eq!(merged.code, 3, "{merged}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_account_is_in_one_part_of_plans_and_of_runs() {
    let fleet = FleetFixture::accounts(7).start().await;
    let files = plans(&fleet, 3).await;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for file in &files {
        let plan: Value = serde_json::from_str(&fleet.read(file)).unwrap();
        for account in plan["accounts"].as_array().unwrap() {
            *seen.entry(account["account"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    assert_eq!(seen.len(), 7);
    assert!(seen.values().all(|count| *count == 1), "{seen:?}");
    let (_, runs) = reports(&fleet, 3, &["--as-planned"]).await;
    let of_runs =
        |ran: &Ran| lines_of(ran, "summary").into_iter().map(|it| it["account"].to_string());
    let accounts: Vec<String> = runs.iter().flat_map(of_runs).collect();
    assert_eq!((accounts.len(), accounts.iter().collect::<BTreeSet<_>>().len()), (7, 7));
    fleet.check(|n| fleet.all_with(n, "Developer")).await;
    // The saved plan of a part keeps its part when it is applied.
    let ran = fleet.run(&["apply", &files[1], "-y", "--format", "json"]).await;
    assert_eq!(lines_of(&ran, "fleet_started")[0]["shard"], "2/3", "{ran}");
    assert_eq!(summary(&ran)["shard"], "2/3", "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_report_that_was_cut_or_changed_anywhere_is_complete() {
    let fleet = FleetFixture::accounts(6).start().await;
    let (files, runs) = reports(&fleet, 2, &[]).await;
    assert!(runs.iter().all(|ran| ran.code == 0));
    let texts = [0, 1].map(|n| fleet.read(&files[n]).into_bytes());
    let result = |second: &[u8]| {
        let file = |name: &str, text: &[u8]| (Printable::new(name), text.to_vec());
        let merged = MergedRuns::merge(vec![file("a", &texts[0]), file("b", second)]);
        merged.map(|merged| merged.result())
    };
    assert_eq!(result(&texts[1]), Ok(FleetResult::Complete));
    for length in 0..texts[1].len() {
        let merged = result(&texts[1][..length]);
        assert_eq!(merged, Ok(FleetResult::Incomplete), "{length}");
    }
    // Each account of a report that was cut is counted once.
    for length in (1..texts[1].len()).filter(|length| texts[1][length - 1] == b'\n') {
        let file = |name: &str, text: &[u8]| (Printable::new(name), text.to_vec());
        let files = vec![file("a", &texts[0]), file("b", &texts[1][..length])];
        let merged = MergedRuns::merge(files).unwrap();
        let merged = render_merged_runs(&merged, Format::Json, Style::PLAIN);
        let end: Value = serde_json::from_str(merged.lines().last().unwrap()).unwrap();
        let results = ["complete", "incomplete", "failed", "refused", "not_begun", "not_ended"];
        let count = |result: &str| end[format!("accounts_{result}")].as_u64().unwrap();
        assert_eq!(results.iter().map(|it| count(it)).sum::<u64>(), 6, "{end}");
        assert!(count("not_ended") > 0, "{end}");
    }
    let whole = String::from_utf8(texts[1].clone()).unwrap();
    let summary = whole.trim_end().rfind('\n').unwrap() + 1;
    for at in 0..summary {
        let mut changed = texts[1].clone();
        changed[at] ^= 1;
        assert_ne!(result(&changed), Ok(FleetResult::Complete), "{at}");
    }
    // The digest does not cover the last line. Its numbers must be those of the lines.
    let (lines, last) = whole.split_at(summary);
    for (from, to) in [
        ("\"accounts\":", "\"accounts\":1"),
        ("\"applied\":", "\"applied\":1"),
        ("\"failed\":", "\"failed\":1"),
        ("\"accounts_complete\":", "\"accounts_complete\":1"),
        ("\"accounts_refused\":", "\"accounts_refused\":1"),
        ("\"conflicts\":", "\"conflicts\":1"),
        ("\"shard\":\"2/2\"", "\"shard\":\"1/2\""),
    ] {
        assert!(last.contains(from), "{last}");
        let changed = format!("{lines}{}", last.replacen(from, to, 1));
        assert!(result(changed.as_bytes()).is_err(), "{from}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_that_the_fleet_does_not_cover_are_in_merged_plans_and_reports() {
    let organization = |options: &mut Options| {
        options.organization = Some(Organization::of_accounts(options.accounts));
    };
    let fleet = FleetFixture::accounts(9)
        .options(organization)
        .tail("[organization]\nunits = [\"ou-sbox-production\"]\n")
        .start()
        .await;
    // The fleet names only the first account. Others are in the unit, or not covered by the fleet.
    let head = "assume_role = \"role/iam-boundaries\"\nfiles = [\"baseline.toml\"]\n";
    let accounts = format!("[accounts]\nacct-000 = \"{}\"\n", fleet.id(0));
    let units = "[organization]\nunits = [\"ou-sbox-production\"]\n";
    fleet.write("fleet.toml", &format!("{head}{accounts}{units}"));
    let (_, whole) = fleet.plan_json(&[]).await;
    let uncovered = whole["uncovered"].as_array().unwrap().len();
    assert!(uncovered > 2, "{whole}");
    let files = plans(&fleet, 3).await;
    let merged = merge(&fleet, &all(&files), &["--format", "json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&merged.out).unwrap(), whole, "{merged}");
    let (files, _) = reports(&fleet, 3, &[]).await;
    let merged = merge(&fleet, &all(&files), &["--format", "json"]).await;
    assert_eq!((merged.code, lines_of(&merged, "account_not_covered").len()), (0, uncovered));
    assert_eq!(summary(&merged)["accounts_not_covered"], json!(uncovered), "{merged}");
    let merged = merge(&fleet, &all(&files), &[]).await;
    let heading = format!("{uncovered} accounts of the organization are not covered by the fleet");
    assert!(merged.out.contains(&heading), "{merged}");
}
