//! `boundaries.toml`: its content and its diagnostics.

use std::fmt::Write as _;

use crate::support::Binary;
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
    assert_eq!(of("metrics+export").unwrap().arn().unwrap().name(), "ReadOnlyAccess");
    let john = of("john.doe").unwrap();
    assert!(config.names.iter().any(|name| name == ("developer", &john)));
    assert_eq!(config.users[&"alice".parse().unwrap()].position.line, 20);
}

#[test]
fn users_and_roles_are_two_tables_whose_entries_are_checked_alike() {
    let text = "[boundaries]\ndev = \"arn:aws:iam::123456789012:policy/Dev\"\n[roles]\ndeploy = \"dev\"\n\
                [users]\ndeploy = false\nalice = \"dev\"\n";
    let config = Config::parse("f.toml", text).unwrap();
    let listed: Vec<String> =
        config.entries().map(|(principal, _)| principal.to_string()).collect();
    assert_eq!(listed, ["alice", "deploy", "role/deploy"]);
    assert_eq!(config.roles[&"deploy".parse().unwrap()].position.line, 4);
    assert_eq!(config.listed().to_string(), "2 users and 1 role");
    let only_roles = "[roles]\ndeploy = \"arn:aws-cn:iam::123456789012:policy/Dev\"\n";
    let config = Config::parse("f.toml", only_roles).unwrap();
    assert_eq!(config.partition(), Some(Partition::AwsCn));
    assert!(config.names_account());
    // An empty table is harmless beside one with entries.
    for table in ["[users]\n[roles]\na = false\n", "[roles]\n[users]\na = false\n"] {
        assert!(Config::parse("f.toml", table).is_ok(), "{table}");
    }
    assert_eq!(
        messages("[users]\n[roles]\n"),
        ["1:2 the [users] table is empty", "2:2 the [roles] table is empty"]
    );
}

#[test]
fn each_common_error_in_the_table_of_roles_names_roles() {
    let files = [
        "deploy = 1",
        "deploy = null",
        "deploy = FALSE",
        "deploy = \"null\"",
        "deploy = \"\"",
        "deploy = true",
        "deploy = { boundry = \"arn:aws:iam::aws:policy/X\" }",
        "ci.deploy = false",
        "\"arn:aws:iam::123456789012:role/ci/deploy\" = false",
        "\"/ci/deploy\" = false",
        "\"a b\" = false",
        "ok = false",
        "OK = false",
        "[guard]\nprotected_roles = \"admin\"",
        "[guard]\nprotected_roles = [7, \"a b\"]",
        "[guard]\nprotected_role = [\"admin\"]",
    ];
    let shown = files.map(|line| {
        let shown = errors_of(&format!("[roles]\nok = false\n{line}\n")).render(false, None);
        shown.rsplit_once("\n1 error in").unwrap_or((&shown, "")).0.to_owned()
    });
    insta::assert_snapshot!(shown.join("\n"));
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
    assert_eq!(config.users[&"alice".parse().unwrap()].position.line, 2);
}

#[test]
fn every_error_of_a_file_is_shown_at_once() {
    insta::assert_snapshot!(errors_of(include_str!("files/many_errors.toml")).render(false, None));
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
fn a_table_in_place_of_a_boundary_is_an_entry_or_the_end_of_a_name() {
    let number = "the boundary of \"a\" must be a string or false, not a number";
    let missing = "the entry of \"a\" has no boundary";
    let table = "the boundary of \"a\" must be a string or false, not a table";
    for (text, expected) in [
        ("[users]\na = { boundary = 1 }\n", number),
        ("[users]\na = {}\n", missing),
        ("[users.a]\nb = 1\n", table),
    ] {
        assert!(messages(text)[0].ends_with(expected), "{text}");
    }
    let dotted = messages("[users]\na.b = false\n");
    assert_eq!(dotted, ["2:1 \"a.b\" is not in quotes, so TOML reads it as a nested table"]);
}

#[test]
fn a_file_without_users_is_an_error() {
    assert_eq!(messages(""), ["1:1 the file is empty"]);
    assert_eq!(messages("# nothing\n"), ["1:1 the file has no [users] table and no [roles] table"]);
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
    let missing = Config::read(&[folder.path().join("none.toml")]).unwrap_err().to_string();
    assert!(missing.contains("file not found"), "{missing}");
    let directory = Config::read(&[folder.path()]).unwrap_err().to_string();
    assert!(directory.contains("it is a directory"), "{directory}");
    let bytes = folder.path().join("bytes.toml");
    std::fs::write(&bytes, b"[users]\nal\xffice = false\n").unwrap();
    let not_utf8 = Config::read(&[&bytes]).unwrap_err();
    assert_eq!((not_utf8.diagnostics()[0].line, not_utf8.diagnostics()[0].column), (2, 3));
    assert!(not_utf8.to_string().contains("0xff"), "{not_utf8}");
    for utf_16 in [&b"\xff\xfe[\0u\0"[..], b"\xfe\xff\0[\0u", b"[\0u\0s\0"] {
        std::fs::write(&bytes, utf_16).unwrap();
        let said = Config::read(&[&bytes]).unwrap_err().to_string();
        assert!(said.contains("it is encoded in UTF-16"), "{said}");
    }
}

#[test]
fn control_characters_of_a_file_never_reach_the_terminal() {
    let text = "[users]\n\"a\\u001b[2J\" = \"x\\u202e\"\nb = \"\u{1b}[31m\u{202e}\"\n";
    let shown = errors_of(text).render(false, None);
    assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
}

#[test]
fn equal_errors_are_shown_once_with_the_places_of_the_others() {
    let mut text = "[users]\n".to_owned();
    for n in 0..5_000 {
        writeln!(text, "user{n} = \"nothing\"").unwrap();
    }
    text += "last = 1\n";
    let errors = errors_of(&text);
    let shown = errors.render(false, None);
    assert_eq!(errors.diagnostics().len(), 5_001);
    assert_eq!(shown.matches("unknown short name").count(), 1);
    let places = "the same error is at 3:9, 4:9, 5:9, 6:9, 7:9, 8:9, 9:9, 10:9, 11:9, 12:10 and 4,989 more\n";
    assert!(shown.contains(places), "{shown}");
    assert!(shown.contains("boundaries.toml:5002:8"), "{shown}");
    assert!(shown.ends_with("5,001 errors in boundaries.toml\n"), "{shown}");
    let two = errors_of("[users]\na = \"x\"\nb = \"x\"\n").render(false, None);
    assert!(two.contains("= note: the same error is at 3:5\n"), "{two}");
}

#[test]
fn after_a_hundred_different_errors_the_others_are_counted() {
    let file = |users: usize| {
        let lines = (0..users).map(|n| format!("user{n} = \"nothing{n}\"\n"));
        format!("[users]\n{}", lines.collect::<String>())
    };
    let shown = errors_of(&file(100)).render(false, None);
    assert_eq!(shown.matches("error: ").count(), 100);
    assert!(!shown.contains(" more error"), "{shown}");
    let shown = errors_of(&file(150_000)).render(false, None);
    assert_eq!(shown.matches("error: ").count(), 100);
    let rest = "\n149,900 more errors from line 102; to list all of them, use: check --format json\n\n\
                150,000 errors in boundaries.toml\n";
    assert!(shown.ends_with(rest), "{shown}");
    assert!(shown.len() < 30_000, "{}", shown.len());
}

/// The help of the only error in the file.
fn help_of(text: &str) -> String {
    let errors = errors_of(text);
    assert_eq!(errors.diagnostics().len(), 1, "{errors}");
    errors.diagnostics()[0].help.clone().unwrap()
}

#[test]
fn each_common_error_has_a_help_that_is_right() {
    let file = "[users]\n";
    let files = [
        "alice = null",
        "alice = None",
        "alice = ~",
        "alice = \"null\"",
        "alice = nothing",
        "alice = { boundry = \"arn:aws:iam::aws:policy/X\" }",
        "alice.boundry = \"arn:aws:iam::aws:policy/X\"",
        "[users.alice]\nboundary = 1",
        "[users.john.doe]\nboundary = \"arn:aws:iam::aws:policy/X\"",
        "john.doe = { boundary = \"arn:aws:iam::aws:policy/X\" }",
        "alice = { reason = \"SEC-1\" }",
        "a = \"arn:aws:iam::123456789012:policy\"",
        "a = \"arn:aws:iam::123456789012:Policy/Dev\"",
        "a = \"arn:aws:iam::123456789012:policy/D\u{435}v\"",
        "a = \"arn:aws:iam::123456789012:\"",
        "\u{430}lice = false",
        "\"\u{430}lice\" = false",
        "alice\u{a0}= false",
        "alice =\u{a0}false",
        "alice = \u{201c}dev\u{201d}",
        "\u{201c}alice\u{201d} = false",
        "alice = false \u{200b}",
        "a = \"d\u{435}v\"",
        "a\u{2013}b = false",
        "a=b,c\"",
        "a=b,c\" = \"dev\"",
        "a,b\" = \"x\"",
        "a@b = dev",
        "a\\b = 'x'",
        "alice = TRUE",
        "[guard]\nmax_removals = 1.5",
        "[guard]\nmax_removals = -1",
        "[guard]\nmax_removals = \"50\"",
        "[guard]\nmax_removals = 10%",
        "[guard]\nmax_removals = null",
        "[guard]\nmax_removals = \"101%\"",
    ];
    let shown = files.map(|line| {
        let text = format!("{file}ok = false\n{line}\n");
        let shown = errors_of(&text).render(false, None);
        shown.rsplit_once("\n1 error in").unwrap_or((&shown, "")).0.to_owned()
    });
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn a_line_that_a_message_proposes_is_valid() {
    for (line, proposed) in [
        ("a=b,c\" = \"arn:aws:iam::aws:policy/X\"", "\"a=b,c\" = \"arn:aws:iam::aws:policy/X\""),
        ("a@b = false", "\"a@b\" = false"),
        ("\"a,b = false", "\"a,b\" = false"),
        ("john.doe = false", "\"john.doe\" = false"),
        (
            "\u{201c}alice\u{201d} = \u{201c}arn:aws:iam::aws:policy/X\u{201d}",
            "alice = \"arn:aws:iam::aws:policy/X\"",
        ),
        ("alice = null", "alice = false"),
        ("john.doe = { boundary = false }", "\"john.doe\" = { boundary = false }"),
    ] {
        let help = help_of(&format!("[users]\n{line}\n"));
        assert!(help.contains(proposed), "{line}: {help}");
        Config::parse("f.toml", &format!("[users]\n{proposed}\n")).unwrap();
    }
}

#[test]
fn no_proposed_line_is_invalid_toml() {
    let mut random = fastrand::Rng::with_seed(20_261_125);
    for _ in 0..20_000 {
        let length = random.usize(1..16);
        let alphabet = [
            "a", "b", "=", " = ", "\"", "'", ",", ".", "@", "\\", "\u{201c}", "\u{e9}", "#",
            "false",
        ];
        let line: String = (0..length).map(|_| *random.choice(&alphabet).unwrap()).collect();
        let Err(errors) = Config::parse("f.toml", &format!("[users]\n{line}\n")) else { continue };
        for diagnostic in errors.diagnostics() {
            let help = diagnostic.help.as_deref().unwrap_or_default();
            for rule in ["in quotes: ", "quotation marks: "] {
                let Some((_, proposed)) = help.split_once(rule) else { continue };
                let document = match proposed.contains(" = ") {
                    true => proposed.to_owned(),
                    false if proposed == "\"" => continue,
                    false => format!("key = {proposed}"),
                };
                let parsed = document.parse::<toml::Table>();
                assert!(parsed.is_ok(), "{line}: {help}");
            }
        }
    }
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
            assert!(errors.render(false, None).contains("f.toml"));
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

#[test]
fn advice_names_what_the_user_wrote() {
    let shown = errors_of("[account]\nid = 210987654321\n[users]\na = false\n").to_string();
    assert!(shown.contains("write the 12 digits in quotes: \"210987654321\""), "{shown}");
    let binary = Binary::with_file("[users]\na = false\n");
    let ran = binary.run(&["show", "boundaries.toml"]);
    assert!(ran.code == 1 && ran.err.contains("use `plan -f FILE`"), "{ran}");
    let ran = binary.run(&["--sandbox", "plan", "--base", "."]);
    assert!(ran.code == 1 && ran.err.contains("in the directory with --base FILE"), "{ran}");
    let ran = binary.run(&["--sandbox", "plan", "--explain", "user/nobody-at-all"]);
    assert!(ran.code == 1 && ran.err.contains("correct the name or the pattern"), "{ran}");
    let file = "[users]\nalice = \"arn:aws:iam::aws:policy/NoSuchAws\"\n";
    let binary = Binary::with_file(file);
    let ran = binary.run(&["--sandbox", "plan"]);
    assert!(!ran.out.contains("create the policy"), "{ran}");
}

#[test]
fn check_compares_the_account_of_the_file_with_the_option() {
    for file in [
        "[account]\nid = \"123456789012\"\n[users]\na = false\n",
        "[users]\na = \"arn:aws:iam::123456789012:policy/P\"\n",
    ] {
        let binary = Binary::with_file(file);
        let other = binary.run(&["check", "--account", "111111111111"]);
        assert_eq!(other.code, 1, "{other}");
        let message =
            "wrong account: --account is 111111111111, and the files are for account 123456789012";
        assert!(other.err.contains(message), "{other}");
        let same = binary.run(&["check", "--account", "123456789012"]);
        assert_eq!(same.code, 0, "{same}");
    }
}

#[test]
fn messages_wrap_at_the_width_of_a_terminal_and_excerpts_do_not() {
    let errors = errors_of(include_str!("files/many_errors.toml"));
    let plain = errors.render(false, None);
    let is_excerpt = |line: &&str| line.contains(" |") || line.contains("--> ");
    let excerpts =
        |text: &str| text.lines().filter(is_excerpt).map(str::to_owned).collect::<Vec<_>>();
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let is_long = |line: &&str| !is_excerpt(line) && line.chars().count() > 80;
    assert!(plain.lines().filter(is_long).count() > 3, "{plain}");
    let wide = errors.render(false, Some(1_000));
    assert_eq!(wide, plain);
    let wrapped = errors.render(false, Some(120));
    assert_eq!(excerpts(&wrapped), excerpts(&plain), "{wrapped}");
    assert_eq!(words(&wrapped), words(&plain), "{wrapped}");
    let wrapped = errors.render(false, Some(80));
    assert_eq!(wrapped.lines().find(|line| line.chars().count() > 80), None, "{wrapped}");
    assert!(errors.render(true, Some(80)).lines().count() == wrapped.lines().count());
}
