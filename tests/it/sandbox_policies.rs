//! The sandbox's policies, as the AWS SDK reads and writes them: documents, versions, inline policies and account
//! pages.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_iam::Client;
use aws_sdk_iam::operation::get_account_authorization_details::GetAccountAuthorizationDetailsOutput as Details;
use aws_sdk_iam::types::EntityType;
use form_urlencoded::parse;

use crate::support::fixture::DETAILS;
use crate::support::plans::name;
use crate::support::query::call;
use crate::support::sdk::{client, code};
use iam_boundaries::iam::Principal;
use iam_boundaries::sandbox::{Fault, Options, Sandbox, Seed};

const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

/// A document that allows this action. It has characters that XML and URLs escape.
fn document(action: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Sid": "A1", "Effect": "Allow", "Action": "{action}",
            "Resource": "*", "Condition": {{"StringLike": {{"aws:UserAgent": "<é + %41 & 'x' ~>"}}}}}}]}}"#
    )
}

/// The text of a document in a response.
fn decoded(encoded: Option<&str>) -> String {
    let encoded = encoded.expect("a document");
    let is_unreserved = |c: char| c.is_ascii_alphanumeric() || "-._~%".contains(c);
    assert!(encoded.chars().all(is_unreserved), "{encoded}");
    let (text, empty) = parse(encoded.as_bytes()).next().unwrap();
    assert_eq!(empty, "");
    text.into_owned()
}

async fn story() -> Sandbox {
    Sandbox::start(Options { seed: Seed::Story, ..Options::default() }).await.unwrap()
}

#[tokio::test]
async fn a_managed_policy_has_versions_and_one_of_them_is_in_force() {
    let folder = tempfile::tempdir().unwrap();
    let options =
        || Options { state: Some(folder.path().join("state.json")), ..Options::default() };
    let sandbox = Sandbox::start(options()).await.unwrap();
    let iam = client(&sandbox);
    let first = document("s3:Get*");
    let created = iam.create_policy().policy_name("Limits").policy_document(&first);
    let created = created.send().await.unwrap().policy.unwrap();
    assert_eq!(created.default_version_id(), Some("v1"));
    let arn = created.arn().unwrap().to_owned();
    for (n, is_default) in [(2, false), (3, true), (4, false), (5, false)] {
        let version = iam.create_policy_version().policy_arn(&arn);
        let version = version.policy_document(document(&format!("s3:Get{n}")));
        let version = version.set_as_default(is_default).send().await.unwrap();
        let version = version.policy_version.unwrap();
        assert_eq!(version.version_id().unwrap(), format!("v{n}"));
        assert_eq!(version.is_default_version(), is_default);
    }
    let sixth = iam.create_policy_version().policy_arn(&arn).policy_document(&first);
    assert_eq!(code(sixth.send().await), "LimitExceeded");
    let policy = iam.get_policy().policy_arn(&arn).send().await.unwrap().policy.unwrap();
    assert_eq!(policy.default_version_id(), Some("v3"));
    let delete = |id: &str| iam.delete_policy_version().policy_arn(&arn).version_id(id).send();
    assert_eq!(code(delete("v3").await), "DeleteConflict");
    assert_eq!(code(delete("v9").await), "NoSuchEntity");
    delete("v1").await.unwrap();
    let set = iam.set_default_policy_version().policy_arn(&arn);
    assert_eq!(code(set.clone().version_id("v1").send().await), "NoSuchEntity");
    set.version_id("v4").send().await.unwrap();
    assert_eq!(code(iam.delete_policy().policy_arn(&arn).send().await), "DeleteConflict");
    for (form, named) in [("CreateUser", "UserName=alice"), ("CreateGroup", "GroupName=All")] {
        assert_eq!(call(&sandbox, &format!("Action={form}&{named}")).await.0, 200);
    }
    let put = iam.put_group_policy().group_name("All").policy_name("inline");
    put.policy_document(&first).send().await.unwrap();
    iam.attach_group_policy().group_name("All").policy_arn(ADMINISTRATOR).send().await.unwrap();
    sandbox.put_last_used(&Principal::user(name("alice")), "s3:CreateBucket", Duration::ZERO);
    let put = iam.put_user_policy().user_name("alice").policy_name("inline");
    put.policy_document(&first).send().await.unwrap();
    drop(sandbox);

    // Everything is kept, and the number of a deleted version is not used again.
    let sandbox = Sandbox::start(options()).await.unwrap();
    let iam = client(&sandbox);
    let (found, _) = pages(&iam, &[EntityType::User, EntityType::Group], 1_000).await;
    let user = &found[0].user_detail_list()[0].user_policy_list()[0];
    let group = &found[0].group_detail_list()[0];
    for inline in [user, &group.group_policy_list()[0]] {
        assert_eq!(decoded(inline.policy_document()), first);
    }
    assert_eq!(group.attached_managed_policies()[0].policy_arn(), Some(ADMINISTRATOR));
    let alice = found[0].user_detail_list()[0].arn().unwrap();
    let job = iam.generate_service_last_accessed_details().arn(alice).send().await.unwrap();
    let report = iam.get_service_last_accessed_details().job_id(job.job_id().unwrap());
    let report = report.send().await.unwrap();
    let s3 = &report.services_last_accessed()[0];
    assert!(s3.service_namespace() == "s3" && s3.last_authenticated().is_some());
    let sixth = iam.create_policy_version().policy_arn(&arn).policy_document(&first);
    let sixth = sixth.send().await.unwrap().policy_version.unwrap();
    assert_eq!(sixth.version_id(), Some("v6"));
    let mut versions = Vec::new();
    let mut pages =
        iam.list_policy_versions().policy_arn(&arn).max_items(2).into_paginator().send();
    while let Some(page) = pages.next().await {
        for version in page.unwrap().versions() {
            assert_eq!(version.document(), None);
            versions.push((version.version_id().unwrap().to_owned(), version.is_default_version()));
        }
    }
    let expected = [("v6", false), ("v5", false), ("v4", true), ("v3", false), ("v2", false)];
    assert_eq!(versions, expected.map(|(id, is_default)| (id.to_owned(), is_default)));
    let get = |id: &str| iam.get_policy_version().policy_arn(&arn).version_id(id).send();
    let version = get("v6").await.unwrap().policy_version.unwrap();
    assert_eq!(decoded(version.document()), first);
    assert_eq!(code(get("v1").await), "NoSuchEntity");
    for id in ["v2", "v3", "v5", "v6"] {
        iam.delete_policy_version().policy_arn(&arn).version_id(id).send().await.unwrap();
    }
    iam.delete_policy().policy_arn(&arn).send().await.unwrap();
}

#[tokio::test]
async fn the_policies_of_aws_have_documents_and_cannot_be_changed() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let iam = client(&sandbox);
    for (name, version_id, allows) in [
        ("AdministratorAccess", "v1", r#""Action":"*""#),
        ("PowerUserAccess", "v12", r#""NotAction":["iam:*","organizations:*","account:*"]"#),
        ("job-function/ViewOnlyAccess", "v20", r#""s3:ListBucket""#),
    ] {
        let arn = format!("arn:aws:iam::aws:policy/{name}");
        let policy = iam.get_policy().policy_arn(&arn).send().await.unwrap().policy.unwrap();
        assert_eq!(policy.default_version_id(), Some(version_id));
        let version = iam.get_policy_version().policy_arn(&arn).version_id(version_id);
        let version = version.send().await.unwrap().policy_version.unwrap();
        let text = decoded(version.document());
        assert!(version.is_default_version() && text.contains(allows), "{text}");
        let listed = iam.list_policy_versions().policy_arn(&arn).send().await.unwrap();
        assert_eq!(listed.versions().len(), 1);
    }
    let version = iam.create_policy_version().policy_arn(ADMINISTRATOR);
    let version = version.policy_document(document("s3:*")).send().await;
    assert_eq!(code(version), "AccessDenied");
}

/// Those of users and roles can have some.
#[tokio::test]
async fn the_path_of_a_policy_has_no_empty_segment() {
    let sandbox = story().await;
    let iam = client(&sandbox);
    for (path, is_of_policy) in
        [("/", true), ("/a/b=c/", true), ("//", false), ("/a//b/", false), ("/a//", false)]
    {
        let create = iam.create_policy().policy_name("New").policy_document(document("s3:*"));
        let created = create.path(path).send().await;
        assert_eq!(created.is_ok(), is_of_policy, "{path}");
        if let Some(policy) = created.ok().and_then(|created| created.policy) {
            let arn = policy.arn().unwrap();
            assert!(arn.parse::<iam_boundaries::iam::PolicyArn>().is_ok(), "{arn}");
            iam.delete_policy().policy_arn(arn).send().await.unwrap();
        }
        let user = format!("user-{}", path.len());
        let created = iam.create_user().user_name(&user).path(path).send().await;
        assert!(created.is_ok(), "{path}");
        iam.delete_user().user_name(&user).send().await.unwrap();
    }
}

#[tokio::test]
async fn a_malformed_or_large_document_is_refused_and_changes_nothing() {
    let sandbox = story().await;
    let iam = client(&sandbox);
    let developer = "arn:aws:iam::123456789012:policy/Developer";
    let before = sandbox.document(&developer.parse().unwrap()).unwrap();
    let large = document(&"x".repeat(6_144));
    let malformed = ["", "{", "[]", "{}", r#"{"Statement": []}"#, r#"{"Statement": "Allow"}"#];
    let malformed = malformed.map(|text| (text, "MalformedPolicyDocument"));
    for (text, expected) in malformed.into_iter().chain([(large.as_str(), "LimitExceeded")]) {
        let create = iam.create_policy().policy_name("New").policy_document(text);
        assert_eq!(code(create.send().await), expected, "{text}");
        let version = iam.create_policy_version().policy_arn(developer).policy_document(text);
        assert_eq!(code(version.set_as_default(true).send().await), expected, "{text}");
        let put = iam.put_user_policy().user_name("dana").policy_name("new").policy_document(text);
        assert_eq!(code(put.send().await), expected, "{text}");
    }
    assert_eq!(sandbox.document(&developer.parse().unwrap()).unwrap(), before);
    let listed = iam.list_user_policies().user_name("dana").send().await.unwrap();
    assert!(!listed.policy_names().contains(&"new".to_owned()));
}

#[tokio::test]
async fn users_roles_and_groups_have_inline_and_attached_policies() {
    let sandbox = story().await;
    for (holder, name) in [("User", "dana"), ("Role", "image-resizer"), ("Group", "Engineers")] {
        let named = format!("{holder}Name={name}");
        let text = document("s3:PutObject");
        let encoded = form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        for (form, status, said) in [
            (
                format!("Put{holder}Policy&{named}&PolicyName=a b&PolicyDocument={encoded}"),
                400,
                "policyName",
            ),
            (format!("Put{holder}Policy&{named}&PolicyName=one&PolicyDocument={encoded}"), 200, ""),
            (format!("Put{holder}Policy&{named}&PolicyName=two&PolicyDocument={encoded}"), 200, ""),
            (
                format!(
                    "Put{holder}Policy&{holder}Name=nobody&PolicyName=one&PolicyDocument={encoded}"
                ),
                404,
                "nobody",
            ),
            (format!("Get{holder}Policy&{named}&PolicyName=one"), 200, "%3Cs%C3%A9"),
            (format!("Get{holder}Policy&{named}&PolicyName=three"), 404, "policy with name three"),
            (format!("List{holder}Policies&{named}"), 200, "<member>one</member>"),
            (format!("Delete{holder}Policy&{named}&PolicyName=one"), 200, ""),
            (format!("Delete{holder}Policy&{named}&PolicyName=one"), 404, "NoSuchEntity"),
            (format!("Attach{holder}Policy&{named}&PolicyArn={READ_ONLY}"), 200, ""),
            (format!("Attach{holder}Policy&{named}&PolicyArn={READ_ONLY}X"), 404, "not attachable"),
            (format!("Attach{holder}Policy&{named}&PolicyArn={ADMINISTRATOR}"), 200, ""),
            (format!("ListAttached{holder}Policies&{named}"), 200, READ_ONLY),
            (format!("Detach{holder}Policy&{named}&PolicyArn={READ_ONLY}"), 200, ""),
            (format!("Detach{holder}Policy&{named}&PolicyArn={READ_ONLY}"), 404, "NoSuchEntity"),
        ] {
            let (found, body) = call(&sandbox, &format!("Action={form}")).await;
            let said = said.replace("%3Cs%C3%A9", "%3C%C3%A9");
            assert!(found == status && body.contains(&said), "{form}: {found} {body}");
        }
        let (_, body) = call(&sandbox, &format!("Action={DETAILS}&Filter.member.1={holder}")).await;
        let of_holder = body.split(&format!("<{holder}Name>{name}<")).nth(1).unwrap();
        assert!(of_holder.contains("<PolicyName>two</PolicyName><PolicyDocument>%7B%22Ver"));
        assert!(of_holder.contains(ADMINISTRATOR), "{of_holder}");
    }
    let iam = client(&sandbox);
    let got = iam.get_user_policy().user_name("dana").policy_name("two").send().await.unwrap();
    assert_eq!(decoded(Some(got.policy_document())), document("s3:PutObject"));
}

#[tokio::test]
async fn all_inline_policies_of_a_user_share_a_quota() {
    let sandbox = story().await;
    let iam = client(&sandbox);
    let put = |name: &str, size: usize| {
        let put = iam.put_user_policy().user_name("dana").policy_name(name);
        put.policy_document(document(&"x".repeat(size))).send()
    };
    put("one", 1_000).await.unwrap();
    put("one", 1_500).await.unwrap();
    assert_eq!(code(put("two", 500).await), "LimitExceeded");
}

/// All items of the pages, and the number of pages.
async fn pages(iam: &Client, filter: &[EntityType], size: i32) -> (Vec<Details>, Vec<String>) {
    let mut pages = iam
        .get_account_authorization_details()
        .set_filter(Some(filter.to_vec()))
        .max_items(size)
        .into_paginator()
        .send();
    let (mut all, mut items) = (Vec::new(), Vec::new());
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        let users = page.user_detail_list().iter().map(|it| it.arn().unwrap());
        let roles = page.role_detail_list().iter().map(|it| it.arn().unwrap());
        let groups = page.group_detail_list().iter().map(|it| it.arn().unwrap());
        let policies = page.policies().iter().map(|it| it.arn().unwrap());
        let on_page: Vec<String> =
            users.chain(roles).chain(groups).chain(policies).map(str::to_owned).collect();
        assert!(on_page.len() <= size as usize);
        items.extend(on_page);
        all.push(page);
    }
    (all, items)
}

#[tokio::test]
async fn account_pages_of_any_size_have_each_item_of_the_filter_once() {
    let sandbox = story().await;
    let iam = client(&sandbox);
    let kinds = [
        EntityType::User,
        EntityType::Role,
        EntityType::Group,
        EntityType::LocalManagedPolicy,
        EntityType::AwsManagedPolicy,
    ];
    let mut sum = 0;
    for kind in &kinds {
        let (_, items) = pages(&iam, std::slice::from_ref(kind), 1_000).await;
        assert!(!items.is_empty(), "{kind}");
        sum += items.len();
    }
    let (_, all) = pages(&iam, &[], 1_000).await;
    assert_eq!(all.len(), sum, "no filter means all kinds");
    let all: BTreeSet<String> = all.into_iter().collect();
    assert_eq!(all.len(), sum);
    for size in [1, 2, 3, 7, 30, 1_000] {
        let (count, items) = pages(&iam, &kinds, size).await;
        assert_eq!(count.len(), sum.div_ceil(size as usize), "{size}");
        assert_eq!(items.len(), sum, "{size}");
        assert_eq!(items.into_iter().collect::<BTreeSet<_>>(), all, "{size}");
    }
    // Pages that begin before their marker repeat items of every kind, and still end.
    sandbox.faults().add(DETAILS, None, 1_000, Fault::Shifted(-2));
    let (count, items) = pages(&iam, &kinds, 3).await;
    assert_eq!(items.len(), sum + (count.len() - 1) * 2);
    assert_eq!(items.into_iter().collect::<BTreeSet<_>>(), all);
    let sandbox = story().await;
    let iam = client(&sandbox);
    let groups_and_policies = [EntityType::Group, EntityType::LocalManagedPolicy];
    let (found, items) = pages(&iam, &groups_and_policies, 2).await;
    assert_eq!(items.len(), found.len() * 2 - items.len() % 2);
    assert!(items.iter().all(|arn| arn.contains(":group/") || arn.contains(":policy/")));
    assert!(items.iter().any(|arn| arn.contains(":group/")));
    let (status, body) = call(&sandbox, &format!("Action={DETAILS}&Filter.member.1=Policy")).await;
    assert!(status == 400 && body.contains("enum value set"), "{body}");
}

#[tokio::test]
async fn a_policy_on_an_account_page_has_its_versions_and_counts() {
    let start = |lists_boundary_policies| {
        let options = Options { seed: Seed::Story, lists_boundary_policies, ..Options::default() };
        Sandbox::start(options)
    };
    let sandbox = start(false).await.unwrap();
    let developer = "arn:aws:iam::123456789012:policy/Developer".parse().unwrap();
    let original = sandbox.document(&developer).unwrap();
    sandbox.put_document(&developer, &document("s3:*"));
    let dana = Principal::user(name("dana"));
    sandbox.attach_policy(&dana, &developer);
    let call_of = |form: &str| format!("Action=AttachGroupPolicy&GroupName=Agency&{form}");
    assert_eq!(call(&sandbox, &call_of(&format!("PolicyArn={developer}"))).await.0, 200);
    let iam = client(&sandbox);
    let (found, _) = pages(&iam, &[EntityType::LocalManagedPolicy], 1_000).await;
    let policies: BTreeMap<&str, _> =
        found[0].policies().iter().map(|it| (it.policy_name().unwrap(), it)).collect();
    assert_eq!(policies.len(), 4);
    let policy = policies["Developer"];
    assert_eq!(policy.default_version_id(), Some("v2"));
    assert_eq!(policy.attachment_count(), Some(2));
    let boundaries = iam.get_policy().policy_arn(developer.as_str()).send().await.unwrap();
    let boundaries = boundaries.policy.unwrap().permissions_boundary_usage_count();
    assert!(boundaries >= Some(5), "{boundaries:?}");
    assert_eq!(policy.permissions_boundary_usage_count(), boundaries);
    let versions: Vec<_> = policy
        .policy_version_list()
        .iter()
        .map(|it| (it.version_id().unwrap(), it.is_default_version(), decoded(it.document())))
        .collect();
    assert_eq!(versions, [("v2", true, document("s3:*")), ("v1", false, original)]);

    // metrics+export and the auditors have the boundary ReadOnlyAccess.
    let aws = async |sandbox: &Sandbox| {
        let (_, items) = pages(&client(sandbox), &[EntityType::AwsManagedPolicy], 1_000).await;
        items.into_iter().collect::<BTreeSet<_>>()
    };
    let attached = aws(&sandbox).await;
    assert!(attached.contains(ADMINISTRATOR));
    assert!(!attached.contains("arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess"));
    for form in ["User&UserName=auditor", "Role&RoleName=auditor"] {
        let (kind, named) = form.split_once('&').unwrap();
        let boundary = format!("Action=Put{kind}PermissionsBoundary&{named}&PermissionsBoundary");
        let arn = "arn:aws:iam::aws:policy/IAMReadOnlyAccess";
        assert_eq!(call(&sandbox, &format!("{boundary}={arn}")).await.0, 200);
    }
    assert_eq!(aws(&sandbox).await, attached, "a boundary is not an attachment");
    let sandbox = start(true).await.unwrap();
    assert!(aws(&sandbox).await.contains(READ_ONLY));
}

/// What determines the permissions of a user or role: boundary, inline policies, attached policies and groups.
fn combinations(pages: &[Details]) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for page in pages {
        for user in page.user_detail_list() {
            let boundary = user.permissions_boundary().map(|it| it.permissions_boundary_arn());
            let names = user.user_policy_list().iter().map(|it| it.policy_document());
            let inline: Vec<_> = names.collect();
            let attached: Vec<_> =
                user.attached_managed_policies().iter().map(|it| it.policy_arn()).collect();
            let groups = user.group_list();
            all.insert(format!("{boundary:?} {inline:?} {attached:?} {groups:?}"));
        }
    }
    all
}

#[tokio::test]
async fn generated_users_have_few_distinct_combinations_of_policies() {
    let seed = Seed::Generated { users: 2_000, roles: 0 };
    let sandbox = Sandbox::start(Options { seed, ..Options::default() }).await.unwrap();
    let (found, _) = pages(&client(&sandbox), &[EntityType::User], 1_000).await;
    assert_eq!(found.len(), 2);
    assert_eq!(combinations(&found).len(), 47);
    let (found, _) = pages(&client(&sandbox), &[EntityType::Group], 1_000).await;
    for group in found[0].group_detail_list() {
        assert!(!group.group_policy_list().is_empty(), "{:?}", group.group_name());
    }
}

#[tokio::test]
async fn each_policy_that_the_sample_company_uses_has_a_document() {
    let sandbox = story().await;
    let iam = client(&sandbox);
    let (found, _) = pages(&iam, &[], 1_000).await;
    let [page] = found.as_slice() else { panic!("one page") };
    let users = page.user_detail_list();
    let of_users = users.iter().flat_map(|it| it.attached_managed_policies());
    let of_roles = page.role_detail_list().iter().flat_map(|it| it.attached_managed_policies());
    let of_groups = page.group_detail_list().iter().flat_map(|it| it.attached_managed_policies());
    let attached = of_users.chain(of_roles).chain(of_groups).map(|it| it.policy_arn().unwrap());
    let boundaries = users.iter().filter_map(|it| it.permissions_boundary());
    let boundaries = boundaries.map(|it| it.permissions_boundary_arn().unwrap());
    let used: BTreeSet<&str> = attached.chain(boundaries).collect();
    assert!(used.len() > 6, "{used:?}");
    for arn in used {
        let policy = iam.get_policy().policy_arn(arn).send().await.unwrap().policy.unwrap();
        let version = iam.get_policy_version().policy_arn(arn);
        let version = version.version_id(policy.default_version_id().unwrap()).send().await;
        let text = decoded(version.unwrap().policy_version.unwrap().document());
        assert!(text.starts_with(r#"{"Version":"2012-10-17","Statement":[{"#), "{text}");
    }
    let inline = |user: &str| {
        let user = users.iter().find(|it| it.user_name() == Some(user)).unwrap();
        user.user_policy_list().iter().map(|it| it.policy_name().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((inline("alice"), inline("bob")), (vec!["on-call"], vec![]));
}
