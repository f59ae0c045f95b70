//! The saved plan: written plans can be read, and all other documents are rejected.

use crate::support::plans::context;
use crate::support::tampered::{places, tampered};
use iam_boundaries::config::SourceFile;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::support::plans::{
    Case, arn, change, found, principal, read_account_plan, unique_id, unreadable,
};
use iam_boundaries::config::{Config, Provenance, WideningGuard};
use iam_boundaries::iam::{BoundaryChange, Digest, Principal, PrincipalKind, UnmodifiableRole};
use iam_boundaries::inventory::{Inventory, Reading};
use iam_boundaries::ops::{self, Error, WritePlanError};
use iam_boundaries::plan::saved::SavedPlanError;
use iam_boundaries::plan::{
    Change, Guard, Origin, Plan, PlanSource, Problem, ProblemKind, Severity,
};
use serde_json::{Value, json};

/// A plan with every kind of content.
fn rich() -> Plan {
    let mut plan = Case::of(11, 3).plan_since_base();
    plan.guard = Guard {
        max_changes: Some("50%".parse().unwrap()),
        max_removals: Some("3".parse().unwrap()),
        protected: vec!["break-glass".parse().unwrap(), "Emergency-*".parse().unwrap()],
        protected_roles: vec!["admin-*".parse().unwrap()],
        allow_own_boundary: true,
        widening: WideningGuard::Refuse,
        taking_used: Some("90d".parse().unwrap()),
    };
    (plan.account_users, plan.account_roles) = (Some(120), Some(30));
    plan.in_sync.roles = 2;
    // A role with the name of a user.
    let add = BoundaryChange::Add { to: arn("Developer") };
    let change = change("user-00000", 50, add);
    let origin = Some(Origin::ThisChange);
    plan.changes.push(Change { principal: role("user-00000"), origin, ..change });
    let policy = arn("Gone");
    let Reading::Unreadable(mut error) = unreadable("sorry") else { unreachable!("it is made so") };
    error.request_id = None;
    let left = Some(arn("Developer"));
    let kinds = [
        ProblemKind::NoSuchPolicy { policy: policy.clone() },
        ProblemKind::PolicyNotAttachable { policy: policy.clone() },
        ProblemKind::PolicyUnreadable { policy, error },
        ProblemKind::NotAsLeft { left, found: None },
    ];
    for (n, kind) in kinds.into_iter().enumerate() {
        let principal = principal(&format!("problem-x{n}"));
        let provenance = Provenance::entry(&"boundaries.toml".into(), 40 + n, None);
        plan.problems.push(Problem { principal, provenance, kind, severity: Severity::Error });
    }
    let kind = ProblemKind::Unmodifiable { role: UnmodifiableRole::IdentityCenter };
    let provenance = Provenance::entry(&"boundaries.toml".into(), 51, Some(1));
    plan.problems.push(Problem {
        principal: role("admin"),
        provenance,
        kind,
        severity: Severity::Error,
    });
    plan
}

fn role(text: &str) -> Principal {
    Principal::role(text.parse().unwrap())
}

/// A plan that rolls back a run.
fn of_rollback() -> Plan {
    let mut plan = Case::of(11, 3).plan();
    let journal = SourceFile { path: "run.jsonl".into(), digest: Digest::of("journal") };
    let plan_digest = Digest::of("the plan of a run");
    plan.source = PlanSource::Rollback {
        journal,
        plan: plan_digest,
        run_ended: Some(true),
        unconfirmed: plan.changes[..2].iter().map(|it| it.principal.clone()).collect(),
    };
    let file = "run.jsonl".into();
    for change in &mut plan.changes {
        change.provenance = Provenance::journal(&file, change.provenance.line);
    }
    for problem in &mut plan.problems {
        problem.provenance = Provenance::journal(&file, problem.provenance.line);
    }
    plan
}

fn parsed(plan: &Plan) -> Value {
    serde_json::from_str(&plan.to_json()).unwrap()
}

/// The digest of a document: sorted keys, no whitespace, without the digest field.
fn digest_of(document: &Value) -> Digest {
    let mut content = document.clone();
    content.as_object_mut().unwrap().remove("digest");
    content.sort_all_objects();
    Digest::of(content.to_string())
}

fn read(document: &Value) -> Result<Plan, SavedPlanError> {
    Plan::from_json(document.to_string().as_bytes())
}

/// Reads `document` with a recomputed digest.
fn read_with_new_digest(document: &Value) -> Result<Plan, SavedPlanError> {
    let mut document = document.clone();
    document["digest"] = json!(digest_of(&document));
    read(&document)
}

fn validator() -> jsonschema::Validator {
    let published = include_str!("../../schema/plan.schema.json");
    jsonschema::validator_for(&serde_json::from_str(published).unwrap()).unwrap()
}

#[test]
fn a_plan_is_read_back_as_it_was_and_fits_the_published_schema() {
    let validator = validator();
    for (changes, problems) in [(0, 0), (1, 0), (0, 1), (500, 7), (5_000, 0)] {
        let case = Case::of(changes, problems);
        for plan in [case.plan(), case.plan_since_base()] {
            assert_eq!(plan.changes.len(), changes);
            let text = plan.to_json();
            let again = Plan::from_json(text.as_bytes()).unwrap();
            assert_eq!(again, plan);
            assert_eq!(again.to_json(), text);
            assert_eq!(again.digest(), plan.digest());
            let errors: Vec<String> =
                validator.iter_errors(&parsed(&plan)).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{errors:?}");
        }
    }
}

#[test]
fn plans_of_random_files_and_accounts_are_read_back_as_they_were() {
    let mut random = fastrand::Rng::with_seed(20_261_124);
    let boundaries = [None, Some(arn("A")), Some(arn("teams/B")), Some(arn("C"))];
    let written = |random: &mut fastrand::Rng| {
        let mut text = format!("[boundaries]\na = \"{}\"\n[users]\n", arn("A"));
        for table in ["", "[roles]\n"] {
            text.push_str(table);
            for n in 0..12 {
                match random.choice(&boundaries).unwrap() {
                    _ if random.bool() => {}
                    None => text.push_str(&format!("name-{n} = false\n")),
                    Some(arn) => text.push_str(&format!("name-{n} = \"{arn}\"\n")),
                }
            }
        }
        text.push_str("last = false\n");
        Config::parse("boundaries.toml", &text).unwrap()
    };
    for _ in 0..300 {
        let (config, base) = (written(&mut random), written(&mut random));
        let readings = config.entries().map(|(principal, _)| {
            let boundary = random.choice(&boundaries).unwrap().clone();
            let role = UnmodifiableRole::ServiceLinked;
            let reading = match random.u8(..8) {
                0 => Reading::NotFound { differs_by_case: None },
                1 => unreadable("no"),
                2 if principal.kind == PrincipalKind::Role => {
                    Reading::Unmodifiable { unique_id: unique_id(), boundary, role }
                }
                _ => found(boundary),
            };
            (principal, reading)
        });
        let live = Inventory::of(readings.collect());
        let plan = Plan::between(&context(), &config, &live);
        let plan = if random.bool() { plan } else { plan.since(&base, &config, &live, &context()) };
        assert_eq!(Plan::from_json(plan.to_json().as_bytes()).as_ref(), Ok(&plan));
    }
}

#[test]
fn a_plan_that_rolls_back_a_run_is_read_back() {
    let plan = of_rollback();
    assert_eq!(Plan::from_json(plan.to_json().as_bytes()).as_ref(), Ok(&plan));
    let mut document = parsed(&plan);
    document["changes"][0]["provenance"]["file"] = json!("other.jsonl");
    let error = read_with_new_digest(&document).unwrap_err().to_string();
    assert!(error.ends_with("is not in a file of the plan"), "{error}");
    let document = parsed(&plan);
    assert!(validator().is_valid(&document), "{document}");
    let unconfirmed = &document["source"]["unconfirmed"];
    let stranger = json!([{"kind": "role", "name": "not-in-the-plan"}]);
    for (list, why) in [
        (stranger, "the unconfirmed change of role/not-in-the-plan is not one of its changes"),
        (json!([unconfirmed[1], unconfirmed[0]]), "its principals are not sorted by kind and name"),
        (json!([unconfirmed[0], unconfirmed[0]]), "its principals are not sorted by kind and name"),
        (json!([]), "malformed"),
    ] {
        let mut document = document.clone();
        document["source"]["unconfirmed"] = list;
        let error = read_with_new_digest(&document).unwrap_err();
        assert!(format!("{error:?} {error}").to_lowercase().contains(why), "{error:?}");
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    insta::assert_snapshot!("saved_plan", Case::of(3, 3).plan_since_base().to_json());
    assert_eq!(rich().to_json(), rich().to_json());
}

#[test]
fn a_plan_contains_no_request_id() {
    let plan = rich();
    assert!(!plan.to_json().contains("0f1e2d3c"), "{}", plan.to_json());
}

#[test]
fn anyone_can_check_the_digest_without_this_tool() {
    let plan = rich();
    assert_eq!(plan.digest(), digest_of(&parsed(&plan)));
}

#[test]
fn a_plan_truncated_anywhere_is_rejected_as_truncated() {
    let text = Case::of(2, 2).plan_since_base().to_json();
    let text = text.trim_end().as_bytes();
    for end in 0..text.len() {
        assert_eq!(Plan::from_json(&text[..end]), Err(SavedPlanError::Truncated), "at {end}");
    }
    assert!(Plan::from_json(text).is_ok());
}

#[test]
fn a_plan_with_another_layout_is_the_same_plan() {
    let plan = rich();
    assert_eq!(read(&parsed(&plan)), Ok(plan));
}

#[test]
fn no_value_of_a_plan_can_be_changed_added_or_removed() {
    let tampered = tampered(&parsed(&rich()));
    assert!(tampered.len() > 1_000);
    for (at, document) in tampered {
        let read = read(&document);
        match at.as_str() {
            "/format" => assert_eq!(read, Err(SavedPlanError::NotAPlan)),
            _ => assert!(read.is_err(), "at {at}: {document}"),
        }
    }
}

#[test]
fn a_plan_with_a_recomputed_digest_is_rejected_or_means_exactly_what_it_contains() {
    let validator = validator();
    let (mut refused, mut read) = (0, 0);
    for (at, mut document) in tampered(&parsed(&rich())) {
        if document.as_object().is_none_or(|fields| fields.is_empty()) {
            continue;
        }
        match read_with_new_digest(&document) {
            Err(_) => refused += 1,
            Ok(plan) => {
                document["digest"] = json!(plan.digest());
                assert_eq!(parsed(&plan), document, "at {at}");
                assert!(validator.is_valid(&document), "at {at}: {document}");
                read += 1;
            }
        }
    }
    assert!(refused > 1_000 && read > 10, "{refused} refused, {read} read");
}

#[test]
fn the_schema_rejects_documents_of_the_wrong_shape() {
    let validator = validator();
    let document = parsed(&rich());
    let mut at = Vec::new();
    places(&document, "", &mut at);
    for at in at {
        let there = document.pointer(&at).unwrap();
        let mut others = vec![json!(-1), json!("\u{1b}"), json!({"note": 1})];
        if let Value::Object(fields) = there {
            // These fields can be missing.
            let optional =
                ["account_roles", "in_sync_roles", "protected_roles", "widening", "taking_used"];
            for key in fields.keys().filter(|key| !optional.contains(&key.as_str())) {
                let mut fields = fields.clone();
                fields.remove(key);
                others.push(Value::Object(fields));
            }
        }
        // These fields accept any string.
        let is_free =
            ["/file", "/path", "/code", "/message"].iter().any(|field| at.ends_with(field));
        others.retain(|other| !(is_free && other.is_string()));
        for other in others {
            let mut document = document.clone();
            *document.pointer_mut(&at).unwrap() = other;
            assert!(!validator.is_valid(&document), "at {at}: {document}");
        }
    }
}

/// The document of the plan with one edit and a recomputed digest.
fn edited(edit: impl FnOnce(&mut Value)) -> String {
    let mut document = parsed(&rich());
    edit(&mut document);
    match read_with_new_digest(&document).unwrap_err() {
        SavedPlanError::Inconsistent(what) => what,
        SavedPlanError::Malformed(what) => format!("malformed: {what}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_plan_that_no_file_can_produce_is_rejected_with_any_digest() {
    let first = "/changes/0";
    let said = [
        edited(|plan| plan["changes"][0]["from"] = plan["changes"][0]["to"].clone()),
        edited(|plan| plan["changes"][0]["action"] = json!("remove")),
        edited(|plan| plan["changes"][0]["to"] = json!("arn:aws:iam::999999999999:policy/Admin")),
        edited(|plan| plan["changes"][1]["to"] = json!("arn:aws-cn:iam::aws:policy/Admin")),
        edited(|plan| plan["changes"][0]["name"] = plan["changes"][1]["name"].clone()),
        edited(|plan| plan["changes"].as_array_mut().unwrap().swap(0, 1)),
        edited(|plan| plan["problems"][0]["name"] = plan["changes"][0]["name"].clone()),
        edited(|plan| plan["changes"][0]["origin"] = json!(null)),
        edited(|plan| plan["source"]["base"] = json!(null)),
        edited(|plan| plan["source"]["base"]["drift"] = json!(0)),
        edited(|plan| {
            plan["source"]["base"]["no_longer_listed"] =
                json!([{"kind": "user", "name": "problem-00000"}]);
        }),
        edited(|plan| plan["summary"]["remove"] = json!(0)),
        edited(|plan| plan["boundaries"][0]["name"] = json!("arn:aws:iam::aws:policy/ReadOnly")),
        edited(|plan| plan["boundaries"][0]["arn"] = json!(arn("NotInThePlan"))),
        edited(|plan| plan["problems"][1]["problem"]["differs_by_case"] = json!("mallory")),
        edited(|plan| {
            plan["problems"][2]["problem"]["error"]["message"] = json!("\u{202e}reversed")
        }),
        edited(|plan| plan["problems"][2]["problem"]["error"]["action"] = json!("::error::x")),
        edited(|plan| plan["problems"][6]["problem"]["left"] = json!(null)),
        edited(|plan| plan["problems"][7]["kind"] = json!("user")),
        edited(|plan| plan["changes"].as_array_mut().unwrap().rotate_right(1)),
        edited(|plan| plan["summary"]["in_sync_roles"] = json!(6)),
        edited(|plan| plan["summary"]["in_sync_roles"] = json!(0)),
        edited(|plan| plan["account_roles"] = json!(null)),
        edited(|plan| plan["guard"]["protected_roles"] = json!([])),
        edited(|plan| plan["guard"]["max_changes"] = json!("101%")),
        edited(|plan| plan["guard"]["protected"] = json!(["*", "a b"])),
        edited(|plan| plan["guard"]["\u{1b}[2J"] = json!(1)),
        edited(|plan| plan["source"]["files"][0]["path"] = json!("a\nb")),
        edited(|plan| plan["source"]["files"] = json!([])),
        edited(|plan| plan["changes"][0]["provenance"]["file"] = json!("other.toml")),
        edited(|plan| plan["changes"][0]["provenance"]["line"] = json!(0)),
        edited(|plan| plan["changes"][0]["provenance"]["column"] = json!(0)),
        edited(|plan| plan["changes"][0]["provenance"]["kind"] = json!("journal")),
        edited(|plan| plan["changes"][0]["kind"] = json!("group")),
        edited(|plan| plan["changes"][0]["unique_id"] = json!("\u{1b}[2J")),
        edited(|plan| plan["format_version"] = json!("3")),
        edited(|plan| plan["account"] = json!("1")),
        edited(|plan| *plan.pointer_mut(first).unwrap() = json!({})),
    ];
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn each_reason_to_reject_a_text_has_its_own_message() {
    let plan = rich().to_json();
    let digest = rich().digest().to_string();
    let edited = plan.replacen("\"line\": 4", "\"line\": 5", 1);
    assert_ne!(edited, plan);
    let newer = plan.replacen("\"format_version\": 3", "\"format_version\": 4, \"new\": {}", 1);
    let said = [
        "[users]\nalice = false\n",
        "{\"format\": \"iam-boundaries/check\"}",
        "[1, 2]",
        "\u{feff}",
        &format!("\u{feff}{plan}"),
        "{\0\n\0 \0",
        "",
        &plan[..200],
        &newer,
        &plan.replacen("\"format_version\": 3", "\"format_version\": 1", 1),
        &edited,
        &plan.replacen(&digest, &Digest::of("x").to_string(), 1),
        &plan.replacen("\"in_sync\": 5", "\"in_sync\": 5, \"in_sync\": 4", 1),
        &plan.replacen("\"changes\": [", "\"changes\": [,", 1),
        &format!("{plan}{plan}"),
    ]
    .map(|text| Plan::from_json(text.as_bytes()).unwrap_err().to_string());
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn no_mutated_plan_causes_a_panic_or_is_read_as_another_plan() {
    let plan = rich();
    let whole = plan.to_json();
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..3_000 {
        let mut bytes = whole.as_bytes().to_vec();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..bytes.len());
            match random.u8(..3) {
                0 => bytes[at] = random.u8(..),
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, *random.choice(b"{}[]\",:0n\\ \xff").unwrap()),
            }
        }
        // Only whitespace may differ.
        if let Ok(read) = Plan::from_json(&bytes) {
            assert_eq!(read, plan);
        }
    }
}

#[test]
fn saving_a_plan_replaces_an_earlier_plan_and_no_other_file() {
    let refusal = |path: &Path| match ops::write_plan(&rich(), path) {
        Err(Error::WritePlan { source, .. }) => source,
        other => panic!("{other:?}"),
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.json");
    ops::write_plan(&Case::of(1, 0).plan(), &path).unwrap();
    ops::write_plan(&rich(), &path).unwrap();
    assert_eq!(read_account_plan(&path), rich());
    std::fs::write(&path, &rich().to_json()[..300]).unwrap();
    ops::write_plan(&rich(), &path).unwrap();

    let file = folder.path().join("boundaries.toml");
    std::fs::write(&file, "[users]\n").unwrap();
    assert!(matches!(refusal(&file), WritePlanError::OtherFile));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "[users]\n");
    assert!(matches!(refusal(folder.path()), WritePlanError::NotAFile));
    let nowhere = folder.path().join("none/plan.json");
    assert!(matches!(refusal(&nowhere), WritePlanError::Unwritable(_)));
    let names: BTreeSet<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "nothing half-written is left: {names:?}");
}

#[test]
fn each_change_comes_from_the_file_or_is_drift() {
    let file = |text: &str| {
        let boundaries = format!("dev = \"{}\"\nops = \"{}\"", arn("Developer"), arn("Ops"));
        Config::parse("f.toml", &format!("[boundaries]\n{boundaries}\n[users]\n{text}")).unwrap()
    };
    let config =
        file("new = \"dev\"\nother = \"dev\"\nsame = \"dev\"\nnone = false\nfresh = false\n");
    let by_arn = format!("same = \"{}\"\n", arn("Developer"));
    let base = file(&format!("other = \"ops\"\n{by_arn}none = false\ngone = \"dev\"\n"));
    let there = found(Some(arn("Other")));
    let live: BTreeMap<_, _> =
        config.entries().map(|(principal, _)| (principal, there.clone())).collect();
    let (live, context) = (Inventory::of(live), context());
    let plan = Plan::between(&context, &config, &live).since(&base, &config, &live, &context);
    let drift: Vec<&str> =
        plan.changes_of(Some(Origin::Drift)).map(|change| change.principal.name.as_str()).collect();
    assert_eq!(drift, ["none", "same"]);
    assert_eq!(plan.count_of(Origin::ThisChange), 3);
    assert_eq!(plan.no_longer_listed(), [principal("gone")]);
}

#[test]
fn a_base_for_another_account_makes_every_change_one_of_the_file() {
    let file = "[users]\nalice = false\n";
    let config = Config::parse("f.toml", file).unwrap();
    let other = format!("[account]\nid = \"999999999999\"\n{file}");
    let base = Config::parse("base.toml", &other).unwrap();
    let live = [(principal("alice"), found(Some(arn("Other"))))].into();
    let (live, context) = (Inventory::of(live), context());
    let plan = Plan::between(&context, &config, &live).since(&base, &config, &live, &context);
    assert_eq!(plan.changes[0].origin, Some(Origin::ThisChange));
}
