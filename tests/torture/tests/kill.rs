//! Killed at any moment, nothing that was acknowledged is lost: the small size.

use std::path::Path;

use aralau_torture::{
    campaign::{Size, Tally},
    kill,
};

fn seed() -> u64 {
    aralau_tests::chance::Chance::new().bits() >> 16
}

fn holds(tally: &Tally, count: u64) {
    println!("{tally:?}");
    assert_eq!((tally.count, tally.failed), (count, 0));
}

#[test]
fn a_server_killed_fifty_times_in_the_middle_of_syncs_loses_no_acknowledged_visit() {
    let tally = kill::server::campaign(seed(), Size::of(50));
    holds(&tally, 50);
    assert!(tally.figures["acknowledged"].as_u64() > Some(50), "too little to prove anything: {tally:?}");
    assert!(tally.figures["in_mid_sync"].as_u64() >= Some(10), "the kills missed: {tally:?}");
}

#[test]
fn a_phone_killed_thirty_times_in_the_middle_of_syncs_goes_on_where_it_was() {
    let tally = kill::phone::campaign(Path::new(env!("CARGO_BIN_EXE_torture")), seed(), Size::of(30));
    holds(&tally, 30);
    assert!(tally.figures["in_mid_sync"].as_u64() >= Some(5), "the kills missed: {tally:?}");
}
