//! The inside of a literal of the protocol buffer text format: bytes into it, and back.
//!
//! A crate of its own because these are the loops that every byte of a mail passes: they are compiled for speed, and the rest
//! of the component for size.
#![no_std]

#[cfg(test)]
extern crate alloc;

mod block;
pub mod escape;
pub mod unescape;
pub mod utf8;
