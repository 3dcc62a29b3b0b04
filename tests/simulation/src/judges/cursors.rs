//! I2: reading since any cursor yields every row of the scope once, in order, and nothing else.

use std::collections::BTreeSet;

use aralau_sync_core::{
    cbor,
    id::ScopeId,
    stream::{Link, Seen},
    sync::{Content, Gained, Hello, Row as Sent, StreamIntro, Welcome},
    time::Millis,
};

use super::{Exchange, Judge, Judgement, agreement::rows_on, violated};
use crate::{
    transcript::{Row, all, look_into},
    world::{World, decompressed_request, gained_in, items_of},
};

/// See the module.
pub struct Cursors;

impl Judge for Cursors {
    fn after_exchange(&mut self, world: &World, exchange: &Exchange<'_>) -> Judgement {
        if exchange.response.status != 200 {
            return Ok(());
        }
        let asked = items_of(&decompressed_request(&exchange.sent.request));
        let hello: Option<Hello> = asked.first().and_then(|item| cbor::decode(item).ok());
        let answer = items_of(&exchange.body);
        let welcome: Option<Welcome> = answer.first().and_then(|item| cbor::decode(item).ok());
        let (Some(hello), Some(welcome)) = (hello, welcome) else { return Ok(()) };
        let gained = gained_in(&exchange.body);
        let asked = cursors(world, &hello, &welcome, exchange.at);
        let epochs = epochs(world);
        let is_strange = |epoch: u64| epoch > 0 && !epochs.contains(&epoch);
        let is_strange_to =
            |gained: &Gained| asked.iter().any(|(scope, cursor)| *scope == gained.scope && is_strange(cursor.epoch));
        if let Some(left_out) = welcome.level.and_then(|_| left_out(world, &asked, &gained)) {
            return violated("I2", format!("{left_out} has gained something, and is passed over"));
        }
        if gained.iter().any(|gained| gained.more)
            && gained.iter().all(|gained| gained.rows.is_empty() && !is_strange_to(gained))
        {
            return violated("I2", "an answer without a row, and more to come");
        }
        for gained in gained {
            let rows = world.transcript.rows.get(gained.scope.as_bytes()).map_or(&[][..], Vec::as_slice);
            let Some((_, cursor)) = asked.iter().find(|(scope, _)| *scope == gained.scope) else {
                return violated("I2", format!("{} was not asked about", gained.scope));
            };
            if is_strange(cursor.epoch) {
                // Where both histories part, only the device can tell, by all epochs of this one.
                let told: BTreeSet<_> = welcome.epochs.iter().map(|epoch| epoch.number).collect();
                if (gained.from, gained.rows.len(), &told) != (0, 0, &epochs) {
                    return violated(
                        "I2",
                        format!("to a device of another history: rows from {}, {told:?}", gained.from),
                    );
                }
                continue;
            }
            let bases = welcome.epochs.iter().filter(|epoch| epoch.number > cursor.epoch);
            let base = |bases: &aralau_sync_core::epoch::Epoch| {
                bases.bases.iter().find(|base| base.scope == gained.scope).map_or(0, |base| base.size)
            };
            let from = bases.map(base).fold(cursor.sequence, u64::min).min(rows.len() as u64);
            if gained.from != from {
                return violated("I2", format!("asked from {from}, answered from {}", gained.from));
            }
            compare(rows, &gained, hello.replica)?;
        }
        Ok(())
    }

    fn at_rest(&mut self, world: &World) -> Judgement {
        for (phone, scope) in world.readers() {
            for (at, row) in rows_on(world, phone, scope).iter().enumerate() {
                if row.sequence != at as u64 + 1 {
                    return violated("I2", format!("{} has no row {}", world.phones[phone].name, at + 1));
                }
            }
        }
        Ok(())
    }
}

/// What was asked about. A roll that was answered is of the scopes that the person has at the time, in the order of their ids.
fn cursors(world: &World, hello: &Hello, welcome: &Welcome, at: Millis) -> Vec<(ScopeId, Seen)> {
    let Some(roll) = hello.roll.as_ref().filter(|_| welcome.level.is_some()) else {
        return hello.scopes.iter().map(|ask| (ask.scope, ask.cursor)).collect();
    };
    let connection = look_into(&world.server.database()).expect("the database opens");
    let of_person = format!(
        "SELECT DISTINCT scope FROM scope JOIN beat USING (scope_no) JOIN granted USING (scope_no) JOIN device USING (person)
         JOIN replica USING (device)
         WHERE hex(replica) = upper('{}') AND from_ms <= {at} AND (until_ms IS NULL OR until_ms > {at}) ORDER BY scope",
        hello.replica,
        at = at.0
    );
    let scopes = all(&connection, &of_person, |row| row.get::<_, [u8; 16]>(0)).expect("reads");
    let rows = roll.rows.iter().map(|rows| Seen { epoch: roll.epoch, sequence: *rows });
    scopes.into_iter().map(ScopeId::from_bytes).zip(rows).collect()
}

/// A scope that the answer does not bring, although the log has other rows than the device.
fn left_out(world: &World, asked: &[(ScopeId, Seen)], gained: &[Gained]) -> Option<ScopeId> {
    let size = |scope: &ScopeId| world.transcript.rows.get(scope.as_bytes()).map_or(0, Vec::len) as u64;
    let is_brought = |scope| gained.iter().any(|gained| gained.scope == scope);
    asked.iter().find(|(scope, cursor)| !is_brought(*scope) && size(scope) != cursor.sequence).map(|(scope, _)| *scope)
}

/// The numbers of the epochs that led to the server's log.
fn epochs(world: &World) -> BTreeSet<u64> {
    let connection = look_into(&world.server.database()).expect("the database opens");
    let numbers = all(&connection, "SELECT number FROM epoch", |row| row.get::<_, i64>(0));
    numbers.expect("reads").into_iter().map(i64::cast_unsigned).collect()
}

fn compare(log: &[Row], gained: &Gained, asking: aralau_client_sdk::ReplicaId) -> Judgement {
    let from = usize::try_from(gained.from).unwrap_or(usize::MAX);
    let upto = from + gained.rows.len();
    if gained.more != (upto < log.len()) {
        return violated("I2", format!("more: {} at row {upto} of {}", gained.more, log.len()));
    }
    for (at, sent) in gained.rows.iter().enumerate() {
        let number = from + at + 1;
        let Some(row) = log.get(number - 1) else { return violated("I2", format!("there is no row {number}")) };
        if let Some(difference) = difference(row, sent, gained.streams.get(sent.stream as usize), asking) {
            return violated("I2", format!("row {number} is not what the log has: {difference}"));
        }
    }
    Ok(())
}

fn difference(
    row: &Row,
    sent: &Sent,
    stream: Option<&StreamIntro>,
    asking: aralau_client_sdk::ReplicaId,
) -> Option<&'static str> {
    if (row.kind, row.received_at) != (sent.kind as u8, sent.received_at.0) {
        return Some("its kind or time");
    }
    if row.verdict != sent.verdict {
        return Some("its verdict");
    }
    let stream = stream?;
    let own = stream.replica == asking;
    if row.entry != Some((*stream.replica.as_bytes(), sent.index)) {
        return Some("its entry");
    }
    let right = match &sent.content {
        Content::Link(Link::Full { header, body }) => {
            !own && [1, 3].contains(&row.kind) && (header, body) == (&row.header, &row.body)
        }
        Content::Link(Link::Hollow { .. }) => !own && row.kind == 2,
        Content::Known => own || row.kind == 4,
        Content::Control(_) => row.kind == 5,
    };
    (!right).then_some("its content")
}
