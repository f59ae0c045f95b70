//! `import --from-csv` turns a spreadsheet into a boundaries file, without an account.

use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{Binary, Ran};

const ARN: &str = "arn:aws:iam::123456789012:policy";

fn with_csv(csv: impl AsRef<[u8]>) -> Binary {
    let binary = Binary::with_own_file();
    std::fs::remove_file(binary.folder().join("boundaries.toml")).unwrap();
    std::fs::write(binary.folder().join("users.csv"), csv).unwrap();
    binary
}

fn convert(binary: &Binary, more: &[&str]) -> Ran {
    let arguments = ["import", "--from-csv", "users.csv", "--out", "boundaries.toml"];
    binary.run(&[&arguments[..], more].concat())
}

fn written(binary: &Binary) -> Option<String> {
    std::fs::read_to_string(binary.folder().join("boundaries.toml")).ok()
}

#[test]
fn a_spreadsheet_becomes_a_valid_file() {
    let csv = format!(
        "name,boundary,kind,reason\nzoe,{ARN}/Developer,,\nalice,{ARN}/Developer,user,\"SEC-1, until May\"\n\
         legacy,false,,\nci-deploy,{ARN}/ci/Deployer,role,\nbot@x.example,arn:aws:iam::aws:policy/ReadOnlyAccess,,\n"
    );
    let binary = with_csv(csv);
    let ran = convert(&binary, &[]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{ran}");
    insta::assert_snapshot!("file_of_a_spreadsheet", written(&binary).unwrap());
    insta::assert_snapshot!("messages_of_a_spreadsheet", ran.err);
    assert_eq!(binary.run(&["check"]).code, 0);
    // Without --out, the same text goes to standard output.
    let shown = binary.run(&["import", "--from-csv", "users.csv"]);
    assert_eq!((shown.code, Some(shown.out)), (0, written(&binary)));
    let again = convert(&binary, &[]);
    assert!(again.code == 1 && again.err.contains("already exists"), "{again}");
    assert_eq!(convert(&binary, &["--force"]).code, 0);
}

#[test]
fn what_spreadsheets_write_is_read() {
    let plain = format!("name,boundary\nalice,{ARN}/Developer\nbob,false\n");
    let expected = {
        let binary = with_csv(&plain);
        assert_eq!(convert(&binary, &[]).code, 0);
        written(&binary)
    };
    for csv in [
        format!("\u{feff}{}", plain.replace('\n', "\r\n")),
        plain.replace(',', ";"),
        plain.replace(',', "\t").trim_end().to_owned(),
        format!("Boundary , NAME\n\"{ARN}/Developer\",  alice\nFALSE,bob\u{a0}\n"),
        format!("\nname;boundary;;\n\nalice;{ARN}/Developer;;\n;;;\nbob;\"false\"\n;;;\n"),
        plain.replace('\n', "\r"),
    ] {
        let binary = with_csv(&csv);
        let ran = convert(&binary, &[]);
        assert_eq!((ran.code, written(&binary)), (0, expected.clone()), "{csv:?} {ran}");
    }
}

#[test]
fn names_of_policies_need_an_account() {
    let csv = "name,boundary\nalice,Developer\nbob,policy/ci/Deployer\npat,/ci/Deployer\nzoe,arn:aws-cn:iam::aws:policy/ReadOnlyAccess\n";
    let binary = with_csv(csv);
    let ran = convert(&binary, &[]);
    assert_eq!((ran.code, written(&binary)), (1, None), "{ran}");
    insta::assert_snapshot!("policies_without_an_account", ran.err);
    let ran = convert(&binary, &["--account", "123456789012"]);
    assert_eq!(ran.code, 0, "{ran}");
    let text = written(&binary).unwrap();
    // In the partition of the other ARNs.
    assert!(
        text.contains("\nalice = \"arn:aws-cn:iam::123456789012:policy/Developer\"\n"),
        "{text}"
    );
    assert!(
        text.contains("\ndeployer = \"arn:aws-cn:iam::123456789012:policy/ci/Deployer\"\n"),
        "{text}"
    );
    assert!(text.contains("\nbob = \"deployer\"\npat = \"deployer\"\n"), "{text}");
    assert!(text.contains("\n[account]\nid = \"123456789012\"\n"), "{text}");
    let doubled = with_csv("name,boundary\npat,/ci//Deployer\nbob,//Deployer\n");
    let ran = convert(&doubled, &["--account", "123456789012"]);
    assert_eq!((ran.code, written(&doubled)), (1, None), "{ran}");
    assert_eq!(ran.err.matches("between single slashes, not \"/").count(), 2, "{ran}");
}

#[test]
fn all_errors_are_shown_with_their_places_and_nothing_is_written() {
    let csv = format!(
        "name;boundary;kind;reason\nalice;{ARN}/Developer;;\nALICE;{ARN}/Developer;;\nalice;false;;\n\
         zo\u{eb};{ARN}/Developer;;\n/team/bob;false;;\n;{ARN}/Developer;;\ncarol;;;\ndan;;;\nerin;none;;\n\
         frank;-;;\ngus;arn:aws:iam::123456789012:role/Admin;;\nhal;{ARN}/a b;group;\n\
         ivy;arn:aws:iam::999999999999:policy/Developer;;\njon;{ARN}/Developer\nkim;{ARN}/Developer;;;more\n\
         AWSServiceRoleForX;{ARN}/Developer;role;\nlea;\"{ARN}/Developer\"x;;\n\u{1b}[31m;falsch;;\n\"open;false;;\n"
    );
    let binary = with_csv(csv);
    let ran = convert(&binary, &["--account", "123456789012"]);
    assert_eq!((ran.code, ran.out.as_str(), written(&binary)), (1, "", None), "{ran}");
    assert!(!ran.err.contains('\u{1b}'), "{ran}");
    insta::assert_snapshot!("errors_of_a_spreadsheet", ran.err);
}

#[test]
fn errors_of_the_header_and_of_the_whole_file() {
    let mut messages = String::new();
    for csv in [
        &b""[..],
        b"\n\n",
        b"name,boundary\n",
        b"alice,arn:aws:iam::aws:policy/ReadOnlyAccess\n",
        b"nmae,boundry,team,,name,NAME\nx,y,,,,\n",
        b"name,boundary,\nalice,false,stray\n",
        b"name,\"boundary\nalice,false\n",
        b"name,boundary\nalice\xe9,false\n",
        b"\xff\xfen\0a\0",
    ] {
        let binary = with_csv(csv);
        let ran = convert(&binary, &[]);
        assert_eq!((ran.code, ran.out.as_str(), written(&binary)), (1, "", None), "{ran}");
        messages.push_str(&format!("--- {}\n{}", csv.escape_ascii(), ran.err));
    }
    let missing = Binary::with_own_file().run(&["import", "--from-csv", "no.csv"]);
    assert_eq!(missing.code, 1, "{missing}");
    messages.push_str(&missing.err);
    insta::assert_snapshot!("errors_of_a_header", messages);
}

#[test]
fn standard_input_can_be_converted() {
    let binary = with_csv("");
    let mut command = binary.command(&["import", "--from-csv", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    process.stdin.take().unwrap().write_all(b"name,boundary\nalice,false\n").unwrap();
    let ran = Ran::of(process.wait_with_output().unwrap());
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.out.contains("from standard input.\n\n[users]\nalice = false\n"), "{ran}");
}

#[test]
fn hundreds_of_equal_errors_and_different_errors_stay_readable() {
    let rows: String = (0..500).map(|n| format!("user-{n},bad {n}\n")).collect();
    let ran = convert(&with_csv(format!("name,boundary\n{rows}")), &["--account", "123456789012"]);
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.err.contains("400 more errors from line 102; correct those above first"), "{ran}");
    let rows: String = (0..500).map(|n| format!("user-{n},\n")).collect();
    let ran = convert(&with_csv(format!("name,boundary\n{rows}")), &[]);
    assert!(ran.err.contains("the same error is at ") && ran.err.lines().count() < 15, "{ran}");
}

#[test]
fn a_spreadsheet_of_1500_users_takes_less_than_a_second() {
    let rows: String = (0..1_500)
        .map(|n| format!("user-{n},{ARN}/team-{}/Developer,\"Row {n}\"\n", n % 40))
        .collect();
    let binary = with_csv(format!("name,boundary,reason\n{rows}"));
    let start = Instant::now();
    let ran = convert(&binary, &[]);
    let time = start.elapsed();
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.err.contains("1,500 users with a boundary"), "{ran}");
    assert!(time < Duration::from_secs(1), "{time:?}");
    assert_eq!(binary.run(&["check"]).code, 0);
}

#[test]
fn an_empty_last_field_is_reported_at_its_row() {
    for csv in
        ["name,boundary\na,\nb,false\n", "name,boundary\r\nb,false\r\na,\r\n", "name,boundary\na,"]
    {
        let ran = convert(&with_csv(csv), &[]);
        let line = csv.lines().position(|line| line == "a,").unwrap() + 1;
        assert!(ran.err.contains(&format!("--> users.csv:{line}:3")), "{csv:?}: {ran}");
    }
}

#[test]
fn a_reason_that_is_too_long_is_reported_at_its_row() {
    let ran = convert(
        &with_csv(format!("name,boundary,reason\na,false,x\nb,false,{}\n", "x".repeat(501))),
        &[],
    );
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.err.contains("--> users.csv:3:9"), "{ran}");
    assert!(ran.err.contains("has at most 500 characters, not 501"), "{ran}");
}
