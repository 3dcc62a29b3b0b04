//! Where an organisation has its places: what tells latitude from longitude where both may be degrees of either.

use aralau_sync_core::visit::Coordinates;
use rusqlite::Connection;

use crate::store::StoreError;

/// North of it hardly anybody lives: a point is there by mistake.
const NORTH_OF_ALL: f64 = 72.0;

/// The rectangle in which nearly all points are, and a margin. The few outermost count for nothing, because one wrong point
/// would make it as large as the globe.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    north: [f64; 2],
    east: [f64; 2],
}

impl Region {
    /// Of points; `None`: there are none.
    pub fn of(points: impl IntoIterator<Item = Coordinates>) -> Option<Self> {
        let (mut north, mut east): (Vec<f64>, Vec<f64>) =
            points.into_iter().map(|point| (point.lat, point.lon)).unzip();
        Some(Self { north: nearly_all(&mut north)?, east: nearly_all(&mut east)? })
    }

    pub(super) fn read(connection: &Connection) -> Result<Option<Self>, StoreError> {
        let mut statement =
            connection.prepare("SELECT lat, lon FROM place WHERE lat IS NOT NULL AND lon IS NOT NULL")?;
        let points = statement.query_map([], |row| Ok(Coordinates { lat: row.get(0)?, lon: row.get(1)? }))?;
        Ok(Self::of(points.collect::<Result<Vec<_>, _>>()?))
    }

    /// Whether a point is in it.
    pub fn has(&self, point: Coordinates) -> bool {
        let is_in = |[least, most]: [f64; 2], degrees| (least..=most).contains(&degrees);
        is_in(self.north, point.lat) && is_in(self.east, point.lon)
    }
}

/// Whether a point has its latitude and longitude exchanged, as far as it can be told.
pub fn is_swapped(point: Coordinates, region: Option<Region>) -> bool {
    let exchanged = Coordinates { lat: point.lon, lon: point.lat };
    match region {
        _ if !exchanged.is_on_globe() => false,
        Some(region) if region.has(point) => point.lat > NORTH_OF_ALL && exchanged.lat <= NORTH_OF_ALL,
        Some(region) if region.has(exchanged) => true,
        _ => point.lat > NORTH_OF_ALL && exchanged.lat <= NORTH_OF_ALL,
    }
}

/// From the least to the most without the outermost fiftieth, and a margin.
fn nearly_all(degrees: &mut [f64]) -> Option<[f64; 2]> {
    const MARGIN_DEGREES: f64 = 1.0;
    const FEWEST: usize = 3;
    let count = degrees.len();
    let beyond = if count < FEWEST { 0 } else { count.div_ceil(50) };
    degrees.sort_unstable_by(f64::total_cmp);
    Some([degrees.get(beyond)? - MARGIN_DEGREES, degrees.get((count - 1).checked_sub(beyond)?)? + MARGIN_DEGREES])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(lat: f64, lon: f64) -> Coordinates {
        Coordinates { lat, lon }
    }

    #[test]
    fn one_wrong_point_hides_no_other() {
        let almaty = (0..20).map(|at| point(43.2 + f64::from(at) / 100.0, 76.9));
        let region = Region::of(almaty.chain([point(76.9, 43.2)]));
        assert!(is_swapped(point(76.95, 43.25), region));
        assert!(!is_swapped(point(43.25, 76.95), region));
        assert!(!is_swapped(point(51.1, 71.4), region), "another town");
        assert_eq!((Region::of([]), is_swapped(point(43.25, 51.2), None)), (None, false), "nothing tells");
    }

    #[test]
    fn where_nobody_lives_a_point_is_exchanged_even_if_all_are() {
        let all = [point(76.9, 43.2), point(76.95, 43.25), point(76.8, 43.3)];
        assert!(is_swapped(all[0], Region::of(all)));
    }
}
