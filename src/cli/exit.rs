use std::process::ExitCode;

/// How a command ended, as its exit code tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// 0
    Done,
    /// 1: bad usage, bad file, no credentials, wrong account.
    NothingDone,
    /// 2: `plan --detailed-exitcode`.
    Changes,
    /// 3: some items failed, are in conflict, cannot be planned, are not as they were written or could
    /// not be read back; the others were done.
    SomeFailed,
    /// 4: a guard rail or `apply --strict` refused; nothing was done.
    Refused,
    /// 130: what was under way was finished and recorded.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::NothingDone => 1,
            Exit::Changes => 2,
            Exit::SomeFailed => 3,
            Exit::Refused => 4,
            Exit::Interrupted => 130,
        })
    }
}
