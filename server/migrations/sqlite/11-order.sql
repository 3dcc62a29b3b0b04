-- Names and addresses stand in the order in which people read them (sync-core/src/collation.rs): the key of each is beside
-- it, and a list is walked along the keys. All of it follows from the log, so that the projections are made anew after
-- this (store/open.rs).
DROP TABLE person;
CREATE TABLE person (person BLOB PRIMARY KEY, name TEXT NOT NULL, name_key BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX person_name ON person (name_key, person);
CREATE INDEX device_person ON device (person);

-- A place knows its scope, so that the list of one beat walks that beat's places only.
DROP TABLE place;
CREATE TABLE place (
    document_no INTEGER PRIMARY KEY,
    scope_no INTEGER NOT NULL,
    address TEXT,
    address_key BLOB NOT NULL,
    external_code TEXT,
    place_type TEXT,
    status TEXT NOT NULL,
    lat REAL,
    lon REAL
) STRICT;
CREATE INDEX place_address ON place (address_key);
CREATE INDEX place_beat_address ON place (scope_no, address_key);

-- The words of addresses, folded as store/words.rs does for names; rowid = document_no. The first letters of a word find it.
CREATE VIRTUAL TABLE place_text USING fts5 (
    folded, content = '', contentless_delete = 1, detail = none, prefix = '1 2 3', tokenize = 'ascii'
);
