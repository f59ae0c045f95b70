//! An account in this process, and the binary that works on it.

use iam_boundaries::iam::{PolicyArn, PrincipalName};
use iam_boundaries::sandbox::{Options, Sandbox};

use super::plans::name;
use super::{Binary, Ran};

/// Users `user-0`, `user-1`… without a boundary, two policies, and a file.
pub struct Workplace {
    pub sandbox: Sandbox,
    pub policy: PolicyArn,
    pub other: PolicyArn,
    pub binary: Binary,
}

pub fn user(n: usize) -> PrincipalName {
    name(&format!("user-{n}"))
}

/// The lines of `[users]` that give the first `count` users what `boundary` says.
pub fn listed(count: usize, boundary: &str) -> String {
    (0..count).map(|n| format!("user-{n} = {boundary}\n")).collect()
}

impl Workplace {
    /// With as many users as that, and the file that `file` makes from the ARN of the first policy.
    pub async fn with(users: usize, file: impl FnOnce(&PolicyArn) -> String) -> Workplace {
        let sandbox = Sandbox::start(Options::default()).await.unwrap();
        let (policy, other) = (sandbox.put_policy("Developer"), sandbox.put_policy("Other"));
        for n in 0..users {
            sandbox.put_user(&user(n), None);
        }
        let binary = Binary::with_file(&file(&policy))
            .env("AWS_ACCESS_KEY_ID", "any")
            .env("AWS_SECRET_ACCESS_KEY", "any")
            .env("AWS_ENDPOINT_URL", &sandbox.endpoint_url());
        Workplace { sandbox, policy, other, binary }
    }

    /// With as many users as that, of whom each is listed with the first policy.
    pub async fn of(users: usize) -> Workplace {
        Workplace::with(users, |policy| {
            format!("[users]\n{}", listed(users, &format!("{:?}", policy.as_str())))
        })
        .await
    }

    pub fn write_file(&self, text: &str) {
        std::fs::write(self.binary.folder().join("boundaries.toml"), text).unwrap();
    }

    pub async fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.binary.command(arguments);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap());
        Ran::of(output.await.unwrap())
    }

    pub fn has(&self, n: usize, policy: &PolicyArn) -> bool {
        self.sandbox.boundary_of(&user(n)).unwrap().as_deref() == Some(policy.as_str())
    }

    pub fn has_none(&self, n: usize) -> bool {
        self.sandbox.boundary_of(&user(n)) == Some(None)
    }

    /// The writes that came so far.
    pub fn writes(&self) -> u64 {
        let calls = self.sandbox.calls();
        let writes = ["PutUserPermissionsBoundary", "DeleteUserPermissionsBoundary"];
        writes.iter().filter_map(|action| calls.get(*action)).sum()
    }
}
