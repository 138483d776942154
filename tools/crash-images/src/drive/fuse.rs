//! Serves a FUSE file system: a directory with two files, `disk` and `marks`, whose writes go to one ordered log.

use super::namespace::FUSE_SOURCE;
use crate::disk::{Disk, Event};
use crate::error::Error;
use fuser::{
    Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo, KernelConfig,
    LockOwner, OpenFlags, ReplyAttr, ReplyData, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request,
    Session, SessionACL, WriteFlags,
};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

/// The name of the file with the content of the disk.
pub(super) const DISK: &str = "disk";

/// The name of the file for marks: each write to it is one mark.
pub(super) const MARKS: &str = "marks";

const DISK_INODE: INodeNo = INodeNo(2);
const MARKS_INODE: INodeNo = INodeNo(3);

/// The time during which the kernel may cache entries and attributes, which never change.
const CACHE_TTL: Duration = Duration::from_secs(24 * 3600);

/// Maximum bytes of one write request: the limit of Linux for a FUSE file system by default.
const MAX_WRITE_BYTES: u32 = 1 << 20;

/// Maximum time that a drop waits for the serving thread to end.
const END_TIMEOUT: Duration = Duration::from_secs(5);

/// A mounted FUSE file system. After the unmount, its serving thread ends once no file of the mount is open.
pub(super) struct FuseMount {
    path: PathBuf,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl FuseMount {
    pub(super) fn new(path: &Path, disk: Arc<Disk>) -> Result<FuseMount, Error> {
        let device = Path::new("/dev/fuse");
        let file = OpenOptions::new().read(true).write(true).open(device).map_err(Error::file(device))?;
        let options = format!("fd={},rootmode=40000,user_id=0,group_id=0", file.as_raw_fd());
        let flags = MsFlags::MS_NODEV | MsFlags::MS_NOSUID;
        mount(Some(FUSE_SOURCE), path, Some("fuse"), flags, Some(options.as_str())).map_err(Error::file(path))?;
        let mut mounted = FuseMount { path: path.to_path_buf(), thread: None };
        let serve = || -> io::Result<JoinHandle<io::Result<()>>> {
            let session = Session::from_fd(Files { disk }, OwnedFd::from(file), SessionACL::Owner, Config::default())?;
            Ok(session.spawn()?.guard)
        };
        mounted.thread = Some(serve().map_err(Error::system("FUSE"))?);
        Ok(mounted)
    }
}

impl Drop for FuseMount {
    fn drop(&mut self) {
        // A file that is still open, such as by a program that probes every new block device, delays the end of the
        // thread.
        if let Err(error) = umount2(&self.path, MntFlags::MNT_DETACH) {
            eprintln!("crash-images: {} stays mounted: {error}", self.path.display());
            return;
        }
        let begun = std::time::Instant::now();
        if let Some(thread) = self.thread.take() {
            while !thread.is_finished() && begun.elapsed() < END_TIMEOUT {
                std::thread::sleep(Duration::from_millis(1));
            }
            if thread.is_finished()
                && let Ok(Err(error)) = thread.join()
            {
                eprintln!("crash-images: FUSE: {error}");
            }
        }
    }
}

struct Files {
    disk: Arc<Disk>,
}

impl Files {
    fn attributes(&self, inode: INodeNo) -> Option<FileAttr> {
        let (size, kind, perm, nlink) = match inode {
            INodeNo::ROOT => (0, FileType::Directory, 0o700, 2),
            DISK_INODE => (self.disk.bytes(), FileType::RegularFile, 0o600, 1),
            MARKS_INODE => (0, FileType::RegularFile, 0o600, 1),
            _ => return None,
        };
        let time = SystemTime::UNIX_EPOCH;
        Some(FileAttr {
            ino: inode,
            size,
            blocks: size / 512,
            atime: time,
            mtime: time,
            ctime: time,
            crtime: time,
            kind,
            perm,
            nlink,
            uid: 0,
            gid: 0,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        })
    }
}

impl Filesystem for Files {
    fn init(&mut self, _: &Request, config: &mut KernelConfig) -> io::Result<()> {
        // A refused size leaves fuser's default, which is the largest that it accepts.
        let _ = config.set_max_write(MAX_WRITE_BYTES);
        Ok(())
    }

    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let inode = match name.to_str() {
            Some(DISK) => DISK_INODE,
            Some(MARKS) => MARKS_INODE,
            _ => return reply.error(Errno::ENOENT),
        };
        match self.attributes(inode).filter(|_| parent == INodeNo::ROOT) {
            Some(attributes) => reply.entry(&CACHE_TTL, &attributes, Generation(0)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.attributes(inode) {
            Some(attributes) => reply.attr(&CACHE_TTL, &attributes),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        // Direct I/O: a page cache would delay writes on their way to the log, and would keep the content from before a
        // `Disk::load`.
        reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO);
    }

    fn read(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        if inode != DISK_INODE {
            return reply.data(&[]);
        }
        let rest = self.disk.bytes().saturating_sub(offset);
        let mut bytes = vec![0; rest.min(size.into()) as usize];
        self.disk.read(offset, &mut bytes);
        reply.data(&bytes);
    }

    fn write(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match inode {
            DISK_INODE if offset.saturating_add(data.len() as u64) > self.disk.bytes() => {
                return reply.error(Errno::ENOSPC);
            }
            DISK_INODE if self.disk.take_fault(data) => return reply.error(Errno::EIO),
            DISK_INODE => self.disk.apply(Event::Write { offset, bytes: data.to_vec() }),
            MARKS_INODE => self.disk.apply(Event::Mark(String::from_utf8_lossy(data).into_owned())),
            _ => return reply.error(Errno::EBADF),
        }
        reply.written(data.len() as u32);
    }

    /// Ignores the FUSE request `flush`, which is a `close` of a file and no flush of the disk.
    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, inode: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        if inode == DISK_INODE {
            self.disk.apply(Event::Flush);
        }
        reply.ok();
    }

    /// Logs a discard or a write of zeros, the only modes that Linux uses for a loop device.
    fn fallocate(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        let zeros = nix::libc::FALLOC_FL_PUNCH_HOLE | nix::libc::FALLOC_FL_ZERO_RANGE;
        if inode != DISK_INODE || mode & zeros == 0 || offset.saturating_add(length) > self.disk.bytes() {
            return reply.error(Errno::EOPNOTSUPP);
        }
        self.disk.apply(Event::Zero { offset, bytes: length });
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        let blocks = self.disk.bytes() / 4096;
        reply.statfs(blocks, blocks, blocks, 3, 0, 4096, 255, 4096);
    }
}
