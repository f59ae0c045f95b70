//! Checks across the ARNs of all files: all of them must be usable in one account.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;
use std::sync::Arc;

use super::source_text::SourceText;
use super::{Diagnostic, Located};
use crate::iam::{AccountId, PolicyArn, PolicyOwner};

/// An ARN, and its position in the text.
pub(super) struct LocatedArn {
    pub(super) source: Arc<SourceText>,
    /// The byte range of the ARN, including its quotes.
    pub(super) span: Range<usize>,
    pub(super) arn: PolicyArn,
}

/// Reports each ARN whose partition or account differs from that of the file: the account in `[account]`,
/// or else what most ARNs have. The ARNs are in the order of the files and of their texts.
///
/// An account belongs to exactly one partition. A boundary of its users and roles is a customer managed policy
/// of the same account or an AWS managed policy
/// ([PutUserPermissionsBoundary](https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html)).
pub(super) fn check(account: Option<&Located<AccountId>>, arns: &[LocatedArn]) -> Vec<Diagnostic> {
    let at = |located: &LocatedArn, message| {
        Diagnostic::at(&located.source, located.span.clone(), message)
    };
    let mut diagnostics = Vec::new();
    if let Some(expected) = most_common(arns, |located| Some(located.arn.partition())) {
        for located in arns.iter().filter(|located| located.arn.partition() != expected) {
            let message = format!(
                "this ARN is in the partition {}, but other ARNs are in {expected}",
                located.arn.partition()
            );
            let help = format!(
                "start the ARN with arn:{expected}: (an account belongs to exactly one partition)"
            );
            diagnostics.push(at(located, message).help(help));
        }
    }
    let owner = |located: &LocatedArn| match located.arn.owner() {
        PolicyOwner::Account(account) => Some(account),
        PolicyOwner::Aws => None,
    };
    let Some(expected) = account.map(|account| account.value).or_else(|| most_common(arns, owner))
    else {
        return diagnostics;
    };
    for located in arns {
        let Some(other) = owner(located).filter(|&account| account != expected) else { continue };
        let contrast = match account {
            Some(account) => {
                let line = account.position.line;
                match account.position.file == located.source.file {
                    true => format!("the file is for account {expected} (line {line})"),
                    false => format!("{}:{line} is for account {expected}", account.position.file),
                }
            }
            None => format!("other policies belong to account {expected}"),
        };
        let message = format!("this policy belongs to account {other}, but {contrast}");
        let help = "correct the account ID in the ARN: a boundary is a policy of the same \
                    account or an AWS managed policy";
        diagnostics.push(at(located, message).help(help));
    }
    diagnostics
}

/// The ARNs in the order of the files and of their texts. `arns` is in the order of the files.
pub(super) fn in_order(mut arns: Vec<LocatedArn>) -> Vec<LocatedArn> {
    for of_file in arns.chunk_by_mut(|a, b| Arc::ptr_eq(&a.source, &b.source)) {
        of_file.sort_by_key(|located| located.span.start);
    }
    arns
}

/// The most common value of the ARNs. Of equally common values, the first.
fn most_common<T: Copy + Eq + Hash>(
    arns: &[LocatedArn],
    value_of: impl Fn(&LocatedArn) -> Option<T>,
) -> Option<T> {
    let mut counts = HashMap::<T, (usize, usize)>::new();
    for located in arns {
        if let Some(value) = value_of(located) {
            let (count, first) = counts.entry(value).or_insert((0, located.span.start));
            *count += 1;
            *first = located.span.start.min(*first);
        }
    }
    let most_common = counts.into_iter().max_by_key(|&(_, (count, first))| (count, Reverse(first)));
    most_common.map(|(value, _)| value)
}
