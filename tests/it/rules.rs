//! Rules, unlisted and missing principals, and entries that expire: pure plans without a network.

use std::collections::BTreeMap;

use iam_boundaries::config::Config;
use iam_boundaries::iam::{DateOrTime, PolicyArn, Principal, PrincipalKind, Timestamp};
use iam_boundaries::inventory::{Attributes, Inventory, Reading, Tag};
use iam_boundaries::plan::{
    Decision, Decisions, Explanation, Held, Plan, PlanContext, ProblemKind, Severity,
};
use iam_boundaries::report::{Format, Style, render_explanation};

use crate::support::plans::{arn, context, found, name};

const POLICIES: &str = "[boundaries]\ndev = \"policy/Dev\"\nops = \"policy/Ops\"\n";

fn user(text: &str) -> Principal {
    Principal::user(name(text))
}

fn role(text: &str) -> Principal {
    Principal::role(name(text))
}

/// The attributes of a user in no group.
fn attributes(path: &str, tags: &[(&str, &str)]) -> Attributes {
    let tag = |&(key, value): &(&str, &str)| Tag { key: key.into(), value: value.into() };
    Attributes {
        path: Some(path.into()),
        tags: tags.iter().map(tag).collect(),
        groups: Some(Vec::new()),
        is_administrator: Some(false),
        created: None,
    }
}

/// An account with these principals. Every user and every role was read.
#[derive(Default)]
struct World {
    readings: BTreeMap<Principal, Reading>,
    attributes: BTreeMap<Principal, Attributes>,
}

impl World {
    fn with(mut self, principal: Principal, boundary: Option<&str>, has: Attributes) -> World {
        self.readings.insert(principal.clone(), found(boundary.map(arn)));
        self.attributes.insert(principal, has);
        self
    }

    fn read(self) -> Inventory {
        Inventory::whole(PrincipalKind::ALL, self.readings, self.attributes)
    }
}

fn config(text: &str) -> Config {
    Config::parse("f.toml", &format!("{POLICIES}{text}"))
        .unwrap_or_else(|errors| panic!("{errors}"))
}

fn plan(text: &str, live: &Inventory) -> Plan {
    Plan::between(&context(), &config(text), live)
}

/// Each change: the principal, its new boundary and the line that decides.
fn changes(plan: &Plan) -> Vec<String> {
    let change = |change: &iam_boundaries::plan::Change| {
        let to = change.boundary.to().map_or("none", PolicyArn::name);
        format!("{} {to} {}", change.principal, change.provenance.line)
    };
    plan.changes.iter().map(change).collect()
}

fn rule(conditions: &str) -> String {
    format!("[[rules]]\n{conditions}\nboundary = \"dev\"\n")
}

/// Whether a rule for users with these conditions matches a user.
fn holds(conditions: &str, principal: &Principal, has: &Attributes) -> bool {
    let config = config(&rule(conditions));
    match Decisions::new(&config).of(principal, Some(has)) {
        Decision::Rule(_) => true,
        Decision::Unlisted => false,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_condition_of_a_rule_holds_and_a_list_means_any() {
    let has = Attributes {
        groups: Some(vec!["Contractors".into(), "all".into()]),
        ..attributes("/contractors/acme/", &[("Team", "payments"), ("empty", "")])
    };
    let one = user("svc-report");
    for conditions in [
        "",
        "path = \"/contractors/*\"",
        "path = [\"/x/\", \"/contractors/acme/\"]",
        "group = \"contractors\"",
        "group = [\"x\", \"A*\"]",
        "tag = { team = \"payments\" }",
        "tag = { TEAM = [\"x\", \"pay*\"], empty = \"\" }",
        "tag = { empty = \"*\" }",
        "name = \"SVC-*\"",
        "except = [\"svc-legacy-*\"]",
        "path = \"/contractors/*\"\ngroup = \"all\"\ntag = { team = \"p*\" }\nname = \"svc-*\"\nexcept = \"x\"",
    ] {
        assert!(holds(conditions, &one, &has), "{conditions}");
    }
    for conditions in [
        "path = \"/contractors/\"",
        "path = \"/Contractors/*\"",
        "group = \"contractor\"",
        "tag = { team = \"Payments\" }",
        "tag = { team = \"\" }",
        "tag = { other = \"*\" }",
        "tag = { team = \"payments\", other = \"x\" }",
        "name = \"report\"",
        "except = \"svc-*\"",
        "path = \"/contractors/*\"\nname = \"x\"",
    ] {
        assert!(!holds(conditions, &one, &has), "{conditions}");
    }
}

#[test]
fn the_first_rule_that_matches_decides_and_an_entry_takes_precedence() {
    let live = World::default()
        .with(user("alice"), None, attributes("/a/b/", &[]))
        .with(user("bob"), Some("Dev"), attributes("/a/", &[]))
        .with(user("carol"), None, attributes("/a/", &[]))
        .with(user("dave"), None, attributes("/", &[]))
        .with(role("alice"), None, attributes("/a/b/", &[]))
        .read();
    let text = "[users]\ncarol = false\n\
                [[rules]]\npath = \"/a/b/\"\nboundary = \"ops\"\n\
                [[rules]]\npath = \"/a/*\"\nboundary = \"dev\"\n";
    let plan = plan(text, &live);
    assert_eq!(changes(&plan), ["alice Ops 6"]);
    assert_eq!(
        (plan.in_sync.users, plan.in_sync.roles),
        (2, 0),
        "bob by a rule, carol by her entry"
    );
    let unlisted = plan.unlisted.users.unwrap();
    assert_eq!((unlisted.count, unlisted.without_boundary), (1, Some(1)));
    assert!(unlisted.principals.is_empty(), "they are ignored");
}

#[test]
fn a_rule_whose_condition_is_not_known_decides_nothing_and_no_later_rule_does() {
    let mut world = World::default();
    let has = Attributes { groups: None, ..attributes("/a/", &[]) };
    world = world.with(user("alice"), None, has);
    let text = "[[rules]]\npath = \"/x/\"\ngroup = \"G\"\nboundary = \"ops\"\n\
                [[rules]]\ngroup = \"G\"\nboundary = \"ops\"\n\
                [[rules]]\nboundary = \"dev\"\n";
    let plan = plan(text, &world.read());
    assert!(plan.changes.is_empty());
    assert_eq!(plan.problems.len(), 1);
    assert_eq!(plan.problems[0].kind, ProblemKind::Undecided);
    assert_eq!(plan.problems[0].provenance.line, 8, "the path of the first rule does not match");
    assert!(plan.is_incomplete());
}

#[test]
fn roles_of_aws_are_neither_planned_nor_unlisted() {
    let mut world = World::default().with(role("deploy"), None, attributes("/", &[]));
    let managed = role("AWSServiceRoleForSupport");
    let reading = Reading::Unmodifiable {
        unique_id: "AROAJQABLZS4A3QDU576Q".parse().unwrap(),
        boundary: None,
        role: iam_boundaries::iam::UnmodifiableRole::ServiceLinked,
    };
    world.readings.insert(managed.clone(), reading);
    world.attributes.insert(managed, attributes("/aws-service-role/x/", &[]));
    let live = world.read();
    let all = plan(
        "[[rules]]\nfor = \"roles\"\nboundary = \"dev\"\n[unlisted]\nroles = \"error\"\n",
        &live,
    );
    assert_eq!(changes(&all), ["role/deploy Dev 4"]);
    assert_eq!(all.unlisted.roles.unwrap().count, 0);
    let none = plan("[unlisted]\nroles = \"error\"\n", &live);
    assert_eq!(none.unlisted.roles.as_ref().unwrap().count, 1);
    assert!(none.is_incomplete());
}

#[test]
fn no_rule_decides_about_a_role_of_aws() {
    let managed = role("AWSServiceRoleForSupport");
    let reading = Reading::Unmodifiable {
        unique_id: "AROAJQABLZS4A3QDU576Q".parse().unwrap(),
        boundary: None,
        role: iam_boundaries::iam::UnmodifiableRole::ServiceLinked,
    };
    let mut world = World::default();
    world.readings.insert(managed.clone(), reading);
    world.attributes.insert(managed.clone(), attributes("/aws-service-role/x/", &[]));
    let live = world.read();
    let rule = "[[rules]]\nfor = \"roles\"\nboundary = \"dev\"\n";
    for (text, rules) in [
        (rule, "does not apply to a role that AWS manages"),
        ("[unlisted]\nroles = \"warn\"\n", "no rules for roles"),
    ] {
        let text = format!("[boundaries]\ndev = \"policy/Dev\"\n{text}");
        let config = Config::parse("boundaries.toml", &text).unwrap();
        let explained = Explanation::of(&managed, &context(), &config, &live);
        let shown = render_explanation(&explained, Format::Text, Style::PLAIN);
        assert!(shown.contains(rules), "{shown}");
        let result = "no rule applies to the role: it is a service-linked role, which only its AWS service can change";
        assert!(shown.split_whitespace().collect::<Vec<_>>().join(" ").contains(result), "{shown}");
        assert!(!shown.contains("decides") && !shown.contains("unlisted:"), "{shown}");
        let json = render_explanation(&explained, Format::Json, Style::PLAIN);
        assert!(json.contains("\"decided_by\": \"unmodifiable\""), "{json}");
    }
}

#[test]
fn unlisted_principals_come_in_order_of_severity() {
    let admin = Attributes { is_administrator: Some(true), ..attributes("/", &[]) };
    let live = World::default()
        .with(user("a"), Some("Other"), attributes("/", &[]))
        .with(user("b"), None, attributes("/", &[]))
        .with(user("c"), None, admin.clone())
        .with(user("d"), Some("Other"), admin)
        .with(user("listed"), None, attributes("/", &[]))
        .read();
    for (action, is_incomplete) in [("warn", false), ("error", true)] {
        let plan =
            plan(&format!("[users]\nlisted = false\n[unlisted]\nusers = \"{action}\"\n"), &live);
        let unlisted = plan.unlisted.users.as_ref().unwrap();
        let names: Vec<String> =
            unlisted.principals.iter().map(|it| it.principal.to_string()).collect();
        assert_eq!(names, ["c", "b", "d", "a"]);
        assert_eq!((unlisted.count, unlisted.without_boundary), (4, Some(2)));
        assert_eq!(plan.is_incomplete(), is_incomplete, "{action}");
        assert!(plan.changes.is_empty());
    }
}

#[test]
fn a_missing_principal_is_an_error_or_a_warning_by_default_and_for_each_entry() {
    let live = World::default().read();
    let severities = |text: &str| -> Vec<Severity> {
        plan(text, &live).problems.iter().map(|problem| problem.severity).collect()
    };
    assert_eq!(severities("[users]\na = \"dev\"\n"), [Severity::Error]);
    assert_eq!(
        severities("[users]\na = \"dev\"\n[missing]\nusers = \"warn\"\n"),
        [Severity::Warning]
    );
    let both = "[users]\na = { boundary = \"dev\", missing = \"error\" }\nb = \"dev\"\n\
                [roles]\nc = \"dev\"\n[missing]\nusers = \"warn\"\n";
    assert_eq!(severities(both), [Severity::Error, Severity::Warning, Severity::Error]);
    // The name in another case is a mistake of the file, whatever the file says about missing principals.
    let other = Reading::NotFound { differs_by_case: Some(name("ALICE")) };
    let live = Inventory::of([(user("alice"), other)].into());
    let plan = plan("[users]\nalice = { boundary = \"dev\", missing = \"warn\" }\n", &live);
    assert_eq!(plan.problems[0].severity, Severity::Error);
}

fn as_of(text: &str, live: &Inventory, now: &str) -> Plan {
    let now: Timestamp = now.parse().unwrap();
    let context = PlanContext { now, ..context() };
    Plan::between(&context, &config(text), live)
}

#[test]
fn an_expired_entry_asks_for_what_then_says_or_is_a_problem() {
    let live = World::default().with(user("a"), None, attributes("/", &[])).read();
    let text = "[users]\na = { boundary = \"ops\", until = 2027-01-31, then = \"dev\", reason = \"SEC-1\" }\n";
    let before = as_of(text, &live, "2027-01-30T23:59:59Z");
    assert_eq!(changes(&before), ["a Ops 5"]);
    assert_eq!(before.changes[0].reason.as_deref(), Some("SEC-1"));
    assert_eq!((before.changes[0].expired, before.expiring.len()), (None, 1));
    let after = as_of(text, &live, "2027-01-31T00:00:00Z");
    assert_eq!(changes(&after), ["a Dev 5"]);
    assert_eq!(
        after.changes[0].expired.map(|until| until.to_string()).as_deref(),
        Some("2027-01-31")
    );
    assert!(after.expiring.is_empty());

    let removal = text.replace("then = \"dev\"", "then = false");
    assert_eq!(as_of(&removal, &live, "2027-02-01T00:00:00Z").in_sync.users, 1);
    let nothing = text.replace("then = \"dev\", ", "");
    let plan = as_of(&nothing, &live, "2027-02-01T00:00:00Z");
    assert!(matches!(plan.problems[0].kind, ProblemKind::Expired { .. }), "{:?}", plan.problems);
    assert!(plan.changes.is_empty());
}

#[test]
fn the_date_that_decided_is_in_the_plan_and_the_same_date_gives_the_same_bytes() {
    let live = World::default().with(user("a"), None, attributes("/", &[])).read();
    let dated = "[users]\na = { boundary = \"dev\", until = 2027-01-31 }\n";
    let timed = "[users]\na = { boundary = \"dev\", until = 2027-01-31T12:00:00+01:00 }\n";
    let plain = "[users]\na = \"dev\"\n";
    let at = |text, now| as_of(text, &live, now);
    let (morning, evening) = ("2026-11-28T08:00:00Z", "2026-11-28T20:00:00Z");
    assert_eq!(at(dated, morning).as_of, Some("2026-11-28".parse::<DateOrTime>().unwrap()));
    assert_eq!(at(dated, morning).to_json(), at(dated, evening).to_json());
    assert_ne!(at(dated, morning).to_json(), at(dated, "2026-11-29T08:00:00Z").to_json());
    assert_eq!(at(timed, morning).as_of.map(|it| it.to_string()).as_deref(), Some(morning));
    assert_eq!(at(plain, morning).to_json(), at(plain, evening).to_json());
    assert_eq!(at(plain, morning).as_of, None);
    // The offset counts: 12:00 at +01:00 is 11:00 in UTC.
    assert!(at(timed, "2027-01-31T10:59:59Z").problems.is_empty());
    assert_eq!(at(timed, "2027-01-31T11:00:00Z").problems.len(), 1);
}

#[test]
fn entries_that_expire_within_the_days_are_named() {
    let live = World::default().with(user("a"), None, attributes("/", &[])).read();
    let text = "[users]\na = { boundary = \"dev\", until = 2027-01-15, then = false }\n";
    let named = |days: u32| {
        let now = "2027-01-01T10:00:00Z".parse().unwrap();
        let context = PlanContext { now, expiring_within: days, ..context() };
        Plan::between(&context, &config(text), &live).expiring.len()
    };
    assert_eq!((named(13), named(14), named(0)), (0, 1, 0));
}

fn warnings(text: &str, live: &Inventory) -> Vec<String> {
    let plan = plan(text, live);
    plan.warnings.iter().map(|it| format!("{} {}", it.position.line, it.message)).collect()
}

#[test]
fn a_rule_that_decides_nothing_is_warned_about_once_with_its_line() {
    let live = World::default()
        .with(user("a"), None, attributes("/a/", &[]))
        .with(user("b"), None, attributes("/b/", &[]))
        .read();
    let text = "[users]\nb = \"ops\"\n\
                [[rules]]\npath = \"/a/*\"\nboundary = \"dev\"\n\
                [[rules]]\npath = \"/x/\"\nboundary = \"dev\"\n\
                [[rules]]\nname = \"a\"\nboundary = \"dev\"\n\
                [[rules]]\npath = \"/a/b/*\"\nboundary = \"dev\"\n\
                [[rules]]\npath = \"/b/\"\nboundary = \"dev\"\n\
                [[rules]]\npath = \"b/\"\nboundary = \"dev\"\n\
                [guard]\nprotected = [\"a\", \"zed-*\"]\n";
    insta::assert_snapshot!(warnings(text, &live).join("\n"));
}

#[test]
fn conditions_that_can_never_hold_and_hidden_rules_are_warned_about_without_an_account() {
    let of = |text: &str| -> Vec<String> {
        let warnings = config(&format!("[users]\na = \"dev\"\nb = \"ops\"\n{text}")).warnings;
        warnings.iter().map(|it| format!("{} {}", it.line, it.message)).collect()
    };
    for conditions in [
        "for = \"roles\"\ngroup = \"G\"",
        "path = \"contractors/*\"",
        "path = [\"/a\", \"x/\"]",
        "for = \"roles\"\npath = \"/aws-service-role/*\"",
        "name = \"svc-*\"\nexcept = \"svc-*\"",
        "except = \"*\"",
    ] {
        let found = of(&rule(conditions));
        assert_eq!(found.len(), 1, "{conditions}: {found:?}");
        assert!(found[0].contains("can never hold"), "{conditions}: {found:?}");
    }
    for conditions in
        ["path = [\"/a\", \"/a/\"]", "name = \"svc-*\"\nexcept = \"svc-a*\"", "group = \"G\""]
    {
        assert_eq!(of(&rule(conditions)), <[String; 0]>::default(), "{conditions}");
    }
    for (first, second, is_hidden) in [
        ("", "path = \"/a/\"", true),
        ("path = \"/a/*\"", "path = [\"/a/\", \"/a/b/*\"]\nname = \"x\"", true),
        ("tag = { team = [\"a\", \"b\"] }", "tag = { TEAM = \"a\", x = \"y\" }", true),
        ("except = \"svc-a\"", "except = \"svc-*\"", true),
        ("except = \"svc-*\"", "except = \"svc-a\"", false),
        ("path = \"/a/*\"", "name = \"x\"", false),
        ("path = \"/a/\"", "path = [\"/a/\", \"/b/\"]", false),
        ("for = \"roles\"", "path = \"/a/\"", false),
        ("group = \"G\"", "group = \"g\"", true),
    ] {
        let found = of(&(rule(first) + &rule(second)));
        assert_eq!(!found.is_empty(), is_hidden, "{first} | {second}: {found:?}");
    }
}

#[test]
fn short_names_that_neither_the_files_nor_the_account_use_are_one_warning() {
    let names =
        "used = \"policy/A\"\none = \"policy/B\"\n\"two\" = \"policy/C\"\nold = \"policy/Old\"";
    let text = format!("[boundaries]\n{names}\n[users]\na = \"used\"\n");
    let config = Config::parse("f.toml", &text).unwrap();
    // Without the account, it is not known which of them its users and roles have.
    assert!(config.warnings.is_empty());
    let of_users = |users: &[(&str, &str)], context: &PlanContext| {
        let readings =
            users.iter().map(|(user, policy)| (self::user(user), found(Some(arn(policy)))));
        let live = Inventory::whole([PrincipalKind::User], readings.collect(), BTreeMap::new());
        let warnings = Plan::between(context, &config, &live).warnings;
        warnings.iter().map(|it| (it.message.to_string(), it.position.line)).collect::<Vec<_>>()
    };
    let message = |text: &str, line| vec![(text.to_owned(), line)];
    let two = message("2 short names are not used: \"one\", \"two\"", 3);
    assert_eq!(of_users(&[("a", "A"), ("unlisted", "Old")], &context()), two);
    assert_eq!(of_users(&[("a", "Old")], &context()), two, "the plan shows it");
    let used = [("a", "A"), ("b", "B"), ("c", "C"), ("d", "Old")];
    assert_eq!(of_users(&used[..3], &context()), message("the short name \"old\" is not used", 5));
    assert_eq!(of_users(&used, &context()), []);
    let only = Some(vec!["user/a".parse().unwrap()]);
    assert_eq!(
        of_users(&[("a", "A")], &PlanContext { only, ..context() }),
        [],
        "others can have them"
    );
}

#[test]
fn an_explanation_says_what_matched_what_did_not_and_why() {
    let has = attributes("/contractors/", &[("Team", "data")]);
    let live = World::default().with(user("alice"), Some("Other"), has).read();
    let config = config(
        "[[rules]]\npath = \"/ops/*\"\nboundary = \"ops\"\n\
         [[rules]]\ntag = { team = [\"data\", \"web\"] }\nboundary = \"dev\"\n\
         [[rules]]\nboundary = \"ops\"\n",
    );
    let explanation = Explanation::of(&user("alice"), &context(), &config, &live);
    assert_eq!(explanation.deciding_rule, Some(1));
    let matches: Vec<Held> = explanation.rules.iter().map(|rule| rule.matches).collect();
    assert_eq!(matches, [Held::No, Held::Yes, Held::Yes]);
    let condition = &explanation.rules[1].conditions[0];
    assert_eq!(
        (condition.key.as_str(), condition.found.as_ref().unwrap()[0].as_str()),
        ("tag team", "data")
    );
    assert_eq!(explanation.plan.changes.len(), 1);
}

#[test]
fn an_entry_in_another_case_is_a_problem_and_nothing_else_decides_about_the_principal() {
    let live = World::default().with(user("alice"), None, attributes("/", &[])).read();
    let mut live = live;
    let other = Reading::NotFound { differs_by_case: Some(name("alice")) };
    live.extend(Inventory::of([(user("Alice"), other)].into()));
    let entry = "[users]\nAlice = \"ops\"\n";
    let unlisted = "[unlisted]\nusers = \"error\"\n";
    for text in [
        format!("{unlisted}{entry}"),
        format!("{unlisted}{entry}{}", rule("name = \"a*\"")),
        format!("{unlisted}{entry}{}", rule("group = \"unknown\"")),
    ] {
        let plan = plan(&text, &live);
        assert!(plan.changes.is_empty(), "{text}: {:?}", plan.changes);
        let problems: Vec<&Principal> = plan.problems.iter().map(|it| &it.principal).collect();
        assert_eq!(problems, [&user("Alice")], "{text}");
        assert_eq!(plan.unlisted.users.as_ref().map(|unlisted| unlisted.count), Some(0), "{text}");

        let config = config(&text);
        let explanation = Explanation::of(&user("alice"), &context(), &config, &live);
        assert_eq!(explanation.entry.map(|entry| entry.position.line), Some(7), "{text}");
        assert_eq!(explanation.deciding_rule, None, "{text}");
    }
    // Which case is right does not change whether the user is listed.
    let right = config(&entry.replace("Alice", "alice"));
    let wrong = config(entry);
    for (base, config) in [(&right, &wrong), (&wrong, &right)] {
        let plan = Plan::between(&context(), config, &live);
        let plan = plan.since(base, config, &live, &context());
        assert!(plan.no_longer_listed().is_empty(), "{:?}", plan.source);
    }
}
