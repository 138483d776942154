//! The exports, by the canonical ABI of the component model: parameters as a host passes them into values, and results into
//! memory where a host finds them.
//!
//! Every type of the contract is laid out as the ABI wants it (see [`crate::list`]), so a parameter that is in memory is
//! there as a value already, and a result only has to stay where it is until the host has read it. It stays in
//! [`ANSWER`], from the end of one call to the beginning of the next one, which is when the host first asks for memory
//! for parameters, or else when it enters an export. So there is one result at a time, it is never there twice, and no
//! function for what follows a return (`cabi_post_*`) is needed.

use super::SingleThreaded;
use crate::error::{Error, Fields, Result};
use crate::list::{List, Maybe, Text};
use crate::message::{Envelope, Recipient, Timestamp};
use alloc::boxed::Box;
use core::cell::{Cell, UnsafeCell};
use core::mem::MaybeUninit;
use core::ptr::NonNull;

/// `result<T, error>`. Whatever `T` is, what is wrong has the same place, since nothing in the contract is aligned more than
/// an error is.
#[repr(C, u8)]
enum Answer<T> {
    /// `ok`.
    Ok(T),
    /// `err`.
    Err(#[expect(dead_code, reason = "the host reads it")] Fields),
}

/// Keeps `result<T, error>` for the host, until the next call begins.
pub(super) fn answer<T>(result: Result<T>) -> *const u8 {
    match result {
        Ok(value) => keep(Answer::Ok(value)),
        Err(error) => failed(error),
    }
}

#[cold]
#[inline(never)]
fn failed(error: Error) -> *const u8 {
    keep(Answer::<()>::Err(error.into_fields()))
}

/// The result of the last call.
struct Kept {
    result: UnsafeCell<MaybeUninit<[u64; KEPT_WORDS]>>,
    /// What drops it; none once it is dropped.
    drop: Cell<Option<unsafe fn(*mut u8)>>,
}

/// Room for the largest result.
const KEPT_WORDS: usize = 24;

static ANSWER: SingleThreaded<Kept> =
    SingleThreaded(Kept { result: UnsafeCell::new(MaybeUninit::uninit()), drop: Cell::new(None) });

/// Drops the result of the last call, which the host has read.
#[inline(never)]
pub(crate) fn begin() {
    if let Some(drop) = ANSWER.0.drop.take() {
        // SAFETY: a result of the type that this drops is there, and is dropped once.
        unsafe { drop(ANSWER.0.result.get().cast()) }
    }
}

/// Keeps a result for the host, until the next call begins.
pub(super) fn keep<T>(result: T) -> *const u8 {
    const { assert!(size_of::<T>() <= size_of::<[u64; KEPT_WORDS]>() && align_of::<T>() <= align_of::<u64>()) };
    unsafe fn drop<T>(result: *mut u8) {
        // SAFETY: as this function's.
        unsafe { result.cast::<T>().drop_in_place() }
    }
    let kept: *mut u8 = ANSWER.0.result.get().cast();
    // SAFETY: there is room, it is aligned, and what was there is dropped.
    unsafe { kept.cast::<T>().write(result) };
    ANSWER.0.drop.set(Some(drop::<T>));
    kept
}

/// The case of an enum that has this number.
///
/// # Safety
///
/// `T` is an enum without fields, laid out as a `u8`, that has such a case.
pub(super) const unsafe fn case<T: Copy>(number: u32) -> T {
    // SAFETY: as this function's.
    unsafe { core::mem::transmute_copy(&(number as u8)) }
}

/// The parameters of a function that has too many for registers.
///
/// # Safety
///
/// The host put them there, in memory that it got for them, which is freed.
pub(super) unsafe fn parameters<T>(at: *mut T) -> Box<T> {
    // SAFETY: memory for parameters is aligned, and has their size.
    unsafe { Box::from_raw(at) }
}

/// `option<string>` in registers.
///
/// # Safety
///
/// As [`Text::from_host`], if it is there.
pub(super) unsafe fn maybe_text(there: u32, start: *mut u8, length: usize) -> Maybe<Text> {
    // What is not there is null.
    match NonNull::new(start) {
        // SAFETY: as this function's.
        Some(start) if there != 0 => Maybe::Some(unsafe { Text::from_host(start, length) }),
        _ => Maybe::None,
    }
}

/// `envelope` in registers.
///
/// # Safety
///
/// As [`Text::from_host`] and [`List::from_host`].
#[expect(clippy::too_many_arguments, reason = "so many registers it takes")]
pub(super) unsafe fn envelope(
    reverse_path: NonNull<u8>,
    reverse_path_length: usize,
    to: NonNull<Text>,
    to_length: usize,
    recipients: NonNull<Recipient>,
    recipients_length: usize,
    created: u32,
    seconds: i64,
    nanos: i32,
) -> Envelope {
    // SAFETY: as this function's.
    unsafe {
        Envelope {
            reverse_path: Text::from_host(reverse_path, reverse_path_length),
            to: List::from_host(to, to_length),
            recipients: List::from_host(recipients, recipients_length),
            created_at: if created == 0 { Maybe::None } else { Maybe::Some(Timestamp { seconds, nanos }) },
        }
    }
}

/// Exports functions: `"name" => (parameter: kind, ...) result;`. The result is what [`answer`] or [`keep`] says. The kinds are
///
/// - a number's type: it is in a register as it is,
/// - `text`, `maybe_text`, `list<T>`, `envelope`, `options`: in registers,
/// - `case<T>`: an enum, in a register; `maybe_case<T>`: an optional one,
/// - `parameters<T>`: all parameters, in memory,
/// - `borrowed<T>`: a resource.
macro_rules! exports {
    ($($name:literal => ($($parameter:ident: $kind:tt $(<$of:ty>)?),*) $result:expr;)*) => {
        $($crate::component::abi::export! { $name [] [] [$($parameter $kind $(<$of>)?,)*] $result })*
    };
}

/// One export: `name [registers so far] [values so far] [parameters to come] result`.
macro_rules! export {
    ($name:literal [$($register:tt)*] [$($value:tt)*] [] $result:expr) => {
        const _: () = {
            #[unsafe(export_name = $name)]
            extern "C" fn export($($register)*) -> *const u8 {
                $crate::component::abi::begin();
                $($value)*
                $result
            }
        };
    };
    ($name:literal [$($r:tt)*] [$($v:tt)*] [$p:ident text, $($rest:tt)*] $result:expr) => {
        $crate::component::abi::export! { $name [$($r)* start: ::core::ptr::NonNull<u8>, length: usize,] [$($v)*
            // SAFETY: the host passes a string.
            let $p = unsafe { $crate::list::Text::from_host(start, length) };
        ] [$($rest)*] $result }
    };
    ($name:literal [$($r:tt)*] [$($v:tt)*] [$p:ident list<$of:ty>, $($rest:tt)*] $result:expr) => {
        $crate::component::abi::export! { $name [$($r)* start: ::core::ptr::NonNull<$of>, length: usize,] [$($v)*
            // SAFETY: the host passes a list.
            #[allow(unused_mut, reason = "most are only read")]
            let mut $p = unsafe { $crate::list::List::from_host(start, length) };
        ] [$($rest)*] $result }
    };
    ($name:literal [$($r:tt)*] [$($v:tt)*] [$p:ident maybe_text, $($rest:tt)*] $result:expr) => {
        $crate::component::abi::export! { $name [$($r)* there: u32, start: *mut u8, length: usize,] [$($v)*
            // SAFETY: the host passes an optional string.
            let $p = unsafe { $crate::component::abi::maybe_text(there, start, length) };
        ] [$($rest)*] $result }
    };
    ($name:literal [$($r:tt)*] [$($v:tt)*] [$p:ident envelope, $($rest:tt)*] $result:expr) => {
        $crate::component::abi::export! { $name [
            $($r)* path: ::core::ptr::NonNull<u8>, path_length: usize, to: ::core::ptr::NonNull<$crate::list::Text>, to_length: usize,
            recipients: ::core::ptr::NonNull<$crate::message::Recipient>, recipients_length: usize,
            created: u32, seconds: i64, nanos: i32,
        ] [$($v)*
            // SAFETY: the host passes an envelope.
            let mut $p = unsafe { $crate::component::abi::envelope(
                path, path_length, to, to_length, recipients, recipients_length, created, seconds, nanos,
            ) };
        ] [$($rest)*] $result }
    };
    ($name:literal [$($r:tt)*] [$($v:tt)*] [$p:ident case<$of:ty>, $($rest:tt)*] $result:expr) => {
        $crate::component::abi::export! { $name [$($r)* number: u32,] [$($v)*
            // SAFETY: the host passes the number of a case.
            let $p = unsafe { $crate::component::abi::case::<$of>(number) };
        ] [$($rest)*] $result }
    };
    ($name:literal [$($r:tt)*] [$($v:tt)*] [$p:ident maybe_case<$of:ty>, $($rest:tt)*] $result:expr) => {
        $crate::component::abi::export! { $name [$($r)* there: u32, number: u32,] [$($v)*
            // SAFETY: the host passes the number of a case, if it is there.
            let $p = (there != 0).then(|| unsafe { $crate::component::abi::case::<$of>(number) });
        ] [$($rest)*] $result }
    };
    ($name:literal [$($r:tt)*] [$($v:tt)*] [$p:ident options, $($rest:tt)*] $result:expr) => {
        $crate::component::abi::export! { $name [
            $($r)* there: u32, durability_there: u32, durability: u32, format_there: u32, format: u32,
            max_items_there: u32, max_items: u64, settings: *mut $crate::queue::Attribute, settings_length: usize,
        ] [$($v)*
            // SAFETY: the host passes optional options.
            let $p = (there != 0).then(|| unsafe { $crate::component::options::Options {
                durability: (durability_there != 0).then(|| $crate::component::abi::case(durability)).into(),
                format: (format_there != 0).then(|| $crate::component::abi::case(format)).into(),
                max_items: (max_items_there != 0).then_some(max_items).into(),
                settings: $crate::list::List::from_host(::core::ptr::NonNull::new_unchecked(settings), settings_length),
            } }).into();
        ] [$($rest)*] $result }
    };
    ($name:literal [] [] [$p:ident parameters<$of:ty>,] $result:expr) => {
        $crate::component::abi::export! { $name [at: *mut $of,] [
            // SAFETY: the host passes all parameters in memory.
            let mut $p = unsafe { $crate::component::abi::parameters(at) };
        ] [] $result }
    };
    ($name:literal [$($r:tt)*] [$($v:tt)*] [$p:ident borrowed<$of:ty>, $($rest:tt)*] $result:expr) => {
        $crate::component::abi::export! { $name [$($r)* at: *mut $of,] [$($v)*
            // SAFETY: the host lends a resource, and no other call has it: none begins before another one ended.
            let $p = unsafe { &mut *at };
        ] [$($rest)*] $result }
    };
    ($name:literal [$($r:tt)*] [$($v:tt)*] [$p:ident $number:ty, $($rest:tt)*] $result:expr) => {
        $crate::component::abi::export! { $name [$($r)* $p: $number,] [$($v)*] [$($rest)*] $result }
    };
}

pub(super) use {export, exports};
