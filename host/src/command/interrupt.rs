//! Interruptions: a mail that is still being read is given up, and leaves nothing.

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// The signals that ask a process to end.
const SIGNALS: [Signal; 3] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM];

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

extern "C" fn note(_: nix::libc::c_int) {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

/// From here on, a signal that would end the process waits until a [`Reader`] does. To be called while there is one thread:
/// another one would take the signal.
pub(crate) fn catch() {
    let action = SigAction::new(SigHandler::Handler(note), SaFlags::empty(), SigSet::empty());
    for signal in SIGNALS {
        // SAFETY: the handler stores to an atomic, which is safe in a signal handler.
        let before = unsafe { sigaction(signal, &action) };
        debug_assert!(before.is_ok(), "these signals can be caught");
        // What `nohup` and a shell's `&` ignore stays ignored.
        if let Ok(before) = before
            && matches!(before.handler(), SigHandler::SigIgn)
        {
            // SAFETY: as it was.
            let restored = unsafe { sigaction(signal, &before) };
            debug_assert!(restored.is_ok(), "it was like that");
        }
    }
    let blocked = SIGNALS.into_iter().collect::<SigSet>().thread_block();
    debug_assert!(blocked.is_ok(), "these signals can be blocked");
}

/// Whether a signal came.
pub(crate) fn came() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// A file that is read until a signal comes, and then fails.
pub(crate) struct Reader(File);

impl Reader {
    /// Opens a file. One that is a pipe is not waited for here.
    pub(crate) fn open(path: &Path) -> io::Result<Reader> {
        let file = OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path)?;
        if file.metadata()?.is_dir() { Err(ErrorKind::IsADirectory.into()) } else { Ok(Reader(file)) }
    }

    /// Standard input.
    pub(crate) fn stdin() -> io::Result<Reader> {
        Ok(Reader(io::stdin().as_fd().try_clone_to_owned()?.into()))
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            // Signals come while this waits, and at no other time: one that came just before a read would not end it.
            let waited = ppoll(&mut [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)], None, Some(SigSet::empty()));
            match waited {
                _ if came() => return Err(io::Error::other("interrupted")),
                Ok(_) => {}
                Err(Errno::EINTR) => continue,
                Err(errno) => return Err(errno.into()),
            }
            match self.0.read(buffer) {
                // Another process that has the same pipe was faster.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                read => return read,
            }
        }
    }
}
