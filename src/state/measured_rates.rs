use std::collections::BTreeMap;
use std::time::Duration;

use super::account_directory::AccountDirectory;
use super::atomic::{OnExisting, write_atomically};
use crate::files::{MaxSize, read_own};
use crate::iam::Rate;

/// The rates that IAM sustained in an earlier run, by action. They are a hint: a run starts at them, and measures the
/// rates again.
pub type MeasuredRates = BTreeMap<String, Rate>;

const FILE: &str = "measured-rates.json";
/// Limits and the other clients of an account change. Older rates are not used.
const MAX_AGE: Duration = Duration::from_secs(30 * 24 * 3_600);

impl AccountDirectory {
    /// The rates that an earlier run measured. Without a usable file, there are none.
    pub fn measured_rates(&self) -> MeasuredRates {
        let path = self.file(FILE);
        let age = path.metadata().and_then(|metadata| metadata.modified()).ok();
        if age.and_then(|modified| modified.elapsed().ok()).is_none_or(|age| age > MAX_AGE) {
            return MeasuredRates::new();
        }
        let read = read_own(&path, MaxSize::STATE).map_err(|error| error.to_string());
        let rates = read.and_then(|text| {
            serde_json::from_slice::<BTreeMap<String, f64>>(&text).map_err(|it| it.to_string())
        });
        match rates {
            Ok(rates) => rates
                .into_iter()
                .filter_map(|(action, rate)| Some((action, Rate::per_second(rate).ok()?)))
                .collect(),
            Err(error) => {
                tracing::debug!("the measured rates of earlier runs are not used: {error}");
                MeasuredRates::new()
            }
        }
    }

    /// Keeps the rates that a run measured. Rates of other actions stay as they are. A failure is only logged: the
    /// rates are a hint.
    pub fn keep_measured_rates(&self, measured: MeasuredRates) {
        if measured.is_empty() {
            return;
        }
        let mut rates = self.measured_rates();
        rates.extend(measured);
        // Three digits: the file is for people, too.
        let rates: BTreeMap<String, f64> = rates
            .into_iter()
            .map(|(action, rate)| (action, (rate.get() * 1_000.0).round() / 1_000.0))
            .collect();
        let written =
            serde_json::to_string_pretty(&rates).map_err(std::io::Error::from).and_then(|text| {
                write_atomically(&self.file(FILE), &format!("{text}\n"), OnExisting::Replace)
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
        for text in ["", "[]", "{\"iam:A\": \"fast\"}", "{\"iam:A\": -1.0}", "{\"iam:A\": 1e300}"] {
            std::fs::write(state.file(FILE), text).unwrap();
            assert_eq!(state.measured_rates(), MeasuredRates::new(), "{text}");
        }
    }
}
