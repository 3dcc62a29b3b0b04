//! Syncs that work, on lines that do not.

use std::time::Duration;

use crate::server::{
    SCOPE,
    line::{Fault, Line},
    phone::{TestClock, log, log_many, phone, seams},
};
use aralau_client_sdk::{
    Action, Client, Event, SyncOptions, Value, VisitDraft, VisitEdit, VisitState, seams::Clock as _, store::MemoryStore,
};
use aralau_sync_core::sync::Beat;

const ONCE: SyncOptions = SyncOptions { wait: Duration::ZERO };
const PATIENT: SyncOptions = SyncOptions { wait: Duration::from_secs(600) };

#[test]
fn a_visit_goes_from_this_phone_to_headquarters_and_to_the_partner() {
    let line = Line::new();
    let (mut aigul, mut daniyar) = (phone(&line, "Aigul", 1), phone(&line, "Daniyar", 2));
    let id = log(&mut aigul, "contacted");
    assert_eq!(aigul.visit(id).expect("reads").state, VisitState::OnThisPhone);
    assert_eq!(aigul.status().expect("reads").unsent, 1);
    let report = aigul.sync(&line, ONCE).expect("syncs");
    assert_eq!((report.requests, report.pushed, report.pulled, report.unsent), (1, 1, 0, 0));
    assert_eq!(report.confirmed[0].confirmed_index, 1);
    assert_eq!(aigul.visit(id).expect("reads").state, VisitState::AtHeadquarters);
    assert_eq!(daniyar.sync(&line, ONCE).expect("syncs").pulled, 1);
    let seen = daniyar.visit(id).expect("reads");
    assert_eq!((seen.notes[0].by.as_str(), seen.notes[0].text.as_str()), ("Aigul", "note about contacted"));
    assert_eq!(seen.state, VisitState::AtHeadquarters);
    assert_eq!(daniyar.status().expect("reads").oldest_unsent_at, None);
}

#[test]
fn what_two_wrote_about_one_visit_is_a_conflict_until_somebody_chooses() {
    let line = Line::new();
    let (mut aigul, mut daniyar) = (phone(&line, "Aigul", 1), phone(&line, "Daniyar", 2));
    let id = log(&mut aigul, "contacted");
    let draft = VisitDraft {
        outcome: Some("refused".into()),
        note: Some((daniyar.fresh_id(), "mine".into())),
        ..VisitDraft::default()
    };
    daniyar.log_visit_in(SCOPE, id, draft.clone()).expect("logs");
    daniyar.log_visit_in(SCOPE, id, draft).expect("is logged already");
    for _ in 0..2 {
        aigul.sync(&line, ONCE).expect("syncs");
        daniyar.sync(&line, ONCE).expect("syncs");
    }
    let visit = aigul.visit(id).expect("reads");
    assert_eq!(visit.notes.len(), 2);
    assert_eq!(visit.authors, ["Aigul", "Daniyar"]);
    let [conflict] = &visit.conflicts[..] else { panic!("one conflict: {:?}", visit.conflicts) };
    assert_eq!((conflict.field.as_str(), conflict.values.len()), ("outcome", 2));
    aigul.resolve(id, "outcome", Value::from("refused")).expect("resolves");
    aigul.sync(&line, ONCE).expect("syncs");
    daniyar.sync(&line, ONCE).expect("syncs");
    for client in [&aigul, &daniyar] {
        let visit = client.visit(id).expect("reads");
        assert_eq!((visit.outcome.as_deref(), visit.conflicts.len()), (Some("refused"), 0));
    }
    assert_eq!(aigul.export(id).expect("exports"), daniyar.export(id).expect("exports"));
    assert_eq!(aigul.history(id).expect("reads").len(), 3);
}

#[test]
fn a_stale_nonce_costs_one_more_request() {
    let line = Line::new();
    let mut client = phone(&line, "Aigul", 1);
    log(&mut client, "contacted");
    line.breaks([Fault::Status(401, "nonce_stale", &[("aralau-nonce", "fresh")])]);
    let report = client.sync(&line, ONCE).expect("syncs");
    assert_eq!((report.requests, report.pushed), (2, 1));
    let stale = || Fault::Status(401, "nonce_stale", &[("aralau-nonce", "fresh")]);
    line.breaks([stale(), stale(), stale(), stale()]);
    let error = client.sync(&line, ONCE).expect_err("a server that is never content");
    assert_eq!((error.code(), error.action()), ("nonce_stale", Action::Enroll));
}

#[test]
fn an_upload_whose_answer_was_lost_is_repeated_without_a_double() {
    let line = Line::new();
    let mut client = phone(&line, "Aigul", 1);
    let id = log(&mut client, "contacted");
    line.breaks([Fault::LoseAnswer]);
    let error = client.sync(&line, ONCE).expect_err("no answer");
    assert_eq!((error.code(), error.action()), ("timed_out", Action::Retry));
    assert_eq!(client.visit(id).expect("reads").state, VisitState::OnThisPhone);
    client.edit_visit(id, &[VisitEdit::Withdraw]).expect("edits");
    let report = client.sync(&line, ONCE).expect("syncs");
    assert_eq!((report.pushed, report.unsent), (2, 0));
    assert_eq!(line.server.borrow().log().rows.len(), 2);
    assert_eq!(client.visit(id).expect("reads").status, "withdrawn");
}

#[test]
fn a_patient_sync_outlasts_every_fault_and_an_impatient_one_says_so() {
    let line = Line::new();
    let clock = TestClock::default();
    let mut client = Client::open_in_memory(seams(1, &clock)).expect("opens");
    client.enroll(&line, "https://hq.example", "Aigul").expect("enrolls");
    log(&mut client, "contacted");
    line.breaks([
        Fault::LoseRequest,
        Fault::CutAnswer,
        Fault::Status(503, "busy", &[("retry-after", "30")]),
        Fault::Status(500, "internal", &[]),
        Fault::LoseAnswer,
    ]);
    let report = client.sync(&line, PATIENT).expect("syncs");
    assert_eq!((report.requests, report.unsent), (6, 0));
    assert!(clock.ms() >= 30_000, "waited {} ms", clock.ms());
    assert_eq!(line.server.borrow().log().rows.len(), 1);

    line.breaks([Fault::CutAnswer]);
    let error = client.sync(&line, ONCE).expect_err("cut");
    assert_eq!((error.code(), error.action()), ("answer_malformed", Action::Retry));
    line.breaks(std::iter::repeat_with(|| Fault::LoseRequest).take(1000));
    let before_ms = clock.ms();
    let error = client.sync(&line, PATIENT).expect_err("never");
    assert_eq!(error.code(), "unreachable");
    assert!(clock.ms() - before_ms <= 600_000);
}

#[test]
fn a_server_that_never_wants_to_be_asked_again_is_not_waited_for() {
    let line = Line::new();
    let clock = TestClock::default();
    let mut client = Client::open_in_memory(seams(1, &clock)).expect("opens");
    client.enroll(&line, "https://hq.example", "Aigul").expect("enrolls");
    line.breaks([Fault::Status(403, "device_revoked", &[])]);
    let error = client.sync(&line, PATIENT).expect_err("shut out");
    assert_eq!((error.code(), error.action(), clock.ms()), ("device_revoked", Action::Enroll, 0));
    line.breaks([Fault::Status(426, "upgrade_required", &[])]);
    assert_eq!(client.sync(&line, PATIENT).expect_err("too old").action(), Action::Update);
}

#[test]
fn after_a_failure_uploads_resume_frame_by_frame_doubling() {
    let line = Line::new();
    let mut client = phone(&line, "Aigul", 1);
    log_many(&mut client, "nobody_home", 1_250);
    line.breaks([Fault::LoseRequest, Fault::None, Fault::None, Fault::LoseAnswer]);
    let report = client.sync(&line, PATIENT).expect("syncs");
    assert_eq!((report.pushed, report.unsent), (1_250, 0));
    assert_eq!(line.frames.borrow()[..], [13, 1, 2, 4, 1, 2, 4]);
    assert_eq!(line.server.borrow().log().rows.len(), 1_250);
}

#[test]
fn a_request_too_large_shrinks_until_it_fits() {
    let line = Line::new();
    let mut client = phone(&line, "Aigul", 1);
    log_many(&mut client, "nobody_home", 300);
    let too_large = || Fault::Status(413, "too_large", &[]);
    line.breaks([too_large(), too_large(), too_large()]);
    client.sync(&line, ONCE).expect("syncs");
    assert_eq!(line.frames.borrow()[..4], [3, 1, 1, 1]);
    assert_eq!(line.server.borrow().log().rows.len(), 300);
}

#[test]
fn a_long_log_comes_in_pages_and_counts_as_received_until_a_receipt_covers_it() {
    let line = Line::new();
    let (mut aigul, mut daniyar) = (phone(&line, "Aigul", 1), phone(&line, "Daniyar", 2));
    let id = log(&mut aigul, "contacted");
    log_many(&mut aigul, "contacted", 20);
    aigul.sync(&line, ONCE).expect("syncs");
    line.server.borrow_mut().rows_per_answer = 8;
    let report = daniyar.sync(&line, ONCE).expect("syncs");
    assert_eq!((report.requests, report.pulled), (3, 21));
    daniyar.edit_visit(id, &[VisitEdit::Withdraw]).expect("edits");
    log_many(&mut aigul, "contacted", 20);
    aigul.sync(&line, ONCE).expect("syncs");
    line.breaks([Fault::None, Fault::LoseAnswer]);
    daniyar.sync(&line, ONCE).expect_err("breaks between pages");
    assert_eq!(daniyar.visit(id).expect("reads").state, VisitState::Received);
    daniyar.sync(&line, ONCE).expect("syncs");
    assert_eq!(daniyar.visit(id).expect("reads").state, VisitState::AtHeadquarters);
}

#[test]
fn a_new_beat_is_pulled_in_the_same_sync_and_a_lost_one_still_takes_unsent_words() {
    let line = Line::new();
    let (mut aigul, mut daniyar) = (phone(&line, "Aigul", 1), phone(&line, "Daniyar", 2));
    let other = aralau_client_sdk::ScopeId::from_bytes([0x52; 16]);
    let beat = Beat { code: "beat-02".into(), scope: other, name: "Beat 2".into() };
    line.server.borrow_mut().beats.push(beat);
    aigul.sync(&line, ONCE).expect("syncs");
    let id = aigul.fresh_id();
    let draft = VisitDraft { outcome: Some("moved".into()), ..VisitDraft::default() };
    let id = aigul.log_visit_in(other, aralau_client_sdk::DocumentId(id), draft.clone()).expect("logs");
    assert_eq!(aigul.log_visit(draft).expect_err("which beat?").code(), "beat_unknown");
    aigul.sync(&line, ONCE).expect("syncs");
    let report = daniyar.sync(&line, ONCE).expect("syncs");
    assert!(report.beats_changed);
    assert_eq!(daniyar.visit(id).expect("reads").beat.as_deref(), Some("beat-02"));

    aigul.edit_visit(id, &[VisitEdit::Withdraw]).expect("edits");
    line.server.borrow_mut().beats.pop();
    let report = aigul.sync(&line, ONCE).expect("syncs");
    assert_eq!((report.beats_changed, report.unsent), (true, 0));
    assert_eq!(line.server.borrow().logs[&other].rows.len(), 2);
    assert_eq!(aigul.visit(id).expect("reads").state, VisitState::Received);
    assert_eq!(aigul.beats().len(), 1);
}

#[test]
fn of_more_beats_than_one_request_may_name_every_one_is_heard() {
    let line = Line::new();
    let mut aigul = phone(&line, "Aigul", 1);
    let scopes: Vec<_> = (0..150).map(|at| aralau_client_sdk::ScopeId::from_bytes([at + 0x60; 16])).collect();
    let beat =
        |scope: &aralau_client_sdk::ScopeId| Beat { code: scope.to_string(), scope: *scope, name: String::new() };
    line.server.borrow_mut().beats.extend(scopes.iter().map(beat));
    aigul.sync(&line, ONCE).expect("syncs");
    for scope in &scopes {
        let id = aralau_client_sdk::DocumentId(aigul.fresh_id());
        aigul.log_visit_in(*scope, id, VisitDraft::default()).expect("logs");
    }
    aigul.sync(&line, ONCE).expect("syncs");
    let everywhere = |client: &Client<MemoryStore>| {
        let visits = client.visits().expect("reads");
        visits.len() == scopes.len() && visits.iter().all(|visit| visit.state == VisitState::AtHeadquarters)
    };
    assert!(everywhere(&aigul));

    let mut daniyar = phone(&line, "Daniyar", 2);
    let report = daniyar.sync(&line, ONCE).expect("syncs");
    assert!(everywhere(&daniyar));
    // One that tells the beats, and 151 of them in three.
    assert!(report.requests <= 4, "{}", report.requests);
}

#[test]
fn refused_frames_are_kept_and_shown_and_not_sent_over_and_over() {
    let line = Line::new();
    let mut client = phone(&line, "Aigul", 1);
    let id = log(&mut client, "contacted");
    line.server.borrow_mut().refusals.insert(client.replica(), "too_much_held");
    let report = client.sync(&line, PATIENT).expect("syncs");
    assert_eq!((report.requests, report.unsent, &report.refused[..]), (1, 1, &["too_much_held".to_owned()][..]));
    let status = client.status().expect("reads");
    assert_eq!(
        (status.alarms[0].code.code(), status.alarms[0].detail.as_str()),
        ("alarm_frame_refused", "too_much_held")
    );
    assert_eq!(client.visit(id).expect("reads").state, VisitState::OnThisPhone);
    line.server.borrow_mut().refusals.clear();
    assert_eq!(client.sync(&line, ONCE).expect("syncs").unsent, 0);
}

#[test]
fn an_expired_code_is_for_the_person_to_correct() {
    let line = Line::new();
    let mut client = Client::open_in_memory(seams(1, &TestClock::default())).expect("opens");
    let error = client.enroll(&line, "https://hq.example", "expired").expect_err("too late");
    assert_eq!((error.code(), error.action()), ("enrollment_code_expired", Action::Correct));
    assert_eq!(client.sync(&line, ONCE).expect_err("not yet").action(), Action::Enroll);
    assert_eq!(client.log_visit(VisitDraft::default()).expect_err("not yet").code(), "not_enrolled");
}

#[test]
fn watchers_hear_of_own_edits_and_of_what_a_sync_brings() {
    let line = Line::new();
    let (mut aigul, mut daniyar) = (phone(&line, "Aigul", 1), phone(&line, "Daniyar", 2));
    let events = daniyar.watch();
    let own = log(&mut daniyar, "contacted");
    assert_eq!(events.try_iter().collect::<Vec<_>>(), [Event::Changed(vec![own])]);
    let id = log(&mut aigul, "contacted");
    aigul.sync(&line, ONCE).expect("syncs");
    daniyar.sync(&line, ONCE).expect("syncs");
    let mut both = vec![own, id];
    both.sort();
    assert_eq!(events.try_iter().collect::<Vec<_>>(), [Event::Changed(both), Event::Synced]);
    assert!(TestClock::default().now() > aralau_client_sdk::Millis(0));
}

#[test]
fn a_full_visit_says_so_before_anything_is_written_and_can_still_be_resolved_and_taken_back() {
    let line = Line::new();
    let (mut client, mut partner) = (phone(&line, "Aigul", 1), phone(&line, "Daniyar", 2));
    let id = log(&mut client, "contacted");
    client.sync(&line, ONCE).expect("syncs");
    partner.sync(&line, ONCE).expect("syncs");
    for (phone, outcome) in [(&mut partner, "moved"), (&mut client, "vacant")] {
        let edit = VisitEdit::Set { field: "outcome".into(), value: outcome.into() };
        phone.edit_visit(id, &[edit]).expect("edits");
        phone.sync(&line, ONCE).expect("syncs");
    }
    let unasked = client.resolve(id, "visit_type", Value::from("follow_up")).expect_err("nobody disagrees");
    assert_eq!((unasked.code(), unasked.action()), ("not_in_conflict", Action::Correct));
    let fields = |round: i64| -> Vec<VisitEdit> {
        (0..4_500).map(|n| VisitEdit::Set { field: format!("f{n}"), value: Value::Int(round) }).collect()
    };
    let full = (0..20).find_map(|round| client.edit_visit(id, &fields(round)).err()).expect("some end");
    assert_eq!((full.code(), full.action()), ("document_full", Action::Correct));
    let written = client.status().expect("reads").unsent;
    client.resolve(id, "outcome", Value::from("refused")).expect("resolves");
    client.withdraw(id).expect("takes back");
    assert_eq!(client.status().expect("reads").unsent, written + 2);
    let report = client.sync(&line, ONCE).expect("an honest device is never held for size");
    assert_eq!((report.unsent, report.held.len()), (0, 0));
}

#[test]
fn a_client_may_move_to_another_thread() {
    fn may_move<T: Send>(_: &T) {}
    may_move(&phone(&Line::new(), "Aigul", 1));
}
