//! In browsers: a file of the origin's private file system, over the handles that a dedicated worker may hold.
//!
//! Whoever has the handles has them alone: a second tab is told so, and works through the first one's worker. There is no
//! shared memory between them, and none is needed: who has the file alone keeps the index of the write-ahead log to itself.
//!
//! No rollback journal: asked whether somebody is writing, the pool of sqlite-wasm-vfs 0.2.0 (that of SQLite's own 3.54.1 does
//! not) always answers yes, so that SQLite takes what a killed writer left for the journal of one that is at work, and never
//! rolls it back. What was half written then stays in the database.

use rusqlite::{Connection, OpenFlags};
use sqlite_wasm_rs::WasmOsCallback;
use sqlite_wasm_vfs::sahpool::{OpfsSAHError, OpfsSAHPoolCfgBuilder, OpfsSAHPoolUtil, install};

use super::{Result, SqliteStore, StoreError};

const DATABASE: &str = "device.db";
/// What a first sync has made of the log's file goes back to the phone.
const MAX_LOG_BYTES: i64 = 4 << 20;
/// The database and its log, and as many again. Where a log finds no file, nothing can be written any more, not even
/// what has its files already.
const FILES: u32 = 4;

/// A folder of the private file system, held by this worker.
pub struct OpfsFolder {
    name: String,
    pool: OpfsSAHPoolUtil,
}

impl OpfsFolder {
    /// Takes hold of a folder, which is made if there is none.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while another tab has it; [`StoreError::Unavailable`] outside of a dedicated worker, in browsers without
    /// this file system, and where there is no space.
    pub async fn hold(name: &str) -> Result<Self> {
        let options = OpfsSAHPoolCfgBuilder::new().vfs_name(name).directory(name).initial_capacity(FILES).build();
        let pool = install::<WasmOsCallback>(&options, false).await.map_err(why)?;
        // Held by an earlier call in this worker, and let go of.
        pool.unpause_vfs().await.map_err(why)?;
        // A folder that an interrupted first start left with fewer.
        pool.reserve_minimum_capacity(FILES).await.map_err(why)?;
        Ok(Self { name: name.to_owned(), pool })
    }

    /// Opens the device's store in it.
    ///
    /// # Errors
    /// [`StoreError::Newer`] for a file of a newer version.
    pub fn open(&self) -> Result<SqliteStore> {
        let connection = Connection::open_with_flags_and_vfs(DATABASE, OpenFlags::default(), self.name.as_str())?;
        // Nobody else can have the file: locks would be asked for in vain. Before anything is read: without it SQLite takes a
        // file with a write-ahead log for one that is not there.
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
        if mode != "wal" {
            return Err(StoreError::Unavailable(format!("its journal is {mode:?}, and not a write-ahead log")));
        }
        connection.pragma_update(None, "journal_size_limit", MAX_LOG_BYTES)?;
        // What was acknowledged to the inspector survives a flat battery.
        connection.pragma_update(None, "synchronous", "FULL")?;
        SqliteStore::prepare(connection)
    }

    /// Files that nothing is kept in.
    pub fn free_files(&self) -> u32 {
        self.pool.get_capacity().saturating_sub(self.pool.count())
    }

    /// Lets go of the folder, so that another tab can take hold of it. The store must have been closed.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while the store is open.
    pub fn release(self) -> Result<()> {
        self.pool.pause_vfs().map_err(|_| StoreError::InUse)
    }
}

fn why(error: OpfsSAHError) -> StoreError {
    match &error {
        OpfsSAHError::CreateSyncAccessHandle(said) if is_held(said) => StoreError::InUse,
        _ => StoreError::Unavailable(format!("{error}: {error:?}")),
    }
}

/// What browsers answer where somebody else has the handle.
fn is_held(said: &wasm_bindgen::JsValue) -> bool {
    js_sys::Reflect::get(said, &"name".into()).ok().and_then(|name| name.as_string()).as_deref()
        == Some("NoModificationAllowedError")
}
