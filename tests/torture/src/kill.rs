//! Killed at any moment, nothing that was acknowledged is lost.
//!
//! The judge keeps its own list: what a phone said it had written down, and what it said headquarters had. It asks the
//! server and the phones for these, and for nothing that they keep count of themselves.

pub mod phone;
pub mod server;

use std::collections::BTreeSet;

use aralau_client_sdk::{DocumentId, VisitState};
use aralau_tests::{headquarters::Headquarters, phone::Sdk};

/// What one phone said.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Visits whose writing was confirmed.
    pub logged: BTreeSet<DocumentId>,
    /// Visits that it showed as received, or at headquarters.
    pub safe: BTreeSet<DocumentId>,
}

/// The visits of a phone that it shows as received, or at headquarters.
pub fn safe(client: &Sdk) -> impl Iterator<Item = DocumentId> {
    let acknowledged = |state: &VisitState| matches!(state, VisitState::Received | VisitState::AtHeadquarters);
    let visits = client.visits().expect("readable");
    visits.into_iter().filter(move |visit| acknowledged(&visit.state)).map(|visit| visit.id)
}

/// What headquarters has.
#[track_caller]
pub fn at_headquarters(headquarters: &Headquarters) -> BTreeSet<DocumentId> {
    let visits = headquarters.visits("");
    visits.iter().map(|visit| visit["id"].as_str().expect("an id").parse().expect("an id")).collect()
}

/// All phones hold the same rows under a receipt whose root they computed themselves, and no alarm.
#[track_caller]
pub fn assert_level(clients: &[Sdk]) {
    let standing = |client: &Sdk| {
        let status = client.status().expect("readable");
        assert_eq!((status.unsent, status.orphans, &status.alarms), (0, 0, &Vec::new()));
        let scopes = status.scopes.iter();
        scopes.map(|scope| (scope.scope, scope.epoch, scope.sequence, scope.verified)).collect::<Vec<_>>()
    };
    let first = standing(&clients[0]);
    for client in clients {
        let here = standing(client);
        assert!(here.iter().all(|(_, _, sequence, verified)| sequence == verified), "{here:?}");
        assert_eq!(here, first);
    }
}

/// Every visit that was ever written down is on every phone and at headquarters, and no other.
#[track_caller]
pub fn assert_everywhere(logged: &BTreeSet<DocumentId>, clients: &[Sdk], headquarters: &Headquarters) {
    assert_eq!(&at_headquarters(headquarters), logged);
    for client in clients {
        let visits = client.visits().expect("readable");
        assert_eq!(&visits.iter().map(|visit| visit.id).collect::<BTreeSet<_>>(), logged);
        assert!(visits.iter().all(|visit| visit.state == VisitState::AtHeadquarters));
    }
    assert_eq!(headquarters.quarantine().len(), 0);
}
