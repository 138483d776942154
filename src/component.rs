//! The component: the contract's exports on the modules of this crate, and the state of an instance.

mod convert;
mod durable_file;
mod intake;
mod item_codec;
mod queue_store;
mod queue_stream;

use crate::counters::Counters;
use crate::error::{Code, Error};
use crate::filesystem::wasi::Wasi;
use crate::limits::MAX_DIRECTORIES;
use crate::queue::Queue;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::{OnceCell, RefCell};

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

/// What implements the exports.
struct Component;

bindings::export!(Component);

/// The state of an instance: nothing but what is open, and the marks of queues that need recovery.
struct State {
    system: Rc<Wasi>,
    counters: Rc<Counters>,
    /// By the path that named them.
    queues: RefCell<Vec<(String, Rc<Queue<Wasi>>)>>,
    drafts: Open,
    readers: Open,
    listings: Open,
}

/// A component has one thread, and no call begins before another one ended.
struct SingleThreaded<T>(OnceCell<T>);

// SAFETY: WebAssembly without the threads proposal has one thread, so nothing is shared between threads.
unsafe impl<T> Sync for SingleThreaded<T> {}

static STATE: SingleThreaded<State> = SingleThreaded(OnceCell::new());

/// The state of this instance.
fn state() -> &'static State {
    STATE.0.get_or_init(|| State {
        system: Rc::new(Wasi::new()),
        counters: Rc::default(),
        queues: RefCell::default(),
        drafts: Open::default(),
        readers: Open::default(),
        listings: Open::default(),
    })
}

/// The queue in the directory that `path` names, opened once.
fn queue(path: &str) -> Result<Rc<Queue<Wasi>>, Error> {
    let state = state();
    let mut queues = state.queues.borrow_mut();
    if let Some((_, queue)) = queues.iter().find(|(known, _)| known == path) {
        return Ok(queue.clone());
    }
    let queue = Rc::new(Queue::open(&state.system, &state.counters, path)?);
    if queues.len() >= MAX_DIRECTORIES {
        // A queue that is closed for writing must not be forgotten to be.
        let Some(oldest) = queues.iter().position(|(_, queue)| !queue.needs_recovery()) else {
            return Err(Error::refused(
                Code::Busy,
                "`max-directories` are open, and all of them must be recovered first",
            ));
        };
        queues.remove(oldest);
    }
    queues.push((path.to_string(), queue.clone()));
    Ok(queue)
}

/// Closes the directory of a queue that is gone, so that the next call finds the one that may have its place.
fn forget_if_gone(path: &str, error: &Error) {
    let gone = error.code == Code::NotFound
        && matches!(
            error.operation,
            crate::error::Operation::Create
                | crate::error::Operation::SyncDirectory
                | crate::error::Operation::ReadDirectory
        );
    if gone {
        state().queues.borrow_mut().retain(|(known, queue)| known != path || queue.needs_recovery());
    }
}

/// How many resources of a kind are open.
#[derive(Default)]
struct Open(RefCell<usize>);

/// One of them.
struct OpenOne(&'static Open);

impl Open {
    /// Opens one more.
    fn one(&'static self, most: usize, limit: &str) -> Result<OpenOne, Error> {
        let mut open = self.0.borrow_mut();
        if *open >= most {
            let detail = ["as many are open as `", limit, "` allows: close one first"].concat();
            return Err(Error::refused(Code::Busy, &detail));
        }
        *open += 1;
        Ok(OpenOne(self))
    }
}

impl Drop for OpenOne {
    fn drop(&mut self) {
        *self.0.0.borrow_mut() -= 1;
    }
}
