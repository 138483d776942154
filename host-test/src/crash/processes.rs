//! Simulated processes. The instance of one that ended is reused for another, which takes a fraction of the time of a new
//! instance.

use crate::simulator::disk::Disk;
use crate::simulator::host::{ComponentUnderTest, Simulated};
use crate::simulator::power::Profile;
use crate::simulator::world::World;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use xxhash_rust::xxh3::Xxh3;

/// The processes of a search.
pub(super) struct Processes<'a> {
    component: &'a ComponentUnderTest,
    profile: Profile,
    idle: Mutex<Vec<Simulated>>,
}

impl<'a> Processes<'a> {
    pub(super) fn new(component: &'a ComponentUnderTest, profile: Profile) -> Processes<'a> {
        Processes { component, profile, idle: Mutex::default() }
    }

    /// Begins a process on a disk.
    pub(super) fn begin(&self, mut disk: Disk) -> Simulated {
        disk.sync_pins_entry = self.profile == Profile::Linux;
        let mut order = Xxh3::new();
        disk.entries.hash(&mut order);
        let idle = lock(&self.idle).pop();
        let system = idle.unwrap_or_else(|| Simulated::of(self.component, Arc::default()));
        let mut world = World::of(disk);
        world.directory_order = order.finish();
        *system.world() = world;
        system
    }

    /// Ends a process: its knowledge of the queue ends with the queue resource.
    pub(super) fn end(&self, mut system: Simulated) {
        system.close();
        lock(&self.idle).push(system);
    }
}

/// Locks a mutex. A panic of another thread ends the search by itself.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
