use std::fmt::Write;
use std::sync::Arc;

use quick_xml::escape::escape;

/// An element of a response.
pub(super) enum Xml {
    Text(&'static str, String),
    Shared(&'static str, Arc<str>),
    Element(&'static str, Vec<Xml>),
}

/// `<name>value</name>`
pub(super) fn text(name: &'static str, value: impl ToString) -> Xml {
    Xml::Text(name, value.to_string())
}

/// `<name>value</name>` with a value that needs no escaping and is not copied.
pub(super) fn shared(name: &'static str, value: Arc<str>) -> Xml {
    Xml::Shared(name, value)
}

/// `<name>…</name>`
pub(super) fn element(name: &'static str, inner: impl IntoIterator<Item = Xml>) -> Xml {
    Xml::Element(name, inner.into_iter().collect())
}

/// A list in the format of the query protocol: `<name><member>…</member>…</name>`.
pub(super) fn members(name: &'static str, each: impl IntoIterator<Item = Vec<Xml>>) -> Xml {
    element(name, each.into_iter().map(|inner| element("member", inner)))
}

impl Xml {
    fn write(&self, to: &mut String) {
        // Writing to a String cannot fail.
        let _ = match self {
            Xml::Text(name, value) => write!(to, "<{name}>{}</{name}>", escape(value.as_str())),
            Xml::Shared(name, value) => write!(to, "<{name}>{value}</{name}>"),
            Xml::Element(name, inner) => {
                let _ = write!(to, "<{name}>");
                inner.iter().for_each(|xml| xml.write(to));
                write!(to, "</{name}>")
            }
        };
    }
}

/// `<ActionResponse>` with the result, if the action has one, and the request ID.
pub(super) fn response(
    namespace: &str,
    action: &str,
    result: Option<Vec<Xml>>,
    request_id: &str,
) -> String {
    let mut xml = format!("<{action}Response xmlns=\"{namespace}\">");
    if let Some(result) = result {
        let _ = write!(xml, "<{action}Result>");
        result.iter().for_each(|inner| inner.write(&mut xml));
        let _ = write!(xml, "</{action}Result>");
    }
    element("ResponseMetadata", [text("RequestId", request_id)]).write(&mut xml);
    let _ = write!(xml, "</{action}Response>");
    xml
}

/// `<ErrorResponse>`
pub(super) fn error(
    namespace: &str,
    status: u16,
    code: &str,
    message: &str,
    request_id: &str,
) -> String {
    let fault = if status < 500 { "Sender" } else { "Receiver" };
    let mut xml = format!("<ErrorResponse xmlns=\"{namespace}\">");
    let fields = [text("Type", fault), text("Code", code), text("Message", message)];
    element("Error", fields).write(&mut xml);
    text("RequestId", request_id).write(&mut xml);
    xml.push_str("</ErrorResponse>");
    xml
}
