//! A run of local days, and how places and figures stand at the end of it.

use chrono::{Datelike as _, Days, NaiveDate, NaiveTime, TimeZone as _};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use utoipa::ToSchema;

use aralau_sync_core::time::Millis;

use crate::store::{day_number, local_day};

/// A period, unless asked for otherwise: twelve weeks.
const DEFAULT_DAYS: u64 = 84;
/// A period by day has at most a year, one by week or month ten; so has that of a list.
pub(super) const MOST_DAYS_BY_DAY: i64 = 366;
pub(super) const MOST_DAYS: i64 = 3_660;

/// A day of the years 0 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = Date, example = "2026-11-01")]
pub struct Day(pub(super) NaiveDate);

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let day = String::deserialize(deserializer)?.parse::<NaiveDate>().ok();
        let day = day.filter(|day| (0..=9999).contains(&day.year()));
        day.map(Self).ok_or_else(|| D::Error::custom("not a date such as 2026-11-01"))
    }
}

impl Day {
    /// As promises name theirs: `2026-11-01`.
    pub(super) fn text(self) -> String {
        self.0.to_string()
    }
}

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
    pub first: NaiveDate,
    pub last: NaiveDate,
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
        let last = to.map_or_else(|| local_day(now, zone), |day| day.0);
        let default = last.checked_sub_days(Days::new(DEFAULT_DAYS - 1)).unwrap_or(last);
        let first = from.map_or(default, |day| day.0);
        let days = day_number(last) - day_number(first) + 1;
        if days < 1 {
            return Err(NoPeriod::Backwards);
        }
        if days > most_days {
            return Err(NoPeriod::TooLong);
        }
        let after = last.succ_opt().map_or(i64::MAX, |day| midnight(day, zone));
        let as_of_ms = now.0.min(after.saturating_sub(1));
        let as_of = Day(local_day(Millis(as_of_ms), zone));
        Ok(Self { first, last, from_ms: midnight(first, zone), as_of_ms, as_of })
    }
}

/// The first instant of a day; where clocks leap over midnight, the first one after.
fn midnight(day: NaiveDate, zone: Tz) -> i64 {
    let local = day.and_time(NaiveTime::MIN);
    let instant = zone.from_local_datetime(&local).earliest();
    instant.map_or_else(|| local.and_utc().timestamp_millis(), |instant| instant.timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aralau_sync_core::time::DAY_MS;

    #[test]
    fn a_period_is_bounded_and_does_not_run_backwards() {
        let now = Millis(1_780_000_000_000);
        let day = |text: &str| Some(Day(text.parse().unwrap()));
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
}
