//! Sixty-four bytes at a time: WebAssembly's `simd128`, SSE2 where the same code is compiled for x86-64, NEON on ARM.

use wide::i8x16;

/// Bytes in a block: as many as a mask of 64 bits has places.
pub(crate) const BLOCK: usize = 64;

/// Bytes that are copied at a time, whatever the length of a run: what follows it is written again.
pub(crate) const COPY: usize = 16;

/// A block, and what may be read beyond it.
pub(crate) type Block = [u8; BLOCK + COPY];

/// What one byte of a block is, for sixteen of them.
type Vector = i8x16;

/// A bit for each byte of the block that a text literal cannot have as it is: control characters, `"`, `\`, 0x7f and
/// everything that is not ASCII.
#[inline(always)]
pub(crate) fn needs_escape(block: &Block) -> u64 {
    mask(block, |bytes| {
        // One more than 0x7f and than what is not ASCII is, as a signed number, at most 0: below a blank, like what is one more
        // than a control character.
        let plain = (bytes + splat(1)).simd_gt(splat(b' '));
        !plain | equal(bytes, b'"') | equal(bytes, b'\\')
    })
}

/// A bit for each byte of the block that can begin a UTF-8 sequence of several bytes, by that byte and the next two, where the
/// block has them. Where the bit is not set, none begins.
#[inline(always)]
pub(crate) fn may_begin_sequence(block: &Block) -> u64 {
    if mask(block, |bytes| bytes) == 0 {
        return 0;
    }
    // 0xc2 and more, and 0xe0 and more, of what is not ASCII; and 0x80 to 0xbf.
    let two = mask(block, |bytes| bytes.simd_gt(splat(0xc1)) & bytes.simd_lt(splat(0)));
    let three = mask(block, |bytes| bytes.simd_gt(splat(0xdf)) & bytes.simd_lt(splat(0)));
    let continuation = mask(block, |bytes| bytes.simd_lt(splat(0xc0)));
    two & (continuation >> 1 | 1 << (BLOCK - 1)) & (!three | continuation >> 2 | 3 << (BLOCK - 2))
}

/// A bit for each byte of the block that ends a run of plain characters in a text literal: the quote, `\`, NUL, a line
/// feed, and everything that is not ASCII.
#[inline(always)]
pub(crate) fn ends_run(block: &Block, quote: u8) -> u64 {
    mask(block, |bytes| {
        // As signed numbers, bytes that are not ASCII are below 1 too.
        let nul = bytes.simd_lt(splat(1));
        nul | equal(bytes, quote) | equal(bytes, b'\\') | equal(bytes, b'\n')
    })
}

/// A bit for each `\` of the block.
#[inline(always)]
pub(crate) fn escapes(block: &Block) -> u64 {
    mask(block, |bytes| equal(bytes, b'\\'))
}

/// A bit for each `\` of the block that an `x` of the block follows.
#[inline(always)]
pub(crate) fn begins_hexadecimal(block: &Block) -> u64 {
    escapes(block) & mask(block, |bytes| equal(bytes, b'x')) >> 1
}

/// A bit for each byte of the block that is a hexadecimal digit.
#[inline(always)]
pub(crate) fn hexadecimal_digits(block: &Block) -> u64 {
    mask(block, |bytes| {
        let lower = bytes | splat(b' ');
        between(bytes, b'0', b'9') | between(lower, b'a', b'f')
    })
}

/// For each byte of the block, that byte, or where it is a `\` that an `x` follows, the byte that the two hexadecimal digits
/// after that stand for. What is beyond the block counts as far as it goes.
#[inline(always)]
pub(crate) fn hexadecimal_values(block: &Block) -> [u8; BLOCK] {
    let mut values = [0; BLOCK];
    for (place, values) in values.as_chunks_mut::<COPY>().0.iter_mut().enumerate() {
        let at = |offset: usize| vector(block, place * COPY + offset);
        let escape = equal(at(0), b'\\') & equal(at(1), b'x');
        let high = nibbles(at(2));
        let twice = high + high;
        let four = twice + twice;
        let value = four + four + (four + four) + nibbles(at(3));
        let value = (escape & value) | (!escape & at(0));
        *values = value.to_array().map(i8::cast_unsigned);
    }
    values
}

/// What hexadecimal digits stand for.
#[inline(always)]
fn nibbles(digits: Vector) -> Vector {
    (digits & splat(15)) + (digits.simd_gt(splat(b'9')) & splat(9))
}

#[inline(always)]
fn between(bytes: Vector, first: u8, last: u8) -> Vector {
    bytes.simd_gt(splat(first - 1)) & bytes.simd_lt(splat(last + 1))
}

/// The bits of the places that are at least `length` after the one that `first` has.
#[inline(always)]
pub(crate) const fn from_after(first: u64, length: usize) -> u64 {
    (first << length).wrapping_neg()
}

/// Copies the block.
#[inline(always)]
pub(crate) fn copy_block<const ROOM: usize>(block: &Block, room: &mut [u8; ROOM]) {
    for place in (0..BLOCK).step_by(COPY) {
        room[place..place + COPY].copy_from_slice(&block[place..place + COPY]);
    }
}

/// Copies a run of the block that begins at `from`, and perhaps more, to `to`.
#[inline(always)]
pub(crate) fn copy_run<const ROOM: usize>(block: &Block, from: usize, room: &mut [u8; ROOM], to: usize, length: usize) {
    let mut copied = 0;
    loop {
        // Both are within their bounds anyway; this way the compiler knows it.
        let (from, to) = ((from + copied) % BLOCK, (to + copied) % (ROOM - COPY));
        let mut bytes = [0; COPY];
        bytes.copy_from_slice(&block[from..from + COPY]);
        room[to..to + COPY].copy_from_slice(&bytes);
        copied += COPY;
        if copied >= length {
            return;
        }
    }
}

#[inline(always)]
fn mask(block: &Block, of: impl Fn(Vector) -> Vector) -> u64 {
    let mut mask = 0;
    for place in 0..BLOCK / COPY {
        mask |= u64::from(of(vector(block, place * COPY)).to_bitmask()) << (place * COPY);
    }
    mask
}

/// The bytes of the block from `place` on.
#[inline(always)]
fn vector(block: &Block, place: usize) -> Vector {
    let mut bytes = [0; COPY];
    bytes.copy_from_slice(&block[place..place + COPY]);
    Vector::new(bytes.map(u8::cast_signed))
}

#[inline(always)]
fn splat(byte: u8) -> Vector {
    Vector::splat(byte.cast_signed())
}

#[inline(always)]
fn equal(bytes: Vector, byte: u8) -> Vector {
    bytes.simd_eq(splat(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_classified_in_every_place() {
        for byte in 0..=u8::MAX {
            for place in 0..BLOCK {
                let mut block = [b'a'; BLOCK + COPY];
                block[place] = byte;
                let escape = !matches!(byte, 0x20..0x7f) || matches!(byte, b'"' | b'\\');
                assert_eq!(needs_escape(&block), u64::from(escape) << place, "{byte:#x}");
                for quote in [b'"', b'\''] {
                    let ends = byte >= 0x80 || byte == quote || matches!(byte, b'\\' | 0 | b'\n');
                    assert_eq!(ends_run(&block, quote), u64::from(ends) << place, "{byte:#x}");
                }
                for next in [b'a', b'x', 0x80, 0xbf, 0xc0] {
                    block[place + 1] = next;
                    for after in [b'a', 0x80] {
                        block[place + 2] = after;
                        let second = place + 1 >= BLOCK || matches!(next, 0x80..=0xbf);
                        let third = place + 2 >= BLOCK || byte < 0xe0 || after == 0x80;
                        let begins = byte >= 0xc2 && second && third;
                        assert_eq!(may_begin_sequence(&block) >> place & 1, u64::from(begins), "{byte:#x} {next:#x}");
                    }
                    let hexadecimal = byte == b'\\' && next == b'x' && place + 1 < BLOCK;
                    assert_eq!(begins_hexadecimal(&block), u64::from(hexadecimal) << place, "{byte:#x} {next:#x}");
                }
            }
        }
    }
}
