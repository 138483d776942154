//! The functions for a queue.

use crate::arguments::{Mail, Put, items, optional_bytes, optional_string, place, reference, string, write_id};
use crate::errors::{Failure, answer, set_message};
use queue_store_host::types::{self, Attempt, Durability, Outcome, State};
use queue_store_host::{Error, Queue, Result};
use queue_store_place::Place;
use std::ffi::{OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::ptr::NonNull;
use std::time::Duration;

/// The grace of the recovery at the opening.
const GRACE: Duration = Duration::from_hours(36);

/// `qs_recovery` of the header.
#[repr(C)]
struct Recovery {
    durable_items: u64,
    damaged_items: u64,
    temporary_removed: u64,
    temporary_kept: u64,
    rewritten: u64,
    problems: u64,
}

/// Copies the path of a queue. The error of a URL, which may have a password, does not show it.
///
/// # Safety
///
/// The pointer is null or a string that ends with a zero.
unsafe fn path(pointer: *const c_char) -> Result<String, Failure> {
    // SAFETY: the caller's.
    if let Some(bytes) = unsafe { optional_bytes(pointer) } {
        Place::parse(OsStr::from_bytes(bytes))?;
    }
    // SAFETY: the caller's.
    unsafe { string(pointer, "path") }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn qs_open(path: *const c_char, queue: *mut *mut Queue) -> c_int {
    answer(|| {
        // SAFETY: they are as the header describes them.
        let path = unsafe { self::path(path) }?;
        let result = place(queue, "queue")?;
        if path.is_empty() {
            return Err(Failure::directory("`path` is empty"));
        }
        let queue = Place::parse(path)?.open(true)?;
        queue.recover(GRACE)?;
        let queue = Box::into_raw(Box::new(queue));
        // SAFETY: it is as the header describes it.
        unsafe { result.write(queue) };
        Ok(())
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn qs_close(queue: *mut Queue) {
    if !queue.is_null() {
        // SAFETY: it is of `qs_open`, and not used afterwards.
        drop(unsafe { Box::from_raw(queue) });
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn qs_put(
    queue: *const Queue,
    mail: *const Mail,
    body: *const c_void,
    body_size: usize,
    id: *mut c_char,
) -> c_int {
    answer(|| {
        // SAFETY: they are as the header describes them.
        let (queue, put, body) =
            unsafe { (reference(queue, "queue")?, Put::new(mail)?, items(body.cast::<u8>(), body_size, "body")?) };
        let mail = types::Mail { envelope: put.envelope, body: body.to_vec() };
        let put = queue.put_with(put.id.as_deref(), &mail, &put.options)?;
        // SAFETY: as the header describes it.
        unsafe { write_id(&put, id) };
        Ok(())
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn qs_record_attempt(
    queue: *const Queue,
    id: *const c_char,
    recipient: u32,
    status: i32,
    message: *const c_char,
    if_revision: *const c_char,
) -> c_int {
    answer(|| {
        // SAFETY: they are as the header describes them.
        let (queue, id, message, if_revision) = unsafe {
            let (message, if_revision) = (optional_string(message)?, optional_string(if_revision)?);
            (reference(queue, "queue")?, string(id, "id")?, message, if_revision)
        };
        let attempt = Attempt { recipient, status, message: message.unwrap_or_default() };
        queue.record_attempts(id, &[attempt], if_revision.as_deref(), Durability::Full)?;
        Ok(())
    })
}

/// Makes a call for one item that has an outcome for each of several.
///
/// # Safety
///
/// The pointers are as the header describes them.
unsafe fn call_for_one(
    queue: *const Queue,
    id: *const c_char,
    call: impl FnOnce(&Queue, &[String]) -> Result<Vec<Outcome>>,
) -> Result<(), Failure> {
    // SAFETY: the caller's.
    let (queue, id) = unsafe { (reference(queue, "queue")?, string(id, "id")?) };
    let problem = call(queue, &[id])?.into_iter().find_map(|outcome| outcome.problem);
    problem.map_or(Ok(()), |problem| Err(Error::from(problem).into()))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn qs_set_state(queue: *const Queue, id: *const c_char, state: c_int) -> c_int {
    answer(|| {
        let state = match state {
            0 => State::Ready,
            1 => State::Held,
            2 => State::Quarantined,
            _ => return Err(Failure::invalid("`state` is none of `enum qs_state`")),
        };
        // SAFETY: they are as the header describes them.
        unsafe { call_for_one(queue, id, |queue, ids| queue.set_state(ids, state)) }
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn qs_remove(queue: *const Queue, id: *const c_char) -> c_int {
    // SAFETY: they are as the header describes them.
    answer(|| unsafe { call_for_one(queue, id, |queue, ids| queue.remove(ids, &[], Durability::Full)) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn qs_needs_recovery(queue: *const Queue, needs_recovery: *mut c_int) -> c_int {
    answer(|| {
        // SAFETY: they are as the header describes them.
        let (queue, place) = unsafe { (reference(queue, "queue")?, place(needs_recovery, "needs_recovery")?) };
        // SAFETY: it is as the header describes it.
        unsafe { place.write(c_int::from(queue.needs_recovery())) };
        Ok(())
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn qs_recover(queue: *const Queue, grace_seconds: u32, recovery: *mut Recovery) -> c_int {
    let mut first_problem = None;
    let code = answer(|| {
        // SAFETY: they are as the header describes them.
        let queue = unsafe { reference(queue, "queue") }?;
        let types::Recovery {
            durable_items,
            damaged_items,
            temporary_removed,
            temporary_kept,
            rewritten,
            problems,
            truncated: _,
        } = queue.recover(Duration::from_secs(grace_seconds.into()))?;
        if let Some(place) = NonNull::new(recovery) {
            let problems = problems.len() as u64;
            let report =
                Recovery { durable_items, damaged_items, temporary_removed, temporary_kept, rewritten, problems };
            // SAFETY: it is as the header describes it.
            unsafe { place.write(report) };
        }
        first_problem = problems.into_iter().next();
        Ok(())
    });
    if let Some(problem) = first_problem {
        set_message(Error::from(problem).to_string());
    }
    code
}
