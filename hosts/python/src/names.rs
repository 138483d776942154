//! The names of the contract's enums in Python: those of `wit/types.wit`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use queue_store_host::types::{Detail, Durability, ErrorCode, Format, Integrity, State};

/// An enum whose cases have names.
pub(crate) trait Named: Copy + 'static {
    /// Every case, with its name.
    const CASES: &'static [(Self, &'static str)];

    /// Returns the name of the case.
    fn name(self) -> &'static str;
}

/// Returns the case that has a name.
pub(crate) fn named<T: Named>(name: &str) -> PyResult<T> {
    let found = T::CASES.iter().find(|(_, case)| *case == name);
    found.map(|(case, _)| *case).ok_or_else(|| {
        let names: Vec<String> = T::CASES.iter().map(|(_, name)| format!("{name:?}")).collect();
        PyValueError::new_err(format!("{name:?} is none of {}", names.join(", ")))
    })
}

macro_rules! names {
    ($type:ident: $($case:ident = $name:literal),+ $(,)?) => {
        impl Named for $type {
            const CASES: &'static [($type, &'static str)] = &[$(($type::$case, $name)),+];

            fn name(self) -> &'static str {
                match self {
                    $($type::$case => $name,)+
                }
            }
        }
    };
}

names!(Durability: Full = "full", ContentOnly = "content-only", None = "none");
names!(Format: Text = "text", Binary = "binary");
names!(State: Ready = "ready", Held = "held", Quarantined = "quarantined");
names!(Detail: Name = "name", Envelope = "envelope", Whole = "whole");
names!(Integrity: Unchecked = "unchecked", Envelope = "envelope", Whole = "whole");
names!(ErrorCode:
    InvalidArgument = "invalid-argument",
    NotFound = "not-found",
    Exists = "exists",
    Conflict = "conflict",
    Corrupt = "corrupt",
    ChecksumMismatch = "checksum-mismatch",
    IdMismatch = "id-mismatch",
    TooLarge = "too-large",
    QueueFull = "queue-full",
    NoSpace = "no-space",
    Quota = "quota",
    ReadOnly = "read-only",
    Access = "access",
    Unsupported = "unsupported",
    Busy = "busy",
    Io = "io",
    Aborted = "aborted",
    Indeterminate = "indeterminate",
    NeedsRecovery = "needs-recovery",
    Other = "other",
);
