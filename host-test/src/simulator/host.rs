//! The functions that the component imports, on a [`World`]. Only those: a component that imports another one does not
//! instantiate.

use super::disk::{ErrorName, Inode};
use super::gate::{Actor, Gate};
use super::types::{
    Advice, Datetime, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode, MetadataHash,
    NewTimestamp, OpenFlags, PathFlags,
};
use super::world::World;
use crate::bindings::QueuePre;
use crate::instance::{COMPONENT, Instance, QUEUE};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use wasmtime::StoreContextMut;
use wasmtime::component::{Component, Linker, Resource, ResourceTable};

/// What an instance has on this side: a world, which it may share, and what is open.
pub struct State {
    world: Arc<Mutex<World>>,
    table: ResourceTable,
    /// Where it waits for its turn, if it takes turns with others.
    gate: Option<(Arc<Gate>, Actor)>,
    /// The safeguard that a component that is built for it is told to remove.
    removed: Option<&'static str>,
}

/// `wasi:filesystem/types.descriptor`.
enum Descriptor {
    Directory,
    File(Inode),
}

/// `wasi:filesystem/types.directory-entry-stream`.
struct Entries(std::vec::IntoIter<String>);

/// The result of an imported function.
type Answer<T> = wasmtime::Result<(Result<T, ErrorCode>,)>;

impl State {
    fn world(&self) -> MutexGuard<'_, World> {
        if let Some((gate, actor)) = &self.gate {
            gate.pass(*actor);
        }
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn inode(&self, descriptor: &Resource<Descriptor>) -> wasmtime::Result<Result<Inode, ErrorName>> {
        Ok(match self.table.get(descriptor)? {
            Descriptor::File(inode) => Ok(*inode),
            Descriptor::Directory => Err("is-directory"),
        })
    }
}

fn answer<T>(result: super::disk::Result<T>) -> Answer<T> {
    Ok((result.map_err(ErrorCode::from),))
}

fn stat(size: usize, modified: u64) -> DescriptorStat {
    DescriptorStat {
        kind: DescriptorType::RegularFile,
        link_count: 1,
        size: size as u64,
        data_access_timestamp: None,
        data_modification_timestamp: Some(Datetime { seconds: modified, nanoseconds: 0 }),
        status_change_timestamp: None,
    }
}

/// Links what the component imports.
fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    type Store<'a> = StoreContextMut<'a, State>;
    type Of = Resource<Descriptor>;

    let mut preopens = linker.instance("wasi:filesystem/preopens@0.2.12")?;
    preopens.func_wrap("get-directories", |mut store: Store, (): ()| {
        let state = store.data_mut();
        let removed = state.removed.map(|safeguard| format!("removed:{safeguard}"));
        let mut preopens = Vec::new();
        for name in removed.into_iter().chain([QUEUE.to_string()]) {
            preopens.push((state.table.push(Descriptor::Directory)?, name));
        }
        Ok((preopens,))
    })?;
    let mut clock = linker.instance("wasi:clocks/wall-clock@0.2.12")?;
    clock.func_wrap("now", |store: Store, (): ()| {
        let world = store.data().world();
        Ok((Datetime { seconds: world.now + world.clock_ahead, nanoseconds: 0 },))
    })?;
    let mut random = linker.instance("wasi:random/random@0.2.12")?;
    random.func_wrap("get-random-u64", |store: Store, (): ()| Ok((store.data().world().draw(),)))?;

    let mut types = linker.instance("wasi:filesystem/types@0.2.12")?;
    types.resource(
        "descriptor",
        wasmtime::component::ResourceType::host::<Descriptor>(),
        |mut store: Store, rep| {
            store.data_mut().table.delete(Resource::<Descriptor>::new_own(rep))?;
            Ok(())
        },
    )?;
    types.resource(
        "directory-entry-stream",
        wasmtime::component::ResourceType::host::<Entries>(),
        |mut store: Store, rep| {
            store.data_mut().table.delete(Resource::<Entries>::new_own(rep))?;
            Ok(())
        },
    )?;
    types.func_wrap(
        "[method]descriptor.open-at",
        |mut store: Store, (_, _, path, open, _): (Of, PathFlags, String, OpenFlags, DescriptorFlags)| {
            let state = store.data_mut();
            let opened = if path == "." {
                Ok(Descriptor::Directory)
            } else if open == OpenFlags::CREATE | OpenFlags::EXCLUSIVE {
                state.world().create(&path).map(Descriptor::File)
            } else if open == OpenFlags::CREATE {
                let mut world = state.world();
                let found = world.open(&path);
                found.or_else(|_| world.create(&path)).map(Descriptor::File)
            } else {
                assert!(open == OpenFlags::empty(), "a file is created or opened as it is");
                state.world().open(&path).map(Descriptor::File)
            };
            match opened {
                Ok(descriptor) => answer(Ok(state.table.push(descriptor)?)),
                Err(error) => answer(Err(error)),
            }
        },
    )?;
    types.func_wrap("[method]descriptor.stat", |store: Store, (of,): (Of,)| {
        let state = store.data();
        let inode = state.inode(&of)?;
        answer(inode.map(|inode| {
            let world = state.world();
            let file = &world.files[&inode];
            stat(file.content.len(), file.modified)
        }))
    })?;
    types.func_wrap("[method]descriptor.stat-at", |store: Store, (_, _, path): (Of, PathFlags, String)| {
        let mut world = store.data().world();
        answer(world.stat(&path).map(|file| stat(file.content.len(), file.modified)))
    })?;
    types.func_wrap("[method]descriptor.metadata-hash-at", |store: Store, (_, _, path): (Of, PathFlags, String)| {
        let mut world = store.data().world();
        answer(world.identity(&path).map(|inode| MetadataHash { lower: inode, upper: 0 }))
    })?;
    types.func_wrap("[method]descriptor.read", |store: Store, (of, length, offset): (Of, u64, u64)| {
        let state = store.data();
        let inode = state.inode(&of)?;
        answer(inode.and_then(|inode| {
            let bytes = state.world().read(inode, offset as usize, length as usize)?;
            let end = bytes.is_empty();
            Ok((bytes, end))
        }))
    })?;
    types.func_wrap("[method]descriptor.write", |store: Store, (of, bytes, offset): (Of, Vec<u8>, u64)| {
        let state = store.data();
        let inode = state.inode(&of)?;
        answer(inode.and_then(|inode| Ok(state.world().write(inode, offset as usize, &bytes)? as u64)))
    })?;
    types.func_wrap(
        "[method]descriptor.set-times",
        |store: Store, (of, _, modified): (Of, NewTimestamp, NewTimestamp)| {
            let state = store.data();
            let inode = state.inode(&of)?;
            let NewTimestamp::Timestamp(modified) = modified else {
                return answer(Err("unsupported"));
            };
            answer(inode.and_then(|inode| state.world().set_modified(inode, modified.seconds)))
        },
    )?;
    // A disk may keep what was not synced anyway, all of it or some.
    types.func_wrap("[method]descriptor.advise", |store: Store, (_, _, _, _): (Of, u64, u64, Advice)| {
        store.data().world().hints += 1;
        answer(Ok(()))
    })?;
    for name in ["[method]descriptor.sync", "[method]descriptor.sync-data"] {
        types.func_wrap(name, |store: Store, (of,): (Of,)| {
            let state = store.data();
            match *state.table.get(&of)? {
                Descriptor::File(inode) => answer(state.world().sync_file(inode)),
                Descriptor::Directory => answer(state.world().sync_directory()),
            }
        })?;
    }
    types.func_wrap("[method]descriptor.link-at", |store: Store, arguments: (Of, PathFlags, String, Of, String)| {
        let (_, _, old, _, new) = arguments;
        answer(store.data().world().link(&old, &new))
    })?;
    types.func_wrap("[method]descriptor.rename-at", |store: Store, (_, old, _, new): (Of, String, Of, String)| {
        answer(store.data().world().rename(&old, &new))
    })?;
    types.func_wrap("[method]descriptor.unlink-file-at", |store: Store, (_, path): (Of, String)| {
        answer(store.data().world().unlink(&path))
    })?;
    types.func_wrap("[method]descriptor.read-directory", |mut store: Store, (_,): (Of,)| {
        let state = store.data_mut();
        let names = state.world().read_directory();
        match names {
            Ok(names) => answer(Ok(state.table.push(Entries(names.into_iter()))?)),
            Err(error) => answer(Err(error)),
        }
    })?;
    types.func_wrap(
        "[method]directory-entry-stream.read-directory-entry",
        |mut store: Store, (of,): (Resource<Entries>,)| {
            let state = store.data_mut();
            let Some(name) = state.table.get_mut(&of)?.0.next() else {
                return answer(Ok(None));
            };
            let read = state.world().read_entry(&name);
            answer(read.map(|()| Some(DirectoryEntry { kind: DescriptorType::RegularFile, name })))
        },
    )
}

/// A component, ready for instances of it over simulated systems.
#[derive(Clone)]
pub struct Subject {
    component: QueuePre<State>,
    removed: Option<&'static str>,
}

impl Subject {
    /// This component.
    pub fn of(component: &Component) -> Subject {
        let mut linker = Linker::new(component.engine());
        link(&mut linker).expect("the imports link");
        let prepared = linker.instantiate_pre(component).expect("the component imports nothing else");
        Subject { component: QueuePre::new(prepared).expect("the component exports the contract"), removed: None }
    }

    /// The same without a safeguard, if it was built for that.
    pub fn without(&self, safeguard: &'static str) -> Subject {
        Subject { component: self.component.clone(), removed: Some(safeguard) }
    }
}

/// An instance of the component over a simulated system.
pub struct Simulated {
    /// The instance.
    pub instance: Instance<State>,
    world: Arc<Mutex<World>>,
}

impl Simulated {
    /// An instance over a new world.
    pub fn new() -> Simulated {
        Simulated::over(Arc::new(Mutex::new(World::new())))
    }

    /// An instance of the component that ships, over a world that it may share.
    pub fn over(world: Arc<Mutex<World>>) -> Simulated {
        static SHIPPING: LazyLock<Subject> = LazyLock::new(|| Subject::of(&COMPONENT));
        Simulated::of(&SHIPPING, world)
    }

    /// An instance of a component over a world that it may share.
    pub fn of(subject: &Subject, world: Arc<Mutex<World>>) -> Simulated {
        let table = ResourceTable::new();
        let state = State { world: world.clone(), table, gate: None, removed: subject.removed };
        Simulated { instance: Instance::prepared(&subject.component, state), world }
    }

    /// Has the operations of this instance wait for their turns.
    pub fn take_turns(&mut self, gate: Arc<Gate>, actor: Actor) {
        self.instance.store.data_mut().gate = Some((gate, actor));
    }

    /// A second instance over the same world.
    pub fn sibling(&self) -> Simulated {
        Simulated::over(self.world.clone())
    }

    /// The world, for as long as the guard lives.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Simulated {
    fn default() -> Simulated {
        Simulated::new()
    }
}

impl std::ops::Deref for Simulated {
    type Target = Instance<State>;

    fn deref(&self) -> &Instance<State> {
        &self.instance
    }
}

impl std::ops::DerefMut for Simulated {
    fn deref_mut(&mut self) -> &mut Instance<State> {
        &mut self.instance
    }
}
