//! An HTTP endpoint: a POST queues its body as a message, and the answer 201 has the id of the mail.

#![cfg(target_family = "wasm")]

#[allow(missing_docs, unreachable_pub, clippy::undocumented_unsafe_blocks, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "plugin" });
}

use bindings::mail::queue::intake::Submission;
use bindings::mail::queue::types::{Error, ErrorCode};
use std::io::Write;
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{Fields, Headers, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam};
use wasip2::io::streams::StreamError;

struct Endpoint;

wasip2::http::proxy::export!(Endpoint);

/// `max-chunk-bytes` of the contract.
const CHUNK: u64 = 65_536;

/// Seconds after which a client may repeat a post that found the queue full or closed.
const RETRY_AFTER: &str = "60";

impl Guest for Endpoint {
    fn handle(request: IncomingRequest, response: ResponseOutparam) {
        let answer = match request.method() {
            Method::Post => submit(&request).map_or_else(|refused| refused, |id| Answer::new(201, id)),
            _ => Answer { header: Some(("allow", "POST")), ..Answer::new(405, "post a message") },
        };
        answer.send(response);
    }
}

/// Queues the body of a request and returns the id of the mail, which survives power loss from then on.
fn submit(request: &IncomingRequest) -> Result<String, Answer> {
    let headers = request.headers();
    let reverse_paths = values(&headers, "mail-from")?;
    let [reverse_path] = reverse_paths.as_slice() else {
        return Err(Answer::new(400, "one header `Mail-From` is needed; its value `<>` is the null reverse-path"));
    };
    let submission = Submission::begin(reverse_path, &values(&headers, "rcpt-to")?)?;
    let body = request.consume().expect("the body was not consumed before");
    let stream = body.stream().expect("the stream was not taken before");
    loop {
        match stream.blocking_read(CHUNK) {
            Ok(chunk) => submission.write(&chunk)?,
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(error)) => return Err(Answer::new(400, error.to_debug_string())),
        }
    }
    Ok(Submission::commit(submission)?)
}

/// Returns the values of a header, which may be repeated or have commas between its values (RFC 9110 section 5.3). No
/// address that a plugin may use contains a comma.
fn values(headers: &Headers, name: &str) -> Result<Vec<String>, Answer> {
    let lines: Result<Vec<String>, _> = headers.get(name).into_iter().map(String::from_utf8).collect();
    let lines = lines.map_err(|_| Answer::new(400, format!("the header `{name}` is not UTF-8")))?;
    Ok(lines.iter().flat_map(|line| line.split(',')).map(|value| value.trim().to_string()).collect())
}

/// An answer, whose text is one line.
struct Answer {
    status: u16,
    header: Option<(&'static str, &'static str)>,
    text: String,
}

impl Answer {
    fn new(status: u16, text: impl Into<String>) -> Answer {
        Answer { status, header: None, text: text.into() }
    }

    fn send(self, response: ResponseOutparam) {
        let headers = Fields::new();
        for (name, value) in [("content-type", "text/plain; charset=utf-8")].into_iter().chain(self.header) {
            headers.append(name, value.as_bytes()).expect("the header is well-formed");
        }
        let outgoing = OutgoingResponse::new(headers);
        outgoing.set_status_code(self.status).expect("the status is one of HTTP");
        let body = outgoing.body().expect("the body was not taken before");
        ResponseOutparam::set(response, Ok(outgoing));
        let mut stream = body.write().expect("the stream was not taken before");
        // A client that is gone reads no answer; its mail stays queued.
        let _ = writeln!(stream, "{}", self.text);
        drop(stream);
        let _ = OutgoingBody::finish(body, None);
    }
}

impl From<Error> for Answer {
    fn from(error: Error) -> Answer {
        let (status, retry_after) = match error.code {
            ErrorCode::InvalidArgument => (400, None),
            ErrorCode::TooLarge => (413, None),
            // Nothing was queued, and the same request may succeed later.
            ErrorCode::QueueFull
            | ErrorCode::NoSpace
            | ErrorCode::Quota
            | ErrorCode::Busy
            | ErrorCode::NeedsRecovery => (503, Some(RETRY_AFTER)),
            // The mail may be queued, so that a client must not post it again by itself.
            ErrorCode::Indeterminate
            // The host is configured wrongly, or the disk failed.
            | ErrorCode::NotFound
            | ErrorCode::Conflict
            | ErrorCode::ReadOnly
            | ErrorCode::Access
            | ErrorCode::Unsupported
            | ErrorCode::Io
            | ErrorCode::Aborted
            | ErrorCode::Other
            // A submission never returns the codes of existing items.
            | ErrorCode::Exists
            | ErrorCode::Corrupt
            | ErrorCode::ChecksumMismatch
            | ErrorCode::IdMismatch => (500, None),
        };
        if status >= 500 {
            eprintln!("{:?} of `{}` on `{}`: {}", error.code, error.operation, error.path, error.detail);
        }
        Answer { header: retry_after.map(|seconds| ("retry-after", seconds)), ..Answer::new(status, error.detail) }
    }
}
