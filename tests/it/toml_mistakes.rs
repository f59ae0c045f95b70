//! Common mistakes in TOML: each is one message with its place, in the words of this tool, and following the advice gives
//! a valid file with the meaning that the user had in mind.

use iam_boundaries::config::{Config, Diagnostic};

const A: &str = "arn:aws:iam::123456789012:policy/A";

fn errors_of(text: &str) -> Vec<Diagnostic> {
    Config::parse("f.toml", text).expect_err(text).diagnostics().to_vec()
}

/// The only error of a file: at this line and column, with this part of its message, in the words of the tool.
fn only_error(text: &str, place: (usize, usize), message: &str) -> Diagnostic {
    let mut errors = errors_of(text);
    let shown = Config::parse("f.toml", text).unwrap_err().to_string();
    assert_eq!(errors.len(), 1, "{shown}");
    let error = errors.remove(0);
    assert_eq!((error.line, error.column), place, "{shown}");
    assert!(error.message.contains(message), "{shown}");
    assert!(!is_of_the_parser(&error.message), "{shown}");
    error
}

/// The tables of a file in which `line` is an entry of `[users]`, with lines after it.
pub fn users(line: &str) -> String {
    format!("[boundaries]\ndev = \"{A}\"\n[users]\n{line}\nlast = \"dev\"\n")
}

/// Words that only the TOML parser uses, or its quotation marks.
pub fn is_of_the_parser(message: &str) -> bool {
    let words = [
        "`",
        "expected nothing",
        "expected newline",
        "basic string",
        "literal string",
        "unquoted key",
    ];
    words.iter().any(|word| message.contains(word))
}

/// The entry with the mistake, the column and a part of the message, the whole advice, and the entry after following it.
const ENTRIES: [(&str, usize, &str, &str, &str); 41] = [
    (
        "a := false",
        3,
        "expected = between the name and the value, found :=",
        "write = in place of :=",
        "a = false",
    ),
    ("a: false", 2, "found :", "write = in place of :", "a = false"),
    ("\"a\": \"dev\"", 4, "found :", "write = in place of :", "\"a\" = \"dev\""),
    ("a => \"dev\"", 3, "found =>", "write = in place of =>", "a = \"dev\""),
    ("a -> \"dev\"", 3, "found ->", "write = in place of ->", "a = \"dev\""),
    ("a == false", 3, "found ==", "write = in place of ==", "a = false"),
    ("a \"dev\"", 3, "expected = between", "write = before the value", "a = \"dev\""),
    ("a false", 3, "expected = between", "write = before the value", "a = false"),
    ("a: dev", 2, "found :", "write a = \"dev\"", "a = \"dev\""),
    (
        "a = dev",
        5,
        "a string must be in quotes",
        "put the string in quotes: \"dev\"",
        "a = \"dev\"",
    ),
    (
        "a = `dev`",
        5,
        "a string must be in quotes",
        "put the string in quotes: \"dev\"",
        "a = \"dev\"",
    ),
    (
        "a = dev\"",
        5,
        "a string must be in quotes",
        "put the string in quotes: \"dev\"",
        "a = \"dev\"",
    ),
    (
        "a = \"dev",
        5,
        "no closing quotation mark",
        "write \" at the end of the string",
        "a = \"dev\"",
    ),
    ("a = 'dev", 5, "no closing quotation mark", "write ' at the end of the string", "a = 'dev'"),
    (
        "a = \"dev # old",
        5,
        "no closing quotation mark",
        "write \" at the end of the string",
        "a = \"dev\" # old",
    ),
    (
        "a = \"dev'",
        5,
        "no closing quotation mark",
        "put the string in quotes: \"dev\"",
        "a = \"dev\"",
    ),
    (
        "a = \"dev\u{201d}",
        9,
        "curly quotation mark",
        "use straight quotation marks: a = \"dev\"",
        "a = \"dev\"",
    ),
    (
        "a = \"\"\"dev",
        5,
        "no closing quotation marks",
        "write three quotation marks at its end, too, or one on each side",
        "a = \"dev\"",
    ),
    ("a = false,", 10, ", is not allowed at the end of a line", "remove ,", "a = false"),
    ("a = \"dev\";", 10, "; is not allowed at the end of a line", "remove ;", "a = \"dev\""),
    (
        "a = false // old",
        11,
        "a comment begins with #",
        "write # in place of //",
        "a = false # old",
    ),
    (
        "a = false -- old",
        11,
        "a comment begins with #",
        "write # in place of --",
        "a = false # old",
    ),
    ("// old", 1, "a comment begins with #", "write # in place of //", "# old"),
    ("; old", 1, "a comment begins with #", "write # in place of ;", "# old"),
    (
        "a = no",
        5,
        "true and false",
        "write false in lowercase if the user must have no boundary",
        "a = false",
    ),
    (
        "a = False",
        5,
        "true and false",
        "write false in lowercase if the user must have no boundary",
        "a = false",
    ),
    ("a =", 1, "a has no value", "write a value after =, or remove the line", ""),
    ("a", 1, "a name needs = and a value", "write a = VALUE, or remove the line", ""),
    (
        "/eng/a = \"dev\"",
        1,
        "\"/eng/a\" is not a name of IAM",
        "write the name without its path: a = \"dev\"",
        "a = \"dev\"",
    ),
    (
        "user/a = false",
        1,
        "is not a name of IAM",
        "write the name without its path: a = false",
        "a = false",
    ),
    (
        "role/a = false",
        1,
        "is not a name of IAM",
        "write a = false below [roles]",
        "[roles]\na = false\n[other]",
    ),
    ("a@b.c: \"dev\"", 1, "must be in quotes", "write \"a@b.c\" = \"dev\"", "\"a@b.c\" = \"dev\""),
    ("a = \"d\u{1}ev\"", 7, "U+0001 is not allowed here", "remove it", "a = \"dev\""),
    (
        "a = { boundary = \"dev\", until = 2026-1-5 }",
        33,
        "two digits for the month and for the day",
        "write 2026-01-05",
        "a = { boundary = \"dev\", until = 2026-01-05 }",
    ),
    (
        "a = { boundary = \"dev\", until = 2026/01/05 }",
        33,
        "two digits",
        "write 2026-01-05",
        "a = { boundary = \"dev\", until = 2026-01-05 }",
    ),
    (
        "a = { boundary = \"dev\", until = 2026-02-30 }",
        33,
        "the date 2026-02-30 does not exist",
        "write a date that exists, such as 2027-01-31",
        "a = { boundary = \"dev\", until = 2027-01-31 }",
    ),
    (
        "a = { boundary = \"dev\", until = 31.01.2027 }",
        33,
        "31.01.2027 is not a date of TOML",
        "write a date as YEAR-MONTH-DAY, such as 2027-01-31",
        "a = { boundary = \"dev\", until = 2027-01-31 }",
    ),
    (
        "a = { boundary = \"dev\", until = 2026-01-05T25:00:00Z }",
        33,
        "25:00:00Z is not a time of a day",
        "write a time from 00:00:00 to 23:59:59, such as 2026-01-05T12:00:00Z, or only the date 2026-01-05",
        "a = { boundary = \"dev\", until = 2026-01-05T12:00:00Z }",
    ),
    (
        "a = { boundary: \"dev\", reason: \"x\" }",
        15,
        "found :",
        "write a = { boundary = \"dev\", reason = \"x\" }",
        "a = { boundary = \"dev\", reason = \"x\" }",
    ),
    (
        "a = { boundary = \"dev\" reason = \"x\" }",
        23,
        "expected a comma between two values",
        "write a comma here",
        "a = { boundary = \"dev\", reason = \"x\" }",
    ),
    (
        "a = { boundary = \"dev\", reason = \"x\"",
        5,
        "the inline table has no closing bracket",
        "write } after the last value",
        "a = { boundary = \"dev\", reason = \"x\" }",
    ),
];

#[test]
fn each_mistake_in_an_entry_has_a_message_and_true_advice() {
    for (line, column, message, help, corrected) in ENTRIES {
        let error = only_error(&users(line), (4, column), message);
        assert!(error.help.as_deref().unwrap().starts_with(help), "{line}: {error:?}");
        if corrected.ends_with("[other]") {
            let roles = corrected.strip_suffix("[other]").unwrap();
            Config::parse("f.toml", &format!("[users]\nlast = false\n{roles}")).unwrap();
        } else {
            Config::parse("f.toml", &users(corrected)).unwrap();
        }
    }
}

type InFile = (&'static str, (usize, usize), &'static str, &'static str, &'static str);

/// The file with the mistake, the place and a part of the message, the whole advice, and the file after following it.
const FILES: [InFile; 19] = [
    (
        "[users\na = false\n",
        (1, 1),
        "brackets of the header",
        "write [users]",
        "[users]\na = false\n",
    ),
    (
        "users]\na = false\n",
        (1, 1),
        "brackets of the header",
        "write [users]",
        "[users]\na = false\n",
    ),
    (
        "[[users]\na = false\n",
        (1, 1),
        "brackets of the header",
        "write [users]",
        "[users]\na = false\n",
    ),
    (
        "[[rules]\npath = \"/a/*\"\nboundary = \"policy/A\"\n",
        (1, 1),
        "brackets of the header",
        "write [[rules]]",
        "[[rules]]\npath = \"/a/*\"\nboundary = \"policy/A\"\n",
    ),
    (
        "[guard]\nprotected = [\"a\", \"b\"\n[users]\na = false\n",
        (2, 13),
        "the array has no closing bracket",
        "write ] after the last value",
        "[guard]\nprotected = [\"a\", \"b\"]\n[users]\na = false\n",
    ),
    (
        "[guard]\nprotected = \"a\", \"b\"]\n[users]\na = false\n",
        (2, 13),
        "the array has no opening bracket",
        "write [ before the value",
        "[guard]\nprotected = [\"a\", \"b\"]\n[users]\na = false\n",
    ),
    (
        "[guard]\nprotected = [\"a\" \"b\"]\n[users]\na = false\n",
        (2, 17),
        "expected a comma between two values",
        "write a comma here",
        "[guard]\nprotected = [\"a\", \"b\"]\n[users]\na = false\n",
    ),
    (
        "[guard]\nprotected = [a]\n[users]\na = false\n",
        (2, 14),
        "a string must be in quotes",
        "put the string in quotes: \"a\"",
        "[guard]\nprotected = [\"a\"]\n[users]\na = false\n",
    ),
    (
        "[guard]\nmax_changes = 010\n[users]\na = false\n",
        (2, 15),
        "a number must not begin with 0",
        "write 10",
        "[guard]\nmax_changes = 10\n[users]\na = false\n",
    ),
    (
        "[guard]\nallow_own_boundary = yes\n[users]\na = false\n",
        (2, 22),
        "true and false",
        "write true in lowercase",
        "[guard]\nallow_own_boundary = true\n[users]\na = false\n",
    ),
    (
        "[account]\nid = 012345678901\n[users]\na = false\n",
        (2, 6),
        "a number must not begin with 0",
        "put the digits in quotes: \"012345678901\"",
        "[account]\nid = \"012345678901\"\n[users]\na = false\n",
    ),
    (
        "[Users]\na = false\n",
        (1, 2),
        "unknown key \"Users\"",
        "did you mean users?",
        "[users]\na = false\n",
    ),
    (
        "[boundaries]\nd = { arn = \"policy/D\", document = \"p\\d.json\" }\n[users]\na = \"d\"\n",
        (2, 38),
        "\\d is not an escape sequence",
        "in a path, write / in place of \\; for a backslash, write \\\\",
        "[boundaries]\nd = { arn = \"policy/D\", document = \"p/d.json\" }\n[users]\na = \"d\"\n",
    ),
    (
        "[users]\ra = false\r",
        (1, 8),
        "a carriage return (CR) without a line feed (LF)",
        "save the file with line endings of Unix (LF) or Windows (CRLF)",
        "[users]\r\na = false\r\n",
    ),
    (
        "---\nusers:\n  a: false\n",
        (1, 1),
        "the file is YAML, and not TOML",
        "specify a TOML file, or convert this one to TOML",
        "[users]\na = false\n",
    ),
    (
        "# users\nusers:\n  a: false\n",
        (2, 1),
        "the file is YAML, and not TOML",
        "specify a TOML file, or convert this one to TOML",
        "[users]\na = false\n",
    ),
    (
        "{\n  \"users\": {\n    \"a\": false\n  }\n}\n",
        (1, 1),
        "the file is JSON, and not TOML",
        "specify a TOML file, or convert this one to TOML",
        "[users]\na = false\n",
    ),
    (
        "<!DOCTYPE html>\n<html>404</html>\n",
        (1, 1),
        "the file is HTML or XML",
        "specify a TOML file; a failed download is often a page in HTML",
        "[users]\na = false\n",
    ),
    (
        "\u{feff}name,boundary\na,false\n",
        (1, 1),
        "the file is CSV",
        "convert it with: iam-boundaries import --from-csv FILE --out boundaries.toml",
        "[users]\na = false\n",
    ),
];

#[test]
fn each_mistake_in_a_file_has_a_message_and_true_advice() {
    for (text, place, message, help, corrected) in FILES {
        let error = only_error(text, place, message);
        assert_eq!(error.help.as_deref(), Some(help), "{text}");
        Config::parse("f.toml", corrected).unwrap();
    }
}

#[test]
fn markers_of_a_merge_conflict_are_named() {
    let text = "[users]\n<<<<<<< HEAD\na = false\n=======\na = \"x\"\n>>>>>>> branch\n";
    let errors = errors_of(text);
    let markers = errors.iter().filter(|error| error.message.contains("conflict marker of Git"));
    assert_eq!(markers.map(|error| error.line).collect::<Vec<_>>(), [2, 4, 6]);
}

/// A conflict has each line twice. Only what is also there twice without it is an error of its own.
#[test]
fn duplicates_within_a_merge_conflict_are_no_errors_of_their_own() {
    for [ours, theirs] in [
        ["a = false", "a = 'policy/X'"],
        ["'b.c' = false\nd = false", "d = false\n\"b.c\" = false"],
        ["[roles]\nr = false", "[roles]\nr = 'policy/X'"],
        ["a.boundary = false", "a.boundary = 'policy/X'"],
    ] {
        let conflict = format!("<<<<<<< HEAD\n{ours}\n=======\n{theirs}\n>>>>>>> branch\n");
        for text in [
            format!("[users]\nz = false\n{conflict}[guard]\n"),
            format!("[users]\nz = false\n{conflict}").replace('\n', "\r\n"),
        ] {
            let errors = errors_of(&text);
            assert_eq!(errors.len(), 3, "{}", Config::parse("f.toml", &text).unwrap_err());
        }
        let text = format!("[users]\nz = false\nz = false\n{conflict}");
        assert_eq!(errors_of(&text).len(), 4, "{}", Config::parse("f.toml", &text).unwrap_err());
    }
    let other = "[users]\na = false\n<<<<<<< HEAD\na = false\n=======\n>>>>>>> branch\n";
    assert_eq!(errors_of(other).len(), 4, "the entry above the conflict stays");
}

/// The same mistake on each line is one error with many places, if the same instruction is true for all of them.
#[test]
fn equal_mistakes_are_shown_once() {
    for line in ["u{}: false", "u{} = false,", "u{} = \"dev", "u{} = { boundary: \"dev\" }"] {
        let lines: Vec<String> = (0..40).map(|n| line.replacen("{}", &n.to_string(), 1)).collect();
        let shown = Config::parse("f.toml", &users(&lines.join("\n"))).unwrap_err().to_string();
        assert_eq!(shown.matches("error: ").count(), 1, "{shown}");
        assert!(shown.ends_with("40 errors in f.toml\n"), "{shown}");
    }
}

/// What follows from a line that cannot be read is no error of its own.
#[test]
fn a_mistake_has_no_consequences() {
    for text in [
        "[boundaries]\ndev = \"policy/Dev\n[users]\na = \"dev\"\nb = \"dev\"\n",
        "[account]\nid = 012345678901\n[users]\na = false\n",
        "[guard]\nprotected = [\"a\",\n  \"b\"\n[users]\na = false\n",
        "[users]\na = { boundary = \"policy/A\", reason = \"x\"\nb = false\nc = false\n",
        "[users]\na = \"\"\"policy/A\nb = false\n[roles]\nc = false\n",
    ] {
        assert_eq!(errors_of(text).len(), 1, "{}", Config::parse("f.toml", text).unwrap_err());
    }
}
