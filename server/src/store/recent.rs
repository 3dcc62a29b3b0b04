//! Large documents as the writer left them. To load one costs as much as it is long, and the next entry of it often comes
//! next: without this, one change a frame would cost all changes before it each time.

use aralau_sync_core::{id::DocumentId, reconcile::DocumentGround};
use rusqlite::Connection;

use super::{
    StoreError,
    projection::{self, Loaded},
};

/// From this weight on a document is worth keeping: some hundred changes.
const LARGE: usize = 64 * 1024;
/// What is kept weighs so much at most: one of the largest, and some more.
const MOST: usize = 8 * 1024 * 1024;

/// See the module. Belongs to one writer, from one commit to the next: with a transaction that is taken back it has to be
/// forgotten. What other processes write meanwhile is seen, for an accepted row never changes and the last one is compared.
#[derive(Debug, Default)]
pub struct Recent(Vec<Left>);

#[derive(Debug)]
struct Left {
    scope_no: i64,
    id: DocumentId,
    ground: DocumentGround,
    loaded: Loaded,
}

impl Recent {
    /// As [`projection::load`], with what it has cost, in the time that so many bytes take.
    pub fn load(
        &mut self,
        connection: &Connection,
        scope_no: i64,
        id: DocumentId,
    ) -> Result<(DocumentGround, Loaded, usize), StoreError> {
        if let Some(at) = self.0.iter().position(|left| left.scope_no == scope_no && left.id == id) {
            let Left { mut ground, loaded, .. } = self.0.remove(at);
            if loaded.is_as_left(connection)? {
                let cost = projection::load_held(connection, scope_no, id, &mut ground)?;
                return Ok((ground, loaded, cost));
            }
        }
        let (ground, loaded, held) = projection::load_all(connection, scope_no, id)?;
        let cost = loaded.weight() + held;
        Ok((ground, loaded, cost))
    }

    /// Keeps a document for the next [`Self::load`], if that is worth it.
    pub fn keep(&mut self, scope_no: i64, id: DocumentId, mut ground: DocumentGround, loaded: Loaded) {
        if !(LARGE..=MOST).contains(&loaded.weight()) {
            return;
        }
        // Judged by anybody at any time: it is read each time.
        ground.held.clear();
        ground.rejected.clear();
        self.0.push(Left { scope_no, id, ground, loaded: loaded.projected() });
        let mut weight: usize = self.0.iter().map(|left| left.loaded.weight()).sum();
        while weight > MOST {
            weight -= self.0.remove(0).loaded.weight();
        }
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
