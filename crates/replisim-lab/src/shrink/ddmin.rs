//! Delta debugging: the smallest part of a list that still fails (Zeller and Hildebrandt, *Simplifying and Isolating
//! Failure-Inducing Input*, IEEE Transactions on Software Engineering 28(2), 2002, algorithm *ddmin*).
//!
//! The list is cut into n chunks. If one chunk fails alone, the others go; if everything but one chunk fails, that chunk
//! goes; if neither, the chunks are cut in half, until each holds one item.
//!
//! **Promises** that no single item can be left out of the result (it is *1-minimal*). It does not promise the smallest
//! failing part of all, which only trying every subset would find.

/// A smallest part of `items` that fails, given that all of them do.
///
/// `first_failing` is handed parts to try and says which is the first that fails. So the parts may be tried side by side
/// and the result is the same as if they had been tried in turn. It takes no more of them than it tries: all together
/// would be as many items as the square of the list's length. With at most `chunks_max` chunks, of which two is the least,
/// it tries a multiple of their number and of the logarithm of the length, and the result may be cut further.
pub(super) fn ddmin<T: Clone>(
    mut items: Vec<T>,
    chunks_max: usize,
    mut first_failing: impl FnMut(&mut dyn Iterator<Item = Vec<T>>) -> Option<usize>,
) -> Vec<T> {
    if items.is_empty() || first_failing(&mut std::iter::once(Vec::new())).is_some() {
        return Vec::new();
    }
    let mut chunks = 2;
    while items.len() > 1 {
        chunks = chunks.min(items.len());
        let parts = Partition { items: &items, chunks };
        // Of two chunks, each is what the other leaves.
        let alone = if chunks == items.len() && chunks > 2 { 0 } else { chunks };
        let rest = if chunks == 2 { 0 } else { chunks };
        let part = |which| if which < alone { parts.only(which) } else { parts.without(which - alone) };
        match first_failing(&mut (0..alone + rest).map(part)) {
            Some(which) => {
                let left = part(which);
                chunks = if which < alone { 2 } else { (chunks - 1).max(2) };
                items = left;
            }
            None if chunks == items.len().min(chunks_max) => break,
            None => chunks = (chunks * 2).min(chunks_max),
        }
    }
    items
}

/// A list in chunks that differ in length by one at most.
struct Partition<'a, T> {
    items: &'a [T],
    chunks: usize,
}

impl<T: Clone> Partition<'_, T> {
    fn only(&self, chunk: usize) -> Vec<T> {
        self.items[self.start(chunk)..self.start(chunk + 1)].to_vec()
    }

    fn without(&self, chunk: usize) -> Vec<T> {
        let (before, after) = (&self.items[..self.start(chunk)], &self.items[self.start(chunk + 1)..]);
        before.iter().chain(after).cloned().collect()
    }

    fn start(&self, chunk: usize) -> usize {
        chunk * self.items.len() / self.chunks
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Shrinks the numbers below `count` to what holds one of `causes` whole, and counts the tries.
    fn shrink(count: u32, causes: &[BTreeSet<u32>]) -> (Vec<u32>, usize) {
        let mut tries = 0;
        let fails = |part: &Vec<u32>| causes.iter().any(|cause| cause.iter().all(|item| part.contains(item)));
        let left = ddmin((0..count).collect(), usize::MAX, |parts| {
            parts.inspect(|_| tries += 1).position(|part| fails(&part))
        });
        assert!(fails(&left) || !fails(&(0..count).collect()));
        (left, tries)
    }

    proptest! {
        /// On a predicate that more items never mend, the result is one of the causes and nothing else.
        #[test]
        fn nothing_can_be_left_out_of_the_result(
            count in 1u32..120,
            causes in prop::collection::vec(prop::collection::btree_set(0u32..120, 0..6), 1..4),
        ) {
            let causes: Vec<BTreeSet<u32>> =
                causes.into_iter().map(|cause| cause.into_iter().map(|item| item % count).collect()).collect();
            let (left, _) = shrink(count, &causes);
            prop_assert!(causes.contains(&left.iter().copied().collect()), "{left:?} of {causes:?}");
        }
    }

    #[test]
    fn two_distant_causes_of_a_thousand_are_found_in_few_tries() {
        let (left, tries) = shrink(1_000, &[[3, 871].into()]);
        assert_eq!(left, [3, 871]);
        assert!(tries < 150, "{tries}");
    }

    #[test]
    fn what_fails_anyway_is_left_with_nothing() {
        assert_eq!(shrink(50, &[BTreeSet::new()]).0, Vec::<u32>::new());
    }
}
