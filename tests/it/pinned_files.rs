//! Pinned documents in the boundaries file: what `check` accepts, and how it reports each error.

use std::path::Path;

use crate::support::Binary;
use iam_boundaries::config::{Config, Diagnostic};

const DOCUMENT: &str = r#"{
  "Version": "2012-10-17",
  "Statement": { "Effect": "Allow", "Action": "s3:*", "Resource": "*" }
}
"#;

fn write(folder: &Path, file: &str, text: impl AsRef<[u8]>) {
    let path = folder.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// The errors of `boundaries.toml` in a directory with a few documents, as `file:line:column message`.
fn errors(boundaries: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "good.json", DOCUMENT);
    write(folder.path(), "typo.json", DOCUMENT.replace("Action", "Acton"));
    write(folder.path(), "torn.json", &DOCUMENT[..60]);
    write(folder.path(), "latin.json", b"\"\xe9\"");
    write(folder.path(), "large.json", " ".repeat(2 << 20));
    write(folder.path(), "folder/x.json", DOCUMENT);
    write(
        folder.path(),
        "boundaries.toml",
        format!("[boundaries]\n{boundaries}\n[users]\na = false\n"),
    );
    let read = Config::read(&[folder.path().join("boundaries.toml")]);
    let errors = read.expect_err("the file has an error");
    let root = format!("{}/", folder.path().display());
    let line = |it: &Diagnostic| {
        assert!(it.help.is_some(), "no help at {it:?}");
        let message = format!("{}:{}:{} {}", it.file().as_str(), it.line, it.column, it.message);
        message.replace(&root, "")
    };
    errors.diagnostics().iter().map(line).collect()
}

#[test]
fn each_error_of_a_pinned_document_has_its_position() {
    let at = |text: &str| format!("boundaries.toml:{text}");
    for (entry, expected) in [
        (r#"d = { document = "good.json" }"#, at(r#"2:1 the boundary "d" has no arn"#)),
        (r#"d = { arn = "policy/D" }"#, at(r#"2:1 the boundary "d" has no document"#)),
        (r#"d = { arn = "policy/D", documnt = "good.json" }"#, at(r#"2:25 unknown key "documnt""#)),
        (
            r#"d = { arn = "policy/D", document = "good.json", x = 1 }"#,
            at(r#"2:49 unknown key "x""#),
        ),
        (
            r#"d = { arn = 1, document = "good.json" }"#,
            at(r#"2:13 the arn of "d" must be a policy ARN, not a number"#),
        ),
        (
            r#"d = { arn = "D", document = "good.json" }"#,
            at(r#"2:13 "D" is not a valid policy ARN"#),
        ),
        (
            r#"d = { arn = "policy/D", document = ["good.json"] }"#,
            at(r#"2:36 the document of "d" must be a path, not an array"#),
        ),
        (
            r#"d = { arn = "policy/D", document = "/good.json" }"#,
            at(r#"2:36 the document of "d" must be a relative path"#),
        ),
        (
            r#"d = { arn = "policy/D", document = "" }"#,
            at(r#"2:36 the document of "d" must be a relative path"#),
        ),
        (
            r#"d = { arn = "policy/D", document = "none.json" }"#,
            at(r#"2:36 cannot read none.json, the document of "d": file not found"#),
        ),
        (
            r#"d = { arn = "policy/D", document = "folder" }"#,
            at(r#"2:36 cannot read folder, the document of "d": it is a directory"#),
        ),
        (
            r#"d = { arn = "policy/D", document = "latin.json" }"#,
            at(r#"2:36 cannot read latin.json, the document of "d": it is not UTF-8 text"#),
        ),
        (
            r#"d = { arn = "policy/D", document = "large.json" }"#,
            at(
                r#"2:36 cannot read large.json, the document of "d": it is larger than 1 MiB, the maximum for this kind of file"#,
            ),
        ),
    ] {
        assert_eq!(errors(entry), [expected], "{entry}");
    }
    let typo = errors(r#"d = { arn = "policy/D", document = "typo.json" }"#);
    let [typo] = &*typo else { panic!("{typo:?}") };
    assert!(
        typo.starts_with(
            r#"typo.json:3:43 the document of "d" is not a valid policy: unknown field, expected one of `Sid`"#
        ),
        "{typo}"
    );
    let torn = errors(r#"d = { arn = "policy/D", document = "torn.json" }"#);
    assert!(torn[0].starts_with("torn.json:3:"), "{torn:?}");
}

#[test]
fn an_error_of_a_document_has_no_text_of_the_document() {
    for (document, expected) in [
        (r#"{ "Version": "SECRET" }"#, "unknown variant, expected `2008-10-17` or `2012-10-17`"),
        (r#"{ "SECRET": 1 }"#, "unknown field, expected one of `Version`, `Id`, `Statement`"),
        (r#"{ "a, expected SECRET": 1 }"#, "unknown field, expected one of `Version`"),
        (r#"{ "Id": ["SECRET"] }"#, "invalid type: sequence, expected a string"),
        (r#"{ "Statement": "SECRET" }"#, "invalid type: string, expected an object"),
        (r#""SECRET""#, "invalid type: string, expected an object"),
        (r#"["SECRET"]"#, "invalid type: sequence, expected an object"),
        (
            r#"{ "Statement": { "Effect": "Allow", "Action": "SECRET", "Resource": "*" } }"#,
            "an action is * or has a service and a colon",
        ),
        (
            r#"{ "Statement": { "Effect": "Allow", "Action": "s3:SECRET\u00e9", "Resource": "*" } }"#,
            "an action with a character that no action has",
        ),
    ] {
        let binary = Binary::with_file(
            "[boundaries]\nd = { arn = \"policy/D\", document = \"d.json\" }\n[users]\na = \"d\"\n",
        );
        write(binary.folder(), "d.json", document);
        let checked = binary.run(&["check"]);
        assert_eq!(checked.code, 1, "{checked}");
        assert!(checked.err.contains(expected), "{document}: {checked}");
        assert!(!checked.err.contains("SECRET"), "{document}: {checked}");
    }
}

#[test]
fn errors_of_the_file_and_of_its_documents_are_shown_together() {
    let found = errors(
        "a = { arn = \"policy/A\", document = \"typo.json\" }\nb = { arn = \"B\", document = \"none.json\" }\n\
         c = { arn = \"policy/C\", document = \"torn.json\" }",
    );
    let places: Vec<&str> = found.iter().map(|it| it.split(' ').next().unwrap()).collect();
    assert_eq!(
        places,
        ["boundaries.toml:3:13", "boundaries.toml:3:29", "torn.json:3:31", "typo.json:3:43"]
    );
    let binary = Binary::with_file(
        "[boundaries]\nd = { arn = \"policy/D\", document = \"d.json\" }\n[users]\na = \"d\"\n",
    );
    write(binary.folder(), "d.json", "{ \"secret\": \"x\" }");
    let checked = binary.run(&["check"]);
    assert_eq!(checked.code, 1, "{checked}");
    assert!(checked.err.contains("--> d.json:1:10\n"), "{checked}");
    assert!(checked.err.contains("boundaries.toml:2:36 names it"), "{checked}");
    // The path can lead to a file that must not be in a log.
    assert!(!checked.err.contains("\"x\""), "{checked}");
    write(binary.folder(), "d.json", format!("\u{feff}{DOCUMENT}"));
    let checked = binary.run(&["check"]);
    assert_eq!(checked.code, 0, "{checked}");
}

#[test]
fn a_definition_replaces_the_whole_one_of_an_earlier_layer_and_paths_are_relative_to_their_file() {
    let folder = tempfile::tempdir().unwrap();
    let pinned = |name: &str| format!("{name} = {{ arn = \"policy/D\", document = \"d.json\" }}\n");
    write(folder.path(), "d.json", DOCUMENT);
    write(folder.path(), "team/d.json", DOCUMENT.replace("s3", "ec2"));
    let base = format!("[boundaries]\n{}{}{}", pinned("one"), pinned("two"), pinned("three"));
    write(folder.path(), "base.toml", base);
    let team = format!("[boundaries]\none = \"policy/D\"\n{}[users]\na = \"one\"\n", pinned("two"));
    write(folder.path(), "team/team.toml", team);
    let files = ["base.toml", "team/team.toml"].map(|file| folder.path().join(file));
    let config = Config::read(&files).unwrap();
    assert_eq!(config.names.pinned("one"), None);
    let text = |name| config.names.pinned(name).unwrap().document.pretty();
    assert!(text("two").contains("ec2:*") && text("three").contains("s3:*"));
    let position = &config.names.pinned("two").unwrap().position;
    assert_eq!((position.line, position.column), (3, 38));
    // An earlier version of a file is not beside its documents.
    std::fs::remove_file(folder.path().join("team/d.json")).unwrap();
    assert!(Config::read(&files).is_err());
    assert_eq!(Config::read_earlier(&files).unwrap().names.pinned("two"), None);
}

#[test]
fn a_table_below_a_header_and_dotted_keys_pin_a_document_too() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "d.json", DOCUMENT);
    for text in [
        "[boundaries.d]\narn = \"policy/D\"\ndocument = \"d.json\"\n[users]\na = \"d\"\n",
        "[boundaries]\nd.arn = \"policy/D\"\nd.document = \"d.json\"\n[users]\na = \"d\"\n",
    ] {
        write(folder.path(), "boundaries.toml", text);
        let config = Config::read(&[folder.path().join("boundaries.toml")]).unwrap();
        assert!(config.names.pinned("d").is_some(), "{text}");
    }
}
