-- What an older backup must not bring back: rights that have ended.

-- Devices that were shut out, known or not: one that a partner introduces again stays out.
CREATE TABLE revocation (
    device BLOB PRIMARY KEY,
    revoked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The rows of the directory's log that end a right, as the notices name them; a scope where phones of other beats need not know.
CREATE TABLE notice (
    sequence INTEGER PRIMARY KEY,
    ended BLOB NOT NULL UNIQUE,
    scope_no INTEGER
) STRICT;

-- Whether a restored server may have forgotten that it was shut out.
ALTER TABLE device ADD COLUMN unconfirmed INTEGER NOT NULL DEFAULT 0;
