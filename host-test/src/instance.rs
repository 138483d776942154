//! One instance of the component on real directories, driven function by function.

use crate::bindings::{
    self, Counts, Detail, Durability, Entry, Envelope, EnvelopeChange, FileOperation, Format, IdPage, Item, ItemInfo,
    Mail, Outcome, Page, Publish, Queue, QueuePre, Recovery, State as ItemState, WriteOptions,
};
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::{fs, io};
use tempfile::TempDir;
use wasmtime::component::{Component, Linker, ResourceAny, ResourceTable};
use wasmtime::{Engine, ResourceLimiter, Store};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};

/// The engine of all tests.
pub static ENGINE: LazyLock<Engine> =
    LazyLock::new(|| Engine::new(&queue_store_artifact::config()).expect("the settings of the artifact are valid"));

/// The component that ships.
pub static COMPONENT: LazyLock<Component> =
    LazyLock::new(|| queue_store_artifact::load(&ENGINE).expect("the component was compiled for this machine"));

/// What an instance has on this side.
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

/// An instance of the component over a host state `T`.
pub struct Instance<T: 'static> {
    /// What calls need.
    pub store: Store<T>,
    exports: Queue,
    queue: String,
}

/// A directory that an instance has.
pub struct Preopen<'a> {
    /// Where it is.
    pub path: &'a Path,
    /// What the instance calls it.
    pub name: &'a str,
    /// Whether the instance may only read.
    pub read_only: bool,
}

/// What an instance calls its queue, unless it is told something else.
pub const QUEUE: &str = "queue";

impl Instance<State> {
    /// An instance that has this directory as its queue.
    pub fn over(directory: &Path) -> Instance<State> {
        Instance::with(&[Preopen { path: directory, name: QUEUE, read_only: false }])
    }

    /// An instance that has these directories.
    pub fn with(preopens: &[Preopen<'_>]) -> Instance<State> {
        let mut linker = Linker::new(&ENGINE);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker).expect("WASI links");
        let mut instance = Instance::new(&linker, state(preopens));
        instance.store.limiter(|state| state);
        instance
    }

    /// Bytes that the memory of the guest has grown to since the instance began. It never shrinks.
    pub fn memory_bytes(&self) -> usize {
        self.store.data().memory_bytes
    }
}

/// The host state of an instance that has these directories.
pub fn state(preopens: &[Preopen<'_>]) -> State {
    let mut wasi = WasiCtx::builder();
    wasi.allow_blocking_current_thread(true);
    for preopen in preopens {
        let permissions = if preopen.read_only { FsPerms::ReadOnly } else { FsPerms::ReadWrite };
        wasi.preopened_dir(preopen.path, preopen.name, permissions).expect("the directory of a test exists");
    }
    State { wasi: wasi.build(), table: ResourceTable::new(), memory_bytes: 0 }
}

/// The result of a function of the contract.
pub type Result<T> = std::result::Result<T, bindings::Error>;

/// Declares a method that calls a function of the contract. The instance must not trap: that is a bug of the component,
/// whatever it was given. `queue:` functions get the name of the queue first.
macro_rules! function {
    (queue $path:ident $($resource:ident)?, $function:ident => $name:ident($($argument:ident: $type:ty),*) -> $result:ty) => {
        #[allow(missing_docs, reason = "documented in `wit/`")]
        pub fn $name(&mut self $(, $argument: $type)*) -> $result {
            let exports = self.exports.$path();
            let result = exports $(.$resource())? .$function(&mut self.store, &self.queue $(, $argument)*);
            result.expect(concat!(stringify!($name), " must not trap"))
        }
    };
    ($path:ident $($resource:ident)?, $function:ident => $name:ident($($argument:ident: $type:ty),*) -> $result:ty) => {
        #[allow(missing_docs, reason = "documented in `wit/`")]
        pub fn $name(&mut self $(, $argument: $type)*) -> $result {
            let exports = self.exports.$path();
            let result = exports $(.$resource())? .$function(&mut self.store $(, $argument)*);
            result.expect(concat!(stringify!($name), " must not trap"))
        }
    };
}

impl<T: 'static> Instance<T> {
    /// An instance with this host state.
    pub fn new(linker: &Linker<T>, state: T) -> Instance<T> {
        Instance::of(&COMPONENT, linker, state)
    }

    /// An instance of this component with this host state.
    pub fn of(component: &Component, linker: &Linker<T>, state: T) -> Instance<T> {
        let prepared = linker.instantiate_pre(component).expect("the imports of the component are there");
        Instance::prepared(&QueuePre::new(prepared).expect("the component exports the contract"), state)
    }

    /// An instance of a component whose imports are linked, with this host state.
    pub fn prepared(component: &QueuePre<T>, state: T) -> Instance<T> {
        let mut store = Store::new(component.engine(), state);
        store.set_epoch_deadline(u64::MAX / 2);
        // Only an engine that counts instructions has it; no test ends for the lack of it.
        let _ = store.set_fuel(u64::MAX);
        let exports = component.instantiate(&mut store).expect("the component instantiates");
        Instance { store, exports, queue: QUEUE.to_string() }
    }

    /// Calls functions on another queue from here on.
    pub fn on(&mut self, queue: &str) -> &mut Instance<T> {
        self.queue = queue.to_string();
        self
    }

    /// Drops a resource.
    pub fn drop_resource(&mut self, resource: ResourceAny) {
        resource.resource_drop(&mut self.store).expect("dropping must not trap");
    }

    function!(mail_queue_queue_store, call_new_id => new_id() -> String);
    function!(queue mail_queue_queue_store, call_put => put(
        id: Option<&str>, mail: &Mail, options: Option<&WriteOptions>) -> Result<String>);
    function!(queue mail_queue_queue_store, call_put_many => put_many(
        mails: &[(Option<String>, Mail)], options: Option<&WriteOptions>) -> Result<Vec<Outcome>>);
    function!(queue mail_queue_queue_store, call_get => get(id: &str) -> Result<Item>);
    function!(queue mail_queue_queue_store, call_info => info(id: &str) -> Result<ItemInfo>);
    function!(queue mail_queue_queue_store, call_list_ids => list_ids(
        states: &[ItemState], after: Option<&str>, limit: u32) -> Result<IdPage>);
    function!(queue mail_queue_queue_store, call_list_items => list_items(
        states: &[ItemState], after: Option<&str>, limit: u32) -> Result<Page>);
    function!(queue mail_queue_queue_store, call_count => count() -> Result<Counts>);
    function!(queue mail_queue_queue_store, call_update => update(
        id: &str, change: &EnvelopeChange, options: Option<&WriteOptions>) -> Result<String>);
    function!(queue mail_queue_queue_store, call_remove => remove(
        ids: &[String], durability: Option<Durability>) -> Result<Vec<Outcome>>);
    function!(queue mail_queue_queue_store, call_discard => discard(
        ids: &[String], durability: Option<Durability>) -> Result<Vec<Outcome>>);
    function!(queue mail_queue_queue_store, call_hold => hold(ids: &[String]) -> Result<Vec<Outcome>>);
    function!(queue mail_queue_queue_store, call_release => release(ids: &[String]) -> Result<Vec<Outcome>>);
    function!(queue mail_queue_queue_store, call_quarantine => quarantine(ids: &[String]) -> Result<Vec<Outcome>>);
    function!(queue mail_queue_queue_store, call_restore => restore(ids: &[String]) -> Result<Vec<Outcome>>);
    function!(queue mail_queue_queue_store, call_seal => seal(ids: &[String]) -> Result<Vec<Outcome>>);
    function!(queue mail_queue_queue_store, call_verify => verify(ids: &[String]) -> Result<Vec<Outcome>>);
    function!(queue mail_queue_queue_store, call_recover => recover(older_than_seconds: u64) -> Result<Recovery>);
    function!(queue mail_queue_queue_store, call_require_recovery => require_recovery() -> Result<()>);
    function!(mail_queue_queue_store, call_counters => counters() -> Vec<(String, u64)>);
    function!(mail_queue_queue_store, call_limits => limits() -> Vec<(String, u64)>);
    function!(mail_queue_queue_store, call_about => about() -> Vec<(String, String)>);

    function!(queue mail_queue_queue_stream draft, call_begin => draft_begin(
        id: Option<&str>, envelope: &Envelope, options: Option<&WriteOptions>) -> Result<ResourceAny>);
    function!(mail_queue_queue_stream draft, call_write => draft_write(draft: ResourceAny, chunk: &[u8]) -> Result<()>);
    function!(mail_queue_queue_stream draft, call_commit => draft_commit(draft: ResourceAny) -> Result<String>);
    function!(mail_queue_queue_stream draft, call_abandon => draft_abandon(draft: ResourceAny) -> Result<()>);
    function!(queue mail_queue_queue_stream body, call_open => body_open(id: &str, offset: u64) -> Result<ResourceAny>);
    function!(mail_queue_queue_stream body, call_info => body_info(body: ResourceAny) -> ItemInfo);
    function!(mail_queue_queue_stream body, call_read => body_read(body: ResourceAny, max: u32) -> Result<Option<Vec<u8>>>);
    function!(queue mail_queue_queue_stream listing, call_open => listing_open(
        states: &[ItemState], detail: Detail) -> Result<ResourceAny>);
    function!(mail_queue_queue_stream listing, call_next => listing_next(
        listing: ResourceAny, limit: u32) -> Result<Vec<Entry>>);

    function!(mail_queue_intake, call_submit => submit(mail: &Mail) -> Result<String>);
    function!(mail_queue_intake submission, call_begin => submission_begin(envelope: &Envelope) -> Result<ResourceAny>);
    function!(mail_queue_intake submission, call_write => submission_write(
        submission: ResourceAny, chunk: &[u8]) -> Result<()>);
    function!(mail_queue_intake submission, call_commit => submission_commit(submission: ResourceAny) -> Result<String>);

    function!(mail_queue_item_codec, call_encode => encode(item: &Item, format: Format) -> Result<Vec<u8>>);
    function!(mail_queue_item_codec, call_decode => decode(bytes: &[u8], format: Format) -> Result<Item>);

    function!(mail_queue_durable_file, call_write_file => write_file(
        path: &str, data: &[u8], before_publish: &[FileOperation], publish: Publish, durability: Durability) -> Result<()>);
    function!(mail_queue_durable_file, call_read_file => read_file(path: &str) -> Result<Vec<u8>>);
    function!(mail_queue_durable_file, call_sync_file => sync_file(path: &str) -> Result<()>);

    /// Reads a body to its end, `max` bytes at a time.
    pub fn read_body(&mut self, id: &str, offset: u64, max: u32) -> Result<Vec<u8>> {
        let body = self.body_open(id, offset)?;
        let mut bytes = Vec::new();
        let result = loop {
            match self.body_read(body, max) {
                Ok(Some(more)) => bytes.extend(more),
                Ok(None) => break Ok(bytes),
                Err(error) => break Err(error),
            }
        };
        self.drop_resource(body);
        result
    }

    /// Reads a listing to its end, `limit` items at a time.
    pub fn list(&mut self, states: &[ItemState], detail: Detail, limit: u32) -> Result<Vec<Entry>> {
        let listing = self.listing_open(states, detail)?;
        let mut entries = Vec::new();
        let result = loop {
            match self.listing_next(listing, limit) {
                Ok(more) if more.is_empty() => break Ok(entries),
                Ok(more) => entries.extend(more),
                Err(error) => break Err(error),
            }
        };
        self.drop_resource(listing);
        result
    }

    /// What a counter of the instance says.
    pub fn counter(&mut self, name: &str) -> u64 {
        let counters = self.counters();
        let counter = counters.iter().find(|(known, _)| known == name);
        counter.unwrap_or_else(|| panic!("there is no counter {name}")).1
    }
}

/// An instance with a queue of its own, in a new directory.
pub struct TestQueue {
    instance: Instance<State>,
    directory: TempDir,
}

impl TestQueue {
    /// An empty queue.
    #[expect(clippy::new_without_default, reason = "it creates a directory")]
    pub fn new() -> TestQueue {
        let directory = tempfile::Builder::new().prefix("queue-store-").tempdir().expect("a temporary directory");
        TestQueue { instance: Instance::over(directory.path()), directory }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The path of a file in the directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// The names in the directory, in order.
    pub fn names(&self) -> Vec<String> {
        names(self.path())
    }

    /// A second instance over the same directory.
    pub fn sibling(&self) -> Instance<State> {
        Instance::over(self.path())
    }
}

/// The names in a directory, in order.
pub fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("the directory of a test can be read");
    let name = |entry: io::Result<fs::DirEntry>| entry.expect("an entry").file_name().to_string_lossy().into_owned();
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}

impl Deref for TestQueue {
    type Target = Instance<State>;

    fn deref(&self) -> &Instance<State> {
        &self.instance
    }
}

impl DerefMut for TestQueue {
    fn deref_mut(&mut self) -> &mut Instance<State> {
        &mut self.instance
    }
}

/// The ids of a call for several items.
pub fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_string()).collect()
}
