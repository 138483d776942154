//! Resources: values that a host has a handle of. The host keeps the address of a box.

/// A resource, which is a value of type `$of`: the module `$module` with what makes a handle of it, and, where a host gives
/// handles back, what takes the value out.
macro_rules! resource {
    ($module:ident: $of:ty, $interface:literal, $new:literal, $destructor:literal $(, $rep:literal, $drop:literal)?) => {
        mod $module {
            use super::*;
            use alloc::boxed::Box;

            #[link(wasm_import_module = $interface)]
            unsafe extern "C" {
                #[link_name = $new]
                safe fn new(at: *mut u8) -> u32;
                $(
                    #[link_name = $rep]
                    safe fn rep(handle: u32) -> *mut u8;
                    #[link_name = $drop]
                    safe fn drop(handle: u32);
                )?
            }

            /// A handle of a new one.
            pub(super) fn give(resource: $of) -> u32 {
                new(Box::into_raw(Box::new(resource)).cast())
            }

            $(
                /// The one that a host gives back with its handle, which is gone then.
                #[doc = concat!("The host's `", $rep, "` says where it is.")]
                pub(super) fn take(handle: u32) -> $of {
                    // SAFETY: a handle stands for a box that `give` made, and no other call has it.
                    let taken = core::mem::take(unsafe { &mut *rep(handle).cast::<$of>() });
                    drop(handle);
                    taken
                }
            )?

            #[unsafe(export_name = $destructor)]
            extern "C" fn destructor(at: *mut $of) {
                // SAFETY: it is a box that `give` made, and its handle is gone.
                core::mem::drop(unsafe { Box::from_raw(at) });
            }
        }
    };
}

pub(super) use resource;
