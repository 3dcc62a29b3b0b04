-- Schema 1 of a device's store. Hashes and ids are raw bytes; numbers that never go negative are plain integers.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE scope (
    scope        BLOB PRIMARY KEY,
    granted      INTEGER NOT NULL,
    epoch        INTEGER NOT NULL,
    sequence     INTEGER NOT NULL,
    frontier     BLOB NOT NULL,
    verified     INTEGER NOT NULL,
    backed_up    INTEGER NOT NULL,
    tip          INTEGER NOT NULL,
    tip_hash     BLOB NOT NULL,
    decided      INTEGER NOT NULL,
    decided_hash BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE stream (
    scope    BLOB NOT NULL,
    replica  BLOB NOT NULL,
    key      BLOB NOT NULL,
    person   TEXT NOT NULL,
    tip      INTEGER NOT NULL,
    tip_hash BLOB NOT NULL,
    head     BLOB,
    offer    BLOB,
    PRIMARY KEY (scope, replica)
) STRICT, WITHOUT ROWID;

-- Own entries and others'. Full: header and body. Hollow: their hashes.
CREATE TABLE entry (
    scope        BLOB NOT NULL,
    replica      BLOB NOT NULL,
    entry_index  INTEGER NOT NULL,
    hash         BLOB NOT NULL,
    header       BLOB,
    body         BLOB,
    header_hash  BLOB,
    content_hash BLOB,
    document     BLOB,
    decided_kind INTEGER,
    decided_row  INTEGER,
    PRIMARY KEY (scope, replica, entry_index),
    CHECK ((header IS NULL) = (body IS NULL)),
    CHECK ((header IS NULL) = (header_hash IS NOT NULL AND content_hash IS NOT NULL)),
    CHECK ((decided_kind IS NULL) = (decided_row IS NULL))
) STRICT;
CREATE INDEX entry_document ON entry (scope, document, replica, entry_index) WHERE document IS NOT NULL;

-- The server's log, as far as it is here: all that the Merkle leaves are made of.
CREATE TABLE row (
    scope       BLOB NOT NULL,
    sequence    INTEGER NOT NULL,
    kind        INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    replica     BLOB,
    entry_index INTEGER,
    hash        BLOB NOT NULL,
    verdict     BLOB NOT NULL,
    PRIMARY KEY (scope, sequence)
) STRICT;
CREATE INDEX row_entry ON row (scope, replica, entry_index, sequence) WHERE replica IS NOT NULL;

CREATE TABLE orphan (
    scope       BLOB NOT NULL,
    replica     BLOB NOT NULL,
    entry_index INTEGER NOT NULL,
    hash        BLOB NOT NULL,
    header      BLOB NOT NULL,
    body        BLOB NOT NULL,
    document    BLOB NOT NULL,
    PRIMARY KEY (scope, replica, entry_index, hash)
) STRICT;

CREATE TABLE projection (
    document BLOB NOT NULL,
    scope    BLOB NOT NULL,
    kind     INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    body     BLOB NOT NULL,
    PRIMARY KEY (document, scope)
) STRICT;
CREATE INDEX projection_kind ON projection (kind, at, document, scope);

CREATE TABLE receipt (
    scope BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    size  INTEGER NOT NULL,
    note  TEXT NOT NULL,
    PRIMARY KEY (scope, epoch, size)
) STRICT, WITHOUT ROWID;

CREATE TABLE alarm (
    code   TEXT NOT NULL,
    scope  BLOB NOT NULL,
    detail TEXT NOT NULL,
    at     INTEGER NOT NULL,
    count  INTEGER NOT NULL,
    PRIMARY KEY (code, scope, detail)
) STRICT, WITHOUT ROWID;
