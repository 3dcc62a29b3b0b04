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
pub type Ring = Vec<Corner>;

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
    /// Whether it can be drawn.
    ///
    /// # Errors
    /// The first reason why not.
    pub fn check(&self) -> Result<(), AreaError> {
        let polygons = match self {
            Self::Polygon(rings) => std::slice::from_ref(rings),
            Self::MultiPolygon(polygons) => polygons,
        };
        if polygons.is_empty() || polygons.iter().any(Vec::is_empty) {
            return Err(AreaError::Empty);
        }
        if polygons.iter().flatten().map(Vec::len).sum::<usize>() > MAX_CORNERS {
            return Err(AreaError::TooManyCorners);
        }
        polygons.iter().flatten().try_for_each(|ring| check_ring(ring))
    }
}

fn check_ring(ring: &[Corner]) -> Result<(), AreaError> {
    let on_globe = |Corner(lon, lat): &Corner| (-180.0..=180.0).contains(lon) && (-90.0..=90.0).contains(lat);
    if !ring.iter().all(on_globe) {
        return Err(AreaError::OffGlobe);
    }
    if ring.len() < 4 || ring.first() != ring.last() { Err(AreaError::Open) } else { Ok(()) }
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
    fn an_outline_closes_and_lies_on_the_globe() {
        assert_eq!(read("[[[76.9,43.2],[76.95,43.2],[76.95,43.25],[76.9,43.2]]]"), Ok(()));
        assert_eq!(read("[[[76.9,43.2],[76.95,43.2],[76.95,43.25],[76.9,43.3]]]"), Err(AreaError::Open));
        assert_eq!(read("[[[76.9,43.2],[76.95,43.2],[76.9,43.2]]]"), Err(AreaError::Open));
        assert_eq!(read("[[[43.2,176.9],[43.2,176.95],[43.25,176.95],[43.2,176.9]]]"), Err(AreaError::OffGlobe));
        assert_eq!(read("[]"), Err(AreaError::Empty));
        assert_eq!(Area::MultiPolygon(vec![vec![]]).check(), Err(AreaError::Empty));
    }
}
