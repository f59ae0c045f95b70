use sha2::{Digest, Sha256};

/// The alphabet of IAM's unique ids: base 32 of RFC 4648.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Characters after the prefix: AWS's examples have 21 in all, as `AIDACKCEVSQ6C2EXAMPLE`.
const LENGTH: usize = 17;

/// The unique id of a user: it has the prefix `AIDA`
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>).
///
/// `deletions` is how many users of this name were deleted from the account before: IAM never assigns an
/// id again, not even to a user of the same name.
pub(super) fn of_user(account: &str, name: &str, deletions: u64) -> String {
    id("AIDA", [account, name, &deletions.to_string()])
}

/// The unique id of a managed policy.
pub(super) fn of_policy(arn: &str) -> String {
    id("ANPA", [arn])
}

/// Hashed, so that each run of the sandbox assigns the same ids, whatever the order of its calls.
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
    fn an_id_has_the_form_of_iams_and_depends_on_account_name_and_deletions() {
        let id = of_user("123456789012", "alice", 0);
        assert_eq!(id.len(), 21);
        assert!(id.starts_with("AIDA"));
        assert!(id.bytes().all(|byte| ALPHABET.contains(&byte)), "{id}");
        assert_eq!(id, of_user("123456789012", "alice", 0));
        for other in [
            of_user("123456789012", "alice", 1),
            of_user("123456789012", "bob", 0),
            of_user("999999999999", "alice", 0),
        ] {
            assert_ne!(id, other);
        }
    }
}
