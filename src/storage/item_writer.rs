//! An item that is encoded into a temporary file, a buffer at a time.

use super::filesystem::Directory;
use super::temporary_file::TemporaryFile;
use crate::error::{Error, Result};
use crate::item::encoder::{Encoded, Encoder};

/// Bytes of encoded item that are written at a time.
const SPILL_BYTES: usize = 64 << 10;

/// Bytes of the body that are encoded between two looks at the buffer.
const PIECE_BYTES: usize = 32 << 10;

/// An item that is encoded into a temporary file.
pub(crate) struct ItemWriter<D: Directory> {
    file: TemporaryFile<D>,
    encoder: Encoder,
}

impl<D: Directory> ItemWriter<D> {
    /// Begins an item.
    pub(crate) fn new(file: TemporaryFile<D>, encoder: Encoder) -> ItemWriter<D> {
        ItemWriter { file, encoder }
    }

    /// Appends bytes of the body.
    pub(crate) fn body(&mut self, bytes: &[u8]) -> Result<()> {
        for piece in bytes.chunks(PIECE_BYTES) {
            self.encoder.body(piece);
            if self.encoder.pending().len() >= SPILL_BYTES {
                self.spill()?;
            }
        }
        Ok(())
    }

    /// Appends bytes of the body that are encoded already, in the format of the item, and stand for `decoded` bytes.
    pub(crate) fn encoded_body(&mut self, bytes: &[u8], decoded: u64) -> Result<()> {
        if self.encoder.pending().len() + bytes.len() < SPILL_BYTES {
            self.encoder.encoded_body(bytes, decoded);
            return Ok(());
        }
        // Many bytes do not pass through the buffer.
        self.encoder.begin_body();
        self.spill()?;
        self.file.append(bytes)?;
        self.encoder.encoded_elsewhere(bytes, decoded);
        Ok(())
    }

    /// Returns the number of bytes of the body so far.
    pub(crate) fn body_length(&self) -> u64 {
        self.encoder.body_length()
    }

    /// Writes the rest of the item. Returns the file and the checksum of the whole; or removes the file.
    pub(crate) fn finish(self) -> Result<(TemporaryFile<D>, u64)> {
        let ItemWriter { mut file, encoder } = self;
        let Encoded { rest, checksum, length_field } = encoder.finish();
        let written = file.append(&rest).and_then(|()| match length_field {
            Some((offset, bytes)) => file.overwrite(offset, &bytes),
            None => Ok(()),
        });
        match written {
            Ok(()) => Ok((file, checksum)),
            Err(error) => Err(file.give_up(error)),
        }
    }

    /// Removes the file because of `error`, and returns the error.
    #[cold]
    pub(crate) fn give_up(self, error: Error) -> Error {
        self.file.give_up(error)
    }

    /// Removes the file, and reports a failure.
    pub(crate) fn discard(self) -> Result<()> {
        self.file.discard()
    }

    fn spill(&mut self) -> Result<()> {
        self.file.append(self.encoder.pending())?;
        self.encoder.forget_pending();
        Ok(())
    }
}
