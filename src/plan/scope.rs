use super::content::Plan;
use crate::config::Config;
use crate::iam::{AccountId, Partition, Printable};
use crate::inventory::CallerIdentity;
use crate::journal::Header;

/// The file, the plan or the journal is for another account or partition than the credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// `[account]` names another account.
    #[error(
        "wrong account: {file}:{line}:{column} is for account {expected}, and the credentials ({arn}) \
         belong to account {actual}"
    )]
    Account {
        /// The path of the file, as it was specified.
        file: Printable,
        /// The line of `id`, from 1.
        line: usize,
        /// The column of `id`'s value, from 1, in characters.
        column: usize,
        /// The account that the file names.
        expected: AccountId,
        /// The account that the credentials belong to.
        actual: AccountId,
        /// The ARN of the caller identity.
        arn: Printable,
    },
    /// The account that the run is restricted to is another one.
    #[error(
        "wrong account: --account is {expected}, and the credentials ({arn}) belong to account {actual}"
    )]
    Expected {
        /// The account that the run is restricted to.
        expected: AccountId,
        /// The account that the credentials belong to.
        actual: AccountId,
        /// The ARN of the caller identity.
        arn: Printable,
    },
    /// The credentials of an account of a fleet belong to another account.
    #[error(
        "wrong account: the account of the fleet is {expected}, and its credentials ({arn}) belong to account {actual}"
    )]
    OfFleet {
        /// The account of the fleet.
        expected: AccountId,
        /// The account that the credentials belong to.
        actual: AccountId,
        /// The ARN of the caller identity.
        arn: Printable,
    },
    /// A saved plan is for another account than the one that the command is restricted to.
    #[error("wrong account: --account is {expected}, and the plan was made for account {actual}")]
    OtherPlan {
        /// The account that the command is restricted to.
        expected: AccountId,
        /// The account that the plan was made for.
        actual: AccountId,
    },
    /// The file has no `[account]`, and its policies belong to another account.
    #[error(
        "wrong account: the policies in {file} belong to account {expected}, and the credentials \
         ({arn}) belong to account {actual}"
    )]
    Policies {
        /// The path of the file, as it was specified.
        file: Printable,
        /// The account of the file's policies.
        expected: AccountId,
        /// The account that the credentials belong to.
        actual: AccountId,
        /// The ARN of the caller identity.
        arn: Printable,
    },
    /// The ARNs in the file are in another partition.
    #[error(
        "wrong partition: the ARNs in {file} are in partition {expected}, and the credentials \
         ({arn}) are in partition {actual}"
    )]
    Partition {
        /// The path of the file, as it was specified.
        file: Printable,
        /// The partition of the file's ARNs.
        expected: Partition,
        /// The partition that the credentials belong to.
        actual: Partition,
        /// The ARN of the caller identity.
        arn: Printable,
    },
    /// The run of a journal was on another account.
    #[error(
        "wrong account: the run in {file} was on account {expected}, and the credentials ({arn}) belong \
         to account {actual}"
    )]
    JournalsAccount {
        /// The path of the journal, as it was specified.
        file: Printable,
        /// The account that the run was on.
        expected: AccountId,
        /// The account that the credentials belong to.
        actual: AccountId,
        /// The ARN of the caller identity.
        arn: Printable,
    },
    /// A saved plan is for another account.
    #[error(
        "wrong account: the plan was made for account {expected}, and the credentials ({arn}) belong \
         to account {actual}"
    )]
    PlansAccount {
        /// The account that the plan was made for.
        expected: AccountId,
        /// The account that the credentials belong to.
        actual: AccountId,
        /// The ARN of the caller identity.
        arn: Printable,
    },
    /// The ARNs in a saved plan are in another partition.
    #[error(
        "wrong partition: the ARNs in the plan are in partition {expected}, and the credentials \
         ({arn}) are in partition {actual}"
    )]
    PlansPartition {
        /// The partition of the plan's ARNs.
        expected: Partition,
        /// The partition that the credentials belong to.
        actual: Partition,
        /// The ARN of the caller identity.
        arn: Printable,
    },
}

/// Checks that the credentials belong to the account that the run is restricted to; `None` allows every account.
///
/// # Errors
/// [`ScopeError::Expected`] if they do not. Then nothing may be read or written.
pub fn check_account(
    expected: Option<AccountId>,
    identity: &CallerIdentity,
) -> Result<(), ScopeError> {
    match expected {
        Some(expected) if expected != identity.account => {
            let (actual, arn) = (identity.account, identity.arn.clone());
            Err(ScopeError::Expected { expected, actual, arn })
        }
        _ => Ok(()),
    }
}

/// Checks that a saved plan is for the account that a command is restricted to; `None` allows every account.
///
/// # Errors
/// [`ScopeError::OtherPlan`] if it is not.
pub fn check_plan_account(expected: Option<AccountId>, plan: &Plan) -> Result<(), ScopeError> {
    match expected {
        Some(expected) if expected != plan.account => {
            Err(ScopeError::OtherPlan { expected, actual: plan.account })
        }
        _ => Ok(()),
    }
}

/// Checks that a saved plan is for the account that the credentials belong to.
///
/// # Errors
/// [`ScopeError`] if it is not. Then nothing may be read or written.
pub fn check_plan_scope(plan: &Plan, identity: &CallerIdentity) -> Result<(), ScopeError> {
    let arn = || identity.arn.clone();
    if plan.account != identity.account {
        let (expected, actual) = (plan.account, identity.account);
        return Err(ScopeError::PlansAccount { expected, actual, arn: arn() });
    }
    match plan.partition_to_set() {
        Some(expected) if expected != identity.partition => {
            let actual = identity.partition;
            Err(ScopeError::PlansPartition { expected, actual, arn: arn() })
        }
        _ => Ok(()),
    }
}

/// Checks that the file is for the account that the credentials belong to.
///
/// # Errors
/// [`ScopeError`] if it is not. Then nothing may be read or written.
pub fn check_scope(config: &Config, identity: &CallerIdentity) -> Result<(), ScopeError> {
    let file = || Printable::new(&config.path());
    let arn = || identity.arn.clone();
    if let Some(account) = &config.account
        && account.value != identity.account
    {
        return Err(ScopeError::Account {
            file: account.position.file.clone(),
            line: account.position.line,
            column: account.position.column,
            expected: account.value,
            actual: identity.account,
            arn: arn(),
        });
    }
    if let Some(expected) = config.policy_account()
        && expected != identity.account
    {
        let actual = identity.account;
        return Err(ScopeError::Policies { file: file(), expected, actual, arn: arn() });
    }
    if let Some(expected) = config.partition()
        && expected != identity.partition
    {
        let actual = identity.partition;
        return Err(ScopeError::Partition { file: file(), expected, actual, arn: arn() });
    }
    Ok(())
}

/// Checks that the run of a journal was on the account that the credentials belong to. `file` is the
/// journal.
///
/// # Errors
/// [`ScopeError`] if it was not. Then nothing may be read.
pub fn check_journal_scope(
    header: &Header,
    file: &Printable,
    caller: &CallerIdentity,
) -> Result<(), ScopeError> {
    let (file, arn) = (file.clone(), caller.arn.clone());
    if header.account != caller.account {
        let (expected, actual) = (header.account, caller.account);
        return Err(ScopeError::JournalsAccount { file, expected, actual, arn });
    }
    if header.partition != caller.partition {
        let (expected, actual) = (header.partition, caller.partition);
        return Err(ScopeError::Partition { file, expected, actual, arn });
    }
    Ok(())
}
