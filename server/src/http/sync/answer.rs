//! The answer to a request that was taken: one snapshot says what became of it, and what the scopes gained.

use std::collections::BTreeSet;

use aralau_sync_core::{
    cbor,
    id::{ReplicaId, ScopeId},
    reason::Reason,
    stream::StreamId,
    sync::{Directive, Hello, LastRow, MAX_SCOPES, PROTOCOL, StreamEnd, Welcome},
    time::Millis,
};

use super::{Caller, incoming::Received, roll::Call};
use crate::{
    app::App,
    authorize::Standing,
    compress::{EncodeError, Encoding, Parts},
    device_auth::{self, Nonces},
    http::problem::Problem,
    store::{self, Asking, DeviceRow, Packed, Pulled, StoreError},
};

/// Everything that a request asked for, encoded.
pub(super) async fn answer(
    app: &App,
    caller: &Caller,
    received: Received,
    encoding: Encoding,
    now: Millis,
) -> Result<Vec<u8>, Problem> {
    let Received { mut hello, mut call, fates: frames, held, .. } = received;
    let nonces = Nonces(&app.identity().nonce_secret);
    let nonce = device_auth::next_nonce(&nonces, caller.row.device, caller.nonce_issued_at, now);
    let device = caller.row.device;
    let handle = app.clone();
    let encoded = app.read(move |connection| {
        // As it stands now: the device may have been shut out while it sent, or by what it brought.
        let row =
            store::device(connection, device)?.ok_or_else(|| StoreError::corrupt("a device that sent is gone"))?;
        let noticed = match hello.noticed {
            Some(seen) => store::noticed(connection, handle.identity(), &row, seen)?,
            None => None,
        };
        let epoch = store::current_epoch(connection)?;
        let beats = store::beats_for(connection, &row, now)?;
        let outlines = match hello.outlines {
            Some(known) => store::outlines(connection, &beats, known, hello.most_bytes)?,
            None => None,
        };
        if call.take_if(|call| !call.is_of(&beats, epoch)).is_some() {
            // As a roll that did not fit when it came.
            hello.scopes.clear();
        }
        let epochs = store::epochs_for(connection, &hello.scopes)?;
        let pulled = pull_all(connection, &handle, &hello, &beats, &epochs, epoch, &held, call.as_mut(), now)?;
        let key = &handle.identity().receipt_key;
        let level = call.map(|call| call.level(handle.deployment(), hello.replica, now, key));
        let welcome = Welcome {
            protocol: PROTOCOL,
            time: now,
            epochs,
            nonce,
            directives: directives(&row, &hello, &beats),
            takes_roll: (beats.len() > 1).then_some(true),
            beats: if level.is_some() { Vec::new() } else { beats.into_iter().map(Into::into).collect() },
            level,
            frames,
            elsewhere: hello.elsewhere.map(|rows| elsewhere(connection, hello.replica, &rows)).transpose()?,
            noticed,
            outlines,
        };
        // Still in a read's turn, so that only few answers are there uncompressed at once.
        Ok(message(encoding, &welcome, pulled))
    });
    Ok(encoded.await??)
}

/// The answer's items. Packs are sent as they are stored.
fn message(encoding: Encoding, welcome: &Welcome, pulled: Vec<Pulled>) -> Result<Vec<u8>, EncodeError> {
    let mut message = Parts::new(encoding);
    cbor::push_item(message.plain(), &cbor::encode(welcome));
    for Pulled { gained, packs, .. } in pulled {
        cbor::push_item(message.plain(), &cbor::encode(&gained));
        for pack in packs {
            match pack {
                Packed::Sealed(frame) => message.push_zstd(&frame)?,
                Packed::Live(pack) => cbor::push_item(message.plain(), &cbor::encode(&pack)),
            }
        }
    }
    message.finish()
}

/// The device's own streams where it may not read, and whether the rows that it has of there are still what they were: no
/// secret to it.
fn elsewhere(
    connection: &rusqlite::Connection,
    replica: ReplicaId,
    rows: &[LastRow],
) -> Result<Vec<StreamEnd>, StoreError> {
    let end = |row: &LastRow| {
        let tip = store::own_tip(connection, StreamId { replica, scope: row.scope })?;
        Ok(StreamEnd { replica, scope: row.scope, tip, has_last_row: store::has_row(connection, row)? })
    };
    rows.iter().map(end).collect()
}

/// What the device should do. A beat given or taken since it last heard shows in what it asks about.
fn directives(row: &DeviceRow, hello: &Hello, beats: &[store::BeatRow]) -> Vec<Directive> {
    if row.standing() == Standing::ShutOut {
        return vec![Directive::Wipe];
    }
    let asked: BTreeSet<ScopeId> = hello.scopes.iter().map(|ask| ask.scope).collect();
    let assigned: BTreeSet<ScopeId> = beats.iter().map(|beat| beat.scope).collect();
    // Nobody may ask about more scopes than so many, but by a roll.
    let asks_for_all = asked.is_subset(&assigned) && asked.len() >= assigned.len().min(MAX_SCOPES);
    if asks_for_all { Vec::new() } else { vec![Directive::AssignmentChanged] }
}

#[expect(clippy::too_many_arguments, reason = "one snapshot answers everything that was asked")]
fn pull_all(
    connection: &rusqlite::Connection,
    app: &App,
    hello: &Hello,
    beats: &[store::BeatRow],
    epochs: &[aralau_sync_core::epoch::Epoch],
    epoch: u64,
    held: &[(ScopeId, u64, Reason)],
    mut call: Option<&mut Call>,
    now: Millis,
) -> Result<Vec<Pulled>, StoreError> {
    let mut limits = app.settings().pull_limits;
    if let Some(most) = hello.most_bytes {
        limits.bytes = limits.bytes.min(most.max(1) as usize);
        // On a line that cuts long answers, any progress is better than a whole frame.
        limits.whole_frames = false;
    }
    let mut all = Vec::new();
    // Scopes that are not this person's are passed over in silence: foreign and absent look alike.
    for ask in &hello.scopes {
        let Some(beat) = beats.iter().find(|beat| beat.scope == ask.scope) else { continue };
        let mut held = held.iter().filter(|(scope, ..)| *scope == ask.scope).peekable();
        if held.peek().is_none()
            && let Some(call) = &mut call
            && call.passes_over(connection, hello.replica, beat)?
        {
            continue;
        }
        let asking = Asking {
            replica: hello.replica,
            ask: *ask,
            epochs,
            epoch,
            held: held.map(|(_, index, reason)| (*index, reason.clone())).collect(),
        };
        let pulled = store::pull(connection, app.identity(), beat.scope_no, &asking, limits, now)?;
        limits.rows = limits.rows.saturating_sub(pulled.rows);
        limits.bytes = limits.bytes.saturating_sub(pulled.bytes);
        all.push(pulled);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use aralau_sync_core::{
        id::{DeviceId, PersonId, PublicKey, ReplicaId},
        stream::{Seen, Tip},
        sync::Ask,
    };

    use super::*;

    #[test]
    fn a_device_is_told_of_a_changed_assignment_until_it_asks_for_what_it_was_given() {
        let scope = |byte| ScopeId::from_bytes([byte; 16]);
        let hello = |scopes: &[u8]| {
            let ask = |byte: &u8| Ask { scope: scope(*byte), cursor: Seen::default(), tip: Tip::default() };
            let scopes = scopes.iter().map(ask).collect();
            Hello::about(ReplicaId([7; 14]), Millis(0), scopes)
        };
        let beat = |byte| store::BeatRow { code: String::new(), scope: scope(byte), name: String::new(), scope_no: 2 };
        let (device, person) = (DeviceId(uuid::Uuid::nil()), PersonId(uuid::Uuid::nil()));
        let mut row = DeviceRow { device, key: PublicKey([2; 33]), person, revoked_at: None, is_unconfirmed: false };

        assert_eq!(directives(&row, &hello(&[1]), &[beat(1)]), []);
        assert_eq!(directives(&row, &hello(&[1]), &[beat(2)]), [Directive::AssignmentChanged]);
        assert_eq!(directives(&row, &hello(&[]), &[beat(1)]), [Directive::AssignmentChanged]);
        let many: Vec<_> = (0..=MAX_SCOPES as u8).collect();
        let beats: Vec<_> = many.iter().map(|byte| beat(*byte)).collect();
        assert_eq!(directives(&row, &hello(&many[1..]), &beats), [], "it may not ask for more");
        assert_eq!(directives(&row, &hello(&many), &beats), [], "but by a roll");
        row.revoked_at = Some(Millis(1));
        assert_eq!(directives(&row, &hello(&[1]), &[]), [Directive::Wipe]);
    }
}
