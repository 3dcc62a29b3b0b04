//! Who writes, forges, merges and sends what, drawn from input.

use std::mem;

use aralau_sync_core::{
    change::{Change, ChangeParts, OpId, Put, Value},
    document::Document,
    id::{Actor, ChangeHash, DocumentId, EntryHash, Kind, ReplicaId},
    reconcile::{Arrival, Facts, Grant, Ground, Outcome, RejectedPast, Rights, plan, release},
    stream::Header,
    time::Millis,
};
use arbitrary::{Result, Unstructured};

use crate::{edit, passed};

const NOW: Millis = Millis(1_780_000_000_000);
const DOCUMENT: DocumentId = DocumentId::from_bytes([0xdc; 16]);
const OTHER_DOCUMENT: DocumentId = DocumentId::from_bytes([0xdd; 16]);
const MAX_STEPS: usize = 48;

/// Plays until the input is used up. Whatever was written and not sent is sent at the end.
pub fn play(input: &mut Unstructured<'_>) -> Ground {
    let mut story = Story::default();
    for _ in 0..MAX_STEPS {
        if input.is_empty() || story.step(input).is_err() {
            break;
        }
    }
    while !story.unsent.is_empty() {
        let at = input.choose_index(story.unsent.len()).unwrap_or(0);
        let sent = story.unsent.swap_remove(at);
        story.send(&sent, DOCUMENT, sent.replica, true);
    }
    story.ground
}

#[derive(Default)]
struct Story {
    /// What each install holds of the document.
    views: [Document; edit::REPLICAS as usize],
    /// Every change ever made, for forgers to start from.
    made: Vec<Change>,
    unsent: Vec<Sent>,
    sent: Vec<Sent>,
    ground: Ground,
    index: u64,
    held: Vec<ChangeHash>,
}

#[derive(Clone)]
struct Sent {
    replica: ReplicaId,
    body: Vec<u8>,
}

impl Story {
    fn step(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let number = input.int_in_range(0..=edit::REPLICAS - 1)?;
        match input.int_in_range(0..=13_u8)? {
            0..=4 => self.edit(input, number)?,
            5..=6 => self.merge(number, input.int_in_range(0..=edit::REPLICAS - 1)?),
            7..=9 => self.forge(input)?,
            10 => self.spoil(input)?,
            11 if !self.sent.is_empty() => {
                let again = self.sent[input.choose_index(self.sent.len())?].clone();
                let document = *input.choose(&[DOCUMENT, OTHER_DOCUMENT])?;
                let by = if input.ratio(1, 4)? { edit::replica(number) } else { again.replica };
                self.send(&again, document, by, !input.ratio(1, 4)?);
            }
            12 if !self.held.is_empty() => {
                let change = self.held[input.choose_index(self.held.len())?];
                self.release(&change);
            }
            _ if !self.unsent.is_empty() => {
                let sent = self.unsent.swap_remove(input.choose_index(self.unsent.len())?);
                self.send(&sent, DOCUMENT, sent.replica, !input.ratio(1, 16)?);
            }
            _ => {}
        }
        Ok(())
    }

    /// What an honest device does. It begins with fresh random bits, and moves to another generation now and then.
    fn edit(&mut self, input: &mut Unstructured<'_>, number: u8) -> Result<()> {
        let view = &mut self.views[usize::from(number)];
        let generation = u16::from(input.ratio(1, 8)?);
        let actor = Actor { replica: edit::replica(number), generation };
        let mut puts = edit::puts(input, actor.replica)?;
        if view.is_empty() && !input.ratio(1, 16)? {
            puts.retain(|(key, _)| key != "nonce");
            puts.push(("nonce".to_owned(), Value::Bytes(vec![number; 16])));
        }
        if let Ok(Some(change)) = view.author(actor, &puts) {
            view.apply(change.clone());
            self.keep(change, actor.replica);
        }
        Ok(())
    }

    fn merge(&mut self, from: u8, into: u8) {
        for change in self.views[usize::from(from)].clone().changes() {
            // Where a forger was at work, one view may not take what the other holds.
            drop(self.views[usize::from(into)].accept(change.clone()));
        }
    }

    /// A change made before, with one or two things wrong that its author signs all the same.
    fn forge(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        if self.made.is_empty() {
            return Ok(());
        }
        let mut parts = self.made[input.choose_index(self.made.len())?].parts().clone();
        for _ in 0..input.int_in_range(1..=3_u8)? {
            self.twist(input, &mut parts)?;
        }
        let replica = parts.actor.replica;
        if let Ok(change) = Change::build(parts) {
            // A forger may go on from a forgery.
            if input.ratio(1, 3)? {
                self.views[usize::from(replica.0[0] - 1) % self.views.len()].apply(change.clone());
            }
            self.keep(change, replica);
        }
        Ok(())
    }

    fn twist(&self, input: &mut Unstructured<'_>, parts: &mut ChangeParts) -> Result<()> {
        let other = &self.made[input.choose_index(self.made.len())?];
        match input.int_in_range(0..=12_u8)? {
            0 => parts.sequence = input.int_in_range(1..=6)?,
            1 => parts.start_op = input.int_in_range(1..=40)?,
            2 => parts.start_op = *input.choose(&[1, 49_990, 50_000])?,
            3 => parts.dependencies.push(other.hash()),
            4 => drop(parts.dependencies.pop()),
            5 => parts.dependencies = vec![other.hash()],
            6 => parts.actor = Actor { replica: parts.actor.replica, generation: input.int_in_range(0..=2)? },
            7 => parts.actor = Actor { replica: edit::replica(input.arbitrary()?), generation: 0 },
            8 => {
                let (key, value) = (edit::key(input, parts.actor.replica)?, edit::value(input)?);
                parts.puts.push(Put { key, value, predecessors: Vec::new() });
            }
            _ => {
                let at = input.choose_index(parts.puts.len())?;
                twist_put(input, &mut parts.puts[at], other)?;
            }
        }
        // As if rightly: so that more of these get past the first checks.
        if input.ratio(1, 2)? {
            parts.dependencies.sort_unstable();
            parts.dependencies.dedup();
            let view = &self.views[usize::from(parts.actor.replica.0[0] - 1) % self.views.len()];
            parts.start_op = view.max_op_of(&parts.dependencies) + 1;
        }
        for put in &mut parts.puts {
            put.predecessors.sort_unstable();
            put.predecessors.dedup();
        }
        Ok(())
    }

    fn spoil(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        if let Some(change) = self.made.last() {
            let mut body = change.body().to_vec();
            edit::spoil(input, &mut body)?;
            self.unsent.push(Sent { replica: change.actor().replica, body });
        }
        Ok(())
    }

    fn keep(&mut self, change: Change, replica: ReplicaId) {
        self.unsent.push(Sent { replica, body: change.body().to_vec() });
        self.made.push(change);
    }

    /// Through the plan, as the server does with an entry whose frame was in order.
    fn send(&mut self, sent: &Sent, document: DocumentId, by: ReplicaId, granted: bool) {
        self.index += 1;
        let header = Header {
            kind: Kind::VISIT.0,
            document,
            at: NOW,
            monotonic: None,
            seen: None,
            reauthored_from: (self.index.is_multiple_of(7)).then_some(EntryHash([1; 32])),
        };
        let header = header.to_bytes();
        let arrival = Arrival::open(self.index, &header, &sent.body);
        let grants = if granted { vec![Grant { from: Millis(0), until: None }] } else { Vec::new() };
        let rights = Rights { grants, revoked_at: None };
        let planned = plan(mem::take(&mut self.ground), by, vec![arrival], &rights, &facts());
        self.ground = planned.documents;
        assert!(!planned.rows.is_empty(), "every entry is decided");
        for decision in planned.rows {
            match decision.outcome {
                Outcome::Accepted { .. } | Outcome::Filled { .. } => passed(),
                Outcome::Held { change, .. } => self.held.push(change),
            }
        }
        self.sent.push(sent.clone());
    }

    fn release(&mut self, change: &ChangeHash) {
        // Planned on a copy: what cannot be released leaves everything as it was.
        if let Ok(planned) = release(self.ground.clone(), DOCUMENT, change, RejectedPast::Stays, &facts()) {
            self.ground = planned.documents;
        }
    }
}

fn twist_put(input: &mut Unstructured<'_>, put: &mut Put, other: &Change) -> Result<()> {
    match input.int_in_range(0..=3_u8)? {
        0 => drop(put.predecessors.pop()),
        1 => put.predecessors.push(other.op_id(input.choose_index(other.puts().len())?)),
        2 => put.predecessors = vec![OpId { counter: input.int_in_range(1..=20)?, actor: other.actor() }],
        _ => put.value = edit::value(input)?,
    }
    Ok(())
}

fn facts() -> Facts {
    Facts { now: NOW, ..Facts::default() }
}
