//! The interface `intake` of the contract, for the stores of plugins.

use crate::contract_limits::check_recipients;
use crate::error::Result;
use crate::intake::{BoundedSubmission, Intake};
use crate::plugin::answer::{self, Answer};
use crate::plugin::deadline::Deadline;
use crate::types;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

#[allow(missing_docs, missing_debug_implementations, reason = "documented in `wit/`")]
mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        interfaces: "import mail:queue/intake@0.1.0;",
        imports: { default: trappable },
        with: {
            "mail:queue/types": crate::bindings::exports::mail::queue::types,
            "mail:queue/intake.submission": crate::intake::BoundedSubmission,
        },
    });
}

use bindings::mail::queue::intake::{self, Host, HostSubmission};

/// Submissions that a plugin may have open at once: each takes an instance of the component, which the process has few of.
const MAX_SUBMISSIONS: usize = 16;

/// The intake of one plugin, in its store.
#[derive(Debug)]
pub struct PluginIntake {
    intake: Intake,
    deadline: Deadline,
    submissions: ResourceTable,
}

impl PluginIntake {
    /// Makes the intake of a plugin, which submits within the limits of `intake`, and has at most 16 submissions open at
    /// once: a further one traps.
    pub fn new(intake: Intake) -> PluginIntake {
        PluginIntake::until(Deadline::NONE, intake)
    }

    /// Makes the intake of a plugin whose calls trap after the deadline.
    pub(super) fn until(deadline: Deadline, intake: Intake) -> PluginIntake {
        let mut submissions = ResourceTable::new();
        submissions.set_max_capacity(MAX_SUBMISSIONS);
        PluginIntake { intake, deadline, submissions }
    }

    /// Makes the answer to a plugin. It names no file.
    fn answer<T>(&self, result: Result<T>) -> Answer<T> {
        self.deadline.check()?;
        let answer = answer::answer(result)?;
        Ok(answer.map_err(|error| types::Error { path: String::new(), position: None, ..error }))
    }
}

/// Defines `mail:queue/intake` for plugins whose stores have a [`PluginIntake`]. Its calls block, and trap in a task of an
/// async runtime.
///
/// It is for embedders whose plugins import more than [`Plugin`](crate::plugin::Plugin) gives them, and who bound their
/// memory and time themselves.
///
/// # Errors
///
/// If the linker has the interface already.
pub fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    intake: fn(&mut T) -> &mut PluginIntake,
) -> wasmtime::Result<()> {
    intake::add_to_linker::<T, PluginIntake>(linker, intake)
}

impl HasData for PluginIntake {
    type Data<'a> = &'a mut PluginIntake;
}

impl Host for PluginIntake {
    fn submit(&mut self, reverse_path: String, to: Vec<String>, body: Vec<u8>) -> Answer<String> {
        self.answer(check_recipients(&to).and_then(|()| self.intake.submit(&reverse_path, &to, &body)))
    }
}

impl HostSubmission for PluginIntake {
    fn begin(&mut self, reverse_path: String, to: Vec<String>) -> Answer<Resource<BoundedSubmission>> {
        let begun = check_recipients(&to).and_then(|()| self.intake.submission(&reverse_path, &to));
        let begun = self.answer(begun)?;
        begun.map_or_else(|error| Ok(Err(error)), |submission| Ok(Ok(self.submissions.push(submission)?)))
    }

    fn write(&mut self, this: Resource<BoundedSubmission>, chunk: Vec<u8>) -> Answer<()> {
        let appended = self.submissions.get_mut(&this)?.append_chunk(&chunk);
        self.answer(appended)
    }

    fn commit(&mut self, this: Resource<BoundedSubmission>) -> Answer<String> {
        let committed = self.submissions.delete(this)?.commit();
        self.answer(committed)
    }

    fn drop(&mut self, this: Resource<BoundedSubmission>) -> wasmtime::Result<()> {
        self.submissions.delete(this)?;
        Ok(())
    }
}
