//! Sessions that were lost while they changed something.
//!
//! The process of such a session may have committed, or may still do so: its statement may be on its way, or the process may
//! have been stopped. And it may hold the locks of its transaction until it notices that its client is gone, which takes hours
//! if it waits for another one.

use crate::address::FullDurability;
use crate::server::Backend;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The lost sessions of this process that a session can see and end, whichever handle of a queue lost them.
#[derive(Default)]
pub(crate) struct LostSessions(Mutex<Vec<LostSession>>);

/// The properties of sessions that see and end each other, and whose barriers prove the same.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Scope {
    /// A process that was forked must not touch the locks of its parent.
    pub(crate) process: u32,
    /// The number that a database and its physical copies have.
    pub(crate) system: i64,
    pub(crate) user: String,
    pub(crate) full: FullDurability,
}

/// Locked when a queue is opened alone.
static ALL: Mutex<BTreeMap<Scope, Arc<LostSessions>>> = Mutex::new(BTreeMap::new());

#[derive(Clone, Copy)]
struct LostSession {
    backend: Backend,
    /// Whether it changes nothing any more.
    has_ended: bool,
}

impl LostSessions {
    /// Returns those of a scope.
    pub(crate) fn of(scope: Scope) -> Arc<LostSessions> {
        ALL.lock().unwrap_or_else(PoisonError::into_inner).entry(scope).or_default().clone()
    }

    pub(crate) fn add(&self, backend: Backend) {
        self.lock().push(LostSession { backend, has_ended: false });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Returns those that have ended.
    pub(crate) fn ended(&self) -> Vec<Backend> {
        self.lock().iter().filter(|session| session.has_ended).map(|session| session.backend).collect()
    }

    /// Forgets sessions whose effects are known.
    pub(crate) fn forget(&self, backends: &[Backend]) {
        self.lock().retain(|session| !backends.contains(&session.backend));
    }

    /// Returns those that may change something yet.
    pub(crate) fn running(&self) -> Vec<Backend> {
        self.lock().iter().filter(|session| !session.has_ended).map(|session| session.backend).collect()
    }

    /// Notes that sessions have ended.
    pub(crate) fn note_end(&self, backends: &[Backend]) {
        for session in self.lock().iter_mut().filter(|session| backends.contains(&session.backend)) {
            session.has_ended = true;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<LostSession>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
