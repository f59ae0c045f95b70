//! Responses that are larger than IAM's can be, or that contradict themselves, with the real SDK over a real
//! socket.

use crate::support::fixture::{DETAILS, Fixture, PUT, access, account, denied, quick, read, user};
use iam_boundaries::aws::{ConnectError, Connection, LimiterOptions, Stop};
use iam_boundaries::iam::{Principal, PrincipalKind, PrincipalName};
use iam_boundaries::inventory::{
    ApiError, CallOutcome, ErrorClass, EveryPrincipalError, PolicyState, Reading,
};
use iam_boundaries::sandbox::{Fault, Options, Sandbox};

const LIST: &str = "ListUsers";
const GET_USER: &str = "GetUser";
/// More attempts than the tool makes.
const ALWAYS: u32 = 100_000;

async fn sandbox(users: usize) -> Sandbox {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    (0..users).for_each(|n| sandbox.put_user(&user(n), None));
    sandbox
}

/// Plans: reads the listed users.
async fn read_users(sandbox: &Sandbox, users: usize) -> Result<Vec<Reading>, ApiError> {
    let listed: Vec<PrincipalName> = (0..users).map(user).collect();
    let account = account(sandbox).await.reading_with(quick());
    let inventory = read(&account, &listed).await?;
    Ok(inventory.iter().map(|(_, reading)| reading.clone()).collect())
}

/// Imports: reads every user.
async fn read_every(sandbox: &Sandbox) -> Result<usize, EveryPrincipalError> {
    let account = account(sandbox).await.reading_with(quick());
    Ok(account.every_principal(&[PrincipalKind::User].into()).await?.len())
}

fn is_too_large(error: &ApiError, bound: &str) {
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::Rejected, "ResponseTooLarge"));
    assert!(error.message.contains(bound), "{error}");
}

fn call(error: EveryPrincipalError) -> ApiError {
    match error {
        EveryPrincipalError::Call(error) => error,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_page_without_an_end_is_an_error_that_names_the_bound_and_is_not_requested_again() {
    let sandbox = sandbox(60).await;
    sandbox.faults().add(DETAILS, None, ALWAYS, Fault::Endless);
    is_too_large(&read_users(&sandbox, 60).await.unwrap_err(), "larger than 96 MiB");
    is_too_large(&call(read_every(&sandbox).await.unwrap_err()), "larger than 96 MiB");
    assert_eq!(sandbox.calls()[DETAILS], 2);

    let sandbox = self::sandbox(3).await;
    sandbox.faults().add(DETAILS, None, ALWAYS, denied());
    sandbox.faults().add(LIST, None, ALWAYS, Fault::Endless);
    is_too_large(&call(read_every(&sandbox).await.unwrap_err()), "larger than 96 MiB");
    assert_eq!(sandbox.calls()[LIST], 1);
}

#[tokio::test]
async fn any_other_response_without_an_end_is_an_error_that_names_the_bound() {
    let sandbox = sandbox(1).await;
    let policy = sandbox.put_policy("Developer");
    for action in [GET_USER, "GetPolicy", "GetAccountSummary", PUT] {
        sandbox.faults().add(action, None, ALWAYS, Fault::Endless);
    }
    let account = account(&sandbox).await;
    let Reading::Unreadable(error) = &read_users(&sandbox, 1).await.unwrap()[0] else { panic!() };
    is_too_large(error, "larger than 1 MiB");
    let PolicyState::Unreadable(error) = &account.policies([&policy]).await.unwrap()[&policy]
    else {
        panic!()
    };
    is_too_large(error, "larger than 1 MiB");
    is_too_large(&account.count_of(PrincipalKind::User).await.unwrap_err(), "larger than 1 MiB");

    // IAM may have made the change: verification decides.
    let writer =
        account.writer(LimiterOptions { max_in_flight: 1, expected_calls: 1 }, None, quick());
    let alice = Principal::user(user(0));
    let written = writer.write(&alice, Some(&policy), || true, &Stop::never(), |_| {}).await;
    let CallOutcome::Failed { attempts: 1, error, may_be_done: true } = &written else {
        panic!("{written:?}")
    };
    is_too_large(error, "larger than 1 MiB");

    sandbox.faults().add("GetCallerIdentity", None, ALWAYS, Fault::Endless);
    let identified = Connection::open(&access(&sandbox)).await.identify().await;
    let Err(ConnectError::Call(error)) = identified else { panic!("{identified:?}") };
    is_too_large(&error, "larger than 1 MiB");
}

#[tokio::test]
async fn a_page_with_more_elements_than_quotas_allow_is_an_error() {
    // In memory, a user takes many times the size of its tag.
    let page = page_of(DETAILS, &"<member/>".repeat(1_100_000), "<IsTruncated>false</IsTruncated>");
    let sandbox = sandbox(60).await;
    sandbox.faults().add(DETAILS, None, 1, Fault::Response(page));
    is_too_large(&read_users(&sandbox, 60).await.unwrap_err(), "larger than 500,000 elements");
}

#[tokio::test]
async fn pages_without_an_end_are_an_error() {
    for action in [DETAILS, LIST] {
        let sandbox = sandbox(3).await;
        if action == LIST {
            sandbox.faults().add(DETAILS, None, ALWAYS, denied());
        }
        sandbox.faults().add(action, None, ALWAYS, Fault::EndlessPages);
        let error = call(read_every(&sandbox).await.unwrap_err());
        is_too_large(&error, "more than 1,000 pages");
        assert_eq!(sandbox.calls()[action], 1_000);
    }
    let sandbox = sandbox(60).await;
    sandbox.faults().add(DETAILS, None, ALWAYS, Fault::EndlessPages);
    is_too_large(&read_users(&sandbox, 60).await.unwrap_err(), "more than 1,000 pages");
}

#[tokio::test]
async fn a_marker_that_no_request_can_contain_is_an_error() {
    for action in [DETAILS, LIST] {
        let sandbox = sandbox(3).await;
        if action == LIST {
            sandbox.faults().add(DETAILS, None, ALWAYS, denied());
        }
        let marker = "m".repeat(5_000);
        let end = format!("<IsTruncated>true</IsTruncated><Marker>{marker}</Marker>");
        let page = page_of(action, &member(action, "user-0000", ""), &end);
        sandbox.faults().add(action, None, ALWAYS, Fault::Response(page));
        is_too_large(&call(read_every(&sandbox).await.unwrap_err()), "longer than 4,096 bytes");
        assert_eq!(sandbox.calls()[action], 1);
    }
}

#[tokio::test]
async fn pages_with_more_users_than_an_account_can_have_are_an_error() {
    let sandbox = sandbox(3).await;
    for page in 0..300 {
        let users: String =
            (0..1_000).map(|n| member(DETAILS, &format!("u{page}-{n}"), "")).collect();
        let end = format!("<IsTruncated>true</IsTruncated><Marker>{page}</Marker>");
        sandbox.faults().add(DETAILS, None, 1, Fault::Response(page_of(DETAILS, &users, &end)));
    }
    is_too_large(&call(read_every(&sandbox).await.unwrap_err()), "more than 100,000 users");
    assert_eq!(sandbox.calls()[DETAILS], 101);
}

/// A response with these members of the list of users, and this end.
fn page_of(action: &str, members: &str, end: &str) -> String {
    let list = if action == DETAILS { "UserDetailList" } else { "Users" };
    format!(
        "<{action}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><{action}Result>\
         <{list}>{members}</{list}>{end}</{action}Result></{action}Response>"
    )
}

/// A user in a response, with more fields.
fn member(action: &str, name: &str, more: &str) -> String {
    let arn = format!("<Arn>arn:aws:iam::123456789012:user/{}</Arn>", name.replace('<', "&lt;"));
    let rest = if action == LIST {
        arn + "<CreateDate>2026-01-01T00:00:00Z</CreateDate>"
    } else {
        String::new()
    };
    format!(
        "<member><Path>/</Path><UserName>{name}</UserName><UserId>AIDAJQABLZS4A3QDU576Q</UserId>{rest}\
         {more}</member>"
    )
}

fn boundary(arn: &str) -> String {
    format!(
        "<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType>\
         <PermissionsBoundaryArn>{arn}</PermissionsBoundaryArn></PermissionsBoundary>"
    )
}

/// Pages that could be read in several ways, and what the error says.
fn ambiguous(action: &'static str) -> Vec<(String, &'static str)> {
    const LAST: &str = "<IsTruncated>false</IsTruncated>";
    let whole = member(action, "user-0000", "");
    let other =
        member(action, "user-0000", "<Tags><member><Key>a</Key><Value>b</Value></member></Tags>");
    let page = |members: &str, end: &str| page_of(action, members, end);
    let mut pages = vec![
        (page(&whole, ""), "does not say whether another page follows"),
        (page(&whole, "<Marker>next</Marker>"), "does not say whether another page follows"),
        (page(&whole, &format!("{LAST}<Marker>next</Marker>")), "has a marker for another page"),
        (page(&whole, &format!("{LAST}<IsTruncated>true</IsTruncated>")), "<IsTruncated> twice"),
        (page(&(whole.clone() + &other), LAST), "\"user-0000\" twice, with different content"),
        (
            page(&member(action, "user-0000<!-- -->9", ""), LAST),
            "mixed with other content in <UserName>",
        ),
        (
            page(&member(action, "user-0000<b/>", ""), LAST),
            "mixed with other content in <UserName>",
        ),
        (page(&member(action, "user-<![CDATA[0000]]>", ""), LAST), "has a CDATA section"),
        (
            page(&member(action, "user-0000", "<UserName>a</UserName>"), LAST),
            "has <UserName> twice",
        ),
    ];
    if action == DETAILS {
        let arn = "arn:aws:iam::123456789012:policy/A";
        for (arn, what) in [
            (format!("{arn}<!-- -->dmin"), "mixed with other content in <PermissionsBoundaryArn>"),
            (format!("<!-- -->{arn}"), "mixed with other content in <PermissionsBoundaryArn>"),
            (format!("<![CDATA[{arn}]]>"), "has a CDATA section"),
        ] {
            pages.push((page(&member(action, "user-0000", &boundary(&arn)), LAST), what));
        }
        let twice =
            member(action, "user-0000", &(boundary(arn) + &boundary("arn:aws:iam::aws:policy/B")));
        pages.push((page(&twice, LAST), "has <PermissionsBoundary> twice"));
    }
    pages
}

#[tokio::test]
async fn a_page_that_contradicts_itself_is_an_error_for_plan_and_import() {
    for action in [DETAILS, LIST] {
        for (page, what) in ambiguous(action) {
            let sandbox = sandbox(60).await;
            if action == LIST {
                sandbox.faults().add(DETAILS, None, ALWAYS, denied());
            }
            sandbox.faults().add(action, None, ALWAYS, Fault::Response(page.clone()));
            let error = call(read_every(&sandbox).await.unwrap_err());
            assert_eq!((error.class, &*error.code), (ErrorClass::Transient, "UnreadableResponse"));
            assert!(error.message.contains(what), "{error}\n{page}");
            if action == DETAILS {
                let error = read_users(&sandbox, 60).await.unwrap_err();
                assert!(error.message.contains(what), "{error}\n{page}");
            }
        }
    }
}

#[tokio::test]
async fn the_same_user_twice_with_the_same_content_is_one_user() {
    for action in [DETAILS, LIST] {
        let sandbox = sandbox(1).await;
        if action == LIST {
            sandbox.faults().add(DETAILS, None, ALWAYS, denied());
        }
        let twice = member(action, "user-0000", "").repeat(2);
        let page = page_of(action, &twice, "<IsTruncated>false</IsTruncated>");
        sandbox.faults().add(action, None, ALWAYS, Fault::Response(page));
        assert_eq!(read_every(&sandbox).await.unwrap(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_binary_says_what_exceeds_which_bound_and_imports_nothing() {
    let fixture = Fixture::users(60).listed_with("Developer").start().await;
    fixture.sandbox.faults().add(DETAILS, None, ALWAYS, Fault::Endless);
    for arguments in [&["plan"][..], &["import", "--out", "new.toml"]] {
        let ran = fixture.run(arguments).await;
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran}");
        let why =
            "ResponseTooLarge: the response is larger than 96 MiB, the maximum for this action";
        assert!(ran.err.contains(why) && ran.err.contains("check --endpoint-url"), "{ran}");
    }
    assert!(!fixture.folder().join("new.toml").exists());
}
