-- What coverage counts beside visits, kept up by each visit that is written, and found again from the count. All of it
-- follows from the log, so that the projections are made anew after this (store/open.rs).

-- Promises of an active visit that nobody has fulfilled yet, and the first day that one of them is due.
ALTER TABLE visit ADD COLUMN promises INTEGER NOT NULL DEFAULT 0;
ALTER TABLE visit ADD COLUMN due TEXT;
CREATE INDEX visit_promises ON visit (started_at, document_no) WHERE promises > 0;

-- Open promises of a beat by the day that they are due; '' where they name none.
CREATE TABLE promise (
    scope_no INTEGER NOT NULL,
    due TEXT NOT NULL,
    open INTEGER NOT NULL,
    PRIMARY KEY (scope_no, due)
) STRICT, WITHOUT ROWID;

-- When a kind of concern last came up at a place, and when it last did so within 90 days of the time before.
CREATE TABLE place_concern (
    scope_no INTEGER NOT NULL,
    place BLOB NOT NULL,
    category TEXT NOT NULL,
    last_at INTEGER NOT NULL,
    repeated_at INTEGER,
    PRIMARY KEY (scope_no, place, category)
) STRICT, WITHOUT ROWID;
CREATE INDEX place_concern_repeated ON place_concern (repeated_at, scope_no) WHERE repeated_at IS NOT NULL;
CREATE INDEX concern_category ON concern (category, document_no) WHERE status = 'active';
