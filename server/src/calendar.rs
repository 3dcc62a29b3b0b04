//! Days of the deployment's time zone, and what a filter's text may mean. The one place where a day becomes instants.

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _, Timelike as _, Utc};
use chrono_tz::{GapInfo, Tz};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use utoipa::ToSchema;

use aralau_sync_core::time::Millis;

/// The first instant of the year 0 and the last one of 9999, by which a phone's clock is cut off: it may say anything, and
/// RFC 3339 has four digits for a year.
pub const CLOCK_MS: std::ops::RangeInclusive<i64> = -62_167_219_200_000..=253_402_300_799_999;

/// A day of the calendar. From its first instant in a zone to the one before the next day's first it takes 24 hours, or 23
/// or 25 where clocks are changed; none where they leap over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = Date, example = "2026-11-01")]
pub struct Day(NaiveDate);

impl Day {
    /// The day that holds an instant.
    pub fn of(at: Millis, zone: Tz) -> Self {
        let at = at.0.clamp(*CLOCK_MS.start(), *CLOCK_MS.end());
        let local = DateTime::<Utc>::from_timestamp_millis(at).unwrap_or_default().with_timezone(&zone);
        let day = Self(local.date_naive());
        // A clock that is put back over midnight shows the day before a second time.
        if day.next().first(zone).0 <= at { day.next() } else { day }
    }

    /// Its first instant; where clocks leap over midnight, the first one after.
    pub fn first(self, zone: Tz) -> Millis {
        on_the_wall(self.0.and_time(NaiveTime::MIN), zone)
    }

    /// Its last millisecond.
    pub fn last(self, zone: Tz) -> Millis {
        self.next().first(zone).plus(-1)
    }

    fn next(self) -> Self {
        self.0.succ_opt().map_or(self, Self)
    }

    /// So many days before.
    pub fn back(self, days: u64) -> Self {
        self.0.checked_sub_days(Days::new(days)).map_or(self, Self)
    }

    /// Days since 1970-01-01.
    pub fn number(self) -> i64 {
        self.0.signed_duration_since(NaiveDate::default()).num_days()
    }

    /// So many days after 1970-01-01.
    pub fn numbered(days: i64) -> Self {
        let day = chrono::TimeDelta::try_days(days).and_then(|days| NaiveDate::default().checked_add_signed(days));
        Self(day.unwrap_or_default())
    }

    /// The Monday of its week.
    pub fn monday(self) -> Self {
        self.back(u64::from(self.0.weekday().num_days_from_monday()))
    }

    /// The first of its month.
    pub fn first_of_month(self) -> Self {
        self.back(u64::from(self.0.day0()))
    }

    /// As promises name theirs: `2026-11-01`.
    pub fn text(self) -> String {
        self.0.to_string()
    }
}

/// When the zone's clock first showed a time; where it leapt over it, the first instant after.
pub fn on_the_wall(shown: NaiveDateTime, zone: Tz) -> Millis {
    let instant = zone.from_local_datetime(&shown).earliest().or_else(|| GapInfo::new(&shown, &zone)?.end);
    Millis(instant.map_or_else(|| shown.and_utc().timestamp_millis(), |instant| instant.timestamp_millis()))
}

/// Text that is no day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a date such as 2026-11-01")]
pub struct NoDay;

impl std::str::FromStr for Day {
    type Err = NoDay;
    /// Four digits, two and two, as RFC 3339 has it.
    fn from_str(text: &str) -> Result<Self, NoDay> {
        let is_shaped = text.len() == 10
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        is_shaped.then(|| text.parse().ok()).flatten().map(Self).ok_or(NoDay)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Text that is no instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoInstant {
    /// No date and time of day with an offset.
    #[error("not an RFC 3339 instant with its offset, such as 2026-05-31T08:00:00+05:00")]
    Unreadable,
    /// A second 60 where none was ever inserted.
    #[error("a second 60 is there only at 23:59:60Z on 30 June or 31 December")]
    NoLeapSecond,
}

/// Reads an RFC 3339 instant; a leap second counts as the second after it.
pub fn instant(text: &str) -> Result<Millis, NoInstant> {
    let instant = DateTime::parse_from_rfc3339(text).map_err(|_| NoInstant::Unreadable)?;
    let utc = instant.naive_utc();
    // How the calendar's library marks a second 60.
    if utc.nanosecond() >= 1_000_000_000 && !is_leap(utc) {
        return Err(NoInstant::NoLeapSecond);
    }
    Ok(Millis(instant.timestamp_millis()))
}

fn is_leap(utc: NaiveDateTime) -> bool {
    (utc.hour(), utc.minute()) == (23, 59) && matches!((utc.month(), utc.day()), (6, 30) | (12, 31))
}

/// A filter's bound: a day of the deployment's time zone, all of which counts, or an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// A date.
    Day(Day),
    /// An RFC 3339 instant.
    Instant(Millis),
}

impl Bound {
    /// The first millisecond that it may mean.
    pub fn first(self, zone: Tz) -> Millis {
        match self {
            Self::Day(day) => day.first(zone),
            Self::Instant(at) => at,
        }
    }

    /// The last millisecond that it may mean.
    pub fn last(self, zone: Tz) -> Millis {
        match self {
            Self::Day(day) => day.last(zone),
            Self::Instant(at) => at,
        }
    }
}

/// Text that is no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoBound {
    /// Neither of the two.
    #[error(
        "neither a date such as 2026-05-31 nor an RFC 3339 instant with its offset, such as 2026-05-31T08:00:00+05:00"
    )]
    Unreadable,
    /// An instant that never was.
    #[error(transparent)]
    NoInstant(NoInstant),
}

impl std::str::FromStr for Bound {
    type Err = NoBound;
    fn from_str(text: &str) -> Result<Self, NoBound> {
        if let Ok(day) = text.parse() {
            return Ok(Self::Day(day));
        }
        // In a query string an unescaped "+" of an offset arrives as a space.
        let text = match text.rsplit_once(' ') {
            Some((before, offset)) if offset.len() == "05:00".len() => format!("{before}+{offset}"),
            _ => text.to_owned(),
        };
        instant(&text).map(Self::Instant).map_err(|error| match error {
            NoInstant::Unreadable => NoBound::Unreadable,
            NoInstant::NoLeapSecond => NoBound::NoInstant(error),
        })
    }
}

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aralau_sync_core::time::DAY_MS;
    use chrono_tz::{Africa, America, Asia, Atlantic, Pacific};

    const HOUR_MS: i64 = 60 * 60 * 1000;
    const MINUTE_MS: i64 = 60 * 1000;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn hours(text: &str, zone: Tz) -> i64 {
        day(text).last(zone).plus(1).since(day(text).first(zone)) / HOUR_MS
    }

    fn at(text: &str) -> Millis {
        instant(text).unwrap()
    }

    #[test]
    fn a_day_with_a_change_of_the_clock_has_23_or_25_hours_and_its_midnight_may_not_exist() {
        assert_eq!(hours("2024-02-29", Asia::Almaty), 25, "from UTC+6 to UTC+5 at midnight");
        assert_eq!(day("2024-02-29").first(Asia::Almaty), at("2024-02-29T00:00:00+06:00"));
        assert_eq!(day("2024-03-01").first(Asia::Almaty), at("2024-03-01T00:00:00+05:00"));
        assert_eq!(hours("2026-03-29", chrono_tz::Europe::Berlin), 23);
        assert_eq!(hours("2018-11-04", America::Sao_Paulo), 23);
        assert_eq!(day("2018-11-04").first(America::Sao_Paulo), at("2018-11-04T01:00:00-02:00"));
        assert_eq!(hours("2011-12-30", Pacific::Apia), 0, "Samoa left this day out");
        assert_eq!(hours("2026-05-10", Asia::Almaty), 24);
    }

    #[test]
    fn half_past_one_at_night_is_of_the_same_day_in_winter_and_before_the_change() {
        for (moment, expected) in [
            ("2026-05-10T01:30:00+05:00", "2026-05-10"),
            ("2026-05-09T20:30:00Z", "2026-05-10"),
            ("2024-02-10T01:30:00+06:00", "2024-02-10"),
            ("2024-02-29T23:30:00+06:00", "2024-02-29"),
            ("2024-02-29T23:30:00+05:00", "2024-02-29"),
        ] {
            assert_eq!(Day::of(at(moment), Asia::Almaty), day(expected), "{moment}");
        }
    }

    #[test]
    fn every_minute_is_of_the_day_between_whose_first_and_last_instant_it_lies() {
        let around = [
            (Asia::Almaty, "2024-02-29"),
            (Asia::Almaty, "1991-03-31"),
            (Asia::Beirut, "2026-03-29"),
            (America::Sao_Paulo, "2018-11-04"),
            (America::Havana, "2026-11-01"),
            // Put back at one minute past midnight: the day before is there a second time.
            (America::St_Johns, "2006-10-29"),
            (Atlantic::Azores, "2026-10-25"),
            (Pacific::Apia, "2011-12-30"),
            (Africa::Monrovia, "1972-01-07"),
            (Tz::UTC, "2016-12-31"),
        ];
        for (zone, middle) in around {
            let noon = day(middle).first(Tz::UTC).plus(DAY_MS / 2);
            for minute in -3 * 24 * 60..3 * 24 * 60 {
                let at = noon.plus(minute * MINUTE_MS);
                let day = Day::of(at, zone);
                assert!(day.first(zone) <= at && at <= day.last(zone), "{zone} {at:?} {day:?}");
            }
        }
    }

    #[test]
    fn any_clock_has_a_day() {
        for absurd in [i64::MIN, -1, i64::MAX] {
            let day = Day::of(Millis(absurd), Asia::Almaty);
            assert_eq!(Day::numbered(day.number()), day);
        }
        assert_eq!(Day::numbered(i64::MAX), Day::numbered(0));
    }

    #[test]
    fn a_date_has_four_digits_two_and_two_and_is_on_the_calendar() {
        assert_eq!(day("2024-02-29").text(), "2024-02-29");
        for wrong in
            ["", "2026-5-31", "2026-02-29", "+2026-05-31", "12026-01-01", "2026-05-31 ", "31.05.2026", "２026-5-1"]
        {
            assert_eq!(wrong.parse::<Day>(), Err(NoDay), "{wrong}");
        }
    }

    #[test]
    fn a_week_begins_on_monday_and_a_month_on_its_first() {
        assert_eq!(day("2026-11-01").monday(), day("2026-10-26"));
        assert_eq!(day("2026-11-01").first_of_month(), day("2026-11-01"));
        assert_eq!(day("2026-11-30").first_of_month(), day("2026-11-01"));
    }

    #[test]
    fn a_second_60_is_one_only_where_one_may_be_inserted() {
        for leap in ["2016-12-31T23:59:60Z", "2017-01-01T04:59:60+05:00", "2015-06-30T23:59:60.5Z"] {
            assert!(instant(leap).is_ok(), "{leap}");
        }
        assert_eq!(at("2016-12-31T23:59:60Z"), at("2017-01-01T00:00:00Z"));
        for wrong in
            ["2026-05-31T12:00:60Z", "2016-12-31T23:59:60+05:00", "2016-12-30T23:59:60Z", "2016-12-31T12:59:60Z"]
        {
            assert_eq!(instant(wrong), Err(NoInstant::NoLeapSecond), "{wrong}");
            assert!(matches!(wrong.parse::<Bound>(), Err(NoBound::NoInstant(_))), "{wrong}");
        }
    }

    #[test]
    fn a_bound_is_a_day_of_the_zone_or_an_instant_whose_offset_may_lose_its_plus() {
        let almaty = Asia::Almaty;
        let bound = |text: &str| text.parse::<Bound>().map(|bound| (bound.first(almaty), bound.last(almaty)));
        assert_eq!(bound("1970-01-02"), Ok((Millis(18 * HOUR_MS), Millis(42 * HOUR_MS - 1))));
        for text in [
            "1970-01-01T05:00:00+05:00",
            "1970-01-01T05:00:00 05:00",
            "1970-01-01T00:00:00Z",
            "1970-01-01 00:00:00Z",
            "1970-01-01 05:00:00 05:00",
        ] {
            assert_eq!(bound(text), Ok((Millis(0), Millis(0))), "{text}");
        }
        for wrong in ["", "yesterday", "2026-05-31T08:00:00", "2026-05-31T08:00", "2026-05-31T25:00:00Z", "2026"] {
            assert_eq!(wrong.parse::<Bound>(), Err(NoBound::Unreadable), "{wrong}");
        }
    }
}
