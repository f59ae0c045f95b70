//! The file: what is read from it, and how its mistakes are shown.

use std::fmt::Write as _;

use iam_boundaries::config::{Config, FileErrors};
use iam_boundaries::iam::Partition;

fn mistakes(text: &str) -> FileErrors {
    Config::parse("boundaries.toml", text).expect_err("the file has a mistake")
}

/// The mistakes as `line:column message`.
fn listed(text: &str) -> Vec<String> {
    let errors = mistakes(text);
    let line = |d: &iam_boundaries::config::Diagnostic| {
        assert!(d.help.is_some(), "no help at {d:?}");
        format!("{}:{} {}", d.line, d.column, d.message)
    };
    errors.diagnostics().iter().map(line).collect()
}

#[test]
fn all_of_the_format_is_read() {
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
fn names_that_look_like_other_values_of_toml_are_names() {
    let text = "[users]\n123 = false\ntrue = false\n1e5 = false\ninf = false\n0x10 = false\n\
                2024-01-01 = false\n\"a+b=c,d.e@f_g-h\" = false\n'single' = false\n";
    let config = Config::parse("f.toml", text).unwrap();
    let names: Vec<&str> = config.users.keys().map(|name| name.as_str()).collect();
    let expected = ["0x10", "123", "1e5", "2024-01-01", "a+b=c,d.e@f_g-h", "inf", "single", "true"];
    assert_eq!(names, expected);
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_taken() {
    let config = Config::parse("f.toml", "\u{feff}[users]\r\nalice = false\r\n").unwrap();
    assert_eq!(config.users[&"alice".parse().unwrap()].line, 2);
}

#[test]
fn every_mistake_of_a_file_is_shown_at_once() {
    insta::assert_snapshot!(mistakes(include_str!("files/many_mistakes.toml")).render(false));
}

#[test]
fn a_syntax_error_hides_no_other_mistake_and_brings_no_false_one() {
    let text = "[users]\nal@ice = \"arn:aws:iam::aws:policy/X\"\nbob = 1\n\"carol\" = \n";
    let found = listed(text);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("2:3 this is not TOML"), "{found:?}");
    assert_eq!(found[1], "3:7 the boundary of \"bob\" is a number");
    assert!(found[2].starts_with("4:"), "{found:?}");
}

#[test]
fn a_user_listed_twice_is_shown_with_the_first_place() {
    let shown = mistakes("[users]\nalice = false\nbob = false\nalice = false\n").to_string();
    assert!(shown.contains("\"alice\" is listed twice"), "{shown}");
    assert!(shown.contains("boundaries.toml:4:1"), "{shown}");
    assert!(shown.contains("first in line 2"), "{shown}");
}

#[test]
fn files_without_users_are_mistakes() {
    assert_eq!(listed(""), ["1:1 the file is empty"]);
    assert_eq!(listed("# nothing\n"), ["1:1 the file has no table [users]"]);
    assert_eq!(listed("[users]\n"), ["1:2 the table [users] lists no user"]);
    assert_eq!(listed("users = 1\n"), ["1:9 users is a table, not a number"]);
    assert_eq!(listed("[account]\n[users]\na = false\n"), ["1:2 the table [account] has no id"]);
}

#[test]
fn an_arn_of_another_account_or_partition_is_a_mistake() {
    let of_account = "[account]\nid = \"111111111111\"\n[users]\n\
                      a = \"arn:aws:iam::222222222222:policy/P\"\n";
    assert_eq!(
        listed(of_account),
        [
            "4:5 this policy belongs to account 222222222222, and the file is for 111111111111 (line 2)"
        ]
    );
    let mixed = "[users]\na = \"arn:aws-cn:iam::aws:policy/P\"\n\
                 b = \"arn:aws:iam::aws:policy/P\"\nc = \"arn:aws-cn:iam::aws:policy/P\"\n";
    assert_eq!(listed(mixed), ["3:5 this ARN is of the partition aws, and the others of aws-cn"]);
    let china = Config::parse("f", "[users]\na = \"arn:aws-cn:iam::aws:policy/P\"\n").unwrap();
    assert_eq!(china.partition(), Some(Partition::AwsCn));
}

#[test]
fn a_wrong_short_name_is_reported_once_and_not_at_each_user() {
    let text = "[boundaries]\ndev = \"arn:aws:iam::123456789012:role/Dev\"\n[users]\n\
                a = \"dev\"\nb = \"dev\"\n";
    assert_eq!(listed(text).len(), 1, "{:?}", listed(text));
}

#[test]
fn what_cannot_be_read_is_one_clear_message() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Config::read(&folder.path().join("none.toml")).unwrap_err().to_string();
    assert!(missing.contains("there is no such file"), "{missing}");
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
fn nothing_in_a_file_reaches_the_terminal_raw() {
    let text = "[users]\n\"a\\u001b[2J\" = \"x\\u202e\"\nb = \"\u{1b}[31m\u{202e}\"\n";
    let shown = mistakes(text).render(false);
    assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
}

#[test]
fn thousands_of_mistakes_are_all_shown() {
    let mut text = "[users]\n".to_owned();
    for n in 0..5_000 {
        writeln!(text, "user{n} = \"nothing\"").unwrap();
    }
    let shown = mistakes(&text).render(false);
    assert_eq!(shown.matches("unknown short name").count(), 5_000);
    assert!(shown.ends_with("5000 mistakes in boundaries.toml\n"));
}

#[test]
fn no_mutilated_file_makes_it_panic() {
    let whole = include_str!("files/many_mistakes.toml");
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
fn a_line_that_stops_the_parser_hides_nothing_below_it() {
    let text = "[users]\njohn doe = false\nname@x.com = false\nbob = 1\ncarl = FALSE\n";
    let lines: Vec<usize> =
        mistakes(text).diagnostics().iter().map(|diagnostic| diagnostic.line).collect();
    assert_eq!(lines, [2, 3, 4, 5]);
    let shown = mistakes(text).to_string();
    assert!(shown.contains("\"name@x.com\" = false"), "{shown}");
    assert!(shown.contains("write false in small letters"), "{shown}");
}

#[test]
fn a_header_that_cannot_be_read_makes_no_strays_of_the_lines_below_it() {
    assert_eq!(listed("[users\nalice = false\n").len(), 1);
    assert_eq!(listed("alice = false\n").len(), 2);
}
