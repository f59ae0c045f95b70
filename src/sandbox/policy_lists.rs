use super::document::Document;
use super::policy::Policies;
use super::xml::{Xml, members, text};

/// A list of attached policies.
pub(super) fn attached_field<'a>(
    name: &'static str,
    arns: impl IntoIterator<Item = &'a String>,
) -> Xml {
    let attached = arns.into_iter().map(|arn| {
        let name = arn.rsplit('/').next().unwrap_or_default();
        vec![text("PolicyName", name), text("PolicyArn", arn)]
    });
    members(name, attached)
}

/// The list of inline policies on an account page.
pub(super) fn inline_field(name: &'static str, policies: &Policies) -> Xml {
    let inline = policies.inline.iter();
    let fields = |(name, document): (&String, &Document)| {
        vec![text("PolicyName", name), document.field("PolicyDocument")]
    };
    members(name, inline.map(fields))
}
