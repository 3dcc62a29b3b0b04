//! The server's notices that rights have ended: kept for it, and brought back to it after it was restored.

use std::collections::BTreeMap;

use aralau_sync_core::{
    cbor,
    notice::Notice,
    stream::Seen,
    sync::{MAX_NOTICES, Noticed},
};
use minicbor::bytes::ByteVec;

use crate::{
    enrollment::Enrollment,
    keys::Verifier,
    store::{Key, Store, StoreError},
};

/// Kept at most; of more, the newest.
const MAX_KEPT: usize = 2048;

/// How far the server has told this device.
pub(crate) fn seen(store: &impl Store) -> Result<Seen, StoreError> {
    let bytes = store.meta(Key::Noticed)?;
    let seen = bytes.map(|bytes| cbor::decode(&bytes)).transpose();
    Ok(seen.map_err(|_| StoreError::corrupt("how far notices came"))?.unwrap_or_default())
}

/// Those from the `from`th on, as many as one request may carry.
pub(crate) fn to_bring(store: &impl Store, from: usize) -> Result<Vec<ByteVec>, StoreError> {
    Ok(kept(store)?.into_iter().skip(from).take(MAX_NOTICES).collect())
}

fn kept(store: &impl Store) -> Result<Vec<ByteVec>, StoreError> {
    let bytes = store.meta(Key::Notices)?;
    let kept = bytes.map(|bytes| cbor::decode(&bytes)).transpose();
    Ok(kept.map_err(|_| StoreError::corrupt("the server's notices"))?.unwrap_or_default())
}

/// Keeps what the server says has ended, each end once, in its newest words. What it did not sign is not kept.
pub(crate) fn keep(store: &mut impl Store, enrollment: &Enrollment, noticed: &Noticed) -> Result<(), StoreError> {
    if !noticed.notices.is_empty() {
        let all = [kept(store)?, noticed.notices.clone()].concat();
        let open = |signed: ByteVec| {
            let notice = Notice::open(&signed, &enrollment.deployment, &enrollment.server_key, &Verifier).ok()?;
            Some((notice.ended.to_bytes(), (notice.at, signed)))
        };
        let by_end: BTreeMap<_, _> = all.into_iter().filter_map(open).collect();
        let mut newest: Vec<_> = by_end.into_values().collect();
        newest.sort_by_key(|(at, _)| (at.epoch, at.sequence));
        let beyond = newest.len().saturating_sub(MAX_KEPT);
        let kept: Vec<ByteVec> = newest.into_iter().skip(beyond).map(|(_, signed)| signed).collect();
        store.set_meta(Key::Notices, &cbor::encode(&kept))?;
    }
    store.set_meta(Key::Noticed, &cbor::encode(&noticed.upto))
}
