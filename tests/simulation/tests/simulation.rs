//! Worlds that every change must survive. A failure names its seed and the command that shows it again.

use aralau_simulation::{
    campaign::{Size, campaign, replay},
    world::World,
};

/// Seeds that every run of the tests lives through.
const SEEDS: u64 = 40;

#[test]
fn whatever_goes_wrong_every_invariant_holds() {
    let size = Size { first: 0, count: SEEDS, within: None };
    let sum = campaign(size, |seed, violation| {
        eprintln!("seed {seed}: {}: {}\n    {}", violation.invariant, violation.what, replay(seed));
    });
    assert_eq!(sum.worlds, SEEDS);
    assert_eq!(sum.failed, [], "see above for the commands that show them again");
}

#[test]
fn worlds_that_once_failed_hold() {
    for seed in [51, 103] {
        let ended = World::new(seed, false).expect("begins").run();
        assert!(ended.is_ok(), "{ended:?}\n    {}", replay(seed));
    }
}

#[test]
fn the_same_seed_tells_the_same_story_twice() {
    for seed in [3, 1_000_003] {
        let story = || World::new(seed, false).expect("begins").run().expect("holds").trace;
        assert_eq!(story(), story(), "{}", replay(seed));
    }
}
