//! Who plays: inspectors by name, and the hours in which they work.

use aralau_sync_core::time::{DAY_MS, Millis};
use chrono::{Datelike as _, TimeDelta, TimeZone as _, Weekday};
use chrono_tz::Tz;

/// Those of the pictures in the documentation.
const FIRST: [&str; 6] =
    ["Айгүл Серікқызы", "Тимур Ахметов", "Әлия Омарова", "Болат Қабдешұлы", "Гүлнар Ибраева", "Ержан Сейітқали"];
const GIVEN: [&str; 20] = [
    "Асель",
    "Бақыт",
    "Виктор",
    "Ғани",
    "Дана",
    "Елена",
    "Жанар",
    "Зарина",
    "Ілияс",
    "Кенже",
    "Қайрат",
    "Лаура",
    "Марат",
    "Нұрлан",
    "Өмір",
    "Руслан",
    "Сара",
    "Үміт",
    "Шынар",
    "Юлия",
];
/// Whoever bears them.
const FAMILY: [&str; 20] = [
    "Абай",
    "Әбіш",
    "Бекен",
    "Ғабит",
    "Досжан",
    "Жұмабай",
    "Ибрай",
    "Кенжебек",
    "Ким",
    "Қожа",
    "Мұқан",
    "Нұрғали",
    "Оразбай",
    "Рахым",
    "Сапар",
    "Төлеген",
    "Шевченко",
    "Шәріп",
    "Ысқақ",
    "Юнус",
];

/// So many names, no two alike: up to 406.
pub fn names(count: usize) -> Vec<String> {
    let further = (0..GIVEN.len() * FAMILY.len()).map(|number| {
        let (given, turn) = (number % GIVEN.len(), number / GIVEN.len());
        format!("{} {}", GIVEN[given], FAMILY[(given + turn) % FAMILY.len()])
    });
    FIRST.into_iter().map(str::to_owned).chain(further).take(count).collect()
}

/// Days before today of which working ones are taken.
const DAYS: i64 = 56;
const OPENING_HOUR: u32 = 9;
/// From then until six in the evening.
pub const WORKING_MINUTES: usize = 9 * 60;

/// When the working days of the last eight weeks began by the clocks of a zone, the oldest first; today is none of them.
pub fn working_days(now: Millis, zone: Tz) -> Vec<Millis> {
    let Some(today) = zone.timestamp_millis_opt(now.0).earliest().map(|now| now.date_naive()) else {
        return Vec::new();
    };
    let days = (1..=DAYS).rev().filter_map(|back| today.checked_sub_signed(TimeDelta::days(back)));
    let working = days.filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun));
    let opening = working.filter_map(|day| zone.from_local_datetime(&day.and_hms_opt(OPENING_HOUR, 0, 0)?).earliest());
    opening.map(|at| Millis(at.timestamp_millis())).collect()
}

/// The day, such as `2026-11-01`, so many days after a working day.
pub fn due(working_day: Millis, days: i64, zone: Tz) -> String {
    let at = zone.timestamp_millis_opt(working_day.plus(days * DAY_MS).0).earliest();
    at.map(|at| at.date_naive().to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::Timelike as _;

    use super::*;

    #[test]
    fn nobody_has_the_name_of_another() {
        let names = names(400);
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 400);
        assert_eq!(names[0], "Айгүл Серікқызы");
    }

    #[test]
    fn work_begins_at_nine_from_monday_to_friday_and_never_today() {
        // A Sunday evening in Almaty, by which it is still Sunday in UTC; and the night in which its clocks were put back.
        for (now, zone) in [(1_795_975_200_000, Tz::Asia__Almaty), (1_709_240_000_000, Tz::Asia__Almaty), (0, Tz::UTC)]
        {
            let days = working_days(Millis(now), zone);
            assert_eq!(days.len(), 40);
            for day in days {
                let local = zone.timestamp_millis_opt(day.0).unwrap();
                assert_eq!((local.hour(), local.minute()), (9, 0));
                assert!(!matches!(local.weekday(), Weekday::Sat | Weekday::Sun) && day.0 < now);
            }
        }
    }
}
