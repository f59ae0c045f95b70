use std::path::PathBuf;
use std::time::Duration;

use super::error::Error;
use super::input::{expected_partition, role};
use super::selection::Selection;
use super::session::{ImpactScope, Session};
use super::time_limit::{OnWait, TimeLimit};
use crate::aws::Access;
use crate::config::Config;
use crate::iam::{AccountId, Principal, PrincipalPattern, Timestamp};
use crate::plan::{Explanation, check_scope};

/// Options of [`explain`].
#[derive(Debug, Clone)]
pub struct ExplainOptions {
    /// The credentials and the endpoint.
    pub access: Access,
    /// The only account that the credentials may belong to; `None` for any.
    pub account: Option<AccountId>,
    /// The boundaries files, each layered over those before it.
    pub files: Vec<PathBuf>,
    /// The principal to explain.
    pub principal: Principal,
    /// The time at which entries are expired or not; `None` for now.
    pub as_of: Option<Timestamp>,
    /// The time limit for reading the account.
    pub timeout: Option<Duration>,
    /// What to say about what the changes give and take.
    pub impact: ImpactScope,
}

/// Explains what decides the boundary of one principal. Changes nothing. `on_wait` receives long waits.
///
/// # Errors
/// If the files have errors, the account cannot be read, or neither the files nor the account have the principal.
pub async fn explain(options: &ExplainOptions, on_wait: OnWait<'_>) -> Result<Explanation, Error> {
    let ExplainOptions { access, account, files, principal, as_of, timeout, impact } = options;
    let only = Some(vec![PrincipalPattern::from(principal)]);
    let selection = Selection { only, as_of: *as_of, ..Selection::of_files(files.clone()) };
    let config = Config::read(files)?;
    let mut time = TimeLimit::new(*timeout);
    let waits = time.waits();
    let explained = async {
        let partition = expected_partition(&config);
        let session = Session::identify(access, *account, partition, role(&config), waits).await?;
        check_scope(&config, session.account.identity())?;
        session.with_impact(*impact).explain(&config, &selection, principal).await
    };
    time.within(on_wait, explained).await
}
