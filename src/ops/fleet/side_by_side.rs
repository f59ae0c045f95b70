use std::num::NonZeroUsize;
use std::sync::Arc;

use futures::{StreamExt, stream};

use crate::apply::FleetEvent;

/// Receives the events of a fleet, from several threads. It must not block.
pub type FleetEvents = Arc<dyn Fn(FleetEvent) + Send + Sync>;

/// Does `work` for each item, up to `at_once` of them at the same time. The results are in the order of the items. An
/// item that has ended keeps nothing but its result.
pub(super) async fn side_by_side<I, T, F: Future<Output = T>>(
    items: impl IntoIterator<Item = I>,
    at_once: NonZeroUsize,
    work: impl Fn(I) -> F,
) -> Vec<T> {
    let numbered = |(number, item)| {
        let work = work(item);
        async move { (number, work.await) }
    };
    let works = stream::iter(items.into_iter().enumerate()).map(numbered);
    let mut results: Vec<(usize, T)> = works.buffer_unordered(at_once.get()).collect().await;
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_results_are_in_order_and_no_more_than_the_maximum_run_at_once() {
        let running = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let work = |item: u64| {
            let running = running.clone();
            async move {
                let now = running.0.fetch_add(1, Ordering::SeqCst) + 1;
                running.1.fetch_max(now, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(100 - item)).await;
                running.0.fetch_sub(1, Ordering::SeqCst);
                item * 2
            }
        };
        let at_once = NonZeroUsize::new(7).unwrap();
        let results = side_by_side(0..50, at_once, work).await;
        assert_eq!(results, (0..50).map(|item| item * 2).collect::<Vec<_>>());
        assert_eq!(running.1.load(Ordering::SeqCst), 7);
    }
}
