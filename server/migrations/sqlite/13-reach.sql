-- The beats that a token is within, so that its holder reads no others.

-- Whether there is a limit: without one nothing is said of beats, and with one that names none there is nothing to be read.
ALTER TABLE token ADD COLUMN limited INTEGER NOT NULL DEFAULT 0;

-- Follows from the directory's log.
CREATE TABLE token_scope (
    token_id BLOB NOT NULL,
    scope_no INTEGER NOT NULL,
    PRIMARY KEY (token_id, scope_no)
) STRICT, WITHOUT ROWID;
