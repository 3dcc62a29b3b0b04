//! What lists go by, kept beside each document's entries: always made anew from them, within the transaction that changes
//! them. Whatever else a document says is read from its entries when it is shown, so that nothing is kept twice.

use std::collections::BTreeMap;

use aralau_sync_core::{
    change::Value,
    id::{DocumentId, Kind, ScopeId},
    time::Millis,
    visit::{ACTIVE, Coordinates, Place, Visit},
};
use serde::{Deserialize, Serialize};

use crate::{
    identity::Identity,
    local::LocalDocument,
    store::{Key, ProjectionRecord, Store, StoreError, Summary, transaction},
};

/// By which rules a projection is made: another name with each change of the rows below.
const RULES: &[u8] = b"3";

/// Codes of `referral_status` upon which nothing more is expected.
const OVER: [&str; 3] = ["done", "declined", "not_responsible"];

/// Makes the projection of a document anew. Returns how many accepted changes did not fit.
pub(crate) fn project(
    store: &mut impl Store,
    identity: &Identity,
    scope: ScopeId,
    document: DocumentId,
) -> Result<usize, StoreError> {
    let local = LocalDocument::load(store, identity, scope, document)?;
    let kind = local.kind.or_else(|| local.apart.first().map(|apart| apart.entry.header.kind()));
    let Some(kind) = kind else {
        store.drop_projection(scope, document)?;
        return Ok(local.unsound);
    };
    let (first_at, asks) = (first_at(&local), !local.apart.is_empty());
    let (at, summary, body) = match kind {
        Kind::VISIT => {
            let visit = Visit::read(&local.reading());
            (visit.started_at.unwrap_or(first_at), summary(visit, asks), Vec::new())
        }
        Kind::PLACE => {
            let row = PlaceRow::of(Place::read(&local.reading()));
            (first_at, Summary { asks, ..Summary::default() }, row.to_bytes()?)
        }
        _ => (first_at, Summary { asks, ..Summary::default() }, Vec::new()),
    };
    store.put_projection(&ProjectionRecord { scope, document, kind, at, summary, body })?;
    Ok(local.unsound)
}

/// Makes all projections anew where they were made by other rules than this build's.
pub(crate) fn bring_up_to_date(store: &mut impl Store, identity: &Identity) -> Result<(), StoreError> {
    if store.meta(Key::Projected)?.is_some_and(|rules| rules == RULES) {
        return Ok(());
    }
    transaction(store, |store| {
        for kind in [Kind::VISIT, Kind::PLACE] {
            for record in store.projections(kind)? {
                project(store, identity, record.scope, record.document)?;
            }
        }
        store.set_meta(Key::Projected, RULES)
    })
}

fn summary(visit: Visit, is_held: bool) -> Summary {
    // One that was taken back counts nowhere and leaves nothing to do.
    let (place, due) = if visit.status == ACTIVE { (visit.place, due(&visit)) } else { (None, None) };
    Summary { place, due, asks: is_held || !visit.conflicts.is_empty(), outcome: visit.outcome }
}

/// What the list of places shows of one.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PlaceRow {
    pub(crate) address: Option<String>,
    pub(crate) external_code: Option<String>,
    pub(crate) place_type: Option<String>,
    /// Degrees, by their bits: no digit changes on the way through JSON.
    point: Option<(u64, u64)>,
    pub(crate) status: String,
}

impl PlaceRow {
    fn of(place: Place) -> Self {
        let Place { address, external_code, place_type, coordinates, status, joined_into: _ } = place;
        let point = coordinates.map(|point| (point.lat.to_bits(), point.lon.to_bits()));
        Self { address, external_code, place_type, point, status }
    }

    fn to_bytes(&self) -> Result<Vec<u8>, StoreError> {
        serde_json::to_vec(self).map_err(|_| StoreError::corrupt("a projection cannot be written"))
    }

    pub(crate) fn read(record: &ProjectionRecord) -> Result<Self, StoreError> {
        serde_json::from_slice(&record.body).map_err(|_| StoreError::corrupt("a projection"))
    }

    pub(crate) fn coordinates(&self) -> Option<Coordinates> {
        self.point.map(|(lat, lon)| Coordinates { lat: f64::from_bits(lat), lon: f64::from_bits(lon) })
    }
}

/// The first day on which something that was promised, or asked of another agency, is due and not done.
fn due(visit: &Visit) -> Option<String> {
    let is_over = |referral: &&BTreeMap<String, Value>| {
        referral.get("referral_status").and_then(Value::as_text).is_some_and(|status| OVER.contains(&status))
    };
    let asked = visit.active("referrals").filter(|referral| !is_over(referral));
    let days = visit.open_promises().chain(asked).filter_map(|item| item.get("due")?.as_text().filter(is_day));
    days.min().map(str::to_owned)
}

/// `2026-12-31`: days that can be compared as they are written.
fn is_day(text: &&str) -> bool {
    let fits = |(at, byte): (usize, u8)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    text.len() == "2026-12-31".len() && text.bytes().enumerate().all(fits)
}

fn first_at(local: &LocalDocument) -> Millis {
    let held = local.apart.iter().map(|apart| apart.entry.header.at);
    local.times.values().copied().chain(held).min().unwrap_or_default()
}
