use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use super::detail::Detail;
use super::pages::{self, DETAILS, Kinds};
use super::read::denied_for_all;
use super::reader::Reader;
use crate::iam::{Principal, PrincipalCounts, PrincipalKind};
use crate::inventory::{
    ApiError, ErrorClass, EveryPrincipal, EveryPrincipalError, Reading, UnreadablePrincipal,
};

/// The maximum number of times that all pages are read, until no new principal appears. If principals are created or
/// deleted while pages are read, the pages shift and can omit existing ones.
const MAX_READINGS: usize = 5;

impl Reader {
    /// Reads every principal of these kinds that can be changed, by account pages. If that is denied, reads the names
    /// by `ListUsers` and `ListRoles` and then each principal.
    pub(super) async fn every_principal(
        &self,
        kinds: &Kinds,
    ) -> Result<EveryPrincipal, EveryPrincipalError> {
        match self.every_principal_by_pages(kinds).await {
            Err(error) if error.class == ErrorClass::Denied => {
                tracing::info!("{error}; listing the names and reading each principal instead");
                match self.every_principal_one_by_one(kinds).await {
                    // Both methods are denied: the first one needs fewer calls, so its error is returned.
                    Err(other)
                        if kinds.iter().any(|&kind| pages::list_action(kind) == other.action)
                            && other.class == ErrorClass::Denied =>
                    {
                        Err(error.into())
                    }
                    found => found?.into_result(kinds),
                }
            }
            found => found?.into_result(kinds),
        }
    }

    async fn every_principal_by_pages(&self, kinds: &Kinds) -> Result<Found, ApiError> {
        let mut found = Found::default();
        for _ in 0..MAX_READINGS {
            let known = found.count();
            let pages = pages::each_detail(self, kinds, |detail| {
                if let Some(principal) = found.principal(&detail, DETAILS)? {
                    found.add(principal, detail.reading(DETAILS));
                }
                Ok(ControlFlow::Continue(()))
            })
            .await?;
            if pages == 1 || found.count() == known {
                return Ok(found);
            }
        }
        Ok(Found { is_unstable: true, ..found })
    }

    async fn every_principal_one_by_one(&self, kinds: &Kinds) -> Result<Found, ApiError> {
        let mut found = Found::default();
        let mut listed = BTreeSet::new();
        for &kind in kinds {
            found.is_unstable = !self.list(kind, &mut found, &mut listed).await?;
            if found.is_unstable {
                return Ok(found);
            }
        }
        let inventory = self.one_by_one(&listed.iter().collect::<Vec<_>>()).await?;
        if let Some(error) = denied_for_all(&inventory) {
            return Err(error);
        }
        for principal in listed {
            let reading = inventory.reading(&principal).clone();
            found.add(principal, reading);
        }
        Ok(found)
    }

    /// Adds the principals of this kind to `listed`. Roles that AWS manages are not read: their paths tell what they
    /// are. False if even the last listing had new principals.
    async fn list(
        &self,
        kind: PrincipalKind,
        found: &mut Found,
        listed: &mut BTreeSet<Principal>,
    ) -> Result<bool, ApiError> {
        let action = pages::list_action(kind);
        for _ in 0..MAX_READINGS {
            let known = listed.len();
            let pages = pages::each_listed(self, kind, |detail| {
                let principal = found.principal(&detail, action)?;
                if !matches!(detail.unmodifiable(), Ok(Some(_))) {
                    listed.extend(principal);
                }
                Ok(ControlFlow::Continue(()))
            })
            .await?;
            if pages == 1 || listed.len() == known {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The principals read so far, and the reasons why others could not be read.
#[derive(Default)]
struct Found {
    principals: EveryPrincipal,
    /// Roles that AWS manages.
    unmodifiable: BTreeSet<Principal>,
    /// Whether even the last reading had new principals, so that others can be missing.
    is_unstable: bool,
    unreadable: BTreeMap<(PrincipalKind, String), String>,
}

impl Found {
    fn count(&self) -> usize {
        self.principals.len() + self.unmodifiable.len() + self.unreadable.len()
    }

    /// The principal in a response to `action`; one with an invalid name is unreadable.
    fn principal(
        &mut self,
        detail: &Detail<'_>,
        action: &'static str,
    ) -> Result<Option<Principal>, ApiError> {
        let (kind, name) = (detail.kind, detail.required_name(action)?);
        Ok(match name.parse() {
            Ok(name) => Some(Principal { kind, name }),
            Err(error) => {
                self.unreadable.insert((kind, name.to_owned()), error.to_string());
                None
            }
        })
    }

    /// Adds a reading. It replaces an earlier one of the same principal.
    fn add(&mut self, principal: Principal, reading: Reading) {
        let key = (principal.kind, principal.name.as_str().to_owned());
        self.unreadable.remove(&key);
        self.unmodifiable.remove(&principal);
        self.principals.remove(&principal);
        let why = match reading {
            Reading::Found { boundary, .. } => {
                self.principals.insert(principal, boundary);
                return;
            }
            Reading::Unmodifiable { .. } => {
                self.unmodifiable.insert(principal);
                return;
            }
            Reading::NotFound { .. } => format!(
                "IAM listed the {} and then did not find it: it may have been deleted meanwhile",
                principal.kind.noun()
            ),
            Reading::Unreadable(error) => error.to_string(),
        };
        self.unreadable.insert(key, why);
    }

    fn into_result(self, kinds: &Kinds) -> Result<EveryPrincipal, EveryPrincipalError> {
        if self.is_unstable {
            let noun = PrincipalCounts::of(kinds.iter().copied()).noun();
            return Err(EveryPrincipalError::Unstable { readings: MAX_READINGS, noun });
        }
        if self.unreadable.is_empty() {
            return Ok(self.principals);
        }
        let each = self.unreadable.into_iter().map(|((kind, name), why)| UnreadablePrincipal {
            kind,
            name: name.into(),
            why: why.into(),
        });
        Err(EveryPrincipalError::Unreadable(each.collect()))
    }
}
