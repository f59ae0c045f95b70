//! The JSON Schema of the file is published unchanged and agrees with `check`.

use std::path::Path;
use std::str::FromStr;

use crate::support::Binary;
use iam_boundaries::config::{Config, Fleet, fleet_schema, schema};
use iam_boundaries::iam::{AccountId, Digest, PolicyArn, PrincipalName};
use iam_boundaries::plan::saved;
use jsonschema::Validator;
use schemars::JsonSchema;
use serde_json::Value;

fn validator(schema: &schemars::Schema) -> Validator {
    jsonschema::validator_for(schema.as_value()).expect("the schema is valid")
}

/// The file as a JSON value for schema validation, with dates as strings. `None` if the text is not TOML.
fn as_json(text: &str) -> Option<Value> {
    let table: toml::Table = toml::from_str(text).ok()?;
    Some(value_as_json(toml::Value::Table(table)))
}

fn value_as_json(value: toml::Value) -> Value {
    match value {
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(value_as_json).collect(),
        toml::Value::Table(table) => {
            table.into_iter().map(|(key, value)| (key, value_as_json(value))).collect()
        }
        other => serde_json::to_value(other).expect("every other TOML value has a JSON form"),
    }
}

/// With `UPDATE_DOCS`, writes the schemas.
#[test]
fn the_published_schemas_are_those_of_the_formats_and_are_printed() {
    for (document, generated) in [
        ("boundaries", schema().to_value()),
        ("fleet", fleet_schema().to_value()),
        ("plan", saved::schema()),
        ("fleet-plan", saved::fleet_schema()),
    ] {
        let path = format!("schema/{document}.schema.json");
        let generated = format!("{generated:#}\n");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, generated).unwrap();
            continue;
        }
        let published = std::fs::read_to_string(&path).unwrap();
        assert_eq!(generated, published, "run: UPDATE_DOCS=1 cargo test --test it schema::");
        let printed = Binary::with_own_file().run(&["schema", document]);
        assert_eq!((printed.code, printed.out), (0, published));
    }
    let of_the_file = Binary::with_own_file().run(&["schema"]).out;
    assert_eq!(of_the_file, include_str!("../../schema/boundaries.schema.json"));
}

/// The fields of a plan that are not part of the digest according to the published schema, which says so twice: where it
/// describes the digest, and where it describes the field.
fn excluded_from_digest() -> Vec<String> {
    let schema: Value =
        serde_json::from_str(include_str!("../../schema/plan.schema.json")).unwrap();
    let description = |field: &Value| {
        let text = field["description"].as_str().unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let fields = schema["properties"].as_object().unwrap();
    let of_digest = description(&fields["digest"]);
    let (_, rest) = of_digest.split_once("of this document without ").unwrap();
    let (named, _) = rest.split_once(", and in a fleet plan").unwrap();
    let named: Vec<String> = named.replace(" and ", ", ").split(", ").map(str::to_owned).collect();
    for (name, field) in fields {
        let is_excluded = description(field).contains("It is not part of the digest");
        assert_eq!(name == "digest" || is_excluded, named.contains(name), "{name}: {of_digest}");
    }
    named
}

/// Checks that the digest of a plan is computed from the fields from which it is computed according to the schema: from
/// all others.
pub fn assert_digest_as_described(document: &Value) {
    let excluded = excluded_from_digest();
    let digest_without = |names: &[&str]| {
        let mut content = document.clone();
        content.as_object_mut().unwrap().retain(|name, _| !names.contains(&name.as_str()));
        content.sort_all_objects();
        Digest::of(content.to_string()).to_string()
    };
    let excluded: Vec<&str> = excluded.iter().map(String::as_str).collect();
    assert_eq!(document["digest"], digest_without(&excluded));
    let included = document.as_object().unwrap().keys().map(String::as_str);
    for name in included.filter(|name| !excluded.contains(name)) {
        assert_ne!(
            document["digest"],
            digest_without(&[&excluded[..], &[name]].concat()),
            "{name}"
        );
    }
}

#[test]
fn every_example_file_refers_to_the_schema_and_is_valid() {
    let (of_boundaries, of_fleet) = (validator(&schema()), validator(&fleet_schema()));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("boundaries.toml")];
    for folder in ["examples", "examples/layers", "examples/fleet"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            files.extend(
                Some(entry.unwrap().path())
                    .filter(|path| path.extension().is_some_and(|e| e == "toml")),
            );
        }
    }
    assert!(files.len() >= 12, "{files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let named = text.lines().next().and_then(|line| line.strip_prefix("#:schema "));
        let named = file.parent().unwrap().join(named.expect("the first line names the schema"));
        let (validator, published) = match file.ends_with("fleet/fleet.toml") {
            true => (&of_fleet, "fleet.schema.json"),
            false => (&of_boundaries, "boundaries.schema.json"),
        };
        let published = root.join("schema").join(published);
        assert_eq!(named.canonicalize().unwrap(), published.canonicalize().unwrap(), "{file:?}");
        assert!(validator.is_valid(&as_json(&text).unwrap()), "{file:?}");
    }
}

fn with_short_name(length: usize) -> String {
    let name = "n".repeat(length);
    format!("[boundaries]\n{name} = \"arn:aws:iam::aws:policy/X\"\n[users]\na = \"{name}\"\n")
}

#[test]
fn the_schema_and_the_checker_accept_valid_files() {
    let validator = validator(&schema());
    for text in [
        "[users]\na = false\n",
        "[users]\n\"john.doe\" = \"arn:aws:iam::aws:policy/job-function/X\"\n123 = false\n",
        "[boundaries]\n[users]\na = false\n",
        "[boundaries]\nd = \"arn:aws-cn:iam::000000000012:policy/D\"\n[users]\na = \"d\"\n",
        &with_short_name(128),
        "[boundaries]\nd = { arn = \"policy/D\", document = \"d.json\" }\n[users]\na = \"d\"\n",
        "[account]\nassume_role = \"arn:aws:iam::123456789012:role/x\"\n[users]\na = false\n",
        "[account]\nid = \"123456789012\"\nassume_role = \"role/a/x\"\nexternal_id = \"a:b\"\nsession_name = \"ab\"\n\
         duration = \"1h\"\n[users]\na = false\n",
        "users = { a = false }\naccount = { id = \"123456789012\" }\n",
        "[guard]\n[users]\na = false\n",
        "[guard]\nmax_changes = 0x10\nmax_removals = \"2.5%\"\n[users]\na = false\n",
        "[guard]\nprotected = [\"*-x\", \"a.b\"]\nallow_own_boundary = false\n[users]\na = false\n",
        "[roles]\na = false\n",
        "[guard]\nprotected_roles = [\"*-x\"]\n[users]\na = false\n[roles]\na = false\n\"a.b\" = false\n",
        "[users]\n[roles]\na = false\n",
        "[users]\na = false\n[roles]\n",
        "[users]\nAWSServiceRoleForX = false\n[roles]\nAWSServiceRole = false\n",
    ] {
        assert!(Config::parse("f.toml", text).is_ok(), "{text}");
        assert!(validator.is_valid(&as_json(text).unwrap()), "{text}");
    }
}

#[test]
fn the_schema_and_the_checker_reject_invalid_files() {
    let validator = validator(&schema());
    for text in [
        "",
        "[users]\n",
        "users = 1\n",
        "[user]\na = false\n",
        "top = 1\n[users]\na = false\n",
        "[account]\n[users]\na = false\n",
        "[account]\nid = 123456789012\n[users]\na = false\n",
        "[account]\nid = \"1234\"\n[users]\na = false\n",
        "[account]\nid = \"123456789012\"\nname = \"x\"\n[users]\na = false\n",
        "account = \"123456789012\"\n[users]\na = false\n",
        "[account]\nid = \"123456789012\"\nduration = \"1h\"\n[users]\na = false\n",
        "[account]\nid = \"123456789012\"\nassume_role = \"x\"\n[users]\na = false\n",
        "[account]\nid = \"123456789012\"\nassume_role = false\n[users]\na = false\n",
        "[boundaries]\nd = \"developer\"\n[users]\na = false\n",
        "[boundaries]\nd = false\n[users]\na = false\n",
        "[boundaries]\n\"d d\" = \"arn:aws:iam::aws:policy/X\"\n[users]\na = false\n",
        &with_short_name(129),
        "[boundaries]\nd = { arn = \"policy/D\" }\n[users]\na = false\n",
        "[boundaries]\nd = { document = \"d.json\" }\n[users]\na = false\n",
        "[boundaries]\nd = { arn = \"policy/D\", document = \"/d.json\" }\n[users]\na = false\n",
        "[boundaries]\nd = \"policy//D\"\n[users]\na = false\n",
        "[boundaries]\nd = \"policy/a//D\"\n[users]\na = false\n",
        "[boundaries]\nd = { arn = \"policy//D\", document = \"d.json\" }\n[users]\na = false\n",
        "[users]\na = \"arn:aws:iam::123456789012:policy//D\"\n",
        "[users]\na = \"arn:aws:iam::123456789012:policy/a//b/D\"\n",
        "[boundaries]\nd = { arn = \"D\", document = \"d.json\" }\n[users]\na = false\n",
        "[boundaries]\n\"\" = \"arn:aws:iam::aws:policy/X\"\n[users]\na = false\n",
        "boundaries = []\n[users]\na = false\n",
        "[users]\na = true\n",
        "[users]\na = 1\n",
        "[users]\na = \"\"\n",
        "[users]\na = [\"arn:aws:iam::aws:policy/X\"]\n",
        "[users]\na = \"arn:aws:iam::123456789012:role/Admin\"\n",
        "[users]\na = \"arn:aws:s3:::bucket/x\"\n",
        "[users]\njohn.doe = false\n",
        "[users]\n\"zo ë\" = false\n",
        "[users]\n\"\" = false\n",
        "[users.a]\nb = false\n",
        "[guard]\nmax_changes = \"10\"\n[users]\na = false\n",
        "[guard]\nmax_changes = \"101%\"\n[users]\na = false\n",
        "[guard]\nmax_removals = \"010%\"\n[users]\na = false\n",
        "[guard]\nmax_removals = -1\n[users]\na = false\n",
        "[guard]\nmax_removals = 1.5\n[users]\na = false\n",
        "[guard]\nprotected = \"a\"\n[users]\na = false\n",
        "[guard]\nprotected = [\"a b\"]\n[users]\na = false\n",
        "[guard]\nallow_own_boundary = 1\n[users]\na = false\n",
        "[guard]\nmax = 1\n[users]\na = false\n",
        "[roles]\n",
        "[users]\n[roles]\n",
        "roles = 1\n[users]\na = false\n",
        "[role]\na = false\n",
        "[roles]\na = true\n",
        "[roles]\njohn.doe = false\n",
        "[roles]\n\"path/a\" = false\n",
        "[roles]\nAWSServiceRoleForSupport = false\n",
        "[roles]\nAWSReservedSSO_X_0 = false\n",
        "[guard]\nprotected_roles = \"a\"\n[users]\na = false\n",
        "[guard]\nprotected_roles = [\"a b\"]\n[users]\na = false\n",
    ] {
        assert!(Config::parse("f.toml", text).is_err(), "{text}");
        assert!(!validator.is_valid(&as_json(text).unwrap()), "{text}");
    }
}

/// JSON Schema cannot express these checks, so an editor that uses only the schema accepts the files.
#[test]
fn some_errors_are_found_only_by_the_checker() {
    let validator = validator(&schema());
    for text in [
        "[users]\na = \"nowhere\"\n",
        // For a schema, a date is a string, and this one is a valid short name.
        "[users]\na = 2024-01-01\n",
        "[users]\na = false\nA = false\n",
        "[roles]\na = false\nA = false\n",
        "[roles]\na = \"nowhere\"\n",
        "[account]\nassume_role = \"role/x\"\n[users]\na = false\n",
        "[account]\nid = \"111111111111\"\n[users]\na = \"arn:aws:iam::222222222222:policy/P\"\n",
        "[users]\na = \"arn:aws:iam::aws:policy/P\"\nb = \"arn:aws-cn:iam::aws:policy/P\"\n",
    ] {
        assert!(Config::parse("f.toml", text).is_err(), "{text}");
        assert!(validator.is_valid(&as_json(text).unwrap()), "{text}");
    }
}

/// Fleet files, and whether they are valid. `TOP` is what most of them begin with.
const FLEETS: [(bool, &str); 33] = [
    (true, "TOP[accounts]\na = \"111111111111\"\n"),
    (true, "files = [\"b\"]\n[accounts]\na = \"111111111111\"\n"),
    (
        true,
        "TOP[accounts]\n\"Log archive\" = { id = \"111111111111\", files = [\"../b\", \"c\"] }\n",
    ),
    (true, "TOP[accounts]\na = { id = \"111111111111\", assume_role = false }\n"),
    (true, "TOP[accounts]\na = { id = \"111111111111\", profile = \"p\" }\n"),
    (
        true,
        "TOP[accounts]\na = { id = \"111111111111\", assume_role = \"role/x\", external_id = \"abc\" }\n",
    ),
    (
        true,
        "TOP[accounts]\na = { id = \"111111111111\", session_name = \"xx\", duration = \"2h\" }\n",
    ),
    (true, "TOP[organization]\nunits = [\"r-ab12\"]\n"),
    (true, "TOP[organization]\nunits = [\"ou-ab12-workloads\"]\nexcept = []\n[accounts]\n"),
    (
        true,
        "TOP[accounts]\na = \"111111111111\"\n[guard]\nmax_changes = 5\nmax_accounts_changed = \"2.5%\"\nmax_accounts_failed = 1\n",
    ),
    (false, ""),
    (false, "TOP"),
    (false, "TOP[accounts]\n"),
    (false, "TOPusers = 1\n[accounts]\na = \"111111111111\"\n"),
    (false, "TOP[accounts]\na = \"1\"\n"),
    (false, "TOP[accounts]\na = 111111111111\n"),
    (false, "TOP[accounts]\n1 = \"111111111111\"\n"),
    (false, "TOP[accounts]\n\" a\" = \"111111111111\"\n"),
    (false, "TOP[accounts]\na = { files = [\"b\"] }\n"),
    (false, "TOP[accounts]\na = { id = \"111111111111\", files = [] }\n"),
    (false, "TOP[accounts]\na = { id = \"111111111111\", files = [\"b\", \"b\"] }\n"),
    (false, "TOP[accounts]\na = { id = \"111111111111\", files = [\"-\"] }\n"),
    (false, "TOP[accounts]\na = { id = \"111111111111\", role = \"role/x\" }\n"),
    (false, "TOP[accounts]\na = { id = \"111111111111\", assume_role = true }\n"),
    (
        false,
        "TOP[accounts]\na = { id = \"111111111111\", assume_role = false, external_id = \"abc\" }\n",
    ),
    (
        false,
        "TOP[accounts]\na = { id = \"111111111111\", profile = \"p\", assume_role = \"role/x\" }\n",
    ),
    (false, "TOP[accounts]\na = { id = \"111111111111\", profile = \"p\", duration = \"1h\" }\n"),
    (false, "TOP[accounts]\na = { id = \"111111111111\", profile = \" \" }\n"),
    (false, "files = [\"b\"]\n[organization]\nunits = [\"r-ab12\"]\n"),
    (false, "TOP[organization]\nunits = []\n"),
    (false, "TOP[organization]\nunits = [\"r-ab12\", \"r-ab12\"]\n"),
    (false, "TOP[organization]\nunits = [\"Workloads\"]\n"),
    (false, "TOP[accounts]\na = \"111111111111\"\n[guard]\nmax_accounts_failed = 0\n"),
];

#[test]
fn the_schema_and_the_checker_of_fleet_files_agree() {
    let validator = validator(&fleet_schema());
    for (is_valid, text) in FLEETS {
        let text = text.replace("TOP", "assume_role = \"role/x\"\nfiles = [\"b\"]\n");
        assert_eq!(Fleet::parse("f.toml", &text).is_ok(), is_valid, "{text}");
        assert_eq!(validator.is_valid(&as_json(&text).unwrap()), is_valid, "{text}");
    }
    // Only the checker finds these errors.
    for accounts in
        ["a = \"111111111111\"\nb = \"111111111111\"", "a = \"111111111111\"\nA = \"222222222222\""]
    {
        let text = format!("assume_role = \"role/x\"\nfiles = [\"b\"]\n[accounts]\n{accounts}\n");
        assert!(Fleet::parse("f.toml", &text).is_err(), "{text}");
        assert!(validator.is_valid(&as_json(&text).unwrap()), "{text}");
    }
}

/// Asserts that the parser and the schema agree on random mutations of `seeds`.
fn assert_agreement<T: FromStr + JsonSchema>(seeds: &[&str]) {
    let validator = validator(&schemars::schema_for!(T));
    let mut random = fastrand::Rng::with_seed(20_261_124);
    let inserts = [
        "a", "Z", "0", "12", "-", "_", "+=,.@", "/", "//", ":", "::", " ", "\n", "~", "!", "é",
        "٣", "\u{7f}", "aws", "aws-cn", "arn:", "policy/",
    ];
    let (mut accepted, mut rejected) = (0, 0);
    for _ in 0..20_000 {
        let mut text: Vec<char> = random.choice(seeds).unwrap().chars().collect();
        for _ in 0..random.usize(..4) {
            let at = random.usize(..=text.len());
            match random.u8(..3) {
                0 => drop(text.drain(at..(at + random.usize(..4)).min(text.len()))),
                1 => drop(text.splice(at..at, random.choice(inserts).unwrap().chars())),
                _ => {
                    let repeated =
                        vec![*random.choice(&['x', '/', '7']).unwrap(); random.usize(..600)];
                    text.splice(at..at, repeated);
                }
            }
        }
        let text: String = text.into_iter().collect();
        let is_accepted = text.parse::<T>().is_ok();
        assert_eq!(is_accepted, validator.is_valid(&text.as_str().into()), "{text:?}");
        if is_accepted { accepted += 1 } else { rejected += 1 }
    }
    assert!(accepted > 1_000 && rejected > 1_000, "{accepted} accepted, {rejected} rejected");
}

#[test]
fn the_schema_accepts_the_user_names_that_the_parser_accepts() {
    assert_agreement::<PrincipalName>(&[
        "alice",
        "john.doe",
        "a+b=c,d.e@f_g-h",
        "",
        &"x".repeat(64),
        &"x".repeat(65),
    ]);
}

#[test]
fn the_schema_accepts_the_account_ids_that_the_parser_accepts() {
    assert_agreement::<AccountId>(&["123456789012", "000000000000", "12345678901", "12345678901٣"]);
}

#[test]
fn the_schema_accepts_the_arns_that_the_parser_accepts() {
    let long_path = format!("arn:aws:iam::aws:policy/{}/X", "p".repeat(505));
    let long_name = format!("arn:aws:iam::aws:policy/{}", "n".repeat(126));
    assert_agreement::<PolicyArn>(&[
        "arn:aws:iam::123456789012:policy/Developer",
        "arn:aws-us-gov:iam::aws:policy/a/b:c/X",
        "arn:aws:iam::123456789012:role/Developer",
        "arn:aws:s3:::bucket/X",
        &long_path,
        &long_name,
    ]);
}
