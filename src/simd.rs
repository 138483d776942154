//! Sixteen bytes at a time: WebAssembly's `simd128`, SSE2 where the same code is compiled for x86-64, NEON on ARM.

use wide::i8x16;

/// Bytes in a block.
pub(crate) const BLOCK: usize = 16;

/// A bit for each byte of the block that a text literal cannot have as it is: control characters, `"`, `\`, 0x7f and
/// everything that is not ASCII.
#[inline(always)]
pub(crate) fn needs_escape(block: &[u8; BLOCK]) -> u32 {
    let bytes = load(block);
    // As signed numbers, bytes that are not ASCII are below a blank too.
    let control = bytes.simd_lt(splat(b' '));
    (control | equal(bytes, b'"') | equal(bytes, b'\\') | equal(bytes, 0x7f)).to_bitmask()
}

/// A bit for each byte of the block that ends a run of plain characters in a text literal: the quote, `\`, NUL, a line
/// feed, and everything that is not ASCII.
#[inline(always)]
pub(crate) fn ends_run(block: &[u8; BLOCK], quote: u8) -> u32 {
    let bytes = load(block);
    // As signed numbers, bytes that are not ASCII are below 1 too.
    let nul = bytes.simd_lt(splat(1));
    (nul | equal(bytes, quote) | equal(bytes, b'\\') | equal(bytes, b'\n')).to_bitmask()
}

#[inline(always)]
fn load(block: &[u8; BLOCK]) -> i8x16 {
    i8x16::new(block.map(u8::cast_signed))
}

#[inline(always)]
fn splat(byte: u8) -> i8x16 {
    i8x16::splat(byte.cast_signed())
}

#[inline(always)]
fn equal(bytes: i8x16, byte: u8) -> i8x16 {
    bytes.simd_eq(splat(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_classified_in_every_place() {
        for byte in 0..=u8::MAX {
            for place in 0..BLOCK {
                let mut block = [b'a'; BLOCK];
                block[place] = byte;
                let escape = !matches!(byte, 0x20..0x7f) || matches!(byte, b'"' | b'\\');
                assert_eq!(needs_escape(&block), u32::from(escape) << place, "{byte:#x}");
                for quote in [b'"', b'\''] {
                    let ends = byte >= 0x80 || byte == quote || matches!(byte, b'\\' | 0 | b'\n');
                    assert_eq!(ends_run(&block, quote), u32::from(ends) << place, "{byte:#x}");
                }
            }
        }
    }
}
