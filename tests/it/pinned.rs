//! Pinned policies, the documents that saved plans record, and the documents of an import.

use crate::support::fixture::{Fixture, denied, user};
use crate::support::plans::{Case, HOSTILE, arn, principal};
use iam_boundaries::config::{Provenance, SourceFile};
use iam_boundaries::iam::{Digest, PrincipalCounts};
use iam_boundaries::plan::{DriftedPolicy, Plan, PlanSource, Problem, ProblemKind, Severity};
use serde_json::Value;

const DOCUMENT: &str = r#"{ "Version": "2012-10-17", "Statement": [
    { "Effect": "Allow", "Action": ["s3:*", "ec2:Describe*"], "Resource": "*" } ] }"#;
/// [`DOCUMENT`] in another form.
const SAME: &str = r#"{"Statement":{"Resource":["*"],"Action":["ec2:Describe*","s3:*"],"Effect":"Allow"},"Version":"2012-10-17"}"#;
const WIDER: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
const VERSION: &str = "GetPolicyVersion";

/// Two users without a boundary, of which the file lists the first with a pinned policy and the second with another
/// one.
async fn pinned() -> Fixture {
    let file = "[account]\nid = \"123456789012\"\n[boundaries]\ndev = { arn = \"policy/Developer\", document = \"policies/dev.json\" }\n\
                other = \"policy/Other\"\n[users]\nuser-0000 = \"dev\"\nuser-0001 = \"other\"\n";
    let fixture = Fixture::users(2).file(file).start().await;
    std::fs::create_dir(fixture.folder().join("policies")).unwrap();
    std::fs::write(fixture.folder().join("policies/dev.json"), DOCUMENT).unwrap();
    fixture.sandbox.put_document(&arn("Developer"), SAME);
    fixture
}

fn deny_documents(fixture: &Fixture) {
    fixture.sandbox.faults().add(VERSION, None, 1_000, denied());
}

fn plan_in(fixture: &Fixture, file: &str) -> Plan {
    Plan::from_json(&std::fs::read(fixture.folder().join(file)).unwrap()).unwrap()
}

#[tokio::test]
async fn a_policy_that_says_the_same_in_another_form_is_as_pinned() {
    let fixture = pinned().await;
    let plan = fixture.run(&["plan", "--detailed-exitcode"]).await;
    assert_eq!(plan.code, 2, "{plan}");
    assert!(plan.out.contains("2 to add"), "{plan}");
    // Only the pinned policy is read.
    assert_eq!((fixture.calls("GetPolicy"), fixture.calls(VERSION)), (3, 1));
}

#[tokio::test]
async fn a_policy_that_differs_blocks_its_changes_and_is_reported_with_the_difference() {
    let fixture = pinned().await;
    fixture.sandbox.put_document(&arn("Developer"), WIDER);
    let plan = fixture.run(&["plan", "--out", "plan.json", "--detailed-exitcode"]).await;
    assert_eq!(plan.code, 5, "{plan}");
    insta::assert_snapshot!("pinned_policy_differs", plan.out);
    for format in ["text", "markdown", "github"] {
        let shown = fixture.run(&["show", "plan.json", "--format", format]).await;
        insta::assert_snapshot!(format!("pinned_policy_differs_{format}"), shown.out);
    }
    let saved = plan_in(&fixture, "plan.json");
    assert_eq!(saved.drifted.len(), 1);
    assert_eq!(saved.documents.keys().collect::<Vec<_>>(), [&arn("Other")]);
    let applied = fixture.run(&["apply", "--auto-approve"]).await;
    assert_eq!(applied.code, 3, "{applied}");
    assert!(fixture.has_none(0) && fixture.has(1, "Other"));
}

#[tokio::test]
async fn everyone_who_has_a_policy_that_differs_is_counted_even_if_nothing_changes() {
    let fixture = pinned().await;
    fixture.set(0, "Developer");
    fixture.set(1, "Developer");
    fixture.sandbox.put_document(&arn("Developer"), WIDER);
    let json = fixture.run(&["plan", "--format", "json"]).await;
    let document: Value = serde_json::from_str(&json.out).unwrap();
    // The second user has it, too, and is about to lose it.
    assert_eq!(document["drifted"][0]["users"], 2);
    assert_eq!(document["summary"]["change"], 1);
    let fixture = pinned().await;
    fixture.set(0, "Developer");
    fixture.set(1, "Other");
    assert_eq!(fixture.run(&["plan"]).await.code, 0);
    fixture.sandbox.put_document(&arn("Developer"), WIDER);
    let plan = fixture.run(&["plan"]).await;
    assert_eq!(plan.code, 3, "{plan}");
    assert!(plan.out.contains("; 1 pinned policy drifted."), "{plan}");
    assert!(plan.out.contains("; 1 user has it"), "{plan}");
    let applied = fixture.run(&["apply", "--auto-approve", "--format", "json"]).await;
    assert_eq!(applied.code, 3, "{applied}");
    assert_eq!(applied.json_lines().last().unwrap()["drifted_policies"], 1);
    // A plan that does not concern the user does not report it.
    let only = fixture.run(&["plan", "--only", &format!("user/{}", user(1))]).await;
    assert_eq!(only.code, 0, "{only}");
}

#[tokio::test]
async fn a_pinned_policy_that_cannot_be_read_is_never_assumed_to_be_right() {
    let fixture = pinned().await;
    deny_documents(&fixture);
    let plan = fixture.run(&["plan", "--format", "json"]).await;
    assert_eq!(plan.code, 3, "{plan}");
    let document: Value = serde_json::from_str(&plan.out).unwrap();
    let problem = &document["problems"][0];
    assert_eq!(problem["problem"]["kind"], "policy_document_unreadable");
    assert_eq!(problem["problem"]["error"]["code"], "AccessDenied");
    assert_eq!(document["drifted"], Value::Null);
    fixture.set(0, "Developer");
    let plan = fixture.run(&["plan"]).await;
    assert_eq!(plan.code, 3, "{plan}");
    assert!(plan.out.contains("cannot be compared with policies/dev.json:"), "{plan}");
    assert!(plan.out.contains("; 1 pinned policy not compared."), "{plan}");
    let fixture = pinned().await;
    fixture.sandbox.put_document(&arn("Developer"), "not JSON");
    let plan = fixture.run(&["plan"]).await;
    assert_eq!(plan.code, 3, "{plan}");
    let out = plan.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(out.contains("the response has no valid policy document: 1:2: "), "{plan}");
}

#[tokio::test]
async fn only_a_plan_that_is_a_document_reads_policies_that_are_not_pinned() {
    let fixture = Fixture::users(2).listed_with("Developer").start().await;
    for arguments in [&["plan"][..], &["plan", "--format", "markdown"]] {
        assert_eq!(fixture.run(arguments).await.code, 0);
        assert_eq!(fixture.calls(VERSION), 0, "{arguments:?}");
    }
    assert_eq!(fixture.run(&["plan", "--out", "plan.json"]).await.code, 0);
    assert_eq!(fixture.calls(VERSION), 1);
    let printed = fixture.run(&["plan", "--format", "json"]).await.out;
    assert_eq!(printed, std::fs::read_to_string(fixture.folder().join("plan.json")).unwrap());
    let recorded = plan_in(&fixture, "plan.json").documents;
    assert_eq!(recorded.keys().collect::<Vec<_>>(), [&arn("Developer")]);
    // Without the permission, the plan is saved without the digests.
    deny_documents(&fixture);
    let plan = fixture.run(&["-v", "plan", "--out", "plan.json"]).await;
    assert_eq!(plan.code, 0, "{plan}");
    assert!(plan.err.contains("the plan does not record what arn:aws:iam::"), "{plan}");
    assert!(plan_in(&fixture, "plan.json").documents.is_empty());
    let applied = fixture.run(&["apply", "plan.json", "--auto-approve"]).await;
    assert_eq!(applied.code, 0, "{applied}");
}

#[tokio::test]
async fn a_saved_plan_blocks_the_changes_whose_policy_changed_since() {
    let fixture = pinned().await;
    assert_eq!(fixture.run(&["plan", "--out", "plan.json"]).await.code, 0);
    fixture.sandbox.put_document(&arn("Other"), WIDER);
    let applied = fixture.run(&["apply", "plan.json", "--auto-approve", "--format", "json"]).await;
    assert_eq!(applied.code, 3, "{applied}");
    assert!(fixture.has(0, "Developer") && fixture.has_none(1));
    let lines = applied.json_lines();
    let blocked = lines.iter().find(|line| line["outcome"] == "blocked").unwrap();
    assert_eq!(blocked["name"], user(1).as_str());
    assert_eq!(blocked["error"]["code"], "PolicyChanged");
    // Another form of the same document is no change.
    fixture.sandbox.put_document(&arn("Developer"), DOCUMENT);
    assert_eq!(fixture.run(&["plan", "--out", "plan.json"]).await.code, 0);
    assert_eq!(fixture.run(&["apply", "plan.json", "--auto-approve"]).await.code, 0);
    assert!(fixture.has(1, "Other"));
}

#[tokio::test]
async fn a_saved_plan_blocks_the_changes_whose_recorded_policy_cannot_be_read() {
    let fixture = pinned().await;
    assert_eq!(fixture.run(&["plan", "--out", "plan.json"]).await.code, 0);
    deny_documents(&fixture);
    let applied = fixture.run(&["apply", "plan.json", "--auto-approve"]).await;
    assert_eq!(applied.code, 3, "{applied}");
    assert!(applied.out.contains("user-0000: cannot check what the policy"), "{applied}");
    assert!(fixture.has_none(0) && fixture.has_none(1));
    assert_eq!(fixture.writes(), 0);
}

#[tokio::test]
async fn an_update_keeps_the_pinned_tables() {
    let fixture = pinned().await;
    fixture.set(1, "Developer");
    let updated = fixture.run(&["import", "--update"]).await;
    assert_eq!(updated.code, 0, "{updated}");
    let text = std::fs::read_to_string(fixture.folder().join("boundaries.toml")).unwrap();
    assert!(
        text.contains("dev = { arn = \"policy/Developer\", document = \"policies/dev.json\" }\n")
    );
    assert!(text.contains("user-0001 = \"dev\"\n"), "{text}");
}

#[tokio::test]
async fn an_import_with_documents_pins_what_the_account_has() {
    let fixture = pinned().await;
    std::fs::remove_file(fixture.folder().join("boundaries.toml")).unwrap();
    fixture.set(0, "Developer");
    fixture.set(1, "Other");
    let file = |name: &str| fixture.folder().join(name);
    let arguments = ["import", "--out", "iam/boundaries.toml", "--documents", "documents"];
    std::fs::create_dir(file("iam")).unwrap();
    deny_documents(&fixture);
    let failed = fixture.run(&arguments).await;
    assert_eq!(failed.code, 1, "{failed}");
    assert!(failed.err.contains("policy/Developer: "), "{failed}");
    assert!(failed.err.contains("policy/Other: "), "{failed}");
    assert!(!file("documents").exists() && !file("iam/boundaries.toml").exists());
    let fixture = pinned().await;
    std::fs::remove_file(fixture.folder().join("boundaries.toml")).unwrap();
    fixture.set(0, "Developer");
    fixture.set(1, "Other");
    let file = |name: &str| fixture.folder().join(name);
    std::fs::create_dir(file("iam")).unwrap();
    let imported = fixture.run(&arguments).await;
    assert_eq!(imported.code, 0, "{imported}");
    assert!(imported.err.contains("documents: 2 documents, which the file pins"), "{imported}");
    let text = std::fs::read_to_string(file("iam/boundaries.toml")).unwrap();
    let pin = "developer = { arn = \"arn:aws:iam::123456789012:policy/Developer\", document = \"../documents/developer.json\" }";
    assert!(text.contains(pin), "{text}");
    assert!(file("documents/other.json").exists());
    let plan = fixture.run(&["-f", "iam/boundaries.toml", "plan", "--detailed-exitcode"]).await;
    assert_eq!(plan.code, 0, "{plan}");
    // Existing documents are kept, and so is everything else.
    std::fs::remove_file(file("iam/boundaries.toml")).unwrap();
    std::fs::remove_file(file("documents/developer.json")).unwrap();
    let again = fixture.run(&arguments).await;
    assert_eq!(again.code, 1, "{again}");
    assert!(again.err.contains("other.json already exists"), "{again}");
    assert!(!file("documents/developer.json").exists() && !file("iam/boundaries.toml").exists());
    let forced = fixture.run(&[&arguments[..], &["--force"]].concat()).await;
    assert_eq!(forced.code, 0, "{forced}");
    assert!(file("documents/developer.json").exists() && file("iam/boundaries.toml").exists());
    let nowhere = fixture.run(&["import", "--documents", "iam/boundaries.toml"]).await;
    assert_eq!(nowhere.code, 1, "{nowhere}");
    assert!(nowhere.err.contains("it is not a directory"), "{nowhere}");
}

#[tokio::test]
async fn hostile_text_in_a_policy_stays_in_its_block() {
    let fixture = pinned().await;
    fixture.set(0, "Developer");
    let mut policy: Value = serde_json::from_str(WIDER).unwrap();
    policy["Statement"][0]["Sid"] = format!("\n```\n\u{1b}[31m{HOSTILE}\u{202e}").into();
    fixture.sandbox.put_document(&arn("Developer"), &policy.to_string());
    let plan = fixture.run(&["plan", "--format", "markdown"]).await;
    assert_eq!(plan.code, 3, "{plan}");
    let lines: Vec<&str> = plan.out.lines().collect();
    let fences: Vec<&&str> = lines.iter().filter(|it| it.trim_start().starts_with("```")).collect();
    assert_eq!(fences, [&"  ```diff", &"  ```"], "{plan}");
    let hostile: Vec<&&str> = lines.iter().filter(|it| it.contains("<script>")).collect();
    assert!(hostile.len() == 1 && hostile[0].starts_with("  +"), "{hostile:?}");
    for format in ["text", "markdown", "github", "json"] {
        let shown = fixture.run(&["plan", "--format", format]).await.out;
        assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{format}: {shown}");
    }
}

/// A plan with a recorded document and a policy that drifted.
fn recorded() -> Plan {
    let mut plan = Case::of(8, 0).plan();
    let set = plan.policies().into_iter().next().unwrap().clone();
    plan.documents.insert(set, Digest::of("document"));
    plan.drifted.push(DriftedPolicy {
        policy: arn("Developer"),
        document: "policies/developer.json".into(),
        holders: PrincipalCounts { users: 2, roles: 1 },
        difference: Ok(vec!["@@ -1 +1 @@".into(), "-a".into(), "+b".into()]),
    });
    plan
}

#[test]
fn a_saved_plan_has_only_documents_and_policies_that_a_plan_can_have() {
    let plan = recorded();
    assert_eq!(Plan::from_json(plan.to_json().as_bytes()).unwrap(), plan);
    let other = |change: &dyn Fn(&mut Plan)| {
        let mut plan = recorded();
        change(&mut plan);
        Plan::from_json(plan.to_json().as_bytes()).unwrap_err().to_string()
    };
    let problem = |kind| {
        let provenance = Provenance::entry(&"boundaries.toml".into(), 40, Some(1));
        let principal = principal("zoe");
        Problem { principal, provenance, kind, severity: Severity::Error }
    };
    let changed = ProblemKind::PolicyChanged { policy: arn("Developer") };
    for (error, expected) in [
        (
            other(&|plan| plan.documents.extend([(arn("Unset"), Digest::of(""))])),
            "it has the digest of arn:aws:iam::123456789012:policy/Unset, which no change sets",
        ),
        (other(&|plan| plan.drifted[0].difference = Ok(Vec::new())), "has no difference"),
        (
            other(&|plan| plan.drifted[0].difference = Ok(vec!["```".into()])),
            "the difference of the pinned policy",
        ),
        (other(&|plan| plan.drifted[0].document = "".into()), "has no path"),
        (other(&|plan| plan.drifted[0].holders.users = usize::MAX), "is too large"),
        (
            other(&|plan| plan.drifted.push(plan.drifted[0].clone())),
            "its pinned policies are not sorted",
        ),
        (
            other(&|plan| {
                let journal = SourceFile { path: "run.jsonl".into(), digest: Digest::of("") };
                let digest = Digest::of("");
                plan.source = PlanSource::Rollback {
                    journal,
                    plan: digest,
                    run_ended: None,
                    unconfirmed: Vec::new(),
                };
                plan.changes.clear();
                plan.documents.clear();
                plan.names.clear();
            }),
            "it has pinned policies, and is not made from files",
        ),
        (
            other(&|plan| plan.problems.push(problem(changed.clone()))),
            "changed since the plan was made",
        ),
    ] {
        assert!(error.contains(expected), "{expected}: {error}");
    }
    let mut plan = recorded();
    let document = "policies/developer.json".into();
    plan.problems.push(problem(ProblemKind::PolicyDiffers { policy: arn("Developer"), document }));
    assert_eq!(Plan::from_json(plan.to_json().as_bytes()).unwrap(), plan);
}
