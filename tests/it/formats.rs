//! Plans and file errors in every format and size, with hostile names and messages.

use crate::support::Binary;
use crate::support::plans::context;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::support::plans::{Case, HOSTILE, found};
use iam_boundaries::config::{Config, FileErrors};
use iam_boundaries::iam::{Principal, grouped};
use iam_boundaries::inventory::Inventory;
use iam_boundaries::plan::Plan;
use iam_boundaries::report::{Format, Style, render_check, render_file_errors, render_plan};
use pulldown_cmark::{Event, Options, Parser, Tag};

const LIMIT: usize = 65_536;
const SIZES: [(usize, usize); 7] =
    [(0, 0), (1, 0), (0, 1), (3, 3), (500, 7), (5_000, 0), (5_000, 5_000)];

static PLANS: LazyLock<Vec<Plan>> = LazyLock::new(|| {
    SIZES
        .into_iter()
        .flat_map(|(changes, problems)| {
            let case = Case::of(changes, problems);
            [case.plan(), case.plan_since_base()]
        })
        .collect()
});

fn shown(plan: &Plan, format: Format) -> String {
    render_plan(plan, format, Style::PLAIN)
}

fn mistakes(format: Format, errors: &FileErrors) -> String {
    render_file_errors(errors, format, Style::PLAIN)
}

fn check(format: Format, config: &Config) -> String {
    render_check(config, format, Style::PLAIN)
}

/// Renders Markdown, and checks that no name or message adds structure. Returns the text.
pub fn rendered(markdown: &str) -> String {
    let options = Options::all() - Options::ENABLE_SMART_PUNCTUATION;
    let mut text = String::new();
    let mut open = 0;
    for event in Parser::new_ext(markdown, options) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => {
                for tag in html.split_inclusive('>').map(str::trim).filter(|tag| !tag.is_empty()) {
                    let is_comment = ["plan", "apply"]
                        .iter()
                        .any(|of| tag == format!("<!-- iam-boundaries {of} -->"));
                    match tag {
                        "<details>" | "<details open>" => open += 1,
                        "</details>" => open -= 1,
                        "<summary>" => {}
                        _ if is_comment => {}
                        _ if tag.ends_with("</summary>") => {
                            let title = tag.trim_end_matches("</summary>");
                            assert!(!title.contains(['<', '&', '`']), "{tag}");
                        }
                        _ => panic!("foreign HTML: {tag}"),
                    }
                }
            }
            Event::Start(tag) => match tag {
                Tag::Paragraph
                | Tag::Heading { .. }
                | Tag::List(None)
                | Tag::Item
                | Tag::Table(_)
                | Tag::TableHead
                | Tag::TableRow
                | Tag::TableCell
                | Tag::HtmlBlock
                | Tag::Strong => {}
                other => panic!("foreign structure: {other:?}"),
            },
            Event::Code(code) => {
                text.push_str(&code);
                text.push('\n');
            }
            Event::Text(words) => {
                for foreign in ["octocat", "script", "www", "example", "http", ":tada"] {
                    assert!(!words.contains(foreign), "{foreign} outside of code: {words}");
                }
                text.push_str(&words);
            }
            Event::End(_) | Event::SoftBreak => text.push('\n'),
            other => panic!("foreign structure: {other:?}"),
        }
    }
    assert_eq!(open, 0, "what is folded is closed");
    text
}

#[test]
fn markdown_is_never_longer_than_a_comment_and_its_summary_is_whole() {
    for plan in PLANS.iter() {
        let markdown = shown(plan, Format::Markdown);
        assert!(markdown.encode_utf16().count() <= LIMIT, "{}", markdown.len());
        assert!(markdown.starts_with("<!-- iam-boundaries plan -->\n### "), "{markdown}");
        let text = rendered(&markdown);
        assert!(text.contains(&plan.digest().to_string()));
        assert!(text.contains(plan.account.as_str()));
        let counts = plan.counts();
        let [add, change, remove] = [counts.add, counts.change, counts.remove].map(grouped);
        let row = format!("| All | {add} | {change} | {remove} |");
        let is_known = !plan.changes.is_empty() || plan.problems.is_empty();
        assert_eq!(markdown.contains(&row), is_known, "{row}");
        if !plan.problems.is_empty() {
            assert!(text.contains(&format!("{} cannot be planned", grouped(plan.problems.len()))));
        }
    }
}

#[test]
fn what_did_not_fit_into_the_markdown_is_counted() {
    for plan in PLANS.iter() {
        let markdown = shown(plan, Format::Markdown);
        let rows = |first: &str| markdown.lines().filter(|line| line.starts_with(first)).count();
        let shown = rows("| add | `") + rows("| change | `") + rows("| remove | `");
        let left_out: usize = markdown
            .lines()
            .filter_map(|line| {
                let (count, _) = line.strip_prefix("**")?.split_once(" more change")?;
                count.replace(',', "").parse::<usize>().ok()
            })
            .sum();
        assert_eq!(shown + left_out, plan.changes.len(), "{left_out} left out");
        let listed = markdown.matches("`problem-").count();
        if plan.problems.len() < 50 {
            assert_eq!(listed, plan.problems.len());
        }
    }
}

#[test]
fn five_hundred_usual_changes_fit_into_one_comment_whole() {
    let names: String = (0..500).map(|n| format!("first-last-{n:03} = \"developer\"\n")).collect();
    let file = format!(
        "[boundaries]\ndeveloper = \"arn:aws:iam::123456789012:policy/Developer\"\n[users]\n{names}"
    );
    let config = Config::parse("boundaries.toml", &file).unwrap();
    let live = config.entries().map(|(principal, _)| (principal, found(None))).collect();
    let live = Inventory::of(live);
    let plan = Plan::between(&context(), &config, &live);
    let markdown = shown(&plan, Format::Markdown);
    assert!(!markdown.contains("did not fit"));
    assert_eq!(markdown.matches("| add | `first-last-").count(), 500);
}

#[test]
fn removals_come_first_if_the_changes_do_not_fit_into_a_comment() {
    let comment = |adds: usize, removals: usize| {
        let added = (0..adds).map(|n| format!("first-last-{n:04} = \"developer\"\n"));
        let removed = (0..removals).map(|n| format!("zoe-{n:04} = false\n"));
        let file = format!(
            "[boundaries]\ndeveloper = \"arn:aws:iam::123456789012:policy/Developer\"\n[users]\n{}{}",
            added.collect::<String>(),
            removed.collect::<String>()
        );
        let config = Config::parse("boundaries.toml", &file).unwrap();
        let of = |principal: &Principal| match principal.name.as_str().starts_with("zoe") {
            true => found(Some("arn:aws:iam::123456789012:policy/Developer".parse().unwrap())),
            false => found(None),
        };
        let live =
            config.entries().map(|(principal, _)| (principal.clone(), of(&principal))).collect();
        let plan = Plan::between(&context(), &config, &Inventory::of(live));
        let markdown = shown(&plan, Format::Markdown);
        assert!(markdown.encode_utf16().count() <= LIMIT);
        markdown
    };
    let rows = |markdown: &str, kind: &str| markdown.matches(&format!("\n| {kind} | `")).count();

    let all = comment(10, 3);
    assert!(all.find("first-last-0009") < all.find("zoe-0000"), "by name if all fit");

    let some = comment(1_594, 3);
    assert_eq!(rows(&some, "remove"), 3, "{some}");
    assert!(some.find("zoe-0002") < some.find("first-last-0000"), "{some}");
    assert!(some.contains(" more changes did not fit (no removals):**"), "{some}");

    let few = comment(100, 3_000);
    let shown = rows(&few, "remove");
    assert!(shown > 500 && rows(&few, "add") == 0, "{shown}");
    let left = grouped(3_000 - shown);
    let note = format!("{} more changes did not fit ({left} removals):**", grouped(3_100 - shown));
    assert!(few.contains(&note), "{note}");
}

/// Checks that each line is one whole command of a workflow, and that there are no more of a level than GitHub shows.
pub fn check_github(text: &str) {
    for level in ["error", "warning", "notice"] {
        let prefix = format!("::{level} ");
        let count = text.lines().filter(|line| line.starts_with(&prefix)).count();
        assert!(count <= 10, "{count} {level}");
    }
    for line in text.lines() {
        let rest = line.strip_prefix("::").expect(line);
        let (properties, _) = rest.split_once("::").expect(line);
        let (level, properties) = properties.split_once(' ').expect(line);
        assert!(["error", "warning", "notice"].contains(&level), "{line}");
        for property in properties.split(',') {
            let (name, _) = property.split_once('=').expect(line);
            assert!(["file", "line", "col", "title"].contains(&name), "{line}");
        }
    }
    assert!(!text.contains('\r'));
}

#[test]
fn every_line_for_github_is_one_whole_command_and_no_more_than_it_shows() {
    for plan in PLANS.iter() {
        let text = shown(plan, Format::Github);
        check_github(&text);
        assert!(text.contains(&plan.digest().to_string()));
    }
}

#[test]
fn the_text_has_every_change_and_the_digest_at_each_size() {
    for plan in PLANS.iter() {
        let text = shown(plan, Format::Text);
        let shown: BTreeSet<(&str, &str)> = text
            .lines()
            .filter_map(|line| line.strip_prefix("  ")?.split_once(' '))
            .map(|(sign, rest)| (sign, rest.split(' ').next().unwrap_or_default()))
            .collect();
        for change in &plan.changes {
            let (sign, user) = (change.boundary.sign().to_string(), change.principal.name.as_str());
            assert!(shown.contains(&(&*sign, user)), "{user}");
        }
        assert!(text.ends_with(&format!("Digest: {}\n", plan.digest().short())), "{text}");
    }
}

#[test]
fn drift_and_what_comes_from_the_file_stand_apart_in_each_format() {
    let plan = Case::of(11, 3).plan_since_base();
    insta::assert_snapshot!("plan_text", shown(&plan, Format::Text));
    insta::assert_snapshot!("plan_markdown", shown(&plan, Format::Markdown));
    insta::assert_snapshot!("plan_github", shown(&plan, Format::Github));
}

#[test]
fn a_plan_without_a_base_in_each_format() {
    let plan = Case::of(3, 0).plan();
    let formats =
        [shown(&plan, Format::Text), shown(&plan, Format::Markdown), shown(&plan, Format::Github)];
    insta::assert_snapshot!(formats.join("\n----\n"));
}

#[test]
fn mistakes_are_shown_in_each_format_and_stay_text() {
    let file = format!("[users]\nalice = 1\n\"{}\" = \"x\"\n", HOSTILE.replace('\\', "/"));
    let errors = Config::parse("./boundaries.toml", &file).unwrap_err();
    let markdown = mistakes(Format::Markdown, &errors);
    rendered(&markdown);
    let formats = [mistakes(Format::Json, &errors), markdown, mistakes(Format::Github, &errors)];
    insta::assert_snapshot!("mistakes", formats.join("\n----\n"));

    let many =
        format!("[users]\n{}", (0..5_000).map(|n| format!("u{n} = 1\n")).collect::<String>());
    let errors = Config::parse("boundaries.toml", &many).unwrap_err();
    let markdown = mistakes(Format::Markdown, &errors);
    rendered(&markdown);
    assert!(markdown.len() <= LIMIT && markdown.contains("5,000 errors"));
    assert!(markdown.contains("did not fit"));
    let github = mistakes(Format::Github, &errors);
    assert_eq!(github.lines().count(), 10);
    assert!(github.contains("4%2C991 more errors"), "{github}");
    let document: serde_json::Value =
        serde_json::from_str(&mistakes(Format::Json, &errors)).unwrap();
    assert_eq!(document["mistakes"].as_array().unwrap().len(), 5_000);
}

#[test]
fn a_file_without_mistakes_in_each_format() {
    let config = Config::parse("boundaries.toml", "[users]\nalice = false\n").unwrap();
    let formats = [Format::Text, Format::Json, Format::Markdown, Format::Github]
        .map(|format| check(format, &config));
    insta::assert_snapshot!(formats.join("\n----\n"));
}

#[test]
fn no_format_hides_who_loses_a_boundary() {
    let boundary = |to: &str| format!("[users]\nemeka = \"policy/Developer\"\nhiro = {to}\n");
    let mark = "the new boundary allows everything";
    let policy = |name: &str| format!("\"arn:aws:iam::aws:policy/{name}\"");
    for (to, loses, is_marked) in [
        (policy("ReadOnlyAccess"), false, false),
        (policy("AdministratorAccess"), true, true),
        ("false".to_owned(), true, false),
    ] {
        let binary = Binary::with_file(&boundary(&to));
        let shown = |format: &str| {
            let ran = binary.run(&["--sandbox", "plan", "--format", format]);
            assert_eq!(ran.code, 0, "{ran}");
            ran.out
        };
        for format in ["text", "markdown", "html", "github"] {
            assert_eq!(shown(format).contains(mark), is_marked, "{format} {to}");
        }
        let summary = "<summary>Changes: 2</summary>";
        let fold = if loses { "<details open>" } else { "<details>" };
        assert!(shown("markdown").contains(&format!("{fold}{summary}")), "{to}");
        // A removal comes before other changes.
        let github = shown("github");
        let [emeka, hiro] = ["emeka::", "hiro::"].map(|it| github.find(it).expect(&github));
        assert_eq!(hiro < emeka, loses, "{github}");
    }
}
