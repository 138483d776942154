//! The file of an item into its envelope, and its body in pieces, with everything checked that can be.
//!
//! A reader is opened at the envelope, for which it reads the head and the tail of the file alone wherever the file is
//! laid out as this component and chasquid write it. The body follows on demand, and its end is where the whole is
//! vouched for.

mod binary;
mod text;

use crate::encoder::{Encoder, Sink};
use crate::error::{Code, Error, Operation, Result};
use crate::filesystem::{File, Stat};
use crate::id::base64url;
use crate::input::Input;
use crate::integrity::Checksum;
use crate::message::Envelope;
use crate::name::Format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use binary::BinaryReader;
use prost::Message;
use text::TextReader;

/// Bytes up to which an item is read at once.
const SMALL_BYTES: u64 = 8 << 10;

/// Bytes of the head of a larger item that are read first.
const HEAD_BYTES: usize = 4 << 10;

/// Bytes of the tail of a larger item that are read for what follows the body.
const TAIL_BYTES: u64 = 512;

/// Bytes of the body that are decoded at a time.
const PIECE_BYTES: usize = 16 << 10;

/// `types.integrity`: how much was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented in `wit/types.wit`")]
pub enum Integrity {
    Unchecked,
    Envelope,
    Whole,
}

/// What is asked of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// The queue wants it complete, and with checksums that match if it has any.
    Item,
    /// The codec judges the format alone: with checksums that match if it has any.
    Format,
    /// An operator vouches for it: complete, whatever its checksums say.
    Seal,
}

/// An item being read.
pub(crate) struct Reader<F> {
    kind: Kind<F>,
    stat: Stat,
}

enum Kind<F> {
    Text(TextReader<F>),
    Binary(BinaryReader<F>),
}

impl<F: File> Reader<F> {
    /// A reader of the item in a file.
    pub(crate) fn new(file: F, stat: Stat, format: Format, judgement: Judgement) -> Reader<F> {
        Reader::of(Input::file(file, stat.size), stat, format, judgement)
    }

    fn of(input: Input<F>, stat: Stat, format: Format, judgement: Judgement) -> Reader<F> {
        let kind = match format {
            Format::Text => Kind::Text(TextReader::new(input, judgement)),
            Format::Binary => Kind::Binary(BinaryReader::new(input, judgement)),
        };
        Reader { kind, stat }
    }

    /// Finds the envelope: in the head and the tail of the file if it is laid out as usual, else by reading it all.
    pub(crate) fn open(&mut self) -> Result<()> {
        let opened = match &mut self.kind {
            Kind::Text(reader) => reader.open(),
            Kind::Binary(reader) => reader.open(),
        };
        opened.map_err(|error| self.placed(error))
    }

    /// The envelope, once it was found.
    pub(crate) fn envelope(&mut self) -> &mut Envelope {
        match &mut self.kind {
            Kind::Text(reader) => &mut reader.envelope,
            Kind::Binary(reader) => &mut reader.envelope,
        }
    }

    /// What was checked so far.
    pub(crate) fn integrity(&self) -> Integrity {
        match &self.kind {
            Kind::Text(reader) => reader.integrity,
            Kind::Binary(reader) => reader.integrity,
        }
    }

    /// Bytes of the body; none where only reading it could tell.
    pub(crate) fn body_length(&self) -> Option<u64> {
        match &self.kind {
            Kind::Text(reader) => reader.body_length,
            Kind::Binary(reader) => Some(reader.body_length()),
        }
    }

    /// Bytes of the file.
    pub(crate) fn file_size(&self) -> u64 {
        self.stat.size
    }

    /// What changes whenever the content does: the checksum of the whole, or where there is none, one of what can be known
    /// without reading it.
    pub(crate) fn revision(&mut self) -> String {
        let whole = match &self.kind {
            Kind::Text(reader) => reader.whole(),
            Kind::Binary(reader) => Some(reader.whole()),
        };
        revision(whole.unwrap_or_else(|| {
            let mut hash = Checksum::default();
            hash.update(&self.stat.size.to_le_bytes());
            hash.update(&self.stat.modified.unwrap_or_default().encode_to_vec());
            hash.update(&self.envelope().encode_to_vec());
            hash.digest()
        }))
    }

    /// Reads the next bytes of the body into `output`, which has room for more than 16; none at the end, where the whole
    /// item was checked.
    pub(crate) fn read(&mut self, output: &mut [u8]) -> Result<Option<usize>> {
        let read = match &mut self.kind {
            Kind::Text(reader) => reader.read(output),
            Kind::Binary(reader) => reader.read(output),
        };
        read.map_err(|error| self.placed(error))
    }

    /// Gives up checking the whole, and goes to `offset` in the body where that can be done without reading, but not
    /// beyond its end. Returns where it is.
    pub(crate) fn seek_unchecked(&mut self, offset: u64) -> u64 {
        match &mut self.kind {
            Kind::Text(reader) => {
                reader.judgement = Judgement::Seal;
                0
            }
            Kind::Binary(reader) => reader.seek_unchecked(offset),
        }
    }

    /// Reads what is left of the body and checks the whole.
    pub(crate) fn verify(&mut self) -> Result<()> {
        let mut scratch = vec![0; PIECE_BYTES];
        while self.read(&mut scratch)?.is_some() {}
        Ok(())
    }

    /// Copies the whole body into an encoder of the same format, and checks the whole item.
    pub(crate) fn copy_body<S: Sink>(&mut self, encoder: &mut Encoder<S>) -> Result<()> {
        match &mut self.kind {
            Kind::Text(reader) => reader.copy_encoded(encoder),
            Kind::Binary(reader) => reader.copy_encoded(encoder),
        }?;
        let mut piece = vec![0; PIECE_BYTES];
        while let Some(read) = self.read(&mut piece)? {
            encoder.body(piece.get(..read).unwrap_or_default())?;
        }
        Ok(())
    }

    /// Reads the whole body, at most `most` bytes, and checks the whole item.
    pub(crate) fn read_all(&mut self, most: u64) -> Result<Vec<u8>> {
        let too_large = |detail| Err(Error::of(Code::TooLarge, Operation::Read, "", detail));
        let too_long = "the body is larger than `max-list-body-bytes`: read it as a stream";
        let no_memory = "the body does not fit the memory of this instance: read it as a stream";
        if self.body_length().is_some_and(|length| length > most) {
            return too_large(too_long);
        }
        let mut body = Vec::new();
        let mut piece = vec![0; PIECE_BYTES];
        while let Some(read) = self.read(&mut piece)? {
            let length = body.len() + read;
            if length as u64 > most {
                return too_large(too_long);
            }
            // What the item says of its length is believed as far as the file could hold it.
            let expected = self.body_length().unwrap_or(0).min(self.stat.size) as usize;
            let more = if length <= expected { expected - body.len() } else { read };
            if body.capacity() < length && body.try_reserve(more).is_err() {
                return too_large(no_memory);
            }
            body.extend_from_slice(piece.get(..read).unwrap_or_default());
        }
        Ok(body)
    }

    /// Adds to an error of a text where in it that was.
    #[cold]
    fn placed(&mut self, mut error: Error) -> Error {
        if let (Some(at), Kind::Text(reader)) = (error.at, &mut self.kind) {
            error.at = reader.line_of(at.offset);
        }
        error
    }
}

/// The revision of an item whose checksum of the whole is this.
pub(crate) fn revision(whole: u64) -> String {
    base64url(whole)
}

/// Decodes an item that is in memory.
pub(crate) fn decode<F: File>(bytes: Vec<u8>, format: Format, most: u64) -> Result<(Envelope, Vec<u8>)> {
    let stat = Stat { kind: crate::filesystem::Kind::Regular, size: bytes.len() as u64, modified: None };
    let mut reader = Reader::<F>::of(Input::memory(bytes), stat, format, Judgement::Format);
    let body = reader.read_all(most)?;
    Ok((core::mem::take(reader.envelope()), body))
}
