//! `import`: the file that it writes, that it is in sync, and that nobody is left out of it.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::Binary;
use crate::support::accounts::account;
use iam_boundaries::config::{Config, file_of};
use iam_boundaries::iam::{PolicyArn, Principal, PrincipalName};
use iam_boundaries::inventory::{EveryPrincipal, EveryPrincipalError};
use iam_boundaries::sandbox::{Fault, Options, Sandbox};

const DETAILS: &str = "GetAccountAuthorizationDetails";

/// A folder without a file.
fn empty_folder() -> Binary {
    let binary = Binary::with_own_file();
    std::fs::remove_file(binary.folder().join("boundaries.toml")).unwrap();
    binary
}

fn read(binary: &Binary, file: &str) -> String {
    std::fs::read_to_string(binary.folder().join(file)).unwrap()
}

#[test]
fn a_plan_on_the_imported_file_says_in_sync() {
    let binary = empty_folder();
    let imported = binary.run(&["--sandbox", "import", "--out", "boundaries.toml"]);
    assert_eq!((imported.code, imported.out.as_str()), (0, ""), "{imported}");
    insta::assert_snapshot!("imported_story", read(&binary, "boundaries.toml"));
    insta::assert_snapshot!("remarks_on_the_imported_story", imported.err);
    assert_eq!(binary.run(&["check"]).code, 0);
    let plan = binary.run(&["--sandbox", "plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, 0, "{plan}");
    assert!(plan.out.starts_with("In sync: all 13 listed users match "), "{plan}");
}

#[test]
fn to_standard_output_it_writes_the_same_text_every_time() {
    let binary = empty_folder();
    let first = binary.run(&["--sandbox", "import"]);
    assert_eq!(first.code, 0, "{first}");
    assert!(first.out.starts_with("#:schema "), "{first}");
    assert_eq!(binary.run(&["--sandbox", "import"]).out, first.out);
}

#[test]
fn hundreds_of_users_with_awkward_names_over_many_pages_are_in_sync() {
    let served = crate::support::serve(&["--port", "0", "--users", "400", "--page-size", "7"]);
    let binary = empty_folder()
        .env("AWS_ACCESS_KEY_ID", "any")
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .env("AWS_ENDPOINT_URL", &served.url);
    let imported = binary.run(&["import", "--out", "boundaries.toml"]);
    assert_eq!(imported.code, 0, "{imported}");
    let plan = binary.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, 0, "{plan}");
    assert!(plan.out.contains("all 320 listed users match"), "{plan}");
    // The users without a boundary are all there, too: without the # they are in sync as well.
    let uncommented: String = read(&binary, "boundaries.toml")
        .lines()
        .map(|line| {
            format!(
                "{}\n",
                line.strip_prefix("# ").filter(|l| l.ends_with(" = false")).unwrap_or(line)
            )
        })
        .collect();
    std::fs::write(binary.folder().join("boundaries.toml"), uncommented).unwrap();
    let plan = binary.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, 0, "{plan}");
    assert!(plan.out.contains("all 400 listed users match"), "{plan}");
}

#[test]
fn a_file_that_is_there_is_overwritten_only_when_asked() {
    let binary = Binary::with_file("mine");
    let imported = binary.run(&["--sandbox", "import", "--out", "boundaries.toml"]);
    assert_eq!(imported.code, 1, "{imported}");
    assert!(imported.err.contains("boundaries.toml is there already"), "{imported}");
    assert!(imported.err.contains("--force"), "{imported}");
    assert_eq!(read(&binary, "boundaries.toml"), "mine");
    // The account was not even looked at.
    assert!(!binary.folder().join(".iam-boundaries").exists());

    let forced = binary.run(&["--sandbox", "import", "--out", "boundaries.toml", "--force"]);
    assert_eq!(forced.code, 0, "{forced}");
    assert!(read(&binary, "boundaries.toml").contains("[users]"));
    assert_eq!(binary.run(&["--sandbox", "import", "--force"]).code, 1);
    let with_file = binary.run(&["--sandbox", "-f", "b.toml", "import"]);
    assert!(with_file.code == 1 && with_file.err.contains("--out b.toml"), "{with_file}");
}

#[test]
fn a_file_that_cannot_be_written_is_an_error_and_leaves_nothing_behind() {
    let binary = empty_folder();
    let imported = binary.run(&["--sandbox", "import", "--out", "no/such/folder/b.toml"]);
    assert_eq!(imported.code, 1, "{imported}");
    assert!(imported.err.starts_with("error: cannot write no/such/folder/b.toml"), "{imported}");
    assert!(!binary.folder().join("no").exists());
}

#[cfg(unix)]
#[test]
fn a_new_file_has_the_permissions_of_any_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let binary = empty_folder();
    assert_eq!(binary.run(&["--sandbox", "import", "--out", "b.toml"]).code, 0);
    let mode = |name: &str| binary.folder().join(name).metadata().unwrap().permissions().mode();
    std::fs::write(binary.folder().join("any"), "").unwrap();
    assert_eq!(mode("b.toml"), mode("any"));
}

/// What the sandbox of `--sandbox` finds in its kept state.
fn with_kept_users(users: &serde_json::Value) -> Binary {
    let binary = empty_folder();
    let kept = serde_json::json!({
        "format": "iam-boundaries/sandbox",
        "format_version": 1,
        "accounts": { "123456789012": { "users": users, "policies": {} } },
    });
    std::fs::create_dir(binary.folder().join(".iam-boundaries")).unwrap();
    std::fs::write(binary.folder().join(".iam-boundaries/sandbox.json"), kept.to_string()).unwrap();
    binary
}

fn kept_user(boundary: Option<&str>) -> serde_json::Value {
    serde_json::json!({ "path": "/", "boundary": boundary })
}

#[test]
fn users_who_cannot_be_read_are_all_named_and_nothing_is_written() {
    let binary = with_kept_users(&serde_json::json!({
        "alice": kept_user(Some("arn:aws:iam::aws:policy/ReadOnlyAccess")),
        "bob": kept_user(Some("arn:aws:iam::123456789012:role/Admin")),
        "zo\u{eb}": kept_user(None),
    }));
    let imported = binary.run(&["--sandbox", "import", "--out", "boundaries.toml"]);
    assert_eq!((imported.code, imported.out.as_str()), (1, ""), "{imported}");
    insta::assert_snapshot!("users_who_cannot_be_read", imported.err);
    assert!(!binary.folder().join("boundaries.toml").exists());
}

#[test]
fn an_account_without_a_boundary_gives_a_file_to_uncomment_and_says_so() {
    let binary =
        with_kept_users(&serde_json::json!({ "a.b": kept_user(None), "c": kept_user(None) }));
    let imported = binary.run(&["--sandbox", "import", "--out", "boundaries.toml"]);
    assert_eq!(imported.code, 0, "{imported}");
    assert!(imported.err.contains("a file that lists nobody is a mistake"), "{imported}");
    let text = read(&binary, "boundaries.toml");
    assert!(text.ends_with("[users]\n# \"a.b\" = false\n# c = false\n"), "{text}");
    assert_eq!(binary.run(&["check"]).code, 1);
}

#[test]
fn an_account_without_users_is_not_believed() {
    let binary = with_kept_users(&serde_json::json!({}));
    let imported = binary.run(&["--sandbox", "import", "--out", "boundaries.toml"]);
    assert_eq!(imported.code, 1, "{imported}");
    assert!(imported.err.contains("account 123456789012 has no users"), "{imported}");
    assert!(!binary.folder().join("boundaries.toml").exists());
}

#[test]
fn a_boundary_of_another_account_is_shown_in_the_file_that_is_not_written() {
    let foreign = Some("arn:aws:iam::999999999999:policy/Developer");
    let binary = with_kept_users(&serde_json::json!({ "alice": kept_user(foreign) }));
    let imported = binary.run(&["--sandbox", "import", "--out", "boundaries.toml"]);
    assert_eq!(imported.code, 1, "{imported}");
    insta::assert_snapshot!("a_boundary_of_another_account", imported.err);
    assert!(!binary.folder().join("boundaries.toml").exists());
}

/// Users and their boundaries.
type Users = BTreeMap<PrincipalName, Option<PolicyArn>>;

fn users<const N: usize>(listed: [(&str, Option<&str>); N]) -> Users {
    let value = |boundary: Option<&str>| boundary.map(|arn| arn.parse().unwrap());
    listed.map(|(user, boundary)| (user.parse().unwrap(), value(boundary))).into()
}

#[test]
fn short_names_are_made_of_the_policies_names_and_never_meet() {
    let own = "arn:aws:iam::123456789012:policy/ReadOnlyAccess";
    let aws = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let underscored = "arn:aws:iam::123456789012:policy/team/read_only_access";
    let numbered = "arn:aws:iam::123456789012:policy/ReadOnlyAccess-2";
    let signs = "arn:aws:iam::123456789012:policy/+=,.@-";
    let long = format!("arn:aws:iam::123456789012:policy/{}", "aB".repeat(64));
    let once = "arn:aws:iam::123456789012:policy/Once";
    let text = file_of(
        "123456789012".parse().unwrap(),
        &users([
            ("a", Some(own)),
            ("b", Some(own)),
            ("c", Some(aws)),
            ("d", Some(aws)),
            ("e", Some(underscored)),
            ("f", Some(underscored)),
            ("g", Some(numbered)),
            ("h", Some(numbered)),
            ("i", Some(signs)),
            ("j", Some(signs)),
            ("k", Some(&long)),
            ("l", Some(&long)),
            ("m", Some(once)),
        ]),
    );
    insta::assert_snapshot!(text);
}

#[test]
fn whatever_iam_has_is_read_back_from_the_file() {
    let mut random = fastrand::Rng::with_seed(20_261_124);
    const NAME: &[u8] = b"abzABZ019_+=,.@-";
    let text = |random: &mut fastrand::Rng, from: &[u8], most: usize| -> String {
        (0..random.usize(1..=most)).map(|_| char::from(*random.choice(from).unwrap())).collect()
    };
    let graphic: Vec<u8> = (b'!'..=b'~').collect();
    for _ in 0..300 {
        let arns: Vec<PolicyArn> = (0..random.usize(1..12))
            .map(|_| {
                let owner = *random.choice(&["123456789012", "aws"]).unwrap();
                let (path, name) = (text(&mut random, &graphic, 30), text(&mut random, NAME, 128));
                format!("arn:aws:iam::{owner}:policy/{path}/{name}").parse().unwrap()
            })
            .collect();
        let mut folded = BTreeMap::new();
        for _ in 0..random.usize(1..60) {
            let name: PrincipalName = text(&mut random, NAME, 64).parse().unwrap();
            let boundary = random.choice(&arns).filter(|_| random.u8(..4) > 0).cloned();
            folded.insert(name.folded(), (name, boundary));
        }
        let mut users: Users = folded.into_values().collect();
        users.insert("someone".parse().unwrap(), Some(arns[0].clone()));
        let file = file_of("123456789012".parse().unwrap(), &users);
        let config =
            Config::parse("f.toml", &file).unwrap_or_else(|error| panic!("{error}\n{file}"));
        users.retain(|_, boundary| boundary.is_some());
        let listed: Users =
            config.users.into_iter().map(|(user, listed)| (user, listed.boundary)).collect();
        assert_eq!(listed, users, "{file}");
    }
}

/// Five users over pages of two, where the account's pages are denied.
async fn without_pages() -> (Sandbox, EveryPrincipal) {
    let (sandbox, expected) = of_two_on_a_page().await;
    sandbox.faults().add(DETAILS, None, 100, Fault::error(403, "AccessDenied", "no pages"));
    (sandbox, expected)
}

/// Five users over pages of two, of whom every other has a boundary.
async fn of_two_on_a_page() -> (Sandbox, EveryPrincipal) {
    let sandbox = Sandbox::start(Options { page_size: 2, ..Options::default() }).await.unwrap();
    let boundary = sandbox.put_policy("Developer");
    let mut expected = EveryPrincipal::new();
    for n in 0..5 {
        let user: PrincipalName = format!("user-{n}").parse().unwrap();
        let boundary = (n % 2 == 0).then(|| boundary.clone());
        sandbox.put_user(&user, boundary.as_ref());
        expected.insert(Principal::user(user), boundary);
    }
    (sandbox, expected)
}

#[tokio::test]
async fn where_account_pages_are_denied_users_are_listed_and_read_one_by_one() {
    let (sandbox, expected) = without_pages().await;
    let everyone = account(sandbox.endpoint_url()).await.every_principal().await.unwrap();
    assert_eq!(everyone, expected);
    // More than one page is read twice: see below.
    assert_eq!((sandbox.calls()["ListUsers"], sandbox.calls()["GetUser"]), (6, 5));
}

#[tokio::test]
async fn users_whom_shifting_pages_leave_out_are_found_by_reading_them_again() {
    for action in [DETAILS, "ListUsers"] {
        let (sandbox, expected) =
            if action == DETAILS { of_two_on_a_page().await } else { without_pages().await };
        // The first page cannot shift; the second leaves out its two.
        sandbox.faults().add(action, None, 2, Fault::Shifted(2));
        let everyone = account(sandbox.endpoint_url()).await.every_principal().await.unwrap();
        assert_eq!(everyone, expected);
        // Two pages, three with two more users, and three with nobody new.
        assert_eq!(sandbox.calls()[action], 8);
    }
}

#[tokio::test]
async fn where_every_way_is_denied_the_action_to_allow_is_named() {
    let (sandbox, _) = without_pages().await;
    sandbox.faults().add("ListUsers", None, 1, Fault::error(403, "AccessDenied", "no list"));
    let error = account(sandbox.endpoint_url()).await.every_principal().await.unwrap_err();
    assert!(
        matches!(&error, EveryPrincipalError::Call(error) if error.message == "no pages"),
        "{error}"
    );
}

#[tokio::test]
async fn a_user_who_is_gone_or_denied_between_the_calls_is_named() {
    let (sandbox, _) = without_pages().await;
    let gone = Fault::error(404, "NoSuchEntity", "The user with name user-1 cannot be found.");
    sandbox.faults().add("GetUser", Some("user-1"), 1, gone);
    let denied = Fault::error(403, "AccessDenied", "not this one");
    sandbox.faults().add("GetUser", Some("user-3"), 1, denied);
    let error = account(sandbox.endpoint_url()).await.every_principal().await.unwrap_err();
    let EveryPrincipalError::Unreadable(users) = &error else { panic!("{error}") };
    let names: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
    assert_eq!(names, ["user-1", "user-3"]);
    assert!(users[1].why.contains("not this one"), "{error}");
}

#[tokio::test]
async fn a_page_that_is_cut_short_and_has_no_marker_to_go_on_from_is_an_error() {
    let page = |end: &str| {
        format!(
            "<GetAccountAuthorizationDetailsResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
             <GetAccountAuthorizationDetailsResult><UserDetailList><member><UserName>alice</UserName>\
             </member></UserDetailList><IsTruncated>true</IsTruncated>{end}\
             </GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>"
        )
    };
    // None at all, and the same again, which would go on for ever.
    for end in ["", "<Marker>again</Marker>"] {
        let sandbox = Sandbox::start(Options::default()).await.unwrap();
        sandbox.faults().add(DETAILS, None, 100, Fault::Response(page(end)));
        let error = account(sandbox.endpoint_url()).await.every_principal().await.unwrap_err();
        assert!(error.to_string().contains("cut short"), "{error}");
    }
}

#[test]
fn the_schema_that_the_file_names_is_the_one_beside_it() {
    let binary = empty_folder();
    std::fs::create_dir(binary.folder().join("teams")).unwrap();
    let file = Path::new("teams").join("b.toml");
    let imported = binary.run(&["--sandbox", "import", "--out", file.to_str().unwrap()]);
    let schema = Path::new("teams").join("boundaries.schema.json");
    let command = format!("iam-boundaries schema > {}", schema.display());
    assert!(imported.err.contains(&command), "{imported}");
    std::fs::write(binary.folder().join(schema), binary.run(&["schema"]).out).unwrap();
    let again = binary.run(&["--sandbox", "import", "--force", "--out", file.to_str().unwrap()]);
    assert!(!again.err.contains("iam-boundaries schema"), "{again}");
}
