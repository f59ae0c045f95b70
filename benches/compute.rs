//! Measures the time and memory of computation, without IAM: `cargo bench --bench compute`.
//!
//! Each measurement runs in a separate process: the program starts itself with the name of a [`Work`] and
//! the path of the input file. It asserts nothing.
#![allow(clippy::print_stdout, reason = "a bench prints its table")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use iam_boundaries::config::Config;
use iam_boundaries::iam::{
    Partition, PolicyArn, PolicyRef, Principal, PrincipalKind, Timestamp, UniqueId,
};
use iam_boundaries::impact::{Actions, Document, Step, Summary};
use iam_boundaries::inventory::{
    AccountPolicies, Attributes, IdentityPolicies, Inventory, Reading, Tag,
};
use iam_boundaries::plan::{Plan, PlanContext};
use iam_boundaries::report::{Format, Style, render_plan};
use iam_boundaries::sandbox::{ACCOUNT, awkward_name};

const BINARY: &str = env!("CARGO_BIN_EXE_iam-boundaries");
/// The first argument of a process that measures one [`Work`].
const MEASURE: &str = "measure";
/// The number of processes for each measurement. The time is their median, and the peak is their maximum.
const RUNS: usize = 7;
const STARTS: usize = 200;

/// The goal of each [`Work`], by the number of users in the file.
const GOALS: [(usize, Goal); 2] = [
    (5_000, Goal { time: Duration::from_millis(25), megabytes: 25 }),
    (100_000, Goal { time: Duration::from_millis(500), megabytes: 150 }),
];
const START_GOAL: Duration = Duration::from_millis(5);
const SIZE_GOAL_MEGABYTES: u64 = 10;

struct Goal {
    time: Duration,
    megabytes: u64,
}

/// A measurement. It returns the time of the relevant part. The peak is that of the whole process, so it
/// includes the parser.
struct Work {
    name: &'static str,
    run: fn(&Path) -> Duration,
}

const WORKS: [Work; 6] = [
    Work { name: "parse and check", run: |file| timed(|| config(file)).1 },
    Work { name: "diff", run: |file| planned(file).diff },
    Work {
        name: "parse, check and diff",
        run: |file| {
            let planned = planned(file);
            planned.parse + planned.diff
        },
    },
    Work {
        name: "plan as text",
        run: |file| timed_of_plan(file, |p| render_plan(p, Format::Text, Style::PLAIN)),
    },
    Work { name: "plan as JSON", run: |file| timed_of_plan(file, Plan::to_json) },
    Work { name: "the command check", run: |file| time_of_binary(&["check", "-f"], Some(file)) },
];

/// Measured with a file of rules, for an account with [`PRINCIPALS`].
const BY_RULES: Work = Work { name: "diff by 200 rules", run: |file| by_rules(file) };
const RULES: usize = 200;
const PRINCIPALS: usize = 100_000;
const BY_RULES_GOAL: Goal = Goal { time: Duration::from_millis(500), megabytes: 250 };

/// Two boundaries, compared for every action; the documents are parsed before.
const BOUNDARIES: Work = Work { name: "impact of one pair of boundaries", run: |_| one_pair() };
const BOUNDARIES_GOAL: Goal = Goal { time: Duration::from_millis(5), megabytes: 150 };
/// The impact of a plan that changes the boundary of 5,000 users.
const IMPACT: Work = Work { name: "impact of 5,000 changes, 300 policies", run: |_| impact() };
const IMPACT_GOAL: Goal = Goal { time: Duration::from_secs(1), megabytes: 150 };
const POLICIES: usize = 300;

/// The result of one process.
struct Measured {
    time: Duration,
    /// In bytes. `None` if the system does not report it.
    peak: Option<u64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [command, name, file] = &arguments[..]
        && command == MEASURE
    {
        let mut works = WORKS.iter().chain([&BY_RULES, &BOUNDARIES, &IMPACT]);
        let work = works.find(|work| work.name == name).ok_or("no such work")?;
        let time = (work.run)(Path::new(file));
        println!("{} {}", time.as_nanos(), peak().unwrap_or_default());
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    row(["", "time", "peak memory", "goal", "met"].map(String::from));
    for (users, goal) in GOALS {
        println!("{users} users");
        let file = folder.path().join(format!("{users}.toml"));
        write_file(&file, users)?;
        for work in &WORKS {
            print_work(work, &file, &goal)?;
        }
    }
    println!("{PRINCIPALS} principals without entries");
    let file = folder.path().join("rules.toml");
    std::fs::write(&file, rules())?;
    print_work(&BY_RULES, &file, &BY_RULES_GOAL)?;
    println!("what changes give and take");
    print_work(&BOUNDARIES, &file, &BOUNDARIES_GOAL)?;
    print_work(&IMPACT, &file, &IMPACT_GOAL)?;
    print_start();
    print_size()?;
    Ok(())
}

fn print_work(work: &Work, file: &Path, goal: &Goal) -> Result<(), Box<dyn Error>> {
    let Measured { time, peak } = measured(work, file)?;
    let is_met = time <= goal.time && peak.is_none_or(|it| it <= goal.megabytes * 1_000_000);
    row([
        format!("  {}", work.name),
        milliseconds(time),
        peak.map_or("not measured".to_owned(), megabytes),
        format!("{}, {} MB", milliseconds(goal.time), goal.megabytes),
        yes_or_no(is_met),
    ]);
    Ok(())
}

/// A policy with statements as real ones have them: names, prefixes, conditions and resources. Each number is another one.
fn document(n: usize) -> String {
    const SERVICES: [&str; 12] = [
        "s3", "ec2", "iam", "dynamodb", "lambda", "logs", "kms", "sqs", "sns", "rds", "glue", "ssm",
    ];
    let service = |m: usize| SERVICES[(n + m) % SERVICES.len()];
    let (a, b, c, d) = (service(0), service(1 + n / 12), service(5), service(7));
    format!(
        r#"{{"Version": "2012-10-17", "Statement": [
            {{"Effect": "Allow", "Action": ["{a}:Get*", "{a}:List*", "{b}:*", "{c}:Describe*", "{c}:?ut*{n}"], "Resource": "*"}},
            {{"Effect": "Allow", "Action": ["{c}:Create*", "{d}:*Tag*"], "Resource": "arn:aws:{c}:::team-{n}/*"}},
            {{"Effect": "Deny", "NotAction": ["{a}:*", "{b}:*", "{c}:*", "{d}:*"], "Resource": "*",
              "Condition": {{"Bool": {{"aws:MultiFactorAuthPresent": "false"}}}}}}]}}"#
    )
}

fn one_pair() -> Duration {
    let documents = [0, 5].map(|n| Document::parse(&document(n)).expect("the policy is valid"));
    let actions = Actions::of(&documents);
    timed(|| {
        let [before, after] = &documents;
        let step = Step::new(Some(before), Some(after), &actions);
        Summary::of(&step.compare_boundaries(&actions), &actions)
    })
    .1
}

/// Each of 5,000 users has five of the policies, and gets another boundary.
fn impact() -> Duration {
    const USERS: usize = 5_000;
    let arn = |n: usize| -> PolicyArn {
        format!("arn:aws:iam::{ACCOUNT}:policy/Policy-{n}").parse().expect("the ARN is valid")
    };
    let mut policies = AccountPolicies::default();
    policies.managed.extend((0..POLICIES).map(|n| (arn(n), Ok(document(n).into()))));
    let (mut readings, mut file) = (BTreeMap::new(), "[users]\n".to_owned());
    for n in 0..USERS {
        let principal = Principal::user(format!("user-{n}").parse().expect("the name is valid"));
        let attached =
            [n, n * 7 + 1, n * 11 + 2, n * 13 + 3, n / 17].map(|n| arn(n % POLICIES)).into();
        let own = IdentityPolicies { attached, ..IdentityPolicies::default() };
        policies.principals.insert(principal.clone(), own);
        file += &format!("user-{n} = \"policy/Policy-{}\"\n", n % 4);
        let unique_id = format!("AIDA{n:016}").parse().expect("the ID is valid");
        readings.insert(principal, Reading::Found { unique_id, boundary: Some(arn(10 + n % 3)) });
    }
    let config = Config::parse("boundaries.toml", &file).expect("the file is valid");
    let account = ACCOUNT.parse().expect("the account is valid");
    let now = Timestamp::now().expect("the clock is usable");
    let context = PlanContext::new(account, Partition::Aws, now);
    let plan = Plan::between(&context, &config, &Inventory::of(readings));
    assert_eq!(plan.changes.len(), USERS);
    timed(|| plan.impact_with(&policies)).1
}

/// Rules of every kind. Each principal of [`by_rules`] is compared with half of them in the mean.
fn rules() -> String {
    let rule = |n: usize| {
        let kind = if n.is_multiple_of(2) { "users" } else { "roles" };
        let condition = match n / 2 % 4 {
            0 => format!("path = \"/unit-{n}/*\""),
            1 => format!("tag = {{ team = [\"team-{n}\", \"*-{n}x\"] }}"),
            2 => format!("name = \"*-{n}-*\"\nexcept = [\"*-legacy-*\"]"),
            _ => format!("path = \"/unit-?/{n}/\"\ntag = {{ stage = \"prod\", team = \"*\" }}"),
        };
        format!("[[rules]]\nfor = \"{kind}\"\n{condition}\nboundary = \"policy/Boundary-{n}\"\n")
    };
    (0..RULES).map(rule).collect()
}

/// The time of a plan for principals without entries: the rules decide about all of them.
fn by_rules(file: &Path) -> Duration {
    let config = config(file);
    let unique_id: UniqueId = "AIDAJQABLZS4A3QDU576Q".parse().expect("it is a unique ID");
    let (mut readings, mut attributes) = (BTreeMap::new(), BTreeMap::new());
    for n in 0..PRINCIPALS {
        let kind = PrincipalKind::ALL[n % 2];
        let name = format!("name-{}-{n}", n % 211).parse().expect("it is a name");
        let principal = Principal { kind, name };
        let tag = |key: &str, value: String| Tag { key: key.into(), value: value.into() };
        let has = Attributes {
            path: Some(format!("/unit-{}/{}/", n % 223, n % 7).into()),
            tags: vec![
                tag("cost-center", format!("{}", n % 97)),
                tag("Stage", "prod".to_owned()),
                tag("Team", format!("team-{}", n % 227)),
            ],
            groups: Some(Vec::new()),
            is_administrator: Some(false),
            created: None,
        };
        let reading = Reading::Found { unique_id: unique_id.clone(), boundary: None };
        readings.insert(principal.clone(), reading);
        attributes.insert(principal, has);
    }
    let live = Inventory::whole(PrincipalKind::ALL, readings, attributes);
    timed(|| Plan::between(&context(), &config, &live)).1
}

/// Compares the start-up time with that of a program that does nothing. The two run alternately, so that
/// both run under the same load.
fn print_start() {
    let mut starts = Vec::new();
    let mut nothing = Vec::new();
    for _ in 0..STARTS {
        starts.push(time_of_binary(&["--version"], None));
        nothing.extend(time_of(&mut Command::new("true")).ok());
    }
    let none = String::new;
    println!("start-up");
    let time = median(starts);
    let (goal, is_met) = (milliseconds(START_GOAL), yes_or_no(time <= START_GOAL));
    row(["  --version".to_owned(), milliseconds(time), none(), goal, is_met]);
    if !nothing.is_empty() {
        let time = milliseconds(median(nothing));
        row(["  beside it: true".to_owned(), time, none(), none(), none()]);
    }
}

fn print_size() -> io::Result<()> {
    let size = std::fs::metadata(BINARY)?.len();
    let is_met = yes_or_no(size <= SIZE_GOAL_MEGABYTES * 1_000_000);
    println!("size");
    let goal = format!("{SIZE_GOAL_MEGABYTES} MB");
    row(["  the binary".to_owned(), megabytes(size), String::new(), goal, is_met]);
    Ok(())
}

fn row([what, time, memory, goal, met]: [String; 5]) {
    println!("{what:<24} {time:>10} {memory:>12} {goal:>16}  {met}");
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1_000_000.0)
}

fn yes_or_no(is_met: bool) -> String {
    if is_met { "yes" } else { "NO" }.to_owned()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Runs `work` in separate processes.
fn measured(work: &Work, file: &Path) -> Result<Measured, Box<dyn Error>> {
    let mut times = Vec::new();
    let mut peaks = Vec::new();
    for _ in 0..RUNS {
        let mut process = Command::new(std::env::current_exe()?);
        let output =
            process.args([MEASURE, work.name]).arg(file).stderr(Stdio::inherit()).output()?;
        let said = String::from_utf8(output.stdout)?;
        let (time, peak) = said.trim().split_once(' ').ok_or("a measurement failed")?;
        times.push(Duration::from_nanos(time.parse()?));
        peaks.push(peak.parse()?);
    }
    Ok(Measured { time: median(times), peak: peaks.into_iter().max().filter(|&peak| peak > 0) })
}

/// The peak memory, in bytes, of this process or of its largest child process.
#[cfg(unix)]
fn peak() -> Option<u64> {
    use nix::sys::resource::{UsageWho, getrusage};
    let unit = if cfg!(target_vendor = "apple") { 1 } else { 1024 };
    let of = |who| getrusage(who).ok().and_then(|usage| u64::try_from(usage.max_rss()).ok());
    let peak = of(UsageWho::RUSAGE_SELF)?.max(of(UsageWho::RUSAGE_CHILDREN)?);
    Some(peak * unit)
}

#[cfg(not(unix))]
fn peak() -> Option<u64> {
    None
}

/// The result of `work`, and its duration.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let given = black_box(work());
    (given, start.elapsed())
}

/// The duration of a program.
///
/// # Errors
/// If the program cannot be started or fails: a failed run must not count as a fast one.
fn time_of(process: &mut Command) -> io::Result<Duration> {
    let (status, time) = timed(|| process.stdout(Stdio::null()).status());
    match status? {
        status if status.success() => Ok(time),
        status => Err(io::Error::other(format!("{process:?} failed: {status}"))),
    }
}

fn time_of_binary(arguments: &[&str], file: Option<&Path>) -> Duration {
    time_of(Command::new(BINARY).args(arguments).args(file)).expect("the binary succeeds")
}

fn config(file: &Path) -> Config {
    Config::read(&[file]).expect("the file has no errors")
}

struct Planned {
    plan: Plan,
    parse: Duration,
    diff: Duration,
}

fn planned(file: &Path) -> Planned {
    let (config, parse) = timed(|| config(file));
    let live = snapshot(&config);
    let (plan, diff) = timed(|| Plan::between(&context(), &config, &live));
    Planned { plan, parse, diff }
}

fn context() -> PlanContext {
    PlanContext::new(
        ACCOUNT.parse().expect("the sandbox has an account id"),
        Partition::Aws,
        Timestamp::now().expect("the clock is right"),
    )
}

fn timed_of_plan(file: &Path, write: fn(&Plan) -> String) -> Duration {
    let plan = planned(file).plan;
    timed(|| write(&plan)).1
}

/// An account in which a fifth of the listed users do not have the listed boundary.
fn snapshot(config: &Config) -> Inventory {
    let other: PolicyArn = policy("Other").parse().expect("it is an ARN");
    let unique_id: UniqueId = "AIDAJQABLZS4A3QDU576Q".parse().expect("it is a unique ID");
    let found = |boundary| Reading::Found { unique_id: unique_id.clone(), boundary };
    let reading = |n: usize, listed: &Option<PolicyRef>| match (n % 10, listed) {
        (0, Some(_)) => found(None),
        (0 | 5, _) => found(Some(other.clone())),
        // Each boundary has its own string, as in responses of IAM.
        (_, listed) => found(
            listed
                .as_ref()
                .map(|arn| arn.to_string().parse().expect("a listed boundary is an ARN")),
        ),
    };
    let users = config.entries().enumerate();
    Inventory::of(users.map(|(n, (user, listed))| (user, reading(n, &listed.boundary))).collect())
}

fn policy(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:policy/{name}")
}

/// Writes a file with awkward user names. Most users have one of five named boundaries, some have one of
/// fifty ARNs, and some must not have a boundary.
fn write_file(path: &Path, users: usize) -> io::Result<()> {
    const NAMES: [&str; 5] = ["developer", "data-scientist", "contractor", "deployer", "auditor"];
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "[account]\nid = \"{ACCOUNT}\"\n\n[boundaries]")?;
    for name in NAMES {
        writeln!(file, "{name} = \"{}\"", policy(name))?;
    }
    writeln!(file, "\n[users]")?;
    for n in 0..users {
        let boundary = match n % 10 {
            0 => "false".to_owned(),
            1 | 2 => format!("\"{}\"", policy(&format!("teams/Team{}", n % 50))),
            _ => format!("\"{}\"", NAMES[n % NAMES.len()]),
        };
        writeln!(file, "\"{}\" = {boundary}", awkward_name(n))?;
    }
    file.flush()
}
