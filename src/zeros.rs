//! Room in vectors for bytes to come.

use alloc::vec::Vec;
use core::ptr;

/// Makes `bytes` longer by zeros, or shorter: `Vec::resize`, which writes one byte at a time where it is compiled for size.
#[inline(never)]
pub(crate) fn resize(bytes: &mut Vec<u8>, length: usize) {
    if let Some(more) = length.checked_sub(bytes.len()) {
        bytes.reserve(more);
        // SAFETY: so many bytes are reserved behind those that are there, and zero is a byte.
        unsafe {
            ptr::write_bytes(bytes.as_mut_ptr().add(bytes.len()), 0, more);
            bytes.set_len(length);
        }
    } else {
        bytes.truncate(length);
    }
}
