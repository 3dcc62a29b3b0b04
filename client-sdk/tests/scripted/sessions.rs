//! Sessions driven by hand, as by an app whose key answers later.

use crate::server::{
    line::Line,
    phone::{TestClock, TestEntropy, log, seams},
};
use aralau_client_sdk::{
    Action, Client, EnrollSession, Session, Step, SyncOptions, SyncSession, Transport as _, VisitState,
    keys::DeviceKey,
    store::{MemoryStore, Store},
};
use aralau_sync_core::{id::Signature, stream::SignDevice as _};

const URL: &str = "https://hq.example/";

fn key() -> DeviceKey {
    DeviceKey::generate(&mut TestEntropy(7))
}

/// A client that knows its public key only.
fn keyless() -> Client<MemoryStore> {
    Client::over(MemoryStore::new(), key().public_key(), seams(1, &TestClock::default())).expect("opens")
}

/// To its end, with signatures from elsewhere; how many were asked for at a time.
fn drive<A: Session, S: Store>(client: &mut Client<S>, line: &Line, mut session: A) -> (Vec<usize>, A::Outcome) {
    let mut asked = Vec::new();
    loop {
        match session.next(client) {
            Step::Sign(messages) => {
                asked.push(messages.len());
                session.signed(messages.iter().map(|message| key().sign(message)).collect());
            }
            Step::Send(request) => session.answered(client, line.send(&request)),
            Step::Wait(ms) => panic!("waits for {ms} ms"),
            Step::Done(outcome) => return (asked, outcome),
            Step::Failed(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_key_that_is_elsewhere_enrolls_and_syncs_as_one_at_hand() {
    let line = Line::new();
    let mut phone = keyless();
    assert_eq!(drive(&mut phone, &line, EnrollSession::new(URL, "Aigul")), (vec![1], ()));
    let id = log(&mut phone, "contacted");
    let (asked, report) = drive(&mut phone, &line, SyncSession::new(SyncOptions::default()));
    // The head of its one frame, then the request that carries it.
    assert_eq!((asked, report.pushed, report.unsent), (vec![1, 1], 1, 0));
    assert_eq!(phone.visit(id).expect("reads").state, VisitState::AtHeadquarters);
    let (asked, _) = drive(&mut phone, &line, SyncSession::new(SyncOptions::default()));
    assert_eq!(asked, [1], "nothing to send: the request only");
}

#[test]
fn a_key_that_is_elsewhere_is_not_waited_for_by_who_blocks() {
    let line = Line::new();
    let mut phone = keyless();
    let refused = phone.enroll(&line, URL, "Aigul").expect_err("it cannot sign");
    assert_eq!((refused.code(), refused.action()), ("device_key", Action::Report));
    drive(&mut phone, &line, EnrollSession::new(URL, "Aigul"));
    log(&mut phone, "contacted");
    assert_eq!(phone.sync(&line, SyncOptions::default()).expect_err("it cannot sign").code(), "device_key");
    let (_, report) = drive(&mut phone, &line, SyncSession::new(SyncOptions::default()));
    assert_eq!((report.pushed, report.unsent), (1, 0));
}

#[test]
fn a_session_goes_nowhere_without_the_signatures_that_it_asked_for() {
    let line = Line::new();
    let mut phone = keyless();
    drive(&mut phone, &line, EnrollSession::new(URL, "Aigul"));
    log(&mut phone, "contacted");
    for signatures in [vec![], vec![Signature([1; 64]); 2]] {
        let mut session = SyncSession::new(SyncOptions::default());
        let Step::Sign(messages) = session.next(&mut phone) else { panic!("it has a frame to sign") };
        assert!(matches!(session.next(&mut phone), Step::Sign(again) if again == messages), "it waits");
        session.signed(signatures);
        let Step::Failed(error) = session.next(&mut phone) else { panic!("it fails") };
        assert_eq!(error.code(), "device_key");
    }
    // A session that was dropped has lost nothing.
    let (_, report) = drive(&mut phone, &line, SyncSession::new(SyncOptions::default()));
    assert_eq!((report.pushed, report.unsent), (1, 0));
}

#[test]
fn what_is_written_while_a_signature_is_waited_for_goes_with_the_next_request() {
    let line = Line::new();
    let mut phone = keyless();
    drive(&mut phone, &line, EnrollSession::new(URL, "Aigul"));
    log(&mut phone, "contacted");
    let mut session = SyncSession::new(SyncOptions::default());
    let Step::Sign(messages) = session.next(&mut phone) else { panic!("it has a frame to sign") };
    log(&mut phone, "refused");
    session.signed(messages.iter().map(|message| key().sign(message)).collect());
    let (_, report) = drive(&mut phone, &line, session);
    assert_eq!((report.requests, report.pushed, report.unsent), (2, 2, 0));
}

#[test]
fn a_store_is_opened_with_its_own_key_only() {
    let line = Line::new();
    let mut phone = keyless();
    drive(&mut phone, &line, EnrollSession::new(URL, "Aigul"));
    let other = DeviceKey::generate(&mut TestEntropy(8));
    let refused = Client::over(phone.into_store(), other, seams(1, &TestClock::default())).map(drop);
    assert_eq!(refused.map_err(|error| error.code().to_owned()), Err("device_key".to_owned()));
}
