//! The outlines of beats: told once, kept, and told again where they are others.

use crate::server::{SCOPE, line::Line, phone::phone};
use aralau_client_sdk::{Event, SyncOptions};
use aralau_sync_core::{
    id::ScopeId,
    sync::{Outline, Outlines, Ring},
    visit::Coordinates,
};

const CORNERS: [[f64; 2]; 4] = [[76.9, 43.2], [76.95, 43.2], [76.95, 43.25], [76.9, 43.25]];

fn outline(scope: ScopeId) -> Outline {
    Outline { scope, rings: vec![Ring::of(CORNERS)] }
}

#[test]
fn outlines_are_told_once_and_kept_until_they_are_others() {
    let line = Line::new();
    let elsewhere = outline(ScopeId::from_bytes([9; 16]));
    line.server.borrow_mut().outlines = Outlines { mark: 7, beats: vec![outline(SCOPE), elsewhere] };
    let mut phone = phone(&line, "Aigul", 1);
    assert_eq!(phone.outlines().expect("reads"), [], "nothing is known before a sync");
    let heard = phone.watch();
    let mut sync = || {
        let report = phone.sync(&line, SyncOptions::default()).expect("syncs");
        (phone.outlines().expect("reads"), heard.try_iter().any(|event| event == Event::Beats), report.beats_changed)
    };
    let (shown, told, beats_changed) = sync();
    let [one] = &shown[..] else { panic!("one beat is this person's: {shown:?}") };
    let corners = CORNERS.map(|[lon, lat]| Coordinates { lat, lon });
    assert_eq!((one.beat.code.as_str(), &one.rings[..]), ("beat-01", &[corners.to_vec()][..]));
    assert_eq!((told, beats_changed), (true, false), "a map that is open hears of it");
    assert_eq!(sync(), (shown, false, false), "it has them");

    line.server.borrow_mut().outlines = Outlines::default();
    assert_eq!(sync(), (Vec::new(), true, false), "the operator has taken them back");
}

#[test]
fn a_line_that_is_none_is_not_shown() {
    let line = Line::new();
    let rings = vec![Ring::of([[300.0, 43.2], [301.0, 43.2], [301.0, 44.0]]), Ring::of(CORNERS)];
    line.server.borrow_mut().outlines = Outlines { mark: 1, beats: vec![Outline { scope: SCOPE, rings }] };
    let mut phone = phone(&line, "Aigul", 1);
    phone.sync(&line, SyncOptions::default()).expect("syncs");
    assert_eq!(phone.outlines().expect("reads")[0].rings.len(), 1);
}
