-- The log and what is needed to extend it is the truth; every table under "projections" can be rebuilt from it.
-- Ids and hashes are blobs; times are milliseconds since 1970 UTC.

CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

-- Scope 1 is the directory.
CREATE TABLE scope (
    scope_no INTEGER PRIMARY KEY,
    scope BLOB NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    frontier BLOB NOT NULL,
    backed_up INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE stream (
    stream_no INTEGER PRIMARY KEY,
    scope_no INTEGER NOT NULL REFERENCES scope,
    replica BLOB NOT NULL,
    tip_index INTEGER NOT NULL,
    tip_hash BLOB NOT NULL,
    UNIQUE (scope_no, replica)
) STRICT;

-- One signed head for each frame taken.
CREATE TABLE head (
    stream_no INTEGER NOT NULL REFERENCES stream,
    entry_index INTEGER NOT NULL,
    hash BLOB NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (stream_no, entry_index)
) STRICT, WITHOUT ROWID;

-- row_id = scope_no << 40 | sequence: one tree holds every scope's rows in order, and no second index is needed.
CREATE TABLE log (
    row_id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    stream_no INTEGER,
    entry_index INTEGER,
    header BLOB,
    body BLOB,
    verdict BLOB NOT NULL
) STRICT;
CREATE INDEX log_entry ON log (stream_no, entry_index) WHERE stream_no IS NOT NULL;

CREATE TABLE epoch (
    number INTEGER PRIMARY KEY,
    epoch BLOB NOT NULL
) STRICT;

-- Operational facts that no log row records. --------------------------------------------------------------------

CREATE TABLE device_status (
    device BLOB PRIMARY KEY,
    last_sync_at INTEGER,
    clock_skew_ms INTEGER,
    unsent INTEGER,
    oldest_unsent_at INTEGER,
    app TEXT,
    nonce_floor INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE enrollment_code (
    code_hash BLOB PRIMARY KEY,
    person BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    device BLOB
) STRICT, WITHOUT ROWID;

CREATE TABLE token (
    token_hash BLOB PRIMARY KEY,
    token_id BLOB NOT NULL UNIQUE,
    role TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

-- Projections of the directory. ---------------------------------------------------------------------------------

CREATE TABLE person (person BLOB PRIMARY KEY, name TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE beat (code TEXT PRIMARY KEY, scope_no INTEGER NOT NULL UNIQUE, name TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE device (
    device BLOB PRIMARY KEY,
    public_key BLOB NOT NULL UNIQUE,
    person BLOB NOT NULL,
    server_custody INTEGER NOT NULL,
    enrolled_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE replica (replica BLOB PRIMARY KEY, device BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE granted (
    person BLOB NOT NULL,
    scope_no INTEGER NOT NULL,
    from_ms INTEGER NOT NULL,
    until_ms INTEGER,
    PRIMARY KEY (person, scope_no, from_ms)
) STRICT, WITHOUT ROWID;

-- Projections of the scopes. ------------------------------------------------------------------------------------

-- document_no is the row_id of the log row that accepted the first change, so that a rebuild numbers alike.
CREATE TABLE document (
    document_no INTEGER PRIMARY KEY,
    scope_no INTEGER NOT NULL,
    document BLOB NOT NULL,
    kind INTEGER NOT NULL,
    UNIQUE (document, scope_no)
) STRICT;

-- The accepted changes of a document; row_id ascending is a causal order.
CREATE TABLE change (
    document_no INTEGER NOT NULL,
    change_hash BLOB NOT NULL,
    stream_no INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    row_id INTEGER NOT NULL,
    PRIMARY KEY (document_no, change_hash)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX change_actor_sequence ON change (document_no, stream_no, generation, sequence);

-- Entries kept apart. held_row is the log row that holds the content.
CREATE TABLE held (
    held_row INTEGER PRIMARY KEY,
    scope_no INTEGER NOT NULL,
    stream_no INTEGER NOT NULL,
    entry_index INTEGER NOT NULL,
    document BLOB,
    change_hash BLOB NOT NULL,
    reason TEXT NOT NULL,
    because_replica BLOB,
    because_index INTEGER,
    state TEXT NOT NULL CHECK (state IN ('held', 'filled', 'rejected')),
    decided_by TEXT,
    decided_at INTEGER,
    note TEXT,
    UNIQUE (stream_no, entry_index)
) STRICT;
CREATE INDEX held_document ON held (document, scope_no) WHERE state = 'held';

CREATE TABLE place (
    document_no INTEGER PRIMARY KEY,
    address TEXT,
    external_code TEXT,
    place_type TEXT,
    status TEXT NOT NULL,
    lat REAL,
    lon REAL
) STRICT;

CREATE TABLE visit (
    document_no INTEGER PRIMARY KEY,
    scope_no INTEGER NOT NULL,
    place BLOB,
    author BLOB,
    visit_type TEXT,
    outcome TEXT,
    status TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    received_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    late INTEGER NOT NULL,
    conflicts INTEGER NOT NULL,
    notes INTEGER NOT NULL,
    lat REAL,
    lon REAL,
    accuracy_m REAL,
    mock INTEGER
) STRICT;
CREATE INDEX visit_started ON visit (started_at, document_no);
CREATE INDEX visit_place ON visit (place, started_at) WHERE place IS NOT NULL;
CREATE INDEX visit_conflict ON visit (document_no) WHERE conflicts > 0;

CREATE TABLE note (
    document_no INTEGER NOT NULL,
    note BLOB NOT NULL,
    author BLOB,
    at INTEGER NOT NULL,
    status TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (document_no, note)
) STRICT, WITHOUT ROWID;

CREATE TABLE concern (
    document_no INTEGER NOT NULL,
    concern BLOB NOT NULL,
    category TEXT,
    status TEXT NOT NULL,
    PRIMARY KEY (document_no, concern)
) STRICT, WITHOUT ROWID;

CREATE TABLE referral (
    document_no INTEGER NOT NULL,
    referral BLOB NOT NULL,
    agency TEXT,
    referral_status TEXT,
    due TEXT,
    status TEXT NOT NULL,
    PRIMARY KEY (document_no, referral)
) STRICT, WITHOUT ROWID;

CREATE TABLE commitment (
    document_no INTEGER NOT NULL,
    commitment BLOB NOT NULL,
    promised_to TEXT,
    what TEXT,
    due TEXT,
    fulfilled_at INTEGER,
    status TEXT NOT NULL,
    PRIMARY KEY (document_no, commitment)
) STRICT, WITHOUT ROWID;

CREATE TABLE conflict (
    document_no INTEGER NOT NULL,
    field TEXT NOT NULL,
    PRIMARY KEY (document_no, field)
) STRICT, WITHOUT ROWID;

-- The folded words (lower case, ё as е) of all notes of a visit; rowid = document_no. No second copy of the text.
CREATE VIRTUAL TABLE note_text USING fts5 (
    folded, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);
