//! The styles, the script, and the [Content Security Policy](https://www.w3.org/TR/CSP3/) that allows only these two.

use std::sync::LazyLock;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use maud::{Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

static STYLES: LazyLock<String> = LazyLock::new(|| unified(include_str!("report.css")));
static SCRIPT: LazyLock<String> = LazyLock::new(|| unified(include_str!("report.js")));

/// The text with the line ends that a browser sees when it compares the digest.
fn unified(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// The source that allows an inline element with this text.
fn source(text: &str) -> String {
    format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)))
}

/// The policy. It must be in the page before what it applies to.
pub(super) fn policy() -> Markup {
    let (styles, script) = (source(&STYLES), source(&SCRIPT));
    let policy = format!(
        "default-src 'none'; style-src {styles}; script-src {script}; img-src data:; base-uri 'none'; form-action 'none'"
    );
    html! { meta http-equiv="Content-Security-Policy" content=(policy); }
}

pub(super) fn styles() -> Markup {
    html! { style { (PreEscaped(&*STYLES)) } }
}

pub(super) fn script() -> Markup {
    html! { script { (PreEscaped(&*SCRIPT)) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gate_and_the_elements_leave_the_texts_as_they_are() {
        for text in [&*STYLES, &*SCRIPT] {
            assert!(text.is_ascii() && !text.contains(['\t', '\r']), "the gate escapes it");
            assert!(!text.contains("##[") && !text.contains("\n::"), "the gate escapes it");
            let lower = text.to_lowercase();
            for end in ["</script", "</style", "<!--"] {
                assert!(!lower.contains(end), "{end} ends an element or begins a comment");
            }
            assert!(
                !lower.contains("http:") && !lower.contains("https:") && !lower.contains("url(")
            );
        }
    }
}
