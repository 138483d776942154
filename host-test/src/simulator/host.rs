//! Instances of the component over a simulated system.

use super::gate::{Actor, Gate};
use super::wasi::{State, link};
use super::world::World;
use crate::bindings::QueuePre;
use crate::instance::{COMPONENT, Instance};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use wasmtime::component::{Component, Linker};

/// A component that is ready to be instantiated over simulated systems.
#[derive(Clone)]
pub struct ComponentUnderTest(QueuePre<State>);

/// The component that ships.
pub static SHIPPED: LazyLock<ComponentUnderTest> = LazyLock::new(|| ComponentUnderTest::of(&COMPONENT));

impl ComponentUnderTest {
    /// Links the imports of a component.
    pub fn of(component: &Component) -> ComponentUnderTest {
        let mut linker = Linker::new(component.engine());
        link(&mut linker).expect("an empty linker takes the imports");
        let prepared = linker.instantiate_pre(component).expect("the component imports nothing else");
        ComponentUnderTest(QueuePre::new(prepared).expect("the component exports the contract"))
    }
}

/// An instance of the component over a simulated system.
pub struct Simulated {
    /// The instance.
    pub instance: Instance<State>,
    world: Arc<Mutex<World>>,
}

impl Simulated {
    /// Creates an instance of the component that ships over a new world.
    pub fn new() -> Simulated {
        Simulated::over(Arc::new(Mutex::new(World::new())))
    }

    /// Creates an instance of the component that ships over a world, which others may share.
    pub fn over(world: Arc<Mutex<World>>) -> Simulated {
        Simulated::of(&SHIPPED, world)
    }

    /// Creates an instance of a component over a world, which others may share.
    pub fn of(component: &ComponentUnderTest, world: Arc<Mutex<World>>) -> Simulated {
        Simulated { instance: Instance::prepared(&component.0, State::over(world.clone())), world }
    }

    /// Makes the operations of this instance wait for their turns.
    pub fn take_turns(&mut self, gate: Arc<Gate>, actor: Actor) {
        self.instance.store.data_mut().take_turns(gate, actor);
    }

    /// Creates a second instance over the same world.
    pub fn sibling(&self) -> Simulated {
        Simulated::over(self.world.clone())
    }

    /// Locks the world for as long as the guard lives.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Simulated {
    fn default() -> Simulated {
        Simulated::new()
    }
}

impl Deref for Simulated {
    type Target = Instance<State>;

    fn deref(&self) -> &Instance<State> {
        &self.instance
    }
}

impl DerefMut for Simulated {
    fn deref_mut(&mut self) -> &mut Instance<State> {
        &mut self.instance
    }
}
