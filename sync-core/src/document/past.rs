//! A set of a document's changes, by the place they were applied at.
//!
//! One bit each: a document of the most changes allowed costs 2 MiB for all its pasts, whatever its shape. Vector clocks
//! would cost two hundred times as much where each change has an actor of its own.

/// A causally closed set of changes.
#[derive(Debug, Clone, Default)]
pub(super) struct Past(Vec<u64>);

impl Past {
    pub(super) fn holds(&self, place: usize) -> bool {
        self.0.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    pub(super) fn add(&mut self, place: usize) {
        let words = self.0.len().max(place / 64 + 1);
        self.0.resize(words, 0);
        self.0[place / 64] |= 1 << (place % 64);
    }

    pub(super) fn union(mut self, other: &Self) -> Self {
        let words = self.0.len().max(other.0.len());
        self.0.resize(words, 0);
        for (word, others) in self.0.iter_mut().zip(&other.0) {
            *word |= others;
        }
        self
    }

    /// Whether whatever it holds below this place is held by the other one, too.
    pub(super) fn is_within(&self, other: &Self, below: usize) -> bool {
        let last = below / 64;
        self.0.iter().enumerate().take(last + 1).all(|(at, word)| {
            let counts = if at == last { (1 << (below % 64)) - 1 } else { u64::MAX };
            word & counts & !other.0.get(at).unwrap_or(&0) == 0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_union_holds_what_either_holds() {
        let (mut a, mut b) = (Past::default(), Past::default());
        a.add(3);
        b.add(200);
        let both = a.union(&b);
        assert!(both.holds(3) && both.holds(200));
        assert!(!both.holds(4) && !both.holds(4_000));
    }

    #[test]
    fn what_is_within_another_is_looked_at_below_a_place_only() {
        let places = |places: &[usize]| {
            let mut past = Past::default();
            places.iter().for_each(|place| past.add(*place));
            past
        };
        let (some, more) = (places(&[3, 70, 130]), places(&[3, 5, 70]));
        for (below, is_within) in [(0, true), (64, true), (128, true), (130, true), (131, false), (4_000, false)] {
            assert_eq!(some.is_within(&more, below), is_within, "below {below}");
        }
        assert!(!more.is_within(&some, 6) && more.is_within(&some, 5));
    }
}
