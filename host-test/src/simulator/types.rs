//! The types of `wasi:filesystem/types` that pass between the component and the simulated system.

#![allow(missing_docs, reason = "documented in WASI")]

use super::disk::ErrorName;
use wasmtime::component::{ComponentType, Lift, Lower, flags};

/// Declares `wasi:filesystem/types.error-code` and its conversion from the name of a case.
macro_rules! error_codes {
    ($($case:ident $name:literal),+ $(,)?) => {
        #[derive(Clone, Copy, ComponentType, Lift, Lower)]
        #[component(enum)]
        #[repr(u8)]
        pub enum ErrorCode {
            $(#[component(name = $name)] $case,)+
        }

        impl From<ErrorName> for ErrorCode {
            fn from(name: ErrorName) -> ErrorCode {
                match name {
                    $($name => ErrorCode::$case,)+
                    unknown => panic!("WASI has no error {unknown}"),
                }
            }
        }

        /// The names of all errors.
        pub const ERRORS: &[ErrorName] = &[$($name,)+];
    };
}

error_codes! {
    Access "access", WouldBlock "would-block", Already "already", BadDescriptor "bad-descriptor", Busy "busy",
    Deadlock "deadlock", Quota "quota", Exist "exist", FileTooLarge "file-too-large",
    IllegalByteSequence "illegal-byte-sequence", InProgress "in-progress", Interrupted "interrupted", Invalid "invalid",
    Io "io", IsDirectory "is-directory", Loop "loop", TooManyLinks "too-many-links", MessageSize "message-size",
    NameTooLong "name-too-long", NoDevice "no-device", NoEntry "no-entry", NoLock "no-lock",
    InsufficientMemory "insufficient-memory", InsufficientSpace "insufficient-space", NotDirectory "not-directory",
    NotEmpty "not-empty", NotRecoverable "not-recoverable", Unsupported "unsupported", NoTty "no-tty",
    NoSuchDevice "no-such-device", Overflow "overflow", NotPermitted "not-permitted", Pipe "pipe",
    ReadOnly "read-only", InvalidSeek "invalid-seek", TextFileBusy "text-file-busy", CrossDevice "cross-device",
}

#[derive(Clone, Copy, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
pub enum DescriptorType {
    #[component(name = "unknown")]
    Unknown,
    #[component(name = "block-device")]
    BlockDevice,
    #[component(name = "character-device")]
    CharacterDevice,
    #[component(name = "directory")]
    Directory,
    #[component(name = "fifo")]
    Fifo,
    #[component(name = "symbolic-link")]
    SymbolicLink,
    #[component(name = "regular-file")]
    RegularFile,
    #[component(name = "socket")]
    Socket,
}

#[derive(Clone, Copy, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
pub enum Advice {
    #[component(name = "normal")]
    Normal,
    #[component(name = "sequential")]
    Sequential,
    #[component(name = "random")]
    Random,
    #[component(name = "will-need")]
    WillNeed,
    #[component(name = "dont-need")]
    DontNeed,
    #[component(name = "no-reuse")]
    NoReuse,
}

#[derive(Clone, Copy, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Datetime {
    pub seconds: u64,
    pub nanoseconds: u32,
}

#[derive(Clone, Copy, ComponentType, Lift, Lower)]
#[component(record)]
pub struct DescriptorStat {
    #[component(name = "type")]
    pub kind: DescriptorType,
    #[component(name = "link-count")]
    pub link_count: u64,
    pub size: u64,
    #[component(name = "data-access-timestamp")]
    pub data_access_timestamp: Option<Datetime>,
    #[component(name = "data-modification-timestamp")]
    pub data_modification_timestamp: Option<Datetime>,
    #[component(name = "status-change-timestamp")]
    pub status_change_timestamp: Option<Datetime>,
}

#[derive(Clone, ComponentType, Lift, Lower)]
#[component(record)]
pub struct DirectoryEntry {
    #[component(name = "type")]
    pub kind: DescriptorType,
    pub name: String,
}

#[derive(Clone, Copy, ComponentType, Lift, Lower)]
#[component(variant)]
pub enum NewTimestamp {
    #[component(name = "no-change")]
    NoChange,
    #[component(name = "now")]
    Now,
    #[component(name = "timestamp")]
    Timestamp(Datetime),
}

#[derive(Clone, Copy, ComponentType, Lift, Lower)]
#[component(record)]
pub struct MetadataHash {
    pub lower: u64,
    pub upper: u64,
}

flags! {
    PathFlags {
        #[component(name = "symlink-follow")]
        const SYMLINK_FOLLOW;
    }
}

flags! {
    OpenFlags {
        #[component(name = "create")]
        const CREATE;
        #[component(name = "directory")]
        const DIRECTORY;
        #[component(name = "exclusive")]
        const EXCLUSIVE;
        #[component(name = "truncate")]
        const TRUNCATE;
    }
}

flags! {
    DescriptorFlags {
        #[component(name = "read")]
        const READ;
        #[component(name = "write")]
        const WRITE;
        #[component(name = "file-integrity-sync")]
        const FILE_INTEGRITY_SYNC;
        #[component(name = "data-integrity-sync")]
        const DATA_INTEGRITY_SYNC;
        #[component(name = "requested-write-sync")]
        const REQUESTED_WRITE_SYNC;
        #[component(name = "mutate-directory")]
        const MUTATE_DIRECTORY;
    }
}
