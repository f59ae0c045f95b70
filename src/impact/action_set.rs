use std::ops::Range;

/// A set of actions: one bit for each action of [`Actions`](super::Actions).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ActionSet {
    words: Box<[u64]>,
    /// The number of actions of which this is a set.
    size: usize,
}

impl ActionSet {
    /// No action of `size`.
    pub fn none(size: usize) -> Self {
        ActionSet { words: vec![0; size.div_ceil(64)].into(), size }
    }

    /// Every action of `size`.
    pub fn all(size: usize) -> Self {
        let mut set = ActionSet::none(size);
        set.insert_range(0..size);
        set
    }

    pub(super) fn insert(&mut self, index: usize) {
        self.words[index / 64] |= 1 << (index % 64);
    }

    pub(super) fn insert_range(&mut self, range: Range<usize>) {
        range.for_each(|index| self.insert(index));
    }

    /// Whether the action with this index is in the set.
    pub fn contains(&self, index: usize) -> bool {
        self.words[index / 64] >> (index % 64) & 1 == 1
    }

    /// Whether no action is in the set.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// The number of actions in the set.
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The indices of the actions in the set, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(position, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
                rest &= rest - 1;
                Some(position * 64 + bit)
            })
        })
    }

    pub(super) fn add(&mut self, other: &ActionSet) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    fn combined(&self, other: &ActionSet, combine: impl Fn(u64, u64) -> u64) -> ActionSet {
        let words = self.words.iter().zip(&other.words).map(|(&a, &b)| combine(a, b)).collect();
        ActionSet { words, size: self.size }
    }

    /// The actions of both sets.
    #[must_use]
    pub fn and(&self, other: &ActionSet) -> ActionSet {
        self.combined(other, |a, b| a & b)
    }

    /// The actions of either set.
    #[must_use]
    pub fn or(&self, other: &ActionSet) -> ActionSet {
        self.combined(other, |a, b| a | b)
    }

    /// The actions of this set that `other` does not have.
    #[must_use]
    pub fn without(&self, other: &ActionSet) -> ActionSet {
        self.combined(other, |a, b| a & !b)
    }

    /// The actions that the set does not have.
    #[must_use]
    pub fn inverted(&self) -> ActionSet {
        ActionSet::all(self.size).without(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_a_size_that_is_not_a_multiple_of_64_has_no_other_actions() {
        let all = ActionSet::all(70);
        assert_eq!((all.len(), all.inverted().len()), (70, 0));
        let mut set = ActionSet::none(70);
        [0, 63, 64, 69].into_iter().for_each(|index| set.insert(index));
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 63, 64, 69]);
        assert_eq!(set.inverted().len(), 66);
        assert!(set.contains(69) && !set.contains(68) && set.without(&all).is_empty());
    }
}
