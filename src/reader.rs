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
use crate::integrity::{Checksum, Closing, Opening};
use crate::list::{Maybe, Text};
use crate::message::{CREATED_AT_FIELD, Header, Timestamp};
use crate::name::Format;
use crate::text::parse::Parser;
use crate::zeros;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

/// Bytes up to which an item is read at once.
const SMALL_BYTES: u64 = 8 << 10;

/// Bytes of the head of a larger item that are read first.
const HEAD_BYTES: usize = 4 << 10;

/// Bytes of an item of this size that are read first.
const fn head_bytes(size: u64) -> usize {
    if size <= SMALL_BYTES { size as usize } else { HEAD_BYTES }
}

/// Bytes of the tail of a larger item that are read for what follows the body.
const TAIL_BYTES: u64 = 512;

/// Bytes that are free behind what is expected of a body, so that its end is seen without a further step.
const READ_MARGIN: usize = 256;

/// Bytes that are expected of a body whose length is not known, at most.
const UNKNOWN_BYTES: u64 = 64 << 10;

/// Bytes of the body that are decoded at a time.
const PIECE_BYTES: usize = 16 << 10;

/// `types.integrity`: how much was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented in `wit/types.wit`")]
#[repr(u8)]
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
    format: Format,
    stat: Stat,
    judgement: Judgement,
    /// The bytes of the file, whatever the format, and what is known of a text.
    parser: Parser<F>,
    stage: Stage,
    /// The fields but the body, as far as they were read.
    header: Header,
    /// Whether that is all of them, so that what is read of them from here on is read again.
    known: bool,
    integrity: Integrity,
    opening: Opening,
    closing: Option<Closing>,
    /// Whether something follows the closing.
    trailed: bool,
    /// Bytes of the body, once known.
    body_length: Option<u64>,
    /// Where the body begins, in binary.
    body_at: u64,
    /// Where the body ends, in a text where that was seen from the tail.
    body_end: Option<u64>,
    /// Bytes of the body that were read.
    counted: u64,
    /// The checksum of the whole so far, in binary; none once bytes were skipped, or all was checked.
    whole: Option<Checksum>,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The beginning of the file.
    Begin,
    /// Fields of a text, before the body or after it.
    Fields,
    /// The body.
    Body,
    /// Nothing: all was read and checked.
    Done,
}

impl<F: File> Reader<F> {
    /// A reader of the item in a file.
    pub(crate) fn new(file: F, stat: Stat, format: Format, judgement: Judgement) -> Box<Reader<F>> {
        Reader::of(Input::file(file, stat.size), stat, format, judgement)
    }

    fn of(input: Input<F>, stat: Stat, format: Format, judgement: Judgement) -> Box<Reader<F>> {
        Box::new(Reader {
            format,
            stat,
            judgement,
            parser: Parser::new(input),
            stage: Stage::Begin,
            header: Header::default(),
            known: false,
            integrity: Integrity::Unchecked,
            opening: Opening::Absent,
            closing: None,
            trailed: false,
            body_length: None,
            body_at: 0,
            body_end: None,
            counted: 0,
            whole: None,
        })
    }

    /// Finds the envelope: in the head and the tail of the file if it is laid out as usual, else by reading it all.
    pub(crate) fn open(&mut self) -> Result<()> {
        let opened = match self.format {
            Format::Text => self.open_text(),
            Format::Binary => self.open_binary(),
        };
        opened.map_err(|error| self.placed(error))
    }

    /// Reads the beginning of the file, unless that was read.
    fn begin(&mut self) -> Result<()> {
        match (self.stage, self.format) {
            (Stage::Begin, Format::Text) => self.begin_text().map(drop),
            (Stage::Begin, Format::Binary) => self.open_binary(),
            _ => Ok(()),
        }
    }

    /// The fields but the body, once they were found.
    pub(crate) fn header(&mut self) -> &mut Header {
        &mut self.header
    }

    /// What was checked so far.
    pub(crate) fn integrity(&self) -> Integrity {
        self.integrity
    }

    /// Bytes of the body; none where only reading it could tell.
    pub(crate) fn body_length(&self) -> Option<u64> {
        self.body_length
    }

    /// Bytes of the file.
    pub(crate) fn file_size(&self) -> u64 {
        self.stat.size
    }

    /// What changes whenever the content does: the checksum of the whole, or where there is none, one of what can be known
    /// without reading it.
    pub(crate) fn revision(&mut self) -> Text {
        if let Some(closing) = self.closing {
            return revision(closing.whole);
        }
        let Timestamp { seconds, nanos } = self.stat.modified.unwrap_or_default();
        let mut known = Vec::new();
        for number in [self.stat.size, seconds.cast_unsigned(), u64::from(nanos.cast_unsigned())] {
            known.extend_from_slice(&number.to_le_bytes());
        }
        crate::binary::fields(&mut self.header, 1..=CREATED_AT_FIELD, &mut known);
        let mut hash = Checksum::default();
        hash.update(&known);
        revision(hash.digest())
    }

    /// Reads the next bytes of the body into `output`, which has room for `unescape::MARGIN` and more; none at the end, where
    /// the whole item was checked.
    pub(crate) fn read(&mut self, output: &mut [u8]) -> Result<Option<usize>> {
        let read = match self.format {
            Format::Text => self.read_text(output),
            Format::Binary => self.read_binary(output),
        };
        read.map_err(|error| self.placed(error))
    }

    /// Gives up checking the whole, and goes to `offset` in the body where that can be done without reading, but not
    /// beyond its end. Returns where it is.
    pub(crate) fn seek_unchecked(&mut self, offset: u64) -> u64 {
        match self.format {
            Format::Text => {
                self.judgement = Judgement::Seal;
                0
            }
            Format::Binary => self.seek_binary(offset),
        }
    }

    /// Reads what is left of the body and checks the whole.
    pub(crate) fn verify(&mut self) -> Result<()> {
        let mut scratch = vec![0; PIECE_BYTES];
        while self.read(&mut scratch)?.is_some() {}
        Ok(())
    }

    /// Copies the whole body into an encoder of the same format, and checks the whole item.
    pub(crate) fn copy_body(&mut self, encoder: &mut Encoder, sink: &mut dyn Sink) -> Result<()> {
        match self.format {
            Format::Text => self.copy_text(encoder, sink),
            Format::Binary => self.copy_binary(encoder, sink),
        }?;
        let mut piece = vec![0; PIECE_BYTES];
        while let Some(read) = self.read(&mut piece)? {
            encoder.body(piece.get(..read).unwrap_or_default(), sink)?;
        }
        Ok(())
    }

    /// Reads the whole body, at most `most` bytes, and checks the whole item.
    pub(crate) fn read_all(&mut self, most: u64) -> Result<Vec<u8>> {
        let too_large = |detail| Err(Error::of(Code::TooLarge, Operation::Read, "", detail));
        let too_long = "the body is larger than `max-list-body-bytes`: read it as a stream";
        let no_memory = "the body does not fit the memory of this instance: read it as a stream";
        // Tells how long the body is, where the item says so.
        self.begin().map_err(|error| self.placed(error))?;
        if self.body_length().is_some_and(|length| length > most) {
            return too_large(too_long);
        }
        // What the item says of its length is believed as far as the file could hold it. Where it says nothing, a body can
        // be as long as the file.
        let expected = self.body_length().unwrap_or(UNKNOWN_BYTES).min(self.stat.size) as usize;
        let mut body: Vec<u8> = Vec::new();
        let mut length = 0;
        loop {
            let more = expected.saturating_sub(length).max(length) + READ_MARGIN;
            if body.len() < length + READ_MARGIN {
                if body.try_reserve_exact(length + more - body.len()).is_err() {
                    return too_large(no_memory);
                }
                zeros::resize(&mut body, length + more);
            }
            let Some(read) = self.read(body.get_mut(length..).unwrap_or_default())? else {
                body.truncate(length);
                return Ok(body);
            };
            length += read;
            if length as u64 > most {
                return too_large(too_long);
            }
        }
    }

    /// Adds to an error of a text where in it that was. What was read is forgotten.
    #[cold]
    #[inline(never)]
    fn placed(&mut self, mut error: Error) -> Error {
        if let Maybe::Some(at) = error.at {
            error.at = self.parser.input.position(at.offset).into();
        }
        error
    }
}

/// The revision of an item whose checksum of the whole is this.
pub(crate) fn revision(whole: u64) -> Text {
    base64url(whole)
}

/// Decodes an item that is in memory.
pub(crate) fn decode<F: File>(bytes: Vec<u8>, format: Format, most: u64) -> Result<(Header, Vec<u8>)> {
    let stat = Stat { kind: crate::filesystem::Kind::Regular, size: bytes.len() as u64, modified: None };
    let mut reader = Reader::<F>::of(Input::memory(bytes), stat, format, Judgement::Format);
    let body = reader.read_all(most)?;
    Ok((core::mem::take(reader.header()), body))
}
