use std::io::{self, Write};

/// Standard output or standard error. Only text that passed the [gate](super::gate) is written to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    /// Writes what passed the gate.
    pub(super) fn write(self, bytes: &[u8]) -> io::Result<()> {
        #[expect(clippy::disallowed_methods, reason = "only the gate and what it held use it")]
        match self {
            Stream::Stdout => io::stdout().write_all(bytes),
            Stream::Stderr => io::stderr().write_all(bytes),
        }
    }

    /// Writes what the system still has to write.
    pub(super) fn flush(self) -> io::Result<()> {
        #[expect(clippy::disallowed_methods, reason = "only the gate and what it held use it")]
        match self {
            Stream::Stdout => io::stdout().flush(),
            Stream::Stderr => io::stderr().flush(),
        }
    }
}
