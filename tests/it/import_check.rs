//! `import --check` for programs, and the time limit of an import.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use iam_boundaries::sandbox::Fault;

use crate::support::fixture::{DETAILS, Fixture};
use crate::support::kept::{
    CONTRACTOR, DEVELOPER, KEPT, READ_ONLY, account, drifted, with, without,
};

#[test]
fn a_check_as_json_has_every_difference_with_its_place() {
    let binary = drifted(KEPT);
    let check = ["--sandbox", "import", "--check", "--format", "json"];
    let ran = binary.run(&check);
    assert_eq!((ran.code, ran.err.as_str()), (2, ""), "{ran}");
    let found: Value = serde_json::from_str(&ran.out).unwrap();
    let place = |kind: &str, name: &str, difference: &str, line: Option<usize>| {
        let file = line.map(|_| "boundaries.toml");
        json!({
            "kind": kind, "name": name, "difference": difference, "file": file, "line": line,
            "expected": null, "boundary": null, "differs_by_case": null,
        })
    };
    let with = |mut place: Value, expected: Option<&str>, boundary: Option<&str>| {
        place["expected"] = json!(expected);
        place["boundary"] = json!(boundary);
        place
    };
    let expected = json!({
        "format": "iam-boundaries/comparison",
        "format_version": 1,
        "account": "123456789012",
        "file": "boundaries.toml",
        "match": false,
        "differences": [
            with(place("user", "alice", "different", Some(17)), Some(DEVELOPER), Some(CONTRACTOR)),
            with(place("user", "b.c", "different", Some(18)), None, Some(READ_ONLY)),
            with(place("role", "ci-deploy", "missing", Some(12)), Some(DEVELOPER), None),
            with(place("user", "a.new", "unlisted", None), None, Some(CONTRACTOR)),
            with(place("user", "tagged", "unlisted", None), None, Some(DEVELOPER)),
            with(place("role", "ci-new", "unlisted", None), None, Some(DEVELOPER)),
        ],
        "matching": { "users": 1, "roles": 0 },
        "unlisted_without_boundary": { "users": 1, "roles": 1 },
    });
    assert_eq!(found, expected);
    // Of several files, the place is in the file that has the entry.
    let zed = format!("[users]\nzed = \"{READ_ONLY}\"\nALICE = \"{CONTRACTOR}\"\n");
    std::fs::write(binary.folder().join("boundaries.toml"), KEPT.replace("alice =", "#")).unwrap();
    std::fs::write(binary.folder().join("layer.toml"), zed).unwrap();
    let files = ["-f", "boundaries.toml", "-f", "layer.toml"];
    let ran = binary.run(&[&files[..], &check].concat());
    let found: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(found["file"], "boundaries.toml, layer.toml");
    let of = |name: &str| {
        let differences = found["differences"].as_array().unwrap();
        differences.iter().find(|it| it["name"] == name).unwrap().clone()
    };
    assert_eq!((&of("zed")["file"], &of("zed")["line"]), (&json!("layer.toml"), &json!(2)));
    assert_eq!(of("ALICE")["differs_by_case"], "alice");
    let text = binary.run(&[&files[..], &["--sandbox", "import", "--check"]].concat());
    assert!(text.out.contains("zed (layer.toml:2) "), "{text}");
    for arguments in [&[][..], &["--update"], &["--out", "new.toml"]] {
        let ran = binary.run(&[&["--sandbox", "import", "--format", "json"], arguments].concat());
        assert!(ran.code == 1 && ran.err.contains("--format <FORMAT>"), "{ran}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_stops_when_its_time_is_over() {
    let fixture = Fixture::users(3).listed_with("Developer").start().await;
    for mode in [&["--out", "new.toml"][..], &["--update"], &["--check"]] {
        fixture.sandbox.faults().add(DETAILS, None, 1, Fault::Slow(Duration::from_secs(60)));
        let before = std::fs::read_to_string(fixture.folder().join("boundaries.toml")).unwrap();
        let began = Instant::now();
        let ran = fixture.run(&[&["import", "--timeout", "2s"], mode].concat()).await;
        assert!(began.elapsed() < Duration::from_secs(30), "{mode:?} did not stop");
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{mode:?} {ran}");
        assert!(ran.err.contains("increase --timeout"), "{mode:?} {ran}");
        assert!(!fixture.folder().join("new.toml").exists());
        let after = std::fs::read_to_string(fixture.folder().join("boundaries.toml")).unwrap();
        assert_eq!(after, before);
    }
    let ran = fixture.run(&["import", "--from-csv", "users.csv", "--timeout", "2s"]).await;
    assert!(ran.code == 1 && ran.err.contains("cannot be used with"), "{ran}");
}

/// The text of `import --check` and `--update` in an account of other users than those of the file.
#[test]
fn many_principals_about_whom_the_same_is_said_are_named_together() {
    let listed = |kind: &str, count: usize| -> String {
        let lines = (0..count).map(|n| format!("\"{kind}-{n}@example.com\" = \"developer\"\n"));
        format!("[{kind}s]\n{}", lines.collect::<String>())
    };
    let policy = "[boundaries]\ndeveloper = \"policy/Developer\"\n";
    let account_id = "[account]\nid = \"123456789012\"\n";
    let file = format!("{account_id}{policy}{}{}", listed("user", 300), listed("role", 6));
    let present = (0..700).map(|n| (format!("new-{n}"), with(DEVELOPER)));
    let present: serde_json::Map<String, Value> = present.collect();
    let binary = account(&file, Value::Object(present), json!({ "only": with(CONTRACTOR) }));
    let ran = binary.run(&["--sandbox", "import", "--check"]);
    assert_eq!(ran.code, 2, "{ran}");
    assert!(
        ran.out.contains("\nNot in the account: 300 users\n  user-0@example.com (line "),
        "{ran}"
    );
    assert!(ran.out.contains("\nNot in the account: 6 roles\n"), "{ran}");
    assert!(ran.out.contains("\nNot listed: 700 users\n  new-0, new-1, "), "{ran}");
    assert!(ran.out.contains("and 680 more;"), "{ran}");
    assert!(ran.out.contains(&format!("\n  role/only  account: {CONTRACTOR}\n")), "{ran}");
    let counts = "300 users and 6 roles not in the account; 700 users and 1 role not listed.\n";
    assert!(ran.out.contains(counts), "{ran}");
    assert!(ran.out.lines().count() < 40, "{ran}");
    assert!(ran.out.lines().all(|line| line.chars().count() <= 100), "{ran}");
    // An update has no --format, so it names each one.
    let ran = binary.run(&["--sandbox", "import", "--update"]);
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.out.contains("\nNot in the account, left unchanged: 300 users\n"), "{ran}");
    assert!(ran.out.contains("user-299@example.com") && !ran.out.contains("--format"), "{ran}");
}

#[test]
fn a_check_fits_the_width_of_a_narrow_output_and_breaks_no_name() {
    let long = "n".repeat(64);
    let policy = format!("arn:aws:iam::123456789012:policy/{}", "p".repeat(128));
    let file = format!("[users]\n{long} = \"{DEVELOPER}\"\na = \"{policy}\"\nz = false\n");
    let users = json!({ &*long: with(&policy), "a": without(), "b": with(&policy) });
    let binary = account(&file, users, json!({}));
    let ran = binary.run(&["--sandbox", "import", "--check"]);
    insta::assert_snapshot!("check_of_long_names", ran.out);
}
