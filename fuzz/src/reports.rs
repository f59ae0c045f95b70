//! Properties of every report and message.

use super::page;
use iam_boundaries::iam::PolicyArn;
use iam_boundaries::inventory::Reading;
use iam_boundaries::plan::Plan;
use iam_boundaries::report::{Format, PLAN_MARKER, Style, render_plan};

/// The maximum length of a comment on GitHub, in UTF-16 code units.
const LONGEST_COMMENT: usize = 65_536;

/// Checks every format of a plan.
pub fn of_plan(plan: &Plan) {
    let rendered = |format, style| render_plan(plan, format, style);
    for width in [20, Style::DEFAULT_WIDTH] {
        let style = Style { width, ..Style::PLAIN };
        let text = rendered(Format::Text, style);
        inert(&text);
        let colored = rendered(Format::Text, Style { color: true, ..style });
        assert_eq!(without_colors(&colored), text);
    }
    comment(&rendered(Format::Markdown, Style::PLAIN));
    page::read(&rendered(Format::Html, Style::PLAIN));
    commands(&rendered(Format::Github, Style::PLAIN));
    json(&rendered(Format::Json, Style::PLAIN));
}

/// A plan parsed from its own JSON is the same plan, with the same digest.
pub fn reads_back(plan: &Plan) {
    // A plan in an earlier format keeps the digest of its document. Its own JSON has the current format and
    // the digest of that format.
    let written = Plan { read_digest: None, ..plan.clone() };
    let again = Plan::from_json(plan.to_json().as_bytes());
    assert_eq!(again.as_ref(), Ok(&written));
    assert_eq!(again.map(|again| again.digest()), Ok(written.digest()));
}

/// The text contains no control, bidirectional or invisible characters.
pub fn inert(text: &str) {
    let is_active = |c: char| {
        let is_invisible = matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{e0000}'..='\u{e0fff}');
        (c.is_control() && c != '\n') || is_invisible
    };
    if let Some(at) = text.find(is_active) {
        panic!("a control character or an invisible character in {:?}", around(text, at));
    }
}

/// Asserts that an editor can go to the position: a character of the line, or the end of the line.
pub fn exists(text: &str, (line, column): (usize, usize)) {
    let found = text.split('\n').nth(line.wrapping_sub(1));
    let Some(found) = found else { panic!("there is no line {line}") };
    let end = found.chars().count() + 1;
    assert!((1..=end).contains(&column), "line {line} has no column {column}: {found:?}");
}

/// A comment in a pull request.
pub fn comment(text: &str) {
    inert(text);
    assert!(text.starts_with(&format!("<!-- {PLAN_MARKER} -->\n")), "{text:?}");
    let length = text.encode_utf16().count();
    assert!(length <= LONGEST_COMMENT, "the comment has {length} characters");
}

/// Workflow commands, and no other text that a runner could interpret as a command.
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

/// The text without color sequences (`ESC [ … m`).
pub fn without_colors(text: &str) -> String {
    let mut pieces = text.split("\u{1b}[");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match piece.split_once('m') {
            Some((color, rest)) if color.bytes().all(|c| c == b';' || c.is_ascii_digit()) => {
                plain.push_str(rest);
            }
            _ => panic!("an escape sequence that is not a color, before {:?}", around(piece, 0)),
        }
    }
    plain
}

fn around(text: &str, at: usize) -> &str {
    let start = text.floor_char_boundary(at.saturating_sub(60));
    &text[start..text.ceil_char_boundary((at + 60).min(text.len()))]
}

/// An existing principal with this boundary.
pub(super) fn found(boundary: Option<&PolicyArn>) -> Reading {
    let unique_id = "AIDAJQABLZS4A3QDU576Q".parse().expect("it is a unique ID");
    Reading::Found { unique_id, boundary: boundary.cloned() }
}
