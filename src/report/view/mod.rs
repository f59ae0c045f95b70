//! One view of plans, runs and file checks: plain values that every renderer reads.
//!
//! Grouping, wording and advice are decided here, once. A renderer decides on layout, and escapes foreign
//! text.

mod advice;
mod check;
mod guard;
mod plan;
mod problem;
mod refused;
mod run;
mod text;
mod words;

pub use advice::advice;
pub use guard::{override_help, statements};
pub use words::summary_counts;

pub(super) use advice::{advice_on_failed, advice_on_stop};
pub(super) use check::{UserCounts, check, mistakes};
pub(super) use plan::{change_row, plan};
pub(super) use problem::{problem_help, problem_statement};
pub(super) use refused::refused;
pub(super) use run::{Answered, Run, answered};
pub(super) use text::{Span, Text};
pub(super) use words::counted;

use crate::iam::{AccountId, Digest, PolicyArn};
use crate::plan::Origin;

/// A plan, a run or a file check.
pub(super) struct Document<'a> {
    /// A name for machines that look for the document among others, such as `iam-boundaries plan`.
    pub(super) marker: &'static str,
    /// The severity of the document as a whole.
    pub(super) severity: Severity,
    /// One line that says what the document is about and how it turned out.
    pub(super) title: Text<'a>,
    /// What the first section is about.
    pub(super) introduction: Option<Text<'a>>,
    /// A table of counts.
    pub(super) counts: Vec<CountsRow>,
    pub(super) sections: Vec<Section<'a>>,
    /// The closing line.
    pub(super) closing: Option<Closing<'a>>,
    /// The account that the document is about.
    pub(super) account: Option<AccountId>,
    /// The digest of the plan, with the label that it has in this document.
    pub(super) digest: Option<(&'static str, Digest)>,
}

/// How important a section is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Severity {
    /// Something is not done, or will not be done.
    Error,
    /// Something that a reviewer should look at.
    Warning,
    /// Something to know.
    Notice,
    /// A complete list of what the counts say.
    Detail,
}

/// The number of changes of each kind.
pub(super) struct CountsRow {
    pub(super) label: &'static str,
    pub(super) add: usize,
    pub(super) change: usize,
    pub(super) remove: usize,
}

/// Rows of one kind under one heading.
pub(super) struct Section<'a> {
    /// None where the introduction of the document is the heading.
    pub(super) heading: Option<Text<'a>>,
    pub(super) severity: Severity,
    /// The heading for a single row, after the name of its principal.
    pub(super) label: &'static str,
    /// What one row is, in the singular.
    pub(super) noun: &'static str,
    pub(super) body: Body<'a>,
    /// What holds for every row.
    pub(super) message: Option<Text<'a>>,
    /// What to do about every row.
    pub(super) help: Option<Text<'a>>,
}

/// The content of a section.
pub(super) enum Body<'a> {
    /// Changes, one a row.
    Changes(Vec<Row<'a>>),
    /// Rows with a message each.
    Rows(Vec<Row<'a>>),
    /// Principals with the same cause: the message of the section, or else of any row, stands for all.
    Group(Vec<Row<'a>>),
    /// Short names and their policies.
    Names(Vec<(&'a str, &'a PolicyArn)>),
    /// A few sentences that are about the document as a whole.
    Statements(Vec<Text<'a>>),
}

/// One principal, or one place in a file.
pub(super) struct Row<'a> {
    pub(super) principal: Option<&'a str>,
    pub(super) change: Option<ChangeView<'a>>,
    /// None where the row is not about a place in the file.
    pub(super) place: Option<Place<'a>>,
    pub(super) message: Text<'a>,
    /// What to do about this row.
    pub(super) help: Option<Text<'a>>,
}

/// A place in a file. Line and column count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place<'a> {
    pub(super) file: &'a str,
    pub(super) line: usize,
    pub(super) column: Option<usize>,
}

/// What is to be done for a principal.
pub(super) struct ChangeView<'a> {
    pub(super) kind: ChangeKind,
    pub(super) from: Option<Boundary<'a>>,
    pub(super) to: Option<Boundary<'a>>,
    pub(super) origin: Option<Origin>,
}

/// The kinds of changes, the most dangerous first: removing or replacing a boundary can give a principal
/// more permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ChangeKind {
    Remove,
    Change,
    Add,
}

/// A policy that is a boundary.
#[derive(Clone, Copy)]
pub(super) struct Boundary<'a> {
    pub(super) arn: &'a PolicyArn,
    /// Its short name in the file.
    pub(super) name: Option<&'a str>,
}

/// The closing line: a label, and parts that a semicolon separates.
pub(super) struct Closing<'a> {
    pub(super) label: &'static str,
    pub(super) parts: Vec<(Tone, Text<'a>)>,
}

/// The emphasis of a part of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Neutral,
    Good,
    Bad,
    Strong,
}

impl<'a> Section<'a> {
    /// The number of rows.
    pub(super) fn len(&self) -> usize {
        match &self.body {
            Body::Changes(rows) | Body::Rows(rows) | Body::Group(rows) => rows.len(),
            Body::Names(names) => names.len(),
            Body::Statements(statements) => statements.len(),
        }
    }

    /// Rows that are about principals or places; none for other bodies.
    pub(super) fn rows(&self) -> &[Row<'a>] {
        match &self.body {
            Body::Changes(rows) | Body::Rows(rows) | Body::Group(rows) => rows,
            Body::Names(_) | Body::Statements(_) => &[],
        }
    }

    /// What holds for all rows of a [`Body::Group`].
    pub(super) fn cause(&self) -> Option<&Text<'a>> {
        let of_first = || match &self.body {
            Body::Group(rows) => rows.first().map(|row| &row.message),
            _ => None,
        };
        self.message.as_ref().or_else(of_first).filter(|message| !message.is_empty())
    }

    /// What to do about a row of this section.
    pub(super) fn help_for<'s>(&'s self, row: &'s Row<'a>) -> Option<&'s Text<'a>> {
        row.help.as_ref().or(self.help.as_ref())
    }
}

impl<'a> Boundary<'a> {
    /// The short name, or else the ARN.
    pub(super) fn shown(&self) -> &'a str {
        self.name.unwrap_or(self.arn.as_str())
    }
}

impl ChangeKind {
    /// The word for it in every format.
    pub(super) fn word(self) -> &'static str {
        match self {
            ChangeKind::Remove => "remove",
            ChangeKind::Change => "change",
            ChangeKind::Add => "add",
        }
    }

    /// The sign that Terraform uses for it.
    pub(super) fn sign(self) -> char {
        match self {
            ChangeKind::Remove => '-',
            ChangeKind::Change => '~',
            ChangeKind::Add => '+',
        }
    }
}

impl Closing<'_> {
    /// The line without its full stop.
    pub(super) fn plain(&self) -> String {
        let parts: Vec<String> = self.parts.iter().map(|(_, text)| text.to_string()).collect();
        format!("{}: {}", self.label, parts.join("; "))
    }
}
