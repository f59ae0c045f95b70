//! JSON documents that differ from another one in a single value.

use serde_json::{Value, json};

/// The JSON pointers of all values in a document.
pub fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                places(value, &format!("{at}/{key}"), found);
            }
        }
        Value::Array(items) => {
            for (n, value) in items.iter().enumerate() {
                places(value, &format!("{at}/{n}"), found);
            }
        }
        _ => {}
    }
}

/// Other values to replace this one, of the same type and of other types.
pub fn others(value: &Value) -> Vec<Value> {
    let mut others = vec![json!(null), json!(true), json!(-1), json!(1.5), json!([]), json!({})];
    others.extend([json!(""), json!("x\u{1b}[2J"), json!(0), json!(4_000_000_000_000_u64)]);
    match value {
        Value::String(text) => {
            others.push(json!(format!("{text}x")));
            others.push(json!(text.to_uppercase()));
            others.push(json!(text.replace("Developer", "AdministratorAccess")));
            others.push(json!(text.chars().skip(1).collect::<String>()));
        }
        Value::Number(number) => others.push(json!(number.as_u64().unwrap() + 1)),
        Value::Array(items) if !items.is_empty() => {
            others.push(Value::Array(items[1..].to_vec()));
            others.push(Value::Array(items.iter().chain(items.first()).cloned().collect()));
            others.push(Value::Array(items.iter().rev().cloned().collect()));
        }
        Value::Object(fields) => {
            for key in fields.keys() {
                let mut fields = fields.clone();
                fields.remove(key);
                others.push(Value::Object(fields));
            }
            let mut fields = fields.clone();
            fields.insert("note".to_owned(), json!("approved"));
            others.push(Value::Object(fields));
        }
        _ => {}
    }
    others.retain(|other| other != value);
    others
}

/// Documents that each differ from `document` in one value.
pub fn tampered(document: &Value) -> Vec<(String, Value)> {
    let mut at = Vec::new();
    places(document, "", &mut at);
    at.into_iter()
        .flat_map(|at| {
            let there = document.pointer(&at).unwrap();
            others(there).into_iter().map(move |other| {
                let mut document = document.clone();
                *document.pointer_mut(&at).unwrap() = other;
                (at.clone(), document)
            })
        })
        .collect()
}
