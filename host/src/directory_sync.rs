//! The sync of a directory, on the handle that the component has.
//!
//! `wasmtime-wasi` opens `.` anew for each, since a directory can be open in a way that cannot be synced (`O_PATH`), and closes
//! it again: two of the system calls of every put. The component opens its directory for reading, which can.

use crate::instance::State;
use nix::errno::Errno;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemView};
use wasmtime_wasi::p2::FsError;
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{ErrorCode, Host, HostDescriptor};

/// Links it in the place of the one of `wasmtime-wasi`, which is linked already.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.instance("wasi:filesystem/types@0.2.12")?.func_wrap("[method]descriptor.sync", sync)?;
    linker.allow_shadowing(false);
    Ok(())
}

type Synced = Result<(), ErrorCode>;

fn sync(mut store: StoreContextMut<State>, (descriptor,): (Resource<Descriptor>,)) -> wasmtime::Result<(Synced,)> {
    let mut filesystem = store.data_mut().filesystem();
    let directory = match filesystem.table.get(&descriptor)? {
        Descriptor::Dir(directory) => Some(directory.dir.clone()),
        Descriptor::File(_) => None,
    };
    let synced = match directory.map(|directory| directory.sync_all()) {
        // A sync that failed is not tried again: the system says so once, and would then say that all is well.
        Some(Err(error)) if error.raw_os_error() != Some(Errno::EBADF as i32) => Err(FsError::from(error)),
        Some(Ok(())) => Ok(()),
        _ => filesystem.sync(descriptor),
    };
    Ok((match synced {
        Ok(()) => Ok(()),
        Err(error) => Err(filesystem.convert_error_code(error)?),
    },))
}
