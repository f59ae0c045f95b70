use std::io;

use crate::apply::Event;

/// Something that writes a run as it goes.
pub trait RunReporter {
    /// Takes the next event.
    ///
    /// # Errors
    /// When it cannot be written. The run goes on all the same: what it does to IAM does not depend on
    /// who reads the report.
    fn on(&mut self, event: &Event) -> io::Result<()>;
}
