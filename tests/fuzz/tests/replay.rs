//! The corpus, and a small campaign, of every target.

use aralau_fuzz::{
    TARGETS, Target,
    campaign::{self, Size},
    target,
};

/// A case is a handful of bytes, and all of them together little: the corpus is read by everybody who clones.
const MAX_CASE_BYTES: usize = 16 * 1024;
const MAX_CORPUS_BYTES: usize = 1_000_000;

fn named(name: &str) -> Target {
    target(name).expect("a target")
}

fn replay(name: &str) {
    let corpus = campaign::corpus(name);
    assert!(!corpus.is_empty(), "no corpus for {name}");
    let failed = corpus.iter().filter(|(_, case)| !campaign::holds(named(name), case));
    let failed: Vec<_> = failed.map(|(case, _)| case).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

/// Another stretch of executions than the ledger's, which begin at 0.
fn run(name: &str, count: u64) {
    const FIRST: u64 = 1 << 40;
    let report = campaign::run(named(name), Size { first: FIRST, count, time: None }, None);
    println!("{}", report.line(named(name), FIRST));
    assert_eq!(report.failed, Vec::<u64>::new());
    assert!(report.passed > 0, "nothing passed any check");
}

#[test]
fn the_corpus_is_small() {
    let cases = TARGETS.iter().flat_map(|target| campaign::corpus(target.name)).map(|(_, case)| case.len());
    let sizes: Vec<_> = cases.collect();
    assert!(sizes.iter().all(|size| *size <= MAX_CASE_BYTES));
    assert!(sizes.iter().sum::<usize>() <= MAX_CORPUS_BYTES);
}

#[test]
fn every_case_of_the_wire_corpus_holds() {
    replay("wire");
}

#[test]
fn every_case_of_the_change_corpus_holds() {
    replay("change");
}

#[test]
fn every_case_of_the_apply_corpus_holds() {
    replay("apply");
}

#[test]
fn every_case_of_the_body_corpus_holds() {
    replay("body");
}

#[test]
fn every_case_of_the_csv_corpus_holds() {
    replay("csv");
}

#[test]
fn every_case_of_the_query_corpus_holds() {
    replay("query");
}

#[test]
fn random_messages_never_panic_and_read_back() {
    run("wire", 50_000);
}

#[test]
fn random_changes_are_refused_or_automerges_own() {
    run("change", 20_000);
}

#[test]
fn random_histories_never_disagree_with_automerge() {
    run("apply", 1_500);
}

#[test]
fn random_bodies_stay_within_their_bounds() {
    run("body", 3_000);
}

#[test]
fn random_tables_become_plans_or_are_refused() {
    run("csv", 5_000);
}

#[test]
fn random_requests_are_answered_or_refused() {
    run("query", 5_000);
}
