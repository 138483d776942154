//! Counts the syncs of a put with strace.

use super::{Kind, child::ACKNOWLEDGED};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Puts `mails` mails in a process under strace. Returns, for each put, the number of fsync and fdatasync calls that
/// succeeded since the previous put returned; `None` if strace does not run.
pub(crate) fn syncs(kind: &Kind, directory: &Path, mails: usize) -> Option<Vec<usize>> {
    let log = tempfile::NamedTempFile::new().expect("a temporary file can be created");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", "trace=fsync,fdatasync,write", "-o"]).arg(log.path());
    strace.arg(std::env::current_exe().expect("the path of this program is known"));
    strace.args(["store", "put", kind.name]).arg(directory).arg(mails.to_string());
    let status = strace.stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !status.is_ok_and(|status| status.success()) {
        return None;
    }
    let log = fs::read_to_string(log.path()).expect("the log of strace is UTF-8");
    let acknowledged = format!("write(1, {:?}", ACKNOWLEDGED);
    let mut syncs = vec![0];
    for line in log.lines() {
        let is_sync = line.contains("fsync") || line.contains("fdatasync");
        if line.contains(&acknowledged) {
            syncs.push(0);
        } else if is_sync && line.ends_with("= 0") {
            *syncs.last_mut().expect("the list begins with one count") += 1;
        }
    }
    // Drops the syncs after the last put, which belong to closing the store.
    syncs.pop();
    Some(syncs)
}
