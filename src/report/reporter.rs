use std::io;

use crate::apply::Event;

/// Writes the report of a run.
pub trait RunReporter {
    /// Takes the next event.
    ///
    /// # Errors
    /// When the report cannot be written. The run continues: its effect on IAM does not depend on a reader of
    /// the report.
    fn on(&mut self, event: &Event) -> io::Result<()>;
}
