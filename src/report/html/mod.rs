//! One HTML page that needs no network: the styles and the script are in the page, and its Content Security Policy
//! allows nothing else. Untrusted text is never interpreted as markup.
//!
//! Without JavaScript, the page shows everything. The script adds filters, sorting and details.

mod blocks;
mod glossary;
mod input;
mod list;
mod page;
mod picture;
mod policy;
mod text;

pub(super) use input::{Page, Report};
pub(super) use page::page;

use super::style::Style;
use super::view::Document;
use crate::config::Diagnostic;

/// Renders a document about one account.
pub(super) fn document(document: &Document<'_>, _: Style) -> String {
    check(document, &[])
}

/// Renders the result of the check of a file. The rows of the document are about `diagnostics`, in this order.
pub(super) fn check(document: &Document<'_>, diagnostics: &[Diagnostic]) -> String {
    page(&Page {
        title: &document.title,
        severity: document.severity,
        closing: document.closing.as_ref(),
        reports: vec![Report { account: None, document }],
        diagnostics,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Provenance;
    use crate::iam::{BoundaryChange, Digest, PrincipalCounts};
    use crate::plan::{Change, Plan, PlanSource};
    use crate::report::view::{self, Severity, Text};

    fn plan(account: &str, users: &[&str]) -> Plan {
        let to: crate::iam::PolicyArn =
            format!("arn:aws:iam::{account}:policy/Developer").parse().unwrap();
        let change = |(n, user): (usize, &&str)| Change {
            principal: crate::iam::Principal::user(user.parse().unwrap()),
            unique_id: None,
            boundary: BoundaryChange::Add { to: to.clone() },
            provenance: Provenance::entry(&"boundaries.toml".into(), n + 3, Some(1)),
            reason: None,
            expired: None,
            origin: None,
            widening: None,
        };
        let source = PlanSource::file("boundaries.toml".into(), Digest::of("[users]"));
        let mut plan = Plan::empty(account.parse().unwrap(), source);
        plan.changes = users.iter().enumerate().map(change).collect();
        plan.in_sync = PrincipalCounts { users: 5, roles: 2 };
        plan.names = [(to, "developer".to_owned())].into();
        plan
    }

    /// The page of two accounts. `HTML_PAGES=DIR` writes it there.
    #[test]
    fn sections_of_several_accounts_are_one_list_with_their_accounts() {
        let plans = [plan("111111111111", &["alice", "bob"]), plan("222222222222", &["alice"])];
        let documents = [view::plan(&plans[0]), view::plan(&plans[1])];
        let accounts = ["payments-prod (111111111111)", "<dev> (222222222222)"];
        let reports = accounts.into_iter().zip(&documents);
        let reports =
            reports.map(|(account, document)| Report { account: Some(account), document });
        let html = page(&Page {
            title: &Text::ours("Permissions boundaries of 2 accounts: 3 changes"),
            severity: Severity::Notice,
            closing: None,
            reports: reports.collect(),
            diagnostics: &[],
        });
        if let Some(directory) = std::env::var_os("HTML_PAGES") {
            std::fs::write(std::path::Path::new(&directory).join("accounts.html"), &html).unwrap();
        }
        assert_eq!(html.matches("<table class=\"list ").count(), 1, "{html}");
        assert!(html.contains("Coverage of 13 users and 4 roles"), "{html}");
        for row in [
            "<tr class=\"add\"><td><code>payments-prod (111111111111)</code></td><td>add</td><td>user</td>\
             <td><code>bob</code></td><td>none</td><td><code>developer</code></td><td>4</td></tr>",
            "<tr class=\"add\"><td><code>&lt;dev&gt; (222222222222)</code></td><td>add</td><td>user</td>\
             <td><code>alice</code></td><td>none</td><td><code>developer</code></td><td>3</td></tr>",
        ] {
            assert!(html.contains(row), "{row}\n{html}");
        }
        for plan in &plans {
            assert!(html.contains(&plan.digest().short()), "{html}");
        }
    }
}
