//! Devices that edit honestly and devices that do not, through the whole path that the server takes with an entry. What
//! is accepted then meets Automerge, and may neither make it panic nor disagree with it.

mod judge;
mod story;

use arbitrary::Unstructured;

/// The input is the story of what the devices did.
pub fn apply(data: &[u8]) {
    let ground = story::play(&mut Unstructured::new(data));
    for place in ground.values() {
        judge::judge(&place.document, data);
    }
}
