//! What a phone of the simulated world did comes out the same when it is done again; browsers and UniFFI do it in their own tests.

use aralau_client_sdk::{
    replay::{Act, Deed, replay},
    store::SqliteStore,
};
use aralau_simulation::world::World;

/// As in `./dev field` and `./dev ffi`.
const SEED: u64 = 14;

#[test]
fn a_phones_life_comes_out_the_same_again() {
    let script = World::script(SEED).expect("holds");
    let count = |is: fn(&Act) -> bool| script.scenes.iter().filter(|scene| is(&scene.act)).count();
    let (opened, enrolled) = (count(|act| *act == Act::Open), count(|act| matches!(act, Act::Enroll { .. })));
    let (logged, edited) = (
        count(|act| matches!(act, Act::Write(Deed::Log { .. }))),
        count(|act| matches!(act, Act::Write(Deed::Edit { .. }))),
    );
    let (answered, unanswered) =
        (count(|act| matches!(act, Act::Answered(_))), count(|act| matches!(act, Act::Unanswered(_))));
    println!(
        "{opened} starts, {enrolled} enrollments, {logged} visits, {edited} edits, {answered} answers, {unanswered} lost"
    );
    assert!(opened > 1 && enrolled > 0 && logged > 5 && edited > 5 && answered > 10 && unanswered > 0);
    let folder = tempfile::tempdir().expect("a folder");
    let open = || SqliteStore::open(folder.path()).expect("opens");
    assert_eq!(replay(&script, open), Ok(script.scenes.len()));
}

#[test]
fn another_word_is_noticed() {
    let mut script = World::script(SEED).expect("holds");
    let mut written = script.scenes.iter_mut().map(|scene| &mut scene.act);
    let Some(Act::Write(Deed::Log { note, .. })) = written.find(|act| matches!(act, Act::Write(Deed::Log { .. })))
    else {
        panic!("no visit")
    };
    note.1.push('!');
    let folder = tempfile::tempdir().expect("a folder");
    let told = replay(&script, || SqliteStore::open(folder.path()).expect("opens"));
    let told = told.expect_err("it is another");
    assert!(told.contains("Write(Log"), "{told}");
}
