//! No address has more than its share of the connections, or one machine could keep all others out by saying nothing.
//!
//! A proxy that the operator trusts, and this machine, speak for many: they are not counted.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{app::App, http::peer::network};

/// Of all connections, an address has one in so many.
const SHARE: usize = 4;

/// Who is inside. Holds no more addresses than there are connections.
#[derive(Clone)]
pub(super) struct Crowd {
    most: usize,
    inside: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A place of an address's, until it is dropped.
pub(super) struct Place {
    crowd: Crowd,
    network: IpAddr,
}

impl Crowd {
    pub(super) fn of(connections: usize) -> Self {
        Self { most: (connections / SHARE).max(1), inside: Arc::default() }
    }

    /// A place for one more connection of this address; `None`: it has all that it may have.
    pub(super) fn enter(&self, address: IpAddr, app: &App) -> Option<Option<Place>> {
        if address.is_loopback() || app.settings().limits.trusts(address) {
            return Some(None);
        }
        let place = self.take(address);
        if place.is_none() {
            app.http().limits.put_off(&app.http().metrics, "connections", Some(address));
        }
        place.map(Some)
    }

    fn take(&self, address: IpAddr) -> Option<Place> {
        let network = network(address);
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let count = inside.entry(network).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place { crowd: self.clone(), network })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.crowd.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = inside.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                inside.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_quarter_of_the_connections_and_gets_a_place_again_when_one_ends() {
        let crowd = Crowd::of(8);
        let (one, other): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let first = crowd.take(one).unwrap();
        let second = crowd.take(one).unwrap();
        assert!(crowd.take(one).is_none());
        assert!(crowd.take(other).is_some());
        drop(first);
        assert!(crowd.take(one).is_some());
        drop(second);
        assert!(crowd.inside.lock().unwrap().is_empty());
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let crowd = Crowd::of(4);
        let _place = crowd.take("2001:db8:1:2::1".parse().unwrap()).unwrap();
        assert!(crowd.take("2001:db8:1:2:ffff::9".parse().unwrap()).is_none());
        assert!(crowd.take("2001:db8:1:3::1".parse().unwrap()).is_some());
    }
}
