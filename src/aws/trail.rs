//! The events of IAM in CloudTrail.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::{Region, SdkConfig};
use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::operation::lookup_events::LookupEventsOutput;
use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};

use super::call_context::CallContext;
use super::call_executor::CallExecutor;
use super::error::CallFailure;
use super::limiter::{LimiterOptions, MaxRate};
use super::page_tokens::PageTokens;
use super::rate_limiter::RateLimiter;
use super::response_check::ResponseCheck;
use super::retries::Outage;
use super::retry_policy::RetryPolicy;
use super::stop::Stop;
use super::trail_event::{self, Unusable};
use super::waits::PendingCall;
use crate::iam::{Partition, PrincipalKind, Rate, Timestamp};
use crate::inventory::{ApiError, BoundaryAction, TrailPage};

const LOOKUP: &str = "cloudtrail:LookupEvents";
/// The maximum rate of the calls: AWS accepts two each second, for each account and Region
/// ([LookupEvents](https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html)).
const MAX_RATE: f64 = 2.0;
/// The time after which CloudTrail counts as unavailable: a plan is complete without the events.
const RETRY_FOR: Duration = Duration::from_secs(10);
/// The pages are read one after the other: each has the token of the next one.
const OPTIONS: LimiterOptions = LimiterOptions { max_in_flight: 1, expected_calls: 20 };
/// The maximum number of events on a page, which is also the default (LookupEvents).
const PAGE_SIZE: i32 = 50;
/// The maximum number of empty pages in a row.
const MAX_EMPTY_PAGES: usize = 100;

/// Looks up the events of an account in the home Region of its partition.
///
/// LookupEvents returns events in the Region where they occurred. For IAM, that is US East (N. Virginia) in the partition
/// `aws`
/// ([update-trail](https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-create-and-update-a-trail-by-using-the-aws-cli-update-trail.html)).
/// For the other partitions, AWS documents only the Region of IAM's endpoint
/// ([IAM endpoints](https://docs.aws.amazon.com/general/latest/gr/iam-service.html)), and the same is assumed of them.
#[derive(Debug)]
pub struct Trail {
    client: Client,
    region: &'static str,
    executor: CallExecutor,
    pending: PendingCall,
    pages: usize,
}

/// A query for the events of one action, the newest first, and how far it is read.
#[derive(Debug)]
pub struct TrailQuery {
    action: BoundaryAction,
    kind: PrincipalKind,
    tokens: PageTokens,
}

impl TrailQuery {
    /// The events of an action on principals of this kind.
    pub fn new(action: BoundaryAction, kind: PrincipalKind) -> TrailQuery {
        TrailQuery { action, kind, tokens: PageTokens::new(LOOKUP, MAX_EMPTY_PAGES) }
    }
}

impl Trail {
    pub(super) fn new(config: &SdkConfig, partition: Partition, context: &CallContext) -> Trail {
        let region = partition.home_region();
        let config = aws_sdk_cloudtrail::config::Builder::from(config)
            .region(Region::from_static(region))
            .retry_config(RetryConfig::disabled())
            .interceptor(ResponseCheck::of(context))
            .build();
        let max_rate = MaxRate::new(Rate::per_second(MAX_RATE).ok());
        let rate_limiter = RateLimiter::new(OPTIONS, Arc::new(Mutex::new(max_rate)));
        // Responses of IAM say nothing about CloudTrail.
        let context = CallContext { outage: Outage::default(), ..context.clone() };
        let pending = context.waits.begin(LOOKUP);
        let policy = RetryPolicy { retry_for: RETRY_FOR, ..RetryPolicy::default() };
        let executor = CallExecutor::new(LOOKUP, policy, rate_limiter, context);
        Trail { client: Client::from_conf(config), region, executor, pending, pages: 0 }
    }

    /// The Region whose events are looked up.
    pub fn region(&self) -> &'static str {
        self.region
    }

    /// The next page of the events that `query` is for, which reach back 90 days.
    ///
    /// # Errors
    /// If the call fails after its retries, or the response cannot be used.
    pub async fn next_page(&mut self, query: &mut TrailQuery) -> Result<TrailPage, ApiError> {
        let name = query.action.event_name(query.kind);
        let attribute = LookupAttribute::builder()
            .attribute_key(LookupAttributeKey::EventName)
            .attribute_value(name)
            .build()
            .map_err(|error| ApiError::unreadable(LOOKUP, &error.to_string()))?;
        let call = || async {
            let request = self.client.lookup_events().lookup_attributes(attribute.clone());
            let sent = request.max_results(PAGE_SIZE).set_next_token(query.tokens.next()).send();
            sent.await.map_err(|error| CallFailure::from_sdk(LOOKUP, error))
        };
        let end = self.executor.execute(&Stop::never(), call, |_| {}).await;
        let response = end.into_only_result(LOOKUP)?;
        let page = query.take(response)?;
        self.pages += 1;
        let back_to = page.oldest.map(|it| format!(", back to {}", it.to_the_minute()));
        self.pending.progress(format!(
            "CloudTrail events: {} read{}",
            if self.pages == 1 { "1 page".to_owned() } else { format!("{} pages", self.pages) },
            back_to.unwrap_or_default()
        ));
        Ok(page)
    }
}

impl TrailQuery {
    fn take(&mut self, response: LookupEventsOutput) -> Result<TrailPage, ApiError> {
        // AWS returns an empty list, and no response without one.
        let events = response
            .events
            .ok_or_else(|| ApiError::unreadable(LOOKUP, "the response contains no list"))?;
        let mut page = TrailPage::default();
        for event in &events {
            let time = time_of(event);
            page.oldest = time.into_iter().chain(page.oldest).min();
            let text = event.cloud_trail_event().unwrap_or_default();
            match trail_event::parsed(text, self.action, self.kind) {
                Ok(event) => page.events.extend(event),
                Err(Unusable(why)) => {
                    let id = crate::iam::Printable::exact(event.event_id().unwrap_or("without ID"));
                    tracing::info!("the event {id} of CloudTrail cannot be used: {why}");
                    page.unusable += 1;
                }
            }
        }
        let is_empty = events.is_empty();
        match response.next_token.filter(|next| !next.is_empty()) {
            None => {
                self.tokens.count(is_empty)?;
                page.is_last = true;
            }
            Some(next) => self.tokens.advance(is_empty, next)?,
        }
        Ok(page)
    }
}

fn time_of(event: &Event) -> Option<Timestamp> {
    let time = std::time::SystemTime::try_from(*event.event_time()?).ok()?;
    Timestamp::of(time).ok()
}
