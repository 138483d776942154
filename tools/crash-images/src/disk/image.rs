//! Implements sparse copy-on-write images of disks.

use super::Event;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// Bytes of a block, the unit of copy-on-write, and the size of a file system block.
pub const BLOCK_BYTES: usize = 4096;

type Block = [u8; BLOCK_BYTES];

/// The content of a disk. An absent block is all zeros. Clones share their blocks, so that a clone is cheap.
#[derive(Clone, Debug, Default)]
pub struct Image {
    blocks: HashMap<u64, Arc<Block>>,
}

/// The part of a block that a range of bytes covers.
struct Part {
    block: u64,
    /// Offset of the part in the block.
    start: usize,
    /// Offset of the part in the range.
    at: usize,
    bytes: usize,
}

/// Splits a range of `bytes` bytes at `offset` at the boundaries of blocks.
fn parts(offset: u64, bytes: usize) -> impl Iterator<Item = Part> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let position = offset + at as u64;
        let start = (position % BLOCK_BYTES as u64) as usize;
        let part =
            Part { block: position / BLOCK_BYTES as u64, start, at, bytes: (BLOCK_BYTES - start).min(bytes - at) };
        at += part.bytes;
        (part.bytes > 0).then_some(part)
    })
}

impl Image {
    /// Fills `bytes` with the content at `offset`.
    pub fn read(&self, offset: u64, bytes: &mut [u8]) {
        for part in parts(offset, bytes.len()) {
            let target = &mut bytes[part.at..][..part.bytes];
            match self.blocks.get(&part.block) {
                Some(block) => target.copy_from_slice(&block[part.start..][..part.bytes]),
                None => target.fill(0),
            }
        }
    }

    /// Writes `bytes` at `offset`.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) {
        for part in parts(offset, bytes.len()) {
            let source = &bytes[part.at..][..part.bytes];
            if !self.blocks.contains_key(&part.block) && source.iter().all(|byte| *byte == 0) {
                continue;
            }
            let block = self.blocks.entry(part.block).or_insert_with(|| Arc::new([0; BLOCK_BYTES]));
            Arc::make_mut(block)[part.start..][..part.bytes].copy_from_slice(source);
        }
    }

    /// Writes `bytes` zeros at `offset`.
    pub fn zero(&mut self, offset: u64, bytes: u64) {
        let (block_bytes, end) = (BLOCK_BYTES as u64, offset + bytes);
        let (first, last) = (offset.div_ceil(block_bytes), end / block_bytes);
        self.blocks.retain(|block, _| !(first..last).contains(block));
        for (start, end) in [(offset, end.min(first * block_bytes)), (offset.max(last * block_bytes), end)] {
            if start < end {
                self.write(start, &vec![0; (end - start) as usize]);
            }
        }
    }

    /// Applies a write or zeros; flushes and marks change nothing.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Write { offset, bytes } => self.write(*offset, bytes),
            Event::Zero { offset, bytes } => self.zero(*offset, *bytes),
            Event::Flush | Event::Mark(_) => {}
        }
    }

    /// Saves the image to a sparse file of `bytes` bytes.
    pub fn save(&self, path: &Path, bytes: u64) -> io::Result<()> {
        let file = File::create(path)?;
        file.set_len(bytes)?;
        self.blocks.iter().try_for_each(|(number, block)| file.write_all_at(&block[..], number * BLOCK_BYTES as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::ChaCha8Rng;
    use rand::{RngExt, SeedableRng};

    #[test]
    fn image_matches_plain_array() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        const BYTES: usize = 10 * BLOCK_BYTES;
        let (mut image, mut array) = (Image::default(), vec![0_u8; BYTES]);
        for _ in 0..200 {
            let start = random.random_range(0..BYTES);
            let end = random.random_range(start..=BYTES.min(start + 3 * BLOCK_BYTES));
            if random.random_bool(0.3) {
                image.zero(start as u64, (end - start) as u64);
                array[start..end].fill(0);
            } else {
                let byte = random.random_range(0..3);
                image.write(start as u64, &vec![byte; end - start]);
                array[start..end].fill(byte);
            }
            let mut read = vec![9; BYTES + 1];
            image.read(0, &mut read);
            assert_eq!(read[..BYTES], array[..]);
            assert_eq!(read[BYTES], 0);
        }
    }

    #[test]
    fn writes_do_not_change_earlier_clones() {
        let mut image = Image::default();
        image.write(5, b"before");
        let copy = image.clone();
        image.write(5, b"after!");
        let mut bytes = [0; 6];
        copy.read(5, &mut bytes);
        assert_eq!(&bytes, b"before");
    }
}
