//! The remedies for causes whose own words do not name one.

use super::cause::Cause;
use super::system_error::{is_exhaustion, is_of_device};
use crate::acting_user;
use crate::file_size_limit;
use nix::sys::resource::{Resource, getrlimit};
use queue_store_composition::CompositionError;
use queue_store_host::plugin::PluginError;
use queue_store_host::types::ErrorCode;
use queue_store_host::{Details, Error};
use std::io::ErrorKind;

const MAKE_ROOM: &str = "make room, then try again";

const FILE_SIZE_LIMIT: &str = "look at the limit of file sizes (ulimit -f)";

const TRY_LATER: &str = "try again later, or raise the limit (ulimit -a)";

/// Descriptors with which every command works, an import of nested maildirs among them.
const SUFFICIENT_DESCRIPTORS: u64 = 64;

const RAISE_DESCRIPTORS: &str = "the limit of descriptors is too low: ulimit -n 64";

const LOOK_AT_LOG: &str = "look at the system's log";

const MOUNT_WRITABLE: &str = "mount it writable, then try again";

/// Returns the advice for a cause.
pub(super) fn of(cause: &Cause) -> Option<String> {
    if let Cause::Composition(CompositionError::Refused(names))
    | Cause::NotComposable(CompositionError::Refused(names)) = cause
    {
        let options: Vec<String> = names.iter().map(|name| format!("--allow {name}")).collect();
        return Some(format!("{} gives it what the host grants", options.join(" ")));
    }
    if let Some(user) = acting_user::get()
        && is_denied(cause)
    {
        return Some(format!("started by root, this acts as user {user}, the owner of the queue: let that user do it"));
    }
    of_other(cause).map(str::to_string)
}

/// Returns whether the user may not do it.
fn is_denied(cause: &Cause) -> bool {
    match cause {
        Cause::File { source, .. } | Cause::Read(source) => source.kind() == ErrorKind::PermissionDenied,
        Cause::Queue(error) => error.code() == Some(ErrorCode::Access),
        _ => false,
    }
}

fn of_other(cause: &Cause) -> Option<&'static str> {
    match cause {
        Cause::File { source, .. } | Cause::Read(source) | Cause::Signals(source) if is_exhaustion(source) => {
            Some(of_exhaustion())
        }
        Cause::File { source, .. } | Cause::Read(source) if is_of_device(source) => Some(LOOK_AT_LOG),
        Cause::File { source, .. } | Cause::Read(source) => Some(of_kind(source.kind())),
        Cause::Queue(Error::Conflict(Details { detail, .. })) if is_about_files(detail) => {
            Some("queue-store resolve shows them")
        }
        Cause::Queue(error) => error.code().and_then(of_code),
        Cause::Plugin(PluginError::NotACommand) => Some("compose it, or call it from a host in Rust"),
        Cause::Plugin(PluginError::OperatorOnly(_)) => Some("--operator gives it those"),
        Cause::Plugin(PluginError::OutOfMemory(_)) => Some("--max-memory raises it"),
        Cause::Plugin(PluginError::OutOfTime(_)) => Some("--max-seconds raises it"),
        _ => None,
    }
}

/// Returns whether a conflict is one of several files of an id, which the contract tells by its words alone.
fn is_about_files(detail: &str) -> bool {
    detail.contains("has the same id") || detail.contains("several items of this id")
}

/// Returns the advice for a process that is out of a resource.
fn of_exhaustion() -> &'static str {
    let has_few_descriptors = getrlimit(Resource::RLIMIT_NOFILE).is_ok_and(|(limit, _)| limit < SUFFICIENT_DESCRIPTORS);
    if has_few_descriptors { RAISE_DESCRIPTORS } else { TRY_LATER }
}

fn of_kind(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::PermissionDenied => "run this as a user who may",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => MAKE_ROOM,
        ErrorKind::ReadOnlyFilesystem => MOUNT_WRITABLE,
        ErrorKind::FileTooLarge if file_size_limit::was_exceeded() => FILE_SIZE_LIMIT,
        _ => "check the path",
    }
}

fn of_code(code: ErrorCode) -> Option<&'static str> {
    match code {
        ErrorCode::NotFound => Some("list shows the items"),
        ErrorCode::Exists => Some("if it is this mail, it is queued already"),
        ErrorCode::Corrupt => Some("quarantine it, or replace it from a backup"),
        ErrorCode::TooLarge if file_size_limit::was_exceeded() => Some(FILE_SIZE_LIMIT),
        ErrorCode::NoSpace | ErrorCode::Quota => Some(MAKE_ROOM),
        ErrorCode::ReadOnly => Some(MOUNT_WRITABLE),
        ErrorCode::Access => Some("run this as the owner of the queue"),
        ErrorCode::Busy => Some(of_exhaustion()),
        ErrorCode::Io => Some(LOOK_AT_LOG),
        ErrorCode::NeedsRecovery => Some("queue-store recover does that"),
        ErrorCode::ChecksumMismatch
        | ErrorCode::Conflict
        | ErrorCode::IdMismatch
        | ErrorCode::InvalidArgument
        | ErrorCode::TooLarge
        | ErrorCode::QueueFull
        | ErrorCode::Unsupported
        | ErrorCode::Aborted
        | ErrorCode::Indeterminate
        | ErrorCode::Other => None,
    }
}
