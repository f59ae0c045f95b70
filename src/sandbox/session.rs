use std::time::{Duration, SystemTime};

use crate::iam::AccountId;

/// An access key ID for [`ACCOUNT`](super::ACCOUNT). It is not a secret.
pub const ACCESS_KEY_ID: &str = "SANDBOX-KEY-ID";
/// The secret access key of all credentials. It is not a secret.
pub const SECRET_ACCESS_KEY: &str = "sandbox-key-that-opens-nothing";

/// The session of a role, as its credentials encode it: the sandbox keeps no list of sessions.
///
/// The access key ID has the account and the expiry; the session token has the role and the session name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) account: String,
    pub(super) role: String,
    pub(super) name: String,
    /// In whole milliseconds since the Unix epoch.
    pub(super) expires: SystemTime,
}

/// The session token of a session is missing or wrong.
#[derive(Debug)]
pub(super) struct InvalidToken;

/// The prefix of the access key IDs of temporary credentials
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>).
const PREFIX: &str = "ASIA";

/// The number of digits of the expiry and of the random number, in hexadecimal.
const EXPIRY: usize = 12;
const RANDOM: usize = 4;

impl Session {
    /// A new access key ID. Two IDs of the same session differ.
    pub(super) fn access_key_id(&self) -> String {
        let expires = self.expires.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let (account, random) = (&self.account, fastrand::u16(..));
        format!("{PREFIX}{account}{:0EXPIRY$X}{random:0RANDOM$X}", expires.as_millis())
    }

    pub(super) fn token(&self) -> String {
        hex::encode(format!("{}/{}", self.role, self.name))
    }

    /// The session of these credentials; `None` if the access key ID is not one of [`Session::access_key_id`].
    pub(super) fn of(
        access_key_id: &str,
        token: Option<&str>,
    ) -> Option<Result<Session, InvalidToken>> {
        let (account, expires) = account_and_expiry(access_key_id)?;
        let session = token.and_then(role_and_name).map(|(role, name)| Session {
            account: account.to_string(),
            role,
            name,
            expires,
        });
        Some(session.ok_or(InvalidToken))
    }
}

fn account_and_expiry(access_key_id: &str) -> Option<(AccountId, SystemTime)> {
    let (account, rest) = access_key_id.strip_prefix(PREFIX)?.split_at_checked(12)?;
    let (expires, random) = rest.split_at_checked(EXPIRY)?;
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if random.len() != RANDOM || !is_hex(rest) {
        return None;
    }
    let expires = Duration::from_millis(u64::from_str_radix(expires, 16).ok()?);
    Some((account.parse().ok()?, SystemTime::UNIX_EPOCH + expires))
}

fn role_and_name(token: &str) -> Option<(String, String)> {
    let text = String::from_utf8(hex::decode(token).ok()?).ok()?;
    let (role, name) = text.split_once('/')?;
    Some((role.to_owned(), name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_encode_the_session_and_other_keys_are_of_none() {
        let session = Session {
            account: "000000000012".to_owned(),
            role: "Deploy=1".to_owned(),
            name: "a,b@c".to_owned(),
            expires: SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_000_000_123),
        };
        let (key, token) = (session.access_key_id(), session.token());
        assert_eq!(Session::of(&key, Some(&token)).unwrap().unwrap(), session);
        for wrong in [None, Some(""), Some("zz"), Some("6161")] {
            assert!(Session::of(&key, wrong).unwrap().is_err(), "{wrong:?}");
        }
        let long = format!("{key}0");
        for other in ["ASIAROLE0", "000000000012", "SANDBOX-KEY-ID", &key[..31], &long] {
            assert!(Session::of(other, Some(&token)).is_none(), "{other}");
        }
    }
}
