//! The round: the places of a person's beats, with what is known of each.

use std::time::Duration;

use crate::server::{line::Line, phone::phone};
use aralau_client_sdk::{
    DocumentId, Millis, SyncOptions, VisitForm,
    form::{Commitment, Referral},
};
use aralau_sync_core::{
    change::Value,
    visit::{Coordinates, Place, VisitEdit},
};

fn visit(place: DocumentId, at: i64, outcome: &str) -> VisitForm {
    let (place, started_at) = (Some(place), Some(Millis(at)));
    VisitForm { place, started_at, outcome: Some(outcome.into()), ..VisitForm::default() }
}

#[test]
fn a_stop_tells_when_somebody_was_met_and_what_is_due() {
    let line = Line::new();
    let mut phone = phone(&line, "Aigul", 1);
    let scope = phone.beats()[0].scope;
    let mut place = |address: &str, coordinates| {
        let place = Place { address: Some(address.into()), coordinates, ..Place::default() };
        phone.add_place(scope, place).expect("registers")
    };
    let near = Coordinates { lat: 43.2, lon: 76.9 };
    let (second, first) = (place("Абая, 10", None), place("Абая, 2", Some(near)));
    let mut log = |form: &VisitForm| {
        let draft = phone.begin_draft(form).expect("begins");
        phone.log_draft(draft).expect("logs")
    };
    let due = |day: &str| Some(day.to_owned());
    let promised = log(&VisitForm {
        commitments: vec![
            Commitment { text: "a lamp".into(), due: due("2026-12-20"), ..Commitment::default() },
            Commitment { text: "a call".into(), due: due("soon"), ..Commitment::default() },
        ],
        referrals: vec![Referral { agency: Some("akimat".into()), due: due("2026-12-24"), ..Referral::default() }],
        ..visit(first, 1_000, "contacted")
    });
    log(&visit(first, 2_000, "nobody_home"));
    let mistaken = log(&visit(first, 3_000, "refused"));
    phone.withdraw(mistaken).expect("takes back");

    let round = phone.round().expect("reads");
    assert_eq!(round.iter().map(|stop| stop.id).collect::<Vec<_>>(), [first, second], "as a street is walked");
    let [stop, untouched] = &round[..] else { panic!("two places") };
    assert_eq!((stop.visits, stop.visited_at, stop.outcome.as_deref()), (2, Some(Millis(2_000)), Some("nobody_home")));
    assert_eq!((stop.contacted_at, stop.due.as_deref()), (Some(Millis(1_000)), Some("2026-12-20")));
    assert_eq!((stop.coordinates, stop.beat.as_str()), (Some(near), phone.beats()[0].code.as_str()));
    assert_eq!((untouched.visits, untouched.visited_at, &untouched.due), (0, None, &None));

    let commitments = phone.visit(promised).expect("reads").collections["commitments"].clone();
    for id in commitments.keys() {
        let field = format!("commitments/{id}/fulfilled_at");
        let kept = VisitEdit::Set { field, value: Value::Timestamp(4_000) };
        phone.edit_visit(promised, &[kept]).expect("keeps a promise");
    }
    assert_eq!(phone.round().expect("reads")[0].due.as_deref(), Some("2026-12-24"), "the agency's answer is still out");
    assert_eq!(phone.visits_at(first).expect("reads").len(), 2);
}

#[test]
fn lists_come_in_pages_and_the_status_counts_documents() {
    let line = Line::new();
    let mut phone = phone(&line, "Aigul", 1);
    let mut logged = Vec::new();
    for at in 1..=5 {
        let form = VisitForm { started_at: Some(Millis(at)), ..VisitForm::default() };
        let draft = phone.begin_draft(&form).expect("begins");
        logged.push(phone.log_draft(draft).expect("logs"));
    }
    phone.edit_visit(logged[0], &[VisitEdit::Withdraw]).expect("edits");
    let status = phone.status().expect("reads");
    assert_eq!((status.unsent, status.unsent_documents, status.asking, status.synced_at), (6, 5, 0, None));
    logged.reverse();
    let mut shown = Vec::new();
    while let page = phone.visits_behind(shown.last().copied(), 2).expect("reads")
        && !page.is_empty()
    {
        shown.extend(page.iter().map(|visit| visit.id));
    }
    assert_eq!(shown, logged);
    phone.sync(&line, SyncOptions { wait: Duration::ZERO }).expect("syncs");
    let status = phone.status().expect("reads");
    assert_eq!((status.unsent_documents, status.synced_at.is_some()), (0, true));
    let nowhere = DocumentId::from_bytes([9; 16]);
    assert_eq!(phone.visits_behind(Some(nowhere), 2).expect_err("never shown").code(), "document_unknown");
}
