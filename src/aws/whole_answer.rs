use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use quick_xml::Reader;
use quick_xml::events::Event;

/// Refuses what seems to say that a call went well, and is not the whole of such an answer.
///
/// The SDK reads an answer that breaks off, or has a hole, as one that says no more: a user whose boundary is
/// what is missing would have none. And of an answer to a write it reads nothing: a proxy's page would do.
#[derive(Debug)]
pub(super) struct WholeAnswers;

impl Intercept for WholeAnswers {
    fn name(&self) -> &'static str {
        "WholeAnswers"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let answer = context.response();
        // An error is an error, whatever else it says.
        if !answer.status().is_success() {
            return Ok(());
        }
        let action = config.load::<Metadata>().ok_or("the call has no name")?.name();
        let body = answer.body().bytes().ok_or("the answer was not read")?;
        whole(body, &format!("{action}Response"))
    }
}

/// Whether `body` is one XML document, from its first to its last byte, and its root `root`:
/// `<ActionResponse …>…</ActionResponse>`, as the query protocol has it
/// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html>).
fn whole(body: &[u8], root: &str) -> Result<(), BoxError> {
    let mut reader = Reader::from_str(std::str::from_utf8(body)?);
    let mut open = 0_usize;
    let mut is_begun = false;
    loop {
        let event = reader.read_event()?;
        if let Event::Start(element) | Event::Empty(element) = &event
            && open == 0
        {
            if is_begun || element.local_name().as_ref() != root {
                return Err(format!("it is not one {root}").into());
            }
            is_begun = true;
        }
        match event {
            Event::Start(_) => open += 1,
            // Each closes the one that is open: the reader sees to that.
            Event::End(_) => open -= 1,
            Event::Text(text) if open == 0 && !text.trim().is_empty() => {
                return Err("there is text around it".into());
            }
            Event::Eof if is_begun && open == 0 => return Ok(()),
            Event::Eof => return Err("it breaks off".into()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_whole_only_to_its_last_byte() {
        let text = "<?xml version=\"1.0\"?>\n<R xmlns=\"x\"><!-- > --><a b=\">\"/>&lt;<c>d</c></R>";
        assert!(whole(text.as_bytes(), "R").is_ok());
        assert!(whole(format!("{text}\n").as_bytes(), "R").is_ok());
        for end in 0..text.len() {
            assert!(whole(&text.as_bytes()[..end], "R").is_err(), "{}", &text[..end]);
        }
    }

    #[test]
    fn what_is_no_such_document_is_not_whole() {
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
            assert!(whole(text.as_bytes(), "R").is_err(), "{text}");
        }
        assert!(whole(b"<R>\xff</R>", "R").is_err());
    }
}
