//! What people and machines read: plans, runs and a file's mistakes as text, JSON, Markdown and GitHub's
//! workflow commands, and the progress of a run.
//!
//! Made from plans, events and diagnostics alone: nothing here knows of IAM, files or tasks.

mod advice;
mod apply_github;
mod apply_json;
mod apply_markdown;
mod apply_text;
mod bar;
mod columns;
mod conflict;
mod failures;
mod github;
mod guard;
mod items;
mod markdown;
mod mistakes;
mod outcomes;
mod paint;
mod plan_github;
mod plan_markdown;
mod plan_text;
mod progress;
mod seen;
mod seen_text;

pub use advice::advice;
pub use apply_github::ApplyGithub;
pub use apply_json::ApplyJson;
pub use apply_markdown::ApplyMarkdown;
pub use apply_text::ApplyText;
pub use bar::ProgressDisplay;
pub use guard::{allowing, refusal};
pub use mistakes::{
    check_github, check_json, check_markdown, check_text, mistakes_github, mistakes_json,
    mistakes_markdown,
};
pub use outcomes::summary_counts;
pub use paint::Paint;
pub use plan_github::plan_github;
pub use plan_markdown::{PLAN_MARKER, plan_markdown};
pub use plan_text::{plan_text, problems_text};
pub use progress::Progress;

use std::io;

use crate::apply::Event;
use crate::iam::PolicyArn;
use crate::plan::Plan;

/// Something that writes a run down as it goes.
pub trait Listener {
    /// Takes the next event.
    ///
    /// # Errors
    /// When it cannot be written. The run goes on all the same: what it does to IAM does not depend on
    /// who reads about it.
    fn on(&mut self, event: &Event) -> io::Result<()>;
}

/// `1 user`, `2 users`.
fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", plural(count, "", "s"))
}

/// The one word for one, the other for none and many.
fn plural<'a>(count: usize, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}

/// A boundary by its short name, or else its ARN.
fn named<'a>(plan: &'a Plan, boundary: Option<&'a PolicyArn>) -> &'a str {
    boundary.map_or("no boundary", |arn| plan.name_of(arn))
}
