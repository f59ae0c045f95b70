//! The documentation shows the actual output of the binary.
//!
//! `UPDATE_DOCS=1 cargo test --test it docs::` writes the current output to `README.md` and
//! `docs/plan.svg`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use iam_boundaries::config::{Config, Fleet};
use iam_boundaries::report::{Format, Style, render_plan};
use serde_json::Value;

use crate::support::Binary;
use crate::support::html::review;

/// The line height of the picture, in pixels.
const LINE_HEIGHT: usize = 20;
/// The width of a character in pixels, rounded up. The widest common monospace fonts use 0.602 of the font
/// size.
const CHARACTER_WIDTH: f32 = 8.5;
/// The padding of the picture, in pixels.
const MARGIN: usize = 20;

#[test]
fn readme_shows_the_plan_that_its_file_makes() {
    let path = root().join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let plan = Binary::with_file(block(&readme, "file").1).run(&["--sandbox", "plan"]);
    assert_eq!(plan.code, 0, "{plan}");
    let (range, _) = block(&readme, "plan");
    let mut expected = readme.clone();
    expected.replace_range(range, &plan.out);
    compare(&path, &readme, &expected);
}

#[test]
fn the_picture_shows_the_plan_of_the_own_file() {
    let plan = Binary::with_own_file().run(&["--sandbox", "--color", "always", "plan"]);
    assert_eq!(plan.code, 0, "{plan}");
    let path = root().join("docs/plan.svg");
    let picture = std::fs::read_to_string(&path).unwrap_or_default();
    let output = format!("\x1b[2m$\x1b[0m \x1b[1miam-boundaries plan\x1b[0m\n\n{}", plan.out);
    compare(&path, &picture, &svg(&output));
}

#[test]
fn the_page_about_permissions_shows_what_the_command_prints() {
    let path = root().join("docs/permissions.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let binary = Binary::with_file(block(&page, "file").1);
    for (file, text) in [
        ("fleet.toml", block(&page, "fleet-file").1),
        ("baseline.toml", "[users]\nalice = \"policy/Developer\"\n"),
    ] {
        std::fs::write(binary.folder().join(file), text).unwrap();
    }
    let fleet = "--fleet fleet.toml permissions fleet --trusted-by arn:aws:iam::123456789012:role/boundaries-hub --only";
    let github = "permissions trust-github --account 123456789012 --repository octo-org@1234/iam@5678 \
                  --environment production";
    let mut expected = page.clone();
    for (name, arguments) in [
        ("plan", "permissions plan"),
        ("apply", "permissions apply"),
        ("base", &format!("{fleet} base")),
        ("trust", &format!("{fleet} trust")),
        ("trust-github", github),
        ("scp", "permissions scp --except-role role/iam-boundaries"),
    ] {
        let ran = binary.run(&arguments.split_whitespace().collect::<Vec<_>>());
        assert_eq!(ran.code, 0, "{ran}");
        let mut text = ran.out;
        if name == "apply" {
            // The page shows the statements of `plan` once.
            let start = text.find("    {\n      \"Sid\": \"SetBoundaries").unwrap();
            text = text[start..].strip_suffix("\n  ]\n}\n").unwrap().to_owned() + "\n";
        }
        expected.replace_range(block(&expected, name).0, &text);
    }
    compare(&path, &page, &expected);
}

#[test]
fn the_page_for_reviewers_explains_a_real_comment() {
    let path = root().join("docs/reviewing.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let comment = render_plan(&review(), Format::Markdown, Style::PLAIN);
    let mut expected = page.clone();
    expected.replace_range(block(&page, "comment").0, &comment);
    compare(&path, &page, &expected);
}

#[test]
fn every_boundaries_file_and_fleet_file_in_the_documentation_is_valid() {
    let mut files = 0;
    for page in ["README.md", "docs/file-reference.md"] {
        let text = std::fs::read_to_string(root().join(page)).unwrap();
        for block in text.split("```toml\n").skip(1) {
            let (file, _) = block.split_once("```").expect("the block ends");
            let result = match file.contains("[accounts]") {
                true => Fleet::parse(page, file).map(|_| ()),
                false => Config::parse(page, file).map(|_| ()),
            };
            if let Err(errors) = result {
                panic!("{errors}");
            }
            files += 1;
        }
    }
    assert_eq!(files, 6);
}

#[test]
fn every_link_between_pages_has_a_target() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("https://") {
                continue;
            }
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => page.clone(),
                path => page.parent().unwrap().join(path),
            };
            let exists = match heading {
                "" => target.exists(),
                heading => std::fs::read_to_string(&target)
                    .is_ok_and(|text| headings(&text).any(|anchor| anchor == heading)),
            };
            if !exists {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn every_command_in_the_documentation_and_in_help_is_accepted() {
    let binary = Binary::with_own_file();
    let mut commands: Vec<String> = Vec::new();
    for page in pages().into_iter().chain([root().join("examples/event-driven/README.md")]) {
        let text = joined(&std::fs::read_to_string(&page).unwrap());
        let indented = text.lines().filter(|line| line.starts_with("    "));
        commands.extend(indented.filter_map(command));
    }
    assert!(commands.len() > 60, "{}", commands.len());
    let mut subcommands = vec![String::new()];
    while let Some(subcommand) = subcommands.pop() {
        let help = binary.run(&words(&format!("{subcommand} --help")));
        assert_eq!(help.code, 0, "{help}");
        let text = joined(&help.out);
        let examples = text.lines().filter(|line| line.starts_with("  iam-boundaries "));
        commands.extend(examples.filter_map(command));
        let Some((_, listed)) = text.split_once("\nCommands:\n") else { continue };
        let names = listed.lines().map_while(|line| line.split_whitespace().next());
        subcommands.extend(names.filter(|it| *it != "help").map(|it| format!("{subcommand} {it}")));
    }
    assert!(commands.len() > 110, "{}", commands.len());
    for command in commands {
        // The parser checks everything before `--help`, except what is missing.
        let ran = binary.run(&words(&format!("{command} --help")));
        assert_eq!(ran.code, 0, "iam-boundaries {command}\n{ran}");
    }
}

/// The text with each command on one line.
fn joined(text: &str) -> String {
    text.replace("\\\n", " ")
}

/// The arguments, if the line is a command of the tool.
fn command(line: &str) -> Option<String> {
    let arguments = line.trim_start().strip_prefix("iam-boundaries ")?;
    let end = arguments.find(['#', '|', '>', '&']).unwrap_or(arguments.len());
    Some(arguments[..end].to_owned())
}

fn words(command: &str) -> Vec<&str> {
    command.split_whitespace().collect()
}

#[test]
fn every_field_of_the_json_output_is_documented() {
    let binary = Binary::with_own_file();
    let document =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    std::fs::write(binary.folder().join("new.json"), document).unwrap();
    for (page, heading, arguments) in [
        ("guide.md", "### JSON documents", "check"),
        ("guide.md", "### JSON documents", "plan --explain user/emeka --impact"),
        ("guide.md", "### JSON documents", "impact - new.json"),
        ("guide.md", "### Compare the account with a file", "import --check"),
        ("plan-format.md", "# ", "plan --base boundaries.toml --last-used 90"),
        ("run-report.md", "# ", "apply --auto-approve"),
    ] {
        let arguments = format!("--sandbox {arguments} --format json");
        let ran = binary.run(&words(&arguments));
        assert!([0, 2].contains(&ran.code), "{ran}");
        let mut fields = BTreeSet::new();
        for value in serde_json::Deserializer::from_str(&ran.out).into_iter::<Value>() {
            add_fields(&value.unwrap(), &mut fields);
        }
        assert!(fields.len() > 8, "{arguments}: {fields:?}");
        let text = std::fs::read_to_string(root().join("docs").join(page)).unwrap();
        let documented = names(part(&text, heading));
        let missing: Vec<_> = fields.difference(&documented).collect();
        assert_eq!(missing, Vec::<&String>::new(), "{page} {heading}: {arguments}");
    }
}

/// The fields of all objects in `value`.
fn add_fields(value: &Value, fields: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| add_fields(value, fields)),
        Value::Object(object) => {
            for (field, value) in object {
                fields.insert(field.clone());
                // The keys in this object are data.
                if field != "access_levels" {
                    add_fields(value, fields);
                }
            }
        }
        _ => {}
    }
}

/// The page from a heading to the next heading of the same or a higher level.
fn part<'a>(page: &'a str, heading: &str) -> &'a str {
    let start = page.find(heading).expect("the page has the heading") + heading.len();
    let level = heading.bytes().take_while(|byte| *byte == b'#').count();
    let next =
        (1..=level).filter_map(|level| page[start..].find(&format!("\n{} ", "#".repeat(level))));
    &page[start..next.min().map_or(page.len(), |end| start + end)]
}

/// The names in the code spans of a text.
fn names(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| line.starts_with('|'));
    let spans = lines.flat_map(|line| line.split('`').skip(1).step_by(2));
    let words = spans.flat_map(|span| span.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
    words.map(str::to_owned).collect()
}

/// The pages of the documentation.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"]
        .map(|page| root().join(page))
        .into();
    for entry in std::fs::read_dir(root().join("docs")).unwrap() {
        pages.extend(
            Some(entry.unwrap().path()).filter(|path| path.extension() == Some("md".as_ref())),
        );
    }
    pages
}

/// The anchors that GitHub generates for the headings of a page.
fn headings(page: &str) -> impl Iterator<Item = String> {
    page.lines().filter(|line| line.starts_with('#')).map(|line| {
        line.trim_start_matches('#')
            .trim()
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect()
    })
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The code block after the comment `<!-- docs-test: NAME -->`, and the byte range of its text.
fn block<'a>(page: &'a str, name: &str) -> (std::ops::Range<usize>, &'a str) {
    let marker = format!("<!-- docs-test: {name} -->\n```");
    let fence = page.find(&marker).expect("the page has the marker") + marker.len();
    let start = fence + page[fence..].find('\n').expect("the fence has a line of its own") + 1;
    let end = start + page[start..].find("```").expect("the block ends");
    (start..end, &page[start..end])
}

fn compare(path: &PathBuf, present: &str, expected: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, expected).unwrap();
        return;
    }
    assert!(
        present == expected,
        "{} does not show the output of the binary\nhelp: run UPDATE_DOCS=1 cargo test --test it docs::",
        path.display()
    );
}

/// An SVG picture of `output`, which contains ANSI color sequences.
fn svg(output: &str) -> String {
    let width = plain(output).lines().map(|line| line.chars().count()).max().unwrap_or(0);
    let width = (width as f32 * CHARACTER_WIDTH).ceil() as usize + 2 * MARGIN;
    let height = output.lines().count() * LINE_HEIGHT + 2 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
         <title>The output of iam-boundaries plan</title>\n\
         <style>\n\
         text {{ font: 14px ui-monospace, Menlo, Consolas, \"DejaVu Sans Mono\", monospace; \
         fill: #d7dce2; white-space: pre }}\n\
         .bold {{ font-weight: bold }}\n\
         .dim {{ fill: #8b949e }}\n\
         .red {{ fill: #ff7b72 }}\n\
         .green {{ fill: #56d364 }}\n\
         .yellow {{ fill: #e3b341 }}\n\
         .cyan {{ fill: #76e3ea }}\n\
         </style>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"#161b22\"/>\n"
    );
    let mut classes: Vec<&str> = Vec::new();
    for (n, line) in output.lines().enumerate() {
        let y = MARGIN + n * LINE_HEIGHT + LINE_HEIGHT * 3 / 4;
        write!(svg, "<text x=\"{MARGIN}\" y=\"{y}\" xml:space=\"preserve\">").unwrap();
        for (codes, text) in runs(line) {
            for code in codes {
                match style(code) {
                    None => classes.clear(),
                    Some(class) => classes.push(class),
                }
            }
            match (text, classes.as_slice()) {
                ("", _) => {}
                (text, []) => svg.push_str(&escaped(text)),
                (text, classes) => {
                    let class = classes.join(" ");
                    write!(svg, "<tspan class=\"{class}\">{}</tspan>", escaped(text)).unwrap();
                }
            }
        }
        svg.push_str("</text>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

/// Splits a line into segments: the codes of an escape sequence, and the text up to the next sequence.
fn runs(line: &str) -> impl Iterator<Item = (Vec<&str>, &str)> {
    line.split("\x1b[").enumerate().map(|(n, piece)| {
        if n == 0 {
            return (Vec::new(), piece);
        }
        let (codes, text) = piece.split_once('m').expect("only colors are escape sequences");
        (codes.split(';').collect(), text)
    })
}

/// The CSS class of an ANSI code. `None` for the reset code.
fn style(code: &str) -> Option<&'static str> {
    match code {
        "" | "0" => None,
        "1" => Some("bold"),
        "2" => Some("dim"),
        "31" | "91" => Some("red"),
        "32" | "92" => Some("green"),
        "33" | "93" => Some("yellow"),
        "36" | "96" => Some("cyan"),
        other => panic!("the picture has no style for the ANSI code {other}"),
    }
}

fn plain(output: &str) -> String {
    output.lines().map(|line| runs(line).map(|(_, text)| text).collect::<String>() + "\n").collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
