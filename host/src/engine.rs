//! The loaded component, which all queues of a host share.

use crate::bindings::QueuePre;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::process::OwnProcess;
use crate::state::State;
use crate::ticker::Ticker;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
use queue_store_artifact::AddressSpace;
use wasmtime::component::Linker;

/// The loaded component, and the limits of its instances.
pub(crate) struct Engine {
    pub(crate) wasmtime: wasmtime::Engine,
    pub(crate) component: QueuePre<State>,
    pub(crate) limits: Limits,
    pub(crate) ticker: Ticker,
    process: OwnProcess,
}

impl Engine {
    /// Loads the component and starts the epoch ticker.
    pub(crate) fn new(limits: Limits) -> wasmtime::Result<Engine> {
        let address_space = address_space();
        let config = queue_store_artifact::config(address_space);
        // The component is compiled already, so its engine starts without the compiler that plugins need.
        #[cfg(feature = "plugin")]
        let config = {
            let mut config = config;
            config.enable_compiler(false);
            config
        };
        let wasmtime = wasmtime::Engine::new(&config)?;
        let component = queue_store_artifact::load(&wasmtime, address_space)?;
        let mut linker = Linker::new(&wasmtime);
        State::link(&mut linker)?;
        let component = QueuePre::new(linker.instantiate_pre(&component)?)?;
        let ticker = Ticker::start(&wasmtime)?;
        Ok(Engine { wasmtime, component, limits, ticker, process: OwnProcess::current() })
    }

    /// Refuses a call in a process that was forked from the engine's own: the ticker does not run there, and the locks of
    /// a pool may be held by threads that do not exist.
    pub(crate) fn check_process(&self) -> Result<()> {
        if self.process.is_current() { Ok(()) } else { Err(Error::Forked) }
    }
}

/// Returns how much address space this process may reserve (`ulimit -v`).
pub(crate) fn address_space() -> AddressSpace {
    match getrlimit(Resource::RLIMIT_AS) {
        Ok((RLIM_INFINITY, _)) | Err(_) => AddressSpace::Unlimited,
        Ok(_) => AddressSpace::Limited,
    }
}
