use std::hash::Hash;
use std::ops::Range;

use super::source::Source;
use super::{Diagnostic, Located};
use crate::iam::{AccountId, PolicyArn, PolicyOwner};

/// An ARN, and the bytes where it stands.
pub(super) struct Placed {
    pub(super) span: Range<usize>,
    pub(super) arn: PolicyArn,
}

/// ARNs that cannot be boundaries of one account's users together with the others.
///
/// An account is in exactly one partition, and its users can have policies of that account or of AWS.
pub(super) fn mistakes(
    source: &Source,
    account: Option<&Located<AccountId>>,
    placed: &[Placed],
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if let Some(usual) = commonest(placed, |placed| Some(placed.arn.partition())) {
        for odd in placed.iter().filter(|placed| placed.arn.partition() != usual) {
            let message = format!(
                "this ARN is of the partition {}, and the others of {usual}",
                odd.arn.partition()
            );
            let help = format!("an account is in one partition: begin the ARN with arn:{usual}:");
            found.push(Diagnostic::at(source, odd.span.clone(), message).help(help));
        }
    }
    let owner = |placed: &Placed| match placed.arn.owner() {
        PolicyOwner::Account(account) => Some(account),
        PolicyOwner::Aws => None,
    };
    let Some(usual) = account.map(|account| account.value).or_else(|| commonest(placed, owner))
    else {
        return found;
    };
    for odd in placed.iter().filter(|placed| owner(placed).is_some_and(|account| account != usual))
    {
        let whose = match account {
            Some(account) => format!("and the file is for {usual} (line {})", account.line),
            None => format!("and the others to {usual}"),
        };
        let message = format!(
            "this policy belongs to account {}, {whose}",
            owner(odd).expect("filtered above")
        );
        let help = "a user's boundary is a policy of the user's own account or of AWS: correct the \
                    account in the ARN";
        found.push(Diagnostic::at(source, odd.span.clone(), message).help(help));
    }
    found
}

/// What most of them have; of equals, what comes first in the file.
fn commonest<T: Copy + Eq + Hash>(
    placed: &[Placed],
    of: impl Fn(&Placed) -> Option<T>,
) -> Option<T> {
    let mut counts = std::collections::HashMap::<T, (usize, usize)>::new();
    for one in placed {
        if let Some(value) = of(one) {
            let (count, first) = counts.entry(value).or_insert((0, one.span.start));
            *count += 1;
            *first = one.span.start.min(*first);
        }
    }
    let by_count = |(count, first): (usize, usize)| (count, std::cmp::Reverse(first));
    counts.into_iter().max_by_key(|&(_, counted)| by_count(counted)).map(|(value, _)| value)
}
