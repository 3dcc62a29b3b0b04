//! Visits that are being written down.

use crate::server::{
    line::Line,
    phone::{TestClock, TestEntropy, phone, seams},
};
use aralau_client_sdk::{
    Client, DocumentId, Millis, VisitForm, VisitState,
    form::{Commitment, Concern},
    store::{DraftRecord, SqliteStore, Store as _},
};
use aralau_sync_core::change::Value;

fn form(note: &str) -> VisitForm {
    VisitForm {
        outcome: Some("contacted".into()),
        note: note.into(),
        concerns: vec![Concern { category: Some("noise".into()), text: String::new() }],
        commitments: vec![Commitment { to: "№ 12".into(), text: "call back".into(), due: Some("2026-12-31".into()) }],
        ..VisitForm::default()
    }
}

#[test]
fn a_draft_becomes_a_visit_once() {
    let line = Line::new();
    let mut phone = phone(&line, "Aigul", 1);
    let one = phone.begin_draft(&form("half a no")).expect("begins");
    let other = phone.begin_draft(&VisitForm::default()).expect("begins");
    phone.keep_draft(one, &form("half a note, and the rest")).expect("keeps");
    assert_eq!(phone.visits().expect("reads"), [], "nothing of it leaves the draft");
    let id = phone.log_draft(one).expect("logs");
    assert_eq!(phone.drafts().expect("reads").iter().map(|draft| draft.id).collect::<Vec<_>>(), [other]);
    let refused = phone.log_draft(one).expect_err("it is a visit already");
    assert_eq!(refused.code(), "draft_unknown");
    let late = phone.keep_draft(one, &form("typed on another screen")).expect_err("it must not come back");
    assert_eq!(late.code(), "draft_unknown");
    let [visit] = &phone.visits().expect("reads")[..] else { panic!("one visit") };
    assert_eq!((visit.id, visit.notes[0].text.as_str()), (id, "half a note, and the rest"));
    assert_eq!(visit.state, VisitState::OnThisPhone);
    let said = |collection: &str, field: &str| {
        let items = &visit.collections[collection];
        items.values().find_map(|fields| fields.get(field).cloned())
    };
    assert_eq!(said("concerns", "category"), Some(Value::from("noise")));
    assert_eq!(said("commitments", "due"), Some(Value::from("2026-12-31")));
    phone.drop_draft(other).expect("gives up");
    assert_eq!(phone.drafts().expect("reads"), []);
}

#[test]
fn a_draft_that_cannot_be_logged_stays() {
    let line = Line::new();
    let mut phone = phone(&line, "Aigul", 1);
    let too_long = form(&"ә".repeat(40_000));
    let id = phone.begin_draft(&too_long).expect("begins");
    phone.log_draft(id).expect_err("no note is that long");
    assert_eq!(phone.drafts().expect("reads")[0].form, Some(too_long));
    assert_eq!(phone.visits().expect("reads"), []);
    let elsewhere = VisitForm { place: Some(DocumentId::from_bytes([9; 16])), ..form("short") };
    phone.keep_draft(id, &elsewhere).expect("keeps");
    phone.log_draft(id).expect("its only beat");
}

#[test]
fn a_draft_that_cannot_be_read_keeps_no_other_from_being_logged() {
    let line = Line::new();
    let mut phone = phone(&line, "Aigul", 1);
    let id = phone.begin_draft(&form("sound")).expect("begins");
    let mut store = phone.into_store();
    let spoilt = DraftRecord { id: uuid::Uuid::nil(), at: Millis(1), body: b"{".to_vec() };
    store.put_draft(&spoilt).expect("writes");
    let key = aralau_client_sdk::keys::DeviceKey::generate(&mut TestEntropy(1 << 32));
    let mut phone = Client::over(store, key, seams(9, &TestClock::default())).expect("opens");
    let listed = phone.drafts().expect("lists both").into_iter().map(|draft| (draft.id, draft.form.is_some()));
    assert_eq!(listed.collect::<Vec<_>>(), [(id, true), (spoilt.id, false)]);
    assert_eq!(phone.log_draft(spoilt.id).expect_err("one is spoilt").code(), "store_corrupt");
    phone.log_draft(id).expect("logs the other");
    phone.drop_draft(spoilt.id).expect("gives up");
    assert_eq!(phone.drafts().expect("reads"), []);
}

#[test]
fn a_draft_outlives_the_app() {
    let home = tempfile::tempdir().expect("a folder");
    let line = Line::new();
    let open = || Client::open(home.path(), seams(3, &TestClock::default())).expect("opens");
    let mut phone: Client<SqliteStore> = open();
    phone.enroll(&line, "https://hq.example", "Aigul").expect("enrolls");
    let id = phone.begin_draft(&form("in a stairwell")).expect("begins");
    drop(phone);
    let mut phone = open();
    assert_eq!(phone.drafts().expect("reads")[0].form, Some(form("in a stairwell")));
    phone.log_draft(id).expect("logs");
    drop(phone);
    let mut phone = open();
    assert_eq!((phone.drafts().expect("reads").len(), phone.visits().expect("reads").len()), (0, 1));
    phone.erase().expect("erases");
    assert_eq!(phone.visits().expect("reads"), []);
}
