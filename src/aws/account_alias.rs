use super::error::CallFailure;
use super::reader::Reader;
use crate::iam::AccountAlias;
use crate::inventory::ApiError;

const ALIASES: &str = "iam:ListAccountAliases";

impl Reader {
    /// The alias of the account; `None` if it has none. An account has at most one
    /// ([ListAccountAliases](https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccountAliases.html)).
    pub(super) async fn account_alias(&self) -> Result<Option<AccountAlias>, ApiError> {
        let get = || async {
            let list = self.iam.list_account_aliases().send();
            list.await.map_err(|error| CallFailure::from_sdk(ALIASES, error))
        };
        let response = self.call(&self.executor(ALIASES, 1, 1), get).await?;
        match response.account_aliases() {
            [] => Ok(None),
            [alias, ..] => alias
                .parse()
                .map(Some)
                .map_err(|_| ApiError::unreadable(ALIASES, "the account alias is not valid")),
        }
    }
}
