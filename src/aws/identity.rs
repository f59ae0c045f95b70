use crate::iam::{AccountId, Partition};
use crate::inventory::CallerIdentity;

/// The identity in a response of
/// [GetCallerIdentity](https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html).
///
/// # Errors
/// What makes the response unusable: a missing or invalid account or ARN.
pub(super) fn parse_identity(
    account: Option<&str>,
    arn: Option<&str>,
) -> Result<CallerIdentity, String> {
    let account = account.ok_or("it contains no account")?;
    let arn = arn.ok_or("it contains no ARN")?;
    // arn:partition:service:…
    let partition = arn.split(':').nth(1).unwrap_or_default();
    let partition = partition
        .parse::<Partition>()
        .map_err(|error| format!("the ARN {arn:?} is not valid: {error}"))?;
    let account = account
        .parse::<AccountId>()
        .map_err(|error| format!("the account {account:?} is not valid: {error}"))?;
    Ok(CallerIdentity { account, partition, arn: arn.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_needs_a_valid_account_and_a_valid_arn() {
        let arn = Some("arn:aws-us-gov:sts::123456789012:assumed-role/ci/run");
        let identity = parse_identity(Some("123456789012"), arn).unwrap();
        assert_eq!(identity.partition, Partition::AwsUsGov);
        for (account, arn) in [
            (None, arn),
            (Some("123456789012"), None),
            (Some(""), arn),
            (Some("123456789012"), Some("alice")),
        ] {
            assert!(parse_identity(account, arn).is_err(), "{account:?} {arn:?}");
        }
    }
}
