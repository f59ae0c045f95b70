//! `import` writes a complete file, and the plan of that file has no changes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::support::Binary;
use crate::support::fixture::account;
use iam_boundaries::config::{Comments, Config, file_of};
use iam_boundaries::iam::{PolicyArn, Principal, PrincipalKind, PrincipalName};
use iam_boundaries::inventory::{EveryPrincipal, EveryPrincipalError};
use iam_boundaries::sandbox::{Fault, Options, Sandbox};

const DETAILS: &str = "GetAccountAuthorizationDetails";

/// A directory without a file.
fn empty_directory() -> Binary {
    let binary = Binary::with_own_file();
    std::fs::remove_file(binary.folder().join("boundaries.toml")).unwrap();
    binary
}

fn read(binary: &Binary, file: &str) -> String {
    std::fs::read_to_string(binary.folder().join(file)).unwrap()
}

#[test]
fn a_plan_of_the_imported_file_has_no_changes() {
    let binary = empty_directory();
    let imported = binary.run(&["--sandbox", "import", "--out", "boundaries.toml"]);
    assert_eq!((imported.code, imported.out.as_str()), (0, ""), "{imported}");
    insta::assert_snapshot!("imported_story", read(&binary, "boundaries.toml"));
    insta::assert_snapshot!("messages_of_the_imported_story", imported.err);
    assert_eq!(binary.run(&["check"]).code, 0);
    let plan = binary.run(&["--sandbox", "plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, 0, "{plan}");
    assert!(
        plan.out.starts_with("In sync: all 13 listed users and all 4 listed roles match "),
        "{plan}"
    );
}

#[test]
fn the_output_is_deterministic() {
    let binary = empty_directory();
    let first = binary.run(&["--sandbox", "import"]);
    assert_eq!(first.code, 0, "{first}");
    assert!(first.out.starts_with("#:schema "), "{first}");
    assert_eq!(binary.run(&["--sandbox", "import"]).out, first.out);
}

#[test]
fn hundreds_of_users_with_unusual_names_on_many_pages_are_imported() {
    let served = crate::support::serve(&["--port", "0", "--users", "400", "--page-size", "7"]);
    let binary = empty_directory()
        .env("AWS_ACCESS_KEY_ID", "any")
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .env("AWS_ENDPOINT_URL", &served.url);
    let imported = binary.run(&["import", "--out", "boundaries.toml"]);
    assert_eq!(imported.code, 0, "{imported}");
    let plan = binary.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, 0, "{plan}");
    assert!(plan.out.contains("all 320 listed users match"), "{plan}");
    // Users without a boundary are in comments. Without the comment markers, they have no changes either.
    let uncommented: String = read(&binary, "boundaries.toml")
        .lines()
        .map(|line| {
            format!(
                "{}\n",
                line.strip_prefix("# ").filter(|l| l.contains(" = false")).unwrap_or(line)
            )
        })
        .collect();
    std::fs::write(binary.folder().join("boundaries.toml"), uncommented).unwrap();
    let plan = binary.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, 0, "{plan}");
    assert!(plan.out.contains("all 400 listed users match"), "{plan}");
}

#[test]
fn an_existing_file_is_overwritten_only_with_force() {
    let binary = Binary::with_file("mine");
    let imported = binary.run(&["--sandbox", "import", "--out", "boundaries.toml"]);
    assert_eq!(imported.code, 1, "{imported}");
    assert!(
        imported.err.contains("boundaries.toml already exists, and was left unchanged"),
        "{imported}"
    );
    assert!(imported.err.contains("--force"), "{imported}");
    assert_eq!(read(&binary, "boundaries.toml"), "mine");
    // The account was not read.
    assert!(!binary.folder().join(".iam-boundaries").exists());

    let forced = binary.run(&["--sandbox", "import", "--out", "boundaries.toml", "--force"]);
    assert_eq!(forced.code, 0, "{forced}");
    assert!(read(&binary, "boundaries.toml").contains("[users]"));
    assert_eq!(binary.run(&["--sandbox", "import", "--force"]).code, 1);
    let with_file = binary.run(&["--sandbox", "-f", "b.toml", "import"]);
    assert!(with_file.code == 1 && with_file.err.contains("--out b.toml"), "{with_file}");
}

#[test]
fn a_file_that_cannot_be_written_is_an_error_and_no_file_remains() {
    let binary = empty_directory();
    let imported = binary.run(&["--sandbox", "import", "--out", "no/such/folder/b.toml"]);
    assert_eq!(imported.code, 1, "{imported}");
    assert!(imported.err.starts_with("error: cannot write no/such/folder/b.toml"), "{imported}");
    assert!(!binary.folder().join("no").exists());
}

#[cfg(unix)]
#[test]
fn a_new_file_has_the_permissions_of_any_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let binary = empty_directory();
    assert_eq!(binary.run(&["--sandbox", "import", "--out", "b.toml"]).code, 0);
    let mode = |name: &str| binary.folder().join(name).metadata().unwrap().permissions().mode();
    std::fs::write(binary.folder().join("any"), "").unwrap();
    assert_eq!(mode("b.toml"), mode("any"));
}

/// A directory with a saved state of `--sandbox`.
fn with_saved_users(users: &serde_json::Value) -> Binary {
    let binary = empty_directory();
    let state = serde_json::json!({
        "format": "iam-boundaries/sandbox",
        "format_version": 1,
        "accounts": { "123456789012": { "users": users, "policies": {} } },
    });
    std::fs::create_dir(binary.folder().join(".iam-boundaries")).unwrap();
    std::fs::write(binary.folder().join(".iam-boundaries/sandbox.json"), state.to_string())
        .unwrap();
    binary
}

fn saved_user(boundary: Option<&str>) -> serde_json::Value {
    serde_json::json!({ "path": "/", "boundary": boundary })
}

#[test]
fn all_users_that_cannot_be_read_are_named_and_nothing_is_written() {
    let binary = with_saved_users(&serde_json::json!({
        "alice": saved_user(Some("arn:aws:iam::aws:policy/ReadOnlyAccess")),
        "bob": saved_user(Some("arn:aws:iam::123456789012:role/Admin")),
        "zo\u{eb}": saved_user(None),
    }));
    let imported = binary.run(&["--sandbox", "import", "--out", "boundaries.toml"]);
    assert_eq!((imported.code, imported.out.as_str()), (1, ""), "{imported}");
    insta::assert_snapshot!("users_that_cannot_be_read", imported.err);
    assert!(!binary.folder().join("boundaries.toml").exists());
}

#[test]
fn an_account_without_boundaries_is_imported_as_comments_with_a_warning() {
    let binary =
        with_saved_users(&serde_json::json!({ "a.b": saved_user(None), "c": saved_user(None) }));
    let imported = binary.run(&["--sandbox", "import", "--out", "boundaries.toml"]);
    assert_eq!(imported.code, 0, "{imported}");
    assert!(
        imported.err.contains(
            "No user has a boundary yet: assign boundaries in the file before you run plan."
        ),
        "{imported}"
    );
    let text = read(&binary, "boundaries.toml");
    assert!(text.ends_with("[users]\n# \"a.b\" = false\n# c = false\n"), "{text}");
    assert_eq!(binary.run(&["check"]).code, 1);
}

#[test]
fn an_account_without_users_is_an_error() {
    let binary = with_saved_users(&serde_json::json!({}));
    let imported = binary.run(&["--sandbox", "import", "--out", "boundaries.toml"]);
    assert_eq!(imported.code, 1, "{imported}");
    assert!(imported.err.contains("account 123456789012 has no users"), "{imported}");
    assert!(!binary.folder().join("boundaries.toml").exists());
}

#[test]
fn a_boundary_of_another_account_is_an_error_and_nothing_is_written() {
    let foreign = Some("arn:aws:iam::999999999999:policy/Developer");
    let binary = with_saved_users(&serde_json::json!({ "alice": saved_user(foreign) }));
    let imported = binary.run(&["--sandbox", "import", "--out", "boundaries.toml"]);
    assert_eq!(imported.code, 1, "{imported}");
    insta::assert_snapshot!("a_boundary_of_another_account", imported.err);
    assert!(!binary.folder().join("boundaries.toml").exists());
}

fn users<const N: usize>(listed: [(&str, Option<&str>); N]) -> EveryPrincipal {
    let value = |boundary: Option<&str>| boundary.map(|arn| arn.parse().unwrap());
    listed.map(|(name, boundary)| (Principal::user(name.parse().unwrap()), value(boundary))).into()
}

fn users_only() -> BTreeSet<PrincipalKind> {
    [PrincipalKind::User].into()
}

#[test]
fn short_names_are_unique_and_derived_from_policy_names() {
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
        &Comments::new(),
    );
    insta::assert_snapshot!(text);
}

#[test]
fn random_users_roles_and_policies_survive_a_round_trip_through_the_file() {
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
                // A path of a policy has no empty segment.
                let path = text(&mut random, &graphic, 30).replace('/', "/-");
                let name = text(&mut random, NAME, 128);
                format!("arn:aws:iam::{owner}:policy/-{path}/{name}").parse().unwrap()
            })
            .collect();
        let mut folded = BTreeMap::new();
        for _ in 0..random.usize(1..60) {
            let name: PrincipalName = text(&mut random, NAME, 64).parse().unwrap();
            let kind = *random.choice(&PrincipalKind::ALL).unwrap();
            let boundary = random.choice(&arns).filter(|_| random.u8(..4) > 0).cloned();
            folded.insert((kind, name.folded()), (Principal { kind, name }, boundary));
        }
        let mut principals: EveryPrincipal = folded.into_values().collect();
        let someone = Principal::user("someone".parse().unwrap());
        principals.insert(someone, Some(arns[0].clone()));
        let file = file_of("123456789012".parse().unwrap(), &principals, &Comments::new());
        let config =
            Config::parse("f.toml", &file).unwrap_or_else(|error| panic!("{error}\n{file}"));
        principals.retain(|_, boundary| boundary.is_some());
        let listed: EveryPrincipal = config
            .entries()
            .map(|(it, entry)| (it, entry.boundary.as_ref().map(|it| it.arn().unwrap().clone())))
            .collect();
        assert_eq!(listed, principals, "{file}");
    }
}

/// Five users on pages of two, in an account that denies `GetAccountAuthorizationDetails`.
async fn without_account_details() -> (Sandbox, EveryPrincipal) {
    let (sandbox, expected) = two_users_a_page().await;
    sandbox.faults().add(DETAILS, None, 100, Fault::error(403, "AccessDenied", "no pages"));
    (sandbox, expected)
}

/// Five users on pages of two. Every other user has a boundary.
async fn two_users_a_page() -> (Sandbox, EveryPrincipal) {
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
async fn without_account_details_users_are_listed_and_read_one_by_one() {
    let (sandbox, expected) = without_account_details().await;
    let everyone = account(&sandbox).await.every_principal(&users_only()).await.unwrap();
    assert_eq!(everyone, expected);
    assert_eq!((sandbox.calls()["ListUsers"], sandbox.calls()["GetUser"]), (3, 5));
}

#[tokio::test]
async fn users_missed_by_shifting_pages_are_found_by_another_listing() {
    for action in [DETAILS, "ListUsers"] {
        let (sandbox, expected) = if action == DETAILS {
            two_users_a_page().await
        } else {
            without_account_details().await
        };
        // The first page cannot shift. The second page omits its two users.
        sandbox.faults().add(action, None, 2, Fault::Shifted(2));
        let everyone = account(&sandbox).await.every_principal(&users_only()).await.unwrap();
        assert_eq!(everyone, expected);
        // Two pages, which have fewer users than the account, and three pages with the two others.
        assert_eq!(sandbox.calls()[action], 5);
    }
}

/// A page of one user, in the response to either way of listing users.
fn page_of(action: &str, user: &str, marker: Option<&str>) -> Fault {
    let (list, end) = match action {
        DETAILS => ("UserDetailList", String::new()),
        _ => ("Users", "<Arn>a</Arn><CreateDate>2999-01-01T00:00:00Z</CreateDate>".to_owned()),
    };
    let more = match marker {
        Some(marker) => format!("<IsTruncated>true</IsTruncated><Marker>{marker}</Marker>"),
        None => "<IsTruncated>false</IsTruncated>".to_owned(),
    };
    Fault::Response(format!(
        "<{action}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><{action}Result><{list}><member>\
         <Path>/</Path><UserName>{user}</UserName><UserId>AIDA0000000000000000{user}</UserId>{end}</member>\
         </{list}>{more}</{action}Result></{action}Response>"
    ))
}

#[tokio::test]
async fn an_account_with_new_users_in_every_listing_is_an_error_because_others_can_be_missing() {
    for action in [DETAILS, "ListUsers"] {
        let (sandbox, _) = match action {
            DETAILS => two_users_a_page().await,
            _ => without_account_details().await,
        };
        for new in ["B", "C", "D", "E", "F"] {
            sandbox.faults().add(action, None, 1, page_of(action, "A", Some("next")));
            sandbox.faults().add(action, None, 1, page_of(action, new, None));
        }
        let error = account(&sandbox).await.every_principal(&users_only()).await.unwrap_err();
        assert!(
            matches!(error, EveryPrincipalError::Unstable { readings: 5, noun: "user" }),
            "{error}"
        );
        assert_eq!(sandbox.calls()[action], 10);
    }
}

#[tokio::test]
async fn if_every_way_to_list_users_is_denied_the_error_names_the_action_to_allow() {
    let (sandbox, _) = without_account_details().await;
    sandbox.faults().add("ListUsers", None, 1, Fault::error(403, "AccessDenied", "no list"));
    let error = account(&sandbox).await.every_principal(&users_only()).await.unwrap_err();
    assert!(
        matches!(&error, EveryPrincipalError::Call(error) if error.message == "no pages"),
        "{error}"
    );
}

#[tokio::test]
async fn a_user_that_is_deleted_or_denied_between_calls_is_named() {
    let (sandbox, _) = without_account_details().await;
    let gone = Fault::error(404, "NoSuchEntity", "The user with name user-1 cannot be found.");
    sandbox.faults().add("GetUser", Some("user-1"), 1, gone);
    let denied = Fault::error(403, "AccessDenied", "not this one");
    sandbox.faults().add("GetUser", Some("user-3"), 1, denied);
    let error = account(&sandbox).await.every_principal(&users_only()).await.unwrap_err();
    let EveryPrincipalError::Unreadable(users) = &error else { panic!("{error}") };
    let names: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
    assert_eq!(names, ["user-1", "user-3"]);
    assert!(users[1].why.contains("not this one"), "{error}");
}

#[tokio::test]
async fn a_truncated_page_without_a_new_marker_is_an_error() {
    let page = |end: &str| {
        format!(
            "<GetAccountAuthorizationDetailsResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
             <GetAccountAuthorizationDetailsResult><UserDetailList><member><UserName>alice</UserName>\
             </member></UserDetailList><IsTruncated>true</IsTruncated>{end}\
             </GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>"
        )
    };
    // Without a marker, and with a repeated marker, which would cause an endless loop.
    for end in ["", "<Marker>again</Marker>"] {
        let sandbox = Sandbox::start(Options::default()).await.unwrap();
        sandbox.faults().add(DETAILS, None, 100, Fault::Response(page(end)));
        let error = account(&sandbox).await.every_principal(&users_only()).await.unwrap_err();
        assert!(error.to_string().contains("the response is truncated"), "{error}");
    }
}

#[test]
fn the_file_refers_to_the_schema_next_to_it() {
    let binary = empty_directory();
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
