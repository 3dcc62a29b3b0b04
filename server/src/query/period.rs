//! A run of days or of instants, and how places and figures stand at the end of it.

use aralau_sync_core::time::Millis;
use chrono_tz::Tz;

use crate::calendar::{Bound, Day};

/// A period, unless asked for otherwise: twelve weeks.
const DEFAULT_DAYS: u64 = 84;
/// A period by day has at most a year, one by week or month ten; so has that of a list.
pub(super) const MOST_DAYS_BY_DAY: i64 = 366;
pub(super) const MOST_DAYS: i64 = 3_660;

/// Why there is no such period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPeriod {
    /// It ends before it begins.
    #[error("to: the period ends before it begins")]
    Backwards,
    /// Longer than is counted.
    #[error("from: a period has at most 366 days, or 3,660 by week or month")]
    TooLong,
}

/// A run of days, and its instants.
#[derive(Debug, Clone, Copy)]
pub(super) struct Period {
    pub first: Day,
    pub last: Day,
    /// The first instant of the first day.
    pub from_ms: i64,
    /// The last instant of the last day, or now where that is earlier.
    pub as_of_ms: i64,
    /// The local day of that instant.
    pub as_of: Day,
}

impl Period {
    /// Twelve weeks that end today, where nothing else is asked for.
    pub fn of(from: Option<Day>, to: Option<Day>, most_days: i64, zone: Tz, now: Millis) -> Result<Self, NoPeriod> {
        let last = to.unwrap_or_else(|| Day::of(now, zone));
        let first = from.unwrap_or_else(|| last.back(DEFAULT_DAYS - 1));
        let days = last.number() - first.number() + 1;
        if days < 1 {
            return Err(NoPeriod::Backwards);
        }
        if days > most_days {
            return Err(NoPeriod::TooLong);
        }
        let as_of = now.min(last.last(zone));
        Ok(Self { first, last, from_ms: first.first(zone).0, as_of_ms: as_of.0, as_of: Day::of(as_of, zone) })
    }
}

/// A run of instants, which may be open at either end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    /// The first millisecond.
    pub first: Option<Millis>,
    /// The last millisecond.
    pub last: Option<Millis>,
}

impl Range {
    /// From the beginning of one bound to the end of the other.
    pub fn of(from: Option<Bound>, to: Option<Bound>, zone: Tz) -> Result<Self, NoPeriod> {
        let (first, last) = (from.map(|from| from.first(zone)), to.map(|to| to.last(zone)));
        if let (Some(first), Some(last)) = (first, last)
            && last < first
            && from != to
        {
            return Err(NoPeriod::Backwards);
        }
        Ok(Self { first, last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aralau_sync_core::time::DAY_MS;

    #[test]
    fn a_period_is_bounded_and_does_not_run_backwards() {
        let now = Millis(1_780_000_000_000);
        let day = |text: &str| Some(text.parse().unwrap());
        let of = |from: &str, to: &str, most| {
            Period::of(day(from), day(to), most, Tz::UTC, now).map(|period| (period.from_ms, period.as_of_ms))
        };
        assert_eq!(of("1970-01-01", "1970-01-01", 366), Ok((0, DAY_MS - 1)));
        assert_eq!(of("2026-05-01", "2026-12-31", 366).map(|(_, as_of)| as_of), Ok(now.0));
        assert_eq!(of("2026-01-02", "2026-01-01", 366), Err(NoPeriod::Backwards));
        assert_eq!(of("2024-01-01", "2026-01-01", 366), Err(NoPeriod::TooLong));
        assert!(of("2024-01-01", "2026-01-01", 3_660).is_ok());
        assert_eq!(of("0000-01-01", "9999-12-31", 3_660), Err(NoPeriod::TooLong));
    }

    #[test]
    fn a_range_runs_from_the_beginning_of_a_day_to_the_end_of_one_and_not_backwards() {
        let of = |from: &str, to: &str| {
            let range = Range::of(from.parse().ok(), to.parse().ok(), chrono_tz::Asia::Almaty)?;
            Ok::<_, NoPeriod>((range.first.map(|at| at.0), range.last.map(|at| at.0)))
        };
        let hour_ms = DAY_MS / 24;
        assert_eq!(of("1970-01-02", "1970-01-02"), Ok((Some(18 * hour_ms), Some(42 * hour_ms - 1))));
        assert_eq!(of("1970-01-02", "1970-01-01T18:00:00Z"), Ok((Some(18 * hour_ms), Some(18 * hour_ms))));
        assert_eq!(of("", ""), Ok((None, None)));
        for (from, to) in [
            ("1970-01-02", "1970-01-01"),
            ("1970-01-02", "1970-01-01T17:59:59Z"),
            ("1970-01-01T00:00:01Z", "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(of(from, to), Err(NoPeriod::Backwards), "{from} {to}");
        }
    }

    #[test]
    fn a_day_that_clocks_leap_over_is_empty_and_not_backwards() {
        let left_out = "2011-12-30".parse().ok();
        let range = Range::of(left_out, left_out, chrono_tz::Pacific::Apia).unwrap();
        assert!(range.last < range.first);
    }
}
