use std::ops::Range;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeDeserializationInterceptorContextMut,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::bad_response::BadResponse;
use super::call_context::CallContext;
use super::clock::AwsClock;
use super::redactor::Redactor;
use super::response_limit::ResponseLimit;
use super::service::Service;

/// Limits the size of each response, and rejects a successful response whose body is not a complete and
/// unambiguous document of the action.
///
/// The SDK reads what it can. It accepts a truncated response and treats what is missing as absent: a user whose
/// boundary is cut off would have none, and a page without `IsTruncated` would be the last one. Of a text with a
/// comment in it, it returns the part before the comment; of two elements with the same name, the last one. It
/// does not read the body of the response to a write at all, so it would accept a proxy's page.
///
/// No response to these actions contains a secret of the caller, so one that does is rejected, too.
///
/// It also takes AWS's time from each successful response.
#[derive(Debug, Default)]
pub(super) struct ResponseCheck {
    redactor: Redactor,
    clock: AwsClock,
}

impl ResponseCheck {
    /// The check of the responses to the calls of a connection.
    pub(super) fn of(context: &CallContext) -> Self {
        ResponseCheck { redactor: context.redactor.clone(), clock: context.clock.clone() }
    }
}

impl Intercept for ResponseCheck {
    fn name(&self) -> &'static str {
        "ResponseCheck"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let limit = ResponseLimit::of(operation(config)?.name());
        let body = context.response_mut().body_mut();
        *body = limit.applied_to(std::mem::replace(body, SdkBody::empty()));
        Ok(())
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
        self.clock.observe(response);
        // Without a body, the error is that it could not be read.
        let Some(body) = response.body().bytes() else { return Ok(()) };
        let operation = operation(config)?;
        let service = Service::named(operation.service());
        let checked = checked(body, service, operation.name()).and_then(|text| {
            match self.redactor.is_secret_in(text) {
                true => Err("the response repeats a secret of the credentials".to_owned()),
                false => Ok(()),
            }
        });
        checked.map_err(|what| BadResponse::Malformed(what).into())
    }
}

fn operation(config: &ConfigBag) -> Result<&Metadata, BoxError> {
    config.load::<Metadata>().ok_or_else(|| "the name of the action is unknown".into())
}

/// The text of the body of a response to `action`.
///
/// # Errors
/// What is wrong with it.
fn checked<'a>(body: &'a [u8], service: Service, action: &str) -> Result<&'a str, String> {
    let incomplete = service.incomplete_response();
    let text = std::str::from_utf8(body).map_err(|_| incomplete.to_owned())?;
    if service.is_json() {
        serde_json::from_str::<JsonObject>(text).map_err(|_| incomplete.to_owned())?;
    } else {
        check_xml(text, action, incomplete)?;
    }
    Ok(text)
}

type JsonObject = serde_json::Map<String, serde_json::Value>;

/// The maximum depth of elements. Responses of IAM have a depth of about ten.
const MAX_DEPTH: usize = 32;
/// The maximum number of different fields in an element. A user has about ten.
const MAX_FIELDS: usize = 100;

/// The elements that are not closed yet. A page has tens of thousands of elements, so they share the memory of their
/// names.
#[derive(Default)]
struct OpenElements {
    open: Vec<Open>,
    /// The names of the open elements and of their children.
    names: String,
    /// The children of the open elements, without those of lists: ranges of `names`.
    fields: Vec<Range<usize>>,
}

/// An element that is not closed yet.
struct Open {
    name: Range<usize>,
    /// Where its children begin in [`OpenElements::fields`].
    fields_from: usize,
    has_children: bool,
    has_text: bool,
    has_markup: bool,
}

impl OpenElements {
    /// Begins an element, which is a child of the last one. Lists and maps of the Query protocol repeat `member` and
    /// `entry`; every other name occurs once.
    fn begin(&mut self, name: &str) -> Result<(), String> {
        let range = self.names.len()..self.names.len() + name.len();
        if let Some(parent) = self.open.last_mut() {
            parent.has_children = true;
            if !["member", "entry"].contains(&name) {
                let (parent, names) = (&self.names[parent.name.clone()], &self.names);
                let fields = self.fields_of_last();
                if fields.iter().any(|field| &names[field.clone()] == name) {
                    return Err(format!("the response has <{name}> twice in one <{parent}>"));
                }
                if fields.len() >= MAX_FIELDS {
                    return Err(format!("<{parent}> has too many fields in the response"));
                }
                self.fields.push(range.clone());
            }
        }
        self.names.push_str(name);
        let fields_from = self.fields.len();
        let (has_children, has_text, has_markup) = (false, false, false);
        self.open.push(Open { name: range, fields_from, has_children, has_text, has_markup });
        match self.open.len() > MAX_DEPTH {
            true => Err("the elements of the response are nested too deeply".to_owned()),
            false => Ok(()),
        }
    }

    /// Ends the last element, and checks its content. Comments between elements are harmless.
    fn end(&mut self) -> Result<(), String> {
        let fields = self.fields_of_last();
        let has_field = |name: &&str| fields.iter().any(|it| &self.names[it.clone()] == *name);
        let has_key_and_value = || ["Key", "Value"].iter().all(has_field);
        let Some(element) = self.open.last() else { return Ok(()) };
        let name = &self.names[element.name.clone()];
        let parent = self.open.iter().nth_back(1).map(|parent| &self.names[parent.name.clone()]);
        // The SDK treats a missing value as an empty one.
        if name == "member" && parent == Some("Tags") && !has_key_and_value() {
            return Err("the response has a tag without a key or a value".to_owned());
        }
        let is_mixed = element.has_text && element.has_children;
        let is_split = element.has_markup && !element.has_children;
        if is_mixed || is_split {
            let what = "the response has text mixed with other content";
            return Err(format!("{what} in <{name}>"));
        }
        self.fields.truncate(element.fields_from);
        self.names.truncate(element.name.end);
        self.open.pop();
        Ok(())
    }

    /// The children of the last element, without those of a list.
    fn fields_of_last(&self) -> &[Range<usize>] {
        self.open.last().map_or(&[], |element| &self.fields[element.fields_from..])
    }
}

/// Checks that `text` is exactly one XML document with the root element `<ActionResponse>`, as in the Query
/// protocol (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html>), and
/// that it can be read in only one way.
///
/// # Errors
/// What is wrong with it; `incomplete` if it is another document, or none.
fn check_xml(text: &str, action: &str, incomplete: &str) -> Result<(), String> {
    let incomplete = || incomplete.to_owned();
    let root = format!("{action}Response");
    let mut reader = Reader::from_str(text);
    let mut elements = OpenElements::default();
    let mut has_root = false;
    let mut tells_end = false;
    let mut is_paged = is_paged(action);
    loop {
        let event = reader.read_event().map_err(|_| incomplete())?;
        if let Event::Start(start) | Event::Empty(start) = &event {
            let name = start.local_name();
            let name = name.into_inner();
            let depth = elements.open.len();
            if depth == 0 && (has_root || name != root) {
                return Err(incomplete());
            }
            has_root = true;
            tells_end |= depth == 2 && name == "IsTruncated";
            is_paged |= depth == 2 && is_last_of_job(action, name);
            elements.begin(name)?;
            if matches!(event, Event::Empty(_)) {
                elements.end()?;
            }
            continue;
        }
        let inner = elements.open.last_mut();
        match (event, inner) {
            // The reader checks that start and end tags match.
            (Event::End(_), Some(_)) => elements.end()?,
            (Event::Text(text), inner) if !text.trim().is_empty() => {
                inner.ok_or_else(incomplete)?.has_text = true;
            }
            (Event::GeneralRef(_), inner) => inner.ok_or_else(incomplete)?.has_text = true,
            (Event::Comment(_) | Event::PI(_), Some(inner)) => inner.has_markup = true,
            // The SDK ignores CDATA sections, and IAM sends none.
            (Event::CData(_), _) => return Err("the response has a CDATA section".to_owned()),
            (Event::DocType(_), _) => return Err("the response has a DOCTYPE".to_owned()),
            (Event::Eof, inner) if !has_root || inner.is_some() => return Err(incomplete()),
            (Event::Eof, _) if !tells_end && is_paged => {
                return Err("the response does not say whether another page follows".to_owned());
            }
            (Event::Eof, _) => return Ok(()),
            _ => {}
        }
    }
}

/// Whether responses have the element `IsTruncated`.
fn is_paged(action: &str) -> bool {
    matches!(action, "GetAccountAuthorizationDetails" | "ListUsers" | "ListRoles")
}

/// Whether a response with this field has the element `IsTruncated`: the job is over, and the response is a page of its
/// report ([GetServiceLastAccessedDetails](https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLastAccessedDetails.html)).
fn is_last_of_job(action: &str, field: &str) -> bool {
    action == "GetServiceLastAccessedDetails" && field == "JobCompletionDate"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &[u8], action: &str) -> Result<(), String> {
        checked(body, Service::Iam, action).map(|_| ())
    }

    #[test]
    fn a_document_is_accepted_only_if_it_is_complete() {
        let text = "<?xml version=\"1.0\"?>\n<RResponse xmlns=\"x\"><!-- > -->\n<a b=\">\"/><c>&lt;d</c>\
                    <l><member/><member>x</member></l></RResponse>";
        assert_eq!(check(text.as_bytes(), "R"), Ok(()));
        assert_eq!(check(format!("{text}\n").as_bytes(), "R"), Ok(()));
        for end in 0..text.len() {
            assert!(check(&text.as_bytes()[..end], "R").is_err(), "{}", &text[..end]);
        }
    }

    #[test]
    fn any_other_body_is_rejected() {
        let r = |inner: &str| format!("<RResponse>{inner}</RResponse>");
        for text in [
            String::new(),
            "well done".to_owned(),
            "<S/>".to_owned(),
            "<RResponse></S>".to_owned(),
            "<RResponse/><RResponse/>".to_owned(),
            r("") + "x",
            r("") + "&amp;",
            "x".to_owned() + &r(""),
            r("<a><b></a></b>"),
            "<RResponse>\u{fffd}".to_owned(),
            r(&"<a>".repeat(100)) + &"</a>".repeat(100),
            r(&(0..200).map(|n| format!("<a{n}/>")).collect::<String>()),
        ] {
            assert!(check(text.as_bytes(), "R").is_err(), "{text}");
        }
        assert!(check(b"<RResponse>\xff</RResponse>", "R").is_err());
    }

    #[test]
    fn an_incomplete_document_is_said_to_be_of_the_service_of_its_action() {
        for (action, document) in [
            ("iam:GetUser", "XML document of IAM"),
            ("sts:AssumeRole", "XML document of STS"),
            ("organizations:ListAccounts", "JSON document of AWS Organizations"),
            ("cloudtrail:LookupEvents", "JSON document of CloudTrail"),
        ] {
            let error = checked(b"{", Service::of_action(action), "X").unwrap_err();
            assert_eq!(error, format!("the response is not a complete {document}"));
        }
    }

    #[test]
    fn a_text_that_could_be_read_in_two_ways_is_rejected() {
        for inner in [
            "arn:a<!-- -->b",
            "<!-- -->arn",
            "<!-- -->",
            "arn<?x y?>",
            "<![CDATA[arn]]>",
            "arn<b/>",
            "<b/>&amp;",
        ] {
            let text = format!("<RResponse><Arn>{inner}</Arn></RResponse>");
            assert!(check(text.as_bytes(), "R").is_err(), "{text}");
        }
        let twice = "<RResponse><User><Arn>a</Arn><Path/><Arn>b</Arn></User></RResponse>";
        let error = "the response has <Arn> twice in one <User>".to_owned();
        assert_eq!(check(twice.as_bytes(), "R"), Err(error));
        let with_entity = "<!DOCTYPE R [<!ENTITY a \"b\">]><RResponse>&a;</RResponse>";
        assert!(check(with_entity.as_bytes(), "R").is_err());
    }

    #[test]
    fn a_tag_must_have_a_key_and_a_value_which_can_be_empty() {
        let tag = |tag: &str| {
            let list = format!("<Tags>{tag}</Tags>");
            check(format!("<RResponse>{list}</RResponse>").as_bytes(), "R")
        };
        for complete in ["", "<member><Key>a</Key><Value/></member>"] {
            assert_eq!(tag(complete), Ok(()));
        }
        for incomplete in
            ["<member/>", "<member><Key>a</Key></member>", "<member><Value>a</Value></member>"]
        {
            let error = tag(incomplete).unwrap_err();
            assert_eq!(error, "the response has a tag without a key or a value");
        }
    }

    #[test]
    fn a_page_must_say_whether_another_one_follows() {
        let page = |inner: &str| {
            let text = format!(
                "<ListUsersResponse><ListUsersResult>{inner}</ListUsersResult></ListUsersResponse>"
            );
            check(text.as_bytes(), "ListUsers")
        };
        assert_eq!(page("<IsTruncated>false</IsTruncated>"), Ok(()));
        for inner in ["<Users/>", "<Users><member><IsTruncated/></member></Users>"] {
            let error = page(inner).unwrap_err();
            assert!(error.contains("whether another page follows"), "{error}");
        }
    }
}
