//! Worlds that every change must survive. A failure names its seed and the command that shows it again.

use aralau_simulation::{
    campaign::{Size, campaign, failure, replay},
    world::World,
};

/// Seeds that a developer's run of the tests lives through; `ARALAU_WORLDS` names another number.
const SEEDS: u64 = 40;

#[test]
fn whatever_goes_wrong_every_invariant_holds() {
    let asked = std::env::var("ARALAU_WORLDS").ok().and_then(|worlds| worlds.parse().ok());
    let count = asked.unwrap_or(SEEDS);
    let sum = campaign(Size { first: 0, count, within: None }, |seed, ended| {
        if let Err(violation) = ended {
            eprintln!("{}", failure(seed, violation));
        }
    });
    assert_eq!(sum.worlds, count);
    assert_eq!(sum.failed, [], "see above for the commands that show them again");
}

#[test]
fn worlds_that_once_failed_hold() {
    for seed in [
        12, 18, 24, 44, 51, 65, 102, 103, 139, 146, 149, 167, 181, 189, 244, 258, 260, 318, 362, 543, 605, 694, 855,
        1179, 1284, 1412, 1754, 5468, 7639, 10391, 11611,
    ] {
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
