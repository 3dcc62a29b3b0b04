//! I7: memory per request is bounded: here, what a request takes of heap and work, and what all of them come to.
//!
//! The limits grow with what a request brings and is given, never with what else the store holds.

use std::collections::{BTreeMap, BTreeSet};

use aralau_client_sdk::{ReplicaId, ScopeId};
use aralau_sync_core::{
    cbor,
    frame::Frame,
    stream::{Header, Link},
    sync::{FrameFate, Gained, Hello, Welcome},
};

use super::{Exchange, Judge, Judgement, violated};
use crate::{
    phone::PhoneNo,
    transcript::Row,
    world::{World, decompressed_request, gained_in, items_of},
};

/// Heap of a request that brings and is given nothing: 64 KiB into which its body is decompressed step by step, and as much again by
/// halves for its head, the router and statements.
const HEAP_OF_REQUEST: usize = 96 * 1024;
/// … for each byte that comes or goes, decompressed. It is held as it came, taken apart, and in two hands while one passes it on to
/// the other; an answer's rows are encoded and compressed before they are gone.
const HEAP_OF_BYTE: usize = 4;
/// … for each change of the documents that arriving entries name, small as changes are here. The server counts 512 bytes beside its
/// own ones; its ops, their ids and the index of what is live in them weigh some times as much.
const HEAP_OF_CHANGE: usize = 3 * 1024;

/// Work for a request that brings and is given nothing: steps of SQLite's virtual machine. A search takes some fifteen.
const STEPS_OF_REQUEST: usize = 1024;
/// … for each thing asked about, stream introduced, or paper shown: several searches each.
const STEPS_OF_NAME: usize = 128;
/// … for each row that is given, with the search for its end.
const STEPS_OF_ROW: usize = 64;
/// … for each frame that arrives: its author, their rights, the stream, the log and its tree.
const STEPS_OF_FRAME: usize = 1024;
/// … for each row that is written, with what is projected of its document.
const STEPS_OF_WRITTEN: usize = 512;
/// … for each change of the documents that arriving entries name.
const STEPS_OF_CHANGE: usize = 64;
/// … for each row from which a receipt that is shown makes its root anew; there are checkpoints every so many.
const STEPS_OF_LEAF: usize = 16;
const CHECKPOINT_ROWS: usize = 1024;

/// How far rows of a scope went to a phone, and what had gone wrong until then.
struct Went {
    to: ReplicaId,
    epoch: u64,
    upto: u64,
    faults: (u64, u64, u32, bool),
}

/// See the module.
#[derive(Default)]
pub struct Costs {
    went: BTreeMap<(PhoneNo, ScopeId), Went>,
}

impl Judge for Costs {
    fn after_exchange(&mut self, world: &World, exchange: &Exchange<'_>) -> Judgement {
        let asked = items_of(&decompressed_request(&exchange.sent.request));
        let hello: Option<Hello> = asked.first().and_then(|item| cbor::decode(item).ok());
        let gained = gained_in(&exchange.body);
        taken(world, exchange, &Asked::new(world, &asked, hello.as_ref()), &gained)?;
        self.sums(world, exchange, hello.as_ref(), &gained)
    }
}

impl Costs {
    /// One request is under way at a time here: room that another one has left and not given back shows in a refusal. And where
    /// nothing goes wrong, no row travels to a phone twice: what a whole catch-up brings is bounded by the log. A phone that was
    /// copied begins anew under another name, and one that doubts the server shows receipts and goes back.
    fn sums(&mut self, world: &World, exchange: &Exchange<'_>, hello: Option<&Hello>, gained: &[Gained]) -> Judgement {
        let (phone, status) = (exchange.sent.from, exchange.response.status);
        let problem = String::from_utf8_lossy(&exchange.response.body);
        if let Some(full) = ["too_many_answers", "too_many_syncs"].iter().find(|code| problem.contains(*code)) {
            return violated("I7", format!("{status} {full} to the only request under way"));
        }
        let phones = world.phones.get(phone.0);
        let waits = phones.and_then(|phone| phone.syncing.as_ref()?.waits_for) == Some(exchange.sent.number);
        let answer = items_of(&exchange.body);
        let welcome: Option<Welcome> = answer.first().and_then(|item| cbor::decode(item).ok());
        let is_forked =
            welcome.is_none_or(|welcome| welcome.frames.iter().any(|fate| matches!(fate, FrameFate::Forked { .. })));
        let Some(hello) = hello.filter(|hello| waits && !is_forked && hello.receipts.is_none()) else {
            self.went.retain(|(to, _), _| *to != phone);
            return Ok(());
        };
        let faults = (world.faults, world.hostilities, world.timeline, world.healing);
        for Gained { scope, epoch, from, rows, .. } in gained {
            let now = Went { to: hello.replica, epoch: *epoch, upto: from + rows.len() as u64, faults };
            let is_next = |went: &Went| (went.to, went.epoch, went.faults) == (hello.replica, *epoch, faults);
            if let Some(went) = self.went.insert((phone, *scope), now).filter(is_next)
                && *from < went.upto
            {
                return violated("I7", format!("rows from {from}, which went as far as {} before", went.upto));
            }
        }
        Ok(())
    }
}

/// What a request is about.
struct Asked {
    bytes: usize,
    frames: usize,
    /// Scopes, and what is shown of other devices' and of former days.
    names: usize,
    receipts: usize,
    /// Changes of the documents that its entries name, in the log as it is now.
    changes: usize,
}

impl Asked {
    fn new(world: &World, items: &[Vec<u8>], hello: Option<&Hello>) -> Self {
        let frames = items.iter().skip(1).filter_map(|item| Frame::from_bytes(item).ok());
        let document = |header: &[u8]| Header::from_bytes(header).ok().map(|header| header.document);
        let named = |link: &Link| match link {
            Link::Full { header, .. } => document(header),
            Link::Hollow { .. } => None,
        };
        let named: BTreeSet<_> = frames.flat_map(|frame| frame.links).filter_map(|link| named(&link)).collect();
        let is_named = |row: &&Row| document(&row.header).is_some_and(|id| named.contains(&id));
        let rows = world.transcript.rows.values().flatten().filter(|_| !named.is_empty());
        let count = |shown: &dyn Fn(&Hello) -> Option<usize>| hello.and_then(shown).unwrap_or(0);
        Self {
            bytes: items.iter().map(Vec::len).sum(),
            frames: items.len().saturating_sub(1),
            names: count(&|hello| Some(hello.scopes.len()))
                + count(&|hello| Some(hello.roll.as_ref()?.rows.len()))
                + count(&|hello| Some(hello.elsewhere.as_ref()?.len()))
                + count(&|hello| Some(hello.introductions.as_ref()?.len()))
                + count(&|hello| Some(hello.notices.as_ref()?.len())),
            receipts: count(&|hello| Some(hello.receipts.as_ref()?.len())),
            changes: rows.filter(is_named).count(),
        }
    }
}

/// What a request took, by what it brought and was given: never by what else the store holds.
fn taken(world: &World, exchange: &Exchange<'_>, asked: &Asked, gained: &[Gained]) -> Judgement {
    let sent = exchange.sent.request.body.len();
    let heap =
        HEAP_OF_REQUEST + HEAP_OF_BYTE * (sent + asked.bytes + exchange.body.len()) + HEAP_OF_CHANGE * asked.changes;
    let rows: usize = gained.iter().map(|gained| gained.rows.len()).sum();
    let streams: usize = gained.iter().map(|gained| gained.streams.len()).sum();
    let longest = world.transcript.rows.values().map(Vec::len).max().unwrap_or(0);
    let steps = STEPS_OF_REQUEST
        + STEPS_OF_NAME * (asked.names + streams + asked.receipts)
        + STEPS_OF_FRAME * asked.frames
        + STEPS_OF_ROW * rows
        + STEPS_OF_WRITTEN * exchange.written
        + STEPS_OF_CHANGE * asked.changes
        + STEPS_OF_LEAF * longest.min(CHECKPOINT_ROWS) * asked.receipts;
    if exchange.cost.heap > heap {
        return violated(
            "I7",
            format!("{} bytes of heap for a request, where {heap} are the limit", exchange.cost.heap),
        );
    }
    if exchange.cost.steps > steps as u64 {
        return violated("I7", format!("{} steps for a request, where {steps} are the limit", exchange.cost.steps));
    }
    Ok(())
}
