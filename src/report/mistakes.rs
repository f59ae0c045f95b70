use serde::Serialize;

use super::github::{Annotation, Level, SHOWN, annotations, remark};
use super::markdown::{Page, Part, clipped};
use super::{PLAN_MARKER, counted};
use crate::config::{Config, Diagnostic, FileErrors};
use crate::iam::{AccountId, Digest};

/// A file's mistakes as one JSON document.
pub fn mistakes_json(errors: &FileErrors) -> String {
    json(&Document {
        file: errors.file(),
        mistakes: errors.diagnostics().iter().map(MistakeJson::of).collect(),
        ..Document::default()
    })
}

/// A file's mistakes as a comment in a pull request: it takes the place of the plan that cannot be made.
pub fn mistakes_markdown(errors: &FileErrors) -> String {
    let count = counted(errors.diagnostics().len(), "mistake");
    let title = format!("### Permissions boundaries: {count} in {}\n", clipped(errors.file()));
    let mut page = Page::begin(PLAN_MARKER, &title);
    let lines = errors.diagnostics().iter().map(|mistake| {
        let Diagnostic { message, line, column, help, .. } = mistake;
        let help = help.as_ref().map(|help| format!(" ({})", clipped(help)));
        format!("- {line}:{column}: {}{}", clipped(message), help.unwrap_or_default())
    });
    let about = "Line and column, what is wrong, and what to write instead";
    page.part(&Part::list(about, lines.collect(), "mistake"), 0);
    page.into_text()
}

/// A file's mistakes as workflow commands, each on its line.
pub fn mistakes_github(errors: &FileErrors) -> String {
    let mistakes = errors.diagnostics().iter().map(|mistake| Annotation {
        title: mistake.message.clone(),
        message: mistake.help.clone().unwrap_or_else(|| mistake.message.clone()),
        line: mistake.line,
        column: Some(mistake.column),
    });
    annotations(SHOWN, Level::Error, errors.file(), "mistake", mistakes)
}

/// A file without a mistake, for people.
pub fn check_text(config: &Config) -> String {
    let Users { listed, with_boundary, must_have_none } = Users::of(config);
    let account = match &config.account {
        Some(account) => format!("account {}", account.value),
        None => "no account named".to_owned(),
    };
    format!(
        "{}: no mistakes; {}, {with_boundary} with a boundary and {must_have_none} that must have none; \
         {account}\n",
        config.file,
        counted(listed, "user"),
    )
}

/// A file without a mistake, as one JSON document.
pub fn check_json(config: &Config) -> String {
    json(&Document {
        file: &config.file,
        file_digest: Some(config.digest),
        account: config.account.as_ref().map(|account| account.value),
        users: Some(Users::of(config)),
        ..Document::default()
    })
}

/// A file without a mistake, as a comment in a pull request.
pub fn check_markdown(config: &Config) -> String {
    let title = "### Permissions boundaries: no mistakes\n\n";
    Page::begin(PLAN_MARKER, &format!("{title}{}\n", clipped(check_text(config).trim_end())))
        .into_text()
}

/// A file without a mistake, as a workflow command.
pub fn check_github(config: &Config) -> String {
    remark(Level::Notice, "Permissions boundaries", check_text(config).trim_end())
}

#[derive(Serialize)]
struct Document<'a> {
    format: &'static str,
    format_version: u32,
    file: &'a str,
    file_digest: Option<Digest>,
    account: Option<AccountId>,
    users: Option<Users>,
    mistakes: Vec<MistakeJson<'a>>,
}

#[derive(Serialize)]
struct Users {
    listed: usize,
    with_boundary: usize,
    must_have_none: usize,
}

#[derive(Serialize)]
struct MistakeJson<'a> {
    line: usize,
    column: usize,
    message: &'a str,
    help: Option<&'a str>,
}

impl Default for Document<'_> {
    fn default() -> Self {
        Document {
            format: "iam-boundaries/check",
            format_version: 1,
            file: "",
            file_digest: None,
            account: None,
            users: None,
            mistakes: Vec::new(),
        }
    }
}

impl Users {
    fn of(config: &Config) -> Self {
        let listed = config.users.len();
        let with_boundary =
            config.users.values().filter(|listed| listed.boundary.is_some()).count();
        Users { listed, with_boundary, must_have_none: listed - with_boundary }
    }
}

impl<'a> MistakeJson<'a> {
    fn of(mistake: &'a Diagnostic) -> Self {
        let Diagnostic { message, line, column, help, .. } = mistake;
        MistakeJson { line: *line, column: *column, message, help: help.as_deref() }
    }
}

fn json(document: &Document<'_>) -> String {
    let mut text =
        serde_json::to_string_pretty(document).expect("a document of strings and numbers is JSON");
    text.push('\n');
    text
}
