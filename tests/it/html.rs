//! The HTML page without a browser: its structure, its policy, and that no text from outside is markup.

use std::path::Path;

use crate::corpus::properties::page::{Tag, read};
use crate::support::html::{MARKUP, accounts, hostile, html, many, pages, review, run};
use crate::support::plans::{Case, HOSTILE};
use crate::support::{Binary, Ran};
use iam_boundaries::config::Config;
use iam_boundaries::iam::Digest;
use iam_boundaries::plan::{Preflight, Refused};
use iam_boundaries::report::{Format, Style, render_file_errors, render_refused};

/// The page without its styles and its script, with a line for each element of a list or a table.
fn content(page: &str) -> String {
    let mut content = page.to_owned();
    for name in ["style", "script"] {
        let start = content.find(&format!("<{name}>")).unwrap() + name.len() + 2;
        let end = start + content[start..].find(&format!("</{name}>")).unwrap();
        content.replace_range(start..end, "…");
    }
    let start = content.find("<meta http-equiv").unwrap();
    let end = start + content[start..].find('>').unwrap();
    content.replace_range(start..end, "<meta http-equiv=…");
    for element in [
        "<tr", "<section", "<li", "<h1", "<h2", "<table", "<p ", "<div", "<meta", "<body", "<rect",
        "<footer",
    ] {
        content = content.replace(element, &format!("\n{element}"));
    }
    content.lines().filter(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect()
}

#[test]
fn every_page_is_well_formed_and_loads_nothing() {
    for (name, page) in pages() {
        let (_, tags) = read(&page);
        for Tag { name: element, attributes } in tags {
            for (attribute, value) in attributes {
                let is_local = value.starts_with('#') || value == "data:,";
                assert!(attribute != "href" || is_local, "{name}: {value}");
                assert!(attribute != "http-equiv" || value == "Content-Security-Policy", "{name}");
                assert!(element != "script" || attribute.is_empty(), "{name}: {attribute}");
            }
        }
    }
}

#[test]
fn text_from_outside_is_text() {
    let page = html(&hostile(12));
    let (text, _) = read(&page);
    let visible = MARKUP.replace('\u{202e}', "\\u{202e}");
    assert!(text.contains(&visible), "{text}");
    assert!(text.contains(HOSTILE.split("```").next().unwrap()), "{text}");
    assert!(!page.contains('\u{202e}'));
    for plan in [Case::of(0, 0).plan(), Case::of(500, 7).plan_since_base()] {
        let page = html(&plan);
        let (text, _) = read(&page);
        assert!(text.contains(&plan.digest().to_string()));
        for change in &plan.changes {
            assert!(text.contains(change.principal.name.as_str()), "{}", change.principal);
        }
    }
}

/// The source of the policy for an element of the page.
fn source(page: &str, element: &str) -> String {
    let (_, rest) = page.split_once(&format!("<{element}>")).unwrap();
    let (text, _) = rest.split_once(&format!("</{element}>")).unwrap();
    let digits = Digest::of(text).to_string();
    let bytes: Vec<u8> = (0..32)
        .map(|n| u8::from_str_radix(&digits["sha256:".len()..][2 * n..2 * n + 2], 16).unwrap())
        .collect();
    format!("'sha256-{}'", base64(&bytes))
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    let alphabet: Vec<char> =
        ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']).collect();
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte))
            << (8 * (3 - chunk.len()));
        for n in 0..4 {
            let digit = alphabet[bits >> (18 - 6 * n) & 63];
            text.push(if n > chunk.len() { '=' } else { digit });
        }
    }
    text
}

fn assert_policy(page: &str) {
    let policy = format!(
        "content=\"default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'\"",
        source(page, "style"),
        source(page, "script")
    );
    assert!(page.contains(&policy), "{policy}");
    let at = page.find(&policy).unwrap();
    assert!(at < page.find("<style>").unwrap(), "a policy applies only to what follows it");
}

#[test]
fn the_policy_allows_only_the_styles_and_the_script_of_the_page() {
    assert_eq!(base64(b"fooba"), "Zm9vYmE=");
    assert_eq!(base64(b"foob"), "Zm9vYg==");
    assert_policy(&html(&many(3)));
}

#[test]
fn the_page_of_a_review() {
    insta::assert_snapshot!("html_review", content(&html(&review())));
}

#[test]
fn sections_of_several_accounts_are_one_list_with_their_accounts() {
    let page = accounts();
    assert_eq!(page.matches("<table class=\"list account ").count(), 1, "{page}");
    insta::assert_snapshot!("html_accounts", content(&page));
}

#[test]
fn the_page_of_a_run_has_what_was_done() {
    let page = run();
    read(&page);
    assert_policy(&page);
    insta::assert_snapshot!("html_run", content(&page));
}

#[test]
fn the_page_of_a_refused_plan_says_that_nothing_was_changed() {
    let preflight = Preflight::fresh(many(3));
    let page = render_refused(&preflight, &Refused::Conflicts, Format::Html, Style::PLAIN);
    let (text, _) = read(&page);
    assert!(text.contains("nothing was changed") && text.contains("Not attempted"), "{text}");
}

#[test]
fn the_page_of_a_check_has_each_error_with_its_line_and_what_to_do() {
    let file = "[boundaries]\ndeveloper = \"arn:aws:iam::aws:policy/X\"\n[users]\nalice = \"develper\"\nalice = 1\n\u{202e}<b> = 1\n";
    let errors = Config::parse("boundaries.toml", file).unwrap_err();
    let page = render_file_errors(&errors, Format::Html, Style::PLAIN);
    let (text, _) = read(&page);
    assert!(!page.contains('\u{202e}'));
    for diagnostic in errors.diagnostics() {
        assert!(text.contains(&format!("\n{}:{}\n", diagnostic.line, diagnostic.column)), "{text}");
        let excerpt = diagnostic.excerpt().expect("the line can be shown");
        assert!(text.contains(excerpt.label) && !excerpt.before.contains('\n'), "{text}");
    }
    let file =
        "[boundaries]\ndeveloper = \"arn:aws:iam::aws:policy/X\"\n[users]\nalice = \"develper\"\n";
    let errors = Config::parse("boundaries.toml", file).unwrap_err();
    let page = render_file_errors(&errors, Format::Html, Style::PLAIN);
    insta::assert_snapshot!("html_errors", content(&page));
}

#[test]
fn a_list_of_any_length_has_every_row_once() {
    for count in [0, 1, 99, 100, 101, 5_000, 5_001, 12_345] {
        let page = html(&many(count));
        assert_eq!(page.matches("<tr class=\"").count(), count);
        let before_rest = page.split("<noscript>").next().unwrap();
        assert_eq!(before_rest.matches("<tr class=\"").count(), count.min(5_000));
        assert_eq!(page.contains("<noscript>"), count > 5_000);
        // The script reads one row from each line.
        let lines = page
            .lines()
            .filter(|line| line.starts_with("<tr class=\"") && line.ends_with("</td></tr>"));
        assert_eq!(lines.count(), count);
    }
}

/// Runs a command with `--format html`, and checks that the page arrives as it was rendered.
fn page_of(binary: &Binary, arguments: &[&str]) -> Ran {
    let ran = binary.run(arguments);
    assert!(ran.out.starts_with("<!DOCTYPE html>"), "{arguments:?}: {ran}");
    assert_policy(&ran.out);
    read(&ran.out);
    ran
}

#[test]
fn each_command_writes_a_whole_page_in_github_actions_too() {
    let file = "[account]\nid = \"123456789012\"\n[users]\nalice = \"arn:aws:iam::aws:policy/PowerUserAccess\"\n";
    let binary = Binary::with_file(file).env("GITHUB_ACTIONS", "true");
    let path = |name: &str| binary.folder().join(name).to_str().unwrap().to_owned();
    let (plan, journal) = (path("plan.json"), path("run.jsonl"));
    assert_eq!(page_of(&binary, &["check", "--format", "html"]).code, 0);
    let planned = page_of(&binary, &["--sandbox", "plan", "--out", &plan, "--format", "html"]);
    assert!(planned.out.contains("<td><code>alice</code></td>"), "{planned}");
    assert_eq!(page_of(&binary, &["show", &plan, "--format", "html"]).out, planned.out);
    let apply = ["--sandbox", "apply", "--auto-approve", "--journal", &journal, "--format", "html"];
    let applied = page_of(&binary, &apply);
    assert!(applied.out.contains("<strong>Apply complete:</strong>"), "{applied}");
    let rolled_back = page_of(&binary, &["--sandbox", "rollback", &journal, "--format", "html"]);
    assert!(rolled_back.out.contains("<h1>"), "{rolled_back}");
    let explain = ["--sandbox", "plan", "--explain", "user/alice", "--format", "html"];
    assert!(page_of(&binary, &explain).out.contains("decides"));
    let bad = Binary::with_file("[users]\nalice = \"develper\"\n");
    for arguments in
        [&["check", "--format", "html"][..], &["--sandbox", "plan", "--format", "html"]]
    {
        let checked = page_of(&bad, arguments);
        assert_eq!(checked.code, 1, "{checked}");
        assert!(checked.out.contains("<mark>&quot;develper&quot;</mark>"), "{checked}");
    }
}

#[test]
fn the_pictures_of_the_documentation_are_small() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let reviewing = std::fs::read_to_string(docs.join("reviewing.md")).unwrap();
    for picture in ["report-summary.png", "report-details.png"] {
        assert!(reviewing.contains(&format!("]({picture})")), "{picture} is in no page");
        let length = std::fs::metadata(docs.join(picture)).unwrap().len();
        assert!((1_000..150_000).contains(&length), "{picture} has {length} bytes");
    }
}
