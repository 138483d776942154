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
    #[error("the system is out of descriptors, memory or another resource")]
    Busy,
    /// EBADF.
    #[error("the host does not allow this operation on the descriptor")]
    BadDescriptor,
    /// EILSEQ: a name that is not UTF-8.
    #[error("the name is not UTF-8")]
    NotUtf8,
    /// Any other, by its name in `wasi:filesystem`.
    #[error("the system answered `{0}`")]
    Other(&'static str),
}
