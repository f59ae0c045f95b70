//! The search for the requests that led to drift: which events to read next, and what they explain.

use std::collections::{BTreeMap, HashMap};

use super::blame::{BlamedChange, Cause, PlanBlame};
use super::change::{Change, Origin};
use super::content::Plan;
use crate::iam::{PolicyArn, Principal, PrincipalKind, Printable, Timestamp, UniqueId};
use crate::inventory::{BoundaryAction, BoundaryEvent, RecordedRequest, TrailPage};

/// The search for the requests that explain the present boundaries of principals.
///
/// CloudTrail returns the events of one action, the newest first. The search merges those of all actions by time, so that
/// the first event about a principal is the newest one, whatever its action is. It ends where every principal is explained
/// or was created.
#[derive(Debug)]
pub struct BlameSearch {
    region: Printable,
    times: (Timestamp, Timestamp),
    /// The principals without an explanation, by their kind and folded name: no two names differ only in case.
    open: HashMap<(PrincipalKind, String), Target>,
    causes: BTreeMap<Principal, Cause>,
    sources: Vec<Source>,
    unusable: usize,
}

/// The events of one action on one kind of principals.
#[derive(Debug)]
struct Source {
    id: SourceId,
    /// The events that are read and not considered yet.
    pending: Vec<BoundaryEvent>,
    /// The time down to which all events are read; `None` before the first page.
    reached: Option<Timestamp>,
    is_at_end: bool,
}

/// Events that are read page by page.
pub type SourceId = (BoundaryAction, PrincipalKind);

/// A principal whose present boundary is to be explained.
#[derive(Debug)]
struct Target {
    principal: Principal,
    unique_id: Option<UniqueId>,
    /// The present boundary.
    boundary: Option<PolicyArn>,
    created: Option<Timestamp>,
    /// The newest request, if it left another boundary. One of the same second can be the later one.
    newest: Option<RecordedRequest>,
}

/// The most seconds by which the time of the event of a creation can be before the creation date.
const CREATION: i64 = 60;

impl BlameSearch {
    /// The search for the causes of the drift of `plan`; of all its changes, if it has no base. `created` are the creation
    /// dates of the principals, as far as they are known.
    pub fn new(
        plan: &Plan,
        created: &HashMap<Principal, Timestamp>,
        region: &str,
        now: Timestamp,
    ) -> BlameSearch {
        let is_looked_up = |change: &&Change| change.origin != Some(Origin::ThisChange);
        let target = |change: &Change| {
            let principal = change.principal.clone();
            let target = Target {
                unique_id: change.unique_id.clone(),
                boundary: change.boundary.from().cloned(),
                created: created.get(&principal).copied(),
                newest: None,
                principal,
            };
            (key(&target.principal), target)
        };
        let sources = PrincipalKind::ALL.into_iter().flat_map(|kind| {
            BoundaryAction::ALL.into_iter().map(move |action| Source {
                id: (action, kind),
                pending: Vec::new(),
                reached: None,
                is_at_end: false,
            })
        });
        BlameSearch {
            region: Printable::exact(region),
            times: (now.minus_days(PlanBlame::DAYS), now),
            open: plan.changes.iter().filter(is_looked_up).map(target).collect(),
            causes: BTreeMap::new(),
            sources: sources.collect(),
            unusable: 0,
        }
    }

    /// The events of which the next page is needed: those that are read least far. `None` if the search has ended.
    pub fn next(&self) -> Option<SourceId> {
        let unread = self.sources.iter().filter(|source| self.is_needed(source));
        // Before the first page, the time is that of the search.
        let reached = |source: &&Source| source.reached.unwrap_or(self.times.1);
        unread.max_by_key(reached).map(|source| source.id)
    }

    /// Adds the next page of these events.
    pub fn add(&mut self, id: SourceId, page: TrailPage) {
        let TrailPage { events, oldest, unusable, is_last } = page;
        self.unusable += unusable;
        if let Some(source) = self.sources.iter_mut().find(|source| source.id == id) {
            source.pending.extend(events);
            source.reached = oldest.into_iter().chain(source.reached).min();
            source.is_at_end = is_last;
        }
        self.consider();
    }

    /// The result. `failure` says why the search ended early, if it did.
    pub fn finish(mut self, failure: Option<Printable>) -> PlanBlame {
        for target in std::mem::take(&mut self.open).into_values() {
            let cause = match &failure {
                Some(why) => Cause::NotLookedUp { why: why.clone() },
                None => not_found(target.newest),
            };
            self.causes.insert(target.principal, cause);
        }
        let causes = self.causes.into_iter();
        PlanBlame {
            region: self.region,
            times: self.times,
            unusable: self.unusable,
            changes: causes.map(|(principal, cause)| BlamedChange { principal, cause }).collect(),
        }
    }

    /// Whether an event that is not read yet can explain an open principal.
    fn is_needed(&self, source: &Source) -> bool {
        !source.is_at_end && self.open.values().any(|target| self.can_explain(source, target))
    }

    fn can_explain(&self, source: &Source, target: &Target) -> bool {
        let (action, kind) = source.id;
        let Some(created) = target.created.filter(|_| kind == target.principal.kind) else {
            return kind == target.principal.kind;
        };
        let reached = source.reached.unwrap_or(self.times.1);
        match action {
            // CloudTrail does not have the creation any more.
            BoundaryAction::Create if seconds_before(self.times.0, created) > CREATION => false,
            BoundaryAction::Create => seconds_before(created, reached) <= CREATION,
            BoundaryAction::Set | BoundaryAction::Remove => reached >= created,
        }
    }

    /// Considers the events down to the time at which all needed events are read, the newest first.
    fn consider(&mut self) {
        loop {
            let needed = self.sources.iter().filter(|source| self.is_needed(source));
            let Some(times) = needed.map(|source| source.reached).collect::<Option<Vec<_>>>() else {
                return;
            };
            let horizon = times.into_iter().max();
            // Another event can have the time of the horizon.
            let is_known =
                |event: &BoundaryEvent| horizon.is_none_or(|horizon| event.request.time > horizon);
            let newest = |source: &Source| {
                let times = source.pending.iter().filter(|event| is_known(event));
                times.map(|event| event.request.time).max()
            };
            let Some(time) = self.sources.iter().filter_map(newest).max() else { return };
            let mut events = Vec::new();
            for source in &mut self.sources {
                let at_time = |event: &mut BoundaryEvent| event.request.time == time;
                events.extend(source.pending.extract_if(.., at_time));
            }
            self.consider_second(events);
        }
    }

    /// Considers all events of one second. Their order is not known, so the one that explains the boundary counts.
    fn consider_second(&mut self, events: Vec<BoundaryEvent>) {
        for event in events {
            if let Some(target) = self.open.get_mut(&key(&event.principal))
                && let Some(cause) = target.consider(event)
            {
                self.close(&cause.0, cause.1);
            }
        }
        let contradicted: Vec<Principal> = self
            .open
            .values()
            .filter(|target| target.newest.is_some())
            .map(|target| target.principal.clone())
            .collect();
        for principal in contradicted {
            let newest = self.open.get_mut(&key(&principal)).and_then(|it| it.newest.take());
            self.close(&principal, not_found(newest));
        }
    }

    fn close(&mut self, principal: &Principal, cause: Cause) {
        self.open.remove(&key(principal));
        self.causes.insert(principal.clone(), cause);
    }
}

impl Target {
    /// What the event explains, if it decides.
    fn consider(&mut self, event: BoundaryEvent) -> Option<(Principal, Cause)> {
        let BoundaryEvent { unique_id, boundary, request, .. } = event;
        // IAM never reuses a unique ID, but the name of a principal that was deleted.
        let is_of_another = match (request.action, &unique_id, &self.unique_id) {
            (BoundaryAction::Create, Some(created), Some(own)) => created != own,
            (BoundaryAction::Create, ..) => {
                self.created.is_some_and(|at| seconds_before(request.time, at) > CREATION)
            }
            _ => self.created.is_some_and(|at| request.time < at),
        };
        let cause = if is_of_another {
            not_found(None)
        } else if boundary == self.boundary {
            Cause::Request { request: Box::new(request), run: None }
        } else {
            self.newest.get_or_insert(request);
            return None;
        };
        Some((self.principal.clone(), cause))
    }
}

fn not_found(newest: Option<RecordedRequest>) -> Cause {
    Cause::NotFound { newest: newest.map(Box::new) }
}

fn key(principal: &Principal) -> (PrincipalKind, String) {
    (principal.kind, principal.name.as_str().to_ascii_lowercase())
}

/// The number of seconds from `earlier` to `later`; negative if it is later.
fn seconds_before(earlier: Timestamp, later: Timestamp) -> i64 {
    later.unix_seconds() - earlier.unix_seconds()
}
