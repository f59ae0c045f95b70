//! Properties of each message about invalid TOML: it is printable, and in the words of this tool.

use iam_boundaries::config::Config;
use iam_boundaries::iam::Printable;

use super::toml_mistakes::{is_of_the_parser, users};

/// Advice with a name or a text from the file is printable, and means the same characters.
#[test]
fn advice_contains_no_control_character_or_invisible_character() {
    let templates = [
        ("\"a.bX\"", "write \"a.bY\" = VALUE"),
        ("\"a\\u0062X\"", "write \"abY\" = VALUE"),
        ("\"a\\tX\": dev", "write \"a\\tY\" = \"dev\""),
        ("\"a.bX\": dev", "write \"a.bY\" = \"dev\""),
        ("a = \"devX'", "put the string in quotes: \"devY\""),
        ("a.\"bX\" = \"dev\"", "put the name in quotes: \"a.bY\" = \"dev\""),
    ];
    for (character, escape) in [
        ("\u{85}", "\\u0085"),
        ("\u{9b}", "\\u009B"),
        ("\u{200b}", "\\u200B"),
        ("\u{202e}", "\\u202E"),
        ("\u{e0041}", "\\U000E0041"),
    ] {
        for (line, help) in templates {
            let errors =
                Config::parse("f.toml", &users(&line.replace('X', character))).unwrap_err();
            let shown = errors.to_string();
            assert!(shown.contains(&help.replace('Y', escape)), "{shown:?}");
            assert_printable(&shown);
        }
    }
}

fn assert_printable(text: &str) {
    for line in text.split('\n') {
        assert_eq!(Printable::exact(line).as_str(), line);
    }
}

#[test]
fn no_message_of_the_parser_reaches_the_user() {
    let whole = "[account]\nid = \"123456789012\"\n[boundaries]\ndev = { arn = \"policy/D\", document = 'd.json' }\n\
                 [guard]\nmax_changes = 10\nprotected = [\"a\", \"b\"]\n[users]\n\"a.b\" = \"dev\" # c\n\
                 c = { boundary = false, until = 2027-01-31T12:00:00Z, then = \"dev\" }\n[[rules]]\npath = \"/a/*\"\n";
    let mut random = fastrand::Rng::with_seed(20_261_129);
    let inserts = [
        "[",
        "]",
        "=",
        "\"",
        "'",
        "\n",
        "#",
        "{",
        "}",
        ",",
        ":",
        "\\",
        "\"\"\"",
        "0",
        "-",
        " ",
        "é",
        "\u{1}",
        "\u{9b}",
        "\u{202e}",
        "\u{e0041}",
    ];
    let mut failed = 0;
    for _ in 0..6_000 {
        let mut text: Vec<char> = whole.chars().collect();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..text.len().max(1));
            match random.u8(..3) {
                0 if at < text.len() => drop(text.remove(at)),
                1 => text.truncate(at.max(1)),
                _ => drop(text.splice(at..at, random.choice(inserts).unwrap().chars())),
            }
        }
        let text: String = text.into_iter().collect();
        let Err(errors) = Config::parse("f.toml", &text) else { continue };
        failed += 1;
        for error in errors.diagnostics() {
            assert!(!is_of_the_parser(&error.message), "{text}\n{}", error.message);
            assert!(error.help.is_some(), "{text}\n{}", error.message);
        }
        assert_printable(&errors.to_string());
    }
    assert!(failed > 3_000, "{failed}");
}
