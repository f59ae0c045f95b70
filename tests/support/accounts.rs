//! A sandbox's account, as the tool comes to it: by the real SDK, over a real socket.

use iam_boundaries::live::{Access, Account, Connection};
use iam_boundaries::sandbox::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};

pub async fn account(endpoint_url: String) -> Account {
    let access = Access::Sandbox {
        endpoint_url,
        access_key_id: ACCESS_KEY_ID,
        secret_access_key: SECRET_ACCESS_KEY,
    };
    Connection::open(&access).await.identify().await.expect("the sandbox says who we are")
}
