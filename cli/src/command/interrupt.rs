//! Signals. An interruption: a mail that is still being read is given up, and leaves nothing.

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction, signal};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// The signals that ask a process to end.
const SIGNALS: [Signal; 3] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM];

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// What the first signal is written to, so that it wakes a read that waits, and one that is just about to.
static PIPE: OnceLock<(PipeReader, PipeWriter)> = OnceLock::new();

extern "C" fn note(_: nix::libc::c_int) {
    if !INTERRUPTED.swap(true, Ordering::Relaxed)
        && let Some((_, writer)) = PIPE.get()
    {
        // There is room for one byte, so it neither waits nor fails.
        let _ = nix::unistd::write(writer, b"!");
    }
}

/// From here on, a signal that would end the process is only noted, and ends what a [`Reader`] reads.
pub(crate) fn catch() -> io::Result<()> {
    let pipe = io::pipe()?;
    PIPE.get_or_init(|| pipe);
    let action = SigAction::new(SigHandler::Handler(note), SaFlags::SA_RESTART, SigSet::empty());
    for signal in SIGNALS {
        // SAFETY: the handler uses atomics and `write`, which are safe in a signal handler.
        let before = unsafe { sigaction(signal, &action) }?;
        // What `nohup` and a shell's `&` ignore stays ignored.
        if matches!(before.handler(), SigHandler::SigIgn) {
            // SAFETY: as it was.
            unsafe { sigaction(signal, &before) }?;
        }
    }
    Ok(())
}

/// Has a write that exceeds the limit of file sizes (`ulimit -f`) fail, instead of ending the process in the middle of it.
pub(crate) fn ignore_file_size_limit() {
    // SAFETY: to ignore a signal runs nothing.
    let ignored = unsafe { signal(Signal::SIGXFSZ, SigHandler::SigIgn) };
    debug_assert!(ignored.is_ok(), "this signal can be ignored");
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
            let readable = |file| PollFd::new(file, PollFlags::POLLIN);
            let signals = PIPE.get().map(|(reader, _)| readable(reader.as_fd()));
            let mut files: Vec<PollFd> = [readable(self.0.as_fd())].into_iter().chain(signals).collect();
            match poll(&mut files, PollTimeout::NONE) {
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
