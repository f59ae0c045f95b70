use std::io;

use crate::apply::Event;

/// Writes the report of a run.
pub trait RunReporter {
    /// Processes the next event.
    ///
    /// # Errors
    /// Returns the error of the writer if the report cannot be written. The run continues: its effect on IAM
    /// does not depend on a reader of the report.
    fn on(&mut self, event: &Event) -> io::Result<()>;
}
