//! Reading every principal of an account with its attributes, with the real SDK over a real socket.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::support::fixture::{DETAILS, Fixture, account, denied, quick, role, user};
use crate::support::plans::{arn, name};
use futures::{StreamExt, stream};
use iam_boundaries::iam::{Principal, PrincipalKind, Printable, Share, UnmodifiableRole};
use iam_boundaries::inventory::{
    Attributes, EveryPrincipalError, Inventory, Reading, Tag, UnreadablePrincipal,
};
use iam_boundaries::sandbox::{Chaos, ChaosKind, Fault, Options, Sandbox, Seed};

const GET_USER: &str = "GetUser";
const GET_ROLE: &str = "GetRole";
const SUMMARY: &str = "GetAccountSummary";
const LIST_USERS: &str = "ListUsers";
/// More calls than a test makes.
const ALWAYS: u32 = 10_000;
/// A time before every test.
const LONG_AGO: &str = "2024-01-01T00:00:00Z";
/// A time after every test, as if the clock of this machine were slow.
const NEW: &str = "2999-01-01T00:00:00Z";

fn kinds(kinds: &[PrincipalKind]) -> BTreeSet<PrincipalKind> {
    kinds.iter().copied().collect()
}

fn users() -> BTreeSet<PrincipalKind> {
    kinds(&[PrincipalKind::User])
}

fn both() -> BTreeSet<PrincipalKind> {
    PrincipalKind::ALL.into()
}

fn principal(text: &str) -> Principal {
    Principal::user(name(text))
}

fn administrator() -> iam_boundaries::iam::PolicyArn {
    "arn:aws:iam::aws:policy/AdministratorAccess".parse().unwrap()
}

async fn read(
    sandbox: &Sandbox,
    kinds: &BTreeSet<PrincipalKind>,
    listed: &[Principal],
) -> Result<Inventory, EveryPrincipalError> {
    account(sandbox).await.reading_with(quick()).whole_inventory(kinds, listed).await
}

fn calls(sandbox: &Sandbox) -> [u64; 4] {
    let calls = sandbox.calls();
    [SUMMARY, DETAILS, GET_USER, GET_ROLE]
        .map(|action| calls.get(action).copied().unwrap_or_default())
}

fn names(inventory: &Inventory) -> Vec<String> {
    inventory.iter().map(|(principal, _)| principal.to_string()).collect()
}

fn tags<const N: usize>(tags: [(&str, &str); N]) -> Vec<Tag> {
    tags.map(|(key, value)| Tag { key: key.into(), value: value.into() }).into()
}

/// A user and a role of one name, a service-linked role, and policies attached to some.
async fn company() -> Sandbox {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let alice = principal("alice");
    sandbox.put_user(&alice.name, Some(&arn("Developer")));
    sandbox.put_path(&alice, "/engineering/a!b/");
    sandbox.tag(&alice, "Team", "payments");
    sandbox.tag(&alice, "empty", "");
    sandbox.add_to_group(&alice.name, "Engineers");
    sandbox.add_to_group(&alice.name, "Agency");
    sandbox.put_user(&name("bob"), None);
    sandbox.attach_policy(&principal("bob"), &administrator());
    let deploy = Principal::role(name("alice"));
    sandbox.put_role(&deploy.name, "/ci/", None);
    sandbox.tag(&deploy, "team", "platform");
    sandbox.attach_policy(&deploy, &arn("AdministratorAccess"));
    sandbox.put_role(&name("support"), "/aws-service-role/support.amazonaws.com/", None);
    sandbox
}

/// What the account pages of [`company`] show.
fn expected() -> [(Principal, Attributes); 4] {
    let attributes = |path: &str, tags, groups: &[&str], is_administrator| Attributes {
        path: Some(path.into()),
        tags,
        groups: Some(groups.iter().map(|&group| Printable::new(group)).collect()),
        is_administrator: Some(is_administrator),
        created: Some("2024-11-24T00:00:00Z".parse().unwrap()),
    };
    let alice_tags = tags([("Team", "payments"), ("empty", "")]);
    let role_tags = tags([("team", "platform")]);
    let service_path = "/aws-service-role/support.amazonaws.com/";
    [
        (
            principal("alice"),
            attributes("/engineering/a!b/", alice_tags, &["Agency", "Engineers"], false),
        ),
        (principal("bob"), attributes("/", vec![], &[], true)),
        (Principal::role(name("alice")), attributes("/ci/", role_tags, &[], false)),
        (Principal::role(name("support")), attributes(service_path, vec![], &[], false)),
    ]
}

#[tokio::test]
async fn pages_show_path_tags_groups_and_administrators_of_every_principal() {
    let sandbox = company().await;
    let inventory = read(&sandbox, &both(), &[]).await.unwrap();
    assert_eq!(names(&inventory), ["alice", "bob", "role/alice", "role/support"]);
    for (principal, attributes) in expected() {
        assert_eq!(inventory.attributes(&principal), Some(&attributes), "{principal}");
        assert!(inventory.is_from_pages(&principal) && inventory.is_whole(principal.kind));
    }
    assert_eq!(inventory.reading(&principal("alice")).boundary(), Some(Some(&arn("Developer"))));
    let support = inventory.reading(&Principal::role(name("support")));
    let service_linked = UnmodifiableRole::ServiceLinked;
    assert!(matches!(support, Reading::Unmodifiable { role, .. } if *role == service_linked));
    assert_eq!(calls(&sandbox), [1, 1, 0, 0]);

    let inventory = read(&sandbox, &users(), &[]).await.unwrap();
    assert_eq!(names(&inventory), ["alice", "bob"]);
    assert!(!inventory.is_whole(PrincipalKind::Role));
}

#[tokio::test]
async fn a_single_call_shows_path_and_tags_and_neither_groups_nor_policies() {
    let sandbox = company().await;
    let listed = expected().map(|(principal, _)| principal);
    for inventory in [account(&sandbox).await.inventory_singly(&listed).await.unwrap(), {
        sandbox.faults().add(DETAILS, None, 1, denied());
        read(&sandbox, &both(), &[]).await.unwrap()
    }] {
        for (principal, mut attributes) in expected() {
            attributes.is_administrator = None;
            attributes.groups = attributes.groups.filter(|_| principal.kind == PrincipalKind::Role);
            assert_eq!(inventory.attributes(&principal), Some(&attributes), "{principal}");
            assert!(!inventory.is_from_pages(&principal));
        }
    }
    let few = account(&sandbox).await.inventory(&listed[..1]).await.unwrap();
    assert_eq!(few.attributes(&listed[0]).unwrap().groups, None);
    assert!(!few.is_whole(PrincipalKind::User));
    let pages = account(&sandbox).await.inventory(&listed).await.unwrap();
    assert_eq!(pages.attributes(&listed[0]), Some(&expected()[0].1));
}

#[tokio::test]
async fn ten_thousand_principals_are_ten_pages_and_one_further_call() {
    let seed = Seed::Generated { users: 5_000, roles: 5_000 };
    let sandbox = Sandbox::start(Options { seed, ..Options::default() }).await.unwrap();
    let account = account(&sandbox).await;
    let inventory = account.whole_inventory(&both(), []).await.unwrap();
    assert_eq!(calls(&sandbox), [1, 10, 0, 0]);
    let attributes: Vec<&Attributes> =
        inventory.iter().map(|(it, _)| inventory.attributes(it).unwrap()).collect();
    assert_eq!(attributes.len(), 10_000);
    // Equal texts are in memory once.
    let distinct: BTreeSet<*const u8> =
        attributes.iter().map(|it| it.path.as_ref().unwrap().as_str().as_ptr()).collect();
    assert!((2..20).contains(&distinct.len()), "{}", distinct.len());
    for kind in PrincipalKind::ALL {
        assert_eq!(account.known_count(kind), Some(5_000));
    }
    // Listed principals on the pages need no further call.
    let listed: Vec<Principal> = inventory.iter().map(|(it, _)| it.clone()).take(3_000).collect();
    assert_eq!(account.whole_inventory(&both(), &listed).await.unwrap().iter().count(), 10_000);
    assert_eq!(calls(&sandbox), [2, 20, 0, 0]);
}

#[tokio::test]
async fn listed_principals_of_another_kind_are_read_by_the_fewest_calls() {
    let fixture = Fixture::users(150).roles(150).page_size(100).start().await;
    let stranger = Principal::role(name("nobody"));
    for (roles, expected) in [(0, [1, 2, 0, 0]), (2, [1, 2, 0, 2]), (150, [1, 3, 0, 1])] {
        let before = calls(&fixture.sandbox);
        let mut listed: Vec<Principal> = (0..roles).map(role).collect();
        if roles == 150 {
            listed.push(stranger.clone());
        }
        let inventory = read(&fixture.sandbox, &users(), &listed).await.unwrap();
        let after = calls(&fixture.sandbox);
        let made: Vec<u64> =
            after.iter().zip(before).map(|(after, before)| after - before).collect();
        assert_eq!(made, expected, "{roles} roles");
        assert_eq!(inventory.iter().count(), 150 + listed.len());
        let is_found = |it: &Principal| matches!(inventory.reading(it), Reading::Found { .. });
        assert!(listed.iter().all(|it| is_found(it) != (*it == stranger)));
        assert!(
            inventory.is_whole(PrincipalKind::User) && !inventory.is_whole(PrincipalKind::Role)
        );
    }
    // Roles that are not listed are not in the inventory, although they are on the pages.
    let listed: Vec<Principal> = (0..60).map(role).collect();
    let inventory = read(&fixture.sandbox, &users(), &listed).await.unwrap();
    assert_eq!(inventory.iter().count(), 150 + 60);
}

#[tokio::test]
async fn a_listed_principal_on_no_page_is_missing_only_if_a_single_call_does_not_find_it() {
    for denied_pages in [0, 1] {
        let sandbox = company().await;
        sandbox.faults().add(DETAILS, None, denied_pages, denied());
        let listed = [principal("ALICE"), principal("carol")];
        let inventory = read(&sandbox, &users(), &listed).await.unwrap();
        let differs_by_case = Some(name("alice"));
        assert_eq!(inventory.reading(&listed[0]), &Reading::NotFound { differs_by_case });
        assert_eq!(inventory.reading(&listed[1]), &Reading::NotFound { differs_by_case: None });
        assert!(matches!(inventory.reading(&principal("alice")), Reading::Found { .. }));
    }

    // Bob is created after the last reading of the page.
    let sandbox = company().await;
    sandbox.faults().add(DETAILS, None, ALWAYS, page(&[("alice", LONG_AGO)], None));
    let inventory = read(&sandbox, &users(), &[principal("bob")]).await.unwrap();
    assert_eq!(calls(&sandbox), [5, 5, 1, 0]);
    assert!(matches!(inventory.reading(&principal("bob")), Reading::Found { .. }));
    assert!(inventory.is_whole(PrincipalKind::User));
}

/// A page with these users, each with its creation date.
fn page(users: &[(&str, &str)], marker: Option<&str>) -> Fault {
    let mut members = String::new();
    for (user, created) in users {
        write!(
            members,
            "<member><Path>/</Path><UserName>{user}</UserName><UserId>AIDA0000000000000000{user}</UserId>\
             <CreateDate>{created}</CreateDate><GroupList/><AttachedManagedPolicies/></member>"
        )
        .unwrap();
    }
    page_of(&members, marker)
}

fn page_of(members: &str, marker: Option<&str>) -> Fault {
    let more = marker.map(|marker| format!("<Marker>{marker}</Marker>")).unwrap_or_default();
    let is_truncated = marker.is_some();
    Fault::Response(format!(
        "<{DETAILS}Response><{DETAILS}Result><UserDetailList>{members}</UserDetailList>\
         <IsTruncated>{is_truncated}</IsTruncated>{more}</{DETAILS}Result></{DETAILS}Response>"
    ))
}

#[tokio::test]
async fn pages_are_read_again_unless_they_prove_that_nobody_is_missing() {
    // The account has alice and bob.
    for (second, may_count, expected) in [
        // As many users as were counted, all of them long before.
        (("bob", LONG_AGO), true, [1, 2, 0, 0]),
        // The numbers are not known: the account is read again.
        (("bob", LONG_AGO), false, [2, 3, 0, 0]),
        // Somebody was deleted, so the pages shifted and omit bob, and somebody else was created: the number fits.
        (("carol", NEW), true, [2, 3, 0, 0]),
        // An incomplete date proves nothing.
        (("bob", ""), true, [2, 3, 0, 0]),
        // A user on two pages.
        (("alice", LONG_AGO), true, [2, 3, 0, 0]),
    ] {
        let sandbox = company().await;
        sandbox.faults().add(DETAILS, None, 1, page(&[("alice", LONG_AGO)], Some("next")));
        let Fault::Response(last) = page(&[second], None) else { unreachable!() };
        let last = last.replace("<CreateDate></CreateDate>", "");
        sandbox.faults().add(DETAILS, None, 1, Fault::Response(last));
        if !may_count {
            sandbox.faults().add(SUMMARY, None, 1, denied());
        }
        let inventory = read(&sandbox, &users(), &[]).await.unwrap();
        assert_eq!(calls(&sandbox), expected, "{second:?}");
        for present in ["alice", "bob"] {
            let reading = inventory.reading(&principal(present));
            assert!(matches!(reading, Reading::Found { .. }), "{second:?}: {present}");
        }
        // The second reading proves that carol no longer exists.
        assert_eq!(names(&inventory), ["alice", "bob"]);
    }
}

#[tokio::test]
async fn pages_that_shift_at_random_lose_nobody_unless_the_reading_is_an_error() {
    let run = |seed| async move {
        let kinds = [ChaosKind::ShiftedPages].into();
        let chaos = Chaos { kinds, share: Share::percent(30), ..Chaos::new(seed) };
        let options = Options { page_size: 10, chaos: Some(chaos), ..Options::default() };
        let sandbox = Sandbox::start(options).await.unwrap();
        for n in 0..40 {
            sandbox.put_user(&user(n), None);
            sandbox.put_role(&user(n), "/", None);
        }
        match read(&sandbox, &both(), &[]).await {
            Ok(inventory) => assert_eq!(inventory.iter().count(), 80, "seed {seed}"),
            Err(error) => assert!(matches!(error, EveryPrincipalError::Unstable { .. }), "{error}"),
        }
        calls(&sandbox)[0]
    };
    let readings: Vec<u64> = stream::iter(0..60).map(run).buffer_unordered(8).collect().await;
    let again = readings.iter().filter(|&&readings| readings > 1).count();
    assert!((10..60).contains(&again), "{again} accounts were read again");
}

#[tokio::test(flavor = "multi_thread")]
async fn if_iam_counts_more_than_its_pages_ever_have_a_warning_says_so() {
    let fixture = Fixture::users(5).page_size(2).start().await;
    fixture.set(0, "Developer");
    for _ in 0..5 {
        // The second page omits two users, and is the last one.
        for shift in [0, 2] {
            fixture.sandbox.faults().add(DETAILS, None, 1, Fault::Shifted(shift));
        }
    }
    let imported = fixture.run(&["import", "--kind", "user"]).await;
    assert_eq!(imported.code, 0, "{imported}");
    let said = "IAM counts 5 users, but returns only 3: some may be missing";
    assert!(imported.err.contains(said), "{imported}");
    assert_eq!(calls(&fixture.sandbox), [5, 10, 0, 0]);
}

#[tokio::test]
async fn an_empty_page_of_an_account_in_which_iam_counts_principals_is_an_error() {
    let rule = "[[rules]]\nboundary = \"policy/Developer\"\n[unlisted]\nusers = \"error\"\n";
    let fixture = Fixture::users(5).file(rule).start().await;
    let apply = ["apply", "--auto-approve", "--account", "123456789012"];
    for command in [&["plan"][..], &apply, &["import"]] {
        fixture.sandbox.faults().clear();
        // The only page omits every user.
        fixture.sandbox.faults().add(DETAILS, None, ALWAYS, page(&[], None));
        let ran = fixture.run(command).await;
        assert_eq!(ran.code, 1, "{ran}");
        assert!(ran.err.contains("IAM counts 5 users, but returns only 0"), "{ran}");
    }
    assert_eq!(fixture.writes(), 0);
    fixture.sandbox.faults().clear();
    fixture.sandbox.faults().add(DETAILS, None, 1, page(&[], None));
    let plan = fixture.run(&["plan"]).await;
    assert_eq!(plan.code, 0, "{plan}");
    assert!(plan.out.contains("5 to add"), "the pages are read again: {plan}");
}

#[tokio::test]
async fn shifted_throttled_and_cut_pages_lose_nobody() {
    let fixture = Fixture::users(40).roles(40).page_size(10).start().await;
    let faults = [
        Fault::Shifted(3),
        Fault::Shifted(-2),
        Fault::throttling(),
        Fault::Truncated,
        Fault::Garbage,
        Fault::CutAfter,
        Fault::error(500, "ServiceFailure", "sorry"),
    ];
    for fault in faults {
        for at in 0..3 {
            // The first calls are as usual.
            fixture.sandbox.faults().add(DETAILS, None, at, Fault::Shifted(0));
            fixture.sandbox.faults().add(DETAILS, None, 1, fault.clone());
            let inventory = read(&fixture.sandbox, &both(), &[]).await.unwrap();
            for n in 0..40 {
                for principal in [Principal::user(user(n)), role(n)] {
                    let reading = inventory.reading(&principal);
                    assert!(matches!(reading, Reading::Found { .. }), "{fault:?}: {principal}");
                    assert!(inventory.attributes(&principal).is_some());
                }
            }
            assert_eq!(inventory.iter().count(), 80, "{fault:?}");
        }
    }
}

#[tokio::test]
async fn if_both_ways_are_denied_the_error_names_the_pages() {
    for action in [LIST_USERS, GET_USER] {
        let sandbox = company().await;
        sandbox.faults().add(DETAILS, None, ALWAYS, denied());
        sandbox.faults().add(action, None, ALWAYS, denied());
        let error = read(&sandbox, &users(), &[]).await.unwrap_err();
        let EveryPrincipalError::Call(error) = error else { panic!("{error}") };
        assert_eq!(error.action, format!("iam:{DETAILS}"));
    }
    // A single denied user is one unreadable user.
    let sandbox = company().await;
    sandbox.faults().add(DETAILS, None, ALWAYS, denied());
    sandbox.faults().add(GET_USER, Some("bob"), ALWAYS, denied());
    let inventory = read(&sandbox, &users(), &[]).await.unwrap();
    assert!(inventory.reading(&principal("bob")).denied().is_some());
    assert_eq!(inventory.attributes(&principal("bob")), None);
    assert!(inventory.attributes(&principal("alice")).is_some());
}

#[tokio::test]
async fn a_listed_user_that_a_single_call_does_not_find_has_no_other_name() {
    let sandbox = company().await;
    sandbox.faults().add(DETAILS, None, ALWAYS, denied());
    let gone = Fault::error(404, "NoSuchEntity", "The user with name alice cannot be found.");
    sandbox.faults().add(GET_USER, Some("alice"), ALWAYS, gone);
    let inventory = read(&sandbox, &users(), &[principal("alice")]).await.unwrap();
    let missing = Reading::NotFound { differs_by_case: None };
    assert_eq!(inventory.reading(&principal("alice")), &missing);
}

#[tokio::test]
async fn a_principal_that_was_created_again_after_its_page_has_no_groups_of_the_deleted_one() {
    let sandbox = company().await;
    let alice = principal("alice");
    let account = account(&sandbox).await;
    for is_created_again in [false, true] {
        let mut inventory = account.whole_inventory(&users(), []).await.unwrap();
        sandbox.tag(&alice, "team", "search");
        if is_created_again {
            sandbox.remove(&alice);
            sandbox.put_user(&alice.name, None);
        }
        inventory.extend(account.inventory_singly([&alice]).await.unwrap());
        let attributes = inventory.attributes(&alice).unwrap();
        let page = &expected()[0].1;
        let groups = page.groups.clone().filter(|_| !is_created_again);
        assert_eq!(
            (&attributes.groups, attributes.is_administrator.is_some()),
            (&groups, !is_created_again)
        );
        let now = if is_created_again { vec![] } else { tags([("empty", ""), ("team", "search")]) };
        assert_eq!(attributes.tags, now);
    }
}

/// Details of a user: these fields, and those without which it is unusable.
fn user_with(fields: &str) -> String {
    let boundary = arn("Developer");
    format!(
        "<member><UserName>alice</UserName><UserId>AIDA00000000000000000</UserId><PermissionsBoundary>\
         <PermissionsBoundaryArn>{boundary}</PermissionsBoundaryArn></PermissionsBoundary>{fields}</member>"
    )
}

#[tokio::test]
async fn a_response_that_does_not_say_everything_about_a_user_makes_it_unreadable() {
    let tag = |key: &str| format!("<member><Key>{key}</Key><Value>v</Value></member>");
    let path = "<Path>/</Path>";
    for (fields, why) in [
        (String::new(), "the response has no path for the user"),
        ("<Path>engineering/</Path>".to_owned(), "a path begins and ends with a slash"),
        (
            format!("{path}<Tags>{}{}</Tags>", tag("team"), tag("TEAM")),
            "two tags with the key \"TEAM\"",
        ),
        (format!("{path}<Tags>{0}{0}</Tags>", tag("team")), "two tags with the key \"team\""),
        (format!("{path}<Tags>{}</Tags>", tag("")), "a tag of the user in the response has no key"),
        (
            format!("{path}<GroupList><member/></GroupList>"),
            "a group of the user in the response has no name",
        ),
        (
            format!("{path}<AttachedManagedPolicies><member/></AttachedManagedPolicies>"),
            "a policy of the user in the response has no ARN",
        ),
    ] {
        let sandbox = company().await;
        sandbox.faults().add(DETAILS, None, ALWAYS, page_of(&user_with(&fields), None));
        let inventory = read(&sandbox, &users(), &[]).await.unwrap();
        let Reading::Unreadable(error) = inventory.reading(&principal("alice")) else {
            panic!("{why}: {inventory:?}")
        };
        assert!(error.message.contains(why), "{error}");
        assert_eq!(inventory.attributes(&principal("alice")), None);
        let error = inventory.every_principal().unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[tokio::test]
async fn what_a_page_does_not_show_is_unknown_and_a_user_without_tags_has_none() {
    let sandbox = company().await;
    sandbox.faults().add(DETAILS, None, ALWAYS, page_of(&user_with("<Path>/</Path>"), None));
    let inventory = read(&sandbox, &users(), &[]).await.unwrap();
    let expected = Attributes { path: Some("/".into()), ..Attributes::default() };
    assert_eq!(inventory.attributes(&principal("alice")), Some(&expected));
    assert_eq!((expected.groups, expected.is_administrator, expected.tags.len()), (None, None, 0));
}

#[tokio::test]
async fn a_tag_without_a_value_is_an_error_of_the_page() {
    let sandbox = company().await;
    let fields = "<Path>/</Path><Tags><member><Key>team</Key></member></Tags>";
    sandbox.faults().add(DETAILS, None, ALWAYS, page_of(&user_with(fields), None));
    let error = read(&sandbox, &users(), &[]).await.unwrap_err();
    assert!(
        error.to_string().contains("the response has a tag without a key or a value"),
        "{error}"
    );
}

#[tokio::test]
async fn a_name_that_iam_does_not_allow_is_an_error_of_the_whole_reading() {
    let users_of = |text: &str| page(&[("alice", LONG_AGO), (text, LONG_AGO)], None);
    let sandbox = company().await;
    sandbox.faults().add(DETAILS, None, 1, users_of("zo\u{eb}"));
    let error = read(&sandbox, &users(), &[]).await.unwrap_err();
    let EveryPrincipalError::Unreadable(each) = error else { panic!("{error}") };
    let [UnreadablePrincipal { kind: PrincipalKind::User, name, .. }] = &each[..] else {
        panic!("{each:?}")
    };
    assert_eq!(name, &"zo\u{eb}");
}

#[tokio::test]
async fn hostile_texts_in_attributes_are_safe_to_display_and_keep_their_spaces() {
    let sandbox = company().await;
    let alice = principal("alice");
    sandbox.tag(&alice, " key\u{202e} ", " a\u{1f600}\u{200b}b ");
    sandbox.add_to_group(&alice.name, "<b>&");
    let inventory = read(&sandbox, &users(), &[]).await.unwrap();
    let attributes = inventory.attributes(&alice).unwrap();
    let tag = attributes.tags.iter().find(|tag| tag.key.contains("key")).unwrap();
    assert_eq!((&*tag.key, &*tag.value), (" key\\u{202e} ", " a\u{1f600}\\u{200b}b "));
    assert!(attributes.groups.as_ref().unwrap().contains(&Printable::new("<b>&")));
}
