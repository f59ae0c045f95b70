//! `GenerateServiceLastAccessedDetails` and `GetServiceLastAccessedDetails`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime};

use sha2::{Digest, Sha256};

use super::account::{Account, Entity, Key, key};
use super::checks::ActionResult;
use super::document::Document;
use super::entities;
use super::jobs::{Job, UsedAction, UsedService};
use super::managed;
use super::page::{Behavior, page_of};
use super::policy::Policies;
use super::request::{ErrorResponse, Request};
use super::services::{self, Actions};
use super::xml::{Xml, element, members, text};
use crate::iam::{PrincipalKind, Timestamp};

/// The principals that a report is about, and the documents that decide which services it lists.
struct Subject<'a> {
    principals: Vec<(&'a Key, &'a Entity)>,
    documents: Vec<&'a Document>,
}

/// Starts a job. Its report has the state of the account now.
pub(super) fn generate(
    account: &mut Account,
    request: &Request,
    behavior: Behavior,
) -> ActionResult {
    let arn = request.required("Arn")?;
    let is_action_level = match request.get("Granularity") {
        None | Some("SERVICE_LEVEL") => false,
        Some("ACTION_LEVEL") => true,
        Some(_) => {
            return Err(ErrorResponse::constraint(
                "Granularity",
                "Member must satisfy enum value set: [SERVICE_LEVEL, ACTION_LEVEL]",
            ));
        }
    };
    let subject = subject(account, request, arn)?;
    let report = report(request, &subject);
    let mut ids = (0..).map(|earlier_jobs| job_id(&request.account, arn, earlier_jobs));
    let id = ids.find(|id| !account.jobs().contains_key(id)).expect("the numbers do not end");
    let job = Job {
        is_action_level,
        created: SystemTime::now(),
        completes: Instant::now() + behavior.job_time,
        job_time: behavior.job_time,
        has_failed: behavior.job_fails,
        report,
    };
    account.put_job(&id, job);
    Ok(Some(vec![text("JobId", id)]))
}

pub(super) fn get(account: &Account, request: &Request, behavior: Behavior) -> ActionResult {
    let id = request.required("JobId")?;
    let job = account.jobs().get(id).ok_or_else(|| {
        ErrorResponse::new(404, "NoSuchEntity", format!("Job with id {id} cannot be found."))
    })?;
    let is_complete = job.completes <= Instant::now();
    let status = match (is_complete, job.has_failed) {
        (false, _) => "IN_PROGRESS",
        (true, false) => "COMPLETED",
        (true, true) => "FAILED",
    };
    let kind = if job.is_action_level { "ACTION_LEVEL" } else { "SERVICE_LEVEL" };
    let mut result = vec![
        text("JobStatus", status),
        text("JobType", kind),
        text("JobCreationDate", timestamp(job.created)?),
    ];
    if is_complete {
        result.push(text("JobCompletionDate", timestamp(job.created + job.job_time)?));
    }
    let has_report = status == "COMPLETED";
    let report = has_report.then_some(&job.report).into_iter().flatten();
    let listed = report.map(|(namespace, used)| (namespace.clone(), (namespace, used)));
    let page = page_of(listed, request, behavior)?;
    let services = page.items.iter().map(|(namespace, used)| {
        service_fields(namespace, used, job.is_action_level, behavior.started)
    });
    let services = services.collect::<Result<Vec<_>, _>>()?;
    result.push(members("ServicesLastAccessed", services));
    result.extend(page.pagination());
    if status == "FAILED" {
        let message = "The report could not be generated.";
        let fields = [text("Message", message), text("Code", "ServiceFailure")];
        result.push(element("Error", fields));
    }
    Ok(Some(result))
}

fn subject<'a>(
    account: &'a Account,
    request: &Request,
    arn: &str,
) -> Result<Subject<'a>, ErrorResponse> {
    let no_such = || {
        let message = format!("ARN {arn} does not exist.");
        ErrorResponse::new(404, "NoSuchEntity", message)
    };
    let invalid = || ErrorResponse::new(400, "InvalidInput", format!("ARN {arn} is not valid."));
    let Request { account: id, partition, .. } = request;
    let prefix = format!("arn:{partition}:iam::");
    let (owner, resource) =
        arn.strip_prefix(&prefix).and_then(|rest| rest.split_once(':')).ok_or_else(invalid)?;
    let (kind, full_name) = resource.split_once('/').ok_or_else(invalid)?;
    let name = full_name.rsplit('/').next().unwrap_or_default();
    let is_own = owner == id;
    let of_policies = |policies: &'a Policies| documents(account, request, policies);
    match kind {
        "user" | "role" if is_own => {
            let kind = match kind {
                "user" => PrincipalKind::User,
                _ => PrincipalKind::Role,
            };
            let found = account.entities().get_key_value(&key(kind, name));
            let (key, entity) = found
                .filter(|(key, entity)| entities::arn(request, key, entity) == arn)
                .ok_or_else(no_such)?;
            let groups = entity.groups.iter().filter_map(|group| account.groups().get(group));
            let all = groups.map(|group| &group.policies).chain([&entity.policies]);
            Ok(Subject {
                principals: vec![(key, entity)],
                documents: all.flat_map(of_policies).collect(),
            })
        }
        "group" if is_own => {
            let group = account.groups().get(name).ok_or_else(no_such)?;
            let is_member = |(_, entity): &(&Key, &Entity)| entity.groups.contains(name);
            Ok(Subject {
                principals: principals(account).filter(is_member).collect(),
                documents: of_policies(&group.policies),
            })
        }
        "policy" => {
            let document = document(account, request, arn).ok_or_else(no_such)?;
            let groups = account.groups().iter();
            let groups: BTreeSet<&String> = groups
                .filter(|(_, group)| group.policies.attached.contains(arn))
                .map(|(name, _)| name)
                .collect();
            let has_policy = |(_, entity): &(&Key, &Entity)| {
                entity.policies.attached.contains(arn)
                    || entity.groups.iter().any(|group| groups.contains(group))
            };
            Ok(Subject {
                principals: principals(account).filter(has_policy).collect(),
                documents: vec![document],
            })
        }
        "user" | "role" | "group" => Err(no_such()),
        _ => Err(invalid()),
    }
}

/// The documents of attached and inline policies.
fn documents<'a>(
    account: &'a Account,
    request: &Request,
    policies: &'a Policies,
) -> Vec<&'a Document> {
    let attached = policies.attached.iter().filter_map(|arn| document(account, request, arn));
    attached.chain(policies.inline.values()).collect()
}

/// The document in force of a managed policy.
fn document<'a>(account: &'a Account, request: &Request, arn: &str) -> Option<&'a Document> {
    match account.policy(arn) {
        Some(policy) => policy.document(),
        None => managed::find(request.partition, arn).map(managed::Managed::document),
    }
}

fn report(request: &Request, subject: &Subject) -> BTreeMap<String, UsedService> {
    let accessible = services::accessible(subject.documents.iter().copied());
    let mut report: BTreeMap<String, UsedService> =
        accessible.into_iter().map(|it| (it.to_owned(), UsedService::default())).collect();
    for (key, entity) in &subject.principals {
        let arn = entities::arn(request, key, entity);
        let mut namespaces = BTreeSet::new();
        for (namespace, action, ago) in entity.last_used.iter() {
            let service = report.entry(namespace.to_owned()).or_default();
            service.entities += usize::from(namespaces.insert(namespace));
            service.last.get_or_insert_with(|| (ago, arn.clone()));
            let latest = |last: &mut UsedAction| {
                if ago < last.0 {
                    *last = (ago, arn.clone());
                }
            };
            service.last.as_mut().into_iter().for_each(latest);
            if let Some(action) = action {
                let last = service.actions.entry(action.to_owned());
                latest(last.or_insert_with(|| (ago, arn.clone())));
            }
        }
    }
    report
}

fn service_fields(
    namespace: &str,
    used: &UsedService,
    is_action_level: bool,
    started: SystemTime,
) -> Result<Vec<Xml>, ErrorResponse> {
    let service = services::find(namespace);
    let name = service.map_or(namespace, |service| service.name);
    let mut fields = vec![
        text("ServiceName", name),
        text("ServiceNamespace", namespace),
        text("TotalAuthenticatedEntities", used.entities),
    ];
    if let Some((ago, entity)) = &used.last {
        fields.push(text("LastAuthenticated", before(started, *ago)?));
        fields.push(text("LastAuthenticatedEntity", entity));
        fields.push(text("LastAuthenticatedRegion", REGION));
    }
    let tracked = service.and_then(|service| service.actions).filter(|_| is_action_level);
    if let Some(actions) = tracked {
        let tracked = tracked_actions(actions, used);
        // IAM leaves the list out if no action in it was used.
        if tracked.values().any(Option::is_some) {
            let each = tracked.into_iter().map(|(action, used)| {
                let mut fields = vec![text("ActionName", action)];
                if let Some((ago, entity)) = used {
                    fields.push(text("LastAccessedEntity", entity));
                    fields.push(text("LastAccessedRegion", REGION));
                    fields.push(text("LastAccessedTime", before(started, *ago)?));
                }
                Ok(fields)
            });
            let each = each.collect::<Result<Vec<_>, ErrorResponse>>()?;
            fields.push(members("TrackedActionsLastAccessed", each));
        }
    }
    Ok(fields)
}

/// The Region of all uses.
const REGION: &str = "eu-central-1";

/// The tracked actions of a service, used or not.
fn tracked_actions(actions: Actions, used: &UsedService) -> BTreeMap<&str, Option<&UsedAction>> {
    let mut all: BTreeMap<&str, _> = actions.tracked.iter().map(|name| (*name, None)).collect();
    let used = used.actions.iter().map(|(name, used)| (name.as_str(), Some(used)));
    all.extend(used.filter(|(name, _)| !actions.data.contains(name)));
    all
}

fn before(started: SystemTime, ago: Duration) -> Result<Timestamp, ErrorResponse> {
    timestamp(started.checked_sub(ago).unwrap_or(SystemTime::UNIX_EPOCH))
}

fn timestamp(time: SystemTime) -> Result<Timestamp, ErrorResponse> {
    Timestamp::of(time)
        .map_err(|error| ErrorResponse::new(500, "ServiceFailure", error.to_string()))
}

/// The ID of a job in the form that IAM uses. It depends only on the ARN and on the number of earlier jobs for it.
fn job_id(account: &str, arn: &str, earlier_jobs: u64) -> String {
    let hash = Sha256::new().chain_update(account).chain_update([0]).chain_update(arn);
    let hash: [u8; 32] = hash.chain_update(earlier_jobs.to_le_bytes()).finalize().into();
    let (bytes, _) = hash.split_first_chunk().expect("a hash has 32 bytes");
    uuid::Builder::from_random_bytes(*bytes).into_uuid().to_string()
}

/// The users and roles of the account.
fn principals(account: &Account) -> impl Iterator<Item = (&Key, &Entity)> {
    account.entities().iter().map(|(key, entity)| (key, &**entity))
}
