//! The smallest of many, in order, without holding more of them than that.

use crate::list::List;

/// The smallest elements so far: a heap with the largest one on top, once there are as many as are wanted.
pub(super) struct Smallest<T> {
    elements: List<T>,
    most: usize,
}

impl<T: Ord> Smallest<T> {
    pub(super) const fn new(most: usize) -> Smallest<T> {
        Smallest { elements: List::new(), most }
    }

    pub(super) fn push(&mut self, element: T) {
        if self.elements.len() < self.most {
            self.elements.push(element);
            if self.elements.len() == self.most {
                heap(&mut self.elements);
            }
        } else if let Some(top) = self.elements.first_mut()
            && element < *top
        {
            *top = element;
            sift(&mut self.elements, 0);
        }
    }

    pub(super) fn into_sorted(mut self) -> List<T> {
        heap(&mut self.elements);
        for end in (1..self.elements.len()).rev() {
            exchange(&mut self.elements, 0, end);
            sift(self.elements.get_mut(..end).unwrap_or_default(), 0);
        }
        self.elements
    }
}

/// Makes a heap of elements in any order.
fn heap<T: Ord>(elements: &mut [T]) {
    for place in (0..elements.len() / 2).rev() {
        sift(elements, place);
    }
}

/// Moves an element down to where none below it is larger.
#[inline(never)]
fn sift<T: Ord>(elements: &mut [T], mut place: usize) {
    while let Some(mut child) = elements.get(2 * place + 1) {
        let mut below = 2 * place + 1;
        if let Some(other) = elements.get(below + 1)
            && other > child
        {
            child = other;
            below += 1;
        }
        if elements.get(place).is_none_or(|element| element >= child) {
            return;
        }
        exchange(elements, place, below);
        place = below;
    }
}

/// Exchanges two elements, the first one before the second one.
fn exchange<T>(elements: &mut [T], first: usize, second: usize) {
    if let Some((before, from)) = elements.split_at_mut_checked(second)
        && let (Some(first), Some(second)) = (before.get_mut(first), from.first_mut())
    {
        core::mem::swap(first, second);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn the_smallest_come_in_order() {
        for most in [1, 2, 10, 200] {
            let mut smallest = Smallest::new(most);
            (0..100_u32).for_each(|number| smallest.push(number * 37 % 101));
            let mut expected: Vec<u32> = (0..100_u32).map(|number| number * 37 % 101).collect();
            expected.sort_unstable();
            expected.truncate(most);
            assert_eq!(*smallest.into_sorted(), expected);
        }
    }
}
