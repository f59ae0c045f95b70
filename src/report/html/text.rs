use maud::{Markup, html};

use crate::report::escape::visible;
use crate::report::view::{Span, Text, Tone};

/// A text: names and quotes have elements of their own, and nothing in them is markup.
pub(super) fn text(text: &Text<'_>) -> Markup {
    html! {
        @for span in text.spans() {
            @match span {
                Span::Ours(words) => (words),
                Span::Name(name) => (code(name)),
                Span::Quote(quote) => samp { (visible(quote)) },
            }
        }
    }
}

/// An untrusted name. An empty one is invisible, so words take its place.
pub(super) fn code(name: &str) -> Markup {
    match name.trim().is_empty() {
        true => html! { "(empty)" },
        false => html! { code { (visible(name)) } },
    }
}

/// A text without elements.
pub(super) fn plain(text: &Text<'_>) -> String {
    visible(&text.to_string()).into_owned()
}

/// The class of a text of this tone.
pub(super) fn tone_class(tone: Tone) -> &'static str {
    match tone {
        Tone::Neutral => "neutral",
        Tone::Good => "good",
        Tone::Careful => "careful",
        Tone::Bad => "bad",
        Tone::Strong => "strong",
    }
}
