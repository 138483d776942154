//! Defines the errors of the test rig itself. A guarantee that the queue breaks is a [`crate::check::Violation`]
//! instead.

use std::io;
use std::path::Path;
use std::process::{Command, Output};

/// An error of the test rig.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A system call failed.
    #[error("{operation}: {source}")]
    System {
        /// The operation or its path.
        operation: String,
        /// The error of the system call.
        source: io::Error,
    },
    /// A program failed that should have succeeded.
    #[error("{program}: {reason}")]
    Program {
        /// The program and its arguments.
        program: String,
        /// The exit status and the standard error of the program.
        reason: String,
    },
    /// The host library failed where it should have succeeded.
    #[error(transparent)]
    Queue(#[from] queue_store_host::Error),
    /// The recorded log is invalid or contradicts its workload.
    #[error("the log: {0}")]
    Log(String),
    /// SIGHUP, SIGINT or SIGTERM arrived.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// Wraps the system's error of `operation`, for `map_err`.
    pub(crate) fn system<E: Into<io::Error>>(operation: impl Into<String>) -> impl FnOnce(E) -> Error {
        let operation = operation.into();
        |source| Error::System { operation, source: source.into() }
    }

    /// Wraps the system's error of an operation on the file `path`, for `map_err`.
    pub(crate) fn file<E: Into<io::Error>>(path: &Path) -> impl FnOnce(E) -> Error {
        Error::system(path.display().to_string())
    }

    /// Reports a program that ended with an unexpected status.
    pub(crate) fn program(command: &Command, output: &Output) -> Error {
        let stderr = String::from_utf8_lossy(&output.stderr);
        Error::Program { program: command_line(command), reason: format!("{}: {}", output.status, stderr.trim()) }
    }
}

/// Runs a program that must succeed, and returns its standard output.
pub(crate) fn run(command: &mut Command) -> Result<String, Error> {
    let output = command.output().map_err(Error::system(command_line(command)))?;
    if !output.status.success() {
        return Err(Error::program(command, &output));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Formats a command as a command line without quotes.
fn command_line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
