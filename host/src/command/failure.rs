//! What went wrong, as one line and an exit code.

use super::text::quoted;
use queue_store_host::Error;
use queue_store_host::types::ErrorCode;
use std::fmt::Display;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use sysexits::ExitCode as Sysexit;

/// What went wrong.
pub(crate) struct Failure {
    code: Sysexit,
    line: String,
}

impl Failure {
    pub(crate) fn new(code: Sysexit, line: impl Display) -> Failure {
        Failure { code, line: line.to_string() }
    }

    /// Arguments that cannot be used.
    pub(crate) fn usage(error: &clap::Error) -> Failure {
        let message = error.to_string();
        let before_usage = message.split("\nUsage:").next().unwrap_or(&message);
        let before_help = before_usage.split("\nFor more information").next().unwrap_or(before_usage);
        let words: Vec<&str> = before_help.split_whitespace().skip_while(|word| *word == "error:").collect();
        Failure::new(Sysexit::Usage, format!("{} (see queue-store --help)", words.join(" ")))
    }

    /// A file that cannot be used. `code` is for what has no code of its own.
    pub(crate) fn file(path: &Path, error: &io::Error, code: Sysexit) -> Failure {
        let code = match error.kind() {
            io::ErrorKind::PermissionDenied => Sysexit::NoPerm,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Sysexit::TempFail,
            _ => code,
        };
        Failure::new(code, format!("{}: {}", path.display(), plain(error)))
    }

    /// Standard output that takes no more.
    pub(crate) fn stdout(error: &io::Error) -> Failure {
        Failure::new(Sysexit::IoErr, format!("standard output: {}", plain(error)))
    }

    /// The same, with more to say.
    pub(crate) fn and(mut self, more: &str) -> Failure {
        self.line.push_str("; ");
        self.line.push_str(more);
        self
    }

    /// The same, of something that has a name for the caller.
    pub(crate) fn of(mut self, name: &str) -> Failure {
        self.line = format!("{name}: {}", self.line);
        self
    }

    pub(crate) fn code(&self) -> Sysexit {
        self.code
    }

    /// Prints the line.
    pub(crate) fn print(&self) {
        eprintln!("queue-store: {}", quoted(&self.line));
    }

    /// Prints the line and returns the code.
    pub(crate) fn report(&self) -> ExitCode {
        self.print();
        ExitCode::from(self.code as u8)
    }
}

/// What the system says, without its number.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_string()
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let code = match &error {
            Error::Queue(error) => code_of(error.code),
            Error::Directory { path, source } => return Failure::file(path, source, Sysexit::NoInput),
            Error::OutOfMemory(_) | Error::OutOfTime(_) | Error::Component(_) => Sysexit::Software,
        };
        let line = match &error {
            Error::Queue(error) if error.code == ErrorCode::NeedsRecovery => {
                format!("{}: {} (queue-store recover)", error.path, error.detail)
            }
            _ => error.to_string(),
        };
        Failure::new(code, line)
    }
}

fn code_of(code: ErrorCode) -> Sysexit {
    match code {
        ErrorCode::InvalidArgument => Sysexit::Usage,
        ErrorCode::Corrupt | ErrorCode::ChecksumMismatch | ErrorCode::Conflict | ErrorCode::TooLarge => {
            Sysexit::DataErr
        }
        ErrorCode::NotFound => Sysexit::NoInput,
        ErrorCode::Unsupported => Sysexit::Unavailable,
        ErrorCode::Aborted => Sysexit::Software,
        ErrorCode::Exists | ErrorCode::ReadOnly => Sysexit::CantCreat,
        ErrorCode::Io | ErrorCode::Indeterminate | ErrorCode::Other => Sysexit::IoErr,
        ErrorCode::QueueFull | ErrorCode::NoSpace | ErrorCode::Quota | ErrorCode::Busy | ErrorCode::NeedsRecovery => {
            Sysexit::TempFail
        }
        ErrorCode::Access => Sysexit::NoPerm,
    }
}
