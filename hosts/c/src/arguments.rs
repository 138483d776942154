//! Arguments from C.

use crate::errors::Failure;
use queue_store_host::types::{Durability, Envelope, Format, WriteOptions};
use std::ffi::{CStr, c_char, c_int};
use std::ptr::NonNull;
use std::{ptr, slice};

/// Bytes of an id with its zero, at most.
const ID_SIZE: usize = 256;

/// `qs_mail` of the header.
#[repr(C)]
pub(crate) struct Mail {
    sender: *const c_char,
    to: *const *const c_char,
    to_count: usize,
    id: *const c_char,
    durability: c_int,
    is_binary: c_int,
    max_items: u64,
    max_body_bytes: u64,
}

/// The arguments of a put.
pub(crate) struct Put {
    pub(crate) id: Option<String>,
    pub(crate) envelope: Envelope,
    pub(crate) options: WriteOptions,
}

impl Put {
    /// Copies the arguments from a mail.
    ///
    /// # Safety
    ///
    /// `mail` is null, or points to a mail as the header describes it.
    pub(crate) unsafe fn new(mail: *const Mail) -> Result<Put, Failure> {
        // SAFETY: the caller's.
        let mail = unsafe { reference(mail, "mail") }?;
        // SAFETY: the mail is as described, so that these are strings, null, or an array of that many strings.
        let (sender, to, id) =
            unsafe { (optional_string(mail.sender)?, items(mail.to, mail.to_count, "to")?, optional_string(mail.id)?) };
        // SAFETY: each is a string.
        let to = to.iter().map(|address| unsafe { string(*address, "to") }).collect::<Result<_, _>>()?;
        let durability = match mail.durability {
            0 => Durability::Full,
            1 => Durability::ContentOnly,
            2 => Durability::None,
            _ => return Err(Failure::invalid("`durability` is none of `enum qs_durability`")),
        };
        let optional = |number| if number == 0 { None } else { Some(number) };
        Ok(Put {
            id,
            envelope: Envelope { reverse_path: sender.unwrap_or_default(), to, ..Envelope::default() },
            options: WriteOptions {
                durability: Some(durability),
                format: Some(if mail.is_binary == 0 { Format::Text } else { Format::Binary }),
                max_items: optional(mail.max_items),
                max_body_bytes: optional(mail.max_body_bytes),
            },
        })
    }
}

/// Returns what a pointer points to.
///
/// # Safety
///
/// The pointer is null, or points to a value that is valid for as long as the reference is used.
pub(crate) unsafe fn reference<'a, T>(pointer: *const T, name: &str) -> Result<&'a T, Failure> {
    // SAFETY: the caller's.
    unsafe { pointer.as_ref() }.ok_or_else(|| Failure::invalid(&format!("`{name}` is NULL")))
}

/// Returns the place for a result, which need not be initialized.
pub(crate) fn place<T>(pointer: *mut T, name: &str) -> Result<NonNull<T>, Failure> {
    NonNull::new(pointer).ok_or_else(|| Failure::invalid(&format!("`{name}` is NULL")))
}

/// Returns what a pointer points to, and nothing else.
///
/// # Safety
///
/// The pointer is null, or points to a value that is valid, and not used elsewhere, for as long as the reference is used.
pub(crate) unsafe fn reference_mut<'a, T>(pointer: *mut T, name: &str) -> Result<&'a mut T, Failure> {
    // SAFETY: the caller's.
    unsafe { pointer.as_mut() }.ok_or_else(|| Failure::invalid(&format!("`{name}` is NULL")))
}

/// Returns an array.
///
/// # Safety
///
/// The pointer points to that many values, which are valid for as long as the slice is used; or is null.
pub(crate) unsafe fn items<'a, T>(pointer: *const T, count: usize, name: &str) -> Result<&'a [T], Failure> {
    if count == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() {
        return Err(Failure::invalid(&format!("`{name}` is NULL")));
    }
    // SAFETY: the caller's, and it is not null.
    Ok(unsafe { slice::from_raw_parts(pointer, count) })
}

/// Copies a string.
///
/// # Safety
///
/// The pointer is null or a string that ends with a zero.
pub(crate) unsafe fn string(pointer: *const c_char, name: &str) -> Result<String, Failure> {
    // SAFETY: the caller's.
    let string = unsafe { optional_string(pointer) }?;
    string.ok_or_else(|| Failure::invalid(&format!("`{name}` is NULL")))
}

/// Copies a string; none if the pointer is null.
///
/// # Safety
///
/// The pointer is null or a string that ends with a zero.
pub(crate) unsafe fn optional_string(pointer: *const c_char) -> Result<Option<String>, Failure> {
    // SAFETY: the caller's.
    let Some(bytes) = (unsafe { optional_bytes(pointer) }) else {
        return Ok(None);
    };
    match str::from_utf8(bytes) {
        Ok(string) => Ok(Some(string.to_string())),
        Err(_) => Err(Failure::invalid(&format!("a string is not UTF-8: \"{}\"", bytes.escape_ascii()))),
    }
}

/// Returns the bytes of a string without its zero; none if the pointer is null.
///
/// # Safety
///
/// The pointer is null, or a string that ends with a zero and is valid for as long as the bytes are used.
pub(crate) unsafe fn optional_bytes<'a>(pointer: *const c_char) -> Option<&'a [u8]> {
    // SAFETY: the caller's, and it is not null.
    (!pointer.is_null()).then(|| unsafe { CStr::from_ptr(pointer) }.to_bytes())
}

/// Writes an id to where the caller wants it.
///
/// # Safety
///
/// The pointer is null, or has room for `QS_ID_SIZE` bytes.
pub(crate) unsafe fn write_id(id: &str, to: *mut c_char) {
    if to.is_null() {
        return;
    }
    assert!(id.len() < ID_SIZE, "file names have at most 255 bytes");
    // SAFETY: there is room for the id and its zero, and a `String` of this crate is not the caller's memory.
    unsafe {
        ptr::copy_nonoverlapping(id.as_ptr().cast(), to, id.len());
        *to.add(id.len()) = 0;
    }
}
