//! Selection of credentials. Every combination of sources gives the same credentials as boto3, and a run
//! uses credentials of only one account.
#![cfg(unix)]

mod sts;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use iam_boundaries::sandbox::{ACCOUNT, Fault};

use self::sts::Sts;
use crate::support::fixture::Fixture;
use crate::support::{Binary, Ran, tools};

/// The configuration file. Each access key ID is also the account ID.
const CONFIG: &str = "
[default]
aws_access_key_id = 222222222222
aws_secret_access_key = any
[profile other]
aws_access_key_id = 333333333333
aws_secret_access_key = any
[profile empty]
region = eu-west-1
[profile chained]
role_arn = arn:aws:iam::444444444444:role/R
source_profile = other
[profile from-environment]
role_arn = arn:aws:iam::555555555555:role/R
credential_source = Environment
[profile from-container]
role_arn = arn:aws:iam::777777777777:role/R
credential_source = EcsContainer
[profile orphan]
role_arn = arn:aws:iam::444444444444:role/R
source_profile = no-such
[profile process]
credential_process = printf '{\"Version\": 1, \"AccessKeyId\": \"121212121212\", \"SecretAccessKey\": \"any\"}'
[profile process-and-keys]
credential_process = printf '{\"Version\": 1, \"AccessKeyId\": \"121212121212\", \"SecretAccessKey\": \"any\"}'
aws_access_key_id = 131313131313
aws_secret_access_key = any
[profile process-and-shared]
credential_process = printf '{\"Version\": 1, \"AccessKeyId\": \"121212121212\", \"SecretAccessKey\": \"any\"}'
[profile role-and-shared]
role_arn = arn:aws:iam::444444444444:role/R
source_profile = role-and-shared
";

/// Configuration files whose `default` is absent, assumes a role, or refers to nothing.
const WITHOUT_DEFAULT: &str = "
[profile other]
aws_access_key_id = 333333333333
aws_secret_access_key = any
";
const DEFAULT_ASSUMES_A_ROLE: &str = "
[default]
role_arn = arn:aws:iam::444444444444:role/R
source_profile = other
[profile other]
aws_access_key_id = 333333333333
aws_secret_access_key = any
";
const DEFAULT_IS_ORPHANED: &str = "
[default]
role_arn = arn:aws:iam::444444444444:role/R
source_profile = no-such
";

/// The shared credentials file.
const CREDENTIALS: &str = "
[shared]
aws_access_key_id = 888888888888
aws_secret_access_key = any
[process-and-shared]
aws_access_key_id = 141414141414
aws_secret_access_key = any
[role-and-shared]
aws_access_key_id = 151515151515
aws_secret_access_key = any
[half]
aws_access_key_id = 161616161616
";

const KEYS: &[(&str, &str)] =
    &[("AWS_ACCESS_KEY_ID", "111111111111"), ("AWS_SECRET_ACCESS_KEY", "any")];
/// The container's credentials belong to account 666666666666.
const CONTAINER: &[(&str, &str)] = &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "{STS}/container")];
const WEB_IDENTITY: &[(&str, &str)] = &[
    ("AWS_WEB_IDENTITY_TOKEN_FILE", "token"),
    ("AWS_ROLE_ARN", "arn:aws:iam::999999999999:role/R"),
];

/// A combination of sources.
struct Case {
    config: &'static str,
    flag: Option<&'static str>,
    variables: Vec<(&'static str, &'static str)>,
    expected: Expected,
}

#[derive(Clone, Copy)]
enum Expected {
    /// The account of the calls. If a role is assumed, a comma and the source access key ID follow.
    Account(&'static str),
    /// An error that contains this text.
    Error(&'static str),
    /// The error, and the credentials that boto3 uses instead.
    OnlyBoto(&'static str, &'static str),
}

use Expected::{Account, Error, OnlyBoto};

fn case(
    flag: Option<&'static str>,
    variables: &[&[(&'static str, &'static str)]],
    expected: Expected,
) -> Case {
    Case { config: CONFIG, flag, variables: variables.concat(), expected }
}

const fn profile(name: &'static str) -> [(&'static str, &'static str); 1] {
    [("AWS_PROFILE", name)]
}

/// The table in docs/credentials.md, and the cases behind it.
fn cases() -> Vec<Case> {
    let no_such = Error("does not exist in config or credentials");
    let default_profile = |name| [("AWS_DEFAULT_PROFILE", name)];
    let mut cases = vec![
        // Nothing selects a profile.
        case(None, &[], Account("222222222222")),
        case(None, &[KEYS], Account("111111111111")),
        case(None, &[CONTAINER], Account("222222222222")),
        case(None, &[KEYS, CONTAINER, WEB_IDENTITY], Account("111111111111")),
        case(None, &[WEB_IDENTITY], Account("999999999999,token")),
        // The flag.
        case(Some("other"), &[], Account("333333333333")),
        case(Some("other"), &[KEYS], Account("333333333333")),
        case(Some("other"), &[CONTAINER], Account("333333333333")),
        case(Some("other"), &[WEB_IDENTITY], Account("333333333333")),
        case(Some("other"), &[KEYS, &profile("default")], Account("333333333333")),
        case(Some("other"), &[KEYS, &profile("no-such")], Account("333333333333")),
        case(Some("other"), &[&KEYS[..1]], Account("333333333333")),
        case(Some("shared"), &[KEYS], Account("888888888888")),
        case(Some("process"), &[KEYS], Account("121212121212")),
        case(Some("process-and-keys"), &[], Account("121212121212")),
        case(Some("process-and-shared"), &[], Account("141414141414")),
        case(Some("role-and-shared"), &[], Account("444444444444,151515151515")),
        case(Some("half"), &[KEYS], Error("aws_secret_access_key")),
        case(Some("default"), &[KEYS], Account("222222222222")),
        case(Some("no-such"), &[], no_such),
        case(Some("no-such"), &[KEYS], no_such),
        case(Some("no-such"), &[CONTAINER], no_such),
        case(Some("no-such"), &[KEYS, &profile("other")], no_such),
        case(Some(""), &[KEYS], no_such),
        case(Some("empty"), &[KEYS], Error("it contains no access key")),
        case(Some("empty"), &[CONTAINER], OnlyBoto("it contains no access key", "666666666666")),
        case(Some("chained"), &[], Account("444444444444,333333333333")),
        case(Some("chained"), &[KEYS], Account("444444444444,333333333333")),
        case(Some("chained"), &[CONTAINER], Account("444444444444,333333333333")),
        case(Some("from-environment"), &[KEYS], Account("555555555555,111111111111")),
        case(Some("from-environment"), &[CONTAINER], Error("profile \"from-environment\"")),
        case(Some("from-container"), &[KEYS, CONTAINER], Account("777777777777,666666666666")),
        case(Some("orphan"), &[KEYS], Error("profile \"no-such\", source_profile of profile")),
        case(Some("orphan"), &[CONTAINER], Error("profile \"no-such\", source_profile of profile")),
        // The variables.
        case(None, &[&profile("other")], Account("333333333333")),
        case(None, &[&profile("other"), KEYS], Account("111111111111")),
        case(None, &[&profile("other"), CONTAINER], Account("333333333333")),
        case(None, &[&profile("other"), WEB_IDENTITY], Account("999999999999,token")),
        case(None, &[&profile("shared")], Account("888888888888")),
        case(None, &[&profile("process")], Account("121212121212")),
        case(None, &[&profile("process-and-shared")], Account("141414141414")),
        case(None, &[&profile("half"), CONTAINER], Error("aws_secret_access_key")),
        case(None, &[&profile("no-such")], no_such),
        case(None, &[&profile("no-such"), KEYS], no_such),
        case(None, &[&profile("no-such"), CONTAINER], no_such),
        case(None, &[&profile(""), KEYS], no_such),
        case(None, &[&profile("empty")], Error("no credential provider returned credentials")),
        case(None, &[&profile("empty"), KEYS], Account("111111111111")),
        case(None, &[&profile("empty"), CONTAINER], Account("666666666666")),
        case(None, &[&profile("chained")], Account("444444444444,333333333333")),
        case(None, &[&profile("chained"), KEYS], Account("111111111111")),
        case(None, &[&profile("chained"), WEB_IDENTITY], Account("444444444444,333333333333")),
        case(None, &[&profile("from-environment"), KEYS], Account("111111111111")),
        case(None, &[&profile("from-environment"), CONTAINER], Error("from-environment")),
        case(None, &[&profile("from-container"), CONTAINER], Account("777777777777,666666666666")),
        case(None, &[&profile("orphan"), KEYS], Account("111111111111")),
        case(
            None,
            &[&profile("orphan"), CONTAINER],
            Error("profile \"no-such\", source_profile of profile"),
        ),
        case(None, &[&default_profile("other")], Account("333333333333")),
        case(None, &[&default_profile("other"), KEYS], Account("111111111111")),
        case(None, &[&default_profile("other"), &profile("shared")], Account("333333333333")),
        case(None, &[&default_profile("no-such"), &profile("other")], no_such),
        // Incomplete keys.
        case(None, &[&KEYS[..1]], Error("AWS_SECRET_ACCESS_KEY is not")),
        case(None, &[&KEYS[..1], &profile("other")], Error("AWS_SECRET_ACCESS_KEY is not")),
        case(None, &[&KEYS[1..]], Account("222222222222")),
    ];
    let mut of = |config, of_config: Vec<Case>| {
        cases.extend(of_config.into_iter().map(|case| Case { config, ..case }));
    };
    of(
        WITHOUT_DEFAULT,
        vec![
            case(None, &[], Error("no credential provider returned credentials")),
            case(None, &[KEYS], Account("111111111111")),
            case(None, &[CONTAINER], Account("666666666666")),
            case(Some("default"), &[KEYS], no_such),
            case(None, &[&profile("default"), KEYS], no_such),
        ],
    );
    of(
        DEFAULT_ASSUMES_A_ROLE,
        vec![
            case(None, &[], Account("444444444444,333333333333")),
            case(None, &[KEYS], Account("111111111111")),
            case(None, &[WEB_IDENTITY], Account("444444444444,333333333333")),
            case(Some("default"), &[KEYS], Account("444444444444,333333333333")),
        ],
    );
    of(
        DEFAULT_IS_ORPHANED,
        vec![
            case(None, &[CONTAINER], Error("profile \"no-such\", source_profile of profile")),
            case(None, &[KEYS], Account("111111111111")),
        ],
    );
    cases
}

/// The environment variables of a case, including those that all cases share.
fn variables(case: &Case, sts: &Sts) -> BTreeMap<String, String> {
    let common = [
        ("AWS_CONFIG_FILE", "config"),
        ("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
        ("AWS_ENDPOINT_URL_STS", "{STS}"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("PATH", "/usr/bin:/bin"),
    ];
    common
        .iter()
        .chain(&case.variables)
        .map(|(name, value)| ((*name).to_owned(), value.replace("{STS}", &sts.url)))
        .collect()
}

fn write_files(folder: &Path, config: &str) {
    std::fs::write(folder.join("config"), config).unwrap();
    std::fs::write(folder.join("credentials"), CREDENTIALS).unwrap();
    std::fs::write(folder.join("token"), "token").unwrap();
}

fn shown(case: &Case) -> String {
    format!("--profile {:?} {:?}\n{}", case.flag, case.variables, case.config)
}

const FILE: &str = "[users]\nalice = \"arn:aws:iam::aws:policy/ReadOnlyAccess\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn each_combination_of_sources_uses_the_credentials_of_the_table() {
    let (sts, fixture) = (Sts::start(), Fixture::users(1).listed_with("Developer").start().await);
    let endpoint = fixture.sandbox.endpoint_url();
    let cases = cases();
    tokio::task::spawn_blocking(move || {
        for case in &cases {
            let binary = Binary::with_file(FILE).env("AWS_ENDPOINT_URL_IAM", &endpoint);
            write_files(binary.folder(), case.config);
            let profile: Vec<&str> =
                case.flag.map(|name| vec!["--profile", name]).unwrap_or_default();
            let mut command =
                binary.command(&[&profile[..], &["plan", "--format", "json"]].concat());
            let ran = Ran::of(command.envs(variables(case, &sts)).output().unwrap());
            let identities = sts.take();
            match case.expected {
                Account(expected) => {
                    assert_eq!(identities, [expected], "{}\n{ran}", shown(case));
                    let account = &expected[..12];
                    let plan: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
                    assert_eq!(plan["account"], account, "{}\n{ran}", shown(case));
                }
                Error(text) | OnlyBoto(text, _) => {
                    assert!(identities.is_empty(), "{identities:?} {}\n{ran}", shown(case));
                    assert_eq!((ran.code, &*ran.out), (1, ""), "{}\n{ran}", shown(case));
                    assert!(ran.err.contains(text), "{}\n{ran}", shown(case));
                }
            }
        }
    })
    .await
    .unwrap();
}

/// Reads cases as JSON lines. For each case, prints the access key ID and the session token that boto3 uses,
/// or the error.
const BOTO: &str = r#"
import json, os, sys
import boto3
for line in sys.stdin:
    case = json.loads(line)
    os.environ.clear()
    os.environ.update(case["variables"])
    open("config", "w").write(case["config"])
    try:
        sts = boto3.Session(profile_name=case["flag"]).client("sts")
        print(sts.get_caller_identity()["Arn"].split("/")[1])
    except Exception as error:
        print("error:", type(error).__name__, str(error).replace("\n", " "))
"#;

#[test]
fn boto3_uses_the_same_credentials_in_each_combination_of_sources() {
    let python = std::env::var("LOCALSTACK_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has_boto = Command::new(&python).args(["-c", "import boto3"]).output();
    if !has_boto.is_ok_and(|output| output.status.success()) {
        tools::skip("boto3", "no Python with boto3; set LOCALSTACK_PYTHON to one");
        return;
    }
    let (sts, cases) = (Sts::start(), cases());
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path(), CONFIG);
    let mut boto = Command::new(python)
        .args(["-c", BOTO])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = boto.stdin.take().unwrap();
    let lines: Vec<String> = cases
        .iter()
        .map(|case| {
            let mut variables = variables(case, &sts);
            variables.insert("HOME".to_owned(), folder.path().display().to_string());
            let line = serde_json::json!({
                "flag": case.flag, "variables": variables, "config": case.config,
            });
            format!("{line}\n")
        })
        .collect();
    std::thread::spawn(move || lines.iter().try_for_each(|line| stdin.write_all(line.as_bytes())));
    let output = boto.wait_with_output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.lines().count(), cases.len(), "{output}");
    for (case, used) in cases.iter().zip(output.lines()) {
        match case.expected {
            Account(expected) | OnlyBoto(_, expected) => {
                assert_eq!(used, expected, "{}", shown(case));
            }
            Error(_) => assert!(used.starts_with("error: "), "{used}: {}", shown(case)),
        }
    }
}

#[test]
fn a_profile_that_does_not_exist_is_named_with_its_origin_and_the_files() {
    let binary = Binary::with_file(FILE);
    let said = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = binary.command(arguments);
        let ran = Ran::of(command.envs(variables.iter().copied()).output().unwrap());
        assert_eq!(ran.code, 1, "{ran}");
        ran.err
    };
    let flag = said(&["--profile", "no-such", "plan"], KEYS);
    assert!(
        flag.contains(
            "the AWS profile \"no-such\" of --profile does not exist in ~/.aws/config or ~/.aws/credentials"
        ),
        "{flag}"
    );
    assert!(flag.contains("help: "), "{flag}");
    let variable = said(&["plan"], &[("AWS_PROFILE", "no-such"), ("AWS_CONFIG_FILE", "my/config")]);
    assert!(
        variable.contains("\"no-such\" of AWS_PROFILE does not exist in my/config or"),
        "{variable}"
    );
}

/// The profile `switching`. Its `credential_process` runs `script` and returns the variable `key`.
fn switching(fixture: Fixture, script: &str) -> Fixture {
    let folder = fixture.folder();
    let text = format!(
        "{script}\n\
         expiration=$(date -u -d '+1 second' +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -v+1S +%Y-%m-%dT%H:%M:%SZ)\n\
         printf '{{\"Version\": 1, \"AccessKeyId\": \"%s\", \"SecretAccessKey\": \"any\", \"Expiration\": \"%s\"}}' \
         \"$key\" \"$expiration\"\n"
    );
    std::fs::write(folder.join("keys.sh"), text).unwrap();
    let config = "[profile switching]\ncredential_process = sh keys.sh\n";
    std::fs::write(folder.join("config"), config).unwrap();
    fixture.env("AWS_CONFIG_FILE", "config").env("PATH", "/usr/bin:/bin")
}

const APPLY: [&str; 11] = [
    "--profile",
    "switching",
    "apply",
    "--auto-approve",
    "--journal",
    "journal.jsonl",
    "--max-rate",
    "10",
    "--concurrency=2",
    "--max-changes",
    "100",
];

/// Waits until the sandbox has received this number of writes, or the run ends.
async fn wait_for_writes(fixture: &Fixture, count: u64) {
    let started = Instant::now();
    while fixture.writes() < count && started.elapsed() < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_of_another_account_end_the_run_and_sign_no_write() {
    let script = format!("key={ACCOUNT}\ntest -e switched && key=210987654321");
    let fixture = switching(Fixture::users(40).listed_with("Developer").start().await, &script);
    let switch = async {
        wait_for_writes(&fixture, 4).await;
        std::fs::write(fixture.folder().join("switched"), "").unwrap();
    };
    let (ran, ()) = tokio::join!(fixture.run(&APPLY), switch);
    assert_eq!(ran.code, 3, "{ran}");
    let why = "the credentials now belong to account 210987654321, and this run is for account 123456789012";
    let unwrapped = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(unwrapped.contains(why), "{ran}");
    assert!(unwrapped.contains("nothing was read or written with the new credentials"), "{ran}");
    // Every write in the sandbox changed a user of the correct account.
    let changed = (0..40).filter(|n| fixture.has(*n, "Developer")).count();
    assert_eq!(fixture.writes(), changed as u64, "{ran}");
    assert!((4..40).contains(&changed), "{changed} {ran}");
    let journal = std::fs::read_to_string(fixture.folder().join("journal.jsonl")).unwrap();
    assert!(journal.contains("AccountChanged"), "{journal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_change_before_the_account_is_read_end_the_command() {
    // The first credentials identify the account. The next ones belong to another account.
    let script = format!("key=210987654321\ntest -e called || key={ACCOUNT}\n: >called");
    let fixture = switching(Fixture::users(3).listed_with("Developer").start().await, &script);
    let ran = fixture.run(&APPLY).await;
    assert_eq!((ran.code, fixture.writes()), (1, 0), "{ran}");
    assert!(ran.err.contains("now belong to account 210987654321"), "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_change_while_the_question_waits_sign_no_write() {
    let script = format!("key={ACCOUNT}\ntest -e switched && key=210987654321");
    let fixture = switching(Fixture::users(3).listed_with("Developer").start().await, &script);
    let pty = nix::pty::openpty(None, None).unwrap();
    let mut command = fixture.command(&["--profile", "switching", "apply"]);
    command.stdin(pty.slave).stdout(Stdio::piped()).stderr(Stdio::piped());
    let folder = fixture.folder().to_owned();
    let run = move || {
        let mut child = command.spawn().unwrap();
        let (mut asked, mut byte) = (Vec::new(), [0]);
        let mut stderr = child.stderr.take().unwrap();
        while !String::from_utf8_lossy(&asked).contains("to continue:") {
            stderr.read_exact(&mut byte).unwrap();
            asked.push(byte[0]);
        }
        std::fs::write(folder.join("switched"), "").unwrap();
        std::fs::File::from(pty.master).write_all(b"yes\n").unwrap();
        child.stderr = Some(stderr);
        Ran::of(child.wait_with_output().unwrap())
    };
    let ran = tokio::task::spawn_blocking(run).await.unwrap();
    assert_eq!((ran.code, fixture.writes()), (1, 0), "{ran}");
    assert!(ran.err.contains("nothing was changed"), "{ran}");
    assert!(ran.err.contains("now belong to account 210987654321"), "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn new_keys_of_the_same_account_are_each_confirmed_once_also_when_sts_fails_for_a_moment() {
    // An access key ID that is not 12 digits belongs to the default account of the sandbox.
    let script = "key=AKIAFIRST\ntest -e switched && key=AKIASECOND";
    let fixture = switching(Fixture::users(20).listed_with("Developer").start().await, script);
    let switch = async {
        wait_for_writes(&fixture, 4).await;
        let unavailable = Fault::error(503, "ServiceUnavailable", "try again");
        fixture.sandbox.faults().add("GetCallerIdentity", None, 2, unavailable);
        std::fs::write(fixture.folder().join("switched"), "").unwrap();
    };
    let (ran, ()) = tokio::join!(fixture.run(&APPLY), switch);
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(fixture.writes(), 20, "{ran}");
    assert!((0..20).all(|n| fixture.has(n, "Developer")), "{ran}");
    // One call for the run, and one call with two retries for the second key.
    assert_eq!(fixture.sandbox.calls()["GetCallerIdentity"], 4, "{ran}");
}
