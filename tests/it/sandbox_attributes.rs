//! The sandbox's actions on paths, tags, groups and attached policies, and the variety of its seeds.

use std::collections::BTreeSet;

use crate::support::fixture::{DETAILS, account};
use crate::support::plans::name;
use crate::support::query::call;
use iam_boundaries::iam::{Principal, PrincipalKind};
use iam_boundaries::inventory::{Inventory, Reading, Tag};
use iam_boundaries::sandbox::{Options, Sandbox, Seed};

const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

const DOCUMENT: &str = r#"{"Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}"#;

async fn every(sandbox: &Sandbox) -> Inventory {
    account(sandbox).await.whole_inventory(&PrincipalKind::ALL.into(), []).await.unwrap()
}

fn tags(inventory: &Inventory, principal: &Principal) -> Vec<(String, String)> {
    let tag = |tag: &Tag| (tag.key.to_string(), tag.value.to_string());
    inventory.attributes(principal).unwrap().tags.iter().map(tag).collect()
}

#[tokio::test]
async fn an_account_can_be_prepared_by_the_actions_of_iam_and_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.json");
    let options = || Options { state: Some(state.clone()), ..Options::default() };
    let sandbox = Sandbox::start(options()).await.unwrap();
    let too_many: String =
        (1..=50).map(|n| format!("&Tags.member.{n}.Key=k{n}&Tags.member.{n}.Value=v")).collect();
    let role = "RoleName=deploy&AssumeRolePolicyDocument={}&Path=/ci/";
    for (form, status, said) in [
        (
            "CreateUser&UserName=alice&Path=/engineering/&Tags.member.1.Key=Team&Tags.member.1.Value=search\
             &Tags.member.2.Key=empty&Tags.member.2.Value=",
            200,
            "<Key>empty</Key><Value></Value>",
        ),
        ("CreateUser&UserName=bob&Path=engineering", 400, "The specified value for path"),
        ("CreateUser&UserName=bob&Tags.member.1.Key=a", 400, "tags.member.1.Value"),
        (
            "CreateUser&UserName=bob&Tags.member.1.Key=a&Tags.member.1.Value=1&Tags.member.2.Key=A&Tags.member.2.Value=2",
            400,
            "Duplicate tag keys found",
        ),
        ("GetUser&UserName=bob", 404, "NoSuchEntity"),
        (
            &format!("CreateRole&{role}&Tags.member.1.Key=a b&Tags.member.1.Value=c"),
            200,
            "<Key>a b</Key>",
        ),
        ("TagUser&UserName=alice&Tags.member.1.Key=team&Tags.member.1.Value=payments", 200, ""),
        (
            "TagUser&UserName=alice&Tags.member.1.Key=a!b&Tags.member.1.Value=c",
            400,
            "ValidationError",
        ),
        (
            "TagUser&UserName=alice&Tags.member.1.Key=AWS:x&Tags.member.1.Value=c",
            400,
            "InvalidInput",
        ),
        ("TagUser&UserName=nobody", 404, "NoSuchEntity"),
        (&format!("TagUser&UserName=alice{too_many}"), 409, "LimitExceeded"),
        ("TagRole&RoleName=deploy&Tags.member.1.Key=x&Tags.member.1.Value=y", 200, ""),
        ("UntagRole&RoleName=deploy&TagKeys.member.1=A B&TagKeys.member.2=other", 200, ""),
        ("UntagUser&UserName=nobody&TagKeys.member.1=a", 404, "NoSuchEntity"),
        ("UntagUser&UserName=alice&TagKeys.member.1=EMPTY", 200, ""),
        ("CreateGroup&GroupName=Engineers&Path=/e/", 200, "group/e/Engineers</Arn>"),
        ("CreateGroup&GroupName=ENGINEERS", 409, "EntityAlreadyExists"),
        ("CreateGroup&GroupName=a b", 400, "groupName"),
        ("AddUserToGroup&GroupName=Nobodies&UserName=alice", 404, "The group with name Nobodies"),
        ("AddUserToGroup&GroupName=Engineers&UserName=nobody", 404, "NoSuchEntity"),
        ("AddUserToGroup&GroupName=Engineers&UserName=alice", 200, ""),
        (&format!("AttachUserPolicy&UserName=alice&PolicyArn={ADMINISTRATOR}"), 200, ""),
        (&format!("AttachRolePolicy&RoleName=deploy&PolicyArn={ADMINISTRATOR}"), 200, ""),
        (
            "AttachRolePolicy&RoleName=deploy&PolicyArn=arn:aws:iam::aws:policy/No",
            404,
            "NoSuchEntity",
        ),
        (&format!("CreatePolicy&PolicyName=P&PolicyDocument={DOCUMENT}"), 200, ""),
        ("AttachUserPolicy&UserName=alice&PolicyArn=arn:aws:iam::123456789012:policy/P", 200, ""),
        ("GetPolicy&PolicyArn=arn:aws:iam::123456789012:policy/P", 200, "<AttachmentCount>1<"),
        ("DeletePolicy&PolicyArn=arn:aws:iam::123456789012:policy/P", 409, "DeleteConflict"),
    ] {
        let (found, body) = call(&sandbox, &format!("Action={form}")).await;
        assert!(found == status && body.contains(said), "{form}: {found} {body}");
    }
    drop(sandbox);

    let sandbox = Sandbox::start(options()).await.unwrap();
    let inventory = every(&sandbox).await;
    let (alice, deploy) = (Principal::user(name("alice")), Principal::role(name("deploy")));
    let attributes = inventory.attributes(&alice).unwrap();
    assert_eq!(attributes.path.as_deref(), Some("/engineering/"));
    assert_eq!(tags(&inventory, &alice), [("team".into(), "payments".into())]);
    assert_eq!(attributes.groups.as_ref().unwrap(), &["Engineers"]);
    assert_eq!(attributes.is_administrator, Some(true));
    let attributes = inventory.attributes(&deploy).unwrap();
    assert_eq!(attributes.path.as_deref(), Some("/ci/"));
    assert_eq!(tags(&inventory, &deploy), [("x".into(), "y".into())]);
    assert_eq!(attributes.is_administrator, Some(true));

    // A user that is created again has nothing of the deleted one.
    for form in ["DeleteUser&UserName=alice", "CreateUser&UserName=alice"] {
        assert_eq!(call(&sandbox, &format!("Action={form}")).await.0, 200);
    }
    let inventory = every(&sandbox).await;
    let attributes = inventory.attributes(&alice).unwrap();
    assert_eq!(attributes.groups, Some(vec![]));
    assert_eq!((attributes.tags.len(), attributes.is_administrator), (0, Some(false)));
}

#[tokio::test]
async fn each_action_returns_what_the_api_reference_says() {
    let sandbox =
        Sandbox::start(Options { seed: Seed::Story, ..Options::default() }).await.unwrap();
    for (form, has, has_not) in [
        (
            "GetUser&UserName=alice",
            &["<Path>/engineering/</Path>", "<Tags>"][..],
            &["GroupList", "Attached"][..],
        ),
        (
            "GetRole&RoleName=image-resizer",
            &["<Path>/service/</Path>", "<Tags>", "<RoleLastUsed>"],
            &["Attached"],
        ),
        (
            "ListUsers",
            &["<Path>/engineering/</Path>"],
            &["Tags", "GroupList", "PermissionsBoundary"],
        ),
        (
            "ListRoles",
            &["<Path>/service/</Path>"],
            &["Tags", "PermissionsBoundary", "RoleLastUsed"],
        ),
        (
            DETAILS,
            &[
                "<GroupList><member>Engineers</member></GroupList>",
                "<GroupName>Engineers</GroupName>",
                "<PolicyName>AdministratorAccess</PolicyName><PolicyArn>arn:aws:iam::aws:policy/Admin",
                "<Key>on-leave</Key><Value></Value>",
            ],
            &[],
        ),
        (
            &format!("{DETAILS}&Filter.member.1=User"),
            &["<GroupList><member>"],
            &["<GroupName>", "<RoleName>"],
        ),
    ] {
        let (status, body) = call(&sandbox, &format!("Action={form}")).await;
        assert_eq!(status, 200);
        assert!(has.iter().all(|text| body.contains(text)), "{form}: {body}");
        assert!(!has_not.iter().any(|text| body.contains(text)), "{form}: {body}");
    }
}

#[tokio::test]
async fn the_sample_company_has_principals_that_its_file_does_not_list() {
    let sandbox =
        Sandbox::start(Options { seed: Seed::Story, ..Options::default() }).await.unwrap();
    let inventory = every(&sandbox).await;
    let file = include_str!("../../boundaries.toml");
    let config = iam_boundaries::config::Config::parse("boundaries.toml", file).unwrap();
    let listed: BTreeSet<Principal> = config.entries().map(|(principal, _)| principal).collect();
    let unlisted = inventory
        .iter()
        .filter(|(it, reading)| matches!(reading, Reading::Found { .. }) && !listed.contains(it));
    let unlisted: Vec<(String, bool, bool)> = unlisted
        .map(|(it, reading)| {
            let is_administrator = inventory.attributes(it).unwrap().is_administrator.unwrap();
            (it.to_string(), reading.boundary().unwrap().is_some(), is_administrator)
        })
        .collect();
    let expected = [
        ("auditor", true, false),
        ("break-glass", false, true),
        ("role/auditor", true, false),
        ("role/break-glass", false, true),
        ("role/nightly-report", false, false),
    ];
    assert_eq!(unlisted, expected.map(|(name, has, is)| (name.to_owned(), has, is)));
}

#[tokio::test]
async fn generated_principals_are_as_various_as_those_of_a_company_and_always_the_same() {
    let start = || async {
        let seed = Seed::Generated { users: 500, roles: 500 };
        Sandbox::start(Options { seed, ..Options::default() }).await.unwrap()
    };
    let (first, second) = (every(&start().await).await, every(&start().await).await);
    let mut paths = BTreeSet::new();
    let (mut keys, mut groups) = (BTreeSet::new(), BTreeSet::new());
    let (mut administrators, mut untagged) = (0, 0);
    for (principal, reading) in first.iter() {
        let attributes = first.attributes(principal).unwrap();
        assert_eq!(second.reading(principal), reading);
        assert_eq!(second.attributes(principal), Some(attributes));
        paths.extend(attributes.path.clone());
        keys.extend(attributes.tags.iter().map(|tag| tag.key.clone()));
        groups.extend(attributes.groups.clone().unwrap());
        administrators += usize::from(attributes.is_administrator.unwrap());
        untagged += usize::from(attributes.tags.is_empty());
    }
    let texts = |set: &BTreeSet<iam_boundaries::iam::Printable>| {
        set.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        texts(&paths),
        "/ /contractors/acme/ /contractors/globex/ /data/ /engineering/ /engineering/mobile/ /service/"
    );
    assert_eq!(texts(&keys), "Team cost-center on-leave team");
    assert_eq!(texts(&groups), "Contractors DataScientists Engineers OnCall");
    assert_eq!(administrators, 6);
    assert!((1..200).contains(&untagged), "{untagged}");
}
