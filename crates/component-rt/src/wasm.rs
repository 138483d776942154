//! The allocator, the panic handler and `cabi_realloc`.

use alloc::alloc::{Layout, alloc, realloc};
use core::arch::wasm32::unreachable;
use core::panic::PanicInfo;
use core::ptr::{null_mut, without_provenance_mut};

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

// SAFETY: the block declares nothing. It links the target's `libc.a`, which has `memcpy`, `memcmp` and the like, which
// `core` calls by name.
#[link(name = "c")]
unsafe extern "C" {}

/// Traps. A panic is a bug of the component, and the host replaces the instance.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    unreachable()
}

/// Allocates the memory into which the host writes arguments and results (component model, canonical ABI, `realloc`).
///
/// # Safety
///
/// `old` is null and `old_length` is 0, or `old` was returned by this function for `old_length` bytes with `align`.
// SAFETY: the name is that of the canonical ABI, and no other function of a component has it.
#[unsafe(no_mangle)]
unsafe extern "C" fn cabi_realloc(old: *mut u8, old_length: usize, align: usize, new_length: usize) -> *mut u8 {
    let length = if old_length == 0 { new_length } else { old_length };
    let new = match Layout::from_size_align(length, align) {
        // An empty list needs an address that is aligned, and no memory.
        Ok(_) if new_length == 0 => without_provenance_mut(align),
        // SAFETY: `alloc` requires a layout that is not empty, and `new_length` is not 0.
        Ok(layout) if old_length == 0 => unsafe { alloc(layout) },
        // SAFETY: `realloc` requires a block of this allocator with this layout, which is this function's precondition,
        // and a new length that is not 0.
        Ok(layout) => unsafe { realloc(old, layout, new_length) },
        Err(_) => null_mut(),
    };
    if new.is_null() {
        unreachable()
    }
    new
}
