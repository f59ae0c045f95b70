//! A sandbox with many accounts, a fleet file that lists them, and the tool as a binary.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use iam_boundaries::sandbox::{
    Fault, FaultScope, Faults, Options, Sandbox, Seed, account_ids, awkward_name,
};
use serde_json::Value;

use super::fixture::{DELETE, DELETE_ROLE, PUT, PUT_ROLE, run};
use super::query::{SIGNED, post};
use super::{Binary, Ran};

/// The options of an apply without confirmation.
pub const APPLY: [&str; 4] = ["--fleet", "fleet.toml", "apply", "--auto-approve"];
/// The options of a plan.
pub const PLAN: [&str; 3] = ["--fleet", "fleet.toml", "plan"];

/// A running sandbox, and a directory with `fleet.toml` and `baseline.toml`.
///
/// Of every five users of an account, the first needs a boundary, the second another one, and three match the baseline.
pub struct FleetFixture {
    pub sandbox: Sandbox,
    ids: Vec<String>,
    users: usize,
    binary: Binary,
}

/// The builder that [`FleetFixture::accounts`] returns.
pub struct Builder {
    users: usize,
    tail: String,
    options: Options,
}

/// The boundary of each user of an account.
pub type Boundaries = BTreeMap<String, Option<String>>;

/// The name of the account with this number in the fleet.
pub fn account_name(n: usize) -> String {
    format!("acct-{n:03}")
}

/// `[users]` with this value for the first `users` users.
pub fn baseline(users: usize, value: &str) -> String {
    let guard = "[guard]\nmax_changes = \"100%\"\nmax_removals = \"100%\"\n";
    let lines: String =
        (0..users).map(|n| format!("\"{}\" = {value}\n", awkward_name(n))).collect();
    format!("{guard}[users]\n{lines}")
}

/// A fleet file with these accounts, and this text after them.
pub fn fleet_file<'a>(accounts: impl Iterator<Item = (String, &'a str)>, tail: &str) -> String {
    let lines: String = accounts.map(|(name, id)| format!("{name} = \"{id}\"\n")).collect();
    let head = "assume_role = \"role/iam-boundaries\"\nfiles = [\"baseline.toml\"]\n";
    format!("{head}[accounts]\n{lines}{tail}")
}

impl Builder {
    /// The number of users in each account.
    pub fn users(self, users: usize) -> Builder {
        Builder { users, ..self }
    }

    /// The text after `[accounts]` in the fleet file.
    pub fn tail(self, tail: &str) -> Builder {
        Builder { tail: tail.to_owned(), ..self }
    }

    /// Changes the options of the sandbox.
    pub fn options(mut self, change: impl FnOnce(&mut Options)) -> Builder {
        change(&mut self.options);
        self
    }

    pub async fn start(self) -> FleetFixture {
        let Builder { users, tail, mut options } = self;
        options.seed = Seed::Generated { users, roles: 0 };
        let ids = account_ids(options.accounts);
        let binary = Binary::with_file("[users]\n");
        let sandbox = Sandbox::start(options).await.unwrap();
        let binary = binary
            .env("AWS_ACCESS_KEY_ID", "any")
            .env("AWS_SECRET_ACCESS_KEY", "any")
            .env("AWS_ENDPOINT_URL", &sandbox.endpoint_url());
        let fixture = FleetFixture { sandbox, ids, users, binary };
        fixture.write("baseline.toml", &baseline(users, "\"policy/Developer\""));
        fixture.write_fleet(&tail);
        fixture
    }
}

impl FleetFixture {
    /// A fleet of this many accounts with 5 users each. The first one has the base credentials.
    pub fn accounts(accounts: usize) -> Builder {
        let options = Options { accounts, ..Options::default() };
        Builder { users: 5, tail: String::new(), options }
    }

    pub fn folder(&self) -> &Path {
        self.binary.folder()
    }

    /// Writes a file of the directory.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder().join(name), text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder().join(name)).unwrap()
    }

    /// Writes the fleet file with all accounts and this text after them.
    pub fn write_fleet(&self, tail: &str) {
        let accounts = self.ids.iter().enumerate().map(|(n, id)| (account_name(n), id.as_str()));
        self.write("fleet.toml", &fleet_file(accounts, tail));
    }

    /// The number of accounts.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// The ID of the account with this number.
    pub fn id(&self, n: usize) -> &str {
        &self.ids[n]
    }

    /// The number of the account with this ID.
    pub fn number(&self, id: &str) -> usize {
        self.ids.iter().position(|it| it == id).unwrap_or_else(|| panic!("no account {id}"))
    }

    /// `acct-001 (200000000001)`.
    pub fn label(&self, n: usize) -> String {
        format!("{} ({})", account_name(n), self.id(n))
    }

    pub fn faults(&self) -> &Faults {
        self.sandbox.faults()
    }

    /// Injects the fault into the calls of an action in an account; into all calls without an action.
    pub fn inject(&self, n: usize, action: &str, fault: Fault) {
        let scope = FaultScope::account(self.id(n));
        self.faults().inject(if action.is_empty() { scope } else { scope.action(action) }, fault);
    }
}

/// The content of the accounts.
impl FleetFixture {
    /// The ARN of a policy in the account with this number.
    pub fn policy(&self, n: usize, policy: &str) -> String {
        format!("arn:aws:iam::{}:policy/{policy}", self.id(n))
    }

    /// The boundaries before anything is written.
    pub fn seeded(&self, n: usize) -> Boundaries {
        let boundary = |user: usize| match user % 5 {
            0 => None,
            1 => Some(self.policy(n, "Contractor")),
            _ => Some(self.policy(n, "Developer")),
        };
        (0..self.users).map(|user| (awkward_name(user), boundary(user))).collect()
    }

    /// The boundaries if every user has the policy.
    pub fn all_with(&self, n: usize, policy: &str) -> Boundaries {
        (0..self.users).map(|user| (awkward_name(user), Some(self.policy(n, policy)))).collect()
    }

    /// The boundaries of an account now. Injected faults apply to this call, too.
    pub async fn boundaries(&self, n: usize) -> Boundaries {
        let form = "Action=GetAccountAuthorizationDetails&Filter.member.1=User";
        let (status, page) = self.send(n, form).await;
        assert_eq!(status, 200, "{page}");
        assert!(page.contains("<IsTruncated>false</IsTruncated>"), "{page}");
        let text = |of: &str, name: &str| {
            let (_, rest) = of.split_once(&format!("<{name}>"))?;
            Some(rest.split_once('<').unwrap().0.to_owned())
        };
        let user =
            |part: &str| (text(part, "UserName").unwrap(), text(part, "PermissionsBoundaryArn"));
        page.split("<UserName>").skip(1).map(|part| user(&format!("<UserName>{part}"))).collect()
    }

    /// Sets the boundary of a user like another client.
    pub async fn put(&self, n: usize, user: usize, policy: &str) {
        let (user, policy) = (awkward_name(user), self.policy(n, policy));
        let user = user.replace('@', "%40").replace('+', "%2B");
        let form = format!("Action={PUT}&UserName={user}&PermissionsBoundary={policy}");
        let (status, body) = self.send(n, &form).await;
        assert_eq!(status, 200, "{body}");
    }

    async fn send(&self, n: usize, form: &str) -> (u16, String) {
        post(&self.sandbox, &SIGNED.replace("any", self.id(n)), form.as_bytes()).await
    }

    /// The number of writes that the account has received.
    pub fn writes(&self, n: usize) -> u64 {
        let calls = self.sandbox.calls_of(self.id(n));
        let of = |action| calls.get(action).copied().unwrap_or_default();
        [PUT, DELETE, PUT_ROLE, DELETE_ROLE].map(of).iter().sum()
    }

    /// The number of writes that all accounts have received.
    pub fn all_writes(&self) -> u64 {
        (0..self.len()).map(|n| self.writes(n)).sum()
    }

    /// The numbers of the accounts that have received writes.
    pub fn written(&self) -> Vec<usize> {
        (0..self.len()).filter(|n| self.writes(*n) > 0).collect()
    }

    /// The number of calls that the account has received, including `AssumeRole`.
    pub fn calls(&self, n: usize) -> u64 {
        self.sandbox.calls_of(self.id(n)).values().sum()
    }

    /// Checks that each account has what `expected` says.
    pub async fn check(&self, expected: impl Fn(usize) -> Boundaries) {
        for n in 0..self.len() {
            assert_eq!(self.boundaries(n).await, expected(n), "{}", self.label(n));
        }
    }
}

/// Functions that run the binary.
impl FleetFixture {
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.binary.command(arguments)
    }

    pub async fn run(&self, arguments: &[&str]) -> Ran {
        run(self.command(arguments)).await
    }

    /// `apply --fleet` without confirmation, and these options.
    pub async fn apply(&self, options: &[&str]) -> Ran {
        self.run(&[&APPLY[..], options].concat()).await
    }

    /// `plan --fleet` with these options.
    pub async fn plan(&self, options: &[&str]) -> Ran {
        self.run(&[&PLAN[..], options].concat()).await
    }

    /// The JSON document of a plan with these options.
    pub async fn plan_json(&self, options: &[&str]) -> (i32, Value) {
        let ran = self.plan(&[&["--format", "json"], options].concat()).await;
        (ran.code, serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran}")))
    }

    /// Starts the binary.
    pub fn spawn(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The directories of the runs on fleets.
    pub fn run_directories(&self) -> Vec<PathBuf> {
        let fleets = self.folder().join(".local/state/iam-boundaries/fleets");
        let Ok(entries) = std::fs::read_dir(fleets) else { return Vec::new() };
        let mut directories: Vec<PathBuf> =
            entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
        directories.sort();
        directories
    }
}

/// Waits until `is_time`, or panics after a minute.
pub async fn until(what: &str, mut is_time: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_time() {
        assert!(started.elapsed() < Duration::from_secs(60), "{what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Sends SIGINT, as Ctrl-C does.
#[cfg(unix)]
pub fn interrupt(child: &Child) {
    send("-INT", child);
}

/// Sends SIGTERM, which no shell ignores for its background processes, to a process without a handler.
#[cfg(unix)]
pub fn terminate(child: &Child) {
    send("-TERM", child);
}

#[cfg(unix)]
fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

/// The rest of a process that was started with [`FleetFixture::spawn`].
pub async fn ended(child: Child) -> Ran {
    let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap());
    Ran::of(output.await.unwrap())
}

/// The account of a saved plan with this name.
pub fn account_of<'a>(plan: &'a Value, name: &str) -> &'a Value {
    let accounts = plan["accounts"].as_array().unwrap();
    let found = accounts.iter().find(|it| it["name"] == name);
    found.unwrap_or_else(|| panic!("{name} is not in {plan}"))
}

/// The lines of a report in JSON of this type.
pub fn lines_of(ran: &Ran, kind: &str) -> Vec<Value> {
    ran.json_lines().into_iter().filter(|line| line["type"] == kind).collect()
}

/// The last line of a report in JSON: the summary of the fleet.
pub fn summary(ran: &Ran) -> Value {
    let last = ran.json_lines().pop().unwrap_or_else(|| panic!("no report: {ran}"));
    assert_eq!(last["type"], "fleet_summary", "{ran}");
    last
}
