//! Where what turned out to be another place is to be found now, also after that one has moved to another beat.

use std::collections::{HashMap, HashSet};

use aralau_sync_core::{id::DocumentId, visit::ACTIVE};
use rusqlite::Connection;

use super::{find::FoundPlace, identity::key};
use crate::store::StoreError;

/// The place that another one goes as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remaining {
    /// Which, and of which beat now.
    pub place: FoundPlace,
    /// Whether it counts.
    pub is_active: bool,
}

/// For each place that turned out to be another, the one that remains of them.
pub fn remaining(connection: &Connection) -> Result<HashMap<FoundPlace, Remaining>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT j.scope_no, j.place, j.goes_as, r.status, r.external_code
         FROM joined_place j JOIN document d ON d.document = j.goes_as AND d.scope_no = j.scope_no
         JOIN place r USING (document_no) WHERE j.goes_as <> j.place",
    )?;
    let (mut found, mut withdrawn) = (HashMap::new(), Vec::new());
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let named = |at| Ok::<_, rusqlite::Error>(DocumentId::from_bytes(row.get(at)?));
        let scope_no = row.get(0)?;
        let (joined, into) = (FoundPlace { scope_no, id: named(1)? }, FoundPlace { scope_no, id: named(2)? });
        let is_active = row.get_ref(3)?.as_str().unwrap_or_default() == ACTIVE;
        found.insert(joined, Remaining { place: into, is_active });
        let code = row.get::<_, Option<String>>(4)?.map(|code| key(&code)).filter(|code| !code.is_empty());
        withdrawn.extend(code.filter(|_| !is_active).map(|code| (joined, code)));
    }
    if !withdrawn.is_empty() {
        let active = active_by_code(connection, &withdrawn.iter().map(|(_, code)| code.as_str()).collect())?;
        for (joined, code) in withdrawn {
            // A place moves by its code, and takes it along. Of several nothing tells which.
            if let Some([only]) = active.get(&code).map(Vec::as_slice) {
                found.insert(joined, Remaining { place: *only, is_active: true });
            }
        }
    }
    Ok(found)
}

fn active_by_code(
    connection: &Connection,
    codes: &HashSet<&str>,
) -> Result<HashMap<String, Vec<FoundPlace>>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT p.scope_no, d.document, p.external_code FROM place p JOIN document d USING (document_no)
         WHERE p.external_code IS NOT NULL AND p.status = ? ORDER BY p.document_no",
    )?;
    let mut rows = statement.query([ACTIVE])?;
    let mut found: HashMap<String, Vec<FoundPlace>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let code = key(row.get_ref(2)?.as_str().unwrap_or_default());
        if codes.contains(code.as_str()) {
            let place = FoundPlace { scope_no: row.get(0)?, id: DocumentId::from_bytes(row.get(1)?) };
            found.entry(code).or_default().push(place);
        }
    }
    Ok(found)
}
