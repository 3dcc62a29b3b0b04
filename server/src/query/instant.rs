//! Instants as the API shows and takes them: RFC 3339, UTC, milliseconds.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use utoipa::ToSchema;

use aralau_sync_core::time::{DAY_MS, Millis};

/// 0000-01-01 and the last millisecond of 9999: a phone's clock may say anything, RFC 3339 has four digits for a year.
const RANGE: std::ops::RangeInclusive<i64> = -62_167_219_200_000..=253_402_300_799_999;

/// An instant, shown as RFC 3339. One outside of the years 0000 to 9999 is shown as the nearest inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-05-31T06:30:00.000Z")]
pub struct Instant(pub Millis);

impl Instant {
    /// From a column of milliseconds.
    pub const fn from_ms(ms: i64) -> Self {
        Self(Millis(ms))
    }
}

impl std::fmt::Display for Instant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = self.0.0.clamp(*RANGE.start(), *RANGE.end());
        let instant = DateTime::<Utc>::from_timestamp_millis(ms).unwrap_or_default();
        f.write_str(&instant.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The first and the last millisecond that a filter's text may mean: an instant, or a whole UTC day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First millisecond.
    pub first: Millis,
    /// Last millisecond.
    pub last: Millis,
}

impl Span {
    fn parse(text: &str) -> Option<Self> {
        if let Ok(day) = text.parse::<NaiveDate>() {
            let first = day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis();
            return Some(Self { first: Millis(first), last: Millis(first.saturating_add(DAY_MS - 1)) });
        }
        // In a query string an unescaped "+" of an offset arrives as a space.
        let instant = DateTime::parse_from_rfc3339(&text.replace(' ', "+")).ok()?;
        let ms = Millis(instant.timestamp_millis());
        Some(Self { first: ms, last: ms })
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("neither an RFC 3339 instant nor a date such as 2026-05-31"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_clock_is_shown_with_a_year_of_four_digits() {
        assert_eq!(Instant::from_ms(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Instant::from_ms(i64::MAX).to_string(), "9999-12-31T23:59:59.999Z");
        assert_eq!(Instant::from_ms(i64::MIN).to_string(), "0000-01-01T00:00:00.000Z");
    }

    #[test]
    fn a_date_is_its_whole_day_and_an_offset_may_lose_its_plus() {
        let day = Span::parse("1970-01-02").unwrap();
        assert_eq!((day.first, day.last), (Millis(DAY_MS), Millis(2 * DAY_MS - 1)));
        for text in ["1970-01-01T05:00:00+05:00", "1970-01-01T05:00:00 05:00", "1970-01-01T00:00:00Z"] {
            assert_eq!(Span::parse(text).map(|span| span.first), Some(Millis(0)), "{text}");
        }
        assert_eq!(Span::parse("yesterday"), None);
    }
}
