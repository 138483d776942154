//! The functions that the component imports, on a [`World`], and no others: a component that imports another one does not
//! instantiate.

use super::disk::{ErrorName, Inode, MARKS};
use super::gate::{Actor, Gate};
use super::types::{
    Advice, Datetime, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode, MetadataHash,
    NewTimestamp, OpenFlags, PathFlags,
};
use super::world::World;
use crate::instance::QUEUE;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceTable, ResourceType};

/// The host's side of an instance: a world, which it may share, and its open descriptors.
pub struct State {
    world: Arc<Mutex<World>>,
    table: ResourceTable,
    /// The scheduler, and the number of the instance there, if it takes turns with others.
    gate: Option<(Arc<Gate>, Actor)>,
}

/// `wasi:filesystem/types.descriptor`.
enum Descriptor {
    Directory,
    /// The subdirectory of marks.
    Marks,
    File(Inode),
}

/// `wasi:filesystem/types.directory-entry-stream`.
struct EntryStream(std::vec::IntoIter<String>);

/// The result of an imported function.
type Answer<T> = wasmtime::Result<(Result<T, ErrorCode>,)>;

type Store<'a> = StoreContextMut<'a, State>;
type Of = Resource<Descriptor>;

impl State {
    /// Creates the state of an instance over this world.
    pub(super) fn over(world: Arc<Mutex<World>>) -> State {
        State { world, table: ResourceTable::new(), gate: None }
    }

    /// Makes the operations of the instance wait for their turns.
    pub(super) fn take_turns(&mut self, gate: Arc<Gate>, actor: Actor) {
        self.gate = Some((gate, actor));
    }

    fn world(&self) -> MutexGuard<'_, World> {
        if let Some((gate, actor)) = &self.gate {
            gate.pass(*actor);
        }
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn inode(&self, descriptor: &Of) -> wasmtime::Result<Result<Inode, ErrorName>> {
        Ok(match self.table.get(descriptor)? {
            Descriptor::File(inode) => Ok(*inode),
            Descriptor::Directory | Descriptor::Marks => Err("is-directory"),
        })
    }

    /// Returns the path of a name in a directory.
    fn path(&self, directory: &Of, name: String) -> wasmtime::Result<String> {
        Ok(match self.table.get(directory)? {
            Descriptor::Marks => format!("{MARKS}/{name}"),
            Descriptor::Directory | Descriptor::File(_) => name,
        })
    }
}

fn answer<T>(result: super::disk::Result<T>) -> Answer<T> {
    Ok((result.map_err(ErrorCode::from),))
}

fn stat(kind: DescriptorType, size: usize, modified: u64) -> DescriptorStat {
    DescriptorStat {
        kind,
        link_count: 1,
        size: size as u64,
        data_access_timestamp: None,
        data_modification_timestamp: Some(Datetime { seconds: modified, nanoseconds: 0 }),
        status_change_timestamp: None,
    }
}

/// Links the imports of the component.
pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut preopens = linker.instance("wasi:filesystem/preopens@0.2.12")?;
    preopens.func_wrap("get-directories", |mut store: Store, (): ()| {
        let queue = store.data_mut().table.push(Descriptor::Directory)?;
        Ok((vec![(queue, QUEUE.to_string())],))
    })?;
    let mut clock = linker.instance("wasi:clocks/wall-clock@0.2.12")?;
    clock.func_wrap("now", |store: Store, (): ()| {
        let world = store.data().world();
        Ok((Datetime { seconds: world.now + world.clock_ahead, nanoseconds: 0 },))
    })?;
    let mut random = linker.instance("wasi:random/random@0.2.12")?;
    random.func_wrap("get-random-u64", |store: Store, (): ()| Ok((store.data().world().next_random(),)))?;
    link_directories(linker)?;
    link_files(linker)
}

/// Links the operations on a directory and its entries.
fn link_directories(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut types = linker.instance("wasi:filesystem/types@0.2.12")?;
    types.resource("descriptor", ResourceType::host::<Descriptor>(), |mut store: Store, rep| {
        store.data_mut().table.delete(Resource::<Descriptor>::new_own(rep))?;
        Ok(())
    })?;
    types.resource("directory-entry-stream", ResourceType::host::<EntryStream>(), |mut store: Store, rep| {
        store.data_mut().table.delete(Resource::<EntryStream>::new_own(rep))?;
        Ok(())
    })?;
    types.func_wrap(
        "[method]descriptor.open-at",
        |mut store: Store, (of, _, name, open, _): (Of, PathFlags, String, OpenFlags, DescriptorFlags)| {
            let state = store.data_mut();
            let path = state.path(&of, name)?;
            let opened = if path == "." {
                Ok(Descriptor::Directory)
            } else if open == OpenFlags::DIRECTORY {
                state.world().open_directory(&path).map(|()| Descriptor::Marks)
            } else if open == OpenFlags::CREATE | OpenFlags::EXCLUSIVE {
                state.world().create(&path).map(Descriptor::File)
            } else {
                assert!(
                    open == OpenFlags::empty(),
                    "the component creates files exclusively, or opens them as they are"
                );
                state.world().open(&path).map(Descriptor::File)
            };
            match opened {
                Ok(descriptor) => answer(Ok(state.table.push(descriptor)?)),
                Err(error) => answer(Err(error)),
            }
        },
    )?;
    types.func_wrap("[method]descriptor.stat-at", |store: Store, (_, _, path): (Of, PathFlags, String)| {
        let mut world = store.data().world();
        answer(match path.as_str() {
            MARKS => world.stat_marks().map(|()| stat(DescriptorType::Directory, 0, 0)),
            _ => world.stat(&path).map(|file| stat(DescriptorType::RegularFile, file.content.len(), file.modified)),
        })
    })?;
    types.func_wrap("[method]descriptor.metadata-hash-at", |store: Store, (_, _, path): (Of, PathFlags, String)| {
        let mut world = store.data().world();
        answer(world.identity(&path).map(|inode| MetadataHash { lower: inode, upper: 0 }))
    })?;
    types.func_wrap("[method]descriptor.link-at", |store: Store, arguments: (Of, PathFlags, String, Of, String)| {
        let (_, _, old, _, new) = arguments;
        answer(store.data().world().link(&old, &new))
    })?;
    types.func_wrap("[method]descriptor.rename-at", |store: Store, (_, old, _, new): (Of, String, Of, String)| {
        answer(store.data().world().rename(&old, &new))
    })?;
    types.func_wrap("[method]descriptor.unlink-file-at", |store: Store, (of, name): (Of, String)| {
        let path = store.data().path(&of, name)?;
        answer(store.data().world().unlink(&path))
    })?;
    types.func_wrap("[method]descriptor.create-directory-at", |store: Store, (_, path): (Of, String)| {
        answer(store.data().world().create_directory(&path))
    })?;
    types.func_wrap("[method]descriptor.remove-directory-at", |store: Store, (_, path): (Of, String)| {
        answer(store.data().world().remove_directory(&path))
    })?;
    types.func_wrap("[method]descriptor.read-directory", |mut store: Store, (of,): (Of,)| {
        let state = store.data_mut();
        let names = match state.table.get(&of)? {
            Descriptor::Marks => state.world().read_marks(),
            Descriptor::Directory | Descriptor::File(_) => state.world().read_directory(),
        };
        match names {
            Ok(names) => answer(Ok(state.table.push(EntryStream(names.into_iter()))?)),
            Err(error) => answer(Err(error)),
        }
    })?;
    types.func_wrap(
        "[method]directory-entry-stream.read-directory-entry",
        |mut store: Store, (of,): (Resource<EntryStream>,)| {
            let state = store.data_mut();
            let Some(name) = state.table.get_mut(&of)?.0.next() else {
                return answer(Ok(None));
            };
            let read = state.world().read_entry(&name);
            answer(read.map(|()| Some(DirectoryEntry { kind: DescriptorType::RegularFile, name })))
        },
    )
}

/// Links the operations on an open file, and the fsync, which an open directory has too.
fn link_files(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut types = linker.instance("wasi:filesystem/types@0.2.12")?;
    types.func_wrap("[method]descriptor.stat", |store: Store, (of,): (Of,)| {
        let state = store.data();
        let inode = state.inode(&of)?;
        answer(inode.map(|inode| {
            let world = state.world();
            let file = &world.files[&inode];
            stat(DescriptorType::RegularFile, file.content.len(), file.modified)
        }))
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
    // A hint to begin writing: the power cuts include every part of it anyway.
    types.func_wrap("[method]descriptor.advise", |store: Store, (_, _, _, _): (Of, u64, u64, Advice)| {
        store.data().world().hints += 1;
        answer(Ok(()))
    })?;
    for name in ["[method]descriptor.sync", "[method]descriptor.sync-data"] {
        types.func_wrap(name, |store: Store, (of,): (Of,)| {
            let state = store.data();
            match *state.table.get(&of)? {
                Descriptor::File(inode) => answer(state.world().sync_file(inode)),
                Descriptor::Directory | Descriptor::Marks => answer(state.world().sync_directory()),
            }
        })?;
    }
    Ok(())
}
