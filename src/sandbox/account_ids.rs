/// The account of every access key ID that selects no other account. It manages the organization of the sandbox.
pub const ACCOUNT: &str = "123456789012";

/// The number before the ID of the second account.
const BASE: u64 = 200_000_000_000;

/// The IDs of the accounts of a sandbox with this number of accounts: [`ACCOUNT`], then `200000000001`,
/// `200000000002` and so on.
pub fn account_ids(accounts: usize) -> Vec<String> {
    let others = (BASE + 1..).map(|id| id.to_string());
    std::iter::once(ACCOUNT.to_owned()).chain(others).take(accounts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::AccountId;

    #[test]
    fn account_ids_are_valid_and_the_first_is_the_home_account() {
        assert_eq!(account_ids(3), [ACCOUNT, "200000000001", "200000000002"]);
        assert!(account_ids(0).is_empty());
        assert!(account_ids(5_000).iter().all(|id| id.parse::<AccountId>().is_ok()));
    }
}
