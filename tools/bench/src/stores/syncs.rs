//! How often a store syncs for a put, as strace sees it.

use super::{Kind, child::ACKNOWLEDGED};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Puts so many mails in a process under strace, and returns for each how many syncs succeeded between the answer before and
/// its own; none without strace.
pub(crate) fn syncs(kind: &Kind, directory: &Path, mails: usize) -> Option<Vec<usize>> {
    let log = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", "trace=fsync,fdatasync,write", "-o"]).arg(log.path());
    strace.arg(std::env::current_exe().expect("this program"));
    strace.args(["store", "put", kind.name]).arg(directory).arg(mails.to_string());
    let status = strace.stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !status.is_ok_and(|status| status.success()) {
        return None;
    }
    let log = fs::read_to_string(log.path()).expect("the log of strace is text");
    let acknowledged = format!("write(1, {:?}", ACKNOWLEDGED);
    let mut syncs = vec![0];
    for line in log.lines() {
        let is_sync = line.contains("fsync") || line.contains("fdatasync");
        if line.contains(&acknowledged) {
            syncs.push(0);
        } else if is_sync && line.ends_with("= 0") {
            *syncs.last_mut().expect("there is one") += 1;
        }
    }
    // What follows the last answer is for no put.
    syncs.pop();
    Some(syncs)
}
