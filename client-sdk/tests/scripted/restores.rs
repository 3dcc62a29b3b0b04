//! Servers restored more than once, and what only this phone can bring back.

use std::time::Duration;

use crate::server::{
    Log, Server,
    line::{Fault, Line},
    phone::{log, phone},
};
use aralau_client_sdk::{DocumentId, SyncOptions, VisitDraft, VisitState};
use aralau_sync_core::{
    id::ScopeId,
    sync::{Beat, Directive},
};

const ONCE: SyncOptions = SyncOptions { wait: Duration::ZERO };
const ELSEWHERE: ScopeId = ScopeId::from_bytes([0x52; 16]);

fn restore(line: &Line, backup: &Server) {
    let restored = Server::restored(backup.clone(), &line.server.borrow());
    line.server.replace(restored);
}

#[test]
fn a_phone_that_followed_one_restored_backup_follows_a_later_one_that_was_made_before() {
    let line = Line::new();
    let (mut aigul, mut daniyar) = (phone(&line, "Aigul", 1), phone(&line, "Daniyar", 2));
    let mut logged = vec![log(&mut aigul, "contacted")];
    aigul.sync(&line, ONCE).expect("syncs");
    daniyar.sync(&line, ONCE).expect("syncs");
    let older = line.server.borrow().clone();
    logged.extend([log(&mut aigul, "refused"), log(&mut aigul, "moved")]);
    aigul.sync(&line, ONCE).expect("syncs");
    let newer = line.server.borrow().clone();

    // The older backup is restored, and rows get numbers that the newer one has given to others.
    restore(&line, &older);
    logged.extend([log(&mut daniyar, "vacant"), log(&mut daniyar, "no_access")]);
    daniyar.sync(&line, ONCE).expect("follows the first restore");
    aigul.sync(&line, ONCE).expect("follows the first restore");

    restore(&line, &newer);
    for _ in 0..2 {
        for client in [&mut daniyar, &mut aigul] {
            client.sync(&line, ONCE).expect("follows the second restore");
        }
    }
    let rows = line.server.borrow().log().rows.len() as u64;
    assert_eq!(rows, 5);
    for client in [&aigul, &daniyar] {
        let status = client.status().expect("reads");
        assert_eq!((status.scopes[0].sequence, status.scopes[0].verified, status.alarms.len()), (rows, rows, 0));
        for id in &logged {
            assert_eq!(client.visit(*id).expect("reads").state, VisitState::AtHeadquarters);
        }
    }
}

#[test]
fn words_in_a_beat_that_was_taken_away_are_sent_again_when_an_older_database_has_lost_them() {
    let line = Line::new();
    let elsewhere = Beat { code: "beat-02".into(), scope: ELSEWHERE, name: "Beat 2".into() };
    line.server.borrow_mut().beats.push(elsewhere);
    line.server.borrow_mut().logs.insert(ELSEWHERE, Log::default());
    let mut client = phone(&line, "Aigul", 1);
    client.sync(&line, ONCE).expect("syncs");
    let backup = line.server.borrow().clone();
    let draft = VisitDraft { outcome: Some("contacted".into()), ..VisitDraft::default() };
    client.log_visit_in(ELSEWHERE, DocumentId::from_bytes([9; 16]), draft).expect("logs");
    // The beat is taken away before the phone hears of its words.
    line.server.borrow_mut().beats.pop();
    client.sync(&line, ONCE).expect("syncs");
    assert_eq!(client.status().expect("reads").unsent, 0);

    line.server.replace(backup);
    line.server.borrow_mut().beats.pop();
    client.sync(&line, ONCE).expect("syncs");
    assert_eq!(line.server.borrow().logs[&ELSEWHERE].rows.len(), 1);
    let status = client.status().expect("reads");
    assert_eq!((status.unsent, status.alarms[0].code.code()), (0, "alarm_server_lost"));
}

#[test]
fn words_under_a_closed_name_that_a_restored_server_has_lost_are_signed_and_sent_anew() {
    let line = Line::new();
    let mut client = phone(&line, "Aigul", 1);
    let empty = line.server.borrow().clone();
    let id = log(&mut client, "contacted");
    client.sync(&line, ONCE).expect("syncs");
    let name = client.replica();
    line.breaks([Fault::Twist(Box::new(|welcome, _| welcome.directives.push(Directive::NewReplica)))]);
    client.sync(&line, ONCE).expect("syncs");
    assert_ne!(client.replica(), name);

    restore(&line, &empty);
    client.sync(&line, ONCE).expect("syncs");
    let rows = line.server.borrow().log().rows.clone();
    assert_eq!((rows.len(), rows[0].replica), (1, name));
    assert_eq!(client.visit(id).expect("reads").state, VisitState::AtHeadquarters);
}
