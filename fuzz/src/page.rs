//! Properties of an HTML page.

use std::collections::BTreeSet;

use super::reports::inert;

/// The elements of a page.
const ELEMENTS: [&str; 43] = [
    "a", "body", "code", "dd", "del", "details", "div", "dl", "dt", "footer", "h1", "h2", "h3",
    "head", "header", "html", "ins", "li", "link", "main", "mark", "meta", "nav", "noscript", "p",
    "pre", "rect", "samp", "script", "section", "span", "strong", "style", "summary", "svg",
    "table", "tbody", "td", "th", "thead", "title", "tr", "ul",
];
/// The elements without an end.
const VOID: [&str; 2] = ["link", "meta"];
/// The attributes of a page.
const ATTRIBUTES: [&str; 26] = [
    "aria-hidden",
    "aria-label",
    "aria-labelledby",
    "charset",
    "class",
    "content",
    "data-column",
    "data-file",
    "data-severity",
    "height",
    "hidden",
    "href",
    "http-equiv",
    "id",
    "lang",
    "name",
    "open",
    "preserveAspectRatio",
    "rel",
    "role",
    "rx",
    "scope",
    "viewBox",
    "width",
    "x",
    "y",
];

/// A tag: its name and its attributes.
pub struct Tag<'h> {
    /// The name of the element.
    pub name: &'h str,
    /// The names and values of its attributes.
    pub attributes: Vec<(&'h str, &'h str)>,
}

/// Reads a page as a browser does that knows only what this tool writes. Returns its text, with a line break for each
/// tag, and its start tags.
///
/// # Panics
/// If the page has another element or attribute, an attribute twice, or an element without its end.
pub fn read(page: &str) -> (String, Vec<Tag<'_>>) {
    inert(page);
    let mut rest = page.strip_prefix("<!DOCTYPE html>").expect("the page has a document type");
    let (mut text, mut tags, mut open) = (String::new(), Vec::new(), Vec::new());
    while let Some(at) = rest.find('<') {
        text.push_str(&unescaped(&rest[..at]));
        text.push('\n');
        rest = &rest[at + 1..];
        let end = rest.find('>').expect("a tag has an end");
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "</{name}>");
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(ELEMENTS.contains(&name), "<{tag}>");
        let attributes = attributes_of(attributes);
        let names: BTreeSet<&str> = attributes.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), attributes.len(), "an attribute twice: <{tag}>");
        assert!(names.iter().all(|name| ATTRIBUTES.contains(name)), "<{tag}>");
        if name == "script" || name == "style" {
            let end = rest.find(&format!("</{name}>")).expect("the element has an end");
            rest = &rest[end..];
        }
        if !VOID.contains(&name) {
            open.push(name);
        }
        tags.push(Tag { name, attributes });
    }
    assert_eq!(open, Vec::<&str>::new());
    assert_eq!(rest.trim(), "");
    (text, tags)
}

fn attributes_of(mut text: &str) -> Vec<(&str, &str)> {
    let mut attributes = Vec::new();
    while !text.trim().is_empty() {
        text = text.trim_start();
        let end = text.find(['=', ' ']).unwrap_or(text.len());
        let name = &text[..end];
        text = &text[end..];
        let value = match text.strip_prefix("=\"") {
            None => "",
            Some(rest) => {
                let (value, rest) = rest.split_once('"').expect("a value has an end");
                text = rest;
                value
            }
        };
        attributes.push((name, value));
    }
    attributes
}

fn unescaped(text: &str) -> String {
    for entity in text.split('&').skip(1) {
        let known = ["lt;", "gt;", "quot;", "amp;"].iter().any(|name| entity.starts_with(name));
        assert!(known, "&{entity}");
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}
