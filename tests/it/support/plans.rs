//! Plans of any size, made from a file and an account as every plan is.

use std::collections::BTreeMap;
use std::fmt::Write;

use iam_boundaries::config::Config;
use iam_boundaries::iam::{PolicyArn, PrincipalName};
use iam_boundaries::inventory::{ApiError, ErrorClass, Inventory, Reading};
use iam_boundaries::plan::Plan;

/// What nobody wants in a page, a terminal or a workflow's log.
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
        code: "AccessDenied".to_owned(),
        message: message.to_owned(),
        request_id: Some("0f1e2d3c".to_owned()),
    })
}

/// Names that are as hostile as IAM lets them be.
pub fn user(n: usize) -> PrincipalName {
    name(&match n % 4 {
        0 => format!("user-{n:05}"),
        1 => format!("@octocat_{n:05}_"),
        2 => format!("www.x.example,{n:05}@x.example"),
        _ => format!("{n:06}{}", "_=+".repeat(19)) + "x",
    })
}

/// A file and an account: `changes` users to change, `problems` who cannot be planned, three in sync.
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
            live.insert(user, Reading::Boundary(there));
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
            live.insert(user, reading);
        }
        for n in 0..3 {
            writeln!(file, "in-sync-{n} = \"_dev_\"").unwrap();
            live.insert(name(&format!("in-sync-{n}")), Reading::Boundary(Some(dev.clone())));
        }
        writeln!(base, "in-sync-0 = \"_dev_\"").unwrap();
        Case {
            config: Config::parse("boundaries.toml", &file).unwrap(),
            base: Config::parse("base.toml", &base).unwrap(),
            live: Inventory::of(live),
        }
    }

    pub fn plan(&self) -> Plan {
        Plan::between("123456789012".parse().unwrap(), &self.config, &self.live)
    }

    pub fn plan_since_base(&self) -> Plan {
        self.plan().since(&self.base, &self.config)
    }
}
