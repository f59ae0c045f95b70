//! What the changes of a plan give and take in an account, what of it was used, and the guard rails about it.

use std::time::Duration;

use iam_boundaries::iam::Principal;
use iam_boundaries::sandbox::Fault;
use serde_json::{Value, json};

use crate::support::Ran;
use crate::support::fixture::{DETAILS, Fixture, denied, user};
use crate::support::plans::arn;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn allow(actions: &[&str]) -> String {
    let statement = json!({ "Effect": "Allow", "Action": actions, "Resource": "*" });
    json!({ "Version": "2012-10-17", "Statement": statement }).to_string()
}

/// Four users with the boundary `Developer`, which allows S3, EC2 and two actions of IAM. `Other` allows reading S3.
async fn company(file: &str) -> Fixture {
    let fixture = Fixture::users(4).file(file).start().await;
    let sandbox = &fixture.sandbox;
    let developer = ["s3:*", "ec2:*", "iam:GetUser", "iam:CreateUser"];
    sandbox.put_document(&arn("Developer"), &allow(&developer));
    sandbox.put_document(&arn("Other"), &allow(&["s3:Get*", "s3:List*"]));
    for (n, actions) in [&["s3:*"][..], &["s3:*"], &["ec2:RunInstances"], &["*"]].iter().enumerate()
    {
        fixture.set(n, "Developer");
        sandbox.put_inline_policy(&Principal::user(user(n)), "own", &allow(actions));
    }
    fixture
}

/// A file that sets `Other` for these users.
fn to_other(users: &[usize], guard: &str) -> String {
    let lines: String = users.iter().map(|&n| format!("{} = \"other\"\n", user(n))).collect();
    format!(
        "[account]\nid = \"123456789012\"\n[boundaries]\nother = \"policy/Other\"\ndeveloper = \"policy/Developer\"\n{guard}\n[users]\n{lines}"
    )
}

/// The output without line breaks.
fn unwrapped(ran: &Ran) -> String {
    let words = ran.out.split_whitespace().chain(ran.err.split_whitespace());
    words.collect::<Vec<_>>().join(" ")
}

fn json_of(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.err))
}

/// The effects of a plan: the names of the principals, and the effect.
fn effects(plan: &Value) -> Vec<(Vec<String>, &Value)> {
    let effects = plan["impact"]["effects"].as_array().unwrap();
    let names = |effect: &Value| {
        let principals = effect["principals"].as_array().unwrap().iter();
        principals.map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    };
    effects.iter().map(|effect| (names(effect), effect)).collect()
}

#[tokio::test]
async fn equal_effects_are_computed_and_shown_once_and_no_principal_has_a_call_of_its_own() {
    let fixture = company(&to_other(&[0, 1, 2, 3], "")).await;
    let plain = json_of(&fixture.run(&["plan", "--format", "json"]).await);
    assert!(plain.get("impact").is_none());
    let before = fixture.calls(DETAILS);
    let ran = fixture.run(&["plan", "--impact", "--format", "json"]).await;
    let plan = json_of(&ran);
    assert_eq!(plan["digest"], plain["digest"], "the impact is outside the digest");
    crate::schema::assert_digest_as_described(&plan);
    assert_eq!(fixture.calls(DETAILS) - before, 1);
    // Without the impact, the document of the only policy that is set is read singly.
    assert_eq!((fixture.calls("GetUser"), fixture.calls("GetPolicyVersion")), (0, 1));

    let found = effects(&plan);
    let names: Vec<Vec<String>> = found.iter().map(|(names, _)| names.clone()).collect();
    let expected = [vec![user(3)], vec![user(0), user(1)], vec![user(2)]];
    assert_eq!(
        names,
        expected.map(|users| users.iter().map(ToString::to_string).collect::<Vec<_>>())
    );
    let summary = &found[1].1["summary"];
    assert_eq!(summary["direction"], "narrowing");
    assert_eq!(
        (&summary["gives"]["actions"], &summary["takes"]["services"]),
        (&json!(0), &json!(1))
    );
    let last = &found[2].1["summary"]["takes"];
    assert_eq!((&last["actions"], &last["main"]), (&json!(1), &json!(["ec2:RunInstances"])));
    // The user with every action loses EC2, S3 and IAM.
    assert_eq!(found[0].1["summary"]["takes"]["services"], 3);

    let text = fixture.run(&["plan", "--impact"]).await.out;
    assert!(text.contains("takes ec2:RunInstances; gives none"), "{text}");
    assert!(text.contains("as for user-0000"), "{text}");
    assert!(text.contains("service control policies"), "{text}");
    let markdown = fixture.run(&["plan", "--impact", "--format", "markdown"]).await.out;
    assert!(
        markdown.contains("| note |") && markdown.contains("takes ec2:RunInstances"),
        "{markdown}"
    );
}

#[tokio::test]
async fn a_saved_plan_keeps_its_impact_and_rejects_one_about_others() {
    let fixture = company(&to_other(&[2], "")).await;
    fixture.run(&["plan", "--impact", "--out", "plan.json"]).await;
    let path = fixture.folder().join("plan.json");
    let shown = fixture.run(&["show", "plan.json"]).await.out;
    assert!(shown.contains("takes ec2:RunInstances; gives none"), "{shown}");

    let mut plan: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    plan["impact"]["effects"][0]["principals"][0]["name"] = "mallory".into();
    std::fs::write(&path, plan.to_string()).unwrap();
    let refused = fixture.run(&["apply", "plan.json", "--auto-approve"]).await;
    assert!(refused.err.contains("its impact is not about the principals"), "{}", refused.err);
    assert_eq!((refused.code, fixture.writes()), (1, 0));
}

#[tokio::test]
async fn what_cannot_be_evaluated_is_unknown_and_not_none() {
    let unknown = async |fixture: &Fixture, expected: &str| {
        let ran = fixture.run(&["plan", "--impact", "--format", "json"]).await;
        let plan = json_of(&ran);
        let [(names, effect)] = &effects(&plan)[..] else { panic!("{plan}") };
        assert_eq!(names, &[user(0).to_string()]);
        let why = effect["unknown"].as_str().unwrap_or_else(|| panic!("{effect}"));
        assert!(why.contains(expected), "{why}");
        let text = fixture.run(&["plan", "--impact"]).await.out;
        assert!(text.contains("what it gives and takes is not known"), "{text}");
    };
    let principal = Principal::user(user(0));

    let fixture = company(&to_other(&[0], "")).await;
    let odd = r#"{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Odd": 1}}"#;
    fixture.sandbox.put_inline_policy(&principal, "odd", odd);
    unknown(&fixture, "unknown field, expected one of").await;

    let fixture = company(&to_other(&[0], "")).await;
    fixture.sandbox.put_document(&arn("Other"), "{}");
    unknown(&fixture, "missing field `Statement`").await;

    // Pages are denied, and the user is read by GetUser, which shows no policies.
    let fixture = company(&to_other(&[0], "")).await;
    fixture.sandbox.faults().add(DETAILS, None, 1_000, denied());
    unknown(&fixture, "the policies of the user were not read").await;

    // An AWS managed policy that is only a boundary is on no page.
    let file = format!("[users]\n{} = \"arn:aws:iam::aws:policy/ReadOnlyAccess\"\n", user(0));
    let fixture = company(&file).await;
    fixture.sandbox.faults().add("GetPolicyVersion", None, 1_000, denied());
    unknown(&fixture, "cannot read policy arn:aws:iam::aws:policy/ReadOnlyAccess").await;
}

#[tokio::test]
async fn explaining_a_change_lists_its_actions_service_by_service() {
    let fixture = company(&to_other(&[3], "")).await;
    let explain = ["plan", "--impact", "--explain", "user/user-0003"];
    let text = fixture.run(&explain).await.out;
    for part in
        ["every action of ec2", "s3: every action except Get*, List*", "iam: CreateUser, GetUser"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let explained = json_of(&fixture.run(&[&explain[..], &["--format", "json"]].concat()).await);
    let actions = explained["impact"]["actions"].as_array().unwrap();
    let taken = json!({
        "action": "iam:CreateUser", "access_level": "Write", "before": "full", "after": "none",
    });
    assert!(actions.contains(&taken), "{actions:?}");
}

#[tokio::test]
async fn what_was_used_and_would_be_taken_comes_first() {
    let fixture = company(&to_other(&[0, 2, 3], "")).await;
    let [zero, two, three] = [0, 2, 3].map(|n| Principal::user(user(n)));
    let sandbox = &fixture.sandbox;
    sandbox.put_last_used(&two, "ec2:RunInstances", DAY * 3);
    sandbox.put_last_used(&zero, "s3:ListAllMyBuckets", DAY);
    sandbox.put_last_used(&three, "ec2:RunInstances", DAY * 100);
    let text = fixture.run(&["plan", "--last-used", "90"]).await.out;
    let used = text.find("user user-0002 used ec2:RunInstances 3 days ago; it would be denied");
    assert!(used.is_some_and(|at| at < text.find(" → ").unwrap()), "{text}");
    assert!(!text.contains("user-0003 used") && !text.contains("user-0000 used"), "{text}");

    let plan = json_of(&fixture.run(&["plan", "--last-used", "400", "--format", "json"]).await);
    let taken = plan["impact"]["used"]["taken"].as_array().unwrap();
    let names: Vec<_> =
        taken.iter().map(|it| (&it["name"], &it["days_ago"], &it["result"])).collect();
    let of = |n, days| (json!(user(n)), json!(days), json!("denied"));
    let expected = [of(2, 3), of(3, 100)];
    assert_eq!(names, expected.iter().map(|(a, b, c)| (a, b, c)).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_report_that_cannot_be_read_is_not_a_report_without_uses() {
    for (fault, expected) in [(denied(), "AccessDenied"), (Fault::JobFailed, "the job failed")] {
        let fixture = company(&to_other(&[0, 1, 2], "")).await;
        fixture.sandbox.faults().add("GenerateServiceLastAccessedDetails", None, 1_000, fault);
        let text = unwrapped(&fixture.run(&["plan", "--last-used", "90"]).await);
        assert!(
            text.contains("It is not known what these used") && text.contains(expected),
            "{text}"
        );
        assert!(!text.contains("nothing of what is taken was used"), "{text}");
    }
}

#[tokio::test]
async fn a_report_is_complete_only_if_its_last_page_says_so() {
    let page = |end: &str| {
        let action = "GetServiceLastAccessedDetails";
        Fault::Response(format!(
            "<{action}Response><{action}Result><JobStatus>COMPLETED</JobStatus>\
             <JobCreationDate>2026-01-01T00:00:00Z</JobCreationDate>\
             <JobCompletionDate>2026-01-01T00:00:01Z</JobCompletionDate><ServicesLastAccessed/>{end}\
             </{action}Result><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></{action}Response>"
        ))
    };
    let no = "<IsTruncated>false</IsTruncated>";
    for (end, expected) in [
        ("", "does not say whether another page follows"),
        (&*format!("{no}<Marker>next</Marker>"), "has a marker for another page"),
        ("<IsTruncated>true</IsTruncated>", "has no new marker"),
        ("<IsTruncated>true</IsTruncated><Marker>same</Marker>", "has no new marker"),
        (no, "nothing of what is taken was used"),
    ] {
        let fixture = company(&to_other(&[0, 1], "")).await;
        let faults = fixture.sandbox.faults();
        faults.add("GetServiceLastAccessedDetails", None, 1_000, page(end));
        let text = unwrapped(&fixture.run(&["plan", "--last-used", "90"]).await);
        let is_known = text.contains("nothing of what is taken was used");
        assert_eq!(is_known, end == no, "{end}: {text}");
        assert!(text.contains(expected), "{end}: {text}");
    }
}

#[tokio::test]
async fn a_wider_boundary_is_refused_if_the_file_says_so() {
    let to_developer =
        |guard: &str| to_other(&[0], guard).replace("\"other\"\n", "\"developer\"\n");
    for (guard, is_refused) in [
        ("", false),
        ("[guard]\nwidening = \"allow\"", false),
        ("[guard]\nwidening = \"permissions-management\"", true),
        ("[guard]\nwidening = \"refuse\"", true),
    ] {
        let fixture = company(&to_developer(guard)).await;
        fixture.set(0, "Other");
        let ran = fixture.run(&["apply", "--auto-approve"]).await;
        assert_eq!(ran.code, if is_refused { 4 } else { 0 }, "{guard}: {}", ran.err);
        assert_eq!(fixture.has(0, "Developer"), !is_refused);
        if is_refused {
            let output = unwrapped(&ran);
            assert!(output.contains("--allow-widening user/user-0000"), "{output}");
            // The saved plan has the comparison, and is refused in the same way.
            fixture.run(&["plan", "--out", "plan.json"]).await;
            assert_eq!(fixture.run(&["apply", "plan.json", "--auto-approve"]).await.code, 4);
            let allowed = ["apply", "--auto-approve", "--allow-widening", "user/user-0000"];
            assert_eq!(fixture.run(&allowed).await.code, 0);
            assert!(fixture.has(0, "Developer"));
        }
    }
    // EC2 and S3 without actions that manage permissions.
    let fixture = company(&to_developer("[guard]\nwidening = \"permissions-management\"")).await;
    fixture.sandbox.put_document(&arn("Developer"), &allow(&["s3:Get*", "s3:List*", "ec2:Run*"]));
    fixture.set(0, "Other");
    let ran = fixture.run(&["apply", "--auto-approve"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[tokio::test]
async fn a_boundary_that_cannot_be_compared_counts_as_wider() {
    let fixture = company(&to_other(&[0], "[guard]\nwidening = \"refuse\"")).await;
    assert_eq!(fixture.run(&["plan"]).await.code, 0);
    fixture.sandbox.faults().add("GetPolicyVersion", None, 1_000, denied());
    let ran = fixture.run(&["apply", "--auto-approve"]).await;
    let output = unwrapped(&ran);
    assert!(output.contains("it is not known whether it allows more"), "{output}");
    assert_eq!((ran.code, fixture.writes()), (4, 0));
}

#[tokio::test]
async fn a_removal_is_a_widening() {
    let file = format!(
        "[account]\nid = \"123456789012\"\n[guard]\nwidening = \"refuse\"\n[users]\n{} = false\n",
        user(0)
    );
    let fixture = company(&file).await;
    let ran = fixture.run(&["apply", "--auto-approve"]).await;
    assert_eq!((ran.code, fixture.writes()), (4, 0), "{}", ran.err);
    let allowed = ["apply", "--auto-approve", "--allow-widening", "user/*"];
    assert_eq!(fixture.run(&allowed).await.code, 0);
    assert!(fixture.has_none(0));
}

#[tokio::test]
async fn a_boundary_that_allows_everything_counts_as_a_removal() {
    for policy in ["arn:aws:iam::aws:policy/AdministratorAccess", arn("Other").as_str()] {
        let file = format!(
            "[account]\nid = \"123456789012\"\n[guard]\nmax_removals = 0\n[users]\n{} = \"{policy}\"\n",
            user(0)
        );
        let fixture = company(&file).await;
        fixture.sandbox.put_document(&arn("Other"), &allow(&["iam:*", "*"]));
        let ran = fixture.run(&["apply", "--auto-approve"]).await;
        let output = unwrapped(&ran);
        assert!(output.contains("to a boundary that allows everything"), "{policy}: {output}");
        assert_eq!((ran.code, fixture.writes()), (4, 0), "{policy}");
        let allowed = ["apply", "--auto-approve", "--max-removals", "1"];
        assert_eq!(fixture.run(&allowed).await.code, 0, "{policy}");
    }
    // The document is read only where the guard rail depends on it.
    let fixture = company(&to_other(&[0], "")).await;
    fixture.run(&["plan"]).await;
    assert_eq!(fixture.calls("GetPolicyVersion"), 0);
}

#[tokio::test]
async fn taking_what_was_used_is_refused_if_the_file_says_so() {
    let fixture = company(&to_other(&[2], "[guard]\ntaking_used = \"90d\"")).await;
    let two = Principal::user(user(2));
    fixture.sandbox.put_last_used(&two, "ec2:RunInstances", DAY * 3);
    fixture.run(&["plan", "--out", "plan.json"]).await;
    for arguments in [&["apply", "--auto-approve"][..], &["apply", "plan.json", "--auto-approve"]] {
        let ran = fixture.run(arguments).await;
        let output = unwrapped(&ran);
        assert!(output.contains("used ec2:RunInstances"), "{output}");
        assert!(output.contains("--allow-taking-used user/user-0002"), "{output}");
        assert_eq!((ran.code, fixture.writes()), (4, 0));
    }
    // What is not known is refused, too.
    fixture.sandbox.faults().add("GenerateServiceLastAccessedDetails", None, 1_000, denied());
    let ran = fixture.run(&["apply", "plan.json", "--auto-approve"]).await;
    assert!(unwrapped(&ran).contains("it is not known which it used"));
    assert_eq!((ran.code, fixture.writes()), (4, 0));
    let allowed = ["apply", "plan.json", "--auto-approve", "--allow-taking-used", "user/*"];
    assert_eq!(fixture.run(&allowed).await.code, 0);
    assert!(fixture.has(2, "Other"));
}

#[tokio::test]
async fn a_comment_begins_with_what_refuses_the_plan_and_says_why_each_permission_changes() {
    let file = |users: &str, guard: &str| {
        let account = "[account]\nid = \"123456789012\"\n";
        format!("{account}[guard]\n{guard}\n[users]\n{users}")
    };
    let of = |n: usize, value: &str| format!("{} = {value}\n", user(n));
    let after = [of(0, "false"), of(1, "\"policy/Other\"")].concat();
    let fixture = Fixture::users(2).file(&file(&after, "max_removals = 0")).start().await;
    fixture.sandbox.put_document(&arn("Developer"), &allow(&["s3:Get*"]));
    fixture.sandbox.put_document(&arn("Other"), &allow(&["s3:Get*", "ec2:Describe*"]));
    for n in 0..2 {
        fixture.set(n, "Developer");
        fixture.sandbox.put_inline_policy(&Principal::user(user(n)), "all", &allow(&["*"]));
    }
    let before = [of(0, "\"policy/Developer\""), of(1, "\"policy/Other\"")].concat();
    std::fs::write(fixture.folder().join("base.toml"), file(&before, "")).unwrap();
    let plan = ["plan", "--base", "base.toml", "--impact", "--format"];
    let markdown = fixture.run(&[&plan[..], &["markdown"]].concat()).await;
    assert_eq!(markdown.code, 0, "{markdown}");
    let title = markdown.out.lines().find(|line| line.starts_with("### ")).unwrap();
    assert!(title.ends_with(": 2 changes; 1 guard rail violated"), "{title}");
    let at = |text: &str| markdown.out.find(text).unwrap_or_else(|| panic!("{text}: {markdown}"));
    assert!(at("**Guard rail violated; apply refuses this plan**") < at("**Gives permissions**"));
    let removed = format!("- `{}` (boundary removed, from this change): gives ", user(0));
    let drifted = format!("- `{}` (drift): gives ", user(1));
    assert!(at(&removed) < at(&drifted));
    let html = fixture.run(&[&plan[..], &["html"]].concat()).await.out;
    let at = |text: &str| html.find(text).unwrap_or_else(|| panic!("{text}: {html}"));
    assert!(at("Guard rail violated; apply refuses") < at("Gives permissions"));
    assert!(at("<dt>gives, takes</dt>") > 0);
}
