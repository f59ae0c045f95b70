use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::account_directory::AccountDirectory;
use super::atomic::{OnExisting, write_atomically};
use super::content::MEASURED_RATES;
use crate::files::{MaxSize, read_own};
use crate::iam::{Rate, Timestamp};

/// The rates that IAM sustained in an earlier run, by action. They are a hint: a run starts at them, and measures the
/// rates again.
pub type MeasuredRates = BTreeMap<String, Rate>;

/// Limits and the other clients of an account change. Older rates are not used, in seconds.
const MAX_AGE: i64 = 30 * 24 * 3_600;

/// A rate in the file.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Measured {
    /// In calls per second.
    rate: f64,
    /// When a run measured it.
    at: Timestamp,
}

impl AccountDirectory {
    /// The rates that an earlier run measured. Without a usable file, there are none.
    pub fn measured_rates(&self) -> MeasuredRates {
        let Ok(now) = Timestamp::now() else { return MeasuredRates::new() };
        let rates = self.read_measured(now).into_iter();
        rates.filter_map(|(action, it)| Some((action, Rate::per_second(it.rate).ok()?))).collect()
    }

    fn read_measured(&self, now: Timestamp) -> BTreeMap<String, Measured> {
        let path = self.file(MEASURED_RATES);
        if !path.exists() {
            return BTreeMap::new();
        }
        let read = read_own(&path, MaxSize::STATE).map_err(|error| error.to_string());
        let rates = read.and_then(|text| {
            serde_json::from_slice::<BTreeMap<String, Measured>>(&text).map_err(|it| it.to_string())
        });
        let mut rates = rates.unwrap_or_else(|error| {
            tracing::debug!("the measured rates of earlier runs are not used: {error}");
            BTreeMap::new()
        });
        rates.retain(|_, it| (0..=MAX_AGE).contains(&(now.unix_seconds() - it.at.unix_seconds())));
        rates
    }

    /// Keeps the rates that a run measured. Rates of other actions stay as they are. A failure is only logged: the
    /// rates are a hint.
    pub fn keep_measured_rates(&self, measured: MeasuredRates) {
        let (false, Ok(at)) = (measured.is_empty(), Timestamp::now()) else { return };
        let mut rates = self.read_measured(at);
        // Three digits: the file is for people, too.
        rates.extend(measured.into_iter().map(|(action, rate)| {
            (action, Measured { rate: (rate.get() * 1_000.0).round() / 1_000.0, at })
        }));
        let written =
            serde_json::to_string_pretty(&rates).map_err(std::io::Error::from).and_then(|text| {
                write_atomically(
                    &self.file(MEASURED_RATES),
                    &format!("{text}\n"),
                    OnExisting::Replace,
                )
            });
        if let Err(error) = written {
            tracing::debug!("the measured rates are not kept: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::account_directory::StateRoot;
    use super::*;
    use crate::iam::AccountId;

    fn rate(per_second: f64) -> Rate {
        Rate::per_second(per_second).unwrap()
    }

    #[test]
    fn rates_are_kept_by_action_and_an_unusable_file_is_no_error() {
        let directory = tempfile::tempdir().unwrap();
        let account: AccountId = "123456789012".parse().unwrap();
        let state = StateRoot::at(directory.path().join("state")).account(account).unwrap();
        assert_eq!(state.measured_rates(), MeasuredRates::new());
        state.keep_measured_rates([("iam:A".to_owned(), rate(15.0))].into());
        state.keep_measured_rates([("iam:B".to_owned(), rate(2.5))].into());
        let kept = MeasuredRates::from([("iam:A".into(), rate(15.0)), ("iam:B".into(), rate(2.5))]);
        assert_eq!(state.measured_rates(), kept);
        let of_a = |rate: &str| {
            format!(
                "{{\"iam:A\": {{\"rate\": {rate}, \"at\": \"{}\"}}}}",
                Timestamp::now().unwrap()
            )
        };
        for text in
            ["", "[]", "{\"iam:A\": 15.0}", &of_a("\"fast\""), &of_a("-1.0"), &of_a("1e300")]
        {
            std::fs::write(state.file(MEASURED_RATES), text).unwrap();
            assert_eq!(state.measured_rates(), MeasuredRates::new(), "{text}");
        }
    }

    #[test]
    fn a_rate_is_forgotten_after_thirty_days_even_if_others_are_measured() {
        let directory = tempfile::tempdir().unwrap();
        let account: AccountId = "123456789012".parse().unwrap();
        let state = StateRoot::at(directory.path().join("state")).account(account).unwrap();
        let days_ago = |days: u64| {
            let ago = std::time::Duration::from_secs(days * 24 * 3_600);
            Timestamp::of(std::time::SystemTime::now() - ago).unwrap()
        };
        let text = format!(
            "{{\"iam:New\": {{\"rate\": 15.0, \"at\": \"{}\"}}, \"iam:Old\": {{\"rate\": 15.0, \"at\": \"{}\"}}, \
             \"iam:Later\": {{\"rate\": 15.0, \"at\": \"2999-01-01T00:00:00Z\"}}}}",
            days_ago(29),
            days_ago(31)
        );
        std::fs::write(state.file(MEASURED_RATES), text).unwrap();
        assert_eq!(state.measured_rates(), [("iam:New".to_owned(), rate(15.0))].into());
        state.keep_measured_rates([("iam:Other".to_owned(), rate(2.5))].into());
        let expected = [("iam:New".to_owned(), rate(15.0)), ("iam:Other".to_owned(), rate(2.5))];
        assert_eq!(state.measured_rates(), expected.into());
        let kept = std::fs::read_to_string(state.file(MEASURED_RATES)).unwrap();
        assert!(kept.contains(&days_ago(29).to_string()[..10]), "{kept}");
    }
}
