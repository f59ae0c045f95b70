//! Parsers of option values.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::aws::is_endpoint_url;
use crate::iam::{Principal, PrincipalPattern, Printable};

/// The maximum duration. A longer one is a typing error, such as `10M`, which is ten months.
const LONGEST: Duration = Duration::from_hours(7 * 24);

/// Parses a duration such as `90s`, `10m` or `1h30m`, from zero to seven days.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if duration > LONGEST => Err("a duration is at most 7 days".to_owned()),
        Ok(duration) => Ok(duration),
        // The messages of the crate give positions in bytes.
        Err(_) => Err("a duration is a number with a unit, such as 90s, 10m or 1h30m".to_owned()),
    }
}

/// Parses a [`duration`] that is not zero.
pub(super) fn positive_duration(text: &str) -> Result<Duration, String> {
    match duration(text) {
        Ok(Duration::ZERO) => Err("the duration must be longer than zero".to_owned()),
        other => other,
    }
}

/// The maximum number of days: about a hundred years.
const MOST_DAYS: u32 = 36_500;

/// Parses a number of days, such as `14d` or `14`.
pub(super) fn days(text: &str) -> Result<u32, String> {
    match text.strip_suffix('d').unwrap_or(text).parse() {
        Ok(days @ 0..=MOST_DAYS) => Ok(days),
        _ => Err(format!("write a number of days from 0 to {MOST_DAYS}, such as 14d")),
    }
}

/// Parses one user or role: `user/alice` or `role/deploy`.
pub(super) fn principal(text: &str) -> Result<Principal, String> {
    let pattern: PrincipalPattern = text.parse().map_err(|error| format!("{error}"))?;
    pattern.principal().ok_or_else(|| "write one name without wildcards".to_owned())
}

/// Parses a text that is not empty and has only printable characters.
pub(super) fn printable(text: &str) -> Result<Printable, String> {
    let printable = Printable::exact(text);
    match !text.is_empty() && printable == *text {
        true => Ok(printable),
        false => Err("write printable text".to_owned()),
    }
}

pub(super) fn region(text: &str) -> Result<String, String> {
    let is_region = !text.is_empty()
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if is_region { Ok(text.to_owned()) } else { Err("a region looks like eu-central-1".to_owned()) }
}

pub(super) fn url(text: &str) -> Result<String, String> {
    // With a user name or a query it is rejected later, by a message that does not contain it: clap would show the secret.
    match is_endpoint_url(text) || text.contains(['@', '?']) {
        true => Ok(text.to_owned()),
        false => Err("an endpoint URL is https://HOST, http://HOST or http://HOST:PORT".to_owned()),
    }
}

/// Parses a number of requests or accounts that run at the same time.
pub(super) fn at_once(text: &str) -> Result<NonZeroUsize, String> {
    whole::<usize, 1, 1_000_000>(text).map(|number| NonZeroUsize::MIN.saturating_add(number - 1))
}

/// A parser of whole numbers from `LEAST` to `MOST`.
pub(super) fn whole<T: TryFrom<u64>, const LEAST: u64, const MOST: u64>(
    text: &str,
) -> Result<T, String> {
    let number = text.parse().ok().filter(|number| (LEAST..=MOST).contains(number));
    let number = number.and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| format!("write a whole number from {LEAST} to {MOST}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_units_up_to_seven_days() {
        for (text, seconds) in
            [("90s", 90), ("10m", 600), ("2h", 7_200), ("1h30m", 5_400), ("1.5m", 90), ("0s", 0)]
        {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(duration("7d"), Ok(LONGEST));
        for text in ["", "5", "s", "-1s", "soon", "10 m s", "99999999999999999999h"] {
            let error = duration(text).unwrap_err();
            assert_eq!(error, "a duration is a number with a unit, such as 90s, 10m or 1h30m");
        }
        for text in ["8d", "10M", "1000000h"] {
            assert_eq!(duration(text).unwrap_err(), "a duration is at most 7 days", "{text}");
        }
    }

    #[test]
    fn a_whole_number_is_in_its_range() {
        assert_eq!(whole::<u16, 1, 5_000>("5000"), Ok(5_000));
        assert_eq!(at_once("1").map(NonZeroUsize::get), Ok(1));
        assert_eq!(at_once("64").map(NonZeroUsize::get), Ok(64));
        for text in ["", "0", "-1", "1.5", "1e3", "many", "1000001", "99999999999999999999", " 1"] {
            assert_eq!(
                at_once(text).unwrap_err(),
                "write a whole number from 1 to 1000000",
                "{text}"
            );
        }
        let error = whole::<u16, 0, 65_535>("65536").unwrap_err();
        assert_eq!(error, "write a whole number from 0 to 65535");
    }

    #[test]
    fn a_timeout_is_longer_than_zero() {
        assert_eq!(positive_duration("1s"), Ok(Duration::from_secs(1)));
        for text in ["0s", "0h0m"] {
            let error = positive_duration(text).unwrap_err();
            assert_eq!(error, "the duration must be longer than zero", "{text}");
        }
    }
}
