//! What users and roles used last: a job for each of them, and its report.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_iam::operation::get_service_last_accessed_details::GetServiceLastAccessedDetailsOutput;
use aws_sdk_iam::types::{AccessAdvisorUsageGranularityType, JobStatusType, ServiceLastAccessed};
use aws_smithy_types::DateTime;
use futures::{StreamExt, stream};
use tokio::time::{Instant, sleep};

use super::call_executor::CallExecutor;
use super::error::CallFailure;
use super::pages::{NO_NEW_MARKER, UNEXPECTED_MARKER};
use super::reader::{MAX_READS_IN_FLIGHT, Reader};
use crate::iam::{Principal, Printable, Timestamp};
use crate::inventory::{ApiError, ErrorClass, LastUsed, UsedService};

const GENERATE: &str = "iam:GenerateServiceLastAccessedDetails";
const GET: &str = "iam:GetServiceLastAccessedDetails";
/// The time before a job is asked for its report for the first time. It doubles up to [`MAX_POLL`].
const FIRST_POLL: Duration = Duration::from_millis(500);
const MAX_POLL: Duration = Duration::from_secs(8);
/// The time after which a job counts as failed. AWS documents no time; jobs usually take seconds.
const MAX_JOB_TIME: Duration = Duration::from_mins(5);
/// The maximum number of pages of a report: services of which a page has at most 100.
const MAX_PAGES: usize = 100;

impl Reader {
    /// What each of these principals used last. If the caller may not read the first report, the others are not
    /// requested.
    ///
    /// # Errors
    /// Only errors that concern every principal.
    pub(super) async fn last_used(
        &self,
        arns: &[(Principal, Printable)],
    ) -> Result<LastUsed, ApiError> {
        let Some((first, others)) = arns.split_first() else { return Ok(LastUsed::new()) };
        let [generate, get] =
            &[GENERATE, GET].map(|action| self.executor(action, MAX_READS_IN_FLIGHT, arns.len()));
        let (done, pending) = (AtomicUsize::new(0), self.begin(GET));
        let progress = || {
            let done = done.load(Ordering::Relaxed);
            pending
                .progress(format!("last accessed reports: {done} of {} are complete", arns.len()));
        };
        progress();
        let report = async |(principal, arn): &(Principal, Printable)| {
            let report = self.report(generate, get, arn).await;
            done.fetch_add(1, Ordering::Relaxed);
            progress();
            (principal.clone(), report)
        };
        let (principal, read) = report(first).await;
        if let Err(error) = &read {
            match error.class {
                ErrorClass::Credentials => return Err(error.clone()),
                ErrorClass::Denied => {
                    return Ok(arns
                        .iter()
                        .map(|(it, _)| (it.clone(), Err(error.clone())))
                        .collect());
                }
                _ => {}
            }
        }
        let mut reports = LastUsed::from([(principal, read)]);
        let mut rest = stream::iter(others).map(report).buffer_unordered(MAX_READS_IN_FLIGHT);
        while let Some((principal, read)) = rest.next().await {
            match read {
                Err(error) if error.class == ErrorClass::Credentials => return Err(error),
                read => reports.insert(principal, read),
            };
        }
        Ok(reports)
    }

    async fn report(
        &self,
        generate: &CallExecutor,
        get: &CallExecutor,
        arn: &Printable,
    ) -> Result<Vec<UsedService>, ApiError> {
        let start = || async {
            let request = self.iam.generate_service_last_accessed_details().arn(arn.as_str());
            let request = request.granularity(AccessAdvisorUsageGranularityType::ActionLevel);
            request.send().await.map_err(|error| CallFailure::from_sdk(GENERATE, error))
        };
        let job = self.call(generate, start).await?;
        let job = job
            .job_id()
            .filter(|id| !id.is_empty())
            .ok_or_else(|| ApiError::unreadable(GENERATE, "the response contains no job ID"))?;
        let mut page = self.completed(get, job).await?;
        let (mut services, mut markers) = (Vec::new(), HashSet::new());
        for _ in 0..MAX_PAGES {
            for service in page.services_last_accessed() {
                services.extend(used(service)?);
            }
            let marker = page.marker().filter(|marker| !marker.is_empty());
            let marker = match (page.is_truncated(), marker) {
                (false, None) => return Ok(services),
                (true, Some(marker)) if markers.insert(marker.to_owned()) => marker.to_owned(),
                // A service on a page that is not read would count as unused.
                (false, Some(_)) => return Err(ApiError::unreadable(GET, UNEXPECTED_MARKER)),
                (true, _) => return Err(ApiError::unreadable(GET, NO_NEW_MARKER)),
            };
            page = self.page(get, job, Some(marker)).await?;
        }
        Err(ApiError::beyond_limit(GET, "the report has more than 100 pages"))
    }

    /// The first page of the report, once the job is complete.
    async fn completed(
        &self,
        get: &CallExecutor,
        job: &str,
    ) -> Result<GetServiceLastAccessedDetailsOutput, ApiError> {
        let (began, mut poll) = (Instant::now(), FIRST_POLL);
        loop {
            sleep(poll).await;
            poll = (poll * 2).min(MAX_POLL);
            let page = self.page(get, job, None).await?;
            match page.job_status() {
                JobStatusType::Completed => return Ok(page),
                JobStatusType::InProgress if began.elapsed() < MAX_JOB_TIME => {}
                JobStatusType::InProgress => {
                    return Err(ApiError::unreadable(
                        GET,
                        "the job is not complete after 5 minutes",
                    ));
                }
                _ => {
                    let error = page.error();
                    let error = error.map(|it| format!(": {}: {}", it.code(), it.message()));
                    let error = error.unwrap_or_default();
                    return Err(ApiError::unreadable(GET, &format!("the job failed{error}")));
                }
            }
        }
    }

    async fn page(
        &self,
        get: &CallExecutor,
        job: &str,
        marker: Option<String>,
    ) -> Result<GetServiceLastAccessedDetailsOutput, ApiError> {
        let call = || async {
            let request = self.iam.get_service_last_accessed_details().job_id(job);
            let sent = request.set_marker(marker.clone()).send().await;
            sent.map_err(|error| CallFailure::from_sdk(GET, error))
        };
        self.call(get, call).await
    }
}

/// The service, if it was used.
fn used(service: &ServiceLastAccessed) -> Result<Option<UsedService>, ApiError> {
    let Some(last) = service.last_authenticated() else { return Ok(None) };
    let mut actions = Vec::new();
    for action in service.tracked_actions_last_accessed() {
        if let (Some(name), Some(time)) = (action.action_name(), action.last_accessed_time()) {
            actions.push((Printable::exact(name), timestamp(time)?));
        }
    }
    let namespace = Printable::exact(service.service_namespace());
    Ok(Some(UsedService { namespace, last: timestamp(last)?, actions }))
}

fn timestamp(time: &DateTime) -> Result<Timestamp, ApiError> {
    let time = std::time::SystemTime::try_from(*time).ok().and_then(|it| Timestamp::of(it).ok());
    time.ok_or_else(|| ApiError::unreadable(GET, "a time in the response is not valid"))
}
