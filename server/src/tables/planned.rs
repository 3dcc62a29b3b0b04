//! From what files say to a plan, or to everything that stands against one.

use aralau_sync_core::time::Millis;
use rusqlite::Connection;

use super::{
    Content, Tables,
    fault::{Fault, FaultKind, Faults},
};
use crate::store::{Known, LoadOptions, Plan, StoreError};

impl Content {
    /// What a file that may be anything is taken for, by its first bytes: an object of JSON is a map.
    pub fn told_by(bytes: &[u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        if first == Some(&b'{') { Self::Areas } else { Self::Any }
    }
}

impl Tables {
    /// Lines of all tables.
    pub fn lines(&self) -> usize {
        let organisation = &self.organisation;
        organisation.beats.len() + organisation.places.len() + organisation.staff.len() + organisation.areas.len()
    }

    /// What a plan has to know of the store.
    pub fn known(&self, connection: &Connection, options: LoadOptions, now: Millis) -> Result<Known, StoreError> {
        let mut known = Known::read(connection, &self.organisation, now)?;
        if let Some(place) = options.place {
            known.read_place(connection, place)?;
        }
        Ok(known)
    }

    /// What becomes of `known` once it is as the files say.
    ///
    /// # Errors
    /// Every fault of the files, and everything in them that contradicts the store or itself.
    pub fn plan(&self, known: &Known, options: LoadOptions) -> Result<Plan, Faults> {
        if options.place.is_some() && self.lines() != 1 {
            let file = self.read.first().map_or("", |table| &table.file);
            let message = "a row about a place that is known by its id stands alone";
            let mut faults = self.faults.clone();
            faults.push(Fault::new(FaultKind::TooManyRows, file, message));
            return Err(faults);
        }
        match (Plan::of(known, &self.organisation, options), self.faults.is_empty()) {
            (Ok(plan), true) => Ok(plan),
            (Ok(_), false) => Err(self.with_refusals(&[])),
            (Err(refusals), _) => Err(self.with_refusals(&refusals)),
        }
    }
}
