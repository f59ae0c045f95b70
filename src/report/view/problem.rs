use super::words::recreated_clause;
use super::{Text, advice};
use crate::iam::PolicyArn;
use crate::plan::ProblemKind;

/// Why nothing can be planned for a user: a clause without a period.
pub(in crate::report) fn problem_statement(kind: &ProblemKind) -> Text<'_> {
    match kind {
        ProblemKind::NotFound { differs_by_case: None } => Text::ours("IAM has no such user"),
        ProblemKind::NotFound { differs_by_case: Some(other) } => {
            Text::ours("IAM has no such user, but it has ").and_name(other.as_str())
        }
        ProblemKind::Unreadable(error) => {
            Text::ours("cannot read the user's boundary: ").and_quote(error.to_string())
        }
        ProblemKind::NoSuchPolicy { policy } => {
            Text::ours("IAM has no policy ").and_name(policy.as_str())
        }
        ProblemKind::PolicyNotAttachable { policy } => {
            Text::ours("the policy ").and_name(policy.as_str()).and(" cannot be attached to a user")
        }
        ProblemKind::PolicyUnreadable { policy, error } => {
            Text::ours("cannot check whether the policy ")
                .and_name(policy.as_str())
                .and(" can be used as a boundary: ")
                .and_quote(error.to_string())
        }
        ProblemKind::Recreated { changed, found } => recreated_clause(changed, found),
        ProblemKind::NotAsLeft { left, found } => {
            let boundary = |arn: &'_ Option<PolicyArn>| match arn {
                Some(arn) => Text::name(arn.as_str().to_owned()),
                None => Text::ours("no boundary"),
            };
            Text::ours("the run left ")
                .and_text(boundary(left))
                .and(", and the user now has ")
                .and_text(boundary(found))
        }
    }
}

/// What to do about it: an instruction without a period.
pub(in crate::report) fn problem_help(kind: &ProblemKind) -> Option<Text<'_>> {
    Some(match kind {
        ProblemKind::NotFound { differs_by_case: None } => {
            Text::ours("create the user, correct the name, or remove the entry")
        }
        ProblemKind::NotFound { differs_by_case: Some(other) } => {
            Text::ours("write the name as ").and_name(other.as_str())
        }
        ProblemKind::Unreadable(error) | ProblemKind::PolicyUnreadable { error, .. } => {
            Text::sentence(advice(error)?)
        }
        ProblemKind::NoSuchPolicy { .. } => Text::ours("create the policy, or correct its ARN"),
        ProblemKind::PolicyNotAttachable { policy } if !policy.is_for_service_linked_role() => {
            Text::ours(
                "a boundary is a policy of the user's own account or an AWS managed policy; specify another \
                 policy",
            )
        }
        ProblemKind::PolicyNotAttachable { .. } => {
            Text::ours("AWS reserves it for service-linked roles; specify another policy")
        }
        ProblemKind::Recreated { .. } | ProblemKind::NotAsLeft { .. } => Text::ours(
            "the rollback leaves this user unchanged; to set its boundary, edit the boundaries file and apply it",
        ),
    })
}
