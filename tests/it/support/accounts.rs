//! A sandbox's account, as the tool comes to it: by the real SDK, over a real socket.

use std::time::Duration;

use iam_boundaries::aws::{Access, Account, Connection, RetryPolicy};
use iam_boundaries::iam::{Principal, PrincipalName};
use iam_boundaries::inventory::{ApiError, Inventory};
use iam_boundaries::sandbox::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};

pub async fn account(endpoint_url: String) -> Account {
    let access = Access::Sandbox {
        endpoint_url,
        access_key_id: ACCESS_KEY_ID,
        secret_access_key: SECRET_ACCESS_KEY,
    };
    Connection::open(&access).await.identify().await.expect("the sandbox says who we are")
}

/// Retries as in earnest, but for the waiting.
pub fn quick() -> RetryPolicy {
    RetryPolicy {
        give_up_after: Duration::from_millis(500),
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(5),
        ..RetryPolicy::default()
    }
}

/// Reads these users.
pub async fn read<'a>(
    account: &Account,
    users: impl IntoIterator<Item = &'a PrincipalName>,
) -> Result<Inventory, ApiError> {
    let principals: Vec<Principal> = users.into_iter().cloned().map(Principal::user).collect();
    account.inventory(&principals).await
}
