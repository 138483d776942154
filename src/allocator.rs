//! The memory allocator: small, and made for what a queue does, which is to fill a few large buffers again and again, and to
//! make and drop many small strings.
//!
//! - Sizes are rounded up by at most an eighth, so that what grows by little grows in place.
//! - Blocks up to [`SMALL`] bytes come from a list for each size and go back there.
//! - Larger ones are cut from the first run of free memory that has room, and are joined with the free runs beside them when
//!   they come back.
//! - What is missing comes from the host, and never goes back to it: the memory of an instance does not shrink.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::ptr;

/// Bytes of the largest block that comes from a list.
const SMALL: usize = 1 << 10;

/// Bytes that every size is a multiple of, and every address.
const GRAIN: usize = 16;

/// Bytes that lists are filled with at a time.
const FILL: usize = 8 << 10;

/// Bytes that the host gives at a time.
const PAGE: usize = 64 << 10;

/// A block, or a run of them, that is free.
struct Free {
    next: *mut Free,
    size: usize,
}

/// The allocator.
pub(crate) struct Allocator {
    /// Free blocks, by their size in grains.
    small: [Cell<*mut Free>; SMALL / GRAIN + 1],
    /// Free runs, by their addresses.
    runs: Cell<*mut Free>,
    /// Grows the memory by some pages, and says at which page they begin; `usize::MAX` where there are no more.
    grow: fn(usize) -> usize,
}

// SAFETY: WebAssembly without the threads proposal has one thread, so nothing is shared between threads.
unsafe impl Sync for Allocator {}

/// The size of the block for so many bytes. Above the largest block there is, it is more than there can be.
const fn rounded(size: usize) -> usize {
    let step = match size.checked_next_power_of_two() {
        Some(power) if power >> 4 > GRAIN => power >> 4,
        Some(_) => GRAIN,
        None => return usize::MAX,
    };
    size.saturating_add(step - 1) & !(step - 1)
}

impl Allocator {
    /// An allocator of memory that `grow` gives.
    pub(crate) const fn new(grow: fn(usize) -> usize) -> Allocator {
        Allocator {
            small: [const { Cell::new(ptr::null_mut()) }; SMALL / GRAIN + 1],
            runs: Cell::new(ptr::null_mut()),
            grow,
        }
    }

    /// A run of so many bytes, which are rounded.
    fn take_run(&self, size: usize) -> *mut u8 {
        loop {
            let mut link = &self.runs;
            loop {
                let run = link.get();
                if run.is_null() {
                    break;
                }
                // SAFETY: what is on the list is free memory, and begins with its size and the address of the next one.
                unsafe {
                    if (*run).size >= size {
                        // The end of it is taken, so that the list stays as it is.
                        (*run).size -= size;
                        if (*run).size == 0 {
                            link.set((*run).next);
                        }
                        return run.byte_add((*run).size).cast();
                    }
                    link = Cell::from_mut(&mut (*run).next);
                }
            }
            let Some(pages) = size.checked_add(PAGE - 1).map(|size| size / PAGE) else {
                return ptr::null_mut();
            };
            let begin = (self.grow)(pages);
            if begin == usize::MAX {
                return ptr::null_mut();
            }
            self.give_run(ptr::with_exposed_provenance_mut(begin * PAGE), pages * PAGE);
        }
    }

    /// Gives a run back.
    fn give_run(&self, run: *mut u8, size: usize) {
        let run: *mut Free = run.cast();
        let mut before: *mut Free = ptr::null_mut();
        let mut next = self.runs.get();
        // SAFETY: what is on the list is free memory, and so is what is given back, which is large enough for an entry.
        unsafe {
            while !next.is_null() && next < run {
                before = next;
                next = (*next).next;
            }
            (*run).size = size;
            (*run).next = next;
            if !next.is_null() && run.byte_add(size) == next {
                (*run).size += (*next).size;
                (*run).next = (*next).next;
            }
            if before.is_null() {
                self.runs.set(run);
            } else if before.byte_add((*before).size) == run {
                (*before).size += (*run).size;
                (*before).next = (*run).next;
            } else {
                (*before).next = run;
            }
        }
    }

    /// A small block of a rounded size.
    fn take_small(&self, size: usize) -> *mut u8 {
        let Some(list) = self.small.get(size / GRAIN) else {
            return self.take_run(size);
        };
        if list.get().is_null() {
            let begin = self.take_run(FILL);
            if begin.is_null() {
                return begin;
            }
            // What is left at the end is less than a block, and of the one size that this list has; it is left alone.
            for block in 0..FILL / size.max(GRAIN) {
                // SAFETY: it is within the run.
                self.give_small(list, unsafe { begin.add(block * size) });
            }
        }
        let block = list.get();
        // SAFETY: a block on a list begins with the address of the next one.
        list.set(unsafe { (*block).next });
        block.cast()
    }

    fn give_small(&self, list: &Cell<*mut Free>, block: *mut u8) {
        let block: *mut Free = block.cast();
        // SAFETY: a block that is free is this list's, and large enough for an address.
        unsafe { (*block).next = list.get() };
        list.set(block);
    }
}

// SAFETY: a block is on no list from when it is given out to when it comes back, it has the size that is asked for, and its
// address is a multiple of `GRAIN`; what needs another one gets none.
unsafe impl GlobalAlloc for Allocator {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() > GRAIN { ptr::null_mut() } else { self.take_small(rounded(layout.size())) }
    }

    #[inline(never)]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let size = rounded(layout.size());
        match self.small.get(size / GRAIN) {
            Some(list) => self.give_small(list, block),
            None => self.give_run(block, size),
        }
    }

    #[inline(never)]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let (old, less) = (rounded(layout.size()), rounded(size));
        if old == less {
            return block;
        }
        if less < old && less > SMALL {
            // SAFETY: what is given back is the end of the block, and large enough for an entry.
            self.give_run(unsafe { block.add(less) }, old - less);
            return block;
        }
        // SAFETY: the size is not 0, and within the bounds of a layout.
        let new = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !new.is_null() {
            // SAFETY: both have so many bytes, the old block is what the caller says, and neither overlaps the other.
            unsafe {
                ptr::copy_nonoverlapping(block, new, layout.size().min(size));
                self.dealloc(block, layout);
            }
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;
    use core::sync::atomic::{AtomicUsize, Ordering};

    static PAGES: AtomicUsize = AtomicUsize::new(0);

    /// Memory of the system, and how many pages of it were asked for. Pages of one call follow each other.
    fn grow(pages: usize) -> usize {
        PAGES.fetch_add(pages, Ordering::Relaxed);
        let memory = vec![0_u8; (pages + 1) * PAGE].leak();
        memory.as_mut_ptr().expose_provenance().div_ceil(PAGE)
    }

    #[test]
    fn sizes_are_rounded_by_little_and_to_what_has_a_list() {
        for size in 1..100_000 {
            let rounded = rounded(size);
            assert!(
                rounded >= size
                    && rounded.is_multiple_of(GRAIN)
                    && (rounded - size < GRAIN || rounded - size <= size / 8)
            );
            assert_eq!(super::rounded(rounded), rounded);
        }
        assert_eq!(rounded(64 << 20), 64 << 20);
        assert_eq!(rounded(usize::MAX), usize::MAX);
    }

    #[test]
    fn what_is_used_again_and_again_needs_no_more_memory() {
        let allocator = Allocator::new(grow);
        let mut random = 1_u64;
        let mut blocks: Vec<(*mut u8, Layout, u8)> = Vec::new();
        let mut peak = 0;
        for round in 0..200_000_u64 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let size = 1 + (random >> 33) as usize % if random >> 60 == 0 { 200_000 } else { 600 };
            let layout = Layout::from_size_align(size, 8).expect("a layout");
            // SAFETY: every block is given back with its layout, and nothing is read beyond its size.
            unsafe {
                if blocks.len() >= 100 {
                    let (block, layout, mark) = blocks.swap_remove((random >> 20) as usize % 100);
                    assert_eq!((*block, *block.add(layout.size() - 1)), (mark, mark), "nobody else wrote there");
                    allocator.dealloc(block, layout);
                }
                let mut block = allocator.alloc(layout);
                let mut layout = layout;
                block.write_bytes(round as u8, size);
                if round % 3 == 0 {
                    block = allocator.realloc(block, layout, size * 2);
                    layout = Layout::from_size_align(size * 2, 8).expect("a layout");
                    assert_eq!(*block.add(size - 1), round as u8, "what was there is there");
                    block.write_bytes(round as u8, size * 2);
                }
                assert_eq!(block.addr() % GRAIN, 0);
                blocks.push((block, layout, round as u8));
            }
            if round == 100_000 {
                peak = PAGES.load(Ordering::Relaxed);
            }
        }
        assert!(PAGES.load(Ordering::Relaxed) <= peak + peak / 4, "memory is used again");
    }

    #[test]
    fn what_a_large_block_gives_up_is_used_again_and_the_rest_stays_where_it_is() {
        static GROWN: AtomicUsize = AtomicUsize::new(0);
        let allocator = Allocator::new(|pages| {
            GROWN.fetch_add(1, Ordering::Relaxed);
            grow(pages)
        });
        let layout = |size| Layout::from_size_align(size, 8).expect("a layout");
        let (large, small, more) = (rounded(200_000), rounded(50_000), rounded(100_000));
        // SAFETY: every block is given back with its layout, and nothing is written beyond its size.
        unsafe {
            let block = allocator.alloc(layout(large));
            block.write_bytes(7, large);
            assert_eq!(allocator.realloc(block, layout(large), small), block);
            let grown = GROWN.load(Ordering::Relaxed);
            let other = allocator.alloc(layout(more));
            other.write_bytes(9, more);
            assert_eq!(GROWN.load(Ordering::Relaxed), grown, "the end of the first one had room");
            assert_eq!((*block, *block.add(small - 1)), (7, 7));
            allocator.dealloc(other, layout(more));
            allocator.dealloc(block, layout(small));
        }
    }
}
