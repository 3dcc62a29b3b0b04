//! What a device makes of an answer's packs.

use aralau_server::store::{Packed, Pulled};
use aralau_sync_core::{cbor, sync::Gained};

/// What a scope gained, with the rows of its packs, and how many of these were sealed.
pub fn whole(pulled: Pulled) -> (Gained, usize) {
    let Pulled { mut gained, packs, rows, .. } = pulled;
    assert_eq!(gained.packs.take().unwrap_or(0) as usize, packs.len());
    let mut sealed = 0;
    for pack in packs {
        let pack = match pack {
            Packed::Live(pack) => pack,
            Packed::Sealed(frame) => {
                sealed += 1;
                let message = zstd::decode_all(&frame[..]).unwrap();
                cbor::decode(&cbor::items(&message, 1 << 20).unwrap()[0]).unwrap()
            }
        };
        gained.go_on(pack).unwrap();
    }
    assert_eq!(gained.rows.len(), rows);
    (gained, sealed)
}
