use iam_boundaries::iam::Digest;
use iam_boundaries::plan::Plan;
use iam_boundaries::plan::saved::FORMAT_VERSION;
use serde_json::{Value, json};

use super::reports::{inert, of_plan, reads_back};

/// A saved plan: any bytes.
pub fn plan(input: &[u8]) -> bool {
    let is_read = read(input);
    // A fuzzer cannot guess a digest, so the document is also read with the correct digest.
    let corrected = with_correct_digest(input).is_some_and(|document| read(document.as_bytes()));
    is_read || corrected
}

fn read(text: &[u8]) -> bool {
    let plan = match Plan::from_json(text) {
        Ok(plan) => plan,
        Err(error) => {
            inert(&error.to_string());
            return false;
        }
    };
    let document =
        |text: &[u8]| serde_json::from_slice::<Value>(text).expect("the document was parsed");
    let read = document(text);
    assert_eq!(read["digest"], plan.digest().to_string());
    let written = document(plan.to_json().as_bytes());
    if read["format_version"] == FORMAT_VERSION {
        assert_eq!(written, read);
    } else {
        assert_eq!(facts_of_version_2(&written), facts_of_version_2(&read));
    }
    reads_back(&plan);
    of_plan(&plan);
    true
}

/// The content of a document of version 2 or 3, in the fields of version 2.
fn facts_of_version_2(document: &Value) -> Value {
    let array = |field: &str| document[field].as_array().expect("the document was parsed").iter();
    let field = |item: &Value, name: &str, at: &str| match item.get(name) {
        Some(value) => value.clone(),
        None => item.pointer(at).cloned().unwrap_or_default(),
    };
    let change = |change: &Value| {
        let user = field(change, "user", "/name");
        let line = field(change, "line", "/provenance/line");
        json!([user, change["action"], change["from"], change["to"], line, change["origin"]])
    };
    let problem = |problem: &Value| {
        let at = |name| field(problem, name, &format!("/provenance/{name}"));
        let mut kind = problem["problem"].clone();
        if kind["kind"] == "no_such_user" {
            kind["kind"] = "not_found".into();
        }
        json!([field(problem, "user", "/name"), at("line"), at("column"), kind])
    };
    let source = &document["source"];
    let file = source["files"].get(0).unwrap_or(&source["journal"]);
    let base = match document.get("base") {
        Some(base) => base.clone(),
        None => {
            let mut base = source.get("base").cloned().unwrap_or_default();
            let users = base.pointer_mut("/no_longer_listed").and_then(Value::as_array_mut);
            for user in users.into_iter().flatten() {
                *user = user["name"].take();
            }
            base
        }
    };
    json!({
        "account": document["account"],
        "file": document.get("file").unwrap_or(&file["path"]),
        "file_digest": document.get("file_digest").unwrap_or(&file["digest"]),
        "base": base,
        "rolls_back": document.get("rolls_back").or(source.get("plan")),
        "summary": document["summary"],
        "boundaries": document["boundaries"],
        "guard": document["guard"],
        "account_users": document["account_users"],
        "account_roles": document.get("account_roles"),
        "changes": array("changes").map(change).collect::<Vec<_>>(),
        "problems": array("problems").map(problem).collect::<Vec<_>>(),
    })
}

/// The document with the correct digest, computed as described in `docs/plan-format.md`.
fn with_correct_digest(input: &[u8]) -> Option<String> {
    let mut document: Value = serde_json::from_slice(input).ok()?;
    document.as_object_mut()?.remove("digest");
    document.sort_all_objects();
    document["digest"] = Digest::of(document.to_string()).to_string().into();
    Some(document.to_string())
}
