//! What went wrong, as one line and an exit code.

use super::arguments::Arguments;
use super::text::quoted;
use clap::CommandFactory;
use queue_store_host::Error;
use queue_store_host::types::{self, ErrorCode, Operation};
use std::env;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use sysexits::ExitCode as Sysexit;

/// What went wrong.
pub(crate) struct Failure {
    code: Sysexit,
    /// Where: a file, an item or an argument.
    place: Option<String>,
    /// What, and what to do.
    what: String,
    /// Whether it may have been done all the same.
    is_doubtful: bool,
}

impl Failure {
    pub(crate) fn new(code: Sysexit, what: impl Display) -> Failure {
        Failure { code, place: None, what: what.to_string(), is_doubtful: false }
    }

    /// Arguments that cannot be used.
    pub(crate) fn usage(error: &clap::Error) -> Failure {
        let message = error.to_string();
        let before_usage = message.split("\nUsage:").next().unwrap_or(&message);
        let before_help = before_usage.split("\nFor more information").next().unwrap_or(before_usage);
        let words: Vec<&str> = before_help.split_whitespace().skip_while(|word| *word == "error:").collect();
        let what = words.join(" ").replace(" tip: ", "; ");
        // No option goes before the subcommand.
        let subcommand = env::args_os()
            .nth(1)
            .and_then(|name| name.into_string().ok())
            .filter(|name| Arguments::command().find_subcommand(name).is_some());
        let subcommand = subcommand.map(|name| format!(" {name}")).unwrap_or_default();
        Failure::new(Sysexit::Usage, format!("{what} (see queue-store{subcommand} --help)"))
    }

    /// A file that cannot be used. `code` is for what has no code of its own.
    pub(crate) fn file(path: &Path, error: &io::Error, code: Sysexit) -> Failure {
        let (code, advice) = match error.kind() {
            io::ErrorKind::PermissionDenied => (Sysexit::NoPerm, "run this as a user who may"),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => (Sysexit::TempFail, MAKE_ROOM),
            io::ErrorKind::ReadOnlyFilesystem => (code, MOUNT_WRITABLE),
            _ => (code, "check the path"),
        };
        Failure::new(code, plain(error)).at(&path.to_string_lossy()).and(advice)
    }

    /// Standard output that takes no more.
    pub(crate) fn stdout(error: &io::Error) -> Failure {
        Failure::new(Sysexit::IoErr, plain(error)).at("standard output")
    }

    /// The same, with more to say.
    pub(crate) fn and(mut self, more: &str) -> Failure {
        self.what.push_str("; ");
        self.what.push_str(more);
        self
    }

    /// The same, and where, if that has a name and was not said yet.
    pub(crate) fn at(mut self, place: &str) -> Failure {
        if !place.is_empty() {
            self.place.get_or_insert_with(|| place.to_string());
        }
        self
    }

    /// The same, of something that has a name for the caller.
    pub(crate) fn of(mut self, name: &str) -> Failure {
        self.place = match self.place {
            Some(place) if place != name => Some(format!("{name}: {place}")),
            _ => Some(name.to_string()),
        };
        self
    }

    /// Whether what failed may have been done all the same.
    pub(crate) fn is_doubtful(&self) -> bool {
        self.is_doubtful
    }

    pub(crate) fn code(&self) -> Sysexit {
        self.code
    }

    /// Prints the line, if standard error takes it.
    pub(crate) fn print(&self) {
        let place = self.place.iter().map(|place| format!("{}: ", quoted(place))).collect::<String>();
        // Where nobody takes it, the exit code still says that it failed.
        let _ = writeln!(io::stderr(), "queue-store: {place}{}", quoted(&self.what));
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

const MAKE_ROOM: &str = "make room, then try again";

const MOUNT_WRITABLE: &str = "mount it writable, then try again";

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let error = match error {
            Error::Queue(error) => error,
            Error::Directory { path, source } => return Failure::file(&path, &source, Sysexit::NoInput),
            Error::OutOfMemory(_) | Error::OutOfTime(_) | Error::Component(_) => {
                return Failure::new(Sysexit::Software, error);
            }
        };
        let at = error.at.map(|at| format!(" (line {}, column {})", at.line, at.column)).unwrap_or_default();
        let mut failure = Failure::new(code_of(error.code), format!("{}{at}", error.detail));
        failure.is_doubtful = error.code == ErrorCode::Indeterminate;
        advice(&error).into_iter().fold(failure.at(&error.path), |failure, advice| failure.and(advice))
    }
}

/// What to do, where the detail of the error does not say so.
fn advice(error: &types::Error) -> Option<&'static str> {
    match error.code {
        ErrorCode::InvalidArgument if error.detail.starts_with("the id ") => {
            Some("an id is 1 to 253 bytes that a file name may have")
        }
        ErrorCode::NotFound => Some("list shows what there is"),
        ErrorCode::Exists if error.operation == Operation::Link => Some("give another id, or none"),
        ErrorCode::Exists => Some("remove or quarantine that one first"),
        ErrorCode::Corrupt => Some("quarantine it, or replace it from a backup"),
        ErrorCode::TooLarge if error.operation == Operation::Write => {
            Some("look at the limit of file sizes (ulimit -f)")
        }
        ErrorCode::NoSpace | ErrorCode::Quota => Some(MAKE_ROOM),
        ErrorCode::ReadOnly => Some(MOUNT_WRITABLE),
        ErrorCode::Access => Some("run this as the owner of the queue"),
        ErrorCode::Busy => Some("try again"),
        ErrorCode::Io => Some("look at the system's log"),
        ErrorCode::NeedsRecovery => Some("queue-store recover does that"),
        ErrorCode::ChecksumMismatch
        | ErrorCode::InvalidArgument
        | ErrorCode::Conflict
        | ErrorCode::TooLarge
        | ErrorCode::QueueFull
        | ErrorCode::Unsupported
        | ErrorCode::Aborted
        | ErrorCode::Indeterminate
        | ErrorCode::Other => None,
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
