//! Instants as the API shows them: RFC 3339, UTC, milliseconds.

use chrono::{DateTime, SecondsFormat, Utc};
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
}
