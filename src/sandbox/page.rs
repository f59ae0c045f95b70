use std::time::Duration;

use super::account::{Account, Entity, Key};
use super::request::{ErrorResponse, Request, marker_after};
use super::xml::{Xml, text};

/// How the sandbox executes one call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Behavior {
    /// The maximum number of items on a page.
    pub(super) page_size: usize,
    /// The number of users and roles after its marker at which a page begins; a negative number is before the marker.
    pub(super) shift: isize,
    /// The time until reads return a boundary that this call writes.
    pub(super) staleness: Duration,
    /// Whether account pages leave boundaries out.
    pub(super) omits_boundaries: bool,
}

/// A page of users and roles.
pub(super) struct Page<'a> {
    pub(super) entities: Vec<(&'a Key, &'a Entity)>,
    is_truncated: bool,
}

impl Page<'_> {
    /// `IsTruncated` and `Marker`.
    pub(super) fn pagination(&self) -> Vec<Xml> {
        let mut fields = vec![text("IsTruncated", self.is_truncated)];
        if let Some((last, _)) = self.entities.last().filter(|_| self.is_truncated) {
            fields.push(text("Marker", marker_after(last)));
        }
        fields
    }
}

/// The page after the marker of the request, with those users and roles that `keep` accepts.
pub(super) fn page<'a>(
    account: &'a Account,
    request: &Request,
    behavior: Behavior,
    keep: impl Fn(&Key, &Entity) -> bool,
) -> Result<Page<'a>, ErrorResponse> {
    let size = request.max_items()?.min(behavior.page_size);
    let marker = request.marker()?;
    let shift = marker.as_ref().map_or(0, |_| behavior.shift);
    let kept = |(key, entity): &(&Key, &Entity)| keep(key, entity);
    // If a page ended before its own marker, a client would never reach the last page.
    let earlier = if shift < 0 { shift.unsigned_abs().min(size - 1) } else { 0 };
    let preceding = marker.iter().flat_map(|marker| account.until(marker));
    let mut repeated: Vec<_> = preceding.filter(kept).take(earlier).collect();
    repeated.reverse();
    let following = account.after(marker.as_ref()).filter(kept);
    let later = usize::try_from(shift).unwrap_or_default();
    let mut rest = repeated.into_iter().chain(following.skip(later));
    let entities = rest.by_ref().take(size).collect();
    Ok(Page { entities, is_truncated: rest.next().is_some() })
}
