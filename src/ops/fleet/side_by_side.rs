use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::apply::FleetEvent;

/// Receives the events of a fleet, from several threads. It must not block.
pub type FleetEvents = Arc<dyn Fn(FleetEvent) + Send + Sync>;

/// Does `work` for each item, up to `at_once` of them at the same time, on all processors. The results are in the order
/// of the items. An item that has ended keeps nothing but its result.
pub(super) async fn side_by_side<I, T, F>(
    items: impl IntoIterator<Item = I>,
    at_once: NonZeroUsize,
    work: impl Fn(I) -> F,
) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut results: Vec<Option<T>> = Vec::new();
    let mut running: JoinSet<(usize, T)> = JoinSet::new();
    let mut keep = |ended: Result<(usize, T), tokio::task::JoinError>| match ended {
        Ok((index, result)) => {
            if results.len() <= index {
                results.resize_with(index + 1, || None);
            }
            results[index] = Some(result);
        }
        // No task is cancelled, so it panicked.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    };
    for (index, item) in items.into_iter().enumerate() {
        if running.len() >= at_once.get()
            && let Some(ended) = running.join_next().await
        {
            keep(ended);
        }
        let work = work(item);
        running.spawn(async move { (index, work.await) });
    }
    while let Some(ended) = running.join_next().await {
        keep(ended);
    }
    results.into_iter().flatten().collect()
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
