//! The actions on managed policies and their versions.

use super::account::Account;
use super::checks::{ActionResult, CREATED, checked_policy_name, checked_policy_path};
use super::document::Document;
use super::managed::{self, Managed};
use super::page::{Behavior, page_of};
use super::policy::{MAX_VERSIONS, Policy};
use super::policy_usage::{PolicyCounts, PolicyUsage};
use super::request::{ErrorResponse, Request};
use super::xml::{Xml, element, members, text};
use super::{checks, unique_id};

/// The maximum size of a document, in characters without whitespace
/// ([quotas](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)).
const MAX_SIZE: usize = 6_144;

/// A managed policy of the account or of AWS.
enum Found<'a> {
    Customer(&'a Policy),
    Aws(Managed),
}

/// A version of a managed policy.
struct FoundVersion<'a> {
    id: String,
    is_default: bool,
    document: &'a Document,
}

impl<'a> Found<'a> {
    fn versions(&self) -> Vec<FoundVersion<'a>> {
        match self {
            Found::Customer(policy) => versions(policy),
            Found::Aws(managed) => vec![default_version_of(*managed)],
        }
    }
}

fn versions(policy: &Policy) -> Vec<FoundVersion<'_>> {
    let versions = policy.versions().map(|version| FoundVersion {
        id: version.id(),
        is_default: policy.is_default(version),
        document: &version.document,
    });
    versions.collect()
}

fn default_version_of(managed: Managed) -> FoundVersion<'static> {
    FoundVersion { id: managed.version_id(), is_default: true, document: managed.document() }
}

pub(super) fn get(account: &Account, request: &Request) -> ActionResult {
    let (arn, found) = found(account, request)?;
    let counts = PolicyUsage::of(account).counts(arn);
    let fields = match found {
        Found::Customer(policy) => customer_fields(arn, policy, counts),
        Found::Aws(managed) => managed_fields(arn, managed, counts),
    };
    Ok(Some(vec![element("Policy", fields)]))
}

pub(super) fn get_version(account: &Account, request: &Request) -> ActionResult {
    let (arn, found) = found(account, request)?;
    let id = request.required("VersionId")?;
    let version = found.versions().into_iter().find(|version| version.id == id);
    let version = version.ok_or_else(|| no_such_version(arn, id))?;
    let mut fields = version_fields(&version);
    fields.push(version.document.field("Document"));
    Ok(Some(vec![element("PolicyVersion", fields)]))
}

/// The documents are not in the response
/// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyVersions.html>).
pub(super) fn list_versions(
    account: &Account,
    request: &Request,
    behavior: Behavior,
) -> ActionResult {
    let (_, found) = found(account, request)?;
    let versions = found.versions().into_iter().map(|version| (version.id.clone(), version));
    let page = page_of(versions, request, behavior)?;
    let mut result = vec![members("Versions", page.items.iter().map(version_fields))];
    result.extend(page.pagination());
    Ok(Some(result))
}

pub(super) fn create(account: &mut Account, request: &Request) -> ActionResult {
    let name = checked_policy_name(request)?;
    let path = checked_policy_path(request)?;
    let document = checked_document(request)?;
    let (partition, owner) = (request.partition, &request.account);
    let arn = format!("arn:{partition}:iam::{owner}:policy{path}{name}");
    if account.policies().values().any(|policy| policy.name.eq_ignore_ascii_case(name)) {
        let message =
            format!("A policy called {name} already exists. Duplicate names are not allowed.");
        return Err(ErrorResponse::new(409, "EntityAlreadyExists", message));
    }
    account.put_policy(&arn, path, name, document);
    get_created(account, &arn)
}

fn get_created(account: &Account, arn: &str) -> ActionResult {
    let policy = account.policy(arn).ok_or_else(|| no_such_policy(arn))?;
    let fields = customer_fields(arn, policy, PolicyUsage::of(account).counts(arn));
    Ok(Some(vec![element("Policy", fields)]))
}

pub(super) fn create_version(account: &mut Account, request: &Request) -> ActionResult {
    let policy = modifiable_policy(account, request)?;
    let document = checked_document(request)?;
    if policy.versions().len() >= MAX_VERSIONS {
        let message = format!(
            "A managed policy can have up to {MAX_VERSIONS} versions. Before you create a new version, you must \
             delete an existing version."
        );
        return Err(ErrorResponse::new(409, "LimitExceeded", message));
    }
    let number = policy.add_version(document);
    if request.get("SetAsDefault") == Some("true") {
        policy.set_default(number);
    }
    let created = versions(policy).into_iter().next();
    Ok(created.map(|version| vec![element("PolicyVersion", version_fields(&version))]))
}

pub(super) fn set_default_version(account: &mut Account, request: &Request) -> ActionResult {
    let policy = modifiable_policy(account, request)?;
    policy.set_default(version_number(policy, request)?);
    Ok(None)
}

pub(super) fn delete_version(account: &mut Account, request: &Request) -> ActionResult {
    let policy = modifiable_policy(account, request)?;
    let number = version_number(policy, request)?;
    if request.get("VersionId") == Some(&policy.default_version_id()) {
        let message = "Cannot delete the default version of a policy.";
        return Err(ErrorResponse::new(409, "DeleteConflict", message));
    }
    policy.remove_version(number);
    Ok(None)
}

pub(super) fn delete(account: &mut Account, request: &Request) -> ActionResult {
    let arn = request.required("PolicyArn")?;
    let policy = account.policy(arn).ok_or_else(|| no_such_policy(arn))?;
    let counts = PolicyUsage::of(account).counts(arn);
    let conflict = |message| Err(ErrorResponse::new(409, "DeleteConflict", message));
    if counts.attachments > 0 {
        return conflict("Cannot delete a policy attached to entities.");
    }
    if counts.boundaries > 0 {
        return conflict("Cannot delete a policy that is a permissions boundary of an entity.");
    }
    if policy.versions().len() > 1 {
        return conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the \
                         policy's versions. The default version is deleted with the policy.",
        );
    }
    account.remove_policy(arn);
    Ok(None)
}

/// The policy that the request names.
fn found<'a>(
    account: &'a Account,
    request: &'a Request,
) -> Result<(&'a str, Found<'a>), ErrorResponse> {
    let arn = request.required("PolicyArn")?;
    let customer = account.policy(arn).map(Found::Customer);
    let found = customer.or_else(|| managed::find(request.partition, arn).map(Found::Aws));
    found.map(|found| (arn, found)).ok_or_else(|| no_such_policy(arn))
}

/// The customer managed policy that the request names. Nobody can change a policy of AWS.
fn modifiable_policy<'a>(
    account: &'a mut Account,
    request: &Request,
) -> Result<&'a mut Policy, ErrorResponse> {
    let arn = request.required("PolicyArn")?;
    if managed::find(request.partition, arn).is_some() {
        let message = format!("Policy {arn} is managed by AWS and cannot be modified.");
        return Err(ErrorResponse::new(403, "AccessDenied", message));
    }
    account.policy_mut(arn).ok_or_else(|| no_such_policy(arn))
}

fn version_number(policy: &Policy, request: &Request) -> Result<u32, ErrorResponse> {
    let (arn, id) = (request.required("PolicyArn")?, request.required("VersionId")?);
    policy.version(id).map(|version| version.number).ok_or_else(|| no_such_version(arn, id))
}

fn checked_document(request: &Request) -> Result<Document, ErrorResponse> {
    let document = checks::checked_document(request)?;
    if document.size() > MAX_SIZE {
        let message = format!("Cannot exceed quota for PolicySize: {MAX_SIZE}");
        return Err(ErrorResponse::new(409, "LimitExceeded", message));
    }
    Ok(document)
}

pub(super) fn no_such_policy(arn: &str) -> ErrorResponse {
    ErrorResponse::new(404, "NoSuchEntity", format!("Policy {arn} was not found."))
}

fn no_such_version(arn: &str, id: &str) -> ErrorResponse {
    let message = format!("Policy {arn} version {id} does not exist or is not attachable.");
    ErrorResponse::new(404, "NoSuchEntity", message)
}

/// A customer managed policy on an account page.
pub(super) fn customer_detail(arn: &str, policy: &Policy, counts: PolicyCounts) -> Vec<Xml> {
    let mut fields = customer_fields(arn, policy, counts);
    fields.push(version_list(&versions(policy)));
    fields
}

/// An AWS managed policy on an account page.
pub(super) fn managed_detail(arn: &str, managed: Managed, counts: PolicyCounts) -> Vec<Xml> {
    let mut fields = managed_fields(arn, managed, counts);
    fields.push(version_list(&[default_version_of(managed)]));
    fields
}

fn version_list(versions: &[FoundVersion]) -> Xml {
    let with_document = |version: &FoundVersion| {
        let mut fields = vec![version.document.field("Document")];
        fields.extend(version_fields(version));
        fields
    };
    members("PolicyVersionList", versions.iter().map(with_document))
}

fn version_fields(version: &FoundVersion) -> Vec<Xml> {
    vec![
        text("VersionId", &version.id),
        text("IsDefaultVersion", version.is_default),
        text("CreateDate", CREATED),
    ]
}

fn customer_fields(arn: &str, policy: &Policy, counts: PolicyCounts) -> Vec<Xml> {
    policy_fields(arn, [&policy.path, &policy.name, &policy.default_version_id()], counts)
}

fn managed_fields(arn: &str, managed: Managed, counts: PolicyCounts) -> Vec<Xml> {
    policy_fields(arn, [managed.path(), managed.name(), &managed.version_id()], counts)
}

fn policy_fields(
    arn: &str,
    [path, name, default_version]: [&str; 3],
    counts: PolicyCounts,
) -> Vec<Xml> {
    vec![
        text("PolicyName", name),
        text("PolicyId", unique_id::of_policy(arn)),
        text("Arn", arn),
        text("Path", path),
        text("DefaultVersionId", default_version),
        text("AttachmentCount", counts.attachments),
        text("PermissionsBoundaryUsageCount", counts.boundaries),
        // Also true for the policies of service-linked roles, which can be attached to those roles.
        text("IsAttachable", true),
        text("CreateDate", CREATED),
        text("UpdateDate", CREATED),
    ]
}
