//! The functions for drafts, bodies and lists.

use crate::arguments::{Mail, Put, items, place, reference, reference_mut, string, write_id};
use crate::errors::{Failure, answer, c_string, code};
use queue_store_host::types::{self, State};
use queue_store_host::{BodyReader, Draft, Error, Listing, Queue};
use std::ffi::{CString, c_char, c_int, c_void};
use std::io::Read;
use std::{ptr, slice};

/// Bytes of a body that are read at a time, at most: those of a chunk.
const MAX_READ_BYTES: usize = 64 << 10;

#[unsafe(no_mangle)]
unsafe extern "C" fn qs_draft_begin(queue: *const Queue, mail: *const Mail, draft: *mut *mut Draft) -> c_int {
    answer(|| {
        // SAFETY: they are as the header describes them.
        let (queue, put) = unsafe { (reference(queue, "queue")?, Put::new(mail)?) };
        let place = place(draft, "draft")?;
        let draft = Box::into_raw(Box::new(queue.draft(put.id.as_deref(), &put.envelope, &put.options)?));
        // SAFETY: it is as the header describes it.
        unsafe { place.write(draft) };
        Ok(())
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn qs_draft_write(draft: *mut Draft, bytes: *const c_void, size: usize) -> c_int {
    answer(|| {
        // SAFETY: they are as the header describes them.
        let (draft, bytes) = unsafe { (reference_mut(draft, "draft")?, items(bytes.cast::<u8>(), size, "bytes")?) };
        Ok(draft.append(bytes)?)
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn qs_draft_commit(draft: *mut Draft, id: *mut c_char) -> c_int {
    answer(|| {
        if draft.is_null() {
            return Err(Failure::invalid("`draft` is NULL"));
        }
        // SAFETY: it is of `qs_draft_begin`, and not used afterwards.
        let committed = unsafe { Box::from_raw(draft) }.commit()?;
        // SAFETY: as the header describes it.
        unsafe { write_id(&committed, id) };
        Ok(())
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn qs_draft_abandon(draft: *mut Draft) {
    if !draft.is_null() {
        // SAFETY: it is of `qs_draft_begin`, and not used afterwards.
        let draft = unsafe { Box::from_raw(draft) };
        // Not by `drop`, which lets a database remove the body later, and the process may end before. A recovery removes
        // what is left.
        let _ = draft.abandon();
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn qs_body_open(
    queue: *const Queue,
    id: *const c_char,
    offset: u64,
    body: *mut *mut BodyReader,
) -> c_int {
    answer(|| {
        // SAFETY: they are as the header describes them.
        let (queue, id) = unsafe { (reference(queue, "queue")?, string(id, "id")?) };
        let place = place(body, "body")?;
        let body = Box::into_raw(Box::new(queue.read(id, offset)?));
        // SAFETY: it is as the header describes it.
        unsafe { place.write(body) };
        Ok(())
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn qs_body_read(
    body: *mut BodyReader,
    bytes: *mut c_void,
    capacity: usize,
    size: *mut usize,
) -> c_int {
    answer(|| {
        if capacity == 0 || bytes.is_null() {
            return Err(Failure::invalid("`bytes` has no room, so that 0 bytes would look like the end of the body"));
        }
        // SAFETY: they are as the header describes them.
        let body = unsafe { reference_mut(body, "body") }?;
        let place = place(size, "size")?;
        // Whoever has room for a whole body calls more than once, and all of the room would be initialized each time.
        let capacity = capacity.min(MAX_READ_BYTES);
        // SAFETY: it has that many bytes. They need not be initialized, so they are before they are referred to.
        let buffer = unsafe {
            ptr::write_bytes(bytes.cast::<u8>(), 0, capacity);
            slice::from_raw_parts_mut(bytes.cast::<u8>(), capacity)
        };
        let size = body.read(buffer).map_err(|error| match error.downcast::<Error>() {
            Ok(error) => error.into(),
            Err(error) => Failure { code: code(types::ErrorCode::Io), message: error.to_string() },
        })?;
        // SAFETY: it is as the header describes it.
        unsafe { place.write(size) };
        Ok(())
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn qs_body_close(body: *mut BodyReader) {
    if !body.is_null() {
        // SAFETY: it is of `qs_body_open`, and not used afterwards.
        drop(unsafe { Box::from_raw(body) });
    }
}

/// `qs_recipient` of the header.
#[repr(C)]
struct Recipient {
    address: *const c_char,
    kind: i32,
    status: i32,
    last_failure_message: *const c_char,
}

/// `qs_entry` of the header.
#[repr(C)]
struct Entry {
    id: *const c_char,
    state: c_int,
    problem: c_int,
    message: *const c_char,
    sender: *const c_char,
    recipients: *const Recipient,
    recipient_count: usize,
    created_at: i64,
    file_size: u64,
    revision: *const c_char,
}

/// `qs_list` of the header: a listing, and what its last entry points to.
struct List {
    listing: Listing,
    strings: Vec<CString>,
    recipients: Vec<Recipient>,
}

impl List {
    /// Retains a string, and returns the pointer to it, which stays where it is.
    fn retain(&mut self, string: String) -> *const c_char {
        let string = c_string(string);
        let pointer = string.as_ptr();
        self.strings.push(string);
        pointer
    }

    fn next(&mut self) -> Result<Entry, Failure> {
        self.strings.clear();
        self.recipients.clear();
        let next = self.listing.next_entry()?;
        let empty = self.retain(String::new());
        let mut entry = Entry {
            id: ptr::null(),
            state: 0,
            problem: 0,
            message: empty,
            sender: empty,
            recipients: ptr::null(),
            recipient_count: 0,
            created_at: 0,
            file_size: 0,
            revision: empty,
        };
        let Some(types::Entry { id, state, info, problem }) = next else {
            return Ok(entry);
        };
        entry.id = self.retain(id);
        entry.state = match state {
            State::Ready => 0,
            State::Held => 1,
            State::Quarantined => 2,
        };
        if let Some(problem) = problem {
            entry.problem = code(problem.code);
            entry.message = self.retain(Error::from(problem).to_string());
        } else if let Some(types::ItemInfo { envelope, file_size, revision, .. }) = info {
            entry.sender = self.retain(envelope.reverse_path);
            for recipient in envelope.recipients {
                let types::Recipient { address, kind, status, last_failure_message, original_address: _, via: _ } =
                    recipient;
                let (address, last_failure_message) = (self.retain(address), self.retain(last_failure_message));
                self.recipients.push(Recipient { address, kind, status, last_failure_message });
            }
            (entry.recipients, entry.recipient_count) = (self.recipients.as_ptr(), self.recipients.len());
            entry.created_at = envelope.created_at.map_or(0, |time| time.seconds);
            entry.file_size = file_size;
            entry.revision = self.retain(revision);
        }
        Ok(entry)
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn qs_list_open(queue: *const Queue, list: *mut *mut List) -> c_int {
    answer(|| {
        // SAFETY: they are as the header describes them.
        let queue = unsafe { reference(queue, "queue") }?;
        let place = place(list, "list")?;
        let listing = queue.items(&[], types::Detail::Envelope)?;
        let list = Box::into_raw(Box::new(List { listing, strings: Vec::new(), recipients: Vec::new() }));
        // SAFETY: it is as the header describes it.
        unsafe { place.write(list) };
        Ok(())
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn qs_list_next(list: *mut List, entry: *mut Entry) -> c_int {
    answer(|| {
        // SAFETY: they are as the header describes them.
        let list = unsafe { reference_mut(list, "list") }?;
        let place = place(entry, "entry")?;
        let entry = list.next()?;
        // SAFETY: it is as the header describes it.
        unsafe { place.write(entry) };
        Ok(())
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn qs_list_close(list: *mut List) {
    if !list.is_null() {
        // SAFETY: it is of `qs_list_open`, and not used afterwards.
        drop(unsafe { Box::from_raw(list) });
    }
}
