//! A failure as one line on standard error and an exit code.

mod advice;
mod cause;
pub(crate) mod note;
mod system_error;

pub(crate) use cause::Cause;

use crate::report;
use queue_store_host::Error;
use queue_store_host::types::ErrorCode;
use std::cell::Cell;
use std::fmt;
use std::io;
use std::path::Path;
use sysexits::ExitCode as Sysexit;

/// A cause, the place that it concerns, and notes on the state that it leaves and on the remedy.
#[derive(Debug)]
pub(crate) struct Failure {
    /// A file, an item or an argument, where the words of the cause do not name it.
    place: Option<String>,
    cause: Box<Cause>,
    notes: Vec<String>,
}

impl Failure {
    /// Returns the failure to use a file. `otherwise` is the exit code for errors that have none of their own.
    pub(crate) fn file(path: &Path, source: io::Error, otherwise: Sysexit) -> Failure {
        Failure::from(Cause::File { source, otherwise }).at(&path.to_string_lossy())
    }

    /// Returns the failure to open a database, for which the remedies are others than for a directory.
    pub(crate) fn of_database(error: Error) -> Failure {
        Failure { place: None, cause: Box::new(Cause::Queue(error)), notes: Vec::new() }
    }

    /// Appends a note.
    pub(crate) fn with_note(mut self, note: impl Into<String>) -> Failure {
        self.notes.push(note.into());
        self
    }

    /// Appends a note where an item is damaged.
    pub(crate) fn with_note_on_damage(self, note: &str) -> Failure {
        let is_damage = matches!(self.cause(), Cause::Queue(Error::Corrupt(_) | Error::ChecksumMismatch(_)));
        if is_damage { self.with_note(note) } else { self }
    }

    /// Sets the place, unless there is one already or `place` is empty.
    pub(crate) fn at(mut self, place: &str) -> Failure {
        if !place.is_empty() && !self.cause.names_place() {
            self.place.get_or_insert_with(|| place.to_string());
        }
        self
    }

    /// Sets the place to the item `id`, unless there is one already, and explains ids where that one is malformed.
    pub(crate) fn at_item(self, id: &str) -> Failure {
        let is_malformed =
            matches!(self.cause(), Cause::Queue(error) if error.code() == Some(ErrorCode::InvalidArgument));
        let failure = self.at(id);
        if is_malformed { failure.with_note(note::MALFORMED_ID) } else { failure }
    }

    /// Puts `source` before the place, unless it is the place.
    pub(crate) fn within(mut self, source: &str) -> Failure {
        self.place = match self.place {
            Some(place) if place != source => Some(format!("{source}: {place}")),
            _ => Some(source.to_string()),
        };
        self
    }

    /// Returns the cause.
    pub(crate) fn cause(&self) -> &Cause {
        &self.cause
    }

    /// Returns the error of the queue, if that is the cause.
    pub(crate) fn into_queue_error(self) -> Result<Error, Failure> {
        match *self.cause {
            Cause::Queue(error) => Ok(error),
            cause => Err(Failure { cause: Box::new(cause), ..self }),
        }
    }

    /// Returns whether the failed call may have had its effect, which may not survive power loss.
    pub(crate) fn is_indeterminate(&self) -> bool {
        matches!(self.cause(), Cause::Queue(error) if error.code() == Some(ErrorCode::Indeterminate))
    }

    /// Returns whether a put failed because an item has its id.
    pub(crate) fn is_existing_item(&self) -> bool {
        matches!(self.cause(), Cause::Queue(error) if error.code() == Some(ErrorCode::Exists))
    }

    /// Returns whether the queue refuses every change until it is recovered.
    pub(crate) fn closes_queue(&self) -> bool {
        let needs_recovery = matches!(self.cause(), Cause::Queue(Error::NeedsRecovery(_)));
        needs_recovery || self.is_indeterminate()
    }

    /// Returns whether there is no such item.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self.cause(), Cause::Queue(Error::NotFound(_)))
    }

    /// Returns the exit code.
    pub(crate) fn code(&self) -> Sysexit {
        self.cause.exit_code()
    }

    /// Prints the line to standard error.
    pub(crate) fn print(&self) {
        report::line(&self.to_string());
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.iter().try_for_each(|place| write!(formatter, "{place}: "))?;
        write!(formatter, "{}", self.cause)?;
        self.notes.iter().try_for_each(|note| write!(formatter, "; {note}"))
    }
}

impl From<Cause> for Failure {
    fn from(cause: Cause) -> Failure {
        let notes = advice::of(&cause).into_iter().collect();
        Failure { place: None, cause: Box::new(cause), notes }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        match error {
            Error::Directory { path, source } => Failure::file(&path, source, Sysexit::NoInput),
            error => Cause::Queue(error).into(),
        }
    }
}

/// Prints failures as they come, and keeps the exit code of the first.
#[derive(Debug)]
pub(crate) struct Failures {
    code: Cell<Sysexit>,
}

impl Failures {
    /// Creates a report without failures.
    pub(crate) fn none() -> Failures {
        Failures { code: Cell::new(Sysexit::Ok) }
    }

    /// Prints a failure.
    pub(crate) fn report(&self, failure: &Failure) {
        failure.print();
        if self.code.get() == Sysexit::Ok {
            self.code.set(failure.code());
        }
    }

    /// Returns the exit code of the first failure, or that of success.
    pub(crate) fn code(&self) -> Sysexit {
        self.code.get()
    }
}
