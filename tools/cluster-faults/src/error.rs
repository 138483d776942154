//! Defines the errors of the test rig itself. A broken guarantee of the queue is a [`crate::violation::Violation`] instead.

use std::io;

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
        /// The standard error of the program.
        reason: String,
    },
    /// A queue could not be opened on healthy nodes.
    #[error(transparent)]
    Queue(#[from] queue_store_host::Error),
    /// The nodes were not healthy within the time limit.
    #[error("the nodes were not healthy after {seconds} s: {reason}")]
    Unhealthy {
        /// The time limit.
        seconds: u64,
        /// The output of `postgres/cluster status`, and the failures on the way.
        reason: String,
    },
}

impl Error {
    /// Wraps the system's error of `operation`, for `map_err`.
    pub(crate) fn system<E: Into<io::Error>>(operation: impl Into<String>) -> impl FnOnce(E) -> Error {
        let operation = operation.into();
        |source| Error::System { operation, source: source.into() }
    }
}
