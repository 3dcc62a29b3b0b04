//! What a visit brings beside its notes, as it leaves the system: each thing with who said it and when.

use rusqlite::Connection;

use aralau_sync_core::{
    change::{NONCE, Value},
    id::{DocumentId, ScopeId},
    visit::Visit,
};

use super::{
    author::{Authors, Person},
    document::Located,
    history,
    instant::Instant,
    page::{Limit, Page},
    place_names::PlaceNames,
    visit::{Conflict, Item, bytes_of, items, named},
    visits::PlaceName,
};
use crate::store::StoreError;

/// What a visit may bring several of, beside notes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct More {
    /// What residents raised.
    pub concerns: Vec<Item>,
    /// What was promised.
    pub commitments: Vec<Item>,
    /// What was sent to an agency.
    pub referrals: Vec<Item>,
    /// The values of its conflicts.
    pub conflicts: Vec<Disputed>,
    /// What was changed after it was first written, in the order of the log.
    pub changes: Vec<Changed>,
}

/// One of the values between which somebody has to choose.
#[derive(Debug, Clone, PartialEq)]
pub struct Disputed {
    /// The field, by its key.
    pub field: String,
    /// The value.
    pub value: Value,
    /// The place that it names.
    pub place: Option<PlaceName>,
    /// Whether it is the one that everybody is shown meanwhile.
    pub is_shown: bool,
    /// Whoever wrote it, the last first, as far as the directory knows.
    pub people: Vec<Person>,
    /// When it was written last, by that device's clock.
    pub at: Instant,
}

impl Disputed {
    /// The values of a conflict. `place`: the place that a field's value names.
    pub fn each(
        conflict: Conflict,
        mut place: impl FnMut(&str, &Value) -> Result<Option<PlaceName>, StoreError>,
    ) -> Result<Vec<Self>, StoreError> {
        let field = &conflict.field;
        let disputed = conflict.values.into_iter().enumerate().map(|(number, said)| {
            Ok(Self {
                field: field.clone(),
                place: place(field, &said.value)?,
                value: said.value,
                is_shown: number == 0,
                people: said.people,
                at: said.at,
            })
        });
        disputed.collect()
    }
}

/// A field written after its visit was.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// The field, by its key.
    pub field: String,
    /// What it was set to.
    pub value: Value,
    /// The place that this names.
    pub place: Option<PlaceName>,
    /// Who wrote it.
    pub by: Option<Person>,
    /// When, by that device's clock.
    pub device_time: Option<Instant>,
    /// The same moment by the server's clock, as far as the device's uptime tells it.
    pub corrected_time: Option<Instant>,
    /// When the server had it.
    pub received_at: Instant,
}

impl More {
    /// Of a document, which has been read as a `visit`.
    pub(super) fn read(
        connection: &Connection,
        authors: &mut Authors<'_>,
        (document_no, document): (i64, DocumentId),
        mut visit: Visit,
        was_changed: bool,
    ) -> Result<Self, StoreError> {
        let located = located(connection, document_no, document)?;
        let mut places = PlaceNames::new(connection);
        let mut conflicts = Vec::new();
        for conflict in visit.conflicts.drain(..) {
            let place = |field: &str, value: &Value| places.meet(located.scope_no, field, value);
            conflicts.extend(Disputed::each(named(conflict, authors)?, place)?);
        }
        Ok(Self {
            concerns: items(&mut visit, "concerns"),
            commitments: items(&mut visit, "commitments"),
            referrals: items(&mut visit, "referrals"),
            conflicts,
            changes: if was_changed { changes(connection, &located)? } else { Vec::new() },
        })
    }

    /// About how much memory its words take.
    pub(super) fn bytes(&self) -> usize {
        let items = [&self.concerns, &self.commitments, &self.referrals].into_iter().flatten();
        let fields = items.flat_map(|item| item.fields.values());
        let values = self.conflicts.iter().map(|said| &said.value).chain(self.changes.iter().map(|put| &put.value));
        fields.chain(values).map(bytes_of).sum()
    }
}

/// A document is numbered by a row of its scope's log.
fn located(connection: &Connection, document_no: i64, document: DocumentId) -> Result<Located, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT d.scope_no, s.scope FROM document d JOIN scope s USING (scope_no) WHERE d.document_no = ?",
    )?;
    Ok(statement.query_row([document_no], |row| {
        let scope = ScopeId::from_bytes(row.get(1)?);
        Ok(Located { document_no, document, scope_no: row.get(0)?, scope })
    })?)
}

/// What later entries put, page by page. The first one is the visit itself.
fn changes(connection: &Connection, located: &Located) -> Result<Vec<Changed>, StoreError> {
    let (mut changes, mut page, mut places) = (Vec::new(), Page::first(Limit::MOST), PlaceNames::new(connection));
    loop {
        let found = history::page(connection, located, false, &page)?;
        for row in found.history {
            let puts = row.puts.into_iter().flatten();
            for put in puts.filter(|put| row.row != located.sequence_of(located.document_no) && put.key != NONCE) {
                changes.push(Changed {
                    place: places.meet(located.scope_no, &put.key, &put.value)?,
                    field: put.key,
                    value: put.value,
                    by: row.author.clone(),
                    device_time: row.device_time,
                    corrected_time: row.corrected_time,
                    received_at: row.server_time,
                });
            }
        }
        match found.next {
            Some(next) => page.cursor = Some(next),
            None => return Ok(changes),
        }
    }
}
