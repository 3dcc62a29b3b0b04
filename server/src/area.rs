//! The outline of a beat: a GeoJSON geometry (RFC 7946) of one or several polygons.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Corners in all rings of an outline, at most.
pub const MAX_CORNERS: usize = 10_000;

/// Degrees east and degrees north, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(value_type = Vec<f64>, example = json!([76.9, 43.2]))]
pub struct Corner(f64, f64);
/// A closed line: its last corner is its first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(value_type = Vec<Vec<f64>>)]
pub struct Ring(Vec<Corner>);

/// One or several polygons, each its outer ring and then its holes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", content = "coordinates")]
pub enum Area {
    /// One piece.
    Polygon(Vec<Ring>),
    /// Several pieces.
    MultiPolygon(Vec<Vec<Ring>>),
}

/// Why an outline is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AreaError {
    /// A ring that does not close, or has fewer than three sides.
    #[error("a ring has at least four corners, and its last is its first")]
    Open,
    /// A corner that is nowhere.
    #[error("a corner lies outside of the globe; longitude comes first")]
    OffGlobe,
    /// More than any map can show.
    #[error("more than {MAX_CORNERS} corners: simplify the outline")]
    TooManyCorners,
    /// No ring at all.
    #[error("the outline is empty")]
    Empty,
}

impl Area {
    /// A rectangle, from its south-western to its north-eastern corner, each degrees east and degrees north.
    pub fn rectangle([west, south]: [f64; 2], [east, north]: [f64; 2]) -> Self {
        let around = [[west, south], [east, south], [east, north], [west, north], [west, south]];
        Self::Polygon(vec![Ring(around.into_iter().map(|[lon, lat]| Corner(lon, lat)).collect())])
    }

    /// Whether a point, degrees east and degrees north, lies inside.
    pub fn contains(&self, point: [f64; 2]) -> bool {
        // Inside of an odd number of a polygon's rings: in its outer one, and in none of its holes.
        let is_in = |rings: &Vec<Ring>| rings.iter().filter(|ring| ring.surrounds(point)).count() % 2 == 1;
        self.polygons().iter().any(is_in)
    }

    /// Each ring's corners, degrees east and degrees north.
    pub fn rings(&self) -> impl Iterator<Item = impl Iterator<Item = [f64; 2]>> {
        self.polygons().iter().flatten().map(|Ring(corners)| corners.iter().map(|Corner(lon, lat)| [*lon, *lat]))
    }

    const fn polygons(&self) -> &[Vec<Ring>] {
        match self {
            Self::Polygon(rings) => std::slice::from_ref(rings),
            Self::MultiPolygon(polygons) => polygons.as_slice(),
        }
    }

    /// Whether it can be drawn.
    ///
    /// # Errors
    /// The first reason why not.
    pub fn check(&self) -> Result<(), AreaError> {
        let polygons = self.polygons();
        if polygons.is_empty() || polygons.iter().any(Vec::is_empty) {
            return Err(AreaError::Empty);
        }
        if polygons.iter().flatten().map(|ring| ring.0.len()).sum::<usize>() > MAX_CORNERS {
            return Err(AreaError::TooManyCorners);
        }
        polygons.iter().flatten().try_for_each(Ring::check)
    }
}

impl Ring {
    /// Whether a line from the point to the east crosses the ring an odd number of times.
    fn surrounds(&self, [lon, lat]: [f64; 2]) -> bool {
        let crosses = |(from, to): (&Corner, &Corner)| {
            (from.1 > lat) != (to.1 > lat) && lon < from.0 + (lat - from.1) / (to.1 - from.1) * (to.0 - from.0)
        };
        self.0.iter().zip(self.0.iter().skip(1)).filter(|side| crosses(*side)).count() % 2 == 1
    }

    fn check(&self) -> Result<(), AreaError> {
        let Self(corners) = self;
        let on_globe = |Corner(lon, lat): &Corner| (-180.0..=180.0).contains(lon) && (-90.0..=90.0).contains(lat);
        if !corners.iter().all(on_globe) {
            return Err(AreaError::OffGlobe);
        }
        if corners.len() < 4 || corners.first() != corners.last() { Err(AreaError::Open) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(coordinates: &str) -> Result<(), AreaError> {
        let area: Area =
            serde_json::from_str(&format!(r#"{{"type":"Polygon","coordinates":{coordinates}}}"#)).expect("an area");
        area.check()
    }

    #[test]
    fn a_point_is_inside_of_a_piece_and_outside_of_its_holes() {
        let hole = "[[[0.0,0.0],[10.0,0.0],[10.0,10.0],[0.0,10.0],[0.0,0.0]],[[4,4],[6,4],[6,6],[4,6],[4,4]]]";
        let area: Area = serde_json::from_str(&format!(r#"{{"type":"Polygon","coordinates":{hole}}}"#)).unwrap();
        for (point, inside) in [([1.0, 2.0], true), ([5.0, 5.0], false), ([11.0, 5.0], false), ([5.0, 9.0], true)] {
            assert_eq!(area.contains(point), inside, "{point:?}");
        }
    }

    #[test]
    fn an_outline_closes_and_lies_on_the_globe() {
        assert_eq!(read("[[[76.9,43.2],[76.95,43.2],[76.95,43.25],[76.9,43.2]]]"), Ok(()));
        assert_eq!(read("[[[76.9,43.2],[76.95,43.2],[76.95,43.25],[76.9,43.3]]]"), Err(AreaError::Open));
        assert_eq!(read("[[[76.9,43.2],[76.95,43.2],[76.9,43.2]]]"), Err(AreaError::Open));
        assert_eq!(read("[[[43.2,176.9],[43.2,176.95],[43.25,176.95],[43.2,176.9]]]"), Err(AreaError::OffGlobe));
        assert_eq!(read("[]"), Err(AreaError::Empty));
        assert_eq!(Area::rectangle([76.9, 43.2], [76.95, 43.25]).check(), Ok(()));
        assert_eq!(Area::MultiPolygon(vec![vec![]]).check(), Err(AreaError::Empty));
    }
}
