//! Names of the contract's enums and of the format's numbers.

use queue_store_host::types::{ErrorCode, Format, Integrity, State};

/// Returns the name of an error code.
pub(crate) fn error_code(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::InvalidArgument => "invalid-argument",
        ErrorCode::NotFound => "not-found",
        ErrorCode::Exists => "exists",
        ErrorCode::Conflict => "conflict",
        ErrorCode::Corrupt => "corrupt",
        ErrorCode::ChecksumMismatch => "checksum-mismatch",
        ErrorCode::IdMismatch => "id-mismatch",
        ErrorCode::TooLarge => "too-large",
        ErrorCode::QueueFull => "queue-full",
        ErrorCode::NoSpace => "no-space",
        ErrorCode::Quota => "quota",
        ErrorCode::ReadOnly => "read-only",
        ErrorCode::Access => "access",
        ErrorCode::Unsupported => "unsupported",
        ErrorCode::Busy => "busy",
        ErrorCode::Io => "io",
        ErrorCode::Aborted => "aborted",
        ErrorCode::Indeterminate => "indeterminate",
        ErrorCode::NeedsRecovery => "needs-recovery",
        ErrorCode::Other => "other",
    }
}

/// Returns the name of a state.
pub(crate) fn state(state: State) -> &'static str {
    match state {
        State::Ready => "ready",
        State::Held => "held",
        State::Quarantined => "quarantined",
    }
}

/// Returns the name of a format.
pub(crate) fn format(format: Format) -> &'static str {
    match format {
        Format::Text => "text",
        Format::Binary => "binary",
    }
}

/// Returns the name of an integrity.
pub(crate) fn integrity(integrity: Integrity) -> &'static str {
    match integrity {
        Integrity::Unchecked => "unchecked",
        Integrity::Envelope => "envelope",
        Integrity::Whole => "whole",
    }
}

/// An enum of the format whose numbers are open: a number without a name is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OpenEnum {
    /// The field `type` of a delivery.
    Kind,
    /// The field `status` of a delivery.
    Status,
}

impl OpenEnum {
    /// Returns the name of a number.
    pub(crate) fn name(self, number: i32) -> Option<&'static str> {
        match (self, number) {
            (OpenEnum::Kind, 0) => Some("EMAIL"),
            (OpenEnum::Kind, 1) => Some("PIPE"),
            (OpenEnum::Kind, 2) => Some("FORWARD"),
            (OpenEnum::Status, 0) => Some("PENDING"),
            (OpenEnum::Status, 1) => Some("SENT"),
            (OpenEnum::Status, 2) => Some("FAILED"),
            _ => None,
        }
    }

    /// Returns the number that has a name.
    pub(crate) fn number(self, name: &str) -> Option<i32> {
        (0..)
            .map_while(|number| self.name(number).map(|known| (number, known)))
            .find(|(_, known)| *known == name)
            .map(|(number, _)| number)
    }

    /// Returns the name of a number, or its digits where it has none.
    pub(crate) fn text(self, number: i32) -> String {
        self.name(number).map_or_else(|| number.to_string(), str::to_string)
    }
}
