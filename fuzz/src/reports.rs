//! What holds for everything that people and machines read, whatever it is about.

use iam_boundaries::iam::PolicyArn;
use iam_boundaries::inventory::Reading;
use iam_boundaries::plan::Plan;
use iam_boundaries::report::{Format, PLAN_MARKER, Style, render_plan};

/// The most that a comment on GitHub takes, in UTF-16 units.
const LONGEST_COMMENT: usize = 65_536;

/// Every format of a plan.
pub fn of_plan(plan: &Plan) {
    let rendered = |format, style| render_plan(plan, format, style);
    for width in [20, Style::DEFAULT_WIDTH] {
        let style = Style { width, ..Style::PLAIN };
        let text = rendered(Format::Text, style);
        inert(&text);
        let coloured = rendered(Format::Text, Style { colour: true, ..style });
        assert_eq!(without_colours(&coloured), text);
    }
    comment(&rendered(Format::Markdown, Style::PLAIN));
    commands(&rendered(Format::Github, Style::PLAIN));
    json(&rendered(Format::Json, Style::PLAIN));
}

/// The plan reads back from its own JSON as the same plan, with the same digest.
pub fn reads_back(plan: &Plan) {
    let again = Plan::from_json(plan.to_json().as_bytes());
    assert_eq!(again.as_ref(), Ok(plan));
    assert_eq!(again.map(|again| again.digest()), Ok(plan.digest()));
}

/// Nothing in a text is obeyed by a terminal, changes the order of what stands around it, or is seen by
/// nobody.
pub fn inert(text: &str) {
    let is_obeyed = |c: char| {
        let is_invisible = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}');
        (c.is_control() && c != '\n') || is_invisible
    };
    if let Some(at) = text.find(is_obeyed) {
        panic!("a character that is obeyed or not seen, in the middle of {:?}", around(text, at));
    }
}

/// A comment in a pull request.
pub fn comment(text: &str) {
    inert(text);
    assert!(text.starts_with(&format!("<!-- {PLAN_MARKER} -->\n")), "{text:?}");
    let length = text.encode_utf16().count();
    assert!(length <= LONGEST_COMMENT, "a comment of {length} characters");
}

/// Workflow commands, and nothing else that a runner might take for one.
pub fn commands(text: &str) {
    inert(text);
    for line in text.lines() {
        let levels = ["::error ", "::warning ", "::notice "];
        assert!(levels.iter().any(|level| line.starts_with(level)), "{line:?}");
    }
}

/// One JSON document.
pub fn json(text: &str) {
    inert(text);
    let document = serde_json::from_str::<serde_json::Value>(text);
    assert!(document.is_ok_and(|document| document.is_object()), "{text:?}");
}

/// The text without the sequences that colour it (`ESC [ … m`).
pub fn without_colours(text: &str) -> String {
    let mut pieces = text.split("\u{1b}[");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match piece.split_once('m') {
            Some((colour, rest)) if colour.bytes().all(|c| c == b';' || c.is_ascii_digit()) => {
                plain.push_str(rest);
            }
            _ => panic!("a sequence that is no colour, before {:?}", around(piece, 0)),
        }
    }
    plain
}

fn around(text: &str, at: usize) -> &str {
    let start = text.floor_char_boundary(at.saturating_sub(60));
    &text[start..text.ceil_char_boundary((at + 60).min(text.len()))]
}

/// A principal that exists, with this boundary.
pub(super) fn found(boundary: Option<&PolicyArn>) -> Reading {
    let unique_id = "AIDAJQABLZS4A3QDU576Q".parse().expect("it is a unique ID");
    Reading::Found { unique_id, boundary: boundary.cloned() }
}
