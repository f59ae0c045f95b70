use std::pin::pin;
use std::time::Duration;

/// The time without a response after which a message says what the tool waits for.
pub(in crate::aws) const NOTICE_AFTER: Duration = Duration::from_secs(5);

/// Completes `future`, and calls `notice` once if it takes longer than [`NOTICE_AFTER`].
pub(in crate::aws) async fn with_notice<T>(
    future: impl Future<Output = T>,
    notice: impl FnOnce(),
) -> T {
    let mut future = pin!(future);
    tokio::select! {
        biased;
        done = &mut future => return done,
        () = tokio::time::sleep(NOTICE_AFTER) => {}
    }
    notice();
    future.await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_a_long_wait_has_a_notice() {
        let notices = Cell::new(0);
        let wait = |seconds| {
            let sleep = tokio::time::sleep(Duration::from_secs(seconds));
            with_notice(sleep, || notices.set(notices.get() + 1))
        };
        wait(4).await;
        assert_eq!(notices.get(), 0);
        wait(60).await;
        assert_eq!(notices.get(), 1);
    }
}
