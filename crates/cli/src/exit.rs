//! Exit codes: documented values (docs/cli.md; design.md, section 1).

use std::process::ExitCode;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: done.
    Done,
    /// 1: failed; the message says what to do.
    Failed,
    /// 2: the plan has changes; only with `--detailed-exitcode`.
    Changes,
    /// 3: unfinished but safe: run it again.
    Unfinished,
    /// 4: refused by a guard; nothing was done.
    Refused,
    /// 64: wrong usage.
    Usage,
    /// 130: interrupted.
    Interrupted,
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Changes => 2,
            Self::Unfinished => 3,
            Self::Refused => 4,
            Self::Usage => 64,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
