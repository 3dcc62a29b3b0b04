//! Instants as the API shows them (RFC 3339, UTC, milliseconds), and as people read them: by the clock on the wall.

use chrono::{DateTime, Datelike as _, NaiveDateTime, Offset as _, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use aralau_sync_core::time::Millis;

use crate::calendar::CLOCK_MS;

/// An instant, shown as RFC 3339. One outside of the years 0000 to 9999 is shown as the nearest inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-05-31T06:30:00.000Z")]
pub struct Instant(pub Millis);

impl Instant {
    /// From a column of milliseconds.
    pub const fn from_ms(ms: i64) -> Self {
        Self(Millis(ms))
    }

    /// As RFC 3339 by the zone's clock and with its offset, `2026-05-31T11:30:00.000+05:00`; in UTC where that cannot be
    /// written (after the year 9999, and before zones kept whole minutes).
    pub fn local(self, zone: Tz) -> String {
        let local = self.utc().with_timezone(&zone);
        let is_whole = local.offset().fix().local_minus_utc() % 60 == 0;
        if is_whole && (0..=9999).contains(&local.year()) {
            local.to_rfc3339_opts(SecondsFormat::Millis, true)
        } else {
            self.to_string()
        }
    }

    /// What the zone's clock showed.
    pub fn on_the_wall(self, zone: Tz) -> NaiveDateTime {
        self.utc().with_timezone(&zone).naive_local()
    }

    fn utc(self) -> DateTime<Utc> {
        let ms = self.0.0.clamp(*CLOCK_MS.start(), *CLOCK_MS.end());
        DateTime::from_timestamp_millis(ms).unwrap_or_default()
    }
}

impl std::fmt::Display for Instant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.utc().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
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
    fn a_local_time_has_the_offset_of_its_moment_and_any_clock_can_be_written() {
        let almaty = chrono_tz::Asia::Almaty;
        let local = |text: &str| Instant(crate::calendar::instant(text).unwrap()).local(almaty);
        assert_eq!(local("2026-05-28T20:26:40Z"), "2026-05-29T01:26:40.000+05:00");
        assert_eq!(local("2024-02-29T17:30:00Z"), "2024-02-29T23:30:00.000+06:00");
        assert_eq!(local("2024-02-29T18:30:00Z"), "2024-02-29T23:30:00.000+05:00");
        assert_eq!(
            local("1900-01-01T00:00:00Z"),
            "1900-01-01T00:00:00.000Z",
            "by the sun, 7 minutes and 48 seconds off"
        );
        for absurd in [i64::MIN, i64::MAX] {
            assert!(DateTime::parse_from_rfc3339(&Instant::from_ms(absurd).local(almaty)).is_ok());
        }
        assert_eq!(Instant::from_ms(0).local(Tz::UTC), "1970-01-01T00:00:00.000Z");
    }
}
