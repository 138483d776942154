//! Signals that ask the process to end: a mail that is still being read is given up, and leaves nothing.

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::pipe;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The signals that were caught so far.
pub(crate) struct Interruption {
    has_come: Arc<AtomicBool>,
    /// Readable as soon as a signal has come, which wakes a read that waits and one that is about to wait.
    woken: PipeReader,
    /// Keeps `woken` from reporting a hang-up where every signal is ignored.
    _wake: PipeWriter,
}

/// The error of a read that a signal ended.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(crate) struct Interrupted;

impl Interruption {
    /// Catches SIGHUP, SIGINT and SIGTERM, except those that the parent process had ignored, as `nohup` and the `&` of
    /// a shell do.
    pub(crate) fn catch() -> io::Result<Interruption> {
        let (woken, wake) = io::pipe()?;
        let has_come = Arc::new(AtomicBool::new(false));
        let ignored = ignored_signals();
        for signal in [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| ignored & (1 << (signal - 1)) == 0) {
            // In this order, so that a read that is woken finds the flag set.
            flag::register(signal, Arc::clone(&has_come))?;
            pipe::register(signal, wake.try_clone()?)?;
        }
        Ok(Interruption { has_come, woken, _wake: wake })
    }

    /// Returns whether a signal has come.
    pub(crate) fn has_come(&self) -> bool {
        self.has_come.load(Ordering::SeqCst)
    }
}

/// Returns the signals that are ignored: bit 0 is signal 1. None where the system has no `/proc`.
fn ignored_signals() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// A file that is read until a signal comes. A read then fails with [`Interrupted`].
pub(crate) struct InterruptibleFile<'a> {
    file: File,
    interruption: &'a Interruption,
}

impl<'a> InterruptibleFile<'a> {
    /// Opens a file. The open of a pipe does not wait for a writer; the first read does.
    pub(crate) fn open(path: &Path, interruption: &'a Interruption) -> io::Result<InterruptibleFile<'a>> {
        let file = OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path)?;
        if file.metadata()?.is_dir() {
            return Err(ErrorKind::IsADirectory.into());
        }
        Ok(InterruptibleFile { file, interruption })
    }

    /// Returns standard input.
    pub(crate) fn stdin(interruption: &'a Interruption) -> io::Result<InterruptibleFile<'a>> {
        let file = io::stdin().as_fd().try_clone_to_owned()?.into();
        Ok(InterruptibleFile { file, interruption })
    }
}

impl Read for InterruptibleFile<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let readable = |file| PollFd::new(file, PollFlags::POLLIN);
            let mut files = [readable(self.file.as_fd()), readable(self.interruption.woken.as_fd())];
            let polled = poll(&mut files, PollTimeout::NONE);
            if self.interruption.has_come() {
                return Err(io::Error::other(Interrupted));
            }
            match polled {
                Ok(_) => {}
                Err(Errno::EINTR) => continue,
                Err(errno) => return Err(errno.into()),
            }
            match self.file.read(buffer) {
                // Another process that reads the same pipe was faster.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                read => return read,
            }
        }
    }
}
