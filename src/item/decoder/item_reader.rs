//! An item in either format that is being read.
//!
//! A reader is opened at the envelope, for which it reads only the head and the tail of the file wherever the file is laid
//! out as this component and chasquid write it. The body follows on demand, and its end is the statement that the whole
//! file was verified.

use super::binary::BinaryReader;
use super::strictness::{Integrity, Strictness};
use super::text::TextReader;
use crate::error::{Cause, Error, Operation, Result};
use crate::item::Format;
use crate::item::envelope::{Envelope, Timestamp};
use crate::item::id::base64url;
use crate::item::source::Source;
use crate::item::trailer::Checksum;
use crate::storage::ItemWriter;
use crate::storage::filesystem::{Directory, File, Stat};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use prost::Message;

/// Bytes that are free behind the expected end of a body, so that its end is seen without a further step.
const READ_MARGIN: usize = 256;

/// Bytes that are expected of a body whose length is not known, at most.
const UNKNOWN_BYTES: u64 = 64 << 10;

/// Bytes of the body that are decoded at a time.
const PIECE_BYTES: usize = 16 << 10;

/// An item that is being read.
pub(crate) struct ItemReader {
    size: u64,
    reader: Reader,
}

/// A reader of one of the formats.
enum Reader {
    Text(Box<TextReader>),
    Binary(Box<BinaryReader>),
}

impl ItemReader {
    /// Begins to read an item in memory. Its envelope is known once all of it was read.
    pub(crate) fn in_memory(bytes: Vec<u8>, format: Format) -> Result<ItemReader> {
        let size = bytes.len() as u64;
        let source = Source::memory(bytes);
        let reader = match format {
            Format::Text => Reader::Text(Box::new(TextReader::begin(source, Strictness::FormatOnly)?)),
            Format::Binary => Reader::Binary(Box::new(BinaryReader::open(source, Strictness::FormatOnly)?)),
        };
        Ok(ItemReader { size, reader })
    }

    /// Reads the whole item, whose body has at most `max_body_bytes`.
    pub(crate) fn into_item(mut self, max_body_bytes: u64) -> Result<(Envelope, Vec<u8>)> {
        let body = self.read_all(max_body_bytes)?;
        Ok((self.take_envelope(), body))
    }

    /// Opens the item in a file at its envelope.
    pub(crate) fn open(file: Box<dyn File>, stat: Stat, format: Format, strictness: Strictness) -> Result<ItemReader> {
        let source = Source::file(file, stat.size);
        let reader = match format {
            Format::Text => Reader::Text(Box::new(TextReader::open(source, strictness)?)),
            Format::Binary => Reader::Binary(Box::new(BinaryReader::open(source, strictness)?)),
        };
        Ok(ItemReader { size: stat.size, reader })
    }

    /// Returns the envelope.
    pub(crate) fn envelope(&self) -> &Envelope {
        match &self.reader {
            Reader::Text(reader) => &reader.envelope,
            Reader::Binary(reader) => &reader.envelope,
        }
    }

    /// Takes the envelope out of the reader.
    pub(crate) fn take_envelope(&mut self) -> Envelope {
        core::mem::take(match &mut self.reader {
            Reader::Text(reader) => &mut reader.envelope,
            Reader::Binary(reader) => &mut reader.envelope,
        })
    }

    /// Returns how much was verified so far.
    pub(crate) fn integrity(&self) -> Integrity {
        match &self.reader {
            Reader::Text(reader) => reader.integrity,
            Reader::Binary(reader) => reader.integrity,
        }
    }

    /// Returns the length of the body in bytes; none where only reading it could tell.
    pub(crate) fn body_length(&self) -> Option<u64> {
        match &self.reader {
            Reader::Text(reader) => reader.body_length,
            Reader::Binary(reader) => Some(reader.body_length()),
        }
    }

    /// Returns the size of the file in bytes.
    pub(crate) fn file_size(&self) -> u64 {
        self.size
    }

    /// Returns a string that changes whenever the content does: the checksum of the whole or, without one, a checksum of
    /// everything that is known without reading the body. `modified` is the time of the file's last modification.
    pub(crate) fn revision(&self, modified: Option<Timestamp>) -> String {
        let whole = match &self.reader {
            Reader::Text(reader) => reader.whole_checksum(),
            Reader::Binary(reader) => Some(reader.whole_checksum()),
        };
        whole.map_or_else(|| self.revision_without_checksum(modified), revision)
    }

    fn revision_without_checksum(&self, modified: Option<Timestamp>) -> String {
        let Timestamp { seconds, nanos } = modified.unwrap_or_default();
        let mut known = self.envelope().encode_to_vec();
        for number in [self.size, seconds.cast_unsigned(), u64::from(nanos.cast_unsigned())] {
            known.extend_from_slice(&number.to_le_bytes());
        }
        let mut checksum = Checksum::default();
        checksum.update(&known);
        revision(checksum.digest())
    }

    /// Reads the next bytes of the body into `output`, which has room for `unescape::MARGIN` and more; none at the end,
    /// where the whole item was verified.
    pub(crate) fn read(&mut self, output: &mut [u8]) -> Result<Option<usize>> {
        match &mut self.reader {
            Reader::Text(reader) => reader.read(output),
            Reader::Binary(reader) => reader.read(output),
        }
    }

    /// Gives up verifying the whole, and goes to `offset` in the body where that can be done without reading, but not
    /// beyond its end. Returns the offset that was reached.
    pub(crate) fn seek_unchecked(&mut self, offset: u64) -> u64 {
        match &mut self.reader {
            Reader::Text(reader) => {
                reader.give_up_checksums();
                0
            }
            Reader::Binary(reader) => reader.seek(offset),
        }
    }

    /// Reads the rest of the body and verifies the whole.
    pub(crate) fn verify(&mut self) -> Result<()> {
        let mut scratch = vec![0; PIECE_BYTES];
        while self.read(&mut scratch)?.is_some() {}
        Ok(())
    }

    /// Copies the whole body into an item of the same format, and verifies the whole.
    pub(crate) fn copy_body<D: Directory>(&mut self, writer: &mut ItemWriter<D>) -> Result<()> {
        match &mut self.reader {
            Reader::Text(reader) => reader.copy_encoded(|bytes, decoded| writer.encoded_body(bytes, decoded))?,
            Reader::Binary(reader) => reader.copy(|bytes| writer.encoded_body(bytes, bytes.len() as u64))?,
        }
        let mut piece = vec![0; PIECE_BYTES];
        while let Some(read) = self.read(&mut piece)? {
            writer.body(&piece[..read])?;
        }
        Ok(())
    }

    /// Reads the whole body, at most `max_bytes`, and verifies the whole item.
    pub(crate) fn read_all(&mut self, max_bytes: u64) -> Result<Vec<u8>> {
        let too_large = |detail| Err(Error::new(Cause::TooLarge(detail), Operation::Read, ""));
        let too_long = "the body is larger than `max-list-body-bytes`: read it as a stream";
        let no_memory = "the body does not fit the memory of this instance: read it as a stream";
        if self.body_length().is_some_and(|length| length > max_bytes) {
            return too_large(too_long);
        }
        // The length in the item is believed as far as the file could hold it. Without one, a body can be as long as the
        // file.
        let expected = self.body_length().unwrap_or(UNKNOWN_BYTES).min(self.size) as usize;
        let mut body: Vec<u8> = Vec::new();
        let mut length = 0;
        loop {
            if body.len() < length + READ_MARGIN {
                let more = expected.saturating_sub(length).max(length) + READ_MARGIN;
                if body.try_reserve_exact(length + more - body.len()).is_err() {
                    return too_large(no_memory);
                }
                body.resize(length + more, 0);
            }
            let Some(read) = self.read(&mut body[length..])? else {
                body.truncate(length);
                return Ok(body);
            };
            length += read;
            if length as u64 > max_bytes {
                return too_large(too_long);
            }
        }
    }
}

/// Returns the revision of an item that has this checksum of the whole.
pub(crate) fn revision(whole_checksum: u64) -> String {
    base64url(whole_checksum)
}
