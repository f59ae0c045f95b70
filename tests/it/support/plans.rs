//! Plans of any size, generated from a file and an account.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use iam_boundaries::config::{Config, Provenance};
use iam_boundaries::iam::{
    BoundaryChange, Digest, Partition, PolicyArn, Principal, PrincipalName, UniqueId,
};
use iam_boundaries::inventory::{ApiError, CallerIdentity, ErrorClass, Inventory, Reading};
use iam_boundaries::journal::Header;
use iam_boundaries::ops;
use iam_boundaries::plan::{Change, Plan, PlanContext, PlanSource, Preflight};

/// Hostile text for Markdown, terminals and workflow logs.
pub const HOSTILE: &str = "`</details></code><script>alert(1)</script> | <!-- --> **b** _i_ [l](http://x.example) \
     @octocat #1 www.x.example ::error::x ##[error]y %0A ``` $x$ :tada: \\| \\` &lt; https://x.example";

pub fn arn(name: &str) -> PolicyArn {
    format!("arn:aws:iam::123456789012:policy/{name}").parse().unwrap()
}

pub fn name(text: &str) -> PrincipalName {
    text.parse().unwrap()
}

pub fn unreadable(message: &str) -> Reading {
    Reading::Unreadable(ApiError {
        action: "iam:GetUser".into(),
        class: ErrorClass::Denied,
        code: "AccessDenied".into(),
        message: message.into(),
        request_id: Some("0f1e2d3c".into()),
    })
}

/// The most hostile names that IAM allows.
pub fn user(n: usize) -> PrincipalName {
    name(&match n % 4 {
        0 => format!("user-{n:05}"),
        1 => format!("@octocat_{n:05}_"),
        2 => format!("www.x.example,{n:05}@x.example"),
        _ => format!("{n:06}{}", "_=+".repeat(19)) + "x",
    })
}

/// A file and an account with `changes` changes, `problems` users that cannot be planned, and three users in
/// sync.
pub struct Case {
    pub config: Config,
    pub base: Config,
    pub live: Inventory,
}

impl Case {
    pub fn of(changes: usize, problems: usize) -> Case {
        let (dev, ops) = (arn("Developer"), arn("|`<b>/Ops"));
        let boundaries = format!("[boundaries]\n_dev_ = \"{dev}\"\n");
        let mut file = format!("{boundaries}[users]\n");
        let mut base = file.clone();
        let mut live = BTreeMap::new();
        for n in 0..changes {
            let (user, unlisted) = (user(n), user(n + 500_000));
            let target = if n % 3 == 2 { "false" } else { "\"_dev_\"" };
            writeln!(file, "\"{user}\" = {target}").unwrap();
            match n % 5 {
                0 | 1 => writeln!(base, "\"{user}\" = {target}").unwrap(),
                2 => writeln!(base, "\"{user}\" = \"{ops}\"").unwrap(),
                _ => writeln!(base, "\"{unlisted}\" = false").unwrap(),
            }
            let there = if n % 3 == 0 { None } else { Some(ops.clone()) };
            live.insert(Principal::user(user), found(there));
        }
        for n in 0..problems {
            let user = name(&format!("problem-{n:05}"));
            writeln!(file, "{user} = false").unwrap();
            let reading = match n % 3 {
                0 => Reading::NotFound { differs_by_case: None },
                1 => {
                    let differs_by_case = Some(name(&format!("PROBLEM-{n:05}")));
                    Reading::NotFound { differs_by_case }
                }
                _ => unreadable(HOSTILE),
            };
            live.insert(Principal::user(user), reading);
        }
        for n in 0..3 {
            writeln!(file, "in-sync-{n} = \"_dev_\"").unwrap();
            live.insert(Principal::user(name(&format!("in-sync-{n}"))), found(Some(dev.clone())));
        }
        writeln!(base, "in-sync-0 = \"_dev_\"").unwrap();
        Case {
            config: Config::parse("boundaries.toml", &file).unwrap(),
            base: Config::parse("base.toml", &base).unwrap(),
            live: Inventory::of(live),
        }
    }

    pub fn plan(&self) -> Plan {
        Plan::between(&context(), &self.config, &self.live)
    }

    pub fn plan_since_base(&self) -> Plan {
        self.plan().since(&self.base, &self.config, &self.live, &context())
    }
}

/// The account of the tests, and a time.
pub fn context() -> PlanContext {
    let now = "2026-11-25T00:12:03Z".parse().unwrap();
    PlanContext::new("123456789012".parse().unwrap(), Partition::Aws, now)
}

pub fn principal(text: &str) -> Principal {
    Principal::user(name(text))
}

/// A unique ID for tests in which the ID is irrelevant.
pub fn unique_id() -> UniqueId {
    "AIDAJQABLZS4A3QDU576Q".parse().unwrap()
}

pub fn found(boundary: Option<PolicyArn>) -> Reading {
    Reading::Found { unique_id: unique_id(), boundary }
}

/// A change of the principal `user`, which is listed on this line of boundaries.toml.
pub fn change(user: &str, line: usize, boundary: BoundaryChange) -> Change {
    let file = "boundaries.toml".into();
    Change {
        principal: principal(user),
        unique_id: Some(unique_id()),
        boundary,
        provenance: Provenance::entry(&file, line, Some(1)),
        reason: None,
        expired: None,
        origin: None,
        widening: None,
    }
}

/// An empty plan of boundaries.toml.
pub fn empty_plan() -> Plan {
    let source = PlanSource::file("boundaries.toml".into(), Digest::of("[users]"));
    Plan::empty("123456789012".parse().unwrap(), source)
}

/// The first line of the journal of a run that applies `plan`.
pub fn header(plan: &Plan, caller: &CallerIdentity) -> Header {
    Preflight::fresh(plan.clone()).header(caller, "2026-11-25T00:12:03Z".parse().unwrap())
}

/// The saved plan of an account at `path`.
pub fn read_account_plan(path: &Path) -> Plan {
    match ops::read_plan(path) {
        Ok(ops::SavedPlan::Account(plan)) => *plan,
        other => panic!("{other:?}"),
    }
}
