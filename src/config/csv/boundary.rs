//! The boundary of a row.

use std::ops::Range;
use std::sync::Arc;

use super::fields::Field;
use crate::config::Diagnostic;
use crate::config::consistency::LocatedArn;
use crate::config::diagnostic::quoted;
use crate::config::source_text::SourceText;
use crate::iam::{AccountId, Partition, PolicyArn, PolicyRef, escaped};

/// What a field says about the boundary.
pub(super) enum Boundary {
    /// The principal must have none.
    Forbidden,
    /// The policy with this ARN.
    Arn(LocatedArn),
    /// The policy with this path and name in the account of the file, and the bytes of the field.
    InAccount { policy: PolicyRef, source: Arc<SourceText>, span: Range<usize> },
}

/// Words with which other formats, languages and people say that there is no value. They would be valid names of
/// policies.
const NOT_A_POLICY: [&str; 17] = [
    "none",
    "null",
    "nil",
    "n/a",
    "na",
    "no",
    "-",
    "--",
    "0",
    "undefined",
    "true",
    "yes",
    "wahr",
    "falsch",
    "faux",
    "falso",
    "vrai",
];

const ARN_HELP: &str = "write the ARN of a policy, such as arn:aws:iam::123456789012:policy/Developer, or false if \
                        there must be no boundary";

impl Boundary {
    /// The boundary of a field, or what is wrong with it. Without an account, only an ARN names a policy.
    pub(super) fn of(
        source: &Arc<SourceText>,
        field: &Field,
        account: Option<AccountId>,
    ) -> Result<Boundary, Diagnostic> {
        let (text, span) = (field.text.as_str(), field.span.clone());
        let at = |message: String| Diagnostic::at(source, field.span.clone(), message);
        if text.is_empty() {
            return Err(at("the boundary must not be empty".to_owned())
                .help("write a boundary, or false if there must be none; to leave the boundary as it is, remove the row"));
        }
        if text.eq_ignore_ascii_case("false") {
            return Ok(Boundary::Forbidden);
        }
        if NOT_A_POLICY.iter().any(|word| text.eq_ignore_ascii_case(word)) {
            return Err(at(format!("{} is not a boundary", quoted(text)))
                .help("write false if there must be no boundary, or the ARN of a policy"));
        }
        let invalid = |error: String, help: &str| {
            at(format!("{} is not a valid policy ARN", quoted(text)))
                .label(escaped(&error))
                .help(help)
        };
        if text.contains(':') {
            let parsed = text.parse::<PolicyArn>();
            let arn = parsed.map_err(|error| invalid(error.to_string(), ARN_HELP))?;
            return Ok(Boundary::Arn(LocatedArn { source: Arc::clone(source), span, arn }));
        }
        if account.is_none() {
            return Err(at(format!("the account of the policy {} is not known", quoted(text)))
                .help("write its ARN, or specify the account of such policies with --account ID"));
        }
        // A path in IAM begins with a slash: /ci/Deployer is policy/ci/Deployer.
        let policy = text.strip_prefix("policy/").or(text.strip_prefix('/')).unwrap_or(text);
        match format!("policy/{policy}").parse::<PolicyRef>() {
            Ok(policy) => Ok(Boundary::InAccount { policy, source: Arc::clone(source), span }),
            Err(error) => Err(invalid(
                error.to_string(),
                "write the name of a policy, as it is in IAM, or its ARN",
            )),
        }
    }

    /// The ARN in an account and a partition; `None` if the principal must have no boundary.
    pub(super) fn arn(
        self,
        account: Option<AccountId>,
        partition: Partition,
    ) -> Option<LocatedArn> {
        match self {
            Boundary::Forbidden => None,
            Boundary::Arn(located) => Some(located),
            Boundary::InAccount { policy, source, span } => {
                let arn = policy.in_account(account?, partition);
                Some(LocatedArn { source, span, arn })
            }
        }
    }
}
