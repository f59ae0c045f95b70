use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use quick_xml::Reader;
use quick_xml::events::Event;

/// Rejects a successful response whose body is not a complete document of the action.
///
/// The SDK accepts a truncated response and treats what is missing as absent: a user whose boundary is cut off
/// would have none. It does not read the body of the response to a write at all, so it would accept a proxy's
/// page.
#[derive(Debug)]
pub(super) struct ResponseCheck;

impl Intercept for ResponseCheck {
    fn name(&self) -> &'static str {
        "ResponseCheck"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        // An error response stays an error, whatever its body.
        if !response.status().is_success() {
            return Ok(());
        }
        let action = config.load::<Metadata>().ok_or("the name of the action is unknown")?.name();
        let body = response.body().bytes().ok_or("the body of the response was not read")?;
        check(body, &format!("{action}Response"))
    }
}

/// Checks that `body` is exactly one XML document with the root element `root`:
/// `<ActionResponse …>…</ActionResponse>`, as in the Query protocol
/// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html>).
fn check(body: &[u8], root: &str) -> Result<(), BoxError> {
    let mut reader = Reader::from_str(std::str::from_utf8(body)?);
    let mut open = 0_usize;
    let mut has_root = false;
    loop {
        let event = reader.read_event()?;
        if let Event::Start(element) | Event::Empty(element) = &event
            && open == 0
        {
            if has_root || element.local_name().as_ref() != root {
                return Err(format!("the body is not one {root} document").into());
            }
            has_root = true;
        }
        match event {
            Event::Start(_) => open += 1,
            // The reader checks that start and end tags match.
            Event::End(_) => open -= 1,
            Event::Text(text) if open == 0 && !text.trim().is_empty() => {
                return Err("the body has text outside the document".into());
            }
            Event::Eof if has_root && open == 0 => return Ok(()),
            Event::Eof => return Err("the body is truncated".into()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_accepted_only_if_it_is_complete() {
        let text = "<?xml version=\"1.0\"?>\n<R xmlns=\"x\"><!-- > --><a b=\">\"/>&lt;<c>d</c></R>";
        assert!(check(text.as_bytes(), "R").is_ok());
        assert!(check(format!("{text}\n").as_bytes(), "R").is_ok());
        for end in 0..text.len() {
            assert!(check(&text.as_bytes()[..end], "R").is_err(), "{}", &text[..end]);
        }
    }

    #[test]
    fn any_other_body_is_rejected() {
        for text in [
            "",
            "well done",
            "<S/>",
            "<R></S>",
            "<R/><R/>",
            "<R/>x",
            "x<R/>",
            "<R><a></R></a>",
            "<R>\u{fffd}",
        ] {
            assert!(check(text.as_bytes(), "R").is_err(), "{text}");
        }
        assert!(check(b"<R>\xff</R>", "R").is_err());
    }
}
