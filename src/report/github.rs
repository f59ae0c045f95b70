//! [Workflow commands](https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands)
//! of GitHub Actions: they put a message on its line of a file, in the review.

use super::counted;

/// How loud a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Error,
    Warning,
    Notice,
}

/// One message.
pub(super) struct Annotation {
    pub(super) title: String,
    pub(super) message: String,
    /// Line and column in the file, from 1, as far as they are known.
    pub(super) line: usize,
    pub(super) column: Option<usize>,
}

/// GitHub shows so many annotations of each level for a step of a job; the others are in its log only
/// ([limits](https://docs.github.com/actions/reference/limits)).
pub(super) const SHOWN: usize = 10;

/// At most `room` messages on lines of `file`; if there are more, the last says how many are left out.
pub(super) fn annotations(
    room: usize,
    level: Level,
    file: &str,
    what: &str,
    messages: impl ExactSizeIterator<Item = Annotation>,
) -> String {
    let count = messages.len();
    let shown = if count <= room { count } else { room - 1 };
    let mut text: String =
        messages.take(shown).map(|message| command(level, file, &message)).collect();
    if count > shown {
        let left = counted(count - shown, what);
        let message = format!("GitHub shows no more of a step: --format text has all {count}.");
        text.push_str(&remark(level, &format!("{left} more"), &message));
    }
    text
}

/// A message on its line.
fn command(level: Level, file: &str, annotation: &Annotation) -> String {
    let Annotation { title, message, line, column } = annotation;
    let column = column.map(|column| format!(",col={column}")).unwrap_or_default();
    let (file, title) = (property(&in_repository(file)), property(title));
    format!("::{} file={file},line={line}{column},title={title}::{}\n", level.word(), data(message))
}

/// A message that stands at no line.
pub(super) fn remark(level: Level, title: &str, message: &str) -> String {
    format!("::{} title={}::{}\n", level.word(), property(title), data(message))
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Notice => "notice",
        }
    }
}

/// GitHub looks the path up from the root of the repository, and knows no `./`.
fn in_repository(file: &str) -> String {
    let file = if cfg!(windows) { file.replace('\\', "/") } else { file.to_owned() };
    file.strip_prefix("./").map(str::to_owned).unwrap_or(file)
}

/// The escapes are those of the
/// [Actions toolkit](https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts).
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_message_ends_it_or_begins_another() {
        let message = Annotation {
            title: "a,line=9::b\n::error::c".to_owned(),
            message: "100%\r\n::warning::x".to_owned(),
            line: 7,
            column: Some(2),
        };
        let text = command(Level::Error, "./a,b.toml", &message);
        assert_eq!(
            text,
            "::error file=a%2Cb.toml,line=7,col=2,title=a%2Cline=9%3A%3Ab%0A%3A%3Aerror%3A%3Ac\
             ::100%25%0D%0A::warning::x\n"
        );
    }
}
