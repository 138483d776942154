//! The system's error numbers, as far as a caller or an operator can tell them apart.

use thiserror::Error as ThisError;

/// The error number of a failed operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ThisError)]
pub enum Errno {
    /// ENOENT.
    #[error("there is no such file or directory")]
    NoEntry,
    /// EEXIST.
    #[error("the name is taken")]
    Exist,
    /// ENOSPC.
    #[error("no space is left on the device")]
    NoSpace,
    /// EDQUOT.
    #[error("the disk quota is used up")]
    Quota,
    /// EROFS.
    #[error("the file system is read-only")]
    ReadOnly,
    /// EACCES.
    #[error("permission was denied")]
    Access,
    /// EPERM.
    #[error("the operation is not permitted")]
    NotPermitted,
    /// EIO.
    #[error("the device failed (input/output error)")]
    Io,
    /// EFBIG.
    #[error("the file system takes no file of this size")]
    FileTooLarge,
    /// EISDIR, ENOTDIR, ELOOP.
    #[error("it is not of the kind of file that is needed here")]
    WrongFileType,
    /// ENAMETOOLONG.
    #[error("the name is too long for the file system")]
    NameTooLong,
    /// EINVAL.
    #[error("the system rejects this operation as invalid")]
    Invalid,
    /// ENOTSUP, ENOSYS, EXDEV, EMLINK.
    #[error("the system does not support this operation")]
    Unsupported,
    /// EMFILE, ENFILE, ENOMEM, EAGAIN, EBUSY, EINTR.
    #[error("the system is out of a resource")]
    Busy,
    /// EILSEQ: a name that is not UTF-8.
    #[error("the name is not UTF-8")]
    NotUtf8,
    /// EALREADY.
    #[error("the connection is in progress already (EALREADY)")]
    Already,
    /// EBADF.
    #[error("the descriptor is bad (EBADF)")]
    BadDescriptor,
    /// EDEADLK.
    #[error("it would be a deadlock (EDEADLK)")]
    Deadlock,
    /// EINPROGRESS.
    #[error("the operation is in progress (EINPROGRESS)")]
    InProgress,
    /// EMSGSIZE.
    #[error("the message is too large (EMSGSIZE)")]
    MessageSize,
    /// ENODEV.
    #[error("there is no such device (ENODEV)")]
    NoDevice,
    /// ENOLCK.
    #[error("no locks are available (ENOLCK)")]
    NoLock,
    /// ENOTEMPTY.
    #[error("the directory is not empty (ENOTEMPTY)")]
    NotEmpty,
    /// ENOTRECOVERABLE.
    #[error("the state cannot be recovered (ENOTRECOVERABLE)")]
    NotRecoverable,
    /// ENOTTY.
    #[error("the device has no such control operation (ENOTTY)")]
    NoTty,
    /// ENXIO.
    #[error("there is no such device or address (ENXIO)")]
    NoSuchDevice,
    /// EOVERFLOW.
    #[error("a value is too large (EOVERFLOW)")]
    Overflow,
    /// EPIPE.
    #[error("the pipe is broken (EPIPE)")]
    Pipe,
    /// ESPIPE.
    #[error("a pipe has no offsets (ESPIPE)")]
    InvalidSeek,
    /// ETXTBSY.
    #[error("the text file is busy (ETXTBSY)")]
    TextFileBusy,
}
