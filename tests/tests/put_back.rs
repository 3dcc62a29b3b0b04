//! A database put back by hand, under phones that have seen more: the server's own receipts prove the loss.

use aralau_tests::world::World;

#[test]
fn a_database_put_back_by_hand_is_found_out_by_the_first_phone_that_knows_more() {
    let mut world = World::to_return();
    let (anna, bolat) = (world.phone("Anna", "beat-01"), world.phone("Bolat", "beat-01"));
    let place = anna.places()[0].clone();
    anna.log(&place, &["--note", "before"]);
    anna.sync();
    world.server.stop();
    // As somebody copies a folder: the database with the log beside it that SQLite has not folded back yet.
    let (data, copy) = (world.server.data.clone(), world.path("copy"));
    std::fs::create_dir(&copy).unwrap();
    let files = ["aralau.db", "aralau.db-wal"].map(|name| (data.join(name), copy.join(name)));
    for (from, to) in files.iter().filter(|(from, _)| from.exists()) {
        std::fs::copy(from, to).unwrap();
    }
    world.server.start_again();

    let kept = anna.log(&place, &["--note", "after"]);
    anna.sync();
    bolat.sync();
    world.server.stop();
    for file in ["aralau.db-wal", "aralau.db-shm", "high-water"] {
        drop(std::fs::remove_file(data.join(file)));
    }
    for (from, to) in files.iter().filter(|(_, to)| to.exists()) {
        std::fs::copy(to, from).unwrap();
    }
    world.server.start_again();
    let headquarters = world.headquarters();
    assert_eq!(headquarters.visits("").len(), 1, "the copy is old");

    // Not even its author: whoever has seen the words brings them back.
    bolat.sync();
    let found = headquarters.visits("");
    assert!(found.iter().any(|visit| visit["id"] == *kept), "{found:?}");
    anna.sync();
    assert_eq!(anna.visit(&kept)["state"], "at_headquarters");
    assert_eq!(anna.visits(), bolat.visits());
    world.check();
}
