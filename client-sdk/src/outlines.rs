//! The outlines of this person's beats, as the server has told them last: what a map shows.

use aralau_sync_core::{
    cbor,
    sync::{Outline, Outlines},
    visit::Coordinates,
};

use crate::{
    enrollment::Beat,
    store::{Key, Store, StoreError},
    view::OutlineView,
};

/// Those that are here.
pub(crate) fn kept(store: &impl Store) -> Result<Outlines, StoreError> {
    let kept = store.meta(Key::Outlines)?.map(|bytes| cbor::decode(&bytes)).transpose();
    Ok(kept.map_err(|_| StoreError::corrupt("the outlines of beats"))?.unwrap_or_default())
}

/// Keeps what the server tells: all of them, in the place of those that were here.
pub(crate) fn keep(store: &mut impl Store, outlines: &Outlines) -> Result<(), StoreError> {
    store.set_meta(Key::Outlines, &cbor::encode(outlines))
}

/// As it is shown; lines that cannot be drawn are left out.
pub(crate) fn view(outline: &Outline, beat: &Beat) -> OutlineView {
    let point = |[lon, lat]: [f64; 2]| Coordinates { lat, lon };
    let lines = outline.rings.iter().filter_map(aralau_sync_core::sync::Ring::corners);
    OutlineView { beat: beat.clone(), rings: lines.map(|line| line.into_iter().map(point).collect()).collect() }
}
