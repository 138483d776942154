//! The component: the contract's exports on the modules of this crate, and the state of an instance.

pub(crate) mod abi;
mod durable_file;
mod intake;
mod item_codec;
mod options;
mod queue_store;
mod queue_stream;
mod resource;

use crate::counters::Counters;
use crate::error::{Code, Error, Result};
use crate::filesystem::wasi::Wasi;
use crate::limits::MAX_DIRECTORIES;
use crate::list::{List, Text};
use crate::queue::Queue;
use alloc::rc::Rc;
use core::cell::Cell;

#[allow(missing_docs, unreachable_pub, clippy::undocumented_unsafe_blocks, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "wit",
        world: "queue",
        with: {
            "wasi:clocks/wall-clock@0.2.12": ::wasi::clocks::wall_clock,
            "wasi:filesystem/preopens@0.2.12": ::wasi::filesystem::preopens,
            "wasi:filesystem/types@0.2.12": ::wasi::filesystem::types,
            "wasi:io/error@0.2.12": ::wasi::io::error,
            "wasi:io/poll@0.2.12": ::wasi::io::poll,
            "wasi:io/streams@0.2.12": ::wasi::io::streams,
            "wasi:random/random@0.2.12": ::wasi::random::random,
        },
        default_bindings_module: "crate::component::bindings",
    });
}

/// A queue on the host's file system.
type WasiQueue = Queue<Wasi>;

/// The state of an instance: nothing but what is open, and the marks of queues that need recovery.
struct State {
    system: Wasi,
    counters: Counters,
    queues: Cell<List<Rc<WasiQueue>>>,
    drafts: Open,
    readers: Open,
    listings: Open,
}

/// A component has one thread, and no call begins before another one ended.
struct SingleThreaded<T>(T);

// SAFETY: WebAssembly without the threads proposal has one thread, so nothing is shared between threads.
unsafe impl<T> Sync for SingleThreaded<T> {}

static STATE: SingleThreaded<State> = SingleThreaded(State {
    system: Wasi::new(),
    counters: Counters::new(),
    queues: Cell::new(List::new()),
    drafts: Open::none(),
    readers: Open::none(),
    listings: Open::none(),
});

/// The state of this instance.
fn state() -> &'static State {
    &STATE.0
}

/// The queue in the directory that `path` names, opened once, and again where that directory is gone: another one may have
/// its place.
#[inline(never)]
fn queue(path: &str) -> Result<Rc<WasiQueue>> {
    let state = state();
    let mut queues = List::new();
    let mut found = None;
    // A queue that is closed for writing must not be forgotten to be. Of the others, the one opened first goes.
    let open = state.queues.take();
    let mut full = open.len() >= MAX_DIRECTORIES;
    for queue in &open {
        if *queue.path() == *path && !queue.is_gone() {
            found = Some(queue.clone());
        }
    }
    for queue in &open {
        let forgotten = !queue.needs_recovery() && (queue.is_gone() || full && found.is_none());
        if forgotten {
            full = false;
        } else {
            queues.push(queue.clone());
        }
    }
    let opened = match found {
        Some(queue) => Ok(queue),
        None if full => {
            let detail = "`max-directories` are open, and all of them must be recovered first";
            Err(Error::refused(Code::Busy, detail))
        }
        None => Queue::open(&state.system, &state.counters, path).map(|queue| {
            let queue = Rc::new(queue);
            queues.push(queue.clone());
            queue
        }),
    };
    state.queues.set(queues);
    opened
}

/// How many resources of a kind are open.
struct Open(Cell<usize>);

/// One of them.
struct OpenOne(&'static Open);

impl Open {
    const fn none() -> Open {
        Open(Cell::new(0))
    }

    /// Opens one more.
    fn one(&'static self, most: usize, limit: &str) -> Result<OpenOne> {
        if self.0.get() >= most {
            let detail = Text::of(&["as many are open as `", limit, "` allows: close one first"]);
            return Err(Error::refused(Code::Busy, &detail));
        }
        self.0.set(self.0.get() + 1);
        Ok(OpenOne(self))
    }
}

impl Drop for OpenOne {
    fn drop(&mut self) {
        self.0.0.set(self.0.0.get() - 1);
    }
}
