//! Small sizes of the campaigns, and the proof that their judges bite.

use aralau_disk::campaign::{
    course::{Course, Victim},
    run::{Campaign, Cases, live, power_cut, run},
};
use aralau_torture::campaign::Size;

fn holds(campaign: Campaign, every: usize, size: Size) {
    let tally = run(campaign, Cases { first: None, every, seed: 1 }, size).unwrap();
    println!("{}", serde_json::to_string(&tally).unwrap());
    assert!(tally.count > 10, "hardly anything was tried");
    assert_eq!(tally.failed, 0);
}

/// Campaigns of operations end by themselves.
fn to_the_end() -> Size {
    Size::of(u64::MAX)
}

#[test]
fn a_day_has_no_more_operations_than_can_all_be_failed() {
    let operations = live(&Course::undisturbed(Victim::Server, 1)).unwrap().operations;
    assert!((1_000..3_300).contains(&operations), "{operations}");
}

#[test]
fn an_operation_that_fails_once_loses_nothing() {
    holds(Campaign::Once, 67, to_the_end());
}

#[test]
fn a_disk_that_fails_for_good_loses_nothing() {
    holds(Campaign::Persistent, 71, to_the_end());
}

#[test]
fn a_full_disk_loses_nothing_and_goes_on_when_there_is_room() {
    holds(Campaign::Full, 31, to_the_end());
}

#[test]
fn a_power_cut_at_the_server_loses_nothing() {
    holds(Campaign::PowerCutServer, 1, Size::of(30));
}

#[test]
fn a_flat_battery_loses_nothing() {
    holds(Campaign::PowerCutPhone, 1, Size::of(30));
}

#[test]
fn a_copy_put_back_is_never_silently_wrong() {
    holds(Campaign::CopiedAway, 1, Size::of(25));
}

/// On such a disk commits are acknowledged before they are durable.
#[test]
fn a_disk_that_ignores_syncs_is_caught() {
    for (victim, operations) in [(Victim::Server, 1_900), (Victim::Phone, 500)] {
        let caught = (0..16).filter(|seed| {
            let course = Course { lies: true, ..power_cut(victim, *seed, operations) };
            live(&course).is_err()
        });
        let caught = caught.count();
        assert!(caught >= 4, "{victim:?}: caught in {caught} of 16 days");
    }
}
