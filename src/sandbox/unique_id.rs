use sha2::{Digest, Sha256};

use super::account_ids::ACCOUNT;
use crate::iam::PrincipalKind;

/// The alphabet of IAM's unique IDs: base32 of RFC 4648.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The number of characters after the prefix. AWS's examples have 21 characters in total, such as
/// `AIDACKCEVSQ6C2EXAMPLE`.
const LENGTH: usize = 17;

/// The prefixes of the unique IDs of users, roles, groups and policies.
pub(super) const PREFIXES: [&str; 4] = ["AIDA", "AROA", "AGPA", "ANPA"];

/// The number of characters after the prefix that depend on the account: 12 digits are less than 2^40.
const ACCOUNT_LENGTH: usize = 8;

/// The unique ID of a user, with the prefix `AIDA`, or of a role, with the prefix `AROA`
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>).
///
/// `deletions` is the number of users or roles of this name that were deleted from the account: IAM never reuses an
/// ID, not even for one of the same name.
pub(super) fn of(kind: PrincipalKind, account: &str, name: &str, deletions: u64) -> String {
    let prefix = match kind {
        PrincipalKind::User => "AIDA",
        PrincipalKind::Role => "AROA",
    };
    let mut id = id(prefix, [ACCOUNT, name, &deletions.to_string()]).into_bytes();
    exchange(&mut id, account);
    id.into_iter().map(char::from).collect()
}

/// The unique ID of a managed policy of [`ACCOUNT`] or of AWS.
pub(super) fn of_policy(arn: &str) -> String {
    id("ANPA", [arn])
}

/// The unique ID of a group of [`ACCOUNT`].
pub(super) fn of_group(name: &str) -> String {
    id("AGPA", [ACCOUNT, name])
}

/// Replaces a unique ID of [`ACCOUNT`] by that of another account, or the other way around. Twice, it is the same ID
/// again.
pub(super) fn exchange(id: &mut [u8], account: &str) {
    let number = |account: &str| account.parse::<u64>().unwrap_or_default();
    let difference = number(ACCOUNT) ^ number(account);
    for (position, byte) in id.iter_mut().skip(PREFIXES[0].len()).take(ACCOUNT_LENGTH).enumerate() {
        let value = ALPHABET.iter().position(|it| it == byte).unwrap_or_default();
        let bits = (difference >> (5 * position)) as usize % ALPHABET.len();
        *byte = ALPHABET[value ^ bits];
    }
}

/// A hash, so that each run of the sandbox assigns the same IDs in any order of calls.
fn id<const N: usize>(prefix: &str, parts: [&str; N]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
        hash.update([0]);
    }
    let hash: [u8; 32] = hash.finalize().into();
    let characters = hash[..LENGTH].iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    prefix.chars().chain(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unique_id_has_iams_form_and_depends_on_account_name_and_deletions() {
        let user = PrincipalKind::User;
        let id = of(user, "123456789012", "alice", 0);
        assert_eq!(id.len(), 21);
        assert!(id.starts_with("AIDA"));
        assert!(id.bytes().all(|byte| ALPHABET.contains(&byte)), "{id}");
        assert_eq!(id, of(user, "123456789012", "alice", 0));
        assert!(of(PrincipalKind::Role, "123456789012", "alice", 0).starts_with("AROA"));
        for other in [
            of(user, "123456789012", "alice", 1),
            of(user, "123456789012", "bob", 0),
            of(user, "999999999999", "alice", 0),
        ] {
            assert_ne!(id, other);
        }
    }
}
