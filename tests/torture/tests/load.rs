//! More than it is made for, and for longer: the small size.

use aralau_torture::{
    campaign::Size,
    load,
    rogue::{self, Worst},
    soak,
};

#[test]
fn crowds_drips_and_floods_hold_nobody_up_and_memory_stays_bounded() {
    let tally = load::campaign(1, Size::of(1), load::SMALL);
    println!("{tally:?}");
    assert_eq!((tally.count, tally.failed), (1, 0));
}

#[test]
fn one_phone_at_its_worst_keeps_nobody_from_syncing() {
    let tally = rogue::campaign(1, Size::of(1), rogue::SMALL, &Worst::ALL);
    println!("{tally:?}");
    assert_eq!((tally.count, tally.failed), (1, 0));
}

#[test]
fn memory_does_not_grow_while_phones_sync_and_headquarters_asks() {
    let tally = soak::campaign(1, 0.25);
    println!("{tally:?}");
    assert_eq!(tally.failed, 0);
}
