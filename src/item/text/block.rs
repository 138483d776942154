//! Classifies sixty-four bytes at a time with SIMD: WebAssembly's `simd128`, SSE2 where the same code is compiled for
//! x86-64, NEON on ARM.

use wide::i8x16;

/// Bytes in a block: one for each bit of a 64-bit mask.
pub const BLOCK: usize = 64;

/// Bytes of a vector.
const VECTOR: usize = 16;

/// A block, and as many readable bytes after it, so that a run of any length is copied without a branch on its length:
/// later writes overwrite the surplus.
pub type Window = [u8; 2 * BLOCK];

/// Returns the window at the beginning of `rest`. If `rest` is shorter, it is copied to `filled` and padded with NULs.
#[inline(always)]
pub fn window<'a>(rest: &'a [u8], filled: &'a mut Window) -> &'a Window {
    rest.first_chunk().unwrap_or_else(|| fill(rest, filled))
}

#[inline(never)]
fn fill<'a>(rest: &[u8], filled: &'a mut Window) -> &'a Window {
    *filled = [0; 2 * BLOCK];
    for (to, from) in filled.iter_mut().zip(rest) {
        *to = *from;
    }
    filled
}

/// Sixteen bytes of a block, or a mask with one lane for each of them.
type Vector = i8x16;

/// A bit for each byte of the block that a text literal cannot have as it is: control characters, `"`, `\`, 0x7f and
/// everything that is not ASCII.
#[inline(always)]
pub fn needs_escape(window: &Window) -> u64 {
    mask(window, |bytes| {
        // Adds one: control characters become at most 0x20, and 0x7f and bytes that are not ASCII become at most 0 as
        // signed numbers. The other bytes become greater than a blank.
        let plain = (bytes + splat(1)).simd_gt(splat(b' '));
        !plain | equal(bytes, b'"') | equal(bytes, b'\\')
    })
}

/// The last place of a block.
const LAST: u64 = 1 << (BLOCK - 1);

/// The UTF-8 sequences of several bytes in a block.
pub struct Sequences {
    /// A bit for each byte of those that the block has whole.
    pub whole: u64,
    /// A bit for the first byte of each of U+0080 to U+009F.
    pub controls: u64,
    /// Where one begins that ends beyond the block; [`BLOCK`] if none does.
    pub end: usize,
}

/// Finds the sequences that begin in a block, each valid as Unicode says (table 3-7).
#[inline(always)]
pub fn sequences(window: &Window) -> Sequences {
    if mask(window, |bytes| bytes) == 0 {
        return Sequences { whole: 0, controls: 0, end: BLOCK };
    }
    find_sequences(window)
}

#[inline(never)]
fn find_sequences(window: &Window) -> Sequences {
    let (mut begins, mut three, mut four, mut controls) = (0, 0, 0, 0);
    for place in (0..BLOCK).step_by(VECTOR) {
        let [first, second, third, fourth] = [0, 1, 2, 3].map(|offset| vector(window, place + offset));
        // As signed numbers, continuations are below 0xc0, and the first bytes of sequences are at or above it and
        // negative.
        let continues = |bytes: Vector| bytes.simd_lt(splat(0xc0));
        let is_three = first.simd_gt(splat(0xdf));
        let is_four = first.simd_gt(splat(0xef));
        let low = second.simd_lt(splat(0xa0));
        let lowest = second.simd_lt(splat(0x90));
        // Overlong forms, surrogates, and code points above U+10FFFF.
        let excluded = (equal(first, 0xe0) & low)
            | (equal(first, 0xed) & !low)
            | (equal(first, 0xf0) & lowest)
            | (equal(first, 0xf4) & !lowest);
        let valid = first.simd_gt(splat(0xc1))
            & first.simd_lt(splat(0xf5))
            & continues(second)
            & (!is_three | continues(third))
            & (!is_four | continues(fourth))
            & !excluded;
        begins |= bits(valid, place);
        three |= bits(valid & is_three, place);
        four |= bits(valid & is_four, place);
        controls |= bits(valid & equal(first, 0xc2) & low, place);
    }
    let beyond = begins & LAST | three & LAST >> 1 | four & LAST >> 2;
    let whole = begins | begins << 1 | three << 2 | four << 3;
    Sequences { whole, controls, end: beyond.trailing_zeros() as usize }
}

/// A bit for each byte of the block that ends a run of plain characters in a text literal: the quote, `\`, NUL, a line
/// feed, and everything that is not ASCII.
#[inline(always)]
pub fn ends_run(window: &Window, quote: u8) -> u64 {
    mask(window, |bytes| {
        // As signed numbers, bytes that are not ASCII are below 1 too.
        let nul = bytes.simd_lt(splat(1));
        nul | equal(bytes, quote) | equal(bytes, b'\\') | equal(bytes, b'\n')
    })
}

/// A bit for each `\` of the block.
#[inline(always)]
pub fn escapes(window: &Window) -> u64 {
    mask(window, |bytes| equal(bytes, b'\\'))
}

/// A bit for each `\` of the block that an `x` of the block follows.
#[inline(always)]
pub fn begins_hexadecimal(window: &Window) -> u64 {
    escapes(window) & mask(window, |bytes| equal(bytes, b'x')) >> 1
}

/// A bit for each byte of the block that is a hexadecimal digit.
#[inline(always)]
pub fn hexadecimal_digits(window: &Window) -> u64 {
    mask(window, |bytes| {
        let lower = bytes | splat(b' ');
        between(bytes, b'0', b'9') | between(lower, b'a', b'f')
    })
}

/// Returns the bytes of the block, with each `\` before an `x` replaced by the value of the two hexadecimal digits
/// after the `x`. The `x` and the digits may be beyond the block, within the window.
#[inline(always)]
pub fn hexadecimal_values(window: &Window) -> [u8; BLOCK] {
    let mut values = [0; BLOCK];
    for (place, values) in values.as_chunks_mut::<VECTOR>().0.iter_mut().enumerate() {
        let at = |offset: usize| vector(window, place * VECTOR + offset);
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

/// Returns the values of hexadecimal digits.
#[inline(always)]
fn nibbles(digits: Vector) -> Vector {
    (digits & splat(15)) + (digits.simd_gt(splat(b'9')) & splat(9))
}

#[inline(always)]
fn between(bytes: Vector, first: u8, last: u8) -> Vector {
    bytes.simd_gt(splat(first - 1)) & bytes.simd_lt(splat(last + 1))
}

/// Copies a run of the block that begins at `from` to `to`, and more: as many bytes as a block has.
#[inline(always)]
pub fn copy_run<const ROOM: usize>(window: &Window, from: usize, room: &mut [u8; ROOM], to: usize) {
    // Both are within their bounds anyway; this way the compiler knows it.
    let (from, to) = (from % BLOCK, to % (ROOM - BLOCK));
    for place in (0..BLOCK).step_by(VECTOR) {
        let mut bytes = [0; VECTOR];
        bytes.copy_from_slice(&window[from + place..from + place + VECTOR]);
        room[to + place..to + place + VECTOR].copy_from_slice(&bytes);
    }
}

#[inline(always)]
fn mask(window: &Window, of: impl Fn(Vector) -> Vector) -> u64 {
    (0..BLOCK).step_by(VECTOR).fold(0, |mask, place| mask | bits(of(vector(window, place)), place))
}

/// The signs of sixteen bytes, which are those from `place` on.
#[inline(always)]
fn bits(bytes: Vector, place: usize) -> u64 {
    u64::from(bytes.to_bitmask()) << place
}

/// The bytes of the block from `place` on.
#[inline(always)]
fn vector(window: &Window, place: usize) -> Vector {
    let mut bytes = [0; VECTOR];
    bytes.copy_from_slice(&window[place..place + VECTOR]);
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
