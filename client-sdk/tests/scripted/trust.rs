//! What a device believes, what it does when the server or its own store lost something, and what it keeps apart.

use std::{path::Path, time::Duration};

use crate::server::{
    SCOPE, Server,
    line::{Fault, Line},
    phone::{TestClock, TestEntropy, log, log_many, phone, seams},
};
use aralau_client_sdk::{
    Action, Client, DocumentId, Error, SyncOptions, VisitEdit, VisitForm, VisitState, keys::DeviceKey,
    store::SqliteStore,
};
use aralau_sync_core::{
    id::{EntryHash, PublicKey, Signature},
    log::RowKind,
    stream::SignDevice as _,
    sync::{Content, Directive, Gained, Welcome},
};

const ONCE: SyncOptions = SyncOptions { wait: Duration::ZERO };

fn note(client: &mut Client<impl aralau_client_sdk::store::Store>, id: DocumentId, text: &str) {
    let note = client.fresh_id();
    client.edit_visit(id, &[VisitEdit::AddNote { id: note, text: text.into() }]).expect("edits");
}

fn texts(client: &Client<impl aralau_client_sdk::store::Store>, id: DocumentId) -> Vec<String> {
    let mut texts: Vec<_> = client.visit(id).expect("reads").notes.into_iter().map(|note| note.text).collect();
    texts.sort();
    texts
}

type Twist = fn(&mut Welcome, &mut Vec<Gained>);

#[test]
fn nothing_is_taken_from_an_answer_that_does_not_add_up() {
    let twists: [(Twist, &str); 9] = [
        (|_, gained| gained[0].rows[0].received_at.0 += 1, "alarm_root"),
        (|_, gained| drop(gained[0].rows.remove(0)), "alarm_unknown_entry"),
        (|_, gained| drop(gained[0].rows.pop()), "alarm_receipt"),
        (|_, gained| gained[0].from = 1, "alarm_not_continuous"),
        (|_, gained| gained[0].epoch = 7, "alarm_receipt"),
        (
            |_, gained| gained[0].receipt = gained[0].receipt.replace("durable 2", "durable 1"),
            "alarm_receipt_signature",
        ),
        (|_, gained| gained[0].streams[0].head.signature = Signature([1; 64]), "alarm_head"),
        (|_, gained| gained[0].streams[0].key = PublicKey([2; 33]), "alarm_key"),
        (|_, gained| gained[0].rows[1].content = Content::Known, "alarm_unknown_entry"),
    ];
    for (twist, code) in twists {
        let line = Line::new();
        let (mut aigul, mut daniyar) = (phone(&line, "Aigul", 1), phone(&line, "Daniyar", 2));
        log(&mut aigul, "contacted");
        log(&mut aigul, "refused");
        aigul.sync(&line, ONCE).expect("syncs");
        line.breaks([Fault::Twist(Box::new(twist))]);
        let error = daniyar.sync(&line, ONCE).expect_err(code);
        assert_eq!((error.code(), error.action()), (code, Action::Report));
        let status = daniyar.status().expect("reads");
        assert_eq!((status.scopes[0].sequence, status.alarms[0].code.code()), (0, code));
        assert_eq!(daniyar.visits().expect("reads"), []);
        daniyar.sync(&line, ONCE).expect("an honest answer is taken again");
        assert_eq!(daniyar.visits().expect("reads").len(), 2);
    }
}

#[test]
fn a_server_that_forgot_without_a_new_epoch_is_caught_and_nothing_here_is_lost() {
    let line = Line::new();
    let mut client = phone(&line, "Aigul", 1);
    log(&mut client, "contacted");
    client.sync(&line, ONCE).expect("syncs");
    let backup = line.server.borrow().clone();
    log(&mut client, "refused");
    client.sync(&line, ONCE).expect("syncs");
    *line.server.borrow_mut() = backup;
    for _ in 0..2 {
        let error = client.sync(&line, ONCE).expect_err("lost");
        assert_eq!(error.code(), "alarm_server_lost");
    }
    assert_eq!(client.visits().expect("reads").len(), 2);
    // Each sync asks twice: as ever, and once more with the receipts that prove the loss.
    assert_eq!(client.status().expect("reads").alarms[0].count, 4);
}

#[test]
fn a_restored_server_gets_everything_back_from_any_phone_that_has_it() {
    let line = Line::new();
    let (mut aigul, mut daniyar) = (phone(&line, "Aigul", 1), phone(&line, "Daniyar", 2));
    let id = log(&mut aigul, "contacted");
    aigul.sync(&line, ONCE).expect("syncs");
    let backup = line.server.borrow().clone();
    note(&mut aigul, id, "lost with the server");
    let lost = log(&mut aigul, "refused");
    log_many(&mut aigul, "nobody_home", 250);
    aigul.sync(&line, ONCE).expect("syncs");
    daniyar.sync(&line, ONCE).expect("syncs");
    note(&mut daniyar, id, "builds on what was lost");
    daniyar.sync(&line, ONCE).expect("syncs");
    note(&mut daniyar, id, "not sent yet");

    let restored = Server::restored(backup, &line.server.borrow());
    *line.server.borrow_mut() = restored;
    let report = daniyar.sync(&line, ONCE).expect("syncs");
    assert!(report.rewound);
    assert_eq!((report.relayed, report.unsent), (252, 0));
    // Daniyar's two own notes came first, and waited for what they build on.
    assert_eq!(line.server.borrow().log().rows.len(), 257);
    assert_eq!(daniyar.visit(lost).expect("reads").state, VisitState::AtHeadquarters);

    let report = aigul.sync(&line, ONCE).expect("syncs");
    assert!(report.rewound);
    for client in [&aigul, &daniyar] {
        let expected = ["builds on what was lost", "lost with the server", "not sent yet", "note about contacted"];
        assert_eq!(texts(client, id), expected);
        let status = client.status().expect("reads");
        assert_eq!((status.scopes[0].epoch, status.scopes[0].verified, status.alarms.len()), (2, 257, 0));
    }
    assert_eq!(aigul.export(id).expect("exports"), daniyar.export(id).expect("exports"));
}

#[test]
fn its_author_brings_back_what_a_restored_server_lost() {
    let line = Line::new();
    let mut client = phone(&line, "Aigul", 1);
    let backup = line.server.borrow().clone();
    let id = log(&mut client, "contacted");
    client.sync(&line, ONCE).expect("syncs");
    let restored = Server::restored(backup, &line.server.borrow());
    *line.server.borrow_mut() = restored;
    line.breaks([Fault::None, Fault::LoseRequest]);
    client.sync(&line, ONCE).expect_err("breaks after the rewind");
    assert_eq!(client.visit(id).expect("reads").state, VisitState::OnThisPhone);
    client.sync(&line, ONCE).expect("syncs");
    assert_eq!(client.visit(id).expect("reads").state, VisitState::AtHeadquarters);
}

#[test]
fn an_epoch_whose_base_is_not_what_was_seen_is_told_of_and_compared_from_the_beginning() {
    let line = Line::new();
    let (mut aigul, mut daniyar) = (phone(&line, "Aigul", 1), phone(&line, "Daniyar", 2));
    let empty = line.server.borrow().clone();
    log(&mut daniyar, "vacant");
    daniyar.sync(&line, ONCE).expect("syncs");
    let backup = line.server.borrow().clone();

    // Somebody puts an older database back, and Aigul's rows get the number that the backup has given to Daniyar's.
    line.server.borrow_mut().logs = empty.logs;
    let logged = [log(&mut aigul, "contacted"), log(&mut aigul, "moved")];
    aigul.sync(&line, ONCE).expect("syncs");
    let restored = Server::restored(backup, &line.server.borrow());
    *line.server.borrow_mut() = restored;

    let report = aigul.sync(&line, ONCE).expect("goes back to the beginning");
    assert_eq!((report.rewound, report.unsent), (true, 0));
    for id in logged {
        assert_eq!(aigul.visit(id).expect("reads").state, VisitState::AtHeadquarters);
    }
    let status = aigul.status().expect("reads");
    assert_eq!(status.scopes[0].verified, 3);
    assert_eq!(status.alarms.iter().map(|alarm| alarm.code.code()).collect::<Vec<_>>(), ["alarm_root"]);
}

#[test]
fn rows_that_do_not_add_up_to_the_base_are_not_taken_after_going_back_either() {
    let line = Line::new();
    let mut client = phone(&line, "Aigul", 1);
    log(&mut client, "contacted");
    log(&mut client, "contacted");
    client.sync(&line, ONCE).expect("syncs");
    let mut other = Server::new();
    other.authors = line.server.borrow().authors.clone();
    let mut forged = line.server.borrow().log().clone();
    forged.rows.pop();
    forged.rows[0].hash = EntryHash([9; 32]);
    other.logs.insert(SCOPE, forged);
    let restored = Server::restored(other, &line.server.borrow());
    *line.server.borrow_mut() = restored;
    assert!(matches!(client.sync(&line, ONCE), Err(Error::Alarm(_))));
    let status = client.status().expect("reads");
    assert!(status.alarms.iter().any(|alarm| alarm.code.code() == "alarm_root"));
    assert_eq!(status.scopes[0].sequence, 0);
    assert_eq!(client.visits().expect("reads").len(), 2, "every word is kept");
}

fn open(home: &Path, seed: u64) -> Client<SqliteStore> {
    Client::open(home, seams(seed, &TestClock::default())).expect("opens")
}

fn copy(from: &Path, to: &Path) {
    for file in std::fs::read_dir(from).expect("a folder") {
        let file = file.expect("a file");
        std::fs::copy(file.path(), to.join(file.file_name())).expect("copies");
    }
}

#[test]
fn a_phone_restored_from_a_backup_goes_on_under_a_new_name_with_every_word() {
    let line = Line::new();
    let (home, backup) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let mut client = open(home.path(), 1);
    client.enroll(&line, "https://hq.example", "Aigul").expect("enrolls");
    let first = log(&mut client, "contacted");
    client.sync(&line, ONCE).expect("syncs");
    note(&mut client, first, "sent after the backup, and in it");
    drop(client);
    copy(home.path(), backup.path());
    let mut client = open(home.path(), 2);
    note(&mut client, first, "sent, not in the backup");
    client.sync(&line, ONCE).expect("syncs");
    let old_name = client.replica();
    drop(client);

    let mut restored = open(backup.path(), 3);
    note(&mut restored, first, "written after the restore");
    let second = log(&mut restored, "refused");
    let report = restored.sync(&line, ONCE).expect("syncs");
    assert!(report.new_replica);
    assert_ne!(restored.replica(), old_name);
    assert_eq!(report.unsent, 0);
    let expected = [
        "note about contacted",
        "sent after the backup, and in it",
        "sent, not in the backup",
        "written after the restore",
    ];
    assert_eq!(texts(&restored, first), expected);
    assert_eq!(restored.visit(second).expect("reads").state, VisitState::AtHeadquarters);
    // One row for the visit, three for its notes, one for the second visit: what the server had was not sent again.
    assert_eq!(line.server.borrow().log().rows.len(), 5);
    let status = restored.status().expect("reads");
    assert_eq!((status.alarms[0].code.code(), status.orphans), ("alarm_forked", 0));
    assert!(restored.visit(first).expect("reads").notes.iter().all(|note| note.by == "Aigul"));

    let mut partner = phone(&line, "Daniyar", 9);
    partner.sync(&line, ONCE).expect("syncs");
    assert_eq!(partner.export(first).expect("exports"), restored.export(first).expect("exports"));
}

#[test]
fn of_two_copies_the_second_to_send_takes_another_name() {
    let line = Line::new();
    let (home, copied) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let mut client = open(home.path(), 1);
    client.enroll(&line, "https://hq.example", "Aigul").expect("enrolls");
    let id = log(&mut client, "contacted");
    client.sync(&line, ONCE).expect("syncs");
    drop(client);
    copy(home.path(), copied.path());
    let (mut original, mut clone) = (open(home.path(), 2), open(copied.path(), 3));
    note(&mut original, id, "from the original");
    note(&mut clone, id, "from the copy");
    original.sync(&line, ONCE).expect("syncs");
    line.breaks([Fault::None, Fault::LoseRequest]);
    clone.sync(&line, ONCE).expect_err("breaks after the copy has noticed");
    assert_eq!(texts(&clone, id), ["from the copy", "note about contacted"]);
    assert_eq!(clone.visit(id).expect("reads").state, VisitState::OnThisPhone);
    note(&mut clone, id, "written in between");
    clone.sync(&line, ONCE).expect("syncs");
    original.sync(&line, ONCE).expect("syncs");
    for client in [&original, &clone] {
        let expected = ["from the copy", "from the original", "note about contacted", "written in between"];
        assert_eq!(texts(client, id), expected);
    }
    assert_eq!(clone.status().expect("reads").orphans, 0);
}

#[test]
fn a_server_may_ask_for_a_new_name_before_anything_goes_wrong() {
    let line = Line::new();
    let mut client = phone(&line, "Aigul", 1);
    let id = log(&mut client, "contacted");
    client.sync(&line, ONCE).expect("syncs");
    note(&mut client, id, "unsent");
    let before = client.replica();
    line.breaks([Fault::Twist(Box::new(|welcome, _| welcome.directives.push(Directive::NewReplica)))]);
    client.sync(&line, ONCE).expect("syncs");
    assert_ne!(client.replica(), before);
    assert_eq!(texts(&client, id), ["note about contacted", "unsent"]);
    assert_eq!(line.server.borrow().log().rows.len(), 2);
}

#[test]
fn held_words_stand_apart_and_the_inspector_goes_on() {
    let line = Line::new();
    let mut client = phone(&line, "Aigul", 1);
    let id = log(&mut client, "contacted");
    client.sync(&line, ONCE).expect("syncs");
    note(&mut client, id, "held");
    line.server.borrow_mut().held_documents.insert(id);
    client.sync(&line, ONCE).expect("syncs");
    let visit = client.visit(id).expect("reads");
    let VisitState::Held { reason, words } = &visit.state else { panic!("held: {:?}", visit.state) };
    assert_eq!((reason.as_str(), words.is_empty()), ("not_granted", false));
    assert_eq!(texts(&client, id), ["note about contacted"]);
    assert!(visit.held[0].puts.values().any(|value| value.as_text() == Some("held")));

    line.server.borrow_mut().held_documents.clear();
    note(&mut client, id, "goes on");
    client.sync(&line, ONCE).expect("syncs");
    assert_eq!(texts(&client, id), ["goes on", "note about contacted"]);

    let now = line.server.borrow().now;
    line.server.borrow_mut().logs.get_mut(&SCOPE).expect("a log").judge_held(RowKind::Filled, now);
    client.sync(&line, ONCE).expect("syncs");
    assert_eq!(texts(&client, id), ["goes on", "held", "note about contacted"]);
    assert_eq!(client.visit(id).expect("reads").state, VisitState::AtHeadquarters);
    let mut partner = phone(&line, "Daniyar", 2);
    partner.sync(&line, ONCE).expect("syncs");
    assert_eq!(partner.export(id).expect("exports"), client.export(id).expect("exports"));
}

#[test]
fn what_builds_on_held_words_is_held_with_them_and_rejection_keeps_them_on_the_phone() {
    let line = Line::new();
    let (mut client, mut partner) = (phone(&line, "Aigul", 1), phone(&line, "Daniyar", 2));
    let id = log(&mut client, "contacted");
    note(&mut client, id, "builds on it");
    line.server.borrow_mut().held_documents.insert(id);
    let report = client.sync(&line, ONCE).expect("syncs");
    assert_eq!(report.unsent, 0);
    let visit = client.visit(id).expect("reads");
    assert_eq!(visit.held.iter().map(|held| held.reason.as_str()).collect::<Vec<_>>(), ["not_granted", "because"]);
    partner.sync(&line, ONCE).expect("hollow rows add up as well");
    assert_eq!(partner.visits().expect("reads"), []);

    let now = line.server.borrow().now;
    line.server.borrow_mut().logs.get_mut(&SCOPE).expect("a log").judge_held(RowKind::Rejected, now);
    client.sync(&line, ONCE).expect("syncs");
    partner.sync(&line, ONCE).expect("syncs");
    let visit = client.visit(id).expect("reads");
    assert!(matches!(&visit.state, VisitState::Held { reason, .. } if reason == "rejected"), "{:?}", visit.state);
    assert_eq!(visit.held.len(), 2);
}

#[test]
fn a_phone_whose_key_is_lost_goes_on_under_another_with_every_word() {
    let line = Line::new();
    let mut aigul = phone(&line, "Aigul", 1);
    let sent = log(&mut aigul, "contacted");
    aigul.sync(&line, ONCE).expect("syncs");
    let unsent = log(&mut aigul, "refused");
    aigul.edit_visit(sent, &[VisitEdit::Withdraw]).expect("edits");
    aigul.begin_draft(&VisitForm { note: "half a".into(), ..VisitForm::default() }).expect("begins");

    let store = aigul.into_store();
    let key = DeviceKey::generate(&mut TestEntropy(99));
    let seams = || seams(7, &TestClock::default());
    let refused = Client::over(store.clone(), key.public_key(), seams()).expect_err("its own key only");
    assert_eq!(refused.code(), "device_key");
    let mut aigul = Client::adopt(store, key, seams()).expect("goes on");
    assert_eq!(aigul.status().expect("reads").unsent_documents, 2);
    assert_eq!(aigul.visits().expect("reads").len(), 2);
    let unknown = aigul.sync(&line, ONCE).expect_err("the server knows no such device");
    assert_eq!(unknown.action(), Action::Enroll);
    aigul.enroll(&line, "https://hq.example/", "Aigul").expect("enrolls again");
    aigul.sync(&line, ONCE).expect("syncs");
    for id in [sent, unsent] {
        assert_eq!(aigul.visit(id).expect("reads").state, VisitState::AtHeadquarters);
    }
    assert_eq!(aigul.visit(sent).expect("reads").status, "withdrawn");
    assert_eq!(aigul.status().expect("reads").unsent_documents, 0);
    assert_eq!(aigul.drafts().expect("reads").len(), 1);
    let mut partner = phone(&line, "Daniyar", 3);
    partner.sync(&line, ONCE).expect("syncs");
    assert_eq!(partner.visits().expect("reads").len(), 2, "each of them once");
}
