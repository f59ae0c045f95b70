//! What people and machines read: plans and events as text and as JSON, and the progress of a run.
//!
//! Made from plans and events alone: nothing here knows of IAM, files or tasks.

mod advice;
mod apply_json;
mod apply_text;
mod bar;
mod columns;
mod failures;
mod paint;
mod plan_json;
mod plan_text;
mod progress;

pub use advice::advice;
pub use apply_json::ApplyJson;
pub use apply_text::ApplyText;
pub use bar::ProgressDisplay;
pub use paint::Paint;
pub use plan_json::plan_json;
pub use plan_text::plan_text;
pub use progress::Progress;

use std::io;

use crate::apply::Event;

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
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{s}")
}
