//! Dates and times as people and spreadsheets write them.

use aralau_server::calendar::on_the_wall;
use aralau_sync_core::time::Millis;
use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// By whose clock a time without an offset is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// With all the changes of its history.
    Named(Tz),
    /// Always the same, as `+06:00`.
    Offset(FixedOffset),
}

impl std::str::FromStr for Zone {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text.parse() {
            Ok(offset) => Ok(Self::Offset(offset)),
            Err(_) => text.parse().map(Self::Named).map_err(drop),
        }
    }
}

impl Zone {
    /// When the clock first showed this. A time that it leapt over is the first moment after.
    pub fn instant(self, shown: NaiveDateTime) -> Millis {
        match self {
            Self::Named(zone) => on_the_wall(shown, zone),
            Self::Offset(offset) => {
                let ahead = TimeDelta::seconds(offset.local_minus_utc().into());
                Millis((shown - ahead).and_utc().timestamp_millis())
            }
        }
    }
}

/// Which of two numbers before a year is the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// 31.12.2023
    #[default]
    DayMonthYear,
    /// 12/31/2023
    MonthDayYear,
}

/// What a cell says of when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// The day, if it names one.
    pub date: Option<NaiveDate>,
    /// The time of day, if it names one; 24:00 is that of [`Self::date`]'s end.
    pub time: Option<Time>,
    /// How far that clock is ahead of UTC, if it says so.
    pub offset: Option<FixedOffset>,
}

/// A time of day, with 24:00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(TimeDelta);

impl Time {
    /// Whether two cells mean one time, of which one may have been written without its seconds.
    pub fn is_about(self, other: Self) -> bool {
        self.0.num_minutes() == other.0.num_minutes()
    }

    /// The first of the day.
    pub const MIDNIGHT: Self = Self(TimeDelta::zero());

    fn of(hours: u32, minutes: u32, seconds: u32) -> Option<Self> {
        let is_end_of_day = (hours, minutes, seconds) == (24, 0, 0);
        let fits = hours < 24 && minutes < 60 && seconds < 60 || is_end_of_day;
        fits.then(|| Self(TimeDelta::seconds(i64::from(hours * 3_600 + minutes * 60 + seconds))))
    }

    fn of_clock(time: NaiveTime) -> Self {
        Self(time - NaiveTime::MIN)
    }

    /// On a day.
    pub fn on(self, date: NaiveDate) -> NaiveDateTime {
        date.and_time(NaiveTime::MIN) + self.0
    }
}

/// Reads a cell of dates, of times, or of both. `None`: it is neither, or there is no such day.
pub fn read(cell: &str, order: Order) -> Option<Moment> {
    let text = cell.trim();
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        let local = moment.naive_local();
        let time = Some(Time::of_clock(local.time()));
        return Some(Moment { date: Some(local.date()), time, offset: Some(*moment.offset()) });
    }
    if let Some(moment) = of_number(text) {
        return Some(moment);
    }
    let lower = text.to_lowercase();
    let (rest, time, offset) = without_time(&lower)?;
    let words: Vec<&str> = rest.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !SAYS_NOTHING.contains(word)).collect();
    let date = match words[..] {
        [] if time.is_some() => None,
        _ => Some(date_of(&words, order)?),
    };
    Some(Moment { date, time, offset })
}

/// Reads a cell of times of day, in which 14.05, 14-05 and 1405 are five past two.
pub fn read_time(cell: &str) -> Option<Time> {
    if let Some(time) = read(cell, Order::default()).and_then(|moment| moment.time) {
        return Some(time);
    }
    let parts: Vec<&str> = cell.trim().split(['.', '-', ' ', 'ч', 'h']).filter(|part| !part.is_empty()).collect();
    match parts[..] {
        [all] if all.len() == 4 => Time::of(number(all.get(..2)?, 2)?, number(all.get(2..)?, 2)?, 0),
        [hours] => Time::of(number(hours, 2)?, 0, 0),
        // 9.3 is 9:03 to whoever wrote it, and 9:30 where a spreadsheet took 9.30 for a number.
        [hours, minutes] => {
            let minutes = minutes.trim_end_matches(['м', 'm']);
            (minutes.len() == 2).then(|| Time::of(number(hours, 2)?, number(minutes, 2)?, 0)).flatten()
        }
        [hours, minutes, seconds] => Time::of(number(hours, 2)?, number(minutes, 2)?, number(seconds, 2)?),
        _ => None,
    }
}

/// Which order of day and month a cell shows by itself.
pub fn shown_order(cell: &str) -> Option<Order> {
    let words: Vec<&str> = cell.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let (first, second) = (number(words.first()?, 2)?, number(words.get(1)?, 2)?);
    match (first, second) {
        (13..=31, 1..=12) => Some(Order::DayMonthYear),
        (1..=12, 13..=31) => Some(Order::MonthDayYear),
        _ => None,
    }
}

/// Whether a cell is another day in either order, so that nothing in it says which is meant. Dots stand for the day first.
pub fn leaves_order_open(cell: &str) -> bool {
    let parts: Vec<&str> = cell.trim().splitn(3, ['/', '-']).collect();
    let [first, second, _] = parts[..] else { return false };
    let months = (number(first, 2), number(second, 2));
    matches!(months, (Some(one @ 1..=12), Some(other @ 1..=12)) if one != other)
}

/// Days that Excel counts, 1954 to 2119, with parts of one; parts alone; `20230312`; seconds or milliseconds since 1970.
fn of_number(text: &str) -> Option<Moment> {
    const DIGITS: [char; 11] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '.'];
    let text = text.replace(',', ".");
    if text.is_empty() || text.len() > MAX_NUMBER_BYTES || !text.chars().all(|c| DIGITS.contains(&c)) {
        return None;
    }
    let is_whole = !text.contains('.');
    let utc = |ms: i64| {
        let at = DateTime::from_timestamp_millis(ms)?.naive_utc();
        let offset = FixedOffset::east_opt(0);
        Some(Moment { date: Some(at.date()), time: Some(Time::of_clock(at.time())), offset })
    };
    match text.len() {
        8 if is_whole => {
            let date =
                NaiveDate::from_ymd_opt(text[..4].parse().ok()?, text[4..6].parse().ok()?, text[6..].parse().ok()?);
            return Some(Moment { date: Some(date?), time: None, offset: None });
        }
        10 if is_whole => return utc(text.parse::<i64>().ok()?.checked_mul(1_000)?),
        13 if is_whole => return utc(text.parse().ok()?),
        _ => {}
    }
    let days: f64 = text.parse().ok()?;
    let time = Time(TimeDelta::seconds((days.fract() * 86_400.0).round() as i64));
    if (20_000.0..80_000.0).contains(&days) {
        let first = NaiveDate::from_ymd_opt(1899, 12, 30)?;
        let date = first.checked_add_days(Days::new(days as u64))?;
        return Some(Moment { date: Some(date), time: (!is_whole).then_some(time), offset: None });
    }
    (!is_whole && days < 1.0).then_some(Moment { date: None, time: Some(time), offset: None })
}

const MAX_NUMBER_BYTES: usize = 24;

/// Takes `14:05`, `2:05 pm`, `14:05:30.5+06:00` out of a text. `None`: something with a colon that is no time.
fn without_time(text: &str) -> Option<(String, Option<Time>, Option<FixedOffset>)> {
    let Some(colon) = text.find(':') else { return Some((text.to_owned(), None, None)) };
    let start = text[..colon]
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    let after = &text[colon + 1..];
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, ':' | '.');
    let end = after.find(|c| !is_part(c)).unwrap_or(after.len());
    let mut parts = after[..end].trim_end_matches('.').split(':');
    let minutes = number(parts.next()?, 2)?;
    // Parts of a second are dropped.
    let seconds = parts.next().map_or(Some(0), |part| number(part.split('.').next()?, 2))?;
    let mut hours = number(&text[start..colon], 2)?;
    let rest = after[end..].trim_start();
    let rest = match (rest.strip_prefix("am"), rest.strip_prefix("pm")) {
        (Some(rest), _) if (1..=12).contains(&hours) => {
            hours %= 12;
            rest
        }
        (_, Some(rest)) if (1..=12).contains(&hours) => {
            hours = hours % 12 + 12;
            rest
        }
        _ => rest,
    };
    let (rest, offset) = match rest.strip_prefix('z') {
        Some(rest) => (rest, FixedOffset::east_opt(0)),
        // 09:00-10:00 is a beginning and an end; an offset to the west stands behind a time that is written for machines.
        None if rest.starts_with('-') && !(text[..start].ends_with('t') || after[..end].contains(':')) => return None,
        None if rest.starts_with(['+', '-']) => {
            let end = rest[1..].find(|c: char| !(c.is_ascii_digit() || c == ':')).map_or(rest.len(), |at| at + 1);
            (&rest[end..], Some(rest[..end].parse().ok()?))
        }
        None => (rest, None),
    };
    let before = text[..start].trim_end();
    // 2023-03-12T14:05
    let before = before.strip_suffix('t').filter(|date| date.ends_with(|c: char| c.is_ascii_digit())).unwrap_or(before);
    Some((format!("{before} {rest}"), Some(Time::of(hours, minutes, seconds)?), offset))
}

/// Words around a date that say nothing of it.
const SAYS_NOTHING: [&str; 30] = [
    "г",
    "год",
    "года",
    "ж",
    "жыл",
    "жылы",
    "жылғы",
    "в",
    "сағат",
    "at",
    "of",
    "th",
    "пн",
    "вт",
    "ср",
    "чт",
    "пт",
    "сб",
    "вс",
    "понедельник",
    "вторник",
    "среда",
    "четверг",
    "пятница",
    "суббота",
    "воскресенье",
    "mon",
    "tue",
    "wed",
    "thu",
];

fn date_of(words: &[&str], order: Order) -> Option<NaiveDate> {
    let [first, second, third] = words else { return None };
    let (year, month, day) = match (month_named(first), month_named(second)) {
        // March 12, 2023
        (Some(month), None) => (*third, month, number(second, 2)?),
        (None, Some(month)) if first.len() == 4 => (*first, month, number(third, 2)?),
        (None, Some(month)) => (*third, month, number(first, 2)?),
        (Some(_), Some(_)) => return None,
        (None, None) if first.len() == 4 => match month_named(third) {
            Some(month) => (*first, month, number(second, 2)?),
            None => (*first, number(second, 2)?, number(third, 2)?),
        },
        (None, None) => {
            let (one, other) = (number(first, 2)?, number(second, 2)?);
            let (day, month) = if order == Order::DayMonthYear { (one, other) } else { (other, one) };
            (*third, month, day)
        }
    };
    NaiveDate::from_ymd_opt(year_of(year)?, month, day)
}

/// Two digits are of 1970 to 2069.
fn year_of(written: &str) -> Option<i32> {
    let year = number(written.trim_end_matches('г'), 4)?;
    let year = match written.len() {
        2 if year < 70 => 2_000 + year,
        2 => 1_900 + year,
        4.. => year,
        _ => return None,
    };
    i32::try_from(year).ok()
}

/// By its beginning, in Russian, Kazakh or English.
fn month_named(word: &str) -> Option<u32> {
    const BEGINNINGS: [&[&str]; 12] = [
        &["янв", "қаң", "jan"],
        &["фев", "ақп", "feb"],
        &["мар", "нау", "mar"],
        &["апр", "сәу", "apr"],
        &["мая", "май", "мам", "may"],
        &["июн", "мау", "jun"],
        &["июл", "шіл", "jul"],
        &["авг", "там", "aug"],
        &["сен", "қыр", "sep"],
        &["окт", "қаз", "oct"],
        &["ноя", "қар", "nov"],
        &["дек", "жел", "dec"],
    ];
    let at = BEGINNINGS.iter().position(|names| names.iter().any(|name| word.starts_with(name)))?;
    u32::try_from(at + 1).ok()
}

/// A whole number of so many digits at most.
fn number(text: &str, digits: usize) -> Option<u32> {
    let fits = (1..=digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(cell: &str) -> Option<String> {
        let Moment { date, time, offset } = read(cell, Order::DayMonthYear)?;
        let local = match (date, time) {
            (Some(date), Some(time)) => time.on(date).format("%F %T").to_string(),
            (Some(date), None) => date.to_string(),
            (None, Some(time)) => time.on(NaiveDate::default()).format("%T").to_string(),
            (None, None) => return None,
        };
        Some(local + &offset.map(|offset| offset.to_string()).unwrap_or_default())
    }

    #[test]
    fn dates_and_times_are_read_as_people_and_spreadsheets_write_them() {
        for (cell, wanted) in [
            ("12.03.2023 14:05", "2023-03-12 14:05:00"),
            ("12.03.2023", "2023-03-12"),
            ("12.03.23 г.", "2023-03-12"),
            ("6/6/14", "2014-06-06"),
            ("1.2.1999", "1999-02-01"),
            ("2023-03-12T14:05:00+06:00", "2023-03-12 14:05:00+06:00"),
            ("2023-03-12 14:05:00 +0600", "2023-03-12 14:05:00+06:00"),
            ("2023-03-12T14:05:00Z", "2023-03-12 14:05:00+00:00"),
            ("2023-03-12T14:05", "2023-03-12 14:05:00"),
            ("2023-03-12 14:05:30.123", "2023-03-12 14:05:30"),
            ("12 марта 2023 г., 14:05", "2023-03-12 14:05:00"),
            ("12 Мая 2023", "2023-05-12"),
            ("12 наурыз 2023", "2023-03-12"),
            ("2023 жылғы 12 наурыз", "2023-03-12"),
            ("March 12, 2023 2:05 PM", "2023-03-12 14:05:00"),
            ("12-Mar-2023", "2023-03-12"),
            ("воскресенье, 12.03.2023 в 14:05", "2023-03-12 14:05:00"),
            ("31.12.2023 24:00", "2024-01-01 00:00:00"),
            ("45000", "2023-03-15"),
            ("44997.586805556", "2023-03-12 14:05:00"),
            ("44997,586805556", "2023-03-12 14:05:00"),
            ("0.586805556", "14:05:00"),
            ("20230312", "2023-03-12"),
            ("1678608300", "2023-03-12 08:05:00+00:00"),
            ("1678608300000", "2023-03-12 08:05:00+00:00"),
            ("14:05", "14:05:00"),
            ("", ""),
            ("Итого", ""),
            ("31.02.2023", ""),
            ("12.13.2023", ""),
            ("12.03.2023 25:00", ""),
            ("12.03.2023 14:05 x", ""),
            ("20.05.2024 09:00-10:00", ""),
            ("2024-05-20 09:00-10:00", ""),
            ("2024-05-20T09:00-05:00", "2024-05-20 09:00:00-05:00"),
            ("2024-05-20 09:00:00-05:00", "2024-05-20 09:00:00-05:00"),
            ("20.05.2024 09:00+05:00", "2024-05-20 09:00:00+05:00"),
            ("+7 701 123 45 67", ""),
            ("2023", ""),
            ("99999999999999999999", ""),
        ] {
            assert_eq!(shown(cell).unwrap_or_default(), wanted, "{cell:?}");
        }
        assert_eq!(
            read("12/31/2023", Order::MonthDayYear).and_then(|moment| moment.date),
            NaiveDate::from_ymd_opt(2023, 12, 31)
        );
    }

    #[test]
    fn a_column_of_times_has_them_in_more_forms() {
        for (cell, wanted) in [
            ("14.05", (14, 5)),
            ("1405", (14, 5)),
            ("9", (9, 0)),
            ("9-30", (9, 30)),
            ("14ч05м", (14, 5)),
            ("9:30", (9, 30)),
        ] {
            assert_eq!(read_time(cell), Time::of(wanted.0, wanted.1, 0), "{cell:?}");
        }
        assert_eq!(read_time("1899-12-31T14:05:00"), Time::of(14, 5, 0));
        assert_eq!((read_time("25"), read_time("днём"), read_time("")), (None, None, None));
        assert_eq!((read_time("9.3"), read_time("9-5")), (None, None), "half past nine, or nine and three minutes");
        assert_eq!(read_time("09:00-10:00"), None, "an end has a column of its own");
    }

    #[test]
    fn a_clock_of_almaty_went_by_another_offset_before_march_of_2024() {
        let zone: Zone = "Asia/Almaty".parse().unwrap();
        let at = |text: &str| zone.instant(text.parse().unwrap()).0;
        let utc = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis();
        assert_eq!(at("2024-02-29T12:00:00"), utc("2024-02-29T06:00:00Z"));
        assert_eq!(at("2024-03-01T12:00:00"), utc("2024-03-01T07:00:00Z"));
        // The hour before midnight was shown twice; the first is meant.
        assert_eq!(at("2024-02-29T23:30:00"), utc("2024-02-29T17:30:00Z"));
        let fixed: Zone = "+06:00".parse().unwrap();
        assert_eq!(fixed.instant("2024-03-01T12:00:00".parse().unwrap()).0, utc("2024-03-01T06:00:00Z"));
        assert_eq!("Asia/Nowhere".parse::<Zone>(), Err(()));
    }

    #[test]
    fn a_day_above_twelve_tells_the_order() {
        assert_eq!(shown_order("13.02.2023"), Some(Order::DayMonthYear));
        assert_eq!(shown_order("2/13/2023"), Some(Order::MonthDayYear));
        assert_eq!((shown_order("2/3/2023"), shown_order("2023-02-13")), (None, None));
        for (cell, is_open) in [
            ("2/3/2023", true),
            ("02-03-23 10:00", true),
            ("2.3.2023", false),
            ("3/3/2023", false),
            ("2023-02-03", false),
        ] {
            assert_eq!(leaves_order_open(cell), is_open, "{cell}");
        }
    }
}
