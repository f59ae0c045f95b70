use super::same::Keyed;
use super::words::{not_found_clause, place, recreated_clause, unmodifiable_clause};
use super::{Row, Text, advice};
use crate::config::Provenance;
use crate::iam::{PolicyArn, PolicyOwner, Principal, PrincipalKind};
use crate::plan::ProblemKind;

/// A principal for which nothing can be done, and why.
pub(super) type ProblemView<'a> = (&'a Principal, &'a Provenance, &'a ProblemKind);

/// A principal for which nothing can be done, as a row. Errors of reading are the same problem if they have the same
/// code: their messages name the principal and the request.
pub(super) fn problem_row<'a>(
    (principal, provenance, kind): ProblemView<'a>,
    is_layered: bool,
) -> Keyed<'a> {
    let row = Row {
        principal: Some(principal),
        change: None,
        place: Some(place(provenance, is_layered)),
        message: problem_statement(principal.kind, kind),
        help: problem_help(principal.kind, kind),
    };
    match kind {
        ProblemKind::Unreadable(error) => {
            Keyed { key: format!("{} {}", error.action, error.code), row }
        }
        _ => Keyed::by_message(row),
    }
}

/// Why nothing can be planned for a principal of this kind: a clause without a period.
pub(in crate::report) fn problem_statement(of: PrincipalKind, kind: &ProblemKind) -> Text<'_> {
    let noun = of.noun();
    match kind {
        ProblemKind::NotFound { differs_by_case } => not_found_clause(of, differs_by_case.as_ref()),
        ProblemKind::Unmodifiable { role } => unmodifiable_clause(*role),
        ProblemKind::Unreadable(error) => Text::ours("cannot read the ")
            .and(noun)
            .and("'s boundary: ")
            .and_quote(error.to_string()),
        ProblemKind::Undecided => {
            Text::ours("whether this rule matches is not known, because the ")
                .and(noun)
                .and("'s groups could not be read")
        }
        ProblemKind::Expired { until } => Text::ours("the entry expired on ")
            .and_sentence(until.to_string())
            .and(", and it does not specify what applies from then on"),
        ProblemKind::NoSuchPolicy { policy } => {
            Text::ours("IAM has no policy ").and_name(policy.as_str())
        }
        ProblemKind::PolicyNotAttachable { policy } => {
            let policy = Text::ours("the policy ").and_name(policy.as_str());
            policy.and(" cannot be attached to a ").and(noun)
        }
        ProblemKind::PolicyUnreadable { policy, error } => {
            Text::ours("cannot check whether the policy ")
                .and_name(policy.as_str())
                .and(" can be used as a boundary: ")
                .and_quote(error.to_string())
        }
        ProblemKind::PolicyDiffers { policy, document } => Text::ours("the policy ")
            .and_name(policy.as_str())
            .and(" differs from its pinned document ")
            .and_name(document.as_str()),
        ProblemKind::PolicyDocumentUnreadable { policy, error } => {
            Text::ours("cannot check what the policy ")
                .and_name(policy.as_str())
                .and(" says: ")
                .and_quote(error.to_string())
        }
        ProblemKind::PolicyChanged { policy } => Text::ours("the policy ")
            .and_name(policy.as_str())
            .and(" changed since the plan was made"),
        ProblemKind::Recreated { changed, found } => recreated_clause(of, changed, found),
        ProblemKind::NotAsLeft { left, found } => {
            let boundary = |arn: &'_ Option<PolicyArn>| match arn {
                Some(arn) => Text::name(arn.as_str().to_owned()),
                None => Text::ours("no boundary"),
            };
            Text::ours("the run left ")
                .and_text(boundary(left))
                .and(", and the ")
                .and(noun)
                .and(" now has ")
                .and_text(boundary(found))
        }
    }
}

/// What to do about it: an instruction without a period.
pub(in crate::report) fn problem_help(of: PrincipalKind, kind: &ProblemKind) -> Option<Text<'_>> {
    let noun = of.noun();
    Some(match kind {
        ProblemKind::NotFound { differs_by_case: None } => {
            Text::ours("create the ").and(noun).and(", correct the name, or remove the entry")
        }
        ProblemKind::Undecided => Text::ours(
            "allow iam:GetAccountAuthorizationDetails, or replace the group condition by path or tag",
        ),
        ProblemKind::Expired { .. } => {
            Text::ours("extend until, add then, or remove the ").and(noun).and(" from the file")
        }
        ProblemKind::Unmodifiable { role } => Text::ours(role.help()),
        ProblemKind::NotFound { differs_by_case: Some(other) } => {
            Text::ours("write the name as ").and_name(other.as_str())
        }
        ProblemKind::PolicyDiffers { .. } => {
            Text::ours("restore the policy, or change the document and have it reviewed")
        }
        ProblemKind::PolicyChanged { .. } => Text::ours("review the policy, and make a new plan"),
        ProblemKind::Unreadable(error)
        | ProblemKind::PolicyUnreadable { error, .. }
        | ProblemKind::PolicyDocumentUnreadable { error, .. } => Text::sentence(advice(error)?),
        ProblemKind::NoSuchPolicy { policy } if policy.owner() == PolicyOwner::Aws => {
            Text::ours("correct the ARN: it is not that of an AWS managed policy")
        }
        ProblemKind::NoSuchPolicy { .. } => Text::ours("create the policy, or correct its ARN"),
        ProblemKind::PolicyNotAttachable { policy } if !policy.is_for_service_linked_role() => {
            Text::ours("a boundary is a policy of the ")
                .and(noun)
                .and("'s own account or an AWS managed policy; specify another policy")
        }
        ProblemKind::PolicyNotAttachable { .. } => {
            Text::ours("AWS reserves it for service-linked roles; specify another policy")
        }
        ProblemKind::Recreated { .. } | ProblemKind::NotAsLeft { .. } => {
            Text::ours("the rollback leaves this ")
                .and(noun)
                .and(" unchanged; to set its boundary, edit the boundaries file and apply it")
        }
    })
}
