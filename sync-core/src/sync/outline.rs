//! The outlines of a person's beats, as their devices draw them: an operator's map, which no log records.
//!
//! A device says by a mark which ones it has, and is told all of them where the server's are others.

use minicbor::{Decode, Encode};

use crate::id::ScopeId;

const PER_DEGREE: f64 = 1e6;
/// Farther from 0 no degree is.
const MOST_DEGREES: [f64; 2] = [180.0, 90.0];

/// All outlines that a device is told of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Outlines {
    /// Names them; the device says it in its next request. Chosen by the server, 0 where there are none.
    #[n(1)]
    pub mark: u64,
    /// Each, in any order.
    #[n(2)]
    pub beats: Vec<Outline>,
}

/// The outline of one beat.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Outline {
    /// The beat's scope.
    #[n(0)]
    pub scope: ScopeId,
    /// Closed lines. What lies inside of an odd number of them lies inside of the beat.
    #[n(1)]
    pub rings: Vec<Ring>,
}

/// A closed line, whose last corner goes on to its first: millionths of a degree (0.1 m), east and north in turn, each as the
/// difference from the corner before; the first from 0.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Ring(#[n(0)] Vec<i32>);

impl Ring {
    /// Of corners, degrees east and degrees north. One that repeats the corner before it, or the first at the end, is left
    /// out.
    pub fn of(corners: impl IntoIterator<Item = [f64; 2]>) -> Self {
        let whole = |degrees: f64| (degrees * PER_DEGREE).round() as i32;
        let mut corners: Vec<_> = corners.into_iter().map(|corner| corner.map(whole)).collect();
        corners.dedup();
        if corners.len() > 1 && corners.first() == corners.last() {
            corners.pop();
        }
        let mut before = [0; 2];
        let difference = |corner: [i32; 2]| {
            let from = std::mem::replace(&mut before, corner);
            [corner[0].wrapping_sub(from[0]), corner[1].wrapping_sub(from[1])]
        };
        Self(corners.into_iter().flat_map(difference).collect())
    }

    /// Its corners, degrees east and degrees north; `None` where it leaves the globe.
    pub fn corners(&self) -> Option<Vec<[f64; 2]>> {
        let mut at = [0_i32; 2];
        let corner = |step: &[i32; 2]| {
            at = [at[0].wrapping_add(step[0]), at[1].wrapping_add(step[1])];
            let corner = at.map(|whole| f64::from(whole) / PER_DEGREE);
            let is_on_globe = corner.iter().zip(MOST_DEGREES).all(|(degrees, most)| degrees.abs() <= most);
            is_on_globe.then_some(corner)
        };
        self.0.as_chunks().0.iter().map(corner).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_read_back_to_a_tenth_of_a_metre_and_the_line_is_closed_by_itself() {
        let corners = [[76.889_709_4, 43.238_949], [76.9, 43.2], [-179.999_999, -90.0], [180.0, 90.0]];
        let closed = corners.into_iter().chain([corners[0]]);
        let read = Ring::of(closed).corners().expect("on the globe");
        assert_eq!(read, [[76.889_709, 43.238_949], [76.9, 43.2], [-179.999_999, -90.0], [180.0, 90.0]]);
    }

    #[test]
    fn a_corner_that_repeats_the_one_before_is_said_once() {
        let twice = [[1.0, 1.0], [1.000_000_1, 1.0], [2.0, 1.0], [2.0, 2.0], [1.0, 1.0]];
        assert_eq!(Ring::of(twice), Ring(vec![1_000_000, 1_000_000, 1_000_000, 0, 0, 1_000_000]));
        assert_eq!(Ring::of([[1.0, 1.0], [1.0, 1.0]]).corners(), Some(vec![[1.0, 1.0]]));
    }

    #[test]
    fn a_line_that_leaves_the_globe_is_none() {
        for steps in [vec![180_000_001, 0], vec![0, -90_000_001], vec![i32::MAX, 0, i32::MAX, 0]] {
            assert_eq!(Ring(steps.clone()).corners(), None, "{steps:?}");
        }
        assert_eq!(Ring(vec![1, 2, 3]).corners().map(|corners| corners.len()), Some(1), "half a corner is none");
    }
}
