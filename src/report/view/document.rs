use super::coverage_view::CoverageView;
use super::text::Text;
use crate::iam::{DateOrTime, Digest, PolicyArn, Principal, Printable};
use crate::plan::{FleetAccountRef, Origin};

/// The hidden line that identifies the comment of a plan, so that a later run can replace it.
pub const PLAN_MARKER: &str = "iam-boundaries plan";
/// The hidden line that identifies the comment of a run.
pub(in crate::report) const RUN_MARKER: &str = "iam-boundaries apply";

/// A plan, a run or a file check.
pub(in crate::report) struct Document<'a> {
    /// The text that identifies the document among others, such as `iam-boundaries plan`.
    pub(in crate::report) marker: &'static str,
    /// The severity of the document as a whole.
    pub(in crate::report) severity: Severity,
    /// One line: the subject and the result.
    pub(in crate::report) title: Text<'a>,
    /// The sentence before the first section.
    pub(in crate::report) introduction: Option<Text<'a>>,
    /// A table of counts.
    pub(in crate::report) counts: Vec<CountsRow>,
    pub(in crate::report) sections: Vec<Section<'a>>,
    /// The closing line.
    pub(in crate::report) closing: Option<Closing<'a>>,
    /// The coverage of the account, if the document is about it.
    pub(in crate::report) coverage: Option<CoverageView>,
    /// The account that the document is about.
    pub(in crate::report) account: Option<Text<'a>>,
    /// The digest of the plan, with the label that it has in this document.
    pub(in crate::report) digest: Option<(&'static str, Digest)>,
}

/// Plans or runs in the accounts of a fleet.
pub(in crate::report) struct FleetDocument<'a> {
    /// What concerns the fleet, or several accounts.
    pub(in crate::report) document: Document<'a>,
    /// The headings of the cells of the rows.
    pub(in crate::report) columns: &'static [&'static str],
    /// A row for each account about which something is to be said, those with most at stake first.
    pub(in crate::report) rows: Vec<FleetRow>,
    /// The accounts about which there are details, in the order of the rows.
    pub(in crate::report) accounts: Vec<FleetAccount<'a>>,
}

/// The row of an account in the table of a fleet.
pub(in crate::report) struct FleetRow {
    /// The name and the ID of the account.
    pub(in crate::report) label: String,
    /// The numbers in the columns; empty if they are not known.
    pub(in crate::report) cells: Vec<usize>,
    /// A word about the account; empty if there is none.
    pub(in crate::report) note: &'static str,
}

/// The plan or the run of an account in a fleet.
pub(in crate::report) struct FleetAccount<'a> {
    pub(in crate::report) account: &'a FleetAccountRef,
    pub(in crate::report) document: Document<'a>,
}

/// How important a section is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Severity {
    /// Something was not done, or will not be done.
    Error,
    /// A reviewer should check this.
    Warning,
    /// For information.
    Notice,
    /// A complete list, whose length the counts already show.
    Detail,
}

/// The number of changes of each kind.
pub(in crate::report) struct CountsRow {
    pub(in crate::report) label: &'static str,
    pub(in crate::report) add: usize,
    pub(in crate::report) change: usize,
    pub(in crate::report) remove: usize,
}

/// Rows of one kind under one heading.
pub(in crate::report) struct Section<'a> {
    /// `None` if the introduction of the document is the heading.
    pub(in crate::report) heading: Option<Text<'a>>,
    pub(in crate::report) severity: Severity,
    /// The heading for a single row, after the name of its principal.
    pub(in crate::report) label: &'static str,
    /// What one row is, in the singular: `principal` if there are users and roles.
    pub(in crate::report) noun: &'static str,
    pub(in crate::report) body: Body<'a>,
    /// The message that applies to every row.
    pub(in crate::report) message: Option<Text<'a>>,
    /// The instruction that applies to every row.
    pub(in crate::report) help: Option<Text<'a>>,
}

/// The content of a section.
pub(in crate::report) enum Body<'a> {
    /// One change for each row.
    Changes(Vec<Row<'a>>),
    /// Rows with a message each.
    Rows(Vec<Row<'a>>),
    /// Principals with the same cause: the message of the section, or else of the first row, applies to all
    /// of them.
    Group(Vec<Row<'a>>),
    /// Principals to which the message and the help of the section apply. A review names the first ones, and counts the
    /// others.
    Same(Vec<Row<'a>>),
    /// Short names and their policies.
    Names(Vec<(&'a str, &'a PolicyArn)>),
    /// Statements about the whole document.
    Statements(Vec<Text<'a>>),
    /// Statements about texts that differ.
    Differences(Vec<Difference<'a>>),
}

/// A statement, and the lines of a difference between two texts; empty if there is none to show.
pub(in crate::report) struct Difference<'a> {
    pub(in crate::report) statement: Text<'a>,
    pub(in crate::report) lines: &'a [Printable],
}

/// One principal, or one place in a file.
pub(in crate::report) struct Row<'a> {
    pub(in crate::report) principal: Option<&'a Principal>,
    pub(in crate::report) change: Option<ChangeView<'a>>,
    /// `None` if the row is not about a place in the file.
    pub(in crate::report) place: Option<Place<'a>>,
    pub(in crate::report) message: Text<'a>,
    /// The instruction that applies to this row.
    pub(in crate::report) help: Option<Text<'a>>,
}

/// A place in a file. Lines and columns start at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) struct Place<'a> {
    pub(in crate::report) file: &'a str,
    pub(in crate::report) line: usize,
    pub(in crate::report) column: Option<usize>,
    /// Whether a rule is at this place.
    pub(in crate::report) is_rule: bool,
    /// Whether the document is about several files, so that a line without its file is ambiguous.
    pub(in crate::report) is_in_one_of_several: bool,
}

/// The change of one principal's boundary.
pub(in crate::report) struct ChangeView<'a> {
    pub(in crate::report) kind: ChangeKind,
    /// Whether it removes the boundary, or sets one that allows everything, as far as this is known.
    pub(in crate::report) is_removal: bool,
    pub(in crate::report) from: Option<Boundary<'a>>,
    pub(in crate::report) to: Option<Boundary<'a>>,
    pub(in crate::report) origin: Option<Origin>,
    /// When the entry expired, if the change is what applies from then on.
    pub(in crate::report) expired: Option<DateOrTime>,
    /// Why the file asks for it.
    pub(in crate::report) reason: Option<&'a str>,
    /// What the change gives and takes, if it was computed.
    pub(in crate::report) impact: Option<Text<'a>>,
    /// Who made the change that this one would undo, if it was looked up.
    pub(in crate::report) cause: Option<Text<'a>>,
}

/// The kinds of changes, the most dangerous first: removing or replacing a boundary can give a principal
/// more permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::report) enum ChangeKind {
    Remove,
    Change,
    Add,
}

/// A policy that is a boundary.
#[derive(Clone, Copy)]
pub(in crate::report) struct Boundary<'a> {
    pub(in crate::report) arn: &'a PolicyArn,
    /// Its short name in the file.
    pub(in crate::report) name: Option<&'a str>,
}

/// The closing line: a label, and parts that a semicolon separates.
pub(in crate::report) struct Closing<'a> {
    pub(in crate::report) label: &'static str,
    pub(in crate::report) parts: Vec<(Tone, Text<'a>)>,
}

/// The emphasis of a part of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Tone {
    Neutral,
    Good,
    Careful,
    Bad,
    Strong,
}

impl Document<'_> {
    /// Whether nothing is to be said: there are no sections but short names.
    pub(in crate::report) fn is_silent(&self) -> bool {
        self.sections.iter().all(|section| matches!(section.body, Body::Names(_)))
    }
}

impl Severity {
    /// The emphasis of text of this severity.
    pub(in crate::report) fn tone(self) -> Tone {
        match self {
            Severity::Error => Tone::Bad,
            Severity::Warning => Tone::Careful,
            Severity::Notice => Tone::Good,
            Severity::Detail => Tone::Strong,
        }
    }
}

impl<'a> Body<'a> {
    /// The rows; empty for a body without rows.
    pub(in crate::report) fn rows(&self) -> &[Row<'a>] {
        match self {
            Body::Changes(rows) | Body::Rows(rows) | Body::Group(rows) | Body::Same(rows) => rows,
            Body::Names(_) | Body::Statements(_) | Body::Differences(_) => &[],
        }
    }
}

impl<'a> Section<'a> {
    /// A section with these rows, each with a message of its own; `None` without rows.
    pub(in crate::report) fn of_rows(
        heading: Text<'a>,
        severity: Severity,
        label: &'static str,
        noun: &'static str,
        rows: Vec<Row<'a>>,
    ) -> Option<Section<'a>> {
        (!rows.is_empty()).then_some(Section {
            heading: Some(heading),
            severity,
            label,
            noun,
            body: Body::Rows(rows),
            message: None,
            help: None,
        })
    }

    /// A section of statements about the whole document.
    pub(in crate::report) fn of_statements(
        heading: Text<'a>,
        severity: Severity,
        statements: Vec<Text<'a>>,
    ) -> Section<'a> {
        Section {
            heading: Some(heading),
            severity,
            label: "",
            noun: "statement",
            body: Body::Statements(statements),
            message: None,
            help: None,
        }
    }

    /// The number of rows.
    pub(in crate::report) fn len(&self) -> usize {
        match &self.body {
            Body::Changes(rows) | Body::Rows(rows) | Body::Group(rows) | Body::Same(rows) => {
                rows.len()
            }
            Body::Names(names) => names.len(),
            Body::Statements(statements) => statements.len(),
            Body::Differences(differences) => differences.len(),
        }
    }

    /// The rows; empty for a body without rows.
    pub(in crate::report) fn rows(&self) -> &[Row<'a>] {
        self.body.rows()
    }

    /// The message that applies to all rows of a [`Body::Group`].
    pub(in crate::report) fn cause(&self) -> Option<&Text<'a>> {
        let of_first = || match &self.body {
            Body::Group(rows) => rows.first().map(|row| &row.message),
            _ => None,
        };
        self.message.as_ref().or_else(of_first).filter(|message| !message.is_empty())
    }

    /// The instruction for a row of this section.
    pub(in crate::report) fn help_for<'s>(&'s self, row: &'s Row<'a>) -> Option<&'s Text<'a>> {
        row.help.as_ref().or(self.help.as_ref())
    }
}

impl<'a> Boundary<'a> {
    /// The short name, or else the ARN.
    pub(in crate::report) fn shown(&self) -> &'a str {
        self.name.unwrap_or(self.arn.as_str())
    }
}

impl ChangeKind {
    /// The word for this kind in every format.
    pub(in crate::report) fn word(self) -> &'static str {
        match self {
            ChangeKind::Remove => "remove",
            ChangeKind::Change => "change",
            ChangeKind::Add => "add",
        }
    }

    /// The sign that Terraform uses for this kind.
    pub(in crate::report) fn sign(self) -> char {
        match self {
            ChangeKind::Remove => '-',
            ChangeKind::Change => '~',
            ChangeKind::Add => '+',
        }
    }
}

impl Place<'_> {
    /// What decided a change, and where: `line 12`, `rule, line 30`, or `rule, team.toml:30` if there are several
    /// files. The path is untrusted.
    pub(in crate::report) fn label(&self) -> String {
        self.text().to_string()
    }

    /// The label in a sentence.
    pub(in crate::report) fn text(&self) -> Text<'static> {
        let text = Text::ours(if self.is_rule { "rule, " } else { "" });
        match self.is_in_one_of_several {
            true => text.and_name(format!("{}:{}", self.file, self.line)),
            false => text.and_sentence(format!("line {}", self.line)),
        }
    }
}

impl<'a> ChangeView<'a> {
    /// Whether it sets a boundary that allows everything, as far as this is known.
    pub(in crate::report) fn allows_everything(&self) -> bool {
        self.is_removal && self.to.is_some()
    }

    /// That the new boundary allows everything, what the change gives and takes, the expiration, the reason and the cause:
    /// `takes s3:PutObject; gives none; expired on 2027-01-31; reason: on call`. `None` without any of them.
    pub(in crate::report) fn note(&self) -> Option<Text<'a>> {
        let everything =
            self.allows_everything().then(|| Text::ours("the new boundary allows everything"));
        let expired = self.expired.map(|at| Text::ours("expired on ").and_sentence(at.to_string()));
        let reason = self.reason.map(|reason| Text::ours("reason: ").and_quote(reason));
        let parts = [everything, self.impact.clone(), expired, reason, self.cause.clone()];
        let parts = parts.into_iter().flatten();
        parts.reduce(|text, part| text.and("; ").and_text(part))
    }
}

impl Closing<'_> {
    /// The line without its period.
    pub(in crate::report) fn plain(&self) -> String {
        let parts: Vec<String> = self.parts.iter().map(|(_, text)| text.to_string()).collect();
        format!("{}: {}", self.label, parts.join("; "))
    }
}
