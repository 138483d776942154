//! What `std` would bring to a component, and 12 imports with it.

/// The memory allocator.
#[global_allocator]
static ALLOCATOR: crate::allocator::Allocator = crate::allocator::Allocator::new(core::arch::wasm32::memory_grow::<0>);

// `core` calls `memcpy`, `memcmp` and their like by name; the target's own `libc.a` has them.
#[link(name = "c")]
unsafe extern "C" {}

unsafe extern "C" {
    fn __wasm_call_ctors();
}

/// Nothing in this crate runs before its exports. Whoever names this function says so to the linker, which otherwise wraps
/// every export in calls of what would.
#[used]
static NOTHING_RUNS_BEFORE: unsafe extern "C" fn() = __wasm_call_ctors;

/// Nothing in this crate panics on purpose; what would is a bug, and ends the instance.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// Memory that the host writes arguments and results into (component model, canonical ABI, `realloc`).
///
/// # Safety
///
/// As `realloc`: `old` is null, or came from here with `old_length` and `align`.
#[unsafe(no_mangle)]
unsafe extern "C" fn cabi_realloc(old: *mut u8, old_length: usize, align: usize, new_length: usize) -> *mut u8 {
    use alloc::alloc::{Layout, alloc, realloc};

    let Ok(layout) = Layout::from_size_align(if old_length == 0 { new_length } else { old_length }, align) else {
        core::arch::wasm32::unreachable()
    };
    // Parameters of the next call come, or a result of the host's during a call.
    crate::begin_call();
    if new_length == 0 {
        return core::ptr::without_provenance_mut(align);
    }
    // SAFETY: the new length is not 0, and what is old came from here with this layout.
    let new = unsafe { if old_length == 0 { alloc(layout) } else { realloc(old, layout, new_length) } };
    if new.is_null() {
        core::arch::wasm32::unreachable()
    }
    new
}
