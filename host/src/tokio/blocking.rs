//! Calls on tokio's threads for blocking work.

use crate::error::{Error, Result};
use std::panic;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

/// Runs a call where it may block.
pub(crate) async fn run<T: Send + 'static>(call: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match spawn_blocking(call).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panicked) => panic::resume_unwind(panicked),
            // Of a blocking task, only the shutdown of the runtime cancels one, before it begins.
            Err(_) => Err(Error::RuntimeShutDown),
        },
    }
}

/// A draft, submission, body reader or listing that calls move to a thread for blocking work and back. Dropping it
/// closes it there, too.
#[derive(Debug)]
pub(crate) struct Open<T: Send + 'static>(Option<T>);

impl<T: Send + 'static> Open<T> {
    pub(crate) fn new(open: T) -> Open<T> {
        Open(Some(open))
    }

    /// Runs a call that keeps it open. If the future is dropped meanwhile, it is closed when the call is over.
    pub(crate) async fn run<R: Send + 'static>(
        &mut self,
        call: impl FnOnce(&mut T) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let mut open = self.take()?;
        let (open, result) = run(move || {
            let result = call(&mut open);
            Ok((open, result))
        })
        .await?;
        self.0 = Some(open);
        result
    }

    /// Runs a call that consumes it.
    pub(crate) async fn consume<R: Send + 'static>(
        mut self,
        call: impl FnOnce(T) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let open = self.take()?;
        run(move || call(open)).await
    }

    fn take(&mut self) -> Result<T> {
        self.0.take().ok_or(Error::Interrupted)
    }
}

impl<T: Send + 'static> Drop for Open<T> {
    fn drop(&mut self) {
        if let Some(open) = self.0.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn_blocking(move || drop(open));
        }
    }
}
