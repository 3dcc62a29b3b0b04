//! A device in a line, for the operator.

use aralau_server::query::devices::DeviceShown;

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// Who has it, for which beats, when it was last heard of, and what is odd about it.
pub(super) fn line(device: &DeviceShown) -> String {
    // As JSON has it: names and times are written there as people read them.
    let value = serde_json::to_value(device).unwrap_or_default();
    let text = |name: &str| value.pointer(name).and_then(|value| value.as_str()).unwrap_or("-").to_owned();
    let beats = if device.beats.is_empty() { "-".to_owned() } else { device.beats.join(",") };
    let mut line = format!("{}  {}  {beats}  last sync {}", text("/id"), text("/person/name"), text("/last_sync_at"));
    if let Some(unsent @ 1..) = device.unsent {
        line += &format!("  {unsent} unsent since {}", text("/oldest_unsent_at"));
    }
    line += &device.clock_skew_ms.map(clock).unwrap_or_default();
    if device.revoked_at.is_some() {
        line += "  shut out";
    } else if device.unconfirmed {
        line += "  waits to be confirmed";
    }
    line
}

/// A clock that is wrong by a minute or more.
fn clock(ahead_ms: i64) -> String {
    let side = if ahead_ms > 0 { "ahead" } else { "behind" };
    match ahead_ms.saturating_abs() {
        ..MINUTE_MS => String::new(),
        wrong @ ..HOUR_MS => format!("  clock {} min {side}", wrong / MINUTE_MS),
        wrong => format!("  clock {} h {side}", wrong / HOUR_MS),
    }
}

#[cfg(test)]
mod tests {
    use super::clock;

    #[test]
    fn a_wrong_clock_is_told_in_the_unit_that_people_would_take() {
        let told = [0, 59_999, -60_000, 3_599_999, 5 * 3_600_000, i64::MIN].map(clock);
        let expected = ["", "", "  clock 1 min behind", "  clock 59 min ahead", "  clock 5 h ahead"];
        assert_eq!(told[..5], expected);
        assert!(told[5].ends_with("h behind"));
    }
}
