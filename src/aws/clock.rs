use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_async::time::TimeSource;

/// The system clock, within the years that the SDK can write into a signature: 1970 to 9999. The SDK panics at
/// any other, and the clock can be set during a run. AWS rejects a request with such a time.
#[derive(Debug)]
pub(super) struct SystemClock;

/// The last second of the year 9999, since 1970.
const LAST: Duration = Duration::from_secs(253_402_300_799);

impl TimeSource for SystemClock {
    fn now(&self) -> SystemTime {
        clamped(SystemTime::now())
    }
}

fn clamped(time: SystemTime) -> SystemTime {
    // The credential providers add the lifetime of credentials to it.
    let last = LAST.saturating_sub(Duration::from_secs(366 * 24 * 3_600));
    UNIX_EPOCH + time.duration_since(UNIX_EPOCH).unwrap_or_default().min(last)
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::DateTime;
    use aws_smithy_types::date_time::Format;

    use super::*;

    #[test]
    fn every_time_of_the_clock_can_be_written() {
        let (far, now) = (Duration::from_secs(1 << 40), Duration::from_secs(1_764_000_000));
        for time in [UNIX_EPOCH - far, UNIX_EPOCH, UNIX_EPOCH + now, UNIX_EPOCH + far] {
            let text = DateTime::from(clamped(time)).fmt(Format::DateTime).unwrap();
            assert_eq!(text.len(), 20, "{text}");
        }
        assert_eq!(clamped(UNIX_EPOCH + now), UNIX_EPOCH + now);
    }
}
