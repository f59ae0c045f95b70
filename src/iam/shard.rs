use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use super::AccountId;

/// One of several parts of a fleet, such as `2/5`. Every account belongs to exactly one of them.
///
/// The part of an account depends only on its ID and the number of parts, so machines that run one part each need no
/// coordination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard {
    index: u16,
    count: u16,
}

/// The error for a text that is not a valid [`Shard`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a shard is I/N, such as 1/4 for the first of four, with N up to 1,000")]
pub struct ShardError;

impl Shard {
    const MAX_COUNT: u16 = 1_000;

    /// Which part it is, from 1.
    pub fn index(self) -> u16 {
        self.index
    }

    /// The number of parts.
    pub fn count(self) -> u16 {
        self.count
    }

    /// All parts of as many as there are of this one.
    pub fn all(self) -> impl Iterator<Item = Shard> {
        (1..=self.count).map(move |index| Shard { index, count: self.count })
    }

    /// Whether the account belongs to this part: the first 8 bytes of the SHA-256 digest of its ID, as a big-endian
    /// number, modulo the number of parts.
    pub fn contains(self, account: AccountId) -> bool {
        let digest = Sha256::digest(account.as_str());
        let first =
            digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        first % u64::from(self.count) == u64::from(self.index - 1)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (index, count) = text.split_once('/').ok_or(ShardError)?;
        // `parse` also accepts a sign.
        let number = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
            true => text.parse::<u16>().map_err(|_| ShardError),
            false => Err(ShardError),
        };
        let (index, count) = (number(index)?, number(count)?);
        match (1..=count).contains(&index) && count <= Self::MAX_COUNT {
            true => Ok(Shard { index, count }),
            false => Err(ShardError),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/{}", self.index, self.count))
    }
}

super::serde_as_text!(Shard);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_account_belongs_to_exactly_one_of_up_to_fifty_shards() {
        let accounts: Vec<AccountId> = (0..300_u64)
            .map(|n| format!("{:012}", 100_000_000_000 + n * 7).parse().unwrap())
            .collect();
        for count in 1..=50 {
            let mut sizes = vec![0; count];
            for account in &accounts {
                let of = (1..=count).filter(|index| {
                    format!("{index}/{count}").parse::<Shard>().unwrap().contains(*account)
                });
                let of: Vec<usize> = of.collect();
                assert_eq!(of.len(), 1, "{account} of {count}: {of:?}");
                sizes[of[0] - 1] += 1;
            }
            let largest = *sizes.iter().max().unwrap();
            assert!(largest <= 300 / count + 40, "{count}: {sizes:?}");
        }
    }

    #[test]
    fn the_shard_of_an_account_never_changes() {
        // Computed with `printf 123456789012 | sha256sum`: a later version must not move accounts.
        let account: AccountId = "123456789012".parse().unwrap();
        let first = u64::from_str_radix("2a33349e7e606a8a", 16).unwrap();
        for count in [1, 2, 7, 1_000] {
            let shard: Shard = format!("{}/{count}", first % count + 1).parse().unwrap();
            assert!(shard.contains(account), "{shard}");
        }
    }

    #[test]
    fn a_shard_is_one_of_those_it_counts() {
        for text in ["1/1", "4/4", "1000/1000"] {
            assert_eq!(text.parse::<Shard>().unwrap().to_string(), text);
        }
        for text in ["", "1", "0/4", "5/4", "1/0", "1/1001", "+1/4", "1/4/2", "a/b", "1 /4"] {
            assert_eq!(text.parse::<Shard>(), Err(ShardError), "{text:?}");
        }
    }
}
