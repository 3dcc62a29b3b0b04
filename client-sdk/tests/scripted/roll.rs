//! A person with many beats says in one roll where the phone stands, and believes the answer only where it fits.

use std::time::Duration;

use crate::server::{
    SCOPE, Server,
    line::{Fault, Line},
    phone::{log, phone},
};
use aralau_client_sdk::{Client, DocumentId, Report, ScopeId, SyncOptions, VisitDraft, VisitState, store::MemoryStore};
use aralau_sync_core::{
    id::{DeploymentId, ReplicaId},
    sync::{Beat, Level, Occasion, Welcome},
};

const ONCE: SyncOptions = SyncOptions { wait: Duration::ZERO };
const BEATS: u8 = 150;

fn scope(at: u8) -> ScopeId {
    ScopeId::from_bytes([at + 0x60; 16])
}

/// A server with many beats, and two phones that have heard of all of them. Nine beats have a visit.
fn level() -> (Line, Client<MemoryStore>, Client<MemoryStore>) {
    let line = Line::new();
    let beat = |at| Beat { code: format!("beat-{at}"), scope: scope(at), name: "Участок".into() };
    line.server.borrow_mut().beats.extend((0..BEATS).map(beat));
    line.server.borrow_mut().takes_roll = true;
    let (mut aigul, mut daniyar) = (phone(&line, "Aigul", 1), phone(&line, "Daniyar", 2));
    (0..9).for_each(|at| {
        visit(&mut aigul, at);
    });
    aigul.sync(&line, ONCE).expect("syncs");
    daniyar.sync(&line, ONCE).expect("syncs");
    (line, aigul, daniyar)
}

fn visit(client: &mut Client<MemoryStore>, at: u8) -> DocumentId {
    let id = DocumentId(client.fresh_id());
    client.log_visit_in(scope(at), id, VisitDraft::default()).expect("logs");
    id
}

fn sync(client: &mut Client<MemoryStore>, line: &Line) -> Report {
    client.sync(line, ONCE).expect("syncs")
}

#[test]
fn where_nothing_is_new_one_short_request_says_so_of_every_beat() {
    let (line, mut aigul, _) = level();
    let report = sync(&mut aigul, &line);
    assert_eq!((report.requests, report.pulled, report.beats_changed), (1, 0, false));
    let bytes = report.bytes_up + report.bytes_down;
    assert!(bytes < 700, "{bytes} bytes");
    assert_eq!(aigul.beats().len(), usize::from(BEATS) + 1);
}

#[test]
fn what_is_pushed_or_gained_in_some_beats_comes_and_goes_in_the_same_request() {
    let (line, mut aigul, mut daniyar) = level();
    let id = visit(&mut aigul, 3);
    let report = sync(&mut aigul, &line);
    assert_eq!((report.requests, report.pushed, report.unsent), (1, 1, 0));
    assert_eq!(aigul.visit(id).expect("reads").state, VisitState::AtHeadquarters);
    let other = visit(&mut daniyar, 80);
    let report = sync(&mut daniyar, &line);
    assert_eq!((report.requests, report.pushed, report.pulled), (1, 1, 1));
    assert_eq!(daniyar.visit(id).expect("reads").state, VisitState::AtHeadquarters);
    let report = sync(&mut aigul, &line);
    assert_eq!((report.requests, report.pulled), (1, 1));
    assert!(aigul.visit(other).is_ok());
}

#[test]
fn a_beat_that_is_given_or_taken_is_heard_of() {
    let (line, mut aigul, mut daniyar) = level();
    line.server.borrow_mut().beats.pop();
    assert!(sync(&mut aigul, &line).beats_changed);
    assert_eq!(aigul.beats().len(), usize::from(BEATS));
    let beat = Beat { code: "new".into(), scope: scope(BEATS + 1), name: "Новый".into() };
    line.server.borrow_mut().beats.push(beat);
    assert!(sync(&mut daniyar, &line).beats_changed);
    assert_eq!(sync(&mut daniyar, &line).requests, 1);
}

#[test]
fn a_server_that_has_not_said_that_it_takes_a_roll_is_asked_about_each_beat() {
    let (line, mut aigul, _) = level();
    line.server.borrow_mut().takes_roll = false;
    // The roll that it does not know, and 151 beats in three requests.
    assert_eq!(sync(&mut aigul, &line).requests, 4);
    assert_eq!(sync(&mut aigul, &line).requests, 3, "from now on at once");
    line.server.borrow_mut().takes_roll = true;
    sync(&mut aigul, &line);
    assert_eq!(sync(&mut aigul, &line).requests, 1);
}

#[test]
fn other_rows_in_a_log_of_the_same_length_are_noticed() {
    let (line, mut aigul, _) = level();
    line.server.borrow_mut().logs.get_mut(&scope(4)).expect("a log").rows[0].received_at.0 += 1;
    let error = aigul.sync(&line, ONCE).expect_err("the root is another");
    assert_eq!(error.code(), "alarm_root");
}

#[test]
fn rows_and_own_words_that_a_server_has_lost_are_noticed() {
    let (line, mut aigul, _) = level();
    let before = line.server.borrow().clone();
    let id = visit(&mut aigul, 3);
    sync(&mut aigul, &line);
    *line.server.borrow_mut() = before;
    let error = aigul.sync(&line, ONCE).expect_err("an older database was put back");
    assert_eq!(error.code(), "alarm_server_lost");
    assert_ne!(aigul.visit(id).expect("reads").state, VisitState::OnThisPhone);
}

#[test]
fn a_word_that_does_not_fit_is_not_believed_and_every_beat_is_asked_about() {
    fn of_another_occasion(welcome: &mut Welcome) {
        let occasion = Occasion {
            deployment: DeploymentId::from_bytes([9; 16]),
            replica: ReplicaId([9; 14]),
            epoch: 9,
            time: welcome.time,
        };
        welcome.level = Some(Level::sign(&occasion, Vec::new(), &Server::new().key));
    }
    fn at_another_time(welcome: &mut Welcome) {
        welcome.time.0 += 1;
    }
    for twist in [of_another_occasion, at_another_time] {
        let (line, mut aigul, _) = level();
        line.breaks([Fault::Twist(Box::new(move |welcome, _| twist(welcome)))]);
        assert_eq!(sync(&mut aigul, &line).requests, 4);
        assert_eq!(sync(&mut aigul, &line).requests, 1);
    }
}

#[test]
fn a_beat_that_an_answer_leaves_out_is_asked_about_again() {
    let (line, mut aigul, mut daniyar) = level();
    let id = visit(&mut daniyar, 3);
    sync(&mut daniyar, &line);
    line.breaks([Fault::Twist(Box::new(|_, gained| gained.clear()))]);
    let report = sync(&mut aigul, &line);
    assert_eq!((report.requests, report.pulled), (4, 1));
    assert!(aigul.visit(id).is_ok());
}

#[test]
fn of_one_beat_no_roll_is_called() {
    let line = Line::new();
    line.server.borrow_mut().takes_roll = true;
    let mut aigul = phone(&line, "Aigul", 1);
    log(&mut aigul, "contacted");
    sync(&mut aigul, &line);
    line.breaks([Fault::Twist(Box::new(|welcome, gained| {
        assert!(welcome.level.is_none());
        assert_eq!(gained[0].scope, SCOPE);
    }))]);
    assert_eq!(sync(&mut aigul, &line).requests, 1);
}

#[test]
fn a_restored_server_is_followed_from_its_new_epoch() {
    let (line, mut aigul, mut daniyar) = level();
    let backup = line.server.borrow().clone();
    let id = visit(&mut aigul, 3);
    sync(&mut aigul, &line);
    let restored = Server::restored(backup, &line.server.borrow());
    *line.server.borrow_mut() = restored;
    let report = sync(&mut aigul, &line);
    assert!(report.rewound);
    assert_eq!(aigul.visit(id).expect("reads").state, VisitState::AtHeadquarters, "sent again");
    sync(&mut daniyar, &line);
    assert!(daniyar.visit(id).is_ok());
    assert_eq!(sync(&mut daniyar, &line).requests, 1);
}
