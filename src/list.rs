//! Lists, strings and options as the canonical ABI of the component model lays them out in memory, so that a record of the
//! contract is a struct of this crate: what a host passes is used as it lies there, and what a host gets is what the
//! queue made. Nothing is converted.
//!
//! A list is its address and its length. It has no capacity: it grows by one element at a time, which costs little since
//! the allocator rounds sizes up, and by more and more.

use alloc::alloc::{Layout, alloc, dealloc, handle_alloc_error, realloc};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Debug};
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use core::ptr::{self, NonNull, without_provenance_mut};
use core::slice;

/// `list<T>`.
#[repr(C)]
pub struct List<T> {
    /// Not null where there is nothing, too: that is what a host got for it.
    start: NonNull<T>,
    length: usize,
}

impl<T> List<T> {
    /// A list of nothing.
    pub const fn new() -> List<T> {
        List { start: NonNull::dangling(), length: 0 }
    }

    /// The list that a host put into memory that it got from this component.
    ///
    /// # Safety
    ///
    /// `length` elements of this type are at `start`, in an allocation of their size, which becomes the list's.
    pub const unsafe fn from_host(start: NonNull<T>, length: usize) -> List<T> {
        List { start, length }
    }

    /// Appends an element.
    pub fn push(&mut self, element: T) {
        self.start = resize(self.start.cast(), Layout::new::<T>(), self.length, self.length + 1).cast();
        // SAFETY: there is room for one more.
        unsafe { self.start.add(self.length).write(element) };
        self.length += 1;
    }

    /// Takes the last element.
    pub fn pop(&mut self) -> Option<T> {
        let last = self.length.checked_sub(1)?;
        // SAFETY: it is there, and not any more.
        let element = unsafe { self.start.add(last).read() };
        self.start = resize(self.start.cast(), Layout::new::<T>(), self.length, last).cast();
        self.length = last;
        Some(element)
    }
}

/// Makes the allocation of so many elements one of another number of them.
#[inline(never)]
fn resize(start: NonNull<u8>, element: Layout, old: usize, new: usize) -> NonNull<u8> {
    let layout = |length: usize| Layout::from_size_align(element.size().saturating_mul(length), element.align());
    let (Ok(old), Ok(new)) = (layout(old), layout(new)) else {
        handle_alloc_error(element);
    };
    // SAFETY: nothing is allocated where nothing is there, and what is was allocated with this layout.
    let resized = unsafe {
        if new.size() == 0 {
            if old.size() > 0 {
                dealloc(start.as_ptr(), old);
            }
            without_provenance_mut(new.align())
        } else if old.size() == 0 {
            alloc(new)
        } else {
            realloc(start.as_ptr(), old, new.size())
        }
    };
    NonNull::new(resized).unwrap_or_else(|| handle_alloc_error(new))
}

impl<T> Default for List<T> {
    fn default() -> List<T> {
        List::new()
    }
}

impl From<Vec<u8>> for List<u8> {
    fn from(mut bytes: Vec<u8>) -> List<u8> {
        bytes.shrink_to_fit();
        let mut bytes = ManuallyDrop::new(bytes);
        // SAFETY: a vector's address is not null.
        List { start: unsafe { NonNull::new_unchecked(bytes.as_mut_ptr()) }, length: bytes.len() }
    }
}

impl From<List<u8>> for Vec<u8> {
    fn from(list: List<u8>) -> Vec<u8> {
        let list = ManuallyDrop::new(list);
        // SAFETY: the allocation has the size of what is there.
        unsafe { Vec::from_raw_parts(list.start.as_ptr(), list.length, list.length) }
    }
}

impl<T> Drop for List<T> {
    fn drop(&mut self) {
        // SAFETY: the elements are there, and not any more.
        unsafe { ptr::slice_from_raw_parts_mut(self.start.as_ptr(), self.length).drop_in_place() };
        resize(self.start.cast(), Layout::new::<T>(), self.length, 0);
    }
}

impl<T> Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: so many elements are there.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl<T> DerefMut for List<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: so many elements are there, and nobody else has them.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }
}

impl<'a, T> IntoIterator for &'a List<T> {
    type Item = &'a T;
    type IntoIter = slice::Iter<'a, T>;

    fn into_iter(self) -> slice::Iter<'a, T> {
        self.iter()
    }
}

impl<T: Clone> Clone for List<T> {
    fn clone(&self) -> List<T> {
        self.iter().cloned().collect()
    }
}

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> List<T> {
        let mut list = List::new();
        elements.into_iter().for_each(|element| list.push(element));
        list
    }
}

impl<T: PartialEq> PartialEq for List<T> {
    fn eq(&self, other: &List<T>) -> bool {
        **self == **other
    }
}

impl<T: Eq> Eq for List<T> {}

impl<T: Debug> Debug for List<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

/// `string`.
#[derive(Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Text(List<u8>);

impl Text {
    /// The string that a host put into memory that it got from this component.
    ///
    /// # Safety
    ///
    /// `length` bytes of UTF-8 are at `start`, in an allocation of their size, which becomes the string's.
    pub const unsafe fn from_host(start: NonNull<u8>, length: usize) -> Text {
        // SAFETY: as this function's.
        Text(unsafe { List::from_host(start, length) })
    }

    /// These, one after the other.
    #[inline(never)]
    pub fn of(parts: &[&str]) -> Text {
        let mut text = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
        parts.iter().for_each(|part| text.extend_from_slice(part.as_bytes()));
        Text(text.into())
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        // SAFETY: it was made of a string, or is a host's, which passes nothing else.
        unsafe { str::from_utf8_unchecked(&self.0) }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text::of(&[text])
    }
}

impl Clone for Text {
    fn clone(&self) -> Text {
        Text::of(&[self])
    }
}

impl From<String> for Text {
    fn from(text: String) -> Text {
        Text(text.into_bytes().into())
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

/// A list that is always there, and never changes.
#[repr(C)]
pub struct Fixed<T: 'static> {
    start: *const T,
    length: usize,
}

// SAFETY: it is what a shared reference is.
unsafe impl<T: Sync> Sync for Fixed<T> {}

impl<T> Fixed<T> {
    /// These elements.
    pub const fn of(elements: &'static [T]) -> Fixed<T> {
        Fixed::at(elements.as_ptr(), elements.len())
    }

    /// So many elements, from this one on.
    pub(crate) const fn at(start: *const T, length: usize) -> Fixed<T> {
        Fixed { start, length }
    }
}

impl Fixed<u8> {
    /// A string.
    pub const fn text(text: &'static str) -> Fixed<u8> {
        Fixed::of(text.as_bytes())
    }
}

/// `option<T>`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, u8)]
pub enum Maybe<T> {
    /// `none`.
    #[default]
    None,
    /// `some`.
    Some(T),
}

impl<T> Maybe<T> {
    /// As the language has it.
    pub fn into_option(self) -> Option<T> {
        match self {
            Maybe::None => None,
            Maybe::Some(value) => Some(value),
        }
    }

    /// What is there, as the language has it.
    pub const fn as_ref(&self) -> Option<&T> {
        match self {
            Maybe::None => None,
            Maybe::Some(value) => Some(value),
        }
    }

    /// Whether nothing is there.
    pub const fn is_none(&self) -> bool {
        matches!(self, Maybe::None)
    }
}

impl<T> From<Option<T>> for Maybe<T> {
    fn from(option: Option<T>) -> Maybe<T> {
        match option {
            None => Maybe::None,
            Some(value) => Maybe::Some(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_what_was_put_there() {
        let mut list = List::new();
        assert!(list.is_empty() && Vec::from(List::<u8>::new()).is_empty());
        for length in 1..=100 {
            list.push(Text::from("an element"));
            assert_eq!(list.len(), length);
        }
        assert_eq!(list.clone(), list);
        for length in (0..100).rev() {
            assert_eq!(list.pop().as_deref(), Some("an element"));
            assert_eq!(list.len(), length);
        }
        assert_eq!(list.pop(), None);
        assert_eq!(&*Text::from("ñ".repeat(3)), "ñññ");
        assert_eq!(*List::from([1, 2].to_vec()), [1, 2]);
    }
}
