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
            (target.principal.folded(), target)
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
            BoundaryAction::Create if seconds_before(created, self.times.0) > CREATION => false,
            BoundaryAction::Create => seconds_before(reached, created) <= CREATION,
            BoundaryAction::Set | BoundaryAction::Remove => reached >= created,
        }
    }

    /// Considers the events down to the time at which all needed events are read, the newest first.
    fn consider(&mut self) {
        loop {
            let needed = self.sources.iter().filter(|source| self.is_needed(source));
            let Some(times) = needed.map(|source| source.reached).collect::<Option<Vec<_>>>()
            else {
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
            if let Some(target) = self.open.get_mut(&event.principal.folded())
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
            let newest = self.open.get_mut(&principal.folded()).and_then(|it| it.newest.take());
            self.close(&principal, not_found(newest));
        }
    }

    fn close(&mut self, principal: &Principal, cause: Cause) {
        self.open.remove(&principal.folded());
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

/// The number of seconds from `earlier` to `later`; negative if it is later.
fn seconds_before(earlier: Timestamp, later: Timestamp) -> i64 {
    later.unix_seconds() - earlier.unix_seconds()
}

#[cfg(test)]
mod tests {
    use super::super::source::PlanSource;
    use super::*;
    use crate::config::Provenance;
    use crate::iam::{BoundaryChange, Digest};
    use crate::inventory::RecordedIdentity;

    const NOW: &str = "2026-11-28T12:00:00Z";
    const USER: PrincipalKind = PrincipalKind::User;

    fn arn(name: &str) -> PolicyArn {
        format!("arn:aws:iam::123456789012:policy/{name}").parse().unwrap()
    }

    fn user(name: &str) -> Principal {
        Principal::user(name.parse().unwrap())
    }

    fn id(n: u32) -> UniqueId {
        format!("AIDA00000000000{n:05}").parse().unwrap()
    }

    /// A search for users with the boundary `A`, created on these days.
    fn search(users: &[(&str, &str)]) -> BlameSearch {
        let source = PlanSource::file("boundaries.toml".into(), Digest::of(""));
        let mut plan = Plan::empty("123456789012".parse().unwrap(), source);
        let mut created = HashMap::new();
        for (line, (name, day)) in (1..).zip(users) {
            plan.changes.push(Change {
                principal: user(name),
                unique_id: Some(id(1)),
                boundary: BoundaryChange::Remove { from: arn("A") },
                provenance: Provenance::entry(&"boundaries.toml".into(), line, None),
                reason: None,
                expired: None,
                origin: None,
                widening: None,
            });
            created.insert(user(name), format!("{day}T00:00:00Z").parse().unwrap());
        }
        BlameSearch::new(&plan, &created, "us-east-1", NOW.parse().unwrap())
    }

    /// An event at this time of 2026-11.
    fn event(
        action: BoundaryAction,
        name: &str,
        policy: Option<&str>,
        time: &str,
    ) -> BoundaryEvent {
        let by = RecordedIdentity {
            kind: "IAMUser".into(),
            arn: None,
            name: None,
            account: None,
            session_issuer: None,
            source_identity: None,
            invoked_by: None,
        };
        let request = RecordedRequest {
            action,
            time: format!("2026-11-{time}Z").parse().unwrap(),
            by,
            address: None,
            user_agent: None,
            request_id: None,
            event_id: Some(time.into()),
        };
        let boundary = policy.map(arn);
        BoundaryEvent { principal: user(name), unique_id: None, boundary, request }
    }

    fn page(events: Vec<BoundaryEvent>, is_last: bool) -> TrailPage {
        let oldest = events.iter().map(|event| event.request.time).min();
        TrailPage { events, oldest, unusable: 0, is_last }
    }

    /// The results: the time of the request, `newest TIME`, `none` or `failed`.
    fn results(search: BlameSearch) -> Vec<String> {
        let time = |request: &RecordedRequest| request.event_id.clone().unwrap().to_string();
        let result = |change: BlamedChange| match change.cause {
            Cause::Request { request, .. } => time(&request),
            Cause::NotFound { newest: Some(newest) } => format!("newest {}", time(&newest)),
            Cause::NotFound { newest: None } => "none".to_owned(),
            Cause::NotLookedUp { .. } => "failed".to_owned(),
        };
        search.finish(None).changes.into_iter().map(result).collect()
    }

    use BoundaryAction::{Create, Remove, Set};

    #[test]
    fn the_events_that_are_read_least_far_come_next_and_only_needed_ones() {
        let mut search = search(&[("ann", "2020-01-01")]);
        let mut asked = vec![search.next().unwrap()];
        search.add(asked[0], page(vec![event(Set, "bob", None, "27T10:00:00")], false));
        asked.push(search.next().unwrap());
        asked.sort();
        assert_eq!(asked, [(Set, USER), (Remove, USER)], "an old user has no creation to find");
        search.add((Remove, USER), page(vec![event(Remove, "bob", None, "26T10:00:00")], false));
        assert_eq!(search.next(), Some((Set, USER)));
        search.add((Set, USER), page(vec![event(Set, "ann", Some("A"), "26T09:00:00")], true));
        // A removal between this event and the last page of removals would be newer.
        assert_eq!(search.next(), Some((Remove, USER)));
        search.add((Remove, USER), page(vec![event(Remove, "bob", None, "26T08:00:00")], false));
        assert_eq!(search.next(), None);
        assert_eq!(results(search), ["26T09:00:00"]);
    }

    #[test]
    fn the_newest_event_decides_and_of_the_same_second_the_one_that_explains_the_boundary() {
        for (events, expected) in [
            (vec![event(Set, "ann", Some("A"), "02T00:00:00")], "02T00:00:00"),
            (
                vec![
                    event(Set, "ann", Some("A"), "02T00:00:00"),
                    event(Remove, "ann", None, "03T00:00:00"),
                ],
                "newest 03T00:00:00",
            ),
            (
                vec![
                    event(Set, "ANN", Some("A"), "02T00:00:00"),
                    event(Remove, "ann", None, "02T00:00:00"),
                ],
                "02T00:00:00",
            ),
            (vec![event(Set, "bob", Some("A"), "02T00:00:00")], "none"),
        ] {
            let mut search = search(&[("ann", "2026-10-01")]);
            while let Some(id) = search.next() {
                let of = |it: &&BoundaryEvent| it.request.action == id.0;
                search.add(id, page(events.iter().filter(of).cloned().collect(), true));
            }
            assert_eq!(results(search), [expected]);
        }
    }

    #[test]
    fn an_event_before_the_creation_or_of_another_unique_id_is_not_blamed() {
        for (events, expected) in [
            (vec![event(Set, "ann", Some("A"), "19T23:59:59")], "none"),
            (vec![event(Set, "ann", Some("A"), "20T00:00:00")], "20T00:00:00"),
            (vec![event(Create, "ann", Some("A"), "19T23:59:30")], "19T23:59:30"),
            (vec![event(Create, "ann", Some("A"), "19T10:00:00")], "none"),
            (
                vec![BoundaryEvent {
                    unique_id: Some(id(2)),
                    ..event(Create, "ann", Some("A"), "20T00:00:00")
                }],
                "none",
            ),
        ] {
            let mut search = search(&[("ann", "2026-11-20")]);
            let mut calls = 0;
            while let Some(id) = search.next() {
                calls += 1;
                let of = |it: &&BoundaryEvent| it.request.action == id.0;
                let mut of_action: Vec<_> = events.iter().filter(of).cloned().collect();
                of_action.push(event(id.0, "bob", None, "10T00:00:00"));
                // There are more pages, which nobody needs.
                search.add(id, page(of_action, false));
            }
            assert_eq!((results(search), calls), (vec![expected.to_owned()], 3));
        }
    }

    #[test]
    fn a_failure_leaves_what_is_found_and_says_that_the_others_were_not_looked_up() {
        let mut search = search(&[("ann", "2020-01-01"), ("bob", "2020-01-01")]);
        search.add((Remove, USER), page(vec![], true));
        search.add((Set, USER), page(vec![event(Set, "bob", Some("A"), "27T00:00:00")], false));
        search.add((Set, USER), page(vec![event(Set, "eve", Some("A"), "26T00:00:00")], false));
        let changes = search.finish(Some("the reason".into())).changes;
        assert_eq!(changes[0].cause, Cause::NotLookedUp { why: "the reason".into() });
        assert!(matches!(changes[1].cause, Cause::Request { .. }), "{changes:?}");
    }
}
