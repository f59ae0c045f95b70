use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::stream::Stream;

/// The output of a quiet command, which is written only if something calls for attention.
#[derive(Debug, Default)]
pub(super) struct Held(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// What was written to each stream, in order.
    parts: Vec<(Stream, Vec<u8>)>,
    /// Whether the output is written, and everything after it immediately.
    is_released: bool,
    /// Whether a warning was written.
    has_problem: bool,
}

impl Held {
    /// Keeps the bytes, or writes them if the output was released.
    pub(super) fn write(&self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        if state.is_released {
            drop(state);
            return stream.write(bytes);
        }
        match state.parts.last_mut() {
            Some((last, part)) if *last == stream => part.extend_from_slice(bytes),
            _ => state.parts.push((stream, bytes.to_owned())),
        }
        Ok(())
    }

    /// Writes what the system still has to write, if the output was released.
    pub(super) fn flush(&self, stream: Stream) -> io::Result<()> {
        if self.state().is_released { stream.flush() } else { Ok(()) }
    }

    /// Records that the output must not be discarded.
    pub(super) fn record_problem(&self) {
        self.state().has_problem = true;
    }

    /// Whether a problem was recorded.
    pub(super) fn has_problem(&self) -> bool {
        self.state().has_problem
    }

    /// Writes `first`, and then the output. Returns the error of the first stream that cannot be written; the other is
    /// written nevertheless. Writes nothing if the output was released before.
    pub(super) fn release(&self, first: (Stream, Vec<u8>)) -> io::Result<()> {
        let parts = {
            let mut state = self.state();
            if state.is_released {
                return Ok(());
            }
            state.is_released = true;
            std::mem::take(&mut state.parts)
        };
        let mut written = Ok(());
        let mut failed = None;
        for (stream, part) in std::iter::once(first).chain(parts) {
            if failed == Some(stream) {
                continue;
            }
            // The order matters where both streams are one file.
            if let Err(error) = stream.write(&part).and_then(|()| stream.flush())
                && stream == Stream::Stdout
            {
                failed = Some(stream);
                written = Err(error);
            }
        }
        written
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
