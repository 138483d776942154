//! An mbox file (mboxrd), which appears as a whole.

use crate::durable_file::{NewFile, directory_of, sync_directory};
use crate::failure::{Cause, Failure};
use crate::field::split_field;
use crate::mbox::HEAD_BYTES;
use crate::mbox::quoting::{Converter, Direction};
use crate::mbox::separator::Separator;
use mail_address::Address;
use queue_store_host::Queue;
use queue_store_host::types::Envelope;
use std::path::{Path, PathBuf};

/// A new mbox file.
pub(super) struct MboxFile {
    file: NewFile,
    directory: PathBuf,
}

impl MboxFile {
    /// Creates the file under a temporary name.
    pub(super) fn create(path: &Path, force: bool) -> Result<MboxFile, Failure> {
        let directory = directory_of(path);
        Ok(MboxFile { file: NewFile::create(directory, path, force)?, directory: directory.to_path_buf() })
    }

    /// Appends a mail. Where it fails, the file is as before.
    pub(super) fn add(&mut self, queue: &Queue, id: &str) -> Result<(), Failure> {
        let start = self.file.position()?;
        let added = self.append(queue, id);
        if added.is_err() {
            self.file.truncate(start)?;
        }
        added
    }

    fn append(&mut self, queue: &Queue, id: &str) -> Result<(), Failure> {
        // The line before the mail depends on its end.
        let (mut start, mut last_byte) = (Vec::new(), None);
        let mut mail = queue.read(id, 0)?;
        while let Some(chunk) = mail.next_chunk()? {
            start.extend(chunk.iter().take(HEAD_BYTES - start.len()));
            last_byte = chunk.last().copied().or(last_byte);
        }
        // By its header the line before the mail is told from the text of the mail before that.
        if start.split(|byte| *byte == b'\n').next().and_then(split_field).is_none() {
            return Err(Cause::NoMailOfMbox.into());
        }
        let is_unterminated = last_byte.is_some_and(|byte| byte != b'\n');

        let mut mail = queue.read(id, 0)?;
        self.file.write(separator(&mail.info().envelope, is_unterminated).as_bytes())?;
        let (mut converter, mut converted) = (Converter::new(Direction::Quote), Vec::new());
        while let Some(chunk) = mail.next_chunk()? {
            converter.convert(&chunk, &mut converted);
            self.file.write(&converted)?;
            converted.clear();
        }
        converter.finish(&mut converted);
        self.file.write(&converted)?;
        self.file.write(if is_unterminated { b"\n\n" } else { b"\n" })
    }

    /// Makes the file durable under its name.
    pub(super) fn finish(self) -> Result<(), Failure> {
        self.file.publish()?;
        sync_directory(&self.directory)
    }
}

/// Returns the line before a mail.
fn separator(envelope: &Envelope, is_unterminated: bool) -> String {
    let sender = match envelope.reverse_path.as_str() {
        sender if Address::parse(sender).is_ok() => sender,
        // The null one, and what another program wrote that is no address.
        _ => "MAILER-DAEMON",
    };
    let created_at = envelope.created_at.map_or(0, |at| at.seconds);
    let time = jiff::Timestamp::from_second(created_at).unwrap_or_default();
    Separator { sender: sender.to_string(), is_unterminated }.line(time)
}
