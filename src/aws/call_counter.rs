use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::inventory::CallCount;

/// Counts attempts. Clones share one count.
#[derive(Debug, Clone, Default)]
pub(super) struct CallCounter(Arc<(AtomicU64, AtomicU64)>);

impl CallCounter {
    pub(super) fn calls(&self) -> CallCount {
        let (made, throttled) = &*self.0;
        CallCount {
            made: made.load(Ordering::Relaxed),
            throttled: throttled.load(Ordering::Relaxed),
        }
    }

    pub(super) fn count(&self, is_throttled: bool) {
        let (made, throttled) = &*self.0;
        made.fetch_add(1, Ordering::Relaxed);
        throttled.fetch_add(u64::from(is_throttled), Ordering::Relaxed);
    }
}
