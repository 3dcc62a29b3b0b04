//! I3: after quiescence every phone and the server hold equal rows, heads, roots and projections.
//!
//! Automerge itself, handed the accepted changes as bytes, is the judge of what a document says.

use std::collections::{BTreeMap, BTreeSet};

use aralau_client_sdk::{DocumentId, HttpRequest, ScopeId, VisitView};
use automerge::{Automerge, ROOT, ReadDoc as _};
use serde_json::Value as Json;

use super::{Judge, Judgement, violated};
use crate::{
    server::URL,
    transcript::{Hash, Replica, all, chunk, look_into, root},
    world::World,
};

/// See the module.
pub struct Agreement;

/// A row as a phone keeps it.
#[derive(Debug, PartialEq, Eq)]
pub struct PhoneRow {
    /// Its number.
    pub sequence: u64,
    kind: u8,
    received_at: i64,
    entry: Option<(Replica, u64)>,
    hash: Hash,
    verdict: Vec<u8>,
}

/// The rows of a scope in a phone's file.
pub fn rows_on(world: &World, phone: usize, scope: ScopeId) -> Vec<PhoneRow> {
    let connection = look_into(&world.phones[phone].database()).expect("the phone's file opens");
    let sql = format!(
        "SELECT sequence, kind, received_at, replica, entry_index, hash, verdict FROM row WHERE scope = x'{}'
         ORDER BY sequence",
        scope.0.simple()
    );
    let read = |row: &rusqlite::Row<'_>| {
        let entry = row.get::<_, Option<Replica>>(3)?.zip(row.get::<_, Option<i64>>(4)?);
        Ok(PhoneRow {
            sequence: row.get::<_, i64>(0)?.cast_unsigned(),
            kind: row.get(1)?,
            received_at: row.get(2)?,
            entry: entry.map(|(replica, index)| (replica, index.cast_unsigned())),
            hash: row.get(5)?,
            verdict: row.get(6)?,
        })
    };
    all(&connection, &sql, read).expect("the phone's file reads")
}

impl Judge for Agreement {
    fn at_rest(&mut self, world: &World) -> Judgement {
        for (phone, scope) in world.readers() {
            same_log(world, phone, scope)?;
            same_heads(world, phone, scope)?;
        }
        let truths = truths(world);
        same_queue(world, &truths)?;
        for (id, truth) in truths {
            for (phone, _) in world.readers().into_iter().filter(|(_, scope)| *scope == truth.scope) {
                let who = &world.phones[phone].name;
                // What is stuck on this phone is shown there nevertheless.
                if world.is_stuck(phone, id) {
                    continue;
                }
                let Ok(visit) = world.phones[phone].look().visit(id) else {
                    return violated("I3", format!("{who} does not show {id}"));
                };
                if let Some(what) = truth.differs_from_phone(&visit) {
                    return violated("I3", format!("{who} shows {id} otherwise: {what}"));
                }
            }
            let shown = world.ask(&format!("/v1/visits/{id}"));
            if let Some(what) = truth.differs_from_server(&shown) {
                return violated("I3", format!("headquarters is shown {id} otherwise: {what}: {shown}"));
            }
        }
        let report = world.server.app().store().check().expect("a check");
        report.problems.first().map_or(Ok(()), |problem| violated("I3", format!("admin check: {problem}")))
    }
}

fn same_log(world: &World, phone: usize, scope: ScopeId) -> Judgement {
    let log = world.transcript.rows.get(scope.as_bytes()).map_or(&[][..], Vec::as_slice);
    let rows = rows_on(world, phone, scope);
    let who = &world.phones[phone].name;
    if rows.len() != log.len() {
        return violated("I3", format!("{who} has {} rows of {}", rows.len(), log.len()));
    }
    for (mine, row) in rows.iter().zip(log) {
        let same = (mine.kind, mine.received_at, mine.entry) == (row.kind, row.received_at, row.entry)
            && (mine.hash, &mine.verdict) == (row.entry_hash, &row.verdict);
        if !same {
            return violated("I3", format!("{who} has another row {}: {mine:?} against {row:?}", mine.sequence));
        }
    }
    // What the phone itself says of its tree is what it will compare the next receipt with.
    let connection = look_into(&world.phones[phone].database()).expect("the phone's file opens");
    let sql = format!("SELECT frontier FROM scope WHERE scope = x'{}'", scope.0.simple());
    let frontier = all(&connection, &sql, |row| row.get::<_, Vec<u8>>(0)).expect("reads").pop().unwrap_or_default();
    let frontier: Option<aralau_sync_core::merkle::Frontier> = aralau_sync_core::cbor::decode(&frontier).ok();
    let leaves: Vec<_> = log.iter().map(|row| row.leaf).collect();
    if frontier.is_some_and(|frontier| frontier.root().0 == root(&leaves)) {
        Ok(())
    } else {
        violated("I3", format!("{who} has another root"))
    }
}

fn same_heads(world: &World, phone: usize, scope: ScopeId) -> Judgement {
    let connection = look_into(&world.phones[phone].database()).expect("the phone's file opens");
    let sql = format!("SELECT replica, tip, tip_hash FROM stream WHERE scope = x'{}'", scope.0.simple());
    let streams = all(&connection, &sql, |row| {
        Ok((row.get::<_, Replica>(0)?, row.get::<_, i64>(1)?.cast_unsigned(), row.get::<_, Hash>(2)?))
    });
    for (replica, index, hash) in streams.expect("the phone's file reads") {
        // A stream that a restored server does not have is none that both could differ about.
        let there = world.transcript.tip(replica, *scope.as_bytes());
        if there.0 > 0 && there != (index, hash) {
            let name = &world.phones[phone].name;
            return violated("I3", format!("{name} has {index} entries of a stream, the log {}", there.0));
        }
    }
    Ok(())
}

/// Headquarters' queue names each field in conflict, once.
fn same_queue(world: &World, truths: &BTreeMap<DocumentId, Truth>) -> Judgement {
    let mut queue: Vec<(String, String)> = Vec::new();
    for row in world.ask_all("/v1/conflicts?limit=200", "conflicts") {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        queue.push((text("visit"), text("field")));
    }
    for (id, truth) in truths {
        for field in FIELDS.iter().filter(|field| truth.is_text(field)) {
            let times = queue.iter().filter(|(visit, of)| *visit == id.to_string() && of == field).count();
            let expected = usize::from(!truth.in_conflict(field).is_empty());
            if times != expected {
                return violated("I3", format!("{field} of {id} stands {times} times in the queue, not {expected}"));
            }
        }
    }
    Ok(())
}

/// The fields that phones and headquarters write in this world.
const FIELDS: [&str; 3] = ["outcome", "visit_type", "status"];

/// What a visit says, by Automerge.
struct Truth {
    scope: ScopeId,
    /// Every key with its values, the winner last. Only the hostile device writes what is no text.
    values: BTreeMap<String, Vec<Option<String>>>,
}

fn truths(world: &World) -> BTreeMap<DocumentId, Truth> {
    let mut changes = BTreeMap::<DocumentId, (ScopeId, Vec<automerge::Change>)>::new();
    for (scope, rows) in &world.transcript.rows {
        for row in rows.iter().filter(|row| [1, 3].contains(&row.kind)) {
            let header = aralau_sync_core::stream::Header::from_bytes(&row.header).expect("an accepted header");
            if header.kind != aralau_sync_core::id::Kind::VISIT.0 {
                continue;
            }
            let change = automerge::Change::from_bytes(chunk(&row.body)).expect("an accepted change");
            let of = changes.entry(header.document).or_insert((ScopeId::from_bytes(*scope), Vec::new()));
            of.1.push(change);
        }
    }
    let truth = |(id, (scope, changes)): (DocumentId, (ScopeId, Vec<_>))| {
        let mut document = Automerge::new();
        document.apply_changes(changes).expect("accepted changes apply");
        let text = |value: &automerge::Value<'_>| value.as_str().map(str::to_owned);
        let values = document.keys(ROOT).map(|key| {
            let all = document.get_all(ROOT, key.as_str()).expect("a key");
            let values = all.iter().map(|(value, _)| text(value)).collect();
            (key, values)
        });
        (id, Truth { scope, values: values.collect() })
    };
    changes.into_iter().map(truth).collect()
}

impl Truth {
    fn is_text(&self, field: &str) -> bool {
        self.values.get(field).is_none_or(|values| values.iter().all(Option::is_some))
    }

    fn winner(&self, key: &str) -> Option<&str> {
        self.values.get(key)?.last()?.as_deref()
    }

    fn in_conflict(&self, key: &str) -> BTreeSet<&str> {
        let values: BTreeSet<_> = self.values.get(key).into_iter().flatten().flatten().map(String::as_str).collect();
        if values.len() > 1 { values } else { BTreeSet::new() }
    }

    fn notes(&self) -> BTreeSet<&str> {
        let notes = self.values.iter().filter(|(key, _)| key.starts_with("notes/") && key.ends_with("/text"));
        notes.filter_map(|(_, values)| values.last()?.as_deref()).collect()
    }

    fn differs_from_phone(&self, visit: &VisitView) -> Option<&'static str> {
        let conflicts = |field: &str| -> BTreeSet<&str> {
            let of = visit.conflicts.iter().filter(|conflict| conflict.field == field);
            of.flat_map(|conflict| &conflict.values).filter_map(|value| value.value.as_text()).collect()
        };
        self.differs(
            |field| match field {
                "outcome" => visit.outcome.as_deref(),
                "visit_type" => visit.visit_type.as_deref(),
                _ => Some(&*visit.status),
            },
            conflicts,
            visit.notes.iter().map(|note| &*note.text).collect(),
        )
    }

    fn differs_from_server(&self, shown: &Json) -> Option<&'static str> {
        let list = |name: &str| shown[name].as_array().map_or(&[][..], Vec::as_slice);
        let conflicts = |field: &str| -> BTreeSet<&str> {
            let of = list("conflicts").iter().filter(|conflict| conflict["field"] == field);
            of.flat_map(|conflict| conflict["values"].as_array().into_iter().flatten())
                .filter_map(|value| value["value"].as_str())
                .collect()
        };
        let notes = list("notes").iter().filter_map(|note| note["text"].as_str()).collect();
        self.differs(
            |field| shown["value"][field].as_str().or((field == "status").then_some("active")),
            conflicts,
            notes,
        )
    }

    fn differs<'a>(
        &self,
        shown: impl Fn(&str) -> Option<&'a str>,
        conflicts: impl Fn(&str) -> BTreeSet<&'a str>,
        notes: BTreeSet<&str>,
    ) -> Option<&'static str> {
        for field in FIELDS.into_iter().filter(|field| self.is_text(field)) {
            let expected = self.winner(field).or((field == "status").then_some("active"));
            if shown(field) != expected {
                return Some("a field");
            }
            if conflicts(field) != self.in_conflict(field) {
                return Some("a conflict");
            }
        }
        (notes != self.notes()).then_some("the notes")
    }
}

/// A question of headquarters.
pub fn question(path: &str, token: &str) -> HttpRequest {
    HttpRequest {
        method: "GET",
        url: format!("{URL}{path}"),
        headers: vec![("authorization", format!("Bearer {token}"))],
        body: Vec::new(),
        max_answer_bytes: u64::MAX,
        certificate: None,
    }
}
