//! An account in this process, its file, and the tool as a library and a binary.

use super::plans::context;
use iam_boundaries::ops::Selection;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use iam_boundaries::apply::{Event, Summary};
use iam_boundaries::aws::{Access, Account, Connection, RetryPolicy};
use iam_boundaries::config::Config;
use iam_boundaries::iam::{Principal, PrincipalName};
use iam_boundaries::inventory::{ApiError, Inventory};
use iam_boundaries::journal::RunRecord;
use iam_boundaries::ops::{
    self, ApplyInput, ApplyOptions, ApplyOutcome, Declined, EventSink, Interaction, Review,
};
use iam_boundaries::plan::{Overrides, Plan, Preflight, Supervision};
use iam_boundaries::sandbox::{ACCESS_KEY_ID, Fault, Options, SECRET_ACCESS_KEY, Sandbox};
use iam_boundaries::state::{StateRoot, UnfinishedRun};

use super::plans::{arn, name};
use super::run::Items;
use super::{Binary, Ran};

pub const PUT: &str = "PutUserPermissionsBoundary";
pub const DELETE: &str = "DeleteUserPermissionsBoundary";
pub const PUT_ROLE: &str = "PutRolePermissionsBoundary";
pub const DELETE_ROLE: &str = "DeleteRolePermissionsBoundary";
pub const DETAILS: &str = "GetAccountAuthorizationDetails";

/// The policies in the account of every fixture.
const POLICIES: [&str; 2] = ["Developer", "Other"];

/// A sandbox, and a directory with a `boundaries.toml` for the library and the binary.
pub struct Fixture {
    pub sandbox: Sandbox,
    binary: Binary,
}

/// The builder that [`Fixture::users`] returns.
pub struct Builder {
    users: usize,
    roles: usize,
    file: String,
    options: Options,
}

/// The user with this number.
pub fn user(n: usize) -> PrincipalName {
    name(&format!("user-{n:04}"))
}

/// The role with this number. The user with the same number has the same name.
pub fn role(n: usize) -> Principal {
    Principal::role(user(n))
}

/// The lines of `[users]` or `[roles]` for the first `count` users or roles, with this value.
pub fn lines(count: usize, value: &str) -> String {
    (0..count).map(|n| format!("{} = {value}\n", user(n))).collect()
}

/// The error of a caller without permissions.
pub fn denied() -> Fault {
    Fault::error(403, "AccessDenied", "not authorized")
}

/// The default retries with minimal delays.
pub fn quick() -> RetryPolicy {
    RetryPolicy {
        retry_for: Duration::ZERO,
        give_up_after: Duration::from_millis(500),
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(5),
        ..RetryPolicy::default()
    }
}

/// The account of a sandbox.
pub async fn account(sandbox: &Sandbox) -> Account {
    let connection = Connection::open(&access(sandbox)).await;
    connection.identify().await.expect("the sandbox identifies the caller")
}

/// Reads these users.
pub async fn read<'a>(
    account: &Account,
    users: impl IntoIterator<Item = &'a PrincipalName>,
) -> Result<Inventory, ApiError> {
    let principals: Vec<Principal> = users.into_iter().cloned().map(Principal::user).collect();
    account.inventory(&principals).await
}

/// Applies without confirmation and without limits, with one round of verification.
pub fn apply_options(sandbox: &Sandbox, folder: &Path, input: ApplyInput) -> ApplyOptions {
    ApplyOptions {
        access: access(sandbox),
        account: None,
        input,
        overrides: Overrides {
            max_changes: Some("100%".parse().unwrap()),
            max_removals: Some("100%".parse().unwrap()),
            ..Overrides::default()
        },
        supervision: Supervision::Unattended,
        is_strict: false,
        concurrency: NonZeroUsize::new(16).unwrap(),
        max_rate: None,
        retry_policy: quick(),
        timeout: None,
        verify_for: Duration::ZERO,
        journal: None,
        state: StateRoot::at(folder.join("state")),
    }
}

pub fn access(sandbox: &Sandbox) -> Access {
    Access::Sandbox {
        endpoint_url: sandbox.endpoint_url(),
        access_key_id: ACCESS_KEY_ID,
        secret_access_key: SECRET_ACCESS_KEY,
    }
}

impl Builder {
    /// The file lists every user with this policy.
    pub fn listed_with(self, policy: &str) -> Builder {
        let lines = lines(self.users, &format!("\"{}\"", arn(policy)));
        self.file(&format!("[users]\n{lines}"))
    }

    /// Adds this many roles to the account, without boundaries: `user-0000`, `user-0001`…
    pub fn roles(self, roles: usize) -> Builder {
        Builder { roles, ..self }
    }

    /// The text of the file.
    pub fn file(self, text: &str) -> Builder {
        Builder { file: text.to_owned(), ..self }
    }

    /// The number of users on a page.
    pub fn page_size(mut self, page_size: usize) -> Builder {
        self.options.page_size = page_size;
        self
    }

    /// Starts the sandbox, with users and roles that have no boundary.
    pub async fn start(self) -> Fixture {
        let sandbox = Sandbox::start(self.options).await.unwrap();
        for policy in POLICIES {
            sandbox.put_policy(policy);
        }
        for n in 0..self.users {
            sandbox.put_user(&user(n), None);
        }
        for n in 0..self.roles {
            sandbox.put_role(&user(n), "/", None);
        }
        let binary = Binary::with_file(&self.file)
            .env("AWS_ACCESS_KEY_ID", "any")
            .env("AWS_SECRET_ACCESS_KEY", "any")
            .env("AWS_ENDPOINT_URL", &sandbox.endpoint_url());
        Fixture { sandbox, binary }
    }
}

impl Fixture {
    /// An account with this many users: `user-0000`, `user-0001`…
    pub fn users(users: usize) -> Builder {
        let (file, options) = ("[users]\n".to_owned(), Options::default());
        Builder { users, roles: 0, file, options }
    }

    /// Whether a user has this policy as its boundary.
    pub fn has(&self, n: usize, policy: &str) -> bool {
        self.boundary(n).as_deref() == Some(arn(policy).as_str())
    }

    /// Whether a user exists and has no boundary.
    pub fn has_none(&self, n: usize) -> bool {
        self.sandbox.boundary_of(&user(n)) == Some(None)
    }

    /// The boundary of a user.
    pub fn boundary(&self, n: usize) -> Option<String> {
        self.sandbox.boundary_of(&user(n)).expect("the user exists")
    }

    /// Sets the boundary of a user, like another client. Creates the user if it does not exist.
    pub fn set(&self, n: usize, policy: &str) {
        self.sandbox.put_user(&user(n), Some(&arn(policy)));
    }

    /// The number of calls of an action.
    pub fn calls(&self, action: &str) -> u64 {
        self.sandbox.calls().get(action).copied().unwrap_or_default()
    }

    /// The number of writes.
    pub fn writes(&self) -> u64 {
        [PUT, DELETE, PUT_ROLE, DELETE_ROLE].map(|action| self.calls(action)).iter().sum()
    }
}

/// Functions of the library.
impl Fixture {
    pub async fn account(&self) -> Account {
        account(&self.sandbox).await
    }

    pub fn config(&self) -> Config {
        let text = std::fs::read_to_string(self.folder().join("boundaries.toml")).unwrap();
        Config::parse("boundaries.toml", &text).unwrap()
    }

    /// The plan of the file. `account` counts the calls.
    pub async fn plan(&self, account: &Account) -> Plan {
        let config = self.config();
        let listed: Vec<Principal> = config.entries().map(|(principal, _)| principal).collect();
        let live = account.inventory(&listed).await.unwrap();
        Plan::between(&context(), &config, &live)
    }

    /// Applies the file.
    pub async fn apply(&self, concurrency: usize) -> (Items, Summary) {
        let input =
            ApplyInput::Files(Selection::of_files(vec![self.folder().join("boundaries.toml")]));
        let concurrency = NonZeroUsize::new(concurrency).unwrap();
        let options = apply_options(&self.sandbox, self.folder(), input);
        let applied = apply(&ApplyOptions { concurrency, ..options }).await;
        (applied.items, applied.summary)
    }
}

/// Functions that run the binary.
impl Fixture {
    pub fn folder(&self) -> &Path {
        self.binary.folder()
    }

    pub fn write_file(&self, text: &str) {
        std::fs::write(self.folder().join("boundaries.toml"), text).unwrap();
    }

    /// Sets an environment variable of the binary.
    pub fn env(mut self, variable: &str, value: &str) -> Fixture {
        self.binary = self.binary.env(variable, value);
        self
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        self.binary.command(arguments)
    }

    pub async fn run(&self, arguments: &[&str]) -> Ran {
        run(self.command(arguments)).await
    }
}

/// Runs a command while the sandbox in this process serves requests.
pub async fn run(mut command: Command) -> Ran {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    Ran::of(output.await.unwrap())
}

/// The result of a use case.
pub struct Applied {
    pub preflight: Arc<Preflight>,
    pub items: Items,
    pub summary: Summary,
    /// The journal. `None` if there were no changes.
    pub record: Option<RunRecord>,
    /// The path of the journal.
    pub journal: Option<PathBuf>,
}

/// Applies, and checks that each change ended exactly once.
pub async fn apply(options: &ApplyOptions) -> Applied {
    let mut unattended = Unattended { events: None };
    let outcome = ops::apply(options, &Default::default(), &mut unattended).await.unwrap();
    let ApplyOutcome::Completed { preflight, summary, journal } = outcome else {
        panic!("it was refused: {outcome:?}")
    };
    let mut items = Items::default();
    for event in unattended.events.expect("the run began") {
        if let Event::Ended(item) = event {
            items.add(item);
        }
    }
    assert_eq!(items.len(), preflight.ready().count());
    let journal = journal.unwrap();
    let record = journal.as_ref().map(|path| RunRecord::read(path).unwrap());
    assert_eq!(
        record.as_ref().map(|record| record.end.clone()),
        record.is_some().then(|| Some(summary.end()))
    );
    Applied { preflight, items, summary, record, journal }
}

/// Approves every plan and keeps the events.
struct Unattended {
    events: Option<Receiver<Event>>,
}

impl Interaction for Unattended {
    fn unfinished_run(&mut self, run: &UnfinishedRun) {
        panic!("no run before it was left open: {run:?}");
    }

    async fn review(&mut self, _: Review<'_>) -> Result<(), Declined> {
        Ok(())
    }

    fn begin(&mut self, _: &Arc<Preflight>) -> io::Result<EventSink> {
        let (sender, receiver) = mpsc::channel();
        self.events = Some(receiver);
        Ok(Box::new(move |event| drop(sender.send(event))))
    }

    fn journal_created(&mut self, _: &Path) {}
}
