//! The queue of one operator's plugin, in its store.

use super::bounds::Bounds;
use super::resources::{OpenBodyReader, OpenDraft, OpenListing, OpenQueue};
use super::table::Table;
use crate::error::Result;
use crate::intake::Intake;
use crate::plugin::answer::{self, Answer};
use crate::plugin::deadline::Deadline;
use crate::queue::Queue;
use crate::types::{self, ErrorCode, Outcome};
use wasmtime::component::{HasData, Resource};

/// The path of the queue to a plugin.
pub(super) const NAME: &str = "queue";

/// Resources `queue` that a plugin may have open at once. All are of the one queue.
const MAX_QUEUES: usize = 64;

/// The queue of one operator's plugin, and the resources of it that are open.
#[derive(Debug)]
pub(crate) struct OperatorState {
    pub(super) queue: Queue,
    /// Counts the mails that the plugin puts, and their bytes.
    pub(super) intake: Intake,
    deadline: Deadline,
    pub(super) bounds: Bounds,
    pub(super) queues: Table<OpenQueue>,
    pub(super) drafts: Table<OpenDraft>,
    pub(super) readers: Table<OpenBodyReader>,
    pub(super) listings: Table<OpenListing>,
}

impl HasData for OperatorState {
    type Data<'a> = &'a mut OperatorState;
}

impl OperatorState {
    /// Makes the state of a plugin that may put as much as the intake of the same queue takes.
    pub(super) fn new(queue: &Queue, intake: Intake) -> Result<OperatorState> {
        let bounds = Bounds::of(queue)?;
        Ok(OperatorState {
            queue: queue.clone(),
            intake,
            deadline: Deadline::NONE,
            bounds,
            queues: Table::new(MAX_QUEUES, "the host"),
            drafts: Table::new(bounds.drafts, "max-drafts"),
            readers: Table::new(bounds.readers, "max-readers"),
            listings: Table::new(bounds.listings, "max-listings"),
        })
    }

    /// Has the calls of the plugin trap after the deadline.
    pub(in crate::plugin) fn until(self, deadline: Deadline) -> OperatorState {
        OperatorState { deadline, ..self }
    }

    /// Returns the queue for a change, unless the plugin closed it for changes.
    pub(super) fn for_change(&mut self, resource: &Resource<OpenQueue>) -> wasmtime::Result<Result<&Queue>> {
        let open = self.queues.get_mut(resource)?.check_open();
        Ok(open.map(|()| &self.queue))
    }

    /// Makes the answer to the plugin.
    pub(super) fn answer<T>(&self, result: Result<T>) -> Answer<T> {
        self.deadline.check()?;
        let answer = answer::answer(result)?;
        Ok(answer.map_err(|error| self.with_path(error)))
    }

    /// Makes the answer to a call on several items.
    pub(super) fn answer_batch(&self, result: Result<Vec<Outcome>>) -> Answer<Vec<Outcome>> {
        let mut answer = self.answer(result)?;
        answer.iter_mut().flatten().for_each(|outcome| self.set_path(&mut outcome.problem));
        Ok(answer)
    }

    /// Replaces the path in a problem by the plugin's.
    pub(super) fn set_path(&self, problem: &mut Option<types::Error>) {
        *problem = problem.take().map(|problem| self.with_path(problem));
    }

    /// Replaces the path of the queue's directory, with which the path in an error begins, by the plugin's name for it.
    pub(super) fn with_path(&self, error: types::Error) -> types::Error {
        let path = match self.queue.store().directory_name() {
            None => error.path,
            Some(directory) => match error.path.strip_prefix(directory).map(|rest| rest.trim_start_matches('/')) {
                Some("") => NAME.to_string(),
                Some(file) => format!("{NAME}/{file}"),
                // A path that is not in the queue is none of the plugin's.
                None => String::new(),
            },
        };
        types::Error { path, ..error }
    }
}

/// The answer to a path that names no queue of the plugin.
pub(super) fn no_such_queue(path: String) -> types::Error {
    types::Error {
        code: ErrorCode::NotFound,
        operation: "resolve".to_string(),
        path,
        detail: format!("a plugin has the one queue that its embedder chose, by the path `{NAME}`"),
        position: None,
    }
}
