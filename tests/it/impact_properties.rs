//! Properties of what a change gives and takes: for documents drawn at random, every statement of a comparison is held
//! against concrete requests, which a second, naive implementation evaluates.

use iam_boundaries::impact::{Actions, Direction, Document, Extent, Permissions, Step};
use proptest::prelude::*;
use serde_json::{Value, json};

const ACTIONS: [&str; 7] = [
    "s3:GetObject",
    "s3:GetBucketAcl",
    "s3:PutObject",
    "iam:CreateUser",
    "iam:GetUser",
    // Not in the catalog.
    "brandnew:GetThing",
    "brandnew:PutThing",
];
const PATTERNS: [&str; 14] = [
    "*",
    "s3:*",
    "S3:get*",
    "s3:Get?bject",
    "s3:*Acl",
    "s3:PutObject",
    "iam:*User",
    "iam:CreateUser",
    "*:*",
    "brandnew:*",
    "brandnew:Get*",
    "brandnew:*Thing",
    "brandnew:GetThing",
    "brandnew:?utThing",
];
const RESOURCES: [&str; 4] = ["arn:a", "arn:b/x", "arn:alice", "arn:${aws:username}"];
const RESOURCE_PATTERNS: [&str; 7] =
    ["*", "**", "arn:*", "arn:a", "arn:b/*", "arn:${aws:username}", "arn:?lice"];

/// A request: the action, the resource, and whether MFA was used. The user is alice.
type Request = (&'static str, &'static str, bool);

fn requests() -> impl Iterator<Item = Request> {
    ACTIONS.into_iter().flat_map(|action| {
        RESOURCES
            .into_iter()
            .flat_map(move |resource| [(action, resource, false), (action, resource, true)])
    })
}

fn matches(pattern: &[char], text: &[char]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        (['*', rest @ ..], _) => {
            matches(rest, text) || (!text.is_empty() && matches(pattern, &text[1..]))
        }
        (['?', rest @ ..], [_, tail @ ..]) => matches(rest, tail),
        ([c, rest @ ..], [d, tail @ ..]) => c == d && matches(rest, tail),
        _ => false,
    }
}

fn is_match(pattern: &str, text: &str) -> bool {
    let [pattern, text] = [pattern, text].map(|it| it.chars().collect::<Vec<_>>());
    matches(&pattern, &text)
}

fn list(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().map(|it| it.as_str().unwrap().to_owned()).collect(),
        one => vec![one.as_str().unwrap().to_owned()],
    }
}

/// Whether a statement is about a request.
fn is_about(document: &Value, statement: &Value, (action, resource, mfa): Request) -> bool {
    let is_action = |it: &String| is_match(&it.to_lowercase(), &action.to_lowercase());
    let has_variables = document["Version"] == "2012-10-17";
    let is_resource = |it: &String| match has_variables {
        true => is_match(&it.replace("${aws:username}", "alice"), resource),
        false => is_match(it, resource),
    };
    let actions = match statement.get("Action") {
        Some(actions) => list(actions).iter().any(is_action),
        None => !list(&statement["NotAction"]).iter().any(is_action),
    };
    let resources = match statement.get("Resource") {
        Some(resources) => list(resources).iter().any(is_resource),
        None => !list(&statement["NotResource"]).iter().any(is_resource),
    };
    let condition = statement
        .pointer("/Condition/Bool/aws:MultiFactorAuthPresent")
        .is_none_or(|expected| list(expected).contains(&mfa.to_string()));
    actions && resources && condition
}

/// Whether documents allow and whether they deny a request.
fn verdict(documents: &[Value], request: Request) -> (bool, bool) {
    let has = |effect: &str| {
        documents.iter().any(|document| {
            let statements = match &document["Statement"] {
                Value::Array(statements) => statements.clone(),
                one => vec![one.clone()],
            };
            statements.iter().any(|it| it["Effect"] == effect && is_about(document, it, request))
        })
    };
    (has("Allow"), has("Deny"))
}

fn is_allowed(identity: &[Value], boundary: Option<&Value>, request: Request) -> bool {
    let (allowed, denied) = verdict(identity, request);
    let within =
        boundary.is_none_or(|it| verdict(std::slice::from_ref(it), request) == (true, false));
    allowed && !denied && within
}

fn some_of(from: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop_oneof![
        prop::sample::select(from).prop_map(Value::from),
        prop::collection::vec(prop::sample::select(from), 1..4).prop_map(Value::from),
    ]
}

fn statement() -> impl Strategy<Value = Value> {
    let element = |name: &'static str, from| {
        prop_oneof![
            4 => some_of(from).prop_map(move |value| (name.to_owned(), value)),
            1 => some_of(from).prop_map(move |value| (format!("Not{name}"), value)),
        ]
    };
    let condition = prop_oneof![
        3 => Just(None),
        1 => prop::sample::select(vec!["true", "false"]).prop_map(Some),
    ];
    let effect = prop_oneof![3 => Just("Allow"), 1 => Just("Deny")];
    let parts =
        (effect, element("Action", &PATTERNS), element("Resource", &RESOURCE_PATTERNS), condition);
    parts.prop_map(|(effect, (action, actions), (resource, resources), mfa)| {
        let mut statement = json!({ "Effect": effect, action: actions, resource: resources });
        if let Some(mfa) = mfa {
            statement["Condition"] = json!({ "Bool": { "aws:MultiFactorAuthPresent": mfa } });
        }
        statement
    })
}

fn document() -> impl Strategy<Value = Value> {
    let version = prop::sample::select(vec![Some("2012-10-17"), Some("2008-10-17"), None]);
    let statements =
        prop_oneof![statement(), prop::collection::vec(statement(), 0..4).prop_map(Value::from),];
    (version, statements).prop_map(|(version, statements)| {
        let mut document = json!({ "Statement": statements });
        if let Some(version) = version {
            document["Version"] = version.into();
        }
        document
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn each_statement_of_a_comparison_is_true_of_every_request(
        identity in prop::collection::vec(document(), 0..3),
        before in prop::option::of(document()),
        after in prop::option::of(document()),
        same in prop::bool::weighted(0.1),
    ) {
        let after = if same { before.clone() } else { after };
        let parse = |value: &Value| Document::parse(&value.to_string()).unwrap();
        let policies: Vec<Document> = identity.iter().map(parse).collect();
        let [old, new] = [&before, &after].map(|it| it.as_ref().map(parse));
        let actions = Actions::of(policies.iter().chain(&old).chain(&new));
        let mut permissions = Permissions::none(&actions);
        policies.iter().for_each(|it| permissions.add(&Permissions::of(it, &actions)));
        let comparison = Step::new(old.as_ref(), new.as_ref(), &actions).compare(&permissions);

        let direction = comparison.direction();
        for request in requests() {
            let was = is_allowed(&identity, before.as_ref(), request);
            let is = is_allowed(&identity, after.as_ref(), request);
            prop_assert!(was || !is || comparison.can_allow(), "{request:?}: {direction:?}");
            prop_assert!(!was || is || comparison.can_deny(), "{request:?}: {direction:?}");
            if before == after {
                prop_assert_eq!(direction, Direction::NoEffect);
            }
            // The action, and the patterns of the documents that match it.
            let (service, _) = request.0.split_once(':').unwrap();
            let of_action = actions.of_service(service).into_iter().filter(|&index| {
                is_match(&actions.get(index).name.to_lowercase(), &request.0.to_lowercase())
            });
            for index in of_action {
                let (extent_before, extent_after) = comparison.extents(index);
                for (extent, allowed) in [(extent_before, was), (extent_after, is)] {
                    // A pattern is fully allowed only if each of its actions is, unless another entry is more exact.
                    let is_exact = !actions.get(index).name.contains(['*', '?']);
                    match extent {
                        Extent::None => prop_assert!(!allowed, "{request:?} is allowed"),
                        Extent::Full => prop_assert!(allowed || !is_exact, "{request:?} is denied"),
                        Extent::Limited => {}
                    }
                }
                let gains = comparison.gains().contains(index);
                let losses = comparison.losses().contains(index);
                prop_assert!(was || !is || gains, "{request:?} is given");
                prop_assert!(!was || is || losses, "{request:?} is taken");
            }
        }
    }
}
