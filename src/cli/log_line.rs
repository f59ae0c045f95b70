use std::fmt;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use crate::report::Style;

/// Formats each message of the log as a line: its level, the account of a fleet that it concerns, and the message.
pub(super) struct LogLine {
    pub(super) style: Style,
}

impl<S, N> FormatEvent<S, N> for LogLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = *event.metadata().level();
        let padded = format!("{level:>5}");
        let label = match level {
            Level::ERROR => self.style.error(padded),
            Level::WARN => self.style.warning(padded),
            _ => padded,
        };
        write!(writer, "{label} ")?;
        // The label of the account is the only field of its span.
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(account) = span.extensions().get::<FormattedFields<N>>() {
                write!(writer, "{account}: ")?;
            }
        }
        context.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}
