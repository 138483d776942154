//! Blocking calls as promises.

use napi::bindgen_prelude::{AsyncTask, ToNapiValue, TypeName};
use napi::{Env, Error, Status, Task};
use queue_store_host::{Error as QueueError, Result, types};

/// A call that a thread for blocking work makes.
pub struct Call<T>(Option<Box<dyn FnOnce() -> napi::Result<T> + Send>>);

/// Has a thread make a call.
pub(crate) fn call<T>(work: impl FnOnce() -> napi::Result<T> + Send + 'static) -> AsyncTask<Call<T>>
where
    T: Send + ToNapiValue + TypeName + 'static,
{
    AsyncTask::new(Call(Some(Box::new(work))))
}

impl<T: Send + ToNapiValue + TypeName + 'static> Task for Call<T> {
    type Output = T;
    type JsValue = T;

    fn compute(&mut self) -> napi::Result<T> {
        self.0.take().expect("Node.js makes a call once")()
    }

    fn resolve(&mut self, _: Env, output: T) -> napi::Result<T> {
        Ok(output)
    }
}

/// The fields of JavaScript's `QueueError`, as JSON in the message of an error: it is what an addon can pass.
pub(crate) fn answer<T>(result: Result<T>) -> napi::Result<T> {
    result.map_err(|error| {
        let fields = match (&error, error.record()) {
            (_, Some(record)) => fields(record),
            (QueueError::Directory { path, source }, None) => serde_json::json!({
                "code": "directory",
                "path": path.to_string_lossy(),
                "detail": source.to_string(),
            }),
            _ => serde_json::json!({ "code": "component", "detail": error.to_string() }),
        };
        Error::new(Status::GenericFailure, fields.to_string())
    })
}

fn fields(record: types::Error) -> serde_json::Value {
    let types::Error { code, operation, path, detail, position } = record;
    let position = position.map(
        |position| serde_json::json!({ "offset": position.offset, "line": position.line, "column": position.column }),
    );
    serde_json::json!({
        "code": code.name(), "operation": operation, "path": path, "detail": detail, "position": position,
    })
}

/// The error of an argument that JavaScript passes.
pub(crate) fn invalid(reason: impl ToString) -> Error {
    Error::new(Status::InvalidArg, reason.to_string())
}
