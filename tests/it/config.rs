//! `boundaries.toml`: its content and its diagnostics.

use std::fmt::Write as _;

use iam_boundaries::config::{Config, FileErrors};
use iam_boundaries::iam::Partition;

fn errors_of(text: &str) -> FileErrors {
    Config::parse("boundaries.toml", text).expect_err("the file has an error")
}

/// The errors as `line:column message`.
fn messages(text: &str) -> Vec<String> {
    let errors = errors_of(text);
    let line = |d: &iam_boundaries::config::Diagnostic| {
        assert!(d.help.is_some(), "no help at {d:?}");
        format!("{}:{} {}", d.line, d.column, d.message)
    };
    errors.diagnostics().iter().map(line).collect()
}

#[test]
fn every_part_of_the_format_is_parsed() {
    let config = Config::parse("f.toml", include_str!("../../boundaries.toml")).unwrap();
    assert_eq!(config.users.len(), 17);
    assert_eq!(config.account.as_ref().unwrap().value.as_str(), "123456789012");
    assert_eq!(config.partition(), Some(Partition::Aws));
    let of = |user: &str| config.users[&user.parse().unwrap()].boundary.clone();
    assert_eq!(of("legacy-admin"), None);
    assert_eq!(of("metrics+export").unwrap().name(), "ReadOnlyAccess");
    let john = of("john.doe").unwrap();
    assert_eq!(config.names.name_of(&john), Some("developer"));
    assert_eq!(config.users[&"alice".parse().unwrap()].line, 20);
}

#[test]
fn keys_that_look_like_other_toml_values_are_user_names() {
    let text = "[users]\n123 = false\ntrue = false\n1e5 = false\ninf = false\n0x10 = false\n\
                2024-01-01 = false\n\"a+b=c,d.e@f_g-h\" = false\n'single' = false\n";
    let config = Config::parse("f.toml", text).unwrap();
    let names: Vec<&str> = config.users.keys().map(|name| name.as_str()).collect();
    let expected = ["0x10", "123", "1e5", "2024-01-01", "a+b=c,d.e@f_g-h", "inf", "single", "true"];
    assert_eq!(names, expected);
}

#[test]
fn windows_line_endings_and_a_byte_order_mark_are_accepted() {
    let config = Config::parse("f.toml", "\u{feff}[users]\r\nalice = false\r\n").unwrap();
    assert_eq!(config.users[&"alice".parse().unwrap()].line, 2);
}

#[test]
fn every_error_of_a_file_is_shown_at_once() {
    insta::assert_snapshot!(errors_of(include_str!("files/many_errors.toml")).render(false));
}

#[test]
fn a_syntax_error_neither_hides_other_errors_nor_causes_false_ones() {
    let text = "[users]\nal@ice = \"arn:aws:iam::aws:policy/X\"\nbob = 1\n\"carol\" = \n";
    let found = messages(text);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("2:3 invalid TOML"), "{found:?}");
    assert_eq!(found[1], "3:7 the boundary of \"bob\" must be a string or false, not a number");
    assert!(found[2].starts_with("4:"), "{found:?}");
}

#[test]
fn a_duplicate_user_is_reported_with_the_line_of_the_first() {
    let shown = errors_of("[users]\nalice = false\nbob = false\nalice = false\n").to_string();
    assert!(shown.contains("duplicate user \"alice\""), "{shown}");
    assert!(shown.contains("boundaries.toml:4:1"), "{shown}");
    assert!(shown.contains("first defined on line 2"), "{shown}");
}

#[test]
fn a_duplicate_is_reported_as_what_its_table_lists() {
    let text = "[boundaries]\ndev = \"arn:aws:iam::aws:policy/P\"\n[users]\ndev = false\n\
                dev = false\na.b = false\na.b = false\n[boundaries]\nx = 1\n";
    let found = messages(text);
    assert_eq!(found[0], "5:1 duplicate user \"dev\"");
    assert!(errors_of(text).to_string().contains("first defined on line 4"));
    assert!(found.contains(&"7:1 duplicate user \"a.b\"".to_owned()), "{found:?}");
    assert!(found.contains(&"8:2 duplicate table [boundaries]".to_owned()), "{found:?}");
    let nested = messages("[users]\na = false\n[users.a]\nb = false\n");
    assert_eq!(nested[0], "3:8 duplicate key \"users.a\"");
}

#[test]
fn a_table_in_place_of_a_boundary_is_reported_as_a_table() {
    let expected = "the boundary of \"a\" must be a string or false, not a table";
    for table in ["[users]\na = { boundary = 1 }\n", "[users]\na = {}\n", "[users.a]\nb = 1\n"] {
        assert!(messages(table)[0].ends_with(expected), "{table}");
    }
    let dotted = messages("[users]\na.b = false\n");
    assert_eq!(dotted, ["2:1 \"a.b\" is not in quotes, so TOML reads it as a nested table"]);
}

#[test]
fn a_file_without_users_is_an_error() {
    assert_eq!(messages(""), ["1:1 the file is empty"]);
    assert_eq!(messages("# nothing\n"), ["1:1 the file has no [users] table"]);
    assert_eq!(messages("[users]\n"), ["1:2 the [users] table is empty"]);
    assert_eq!(messages("users = 1\n"), ["1:9 users must be a table, not a number"]);
    assert_eq!(messages("[account]\n[users]\na = false\n"), ["1:2 the [account] table has no id"]);
}

#[test]
fn an_arn_of_another_account_or_partition_is_an_error() {
    let of_account = "[account]\nid = \"111111111111\"\n[users]\n\
                      a = \"arn:aws:iam::222222222222:policy/P\"\n";
    assert_eq!(
        messages(of_account),
        [
            "4:5 this policy belongs to account 222222222222, but the file is for account 111111111111 \
             (line 2)"
        ]
    );
    let mixed = "[users]\na = \"arn:aws-cn:iam::aws:policy/P\"\n\
                 b = \"arn:aws:iam::aws:policy/P\"\nc = \"arn:aws-cn:iam::aws:policy/P\"\n";
    assert_eq!(
        messages(mixed),
        ["3:5 this ARN is in the partition aws, but other ARNs are in aws-cn"]
    );
    let china = Config::parse("f", "[users]\na = \"arn:aws-cn:iam::aws:policy/P\"\n").unwrap();
    assert_eq!(china.partition(), Some(Partition::AwsCn));
}

#[test]
fn an_invalid_short_name_is_reported_once_and_not_for_each_user() {
    let text = "[boundaries]\ndev = \"arn:aws:iam::123456789012:role/Dev\"\n[users]\n\
                a = \"dev\"\nb = \"dev\"\n";
    assert_eq!(messages(text).len(), 1, "{:?}", messages(text));
}

#[test]
fn a_file_that_cannot_be_read_is_one_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Config::read(&folder.path().join("none.toml")).unwrap_err().to_string();
    assert!(missing.contains("file not found"), "{missing}");
    let directory = Config::read(folder.path()).unwrap_err().to_string();
    assert!(directory.contains("it is a directory"), "{directory}");
    let bytes = folder.path().join("bytes.toml");
    std::fs::write(&bytes, b"[users]\nal\xffice = false\n").unwrap();
    let not_utf8 = Config::read(&bytes).unwrap_err();
    assert_eq!((not_utf8.diagnostics()[0].line, not_utf8.diagnostics()[0].column), (2, 3));
    assert!(not_utf8.to_string().contains("0xff"), "{not_utf8}");
    std::fs::write(&bytes, b"\xff\xfe[\0u\0").unwrap();
    assert!(Config::read(&bytes).unwrap_err().to_string().contains("UTF-16"));
}

#[test]
fn control_characters_of_a_file_never_reach_the_terminal() {
    let text = "[users]\n\"a\\u001b[2J\" = \"x\\u202e\"\nb = \"\u{1b}[31m\u{202e}\"\n";
    let shown = errors_of(text).render(false);
    assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
}

#[test]
fn thousands_of_errors_are_all_shown() {
    let mut text = "[users]\n".to_owned();
    for n in 0..5_000 {
        writeln!(text, "user{n} = \"nothing\"").unwrap();
    }
    let shown = errors_of(&text).render(false);
    assert_eq!(shown.matches("unknown short name").count(), 5_000);
    assert!(shown.ends_with("5,000 errors in boundaries.toml\n"));
}

#[test]
fn no_damaged_file_causes_a_panic() {
    let whole = include_str!("files/many_errors.toml");
    let mut random = fastrand::Rng::with_seed(20_261_124);
    for _ in 0..4_000 {
        let mut bytes = whole.as_bytes().to_vec();
        for _ in 0..random.usize(1..6) {
            let at = random.usize(..bytes.len());
            match random.u8(..4) {
                0 => bytes.truncate(at.max(1)),
                1 => bytes[at] = *random.choice(b"[]=\".'\n#{} ,\\\x00\xc3\xa9").unwrap(),
                2 => drop(bytes.remove(at)),
                _ => bytes.insert(at, *random.choice(b"[]=\".'\n#{}").unwrap()),
            }
            if bytes.is_empty() {
                bytes.push(b'x');
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Err(errors) = Config::parse("f.toml", &text) {
            let lines = text.lines().count().max(1) + 1;
            assert!(errors.diagnostics().iter().all(|d| d.line <= lines));
            assert!(errors.render(false).contains("f.toml"));
        }
    }
}

#[test]
fn a_line_that_stops_the_parser_hides_no_error_below_it() {
    let text = "[users]\njohn doe = false\nname@x.com = false\nbob = 1\ncarl = FALSE\n";
    let lines: Vec<usize> =
        errors_of(text).diagnostics().iter().map(|diagnostic| diagnostic.line).collect();
    assert_eq!(lines, [2, 3, 4, 5]);
    let shown = errors_of(text).to_string();
    assert!(shown.contains("\"name@x.com\" = false"), "{shown}");
    assert!(shown.contains("write false in lowercase"), "{shown}");
}

#[test]
fn lines_below_an_invalid_table_header_are_not_reported_as_unknown_keys() {
    assert_eq!(messages("[users\nalice = false\n").len(), 1);
    assert_eq!(messages("alice = false\n").len(), 2);
}
