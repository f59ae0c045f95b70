use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::time::SystemTime;

use super::clock::MAX_DIFFERENCE;
use super::detail::Detail;
use super::pages::{self, DETAILS, Kinds};
use super::read::{AccountCounts, ReadMethod, denied_for_all};
use super::reader::Reader;
use super::readings::{kinds_of, missing_of};
use crate::iam::{Principal, PrincipalCounts, PrincipalKind, PrincipalName, grouped};
use crate::inventory::{
    ApiError, ErrorClass, EveryPrincipalError, Inventory, Reading, UnreadablePrincipal,
};

/// The maximum number of times that all pages are read.
const MAX_READINGS: usize = 5;

impl Reader {
    /// Reads every principal of these kinds and the `listed` ones, by account pages. If that is denied, reads the names
    /// by `ListUsers` and `ListRoles` and then each principal.
    pub(super) async fn whole_inventory<'a>(
        &self,
        kinds: &Kinds,
        listed: impl IntoIterator<Item = &'a Principal>,
    ) -> Result<Inventory, EveryPrincipalError> {
        let (mut listed, others): (Vec<&Principal>, Vec<&Principal>) =
            listed.into_iter().partition(|it| kinds.contains(&it.kind));
        let start = self.start().await?;
        let mut filter = kinds.clone();
        let mut inventory = Inventory::default();
        // Principals of other kinds can be on the same pages.
        match self.cheapest_method(&others).await? {
            ReadMethod::Pages => {
                filter.extend(kinds_of(&others));
                listed.extend(others);
            }
            ReadMethod::OneByOne => inventory = self.inventory(others).await?,
        }
        let whole = match self.whole_by_pages(kinds, &filter, &listed, &start).await {
            Err(EveryPrincipalError::Call(error)) if error.class == ErrorClass::Denied => {
                tracing::info!("{error}; listing the names and reading each principal instead");
                match self.whole_one_by_one(kinds, &listed, &start).await {
                    // Both methods are denied: the first one needs fewer calls, so its error is returned.
                    Err(EveryPrincipalError::Call(other)) if other.class == ErrorClass::Denied => {
                        return Err(error.into());
                    }
                    read => read?,
                }
            }
            read => read?,
        };
        inventory.extend(whole);
        Ok(inventory)
    }

    async fn start(&self) -> Result<Start, ApiError> {
        let time = SystemTime::now();
        let counts = match self.account_counts().await {
            Ok(counts) => counts,
            Err(error) if error.class == ErrorClass::Credentials => return Err(error),
            Err(error) => {
                tracing::info!("{error}; reading more than one page of an account twice");
                AccountCounts::default()
            }
        };
        Ok(Start { time, counts })
    }

    /// Principals of the kinds in `filter` that are not in `kinds` are returned only if they are listed.
    async fn whole_by_pages(
        &self,
        kinds: &Kinds,
        filter: &Kinds,
        listed: &[&Principal],
        start: &Start,
    ) -> Result<Inventory, EveryPrincipalError> {
        let (mut readings, mut attributes) = (BTreeMap::new(), BTreeMap::new());
        let read = async |names: &mut Names| {
            pages::each_detail(self, filter, |detail| {
                if let Some(principal) = names.add(&detail, DETAILS)? {
                    let (reading, its) = detail.read(DETAILS, &self.texts);
                    match its {
                        Some(its) => attributes.insert(principal.clone(), its),
                        None => attributes.remove(&principal),
                    };
                    readings.insert(principal, reading);
                }
                Ok(ControlFlow::Continue(()))
            })
            .await
        };
        let names = self.until_whole(kinds, start, read).await?;
        readings.retain(|principal, _| names.valid.contains(principal));
        names.check(kinds, &readings)?;
        let missing = listed.iter().copied().filter(|it| !readings.contains_key(*it));
        let missing = names.not_found(missing);
        readings.extend(missing);
        let listed_names: BTreeSet<&Principal> = listed.iter().copied().collect();
        readings.retain(|it, _| kinds.contains(&it.kind) || listed_names.contains(it));
        let inventory = Inventory::whole(kinds.iter().copied(), readings, attributes)
            .with_fewer_than_counted(names.fewer_than_counted);
        Ok(self.with_missing(listed, inventory).await?)
    }

    async fn whole_one_by_one(
        &self,
        kinds: &Kinds,
        listed: &[&Principal],
        start: &Start,
    ) -> Result<Inventory, EveryPrincipalError> {
        let mut names = Names::default();
        for &kind in kinds {
            let action = pages::list_action(kind);
            let read = async |names: &mut Names| {
                pages::each_listed(self, kind, |detail| {
                    names.add(&detail, action)?;
                    Ok(ControlFlow::Continue(()))
                })
                .await
            };
            names.extend(self.until_whole(&[kind].into(), start, read).await?);
        }
        names.check(kinds, &BTreeMap::new())?;
        let each: BTreeSet<&Principal> = names.valid.iter().chain(listed.iter().copied()).collect();
        let each: Vec<&Principal> = each.into_iter().collect();
        let mut inventory = self.one_by_one(&each).await?;
        if let Some(error) = denied_for_all(&inventory) {
            return Err(error.into());
        }
        let missing = missing_of(&inventory, listed);
        inventory.extend(Inventory::of(names.not_found(missing)));
        let inventory = inventory.with_whole(kinds.iter().copied());
        Ok(inventory.with_fewer_than_counted(names.fewer_than_counted))
    }

    /// Calls `read`, which reads all pages and adds their names, until the names are those of every principal of these
    /// kinds, and returns them. `read` returns the number of pages.
    ///
    /// IAM does not document what its pages return if principals are created or deleted while they are read. If the
    /// pages shift, they omit principals that exist. A single page cannot shift, but it can end too early. One of three facts
    /// shows that nothing is missing:
    ///
    /// 1. The names are as many as `GetAccountSummary` counted before the first page, and every principal was created
    ///    before that call. Then each of them existed when IAM counted: it existed before, and later, on its page. So the
    ///    names are a subset of those that were counted, of the same size, and no existing principal is missing. A
    ///    deletion that shifts the pages cannot hide behind a creation, because the new principal has its date. Only
    ///    principals that were created after the call can be missing, as after any reading. The clocks of this machine
    ///    and of IAM may differ by minutes, so a principal that was created in the minutes before counts as new. If they
    ///    differ by more, every principal does.
    /// 2. There is a single page, and it has as many names as IAM counts, or more.
    /// 3. Otherwise (there are new principals, the numbers differ, or the call is denied), the pages are read again,
    ///    until no new name appears and IAM does not count more. A name is missing then only if each reading omitted it.
    ///    If IAM counts more even at the last reading, the inventory says so. If there is no name at all, it is an error.
    ///
    /// # Errors
    /// If a call fails, new names appear in every reading, or IAM counts principals and returns none.
    async fn until_whole(
        &self,
        kinds: &Kinds,
        start: &Start,
        mut read: impl AsyncFnMut(&mut Names) -> Result<usize, ApiError>,
    ) -> Result<Names, EveryPrincipalError> {
        let mut all = Names::default();
        let mut start = *start;
        for reading in 1..=MAX_READINGS {
            if reading > 1 {
                start = self.start().await?;
            }
            let created_before = match self.clock().difference() {
                None => start.time.checked_sub(MAX_DIFFERENCE),
                // The dates of AWS cannot be compared with this machine's time.
                Some(_) => None,
            };
            let mut names = Names { created_before, ..Names::default() };
            let pages = read(&mut names).await?;
            if names.are_as_counted(kinds, &start) {
                return Ok(names);
            }
            if pages == 1 && names.fewer_than_counted(kinds, &start).is_empty() {
                return Ok(names);
            }
            let known = all.count();
            all.extend(names);
            let fewer = all.fewer_than_counted(kinds, &start);
            let is_last = reading == MAX_READINGS;
            if all.count() == known && (fewer.is_empty() || is_last) {
                return match fewer.values().next() {
                    Some(statement) if all.lacks_every_counted(kinds, &start) => {
                        Err(EveryPrincipalError::FewerThanCounted(statement.clone().into()))
                    }
                    _ => Ok(Names { fewer_than_counted: fewer, ..all }),
                };
            }
        }
        let noun = PrincipalCounts::of(kinds.iter().copied()).noun();
        Err(EveryPrincipalError::Unstable { readings: MAX_READINGS, noun })
    }
}

/// What is known of the account before its pages are read.
#[derive(Debug, Clone, Copy)]
struct Start {
    /// The time before `GetAccountSummary` was called.
    time: SystemTime,
    /// What it returned.
    counts: AccountCounts,
}

/// The names on the pages of one or more readings.
#[derive(Default)]
struct Names {
    valid: BTreeSet<Principal>,
    /// Names that IAM does not allow, and what is wrong with them.
    invalid: BTreeMap<(PrincipalKind, String), String>,
    /// Principals that were created before this time certainly existed at the start; `None` if none did.
    created_before: Option<SystemTime>,
    /// The kinds with a principal that may have been created after the start.
    with_new: Kinds,
    /// The kinds of which IAM counted more at the last reading: a statement of the numbers.
    fewer_than_counted: BTreeMap<PrincipalKind, String>,
}

impl Names {
    /// Adds the principal in a response to `action`. `None` if its name is not valid.
    fn add(
        &mut self,
        detail: &Detail<'_>,
        action: &'static str,
    ) -> Result<Option<Principal>, ApiError> {
        let (kind, name) = (detail.kind, detail.required_name(action)?);
        if !self.created_before.is_some_and(|time| detail.is_created_before(time)) {
            self.with_new.insert(kind);
        }
        Ok(match name.parse::<PrincipalName>() {
            Ok(name) => {
                let principal = Principal { kind, name };
                self.valid.insert(principal.clone());
                Some(principal)
            }
            Err(error) => {
                self.invalid.insert((kind, name.to_owned()), error.to_string());
                None
            }
        })
    }

    fn count(&self) -> usize {
        self.valid.len() + self.invalid.len()
    }

    fn counts(&self) -> PrincipalCounts {
        let invalid = self.invalid.keys().map(|(kind, _)| *kind);
        PrincipalCounts::of(self.valid.iter().map(|it| it.kind).chain(invalid))
    }

    /// Adds the names of another reading.
    fn extend(&mut self, other: Names) {
        self.valid.extend(other.valid);
        self.invalid.extend(other.invalid);
        self.fewer_than_counted.extend(other.fewer_than_counted);
    }

    /// Whether the names are certainly those that `GetAccountSummary` counted.
    fn are_as_counted(&self, kinds: &Kinds, start: &Start) -> bool {
        let names = self.counts();
        let is_as_counted = |&kind: &PrincipalKind| {
            start.counts.of_kind(kind) == Some(names.of_kind(kind))
                && !self.with_new.contains(&kind)
        };
        kinds.iter().all(is_as_counted)
    }

    /// Whether there is no name of a kind of which `GetAccountSummary` counted some.
    fn lacks_every_counted(&self, kinds: &Kinds, start: &Start) -> bool {
        let names = self.counts();
        kinds.iter().any(|&kind| {
            names.of_kind(kind) == 0
                && start.counts.of_kind(kind).is_some_and(|counted| counted > 0)
        })
    }

    /// The kinds of which `GetAccountSummary` counted more principals than there are names, each with a statement of the
    /// numbers.
    fn fewer_than_counted(&self, kinds: &Kinds, start: &Start) -> BTreeMap<PrincipalKind, String> {
        let names = self.counts();
        let statement = |&kind: &PrincipalKind| {
            let names = names.of_kind(kind);
            let counted = start.counts.of_kind(kind).filter(|&counted| counted > names)?;
            let (counted, names) = (grouped(counted), grouped(names));
            let statement =
                format!("IAM counts {counted} {}, but returns only {names}", kind.plural());
            Some((kind, statement))
        };
        kinds.iter().filter_map(statement).collect()
    }

    /// Checks that every name of these kinds is valid.
    ///
    /// # Errors
    /// The invalid names, together with the principals that could not be read.
    fn check(
        &self,
        kinds: &Kinds,
        readings: &BTreeMap<Principal, Reading>,
    ) -> Result<(), EveryPrincipalError> {
        let invalid = self.invalid.iter().filter(|((kind, _), _)| kinds.contains(kind));
        let invalid = invalid.map(|((kind, name), why)| UnreadablePrincipal {
            kind: *kind,
            name: name.as_str().into(),
            why: why.as_str().into(),
        });
        let mut each: Vec<UnreadablePrincipal> = invalid.collect();
        if each.is_empty() {
            return Ok(());
        }
        each.extend(readings.iter().filter_map(|(principal, reading)| match reading {
            Reading::Unreadable(error) => {
                Some(UnreadablePrincipal::of(principal, &error.to_string()))
            }
            _ => None,
        }));
        each.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
        Err(EveryPrincipalError::Unreadable(each))
    }

    /// The readings of principals that have none of the names, each with the name that differs only in case.
    fn not_found<'a>(
        &self,
        missing: impl IntoIterator<Item = &'a Principal>,
    ) -> BTreeMap<Principal, Reading> {
        let mut missing = missing.into_iter().peekable();
        let mut by_folded = HashMap::new();
        if missing.peek().is_some() {
            by_folded.extend(self.valid.iter().map(|it| (it.folded(), &it.name)));
        }
        let reading = |it: &Principal| {
            // A listed name that IAM does not find afterwards is that of a principal that was deleted.
            let other = by_folded.get(&it.folded()).filter(|name| ***name != it.name);
            let differs_by_case = other.map(|&name| name.clone());
            (it.clone(), Reading::NotFound { differs_by_case })
        };
        missing.map(reading).collect()
    }
}
