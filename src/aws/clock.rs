use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_async::time::TimeSource;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use crate::iam::Timestamp;
use crate::inventory::ClockDifference;

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

/// The maximum difference between the clock of this machine and that of AWS with which AWS accepts a signature
/// ([signatures](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html)). If it is larger, the SDK signs with
/// AWS's time, so that calls succeed nevertheless.
pub(super) const MAX_DIFFERENCE: Duration = Duration::from_mins(5);

/// AWS's clock, as its last response showed it, beside that of this machine. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct AwsClock(Arc<Mutex<Option<Times>>>);

/// The times of both clocks at the same moment.
#[derive(Debug, Clone, Copy)]
struct Times {
    here: SystemTime,
    aws: SystemTime,
}

impl AwsClock {
    /// Takes the time of a response that has just arrived, if it has one.
    pub(super) fn observe(&self, response: &HttpResponse) {
        if let Some(aws) = date(response) {
            let times = Times { here: SystemTime::now(), aws };
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(times);
        }
    }

    /// The difference of the clocks, if it is larger than [`MAX_DIFFERENCE`]. `None` also if no response had a time.
    pub(super) fn difference(&self) -> Option<ClockDifference> {
        let Times { here, aws } = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        let difference = here.duration_since(aws).unwrap_or_else(|error| error.duration());
        if difference <= MAX_DIFFERENCE {
            return None;
        }
        Some(ClockDifference { here: Timestamp::of(here).ok()?, aws: Timestamp::of(aws).ok()? })
    }
}

/// AWS's time in a response
/// ([Date](https://www.rfc-editor.org/rfc/rfc9110#field.date)).
pub(super) fn date(response: &HttpResponse) -> Option<SystemTime> {
    let date = DateTime::from_str(response.headers().get("date")?, Format::HttpDate).ok()?;
    SystemTime::try_from(date).ok()
}

#[cfg(test)]
mod tests {
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

    fn response(date: Option<SystemTime>) -> HttpResponse {
        let mut response =
            HttpResponse::new(200.try_into().unwrap(), aws_smithy_types::body::SdkBody::empty());
        if let Some(date) = date {
            let text = DateTime::from(date).fmt(Format::HttpDate).unwrap();
            response.headers_mut().insert("date", text);
        }
        response
    }

    #[test]
    fn the_last_response_with_a_time_decides_whether_the_clocks_differ() {
        let clock = AwsClock::default();
        assert_eq!(clock.difference(), None);
        let (now, margin) = (SystemTime::now(), Duration::from_mins(1));
        for (aws, differs) in [
            (now + MAX_DIFFERENCE - margin, false),
            (now + MAX_DIFFERENCE + margin, true),
            (now - MAX_DIFFERENCE - margin, true),
            (now - MAX_DIFFERENCE + margin, false),
        ] {
            clock.observe(&response(Some(aws)));
            clock.clone().observe(&response(None));
            let difference = clock.difference();
            assert_eq!(difference.is_some(), differs, "{difference:?}");
            assert!(difference.is_none_or(|it| it.aws == Timestamp::of(aws).unwrap()));
        }
    }
}
