//! A bad line: the small size, one world of each weather.

use aralau_torture::{campaign::Size, line};

#[test]
fn phones_behind_a_line_that_breaks_and_lies_get_level_with_every_word() {
    let seed = aralau_tests::chance::Chance::new().bits() >> 16;
    let tally = line::campaign(seed, Size::of(5));
    println!("{tally:?}");
    assert_eq!((tally.count, tally.failed), (5, 0));
    assert!(tally.figures["cuts"].as_u64() >= Some(20) && tally.figures["flips"].as_u64() >= Some(10), "{tally:?}");
}
