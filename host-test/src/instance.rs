//! One instance of the component on real directories. Its calls are in [`crate::calls`].

use crate::bindings::{Error, Queue, QueuePre};
use queue_store_artifact::AddressSpace;
use std::path::Path;
use std::sync::LazyLock;
use wasmtime::component::{Component, Linker, ResourceAny, ResourceTable};
use wasmtime::{Engine, ResourceLimiter, Store};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};

/// The result of a function of the contract.
pub type Result<T> = std::result::Result<T, Error>;

/// The engine of all tests.
pub static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    Engine::new(&queue_store_artifact::config(AddressSpace::Unlimited)).expect("the settings of the artifact are valid")
});

/// The component that ships.
pub static COMPONENT: LazyLock<Component> = LazyLock::new(|| {
    queue_store_artifact::load(&ENGINE, AddressSpace::Unlimited).expect("the component was compiled for this machine")
});

/// The host's side of an instance on real directories.
pub struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    /// Bytes that the memory of the guest has grown to.
    pub memory_bytes: usize,
}

impl ResourceLimiter for State {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.memory_bytes = desired;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// A directory that an instance gets.
pub struct Preopen<'a> {
    /// Its path on the host.
    pub path: &'a Path,
    /// Its name in the guest.
    pub name: &'a str,
    /// Whether the instance may only read.
    pub read_only: bool,
}

/// The guest path of the queue, unless [`Instance::on`] names another.
pub const QUEUE: &str = "queue";

/// An instance of the component over a host state `T`.
///
/// It opens the queue at the first call that needs it. Where that fails, the failure is the result of the call.
pub struct Instance<T: 'static> {
    /// The store, which every call needs.
    pub store: Store<T>,
    pub(crate) exports: Queue,
    path: String,
    open: Option<ResourceAny>,
}

impl Instance<State> {
    /// Creates an instance that has this directory as its queue.
    pub fn over(directory: &Path) -> Instance<State> {
        Instance::with(&[Preopen { path: directory, name: QUEUE, read_only: false }])
    }

    /// Creates an instance that has these directories.
    pub fn with(preopens: &[Preopen<'_>]) -> Instance<State> {
        let mut linker = Linker::new(&ENGINE);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker).expect("an empty linker takes all of WASI");
        let mut instance = Instance::new(&linker, state(preopens));
        instance.store.limiter(|state| state);
        instance
    }

    /// Returns the bytes that the memory of the guest has grown to since the instance began. It never shrinks.
    pub fn memory_bytes(&self) -> usize {
        self.store.data().memory_bytes
    }
}

/// Returns the host state of an instance that has these directories.
pub fn state(preopens: &[Preopen<'_>]) -> State {
    let mut wasi = WasiCtx::builder();
    wasi.allow_blocking_current_thread(true);
    for preopen in preopens {
        let permissions = if preopen.read_only { FsPerms::ReadOnly } else { FsPerms::ReadWrite };
        wasi.preopened_dir(preopen.path, preopen.name, permissions).expect("the directory of a test exists");
    }
    State { wasi: wasi.build(), table: ResourceTable::new(), memory_bytes: 0 }
}

impl<T: 'static> Instance<T> {
    /// Creates an instance with this host state.
    pub fn new(linker: &Linker<T>, state: T) -> Instance<T> {
        Instance::of(&COMPONENT, linker, state)
    }

    /// Creates an instance of this component with this host state.
    pub fn of(component: &Component, linker: &Linker<T>, state: T) -> Instance<T> {
        let prepared = linker.instantiate_pre(component).expect("the linker has the imports of the component");
        Instance::prepared(&QueuePre::new(prepared).expect("the component exports the contract"), state)
    }

    /// Creates an instance of a component whose imports are linked, with this host state.
    pub fn prepared(component: &QueuePre<T>, state: T) -> Instance<T> {
        let mut store = Store::new(component.engine(), state);
        store.set_epoch_deadline(u64::MAX / 2);
        // Only an engine that counts instructions accepts fuel, and no test ends for the lack of it.
        let _ = store.set_fuel(u64::MAX);
        let exports = component.instantiate(&mut store).expect("the component instantiates");
        Instance { store, exports, path: QUEUE.to_string(), open: None }
    }

    /// Opens a queue. Calls do not act on it, unless [`Instance::exchange`] makes them.
    pub fn open(&mut self, path: &str) -> Result<ResourceAny> {
        let result = self.exports.mail_queue_queue_store().queue().call_open(&mut self.store, path);
        result.expect("open must not trap")
    }

    /// Returns the queue that calls act on, and opens it where none is open.
    pub fn queue(&mut self) -> Result<ResourceAny> {
        if let Some(queue) = self.open {
            return Ok(queue);
        }
        let path = self.path.clone();
        let queue = self.open(&path)?;
        self.open = Some(queue);
        Ok(queue)
    }

    /// Makes calls act on `queue`, and returns the queue that they acted on, which stays open.
    pub fn exchange(&mut self, queue: Option<ResourceAny>) -> Option<ResourceAny> {
        std::mem::replace(&mut self.open, queue)
    }

    /// Closes the queue that calls act on, if it is open. The next call opens it anew.
    pub fn close(&mut self) {
        if let Some(queue) = self.open.take() {
            self.drop_resource(queue);
        }
    }

    /// Makes calls act on the queue at `path`, which the next one opens.
    pub fn on(&mut self, path: &str) -> &mut Instance<T> {
        self.close();
        self.path = path.to_string();
        self
    }

    /// Drops a resource.
    pub fn drop_resource(&mut self, resource: ResourceAny) {
        resource.resource_drop(&mut self.store).expect("dropping a resource must not trap");
    }
}
