//! A fleet of 200 accounts of which some cannot be used: each is a problem of its own, and stops no other.

use std::collections::BTreeMap;
use std::time::Duration;

use iam_boundaries::sandbox::{AccountState, Fault, FaultScope, MemberAccount, Organization};
use serde_json::Value;

use crate::support::Ran;
use crate::support::fixture::{DETAILS, PUT};
use crate::support::fleet::{APPLY, FleetFixture, account_name, ended, lines_of, summary, until};

const ACCOUNTS: usize = 200;

/// The accounts that cannot be used, and the code and a part of the message of each problem.
const BROKEN: [(usize, &str, &str); 11] = [
    (3, "AccessDenied", "sts:AssumeRole failed"),
    (17, "AccessDenied", "role arn:aws:iam::200000000017:role/iam-boundaries"),
    (40, "TimeLimit", "throttled for"),
    (41, "TimeLimit", "within the time limit"),
    (60, "OtherAccount", "200000000061"),
    (61, "OtherAccount", "123456789012"),
    (80, "AccessDenied", "role arn:aws:iam::200000000080:role/iam-boundaries"),
    (100, "TimeLimit", "not a complete XML document"),
    (101, "TimeLimit", "not a complete XML document"),
    (120, "ExpiredToken", ""),
    (199, "AccessDenied", "iam:GetUser"),
];

async fn broken() -> FleetFixture {
    let fleet = FleetFixture::accounts(ACCOUNTS)
        .options(|options| {
            let mut organization = Organization::of_accounts(0);
            let suspended = MemberAccount::active("200000000080");
            organization.accounts =
                vec![MemberAccount { state: AccountState::Suspended, ..suspended }];
            options.organization = Some(organization);
        })
        .start()
        .await;
    for n in [3, 17] {
        fleet.inject(n, "AssumeRole", Fault::access_denied());
    }
    fleet.inject(41, "", Fault::CutBefore);
    fleet.inject(60, "GetCallerIdentity", Fault::OtherIdentity("200000000061".parse().unwrap()));
    fleet.inject(61, "GetCallerIdentity", Fault::OtherIdentity("123456789012".parse().unwrap()));
    for action in [DETAILS, "GetUser"] {
        // Not AssumeRole: STS throttles the base identity, and so all accounts.
        fleet.inject(40, action, Fault::throttling());
        fleet.inject(100, action, Fault::Garbage);
        fleet.inject(101, action, Fault::Truncated);
    }
    fleet.inject(120, "AssumeRole", Fault::SessionTime(Duration::from_millis(1)));
    fleet.inject(199, "GetUser", Fault::access_denied());
    fleet.inject(199, DETAILS, Fault::access_denied());
    fleet
}

/// Enough for the accounts that work, several times over.
const TIMEOUT: &str = "30s";

/// The problem of an account, by the code and the message.
fn check_problem(n: usize, code: &str, message: &str) {
    let (_, expected, part) = BROKEN.iter().find(|(broken, ..)| *broken == n).unwrap();
    assert_eq!(code, *expected, "{n}: {message}");
    assert!(message.contains(part), "{n}: {message}");
}

fn is_broken(n: usize) -> bool {
    BROKEN.iter().any(|(broken, ..)| *broken == n)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_account_that_cannot_be_used_is_a_problem_with_its_name_and_the_others_are_planned_and_applied()
 {
    let fleet = broken().await;
    let (code, plan) = fleet.plan_json(&["--timeout", TIMEOUT, "--out", "plan.json"]).await;
    assert_eq!(code, 3);
    let accounts = plan["accounts"].as_array().unwrap();
    assert_eq!(accounts.len(), ACCOUNTS);
    for (n, account) in accounts.iter().enumerate() {
        assert_eq!(
            (&account["name"], &account["account"]),
            (&account_name(n).into(), &fleet.id(n).into())
        );
        if is_broken(n) {
            assert_eq!(account.get("plan"), None, "{account}");
            let problem = &account["problem"];
            match problem["kind"].as_str() {
                Some("call") => {
                    let error = &problem["error"];
                    let text = format!(
                        "{} failed: {}",
                        error["action"].as_str().unwrap(),
                        error["message"]
                    );
                    check_problem(n, error["code"].as_str().unwrap(), &text);
                }
                _ => {
                    let [code, message] =
                        ["code", "message"].map(|of| problem[of].as_str().unwrap());
                    check_problem(n, code, message);
                }
            }
            continue;
        }
        assert_eq!(account.get("problem"), None, "{account}");
        let before = fleet.seeded(n);
        let changes = account["plan"]["changes"].as_array().unwrap();
        assert_eq!(changes.len(), 2, "{account}");
        for change in changes {
            assert_eq!(change["account"], fleet.id(n));
            assert_eq!(change["to"], fleet.policy(n, "Developer"), "{account}");
            assert_eq!(
                change["from"].as_str(),
                before[change["name"].as_str().unwrap()].as_deref()
            );
        }
    }
    let totals = &plan["summary"];
    let sound = ACCOUNTS - BROKEN.len();
    assert_eq!(totals["accounts_failed"], BROKEN.len());
    assert_eq!(totals["accounts_changed"], sound);
    assert_eq!((&totals["add"], &totals["change"]), (&sound.into(), &sound.into()));
    assert_eq!(fleet.all_writes(), 0);

    // Three more cannot be used after the plans are made.
    let later = [150, 151, 152];
    fleet.inject(150, PUT, Fault::access_denied());
    fleet.inject(151, "AssumeRole", Fault::access_denied());
    let other = fleet.id(153).parse().unwrap();
    fleet.inject(152, "GetCallerIdentity", Fault::OtherIdentity(other));
    let ran = fleet.run(&["apply", "plan.json", "--auto-approve", "--format", "json"]).await;
    assert_eq!(ran.code, 3, "{}", ran.err);
    let problems = lines_of(&ran, "account_problem");
    let mut failed: Vec<usize> = BROKEN.map(|(n, ..)| n).into();
    failed.extend([151, 152]);
    failed.sort_unstable();
    assert_eq!(numbers(&fleet, &problems), failed);
    for line in &problems {
        let n = fleet.number(line["account"].as_str().unwrap());
        assert_eq!(line["account_name"], account_name(n));
        if is_broken(n) {
            check_problem(n, line["code"].as_str().unwrap(), line["message"].as_str().unwrap());
            assert_eq!(
                line["error"].is_null(),
                !line["code"].as_str().unwrap().contains("Denied") && n != 120
            );
            assert_ne!(line["advice"], Value::Null, "{line}");
        }
    }
    let sound: Vec<usize> =
        (0..ACCOUNTS).filter(|n| !is_broken(*n) && !later.contains(n)).collect();
    for n in &sound {
        assert_eq!(outcomes(&ran, fleet.id(*n)), [("applied".to_owned(), 2)].into());
    }
    assert_eq!(outcomes(&ran, fleet.id(150)).get("applied"), None);
    let summary = summary(&ran);
    assert_eq!(summary["accounts"], ACCOUNTS);
    assert_eq!(summary["accounts_complete"], sound.len());
    assert_eq!(summary["accounts_failed"], failed.len() + 1);
    assert_eq!(summary["applied"], 2 * sound.len());
    // No planned change is lost from the numbers.
    let open = summary["failed"].as_u64().unwrap() + summary["not_attempted"].as_u64().unwrap();
    assert_eq!(open, 2 * later.len() as u64, "{summary}");

    fleet.faults().clear();
    assert!(sound.iter().all(|n| fleet.writes(*n) == 2));
    let has_all = |n: usize| sound.contains(&n);
    fleet
        .check(|n| if has_all(n) { fleet.all_with(n, "Developer") } else { fleet.seeded(n) })
        .await;
    // What the first run left, the next one does.
    let again = fleet.apply(&["--format", "json"]).await;
    assert_eq!(again.code, 3, "{}", again.err);
    // The suspended account.
    assert_eq!(numbers(&fleet, &lines_of(&again, "account_problem")), [80]);
    fleet.check(|n| if n == 80 { fleet.seeded(n) } else { fleet.all_with(n, "Developer") }).await;
}

/// The accounts of these lines, sorted.
fn numbers(fleet: &FleetFixture, lines: &[Value]) -> Vec<usize> {
    let number = |line: &Value| fleet.number(line["account"].as_str().unwrap());
    let mut numbers: Vec<usize> = lines.iter().map(number).collect();
    numbers.sort_unstable();
    numbers
}

/// The outcomes of the changes of an account.
fn outcomes(ran: &Ran, account: &str) -> BTreeMap<String, usize> {
    let mut outcomes = BTreeMap::new();
    for item in lines_of(ran, "item").iter().filter(|item| item["account"] == account) {
        *outcomes.entry(item["outcome"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    outcomes
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_throttled_until_the_time_limit_leaves_time_for_the_others() {
    let fleet = FleetFixture::accounts(6).start().await;
    for action in [DETAILS, "GetUser"] {
        fleet.inject(2, action, Fault::throttling());
    }
    let ran = fleet.apply(&["--format", "json", "--timeout", "16s"]).await;
    assert_eq!(ran.code, 3, "{ran}");
    let problems = lines_of(&ran, "account_problem");
    assert_eq!(numbers(&fleet, &problems), [2]);
    assert_eq!(problems[0]["code"], "TimeLimit");
    assert!(problems[0]["advice"].as_str().unwrap().starts_with("increase --timeout"));
    assert_eq!(summary(&ran)["accounts_complete"], 5, "{ran}");
    fleet.faults().clear();
    fleet.check(|n| if n == 2 { fleet.seeded(n) } else { fleet.all_with(n, "Developer") }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_expire_while_an_account_is_written_stop_this_account_only() {
    let fleet = FleetFixture::accounts(8).users(40).start().await;
    // The session that plans is sound, the one that writes expires, and there is no third one.
    for time in [3_600_000, 16_000].map(Duration::from_millis) {
        let scope = FaultScope::account(fleet.id(3)).action("AssumeRole").times(1);
        fleet.faults().inject(scope, Fault::SessionTime(time));
    }
    fleet.inject(3, "AssumeRole", Fault::access_denied());
    fleet.inject(3, PUT, Fault::Slow(Duration::from_millis(600)));
    let ran = fleet.apply(&["--format", "json", "--concurrency", "1"]).await;
    assert_eq!(ran.code, 3, "{}", ran.err);
    let outcomes = outcomes(&ran, fleet.id(3));
    let applied = outcomes["applied"];
    assert!((1..16).contains(&applied), "{outcomes:?}");
    assert_eq!(outcomes.values().sum::<usize>(), 16, "{outcomes:?}");
    let ends = lines_of(&ran, "summary");
    let of_account = ends.iter().find(|line| line["account"] == fleet.id(3)).unwrap();
    assert_eq!(
        (&of_account["stopped_by"], &of_account["applied"]),
        (&"error".into(), &applied.into())
    );
    let summary = summary(&ran);
    assert_eq!(
        (&summary["accounts_complete"], &summary["accounts_failed"]),
        (&7.into(), &1.into())
    );
    assert_eq!(summary["applied"], 7 * 16 + applied);
    assert_eq!(fleet.writes(3), applied as u64);
    fleet.faults().clear();
    let done = fleet.all_with(3, "Developer");
    let changed = fleet.seeded(3).into_iter().filter(|(user, before)| done[user] != *before);
    let now = fleet.boundaries(3).await;
    assert_eq!(changed.filter(|(user, _)| now[user] == done[user]).count(), applied);
    let again = fleet.apply(&[]).await;
    assert_eq!(again.code, 0, "{again}");
    fleet.check(|n| fleet.all_with(n, "Developer")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_end_during_a_run_are_renewed_in_every_account() {
    let session_time = Some(Duration::from_secs(11));
    let fleet = FleetFixture::accounts(4)
        .users(20)
        .options(|options| options.session_time = session_time)
        .start()
        .await;
    for n in 0..fleet.len() {
        fleet.inject(n, PUT, Fault::Slow(Duration::from_millis(400)));
    }
    let ran = fleet.apply(&["--concurrency", "1"]).await;
    assert_eq!(ran.code, 0, "{ran}");
    for n in 0..fleet.len() {
        // One for the plan, and one for each second of the 8 writes.
        let sessions = fleet.sandbox.calls_of(fleet.id(n))["AssumeRole"];
        assert!(sessions >= 4, "{sessions}");
        assert_eq!(fleet.writes(n), 8);
    }
    fleet.check(|n| fleet.all_with(n, "Developer")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_problem_with_a_profile_or_an_id_is_said_of_the_account_and_not_of_an_option() {
    let fleet = FleetFixture::accounts(3).start().await;
    let accounts: String = ["nosuchprofile", "other", "empty"]
        .iter()
        .enumerate()
        .map(|(n, profile)| {
            format!(
                "{} = {{ id = \"{}\", profile = \"{profile}\" }}\n",
                account_name(n),
                fleet.id(n)
            )
        })
        .collect();
    fleet.write("fleet.toml", &format!("files = [\"baseline.toml\"]\n[accounts]\n{accounts}"));
    let keys = format!("aws_access_key_id = {}\naws_secret_access_key = any", fleet.id(2));
    let config = format!("[profile other]\n{keys}\n[profile empty]\nregion = us-east-1\n");
    fleet.write("config", &config);
    let mut command = fleet.command(&["--fleet", "fleet.toml", "plan", "--format", "json"]);
    command.env("AWS_CONFIG_FILE", "config");
    let ran = crate::support::fixture::run(command).await;
    assert_eq!(ran.code, 3, "{ran}");
    for text in [
        "the AWS profile \\\"nosuchprofile\\\" of the account does not exist in ",
        "wrong account: the account of the fleet is 200000000001, and its credentials (",
        ") belong to account 200000000002",
        "no AWS credentials found in profile \\\"empty\\\" of the account: ",
    ] {
        assert!(ran.out.contains(text), "{text}: {ran}");
    }
    for option in ["--profile", "--account"] {
        assert!(!ran.out.contains(option) && !ran.err.contains(option), "{option}: {ran}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_that_is_denied_has_the_code_and_the_advice_of_its_error() {
    let fleet = FleetFixture::accounts(2).start().await;
    let guard = "[guard]\nmax_changes = \"100%\"\nmax_removals = \"100%\"\n";
    let rule = "[[rules]]\nname = \"*\"\nboundary = \"policy/Developer\"\n";
    fleet.write("baseline.toml", &format!("{guard}{rule}"));
    // Without the listing, nothing else reads the account.
    for action in [DETAILS, "ListUsers"] {
        fleet.inject(1, action, Fault::access_denied());
    }
    let advice = "allow iam:GetAccountAuthorizationDetails for the caller";
    for format in ["text", "markdown"] {
        let ran = fleet.plan(&["--format", format]).await;
        assert_eq!(ran.code, 3, "{ran}");
        assert!(ran.out.contains(advice), "{ran}");
    }
    let ran = fleet.apply(&["--format", "json"]).await;
    assert_eq!(ran.code, 3, "{ran}");
    let problem = &lines_of(&ran, "account_problem")[0];
    assert_eq!(problem["code"], "AccessDenied", "{ran}");
    assert_eq!(problem["error"]["action"], "iam:GetAccountAuthorizationDetails", "{ran}");
    assert_eq!(problem["advice"], advice, "{ran}");
}

/// The warnings of the log.
fn warnings(ran: &Ran) -> Vec<&str> {
    ran.err.lines().filter(|line| line.contains("WARN")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_warning_from_an_account_names_it() {
    for command in [&["plan"][..], &["apply", "-y"], &["apply", "-y", "--as-planned"]] {
        let fleet = FleetFixture::accounts(4).start().await;
        for n in [1, 2] {
            fleet.inject(n, "GetPolicy", Fault::access_denied());
        }
        let ran = fleet.run(&[&["--fleet", "fleet.toml"], command].concat()).await;
        assert_eq!(ran.code, 0, "{ran}");
        for n in [1, 2] {
            let expected = format!(" WARN {}: iam:GetPolicy failed: AccessDenied", fleet.label(n));
            assert!(warnings(&ran).iter().any(|line| line.starts_with(&expected)), "{ran}");
        }
        let labels = [1, 2].map(|n| format!(" WARN {}: ", fleet.label(n)));
        let names_one = |line: &&str| labels.iter().any(|label| line.starts_with(label));
        assert!(warnings(&ran).iter().all(names_one), "{ran}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warning_about_the_renewal_of_the_session_of_an_account_names_it() {
    let fleet = FleetFixture::accounts(3)
        .users(60)
        .options(|options| options.session_time = Some(Duration::from_secs(14)))
        .start()
        .await;
    for n in [0, 1, 2] {
        fleet.inject(n, PUT, Fault::Slow(Duration::from_millis(300)));
    }
    let child = fleet.spawn(&[&APPLY[..], &["--concurrency", "1"]].concat());
    until("all accounts are written", || fleet.written().len() == 3).await;
    fleet.inject(1, "AssumeRole", Fault::error(503, "ServiceUnavailable", "try again"));
    tokio::time::sleep(Duration::from_secs(5)).await;
    fleet.faults().clear();
    let ran = ended(child).await;
    assert_eq!(ran.code, 0, "{ran}");
    let expected = format!(" WARN {}: sts:AssumeRole failed: ServiceUnavailable", fleet.label(1));
    assert!(!warnings(&ran).is_empty(), "{ran}");
    assert!(warnings(&ran).iter().all(|line| line.starts_with(&expected)), "{ran}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_progress_at_a_terminal_does_not_overwrite_the_warnings() {
    let fleet = FleetFixture::accounts(4).start().await;
    for n in [1, 2] {
        fleet.inject(n, "GetPolicy", Fault::access_denied());
        fleet.inject(n, DETAILS, Fault::Slow(Duration::from_millis(n as u64 * 500)));
    }
    fleet.inject(3, DETAILS, Fault::Slow(Duration::from_secs(3)));
    let command = fleet.command(&["--fleet", "fleet.toml", "plan"]);
    let run = || crate::credentials_mfa::answer_questions(command);
    let (ran, bytes, _) = tokio::task::spawn_blocking(run).await.unwrap();
    assert_eq!(ran.code, 0, "{ran} {bytes:?}");
    assert!(bytes.contains("0/4"), "no progress: {bytes:?}");
    let lines = crate::support::terminal::shown(&bytes, 120);
    for n in [1, 2] {
        let expected = format!(" WARN {}: iam:GetPolicy failed", fleet.label(n));
        let shown = lines.iter().filter(|line| line.starts_with(&expected)).count();
        assert_eq!(shown, 1, "{lines:#?}");
    }
    assert!(!lines.iter().any(|line| line.contains("0/4")), "{lines:#?}");
}
