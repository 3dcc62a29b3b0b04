//! The order of lists, against the cases that the console's twin passes as well, and against ICU4X for Kazakh.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::cmp::Ordering;

use aralau_sync_core::collation::SortKey;
use icu_collator::{Collator, CollatorBorrowed, options::CollatorOptions, preferences::CollationNumericOrdering};
use icu_locale_core::locale;
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Cases {
    ordered: Vec<Vec<String>>,
    alike: Vec<Vec<String>>,
}

fn cases() -> Cases {
    serde_json::from_str(include_str!("collation/cases.json")).unwrap()
}

#[test]
fn every_text_of_a_list_comes_after_those_before_it() {
    for list in cases().ordered {
        let keys: Vec<_> = list.iter().map(|text| SortKey::of(text)).collect();
        for (at, pair) in keys.windows(2).enumerate() {
            assert!(pair[0] < pair[1], "{:?} before {:?}: {:?}", list[at], list[at + 1], pair);
        }
    }
}

#[test]
fn what_reads_alike_stands_alike() {
    for group in cases().alike {
        for text in &group {
            assert_eq!(SortKey::of(text), SortKey::of(&group[0]), "{text:?} and {:?}", group[0]);
        }
    }
}

fn kazakh() -> CollatorBorrowed<'static> {
    let mut preferences: icu_collator::CollatorPreferences = locale!("kk").into();
    preferences.numeric_ordering = Some(CollationNumericOrdering::True);
    Collator::try_new(preferences, CollatorOptions::default()).unwrap()
}

fn by_key(a: &str, b: &str) -> Ordering {
    SortKey::of(a).cmp(&SortKey::of(b))
}

/// The alphabets, twice their share of what is particular to Kazakh, signs, digits, accents and letters made of two.
const LETTERS: &str = "аәбвгғдеёжзийкқлмнңоөпрстуұүфхһцчшщъыіьэюяәғқңөұүһіАӘБВГҒДЕЁЖЗИЙКҚЛМНҢОӨПРСТУҰҮФХҺЦЧШЩЪЫІЬЭЮЯ\
    abcxyzABCXYZéüÉєїўҳҗӣ\u{306}\u{308}\u{301}0123456789 _-,;:!?.'\"()[]{}@*/\\&#%+<=>|~$«»–—";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn the_order_is_that_of_icu_for_kazakh(
        a in proptest::collection::vec(proptest::sample::select(LETTERS.chars().collect::<Vec<_>>()), 0..8),
        b in proptest::collection::vec(proptest::sample::select(LETTERS.chars().collect::<Vec<_>>()), 0..8),
        both in "[а-яәғқңөұүһіё0-9 ]{0,4}",
    ) {
        let [a, b] = [a, b].map(|end| format!("{both}{}", end.into_iter().collect::<String>()));
        prop_assert_eq!(by_key(&a, &b), kazakh().compare(&a, &b), "{:?} {:?}", a, b);
    }

    #[test]
    fn a_key_travels_as_text_whatever_it_is_of(text in "\\PC{0,200}") {
        let key = SortKey::of(&text);
        let travelled = serde_json::from_str::<SortKey>(&serde_json::to_string(&key).unwrap()).unwrap();
        prop_assert_eq!(travelled, key);
    }
}

#[test]
fn every_two_letters_stand_as_icu_has_them() {
    let icu = kazakh();
    let letters: Vec<String> = LETTERS.chars().filter(|c| c.is_alphabetic()).map(String::from).collect();
    for a in &letters {
        for b in &letters {
            assert_eq!(by_key(a, b), icu.compare(a, b), "{a} {b}");
        }
    }
}
