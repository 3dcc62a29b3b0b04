//! Whose device wrote: from a replica to a person, by the directory.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use aralau_sync_core::id::{PersonId, ReplicaId};

use crate::store::{PERSON_OF_DEVICE, StoreError};

/// Someone, as shown beside their words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Person {
    /// In the directory.
    #[schema(value_type = Uuid)]
    pub id: PersonId,
    /// Their name.
    pub name: String,
}

/// Whose a replica is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The person who has the device.
    pub person: Person,
    /// The device.
    pub device: Uuid,
}

/// The authors met during one read, each looked up once.
pub struct Authors<'a> {
    connection: &'a Connection,
    known: BTreeMap<ReplicaId, Option<Author>>,
}

impl<'a> Authors<'a> {
    /// None met yet.
    pub fn new(connection: &'a Connection) -> Self {
        Self { connection, known: BTreeMap::new() }
    }

    /// Whose this replica is; `None` where the directory does not know it.
    pub fn of(&mut self, replica: ReplicaId) -> Result<Option<Author>, StoreError> {
        if let Some(author) = self.known.get(&replica) {
            return Ok(author.clone());
        }
        let author = self
            .connection
            .prepare_cached(&format!(
                "SELECT device.device, person.person, person.name
                 FROM replica JOIN device USING (device) {PERSON_OF_DEVICE} WHERE replica = ?",
            ))?
            .query_row([replica.as_bytes()], |row| {
                let person = Person { id: PersonId::from_bytes(row.get(1)?), name: row.get(2)? };
                Ok(Author { person, device: Uuid::from_bytes(row.get(0)?) })
            })
            .optional()?;
        self.known.insert(replica, author.clone());
        Ok(author)
    }
}
