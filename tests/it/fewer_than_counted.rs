//! IAM counts more principals than it returns.

use std::fmt::Write;

use crate::support::fixture::{DETAILS, Fixture, user};
use iam_boundaries::iam::Principal;
use iam_boundaries::sandbox::{ACCOUNT, Fault};

/// The next pages have only two of the users, and say that they are the last ones.
async fn end_too_early(fixture: &Fixture, times: u32) {
    let first: Vec<Principal> = (0..2).map(|n| Principal::user(user(n))).collect();
    let live = fixture.account().await.inventory(&first).await.unwrap();
    let mut members = String::new();
    for (Principal { name, .. }, reading) in live.iter() {
        let unique_id = reading.unique_id().unwrap();
        write!(
            members,
            "<member><Path>/</Path><UserName>{name}</UserName><UserId>{unique_id}</UserId>\
             <CreateDate>2024-01-01T00:00:00Z</CreateDate><GroupList/><AttachedManagedPolicies/></member>"
        )
        .unwrap();
    }
    let page = Fault::Response(format!(
        "<{DETAILS}Response><{DETAILS}Result><UserDetailList>{members}</UserDetailList>\
         <IsTruncated>false</IsTruncated></{DETAILS}Result></{DETAILS}Response>"
    ));
    fixture.sandbox.faults().add(DETAILS, None, times, page);
}

const FOR_EVERYONE: &str = "[[rules]]\nname = \"*\"\nboundary = \"policy/Developer\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_single_page_that_ends_too_early_is_read_again() {
    let fixture = Fixture::users(5).file(FOR_EVERYONE).start().await;
    end_too_early(&fixture, 1).await;
    let ran = fixture.run(&["apply", "--auto-approve", "--account", ACCOUNT]).await;
    assert_eq!((ran.code, ran.err.contains("may be missing")), (0, false), "{ran}");
    assert!((0..5).all(|n| fixture.has(n, "Developer")), "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_report_says_that_iam_counts_more_than_it_returns() {
    let fixture = Fixture::users(5).file(FOR_EVERYONE).start().await;
    let statement = "IAM counts 5 users, but returns only 2: some may be missing from this plan";
    for format in ["text", "markdown", "html", "github", "json"] {
        fixture.sandbox.faults().clear();
        end_too_early(&fixture, 5).await;
        let ran = fixture.run(&["plan", "--format", format, "--out", "plan.json"]).await;
        assert_eq!(ran.code, 0, "{ran}");
        let text = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = text.replace("%2C", ",").replace("%3A", ":");
        assert!(text.contains(statement), "{format}: {ran}");
        let shown = fixture.run(&["show", "plan.json"]).await;
        assert!(shown.out.contains("some may be missing"), "{shown}");
    }
    fixture.sandbox.faults().clear();
    end_too_early(&fixture, 5).await;
    let quiet = fixture.run(&["apply", "--auto-approve", "--account", ACCOUNT, "--quiet"]).await;
    assert_eq!(quiet.code, 0, "{quiet}");
    let first = quiet.out.lines().next().unwrap_or_default();
    assert!(first.contains("2 changes applied") && first.contains("1 warning"), "{quiet}");
    assert!(fixture.has(0, "Developer") && fixture.has_none(2));
}
